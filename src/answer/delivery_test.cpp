// SPDX-License-Identifier: Apache-2.0
#include "answer/delivery.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "answer/answers_testing.hpp"

namespace avow::answer {
namespace {

using testing::example_delivery;
using testing::small_plan;
using testing::verdict;

// Where the first answer begins, and the fields behind its sampling.
constexpr std::size_t kFirst = kDeliveryHeaderBytes;
constexpr std::size_t kEndAt = kFirst + 80, kStopCountAt = kEndAt + 1, kInputCountAt = kEndAt + 5,
                      kOutputCountAt = kEndAt + 9;

base::Bytes with(base::Bytes bytes, std::size_t at, std::uint32_t number) {
  base::store_be32(&bytes[at], number);
  return bytes;
}

TEST(Delivery, ComesBack) {
  for (const unsigned width : {2u, 3u}) {
    const auto made = example_delivery();
    const auto bytes = encode(made, width);
    const auto parsed = parse(bytes, width);
    ASSERT_TRUE(parsed) << to_string(parsed.error());
    EXPECT_EQ(parsed.value(), made);
    EXPECT_EQ(encode(parsed.value(), width), bytes);
    std::size_t size = kDeliveryHeaderBytes + 3 * kAnswerHeaderBytes;
    for (const auto& [request, output, shown, end] : made.answers) {
      size += width * (request.input.size() + request.stop_ids.size() + output.size()) + (4 + width) * output.size();
    }
    EXPECT_EQ(bytes.size(), size);
  }
}

TEST(Delivery, IdsAreLittleEndianAndAsWideAsTheVocabularyNeeds) {
  EXPECT_EQ(id_bytes(1), 2u);
  EXPECT_EQ(id_bytes(std::uint64_t{1} << 16), 2u);
  EXPECT_EQ(id_bytes((std::uint64_t{1} << 16) + 1), 3u);
  EXPECT_EQ(id_bytes(std::uint64_t{1} << 18), 3u);
  Delivery made = example_delivery();
  made.answers.resize(1);
  made.answers[0].request.input = {0x010203};
  const auto bytes = encode(made, 3);
  const std::size_t at = kFirst + kAnswerHeaderBytes;
  EXPECT_EQ(base::Bytes(bytes.begin() + at, bytes.begin() + at + 6), (base::Bytes{3, 2, 1, 4, 0, 0}));
  EXPECT_NE(verdict(parse(bytes, 2)), "accepted");  // ids of another width are other bytes
}

TEST(Delivery, IsTruncatedAtEveryLength) {
  const auto bytes = encode(example_delivery(), 2);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_EQ(verdict(parse(base::ByteView(bytes).first(length), 2)), "answer.truncated") << length;
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(verdict(parse(longer, 2)), "answer.trailing");
}

TEST(Delivery, AnyChangedByteIsRefusedOrSaysSomethingElse) {
  const auto made = example_delivery();
  const auto bytes = encode(made, 2);
  std::size_t read = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned flip : {0x01u, 0x02u, 0x80u, 0xffu}) {
      auto changed = bytes;
      changed[i] ^= static_cast<std::uint8_t>(flip);
      const auto parsed = parse(changed, 2);
      if (!parsed) continue;
      ++read;
      ASSERT_NE(parsed.value(), made) << i;
      ASSERT_EQ(encode(parsed.value(), 2), changed) << i;
    }
  }
  EXPECT_GT(read, bytes.size());
}

