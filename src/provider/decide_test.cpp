// SPDX-License-Identifier: Apache-2.0
#include "provider/decide.hpp"

#include <gtest/gtest.h>

#include "provider/job_testing.hpp"

namespace avow::provider {
namespace {

using market::Status;
using testing::address_of;
using testing::job_of;
using testing::kMoment;
using testing::tokens;

constexpr std::uint8_t kOurs = 0x11, kTheirs = 0x22;

// A job that pays well, and all that it is judged by; tests change some of it.
struct Case {
  Job job = job_of(1, tokens(10));
  Outlook outlook;
  Policy policy;
  Now now;

  Case() {
    policy.prices.compute_hour = tokens(36);
    policy.prices.microtokens_a_coin = 1'000'000;
    policy.prices.most_gas_price = 10'000'000'000;
    policy.prices.margin_percent = 0;
    policy.most_bond = policy.most_bonds = tokens(100);
    outlook.alone = outlook.estimate = {100, 1'000, 10'000'000, 1};
    outlook.produced = 10;
    now.time = kMoment;
    now.block = 100;
    now.account = address_of(kOurs);
    now.free_bond = tokens(100);
  }
  Case& ran() {
    job.stage = Stage::kRan;
    job.output = Output{{1, 0}, 0};
    return *this;
  }
  Case& proven(std::uint64_t transactions) {
    ran();
    job.stage = Stage::kProven;
    job.proof = 1;
    outlook.transactions = transactions;
    return *this;
  }
  Case& steps() {
    outlook.alone.transactions = outlook.estimate.transactions = 2;
    outlook.wants_lock = true;
    return *this;
  }
  Case& locked(std::uint8_t by, std::uint64_t block, std::uint64_t until) {
    job.standing = {Status::kLocked, address_of(by), block, tokens(10), until};
    return *this;
  }
  [[nodiscard]] Decision decide() const { return provider::decide(job, outlook, policy, now); }
  [[nodiscard]] Do what() const { return decide().what; }
  [[nodiscard]] std::string why() const { return decide().reason; }
};

TEST(Decide, GoesFromTheRequestToThePayment) {
  EXPECT_EQ(Case().what(), Do::kRun);
  EXPECT_EQ(Case().ran().what(), Do::kProve);
  EXPECT_EQ(Case().proven(1).what(), Do::kSettle);
  Case paid = Case().proven(1);
  paid.job.standing = {Status::kFulfilled, address_of(kOurs), 101};
  EXPECT_EQ(paid.what(), Do::kPaid);
  paid.job.stage = Stage::kPaid;
  EXPECT_EQ(paid.what(), Do::kWait);
}

TEST(Decide, LocksWhatTakesSteps) {
  EXPECT_EQ(Case().steps().what(), Do::kRun) << "the answer has to be known before";
  EXPECT_EQ(Case().steps().ran().what(), Do::kLock);
  EXPECT_EQ(Case().steps().ran().locked(kOurs, 100, kMoment + 600).what(), Do::kProve);
  const Case early = Case().steps().proven(2).locked(kOurs, 100, kMoment + 600);
  EXPECT_EQ(early.decide(), (Decision{Do::kWait, "lock"})) << "the first step would show the answer";
  Case effective = early;
  effective.now.block = 101;
  EXPECT_EQ(effective.what(), Do::kSettle) << "in the next block the lock holds";
}

TEST(Decide, LocksAtTheEndWhereAProofTurnsOutLarger) {
  EXPECT_EQ(Case().proven(2).what(), Do::kLock);
  Case never = Case().proven(2);
  never.policy.lock = LockPolicy::kNever;
  EXPECT_EQ(never.decide(), (Decision{Do::kRefuse, "steps"}));
  EXPECT_EQ(Case().proven(0).what(), Do::kSettle) << "how many there are is found out";
}

TEST(Decide, WantsLocksByPolicy) {
  const Estimate whole{0, 0, 0, 1}, steps{0, 0, 0, 2};
  EXPECT_FALSE(wants_lock(LockPolicy::kWhenNeeded, whole));
  EXPECT_TRUE(wants_lock(LockPolicy::kWhenNeeded, steps));
  EXPECT_TRUE(wants_lock(LockPolicy::kAlways, whole));
  EXPECT_FALSE(wants_lock(LockPolicy::kNever, steps));
}

TEST(Decide, WaitsForThePrice) {
  Case cheap;
  cheap.job.request.offer.min_price = 1;
  cheap.job.request.offer.ramp_start = kMoment;
  cheap.job.request.offer.ramp_length = 1'000;
  // A tenth of a coin of gas and 1.1 seconds of compute: 0.111 of 10 tokens.
  const Decision decision = cheap.decide();
  EXPECT_EQ(decision, (Decision{Do::kWait, "price", kMoment + 12 - 5}));
  cheap.now.time = decision.not_before;
  EXPECT_EQ(cheap.what(), Do::kRun) << "some seconds ahead";
  cheap.ran();
  EXPECT_EQ(cheap.decide(), (Decision{Do::kWait, "price", kMoment + 11}));
  cheap.now.time = kMoment + 11;
  EXPECT_EQ(cheap.what(), Do::kProve);
}

TEST(Decide, RefusesWhatIsNeverWorthIt) {
  Case poor;
  poor.policy.prices.compute_hour = tokens(100'000);
  EXPECT_EQ(poor.decide(), (Decision{Do::kRefuse, "price"}));
  Case short_answer = Case().ran();
  short_answer.job.request.offer.base_permille = 0;
  short_answer.outlook.produced = 0;
  EXPECT_EQ(short_answer.decide(), (Decision{Do::kRefuse, "price"})) << "known when it was run";
  EXPECT_EQ(poor.proven(1).what(), Do::kSettle) << "what was done costs nothing any more";
}

TEST(Decide, RefusesWhatItCannotMeet) {
  Case late;
  late.job.request.offer.deadline = kMoment + 3;
  EXPECT_EQ(late.decide(), (Decision{Do::kRefuse, "time"}));
  Case tiny = Case().steps();
  tiny.job.request.offer.lock_duration = 5;
  EXPECT_EQ(tiny.decide(), (Decision{Do::kRefuse, "time"}));
  EXPECT_EQ(tiny.ran().decide(), (Decision{Do::kRefuse, "time"}));
  Case past;
  past.now.time = past.job.request.offer.deadline + 1;
  EXPECT_EQ(past.decide(), (Decision{Do::kWait, "deadline"})) << "a payment may be in the block that comes";
  past.now.head_time = past.now.time;
  EXPECT_EQ(past.decide(), (Decision{Do::kLose, "deadline"}));
  Case dear = Case().steps();
  dear.policy.most_bond = tokens(9);
  EXPECT_EQ(dear.decide(), (Decision{Do::kRefuse, "bond"}));
  Case bondless = Case();
  bondless.policy.most_bond = tokens(9);
  EXPECT_EQ(bondless.what(), Do::kRun) << "without a lock there is no bond";
}

TEST(Decide, WaitsForMoneyAndForItsTurn) {
  Case broke = Case().steps().ran();
  broke.now.free_bond = tokens(9);
  EXPECT_EQ(broke.decide(), (Decision{Do::kWait, "funds"}));
  Case busy = Case().steps().ran();
  busy.outlook.queue_millis = 600'000;
  EXPECT_EQ(busy.decide(), (Decision{Do::kWait, "queue"})) << "a lock would end while others are proven";
}

TEST(Decide, WaitsForDepth) {
  Case young;
  young.policy.depth = 3;
  EXPECT_EQ(young.decide(), (Decision{Do::kWait, "depth"}));
  young.now.block = 102;
  EXPECT_EQ(young.what(), Do::kRun);
}

TEST(Decide, StopsWhatOthersHaveDone) {
  for (Case one : {Case(), Case().ran(), Case().proven(1)}) {
    one.job.standing = {Status::kFulfilled, address_of(kTheirs), 101};
    EXPECT_EQ(one.decide(), (Decision{Do::kLose, "fulfilled"}));
    one.job.standing = {Status::kRefunded, {}, 101};
    EXPECT_EQ(one.decide(), (Decision{Do::kLose, "refunded"}));
    one.job.standing = {Status::kUnknown, {}, 0};
    EXPECT_EQ(one.decide(), (Decision{Do::kWait, "unknown"})) << "it may come back";
    one.now.time = one.now.head_time = one.job.request.offer.deadline + 1;
    EXPECT_EQ(one.decide(), (Decision{Do::kLose, "rolled back"}));
  }
}

TEST(Decide, LandsBeforeACancellationIfItStillCan) {
  const auto cancelling = [](Case one) {
    one.job.standing = {Status::kCancelling, {}, 100};
    return one;
  };
  EXPECT_EQ(cancelling(Case().ran()).decide(), (Decision{Do::kLose, "cancelled"}));
  EXPECT_EQ(cancelling(Case().proven(1)).what(), Do::kSettle);
  EXPECT_EQ(cancelling(Case().proven(2)).what(), Do::kLose) << "steps would come too late";
  Case late = cancelling(Case().proven(1));
  late.now.block = 101;
  EXPECT_EQ(late.what(), Do::kLose);
}

TEST(Decide, WaitsForALockOfAnotherToEnd) {
  Case held = Case().ran().locked(kTheirs, 90, kMoment + 60);
  EXPECT_EQ(held.decide(), (Decision{Do::kWait, "locked", kMoment + 61}));
  held.now.time = kMoment + 61;
  EXPECT_EQ(held.what(), Do::kProve) << "a rescue";
  EXPECT_EQ(Case().proven(2).locked(kTheirs, 90, kMoment - 1).what(), Do::kSettle);
  held.now.time = kMoment;
  held.policy.rescues = false;
  EXPECT_EQ(held.decide(), (Decision{Do::kLose, "locked"}));
  EXPECT_EQ(Case().locked(kTheirs, 90, kMoment + 86'400).decide(), (Decision{Do::kLose, "locked"}))
      << "until the deadline";
  EXPECT_EQ(Case().proven(1).locked(kTheirs, 100, kMoment + 600).what(), Do::kSettle) << "it does not hold yet";
}

TEST(Decide, GoesOnWithALockThatEnded) {
  const Case late = Case().ran().locked(kOurs, 90, kMoment - 1);
  EXPECT_EQ(late.what(), Do::kProve) << "the bond is lost, the payment is not";
}

TEST(Decide, KnowsTheLastMoment) {
  const Case open;
  EXPECT_EQ(last_moment(open.job, open.now), kMoment + 86'400);
  const Case ours = Case().locked(kOurs, 100, kMoment + 600);
  EXPECT_EQ(last_moment(ours.job, ours.now), kMoment + 600);
  const Case theirs = Case().locked(kTheirs, 100, kMoment + 600);
  EXPECT_EQ(last_moment(theirs.job, theirs.now), kMoment + 86'400);
}

TEST(Decide, ReckonsWithMargins) {
  const Case one;
  // 1.1 s and half on top, then two blocks of a second and half on top.
  EXPECT_EQ(seconds_needed(one.outlook, Stage::kSeen, false, one.policy, one.now), (1'650U + 3'000) / 1'000 + 1);
  EXPECT_EQ(seconds_needed(one.outlook, Stage::kProven, false, one.policy, one.now), 3'000U / 1'000 + 1);
  const Case steps = Case().steps();
  EXPECT_EQ(seconds_needed(steps.outlook, Stage::kProven, true, steps.policy, steps.now), (2'000U + 6'000) / 1'000 + 1);
}

}  // namespace
}  // namespace avow::provider
