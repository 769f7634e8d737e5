// SPDX-License-Identifier: Apache-2.0
#include "provider/journal.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "base/folder_testing.hpp"
#include "provider/job_testing.hpp"

namespace avow::provider {
namespace {

using testing::address_of;
using testing::digest_of;
using testing::job_of;
using testing::tokens;

const Identity kIdentity{31337, address_of(1), address_of(2)};

template <typename T>
std::string outcome(const JournalResult<T>& result) {
  return result ? "ok" : name(result.error().cause);
}
std::string outcome(const JournalProblem& problem) { return problem ? name(problem->cause) : "ok"; }

class JournalFile : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_ / "journal").string(); }
  [[nodiscard]] JournalResult<std::unique_ptr<Journal>> open(const Identity& identity = kIdentity) {
    return Journal::open(path(), identity, [this](Step step) { steps_.push_back(step); });
  }
  [[nodiscard]] std::unique_ptr<Journal> opened() {
    auto journal = open();
    EXPECT_TRUE(journal) << (journal ? "" : journal.error().text);
    return std::move(journal).value();
  }
  void execute(const char* sql) const {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
    sqlite3_close(raw);
  }
  base::testing::ScratchFolder folder_;
  std::vector<Step> steps_;
};

Job changed_job() {
  Job job = job_of(7, tokens(3));
  job.stage = Stage::kRan;
  job.standing = {market::Status::kLocked, address_of(9), 105, tokens(3), ~std::uint64_t{0}};
  job.output = Output{{5, 0, 6, 0}, 1};
  return job;
}

Call lock_call(const Job& job) {
  Call call;
  call.kind = CallKind::kLock;
  call.job = job.id;
  call.request.to = address_of(1);
  call.request.data = {1, 2, 3};
  return call;
}

TEST_F(JournalFile, KeepsJobsAndBlocks) {
  const Job job = changed_job();
  Job refused = job_of(8, tokens(1));
  refused.stage = Stage::kRefused;
  refused.reason = "price";
  const std::deque<chain::BlockRef> blocks{{9, digest_of(9)}, {10, digest_of(10)}};
  {
    auto journal = opened();
    EXPECT_EQ(outcome(journal->save_blocks(blocks, {job, refused}, {Step::kSeen, Step::kRefused})), "ok");
  }
  EXPECT_EQ(steps_, (std::vector{Step::kSeen, Step::kRefused}));
  auto journal = opened();
  const auto read_blocks = journal->blocks();
  EXPECT_EQ(read_blocks.value(), (std::vector<chain::BlockRef>{blocks[0], blocks[1]}));
  EXPECT_EQ(journal->jobs().value(), std::vector{job}) << "the one that is not over";
  EXPECT_EQ(journal->jobs(Journal::Which::kAll).value().size(), 2U);
  const auto over = journal->job(refused.id).value();
  ASSERT_TRUE(over);
  EXPECT_EQ(over->reason, "price");
  EXPECT_TRUE(over->log.data.empty()) << "whoever asks for nonsense fills no disk";
  EXPECT_FALSE(journal->job(digest_of(99)).value());
  EXPECT_EQ(journal->jobs_since(105).value().size(), 1U);
  EXPECT_EQ(journal->jobs_since(106).value().size(), 0U);
}

TEST_F(JournalFile, KeepsProofsWithTheirJobs) {
  Job job = changed_job();
  StoredProof proof{0, digest_of(0xee), {1, 2}, base::Bytes(1000, 7), {64, 40, 800, 1000, 0}};
  {
    auto journal = opened();
    EXPECT_EQ(outcome(journal->add_proof(proof, {&job})), "ok");
  }
  EXPECT_EQ(steps_, std::vector{Step::kProven});
  auto journal = opened();
  const auto jobs = journal->jobs().value();
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].stage, Stage::kProven);
  EXPECT_EQ(jobs[0].proof, proof.id);
  const auto read = journal->proof(proof.id).value();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->proof, proof.proof);
  EXPECT_EQ(read->delivery, proof.delivery);
  EXPECT_EQ(read->measure, proof.measure);
  EXPECT_FALSE(journal->proof(77).value());
}

TEST_F(JournalFile, KeepsRefusedRequestsOfWhichThereIsAProof) {
  auto journal = opened();
  Job job = changed_job();
  StoredProof proof;
  proof.delivery = {1};
  proof.proof = {2};
  ASSERT_EQ(outcome(journal->add_proof(proof, {&job})), "ok");
  job.stage = Stage::kRefused;
  EXPECT_EQ(outcome(journal->save(job, Step::kRefused)), "ok");
  EXPECT_EQ(journal->job(job.id).value(), job) << "others in the proof are paid with its request";
}