TEST(Delivery, EveryRuleOfTheLayoutIsChecked) {
  const auto good = encode(example_delivery(), 2);
  const auto after = [&](std::size_t at, std::uint32_t number) { return verdict(parse(with(good, at, number), 2)); };
  EXPECT_EQ(after(0, 0), "answer.version");
  EXPECT_EQ(after(0, 2), "answer.version");
  EXPECT_EQ(after(kFirst - 4, 0), "answer.count");
  EXPECT_EQ(after(kFirst - 4, 2), "answer.trailing");
  EXPECT_EQ(after(kFirst - 4, 4), "answer.truncated");
  EXPECT_EQ(after(kFirst - 4, 64), "answer.truncated");
  EXPECT_EQ(after(kFirst - 4, 65), "answer.count");
  EXPECT_EQ(after(kFirst - 4, 0xffffffff), "answer.count");
  auto flag = good;
  flag[kEndAt] = 2;
  EXPECT_EQ(verdict(parse(flag, 2)), "answer.flag");
  for (const std::uint32_t count : {17u, 0x8000u, 0xffffffffu}) EXPECT_EQ(after(kStopCountAt, count), "answer.ids");
  for (const std::size_t at : {kInputCountAt, kOutputCountAt}) {
    EXPECT_EQ(after(at, 1 << 16), "answer.truncated");
    EXPECT_EQ(after(at, (1 << 16) + 1), "answer.ids");
    EXPECT_EQ(after(at, 0x80000000), "answer.ids");  // twice that is nothing in 32 bits
    EXPECT_EQ(after(at, 0xffffffff), "answer.ids");
  }
}

// What check() says of the example with a change.
std::string after(const std::function<void(Delivery&)>& change, const compile::Plan& plan = small_plan()) {
  Delivery delivery = example_delivery();
  change(delivery);
  const auto rejection = check(delivery, plan);
  if (rejection) {
    EXPECT_NE(to_string(*rejection), "");
  }
  return verdict(rejection);
}

TEST(PlainChecks, AcceptTheExample) {
  EXPECT_EQ(after([](Delivery&) {}), "accepted");
  EXPECT_EQ(after([](Delivery& d) { d.answers.resize(1); }), "accepted");
  EXPECT_EQ(after([](Delivery& d) { d.chain_id = d.model_id = {}; }), "accepted");
}

TEST(PlainChecks, CountAnswers) {
  EXPECT_EQ(after([](Delivery& d) { d.answers.clear(); }), "answer.count");
  EXPECT_EQ(after([](Delivery& d) { d.answers.resize(64, d.answers[2]); }), "accepted");
  EXPECT_EQ(after([](Delivery& d) { d.answers.resize(65, d.answers[2]); }), "answer.count");
}

TEST(PlainChecks, TokensAreWords) {
  EXPECT_EQ(after([](Delivery& d) { d.answers[0].request.input.clear(); }), "answer.input");
  for (const std::uint32_t id : {11u, 0xffffu, 0xffffffffu}) {
    EXPECT_EQ(after([&](Delivery& d) { d.answers[0].request.input[2] = id; }), "answer.token");
    EXPECT_EQ(after([&](Delivery& d) { d.answers[0].output[1] = id; }), "answer.token");
    EXPECT_EQ(after([&](Delivery& d) { d.answers[1].request.stop_ids = {9, id}; }), "answer.token");
  }
}

TEST(PlainChecks, SamplingIsInRangeAndGreedyHasOneForm) {
  const auto with_sampling = [](const Sampling& sampling) {
    return after([&](Delivery& d) { d.answers[0].request.sampling = sampling; });
  };
  const base::Digest seed{1};
  EXPECT_EQ(with_sampling({0, 1, 1 << 16, {}}), "answer.sampling");
  EXPECT_EQ(with_sampling({0, 0, (1 << 16) - 1, {}}), "answer.sampling");
  EXPECT_EQ(with_sampling({0, 0, 1 << 16, seed}), "answer.sampling");
  EXPECT_EQ(with_sampling({1, 0, 1 << 16, {}}), "accepted");
  EXPECT_EQ(with_sampling({1 << 14, 11, 1, seed}), "accepted");
  EXPECT_EQ(with_sampling({(1 << 14) + 1, 11, 1, seed}), "answer.sampling");
  EXPECT_EQ(with_sampling({0xffffffff, 11, 1, seed}), "answer.sampling");
  EXPECT_EQ(with_sampling({1, 12, 1, seed}), "answer.sampling");
  EXPECT_EQ(with_sampling({1, 0xffffffff, 1, seed}), "answer.sampling");
  EXPECT_EQ(with_sampling({1, 1, 0, seed}), "answer.sampling");
  EXPECT_EQ(with_sampling({1, 1, (1 << 16) + 1, seed}), "answer.sampling");
}

