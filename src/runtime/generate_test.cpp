// SPDX-License-Identifier: Apache-2.0
#include "runtime/generate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "runtime/model_testing.hpp"
#include "runtime/witness.hpp"

namespace avow::runtime {
namespace {

using Ids = std::vector<std::uint32_t>;

class Generate : public ::testing::Test {
 protected:
  Generate() : model(testing::random_model(testing::random_plan(6), 6)) {
    sampling.tau = 3;
    sampling.top_k = static_cast<std::uint32_t>(model.plan.vocabulary);
    sampling.portion = 60000;
    sampling.seed.emplace();
  }
  Generated run(const GenerateOptions& options, std::size_t places = 0) {
    auto runtime = Runtime::create(model, places);
    streamed.clear();
    auto out = generate(runtime.value(), prompt, options, [&](std::uint32_t token) { streamed.push_back(token); });
    EXPECT_TRUE(out.ok());
    EXPECT_EQ(out.value().tokens, streamed);
    return out.value();
  }

  compile::IntegerModel model;
  Sampling sampling;
  Ids prompt{1, 0, 1, 1};
  Ids streamed;
};

// The witness of the whole run, padded, chooses what was chosen token by token.
TEST_F(Generate, ChoosesWhatTheWitnessShows) {
  GenerateOptions options{sampling, 20, {}, nullptr};
  const Generated out = run(options);
  ASSERT_EQ(out.tokens.size(), 20u);
  EXPECT_EQ(out.end, End::kMaximum);
  EXPECT_EQ(out.first_position, 3u);
  EXPECT_GT(std::set(out.tokens.begin(), out.tokens.end()).size(), 3u);

  WitnessRequest request{prompt, {}, sampling};
  request.ids.insert(request.ids.end(), out.tokens.begin(), out.tokens.end() - 1);
  for (std::uint32_t s = 0; s < 20; ++s) request.positions.push_back(3 + s);
  const auto witness = make_witness(model, {&request, 1}, {1, 32, 32});
  ASSERT_TRUE(witness.ok());
  Ids chosen;
  for (const auto& choice : witness.value().runs[0].choices) chosen.push_back(choice.chosen);
  EXPECT_EQ(chosen, out.tokens);
}

TEST_F(Generate, GreedyTakesTheLargestLogit) {
  const Generated out = run({{}, 5, {}, nullptr});
  auto runtime = Runtime::create(model);
  auto logits = runtime.value().prompt(prompt).value();
  for (const std::uint32_t token : out.tokens) {
    EXPECT_EQ(token, std::max_element(logits.begin(), logits.end()) - logits.begin());
    logits = runtime.value().step(token).value();
  }
}

TEST_F(Generate, EndsWhereItShould) {
  const Ids all = run({sampling, 12, {}, nullptr}).tokens;
  EXPECT_EQ(run({sampling, 0, {}, nullptr}).tokens, Ids{});
  EXPECT_EQ(run({sampling, 1, {}, nullptr}).tokens, Ids{all[0]});

  const Generated stopped = run({sampling, 12, {all[4]}, nullptr});
  EXPECT_EQ(stopped.end, End::kStop);
  const auto first = std::find(all.begin(), all.end(), all[4]);
  EXPECT_EQ(stopped.tokens, Ids(all.begin(), first + 1));

  // Places for the prompt and two tokens: the third is chosen after the second, and has no place.
  const Generated full = run({sampling, 12, {}, nullptr}, 6);
  EXPECT_EQ(full.end, End::kContext);
  EXPECT_EQ(full.tokens, Ids(all.begin(), all.begin() + 3));
}

TEST_F(Generate, StopsWhenItIsCancelled) {
  std::atomic<bool> cancelled{false};
  auto runtime = Runtime::create(model);
  Ids seen;
  const auto out = generate(runtime.value(), prompt, {sampling, 30, {}, &cancelled}, [&](std::uint32_t token) {
    seen.push_back(token);
    cancelled = seen.size() == 4;
  });
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out.value().end, End::kCancelled);
  EXPECT_EQ(out.value().tokens, seen);
  EXPECT_EQ(seen.size(), 4u);

  runtime.value().reset();
  cancelled = true;
  const auto none = generate(runtime.value(), prompt, {sampling, 30, {}, &cancelled}, [](std::uint32_t) { FAIL(); });
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none.value().end, End::kCancelled);
  EXPECT_EQ(runtime.value().position(), 0u);
}

TEST_F(Generate, RefusesWhatCannotBeRun) {
  auto runtime = Runtime::create(model, 4);
  const auto cause = [&](const Ids& ids, const Sampling& request) {
    const auto out = generate(runtime.value(), ids, {request, 3, {}, nullptr}, [](std::uint32_t) { FAIL(); });
    EXPECT_EQ(runtime.value().position(), 0u);
    return out.ok() ? Cause{} : out.error().cause;
  };
  EXPECT_EQ(cause({}, {}), Cause::kEmpty);
  EXPECT_EQ(cause({0, 0, 0, 0, 0}, {}), Cause::kContext);
  EXPECT_EQ(cause({70}, {}), Cause::kToken);
  EXPECT_EQ(cause({0}, {1 << 15, 1, 1, {}}), Cause::kRequest);
}

}  // namespace
}  // namespace avow::runtime