TEST_F(JournalFile, KeepsEveryTransactionThatWasSigned) {
  const Job job = changed_job();
  std::vector<Call> calls{lock_call(job)};
  {
    auto journal = opened();
    EXPECT_EQ(outcome(journal->save(job, Step::kRan)), "ok");
    EXPECT_EQ(outcome(journal->add_calls(calls, std::nullopt)), "ok");
    calls[0].state = CallState::kPrepared;
    calls[0].candidates.push_back({1});
    EXPECT_EQ(outcome(journal->add_candidate(calls[0])), "ok");
    calls[0].candidates.push_back({2, 2});
    EXPECT_EQ(outcome(journal->add_candidate(calls[0])), "ok");
    calls[0].state = CallState::kSent;
    calls[0].sent_at = 1234;
    EXPECT_EQ(outcome(journal->save(calls[0], Step::kLockSent)), "ok");
  }
  EXPECT_EQ(steps_, (std::vector{Step::kRan, Step::kLockPrepared, Step::kLockSent})) << "a replacement is no new step";
  auto journal = opened();
  const auto read = journal->calls().value();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].candidates, (std::vector<base::Bytes>{{1}, {2, 2}}));
  EXPECT_EQ(read[0].request.data, calls[0].request.data);
  EXPECT_EQ(read[0].request.to, calls[0].request.to);
  EXPECT_EQ(read[0].job, job.id);
  EXPECT_EQ(read[0].state, CallState::kSent);
  EXPECT_EQ(read[0].sent_at, 1234U);
  calls[0].state = CallState::kPlanned;
  calls[0].candidates.clear();
  EXPECT_EQ(outcome(journal->save(calls[0], std::nullopt)), "ok");
  EXPECT_TRUE(journal->calls().value()[0].candidates.empty()) << "its nonce was another's";
  calls[0].state = CallState::kOver;
  EXPECT_EQ(outcome(journal->save(calls[0], std::nullopt)), "ok");
  EXPECT_TRUE(journal->calls().value().empty());
}