TEST(PlainChecks, StopIdsHaveOneForm) {
  const auto with_stops = [](std::vector<std::uint32_t> stops) {
    return after([&](Delivery& d) { d.answers[1].request.stop_ids = stops; });
  };
  EXPECT_EQ(with_stops({9}), "accepted");
  EXPECT_EQ(with_stops({9, 0}), "answer.stop_ids");
  EXPECT_EQ(with_stops({9, 9}), "answer.stop_ids");
  EXPECT_EQ(with_stops(std::vector<std::uint32_t>(17)), "answer.stop_ids");
  // A model with more words has 16, and no more.
  compile::Plan plan = small_plan();
  plan.vocabulary = 100;
  const auto with_count = [&](std::uint32_t count) {
    return after(
        [&](Delivery& d) {
          d.answers[1].request.stop_ids.clear();
          for (std::uint32_t i = 0; i < count; ++i) d.answers[1].request.stop_ids.push_back(9 + i);
        },
        plan);
  };
  EXPECT_EQ(with_count(16), "accepted");
  EXPECT_EQ(with_count(17), "answer.stop_ids");
}

TEST(PlainChecks, TheContextHoldsInputAndAllThatWasAllowed) {
  const auto with_most = [](std::uint32_t most) {
    return after([&](Delivery& d) { d.answers[1].request.max_new_tokens = most; });
  };
  EXPECT_EQ(with_most(11), "accepted");
  EXPECT_EQ(with_most(12), "answer.context");
  EXPECT_EQ(with_most(0xffffffff), "answer.context");  // and one more would be 0
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].request.input.assign(2, 0); }), "answer.context");
}

TEST(PlainChecks, AnswersHaveOneTokenToTheMost) {
  EXPECT_EQ(after([](Delivery& d) {
              d.answers[0].output.clear();
              d.answers[0].shown.clear();
            }),
            "answer.length");
  EXPECT_EQ(after([](Delivery& d) { d.answers[0].request.max_new_tokens = 0; }), "answer.length");
  EXPECT_EQ(after([](Delivery& d) { d.answers[0].request.max_new_tokens = 1; }), "answer.length");
}

TEST(PlainChecks, WhatIsShownIsInRange) {
  EXPECT_EQ(after([](Delivery& d) { d.answers[0].shown.pop_back(); }), "answer.shown");
  EXPECT_EQ(after([](Delivery& d) { d.answers[0].shown.emplace_back(); }), "answer.shown");
  for (const std::uint32_t beyond : {4096u, 0xffffu, 0xffffffffu}) {
    EXPECT_EQ(after([&](Delivery& d) { d.answers[1].shown[1].last_k = beyond; }), "answer.shown");
    EXPECT_EQ(after([&](Delivery& d) { d.answers[1].shown[1].last_p = beyond; }), "answer.shown");
  }
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].shown[1] = {4095, 4095, 10}; }), "accepted");
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].shown[1].likeliest = 11; }), "answer.token");
}

TEST(PlainChecks, AnswersEndAtTheirFirstStopIdOrAtTheMost) {
  // A stop id that is not the last token, repeated at the end or not.
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].output[1] = 9; }), "answer.stop");
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].output[0] = 0; }), "answer.stop");
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].output = {3, 9, 3}; }), "answer.stop");
  // Ends that are not so.
  EXPECT_EQ(after([](Delivery& d) { d.answers[0].end = End::kStop; }), "answer.end");
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].end = End::kLength; }), "answer.end");
  EXPECT_EQ(after([](Delivery& d) { d.answers[2].end = End::kLength; }), "answer.end");
  // An answer that was cut off: neither a stop id nor all that was asked for.
  EXPECT_EQ(after([](Delivery& d) { d.answers[0].request.max_new_tokens = 3; }), "answer.end");
  EXPECT_EQ(after([](Delivery& d) {
              d.answers[1].output[2] = 3;
              d.answers[1].end = End::kLength;
            }),
            "answer.end");
  EXPECT_EQ(after([](Delivery& d) { d.answers[2].request.stop_ids.clear(); }), "answer.end");
}

TEST(PlainChecks, RequestsAreDistinctIfTheyHaveIds) {
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].request.id = d.answers[0].request.id; }), "answer.repeated");
  EXPECT_EQ(after([](Delivery& d) { d.answers.push_back(d.answers[0]); }), "answer.repeated");
  EXPECT_EQ(after([](Delivery& d) { d.answers[1].request.id = {}; }), "accepted");
}

// One long answer pads all the others.
TEST(PlainChecks, PaddedPlacesAreBounded) {
  compile::Plan plan = small_plan();
  plan.context = 8192;
  const auto with_size = [&](std::size_t answers, std::size_t inputs, std::size_t outputs) {
    return after(
        [&](Delivery& d) {
          d.answers.resize(answers, d.answers[2]);
          Answer& answer = d.answers[0];
          answer.request.input.assign(inputs, 1);
          answer.output.assign(outputs, 2);
          answer.shown.assign(outputs, {});
          answer.request.max_new_tokens = static_cast<std::uint32_t>(outputs);
        },
        plan);
  };
  EXPECT_EQ(with_size(64, 4095, 2), "accepted");
  EXPECT_EQ(with_size(64, 4096, 2), "answer.size");
  EXPECT_EQ(with_size(48, 4096, 2), "answer.size");
  EXPECT_EQ(with_size(32, 8191, 1), "accepted");
  EXPECT_EQ(with_size(64, 1, 4096), "accepted");
  EXPECT_EQ(with_size(64, 1, 4097), "answer.size");
}

TEST(Instance, IsThatOfTheRuns) {
  const Delivery delivery = example_delivery();
  const auto plan = small_plan();
  EXPECT_EQ(lengths_of(delivery), (compile::Lengths{3, 4, 3}));
  const auto instance = instance_of(delivery, plan);
  const compile::Sampling drawn{5000, 7, 60000, delivery.answers[1].request.sampling.seed};
  const std::int64_t u0 = random_number(drawn, 0), u1 = random_number(drawn, 1), u2 = random_number(drawn, 2);
  EXPECT_EQ(instance.lengths, (std::vector<std::uint64_t>{3, 4, 3}));
  const std::vector<std::vector<std::int64_t>> values = {
      {1, 2, 3, 4, 10, 3, 3, 0, 7, 8, 0, 0},  // id
      {2, 3, 3, 0, 1, 2, 1, 1, 1},            // position
      {4, 5, 5, 3, 0, 10, 6, 6, 6},           // likeliest
      {4096, 5000, 4096},                     // tau
      {1, 7, 1},                              // k
      {65536, 60000, 65536},                  // P
      {1, 1, 1, 7, 10, 1, 2, 2, 2},           // above
      {0, 0, 0, 6, 20, 4095, 1, 1, 1},        // last_k
      {4094, 17, 17, 10, 9, 0, 2, 2, 2},      // last_p
      {0, 0, 0, u0, u1, u2, 0, 0, 0},         // random
      {4, 5, 5, 3, 3, 9, 6, 6, 6},            // chosen
  };
  EXPECT_EQ(instance.values, values);
}

TEST(Sampling, HasEffectiveNumbers) {
  EXPECT_EQ(sampling_of({}, 11), compile::Sampling{});
  const base::Digest seed{3};
  EXPECT_EQ(sampling_of({1, 0, 2, seed}, 11), (compile::Sampling{1, 11, 2, seed}));
  EXPECT_EQ(sampling_of({1, 4, 1 << 16, {}}, 11), (compile::Sampling{1, 4, 1 << 16, base::Digest{}}));
}

}  // namespace
}  // namespace avow::answer