TEST_F(JournalFile, ForgetsWhatIsOverForLong) {
  auto journal = opened();
  Job job = changed_job();
  StoredProof proof{0, digest_of(0xee), {1, 2}, base::Bytes(1000, 7), {64, 40, 800, 1000, 0}};
  EXPECT_EQ(outcome(journal->add_proof(proof, {&job})), "ok");
  std::vector<Call> calls{lock_call(job)};
  EXPECT_EQ(outcome(journal->add_calls(calls, std::nullopt)), "ok");
  calls[0].state = CallState::kIncluded;
  EXPECT_EQ(outcome(journal->save(calls[0], std::nullopt)), "ok");
  EXPECT_EQ(outcome(journal->forget(1'000)), "ok");
  EXPECT_EQ(journal->calls().value().size(), 1U) << "the job is open";
  job.stage = Stage::kPaid;
  EXPECT_EQ(outcome(journal->save(job, Step::kPaid)), "ok");
  EXPECT_EQ(outcome(journal->forget(105)), "ok");
  EXPECT_FALSE(journal->proof(proof.id).value()->proof.empty()) << "a reorganisation may bring it back";
  EXPECT_EQ(outcome(journal->forget(106)), "ok");
  EXPECT_TRUE(journal->proof(proof.id).value()->proof.empty());
  EXPECT_TRUE(journal->calls().value().empty());
  EXPECT_EQ(journal->job(job.id).value()->stage, Stage::kPaid);
}

TEST_F(JournalFile, KeepsMeasures) {
  auto journal = opened();
  const Measure one{64, 40, 800, 124'132, 0}, again{64, 41, 700, 124'000, 13'000'000}, other{128, 1, 2, 3, 4};
  for (const Measure& measure : {one, other, again}) {
    EXPECT_EQ(outcome(journal->save(digest_of(1), measure)), "ok");
  }
  EXPECT_EQ(journal->measures(digest_of(1)).value(), (std::vector{again, other}));
  EXPECT_TRUE(journal->measures(digest_of(2)).value().empty());
}

TEST_F(JournalFile, IsOneProcesss) {
  auto journal = opened();
  EXPECT_EQ(outcome(open()), "journal.in_use");
  journal.reset();
  EXPECT_EQ(outcome(open()), "ok");
}

TEST_F(JournalFile, IsOneProcesssByWhateverLink) {
  auto journal = opened();
  const std::filesystem::path link = folder_ / "link";
  std::filesystem::create_symlink(path(), link);
  EXPECT_EQ(outcome(Journal::open(link.string(), kIdentity)), "journal.in_use");
}

TEST_F(JournalFile, IsOneAccountsOnOneMarket) {
  opened().reset();
  EXPECT_EQ(outcome(open({1, address_of(1), address_of(2)})), "journal.identity");
  EXPECT_EQ(outcome(open({31337, address_of(3), address_of(2)})), "journal.identity");
  EXPECT_EQ(outcome(open({31337, address_of(1), address_of(3)})), "journal.identity");
  EXPECT_EQ(outcome(open()), "ok");
}

TEST_F(JournalFile, ComesFromEarlierVersions) {
  const Job job = changed_job();
  {
    auto journal = opened();
    EXPECT_EQ(outcome(journal->save(job, Step::kRan)), "ok");
  }
  execute("DROP TABLE measures; DROP INDEX jobs_by_proof; PRAGMA user_version=1");
  {
    auto journal = opened();
    EXPECT_EQ(journal->jobs().value(), std::vector{job});
    EXPECT_EQ(outcome(journal->save(digest_of(1), Measure{1, 2, 3, 4, 5})), "ok");
  }
  execute("PRAGMA user_version=4");
  EXPECT_EQ(outcome(open()), "journal.version");
}

TEST_F(JournalFile, RefusesFilesThatAreNone) {
  std::ofstream(path()) << std::string(5'000, 'x');
  EXPECT_EQ(outcome(open()), "journal.none");
  EXPECT_EQ(outcome(Journal::open((folder_ / "no" / "journal").string(), kIdentity)), "journal.open");
  EXPECT_EQ(outcome(Journal::open(folder_.path().string(), kIdentity)), "journal.open");
}

TEST_F(JournalFile, RefusesContentsThatContradictThemselves) {
  const Job job = changed_job();
  {
    auto journal = opened();
    EXPECT_EQ(outcome(journal->save(job, Step::kRan)), "ok");
  }
  for (const char* change : {"UPDATE jobs SET stage = 2 WHERE stage = 9", "UPDATE jobs SET data = x'00'",
                             "UPDATE jobs SET stage = -1", "UPDATE jobs SET price = x'01'"}) {
    {
      auto journal = opened();
      EXPECT_EQ(outcome(journal->save(job, std::nullopt)), "ok");
    }
    execute(change);
    auto journal = opened();
    const bool is_harmless = std::string_view(change).ends_with("9");
    EXPECT_EQ(outcome(journal->jobs()), is_harmless ? "ok" : "journal.corrupt") << change;
  }
}

// A journal that is cut anywhere is opened as it is, refused, or empty; nothing is made up.
TEST_F(JournalFile, IsNotFooledByACutFile) {
  const Job job = changed_job();
  {
    auto journal = opened();
    for (std::uint8_t i = 1; i < 40; ++i) EXPECT_EQ(outcome(journal->save(job_of(i, tokens(i)), std::nullopt)), "ok");
  }
  const auto size = std::filesystem::file_size(path());
  std::ifstream file(path(), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  for (std::uintmax_t cut = 0; cut < size; cut += size / 37 + 1) {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << whole.substr(0, cut);
    const auto journal = open();
    if (!journal) continue;
    const auto jobs = journal.value()->jobs();
    if (!jobs) continue;
    EXPECT_LE(jobs.value().size(), cut == 0 ? 0U : 39U);
  }
}

TEST_F(JournalFile, LosesNothingOnAFullDisk) {
  auto journal = opened();
  const Job job = changed_job();
  EXPECT_EQ(outcome(journal->save(job, Step::kRan)), "ok");
  journal.reset();
  execute("PRAGMA user_version");
  auto database = Database::open(path());
  ASSERT_TRUE(database);
  const std::string few = "PRAGMA max_page_count=1";  // SQLite takes what there is
  EXPECT_FALSE(database.value().execute(few.c_str()));
  const auto problem = database.value().transact([&]() -> JournalProblem {
    Query insert = database.value().query("INSERT INTO blocks VALUES(?, ?)");
    const base::Bytes large(1'000'000);
    return insert.bind(std::uint64_t{1}).bind(large).run();
  });
  EXPECT_EQ(outcome(problem), "journal.full");
  EXPECT_EQ(opened()->jobs().value(), std::vector{job});
}

TEST(Steps, HaveNames) {
  for (std::size_t i = 0; i < kSteps; ++i) {
    const auto step = static_cast<Step>(i);
    EXPECT_EQ(step_named(name(step)), step);
  }
  EXPECT_EQ(step_named("settle-sent"), Step::kSettleSent);
  EXPECT_EQ(step_named("settle"), std::nullopt);
}

}  // namespace
}  // namespace avow::provider
