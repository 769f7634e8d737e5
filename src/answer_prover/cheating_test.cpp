// SPDX-License-Identifier: Apache-2.0
//
// A provider who has the source and cheats: each way is refused, for its own reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "answer_prover/answer_prover.hpp"
#include "base/test_stride.hpp"
#include "compile/usual.hpp"
#include "runtime/model_testing.hpp"

namespace avow::answer_prover {
namespace {

using answer::Delivery;
using compile::IntegerModel;
using compile::ModelTensor;

std::string verdict(const std::optional<answer::Rejection>& rejection) {
  return rejection ? name(*rejection) : "holds";
}

compile::Plan cheats_plan() {
  compile::Plan plan = runtime::testing::random_plan(0);  // LLaMA's, with a head of its own
  plan.layers = 2, plan.kv_heads = 2, plan.group = 2, plan.vocabulary = 50, plan.context = 16;
  runtime::testing::scale(plan, 1);
  plan.digit_bits = 16;  // small tables
  plan.mix_shift = 32;   // exact mixtures of one value
  return plan;
}

std::unique_ptr<ProvingModel> committed(const IntegerModel& model) {
  auto made = ProvingModel::create(model, {model.plan, {}, {}}, config_of(model.plan, 100).value());
  EXPECT_TRUE(made) << made.error().text;
  return std::move(made).value();
}

answer::Request request_of(std::vector<std::uint32_t> input, std::uint32_t tokens) {
  answer::Request request;
  request.input = std::move(input);
  request.max_new_tokens = tokens;
  return request;
}

answer::Request drawn(answer::Request request) {
  request.sampling = {4096, 20, 60000, {}};
  request.sampling.seed.fill(7);
  return request;
}

Delivery answered(const IntegerModel& model, const std::vector<answer::Request>& requests) {
  Delivery delivery;
  for (const auto& request : requests) delivery.answers.push_back(run(model, request).value());
  return delivery;
}

// Under sanitizers proofs take long, and most of these differ in nothing but what they are proofs of.
#define AVOW_SKIP_WHERE_PROOFS_ARE_SLOW() \
  if (base::kTestStride > 1) GTEST_SKIP() << "like others"

class Cheating : public ::testing::Test {
 protected:
  // Made by the tests that are not skipped alone.
  static const IntegerModel& integers() {
    static const IntegerModel kMade = runtime::testing::random_model(cheats_plan(), 3);
    return kMade;
  }
  static const ProvingModel& model() {
    static const auto kMade = committed(integers());
    return *kMade;
  }

  /// The verifier's word on a proof that was made with these faults.
  static std::string cheat(const Delivery& delivery, Faults faults) {
    faults.proof.ignore_missing = true;
    ProveOptions options;
    options.faults = &faults;
    const auto proven = prove(model(), delivery, options);
    EXPECT_TRUE(proven) << proven.error().text;
    return verdict(model().key().verify(proven.value().file.delivery, proven.value().file.proof));
  }
  /// Another cell in a witness tensor.
  static std::function<void(runtime::Witness&)> change(const std::string& tensor, std::size_t at, int by) {
    return [=](runtime::Witness& witness) {
      auto& cells = witness.tensors.at(tensor).cells;
      const auto add = [&]<typename C>(std::vector<C>& c) { c.at(at) = static_cast<C>(std::int64_t{c.at(at)} + by); };
      std::visit(add, cells);
    };
  }
};

TEST_F(Cheating, HonestProofsHold) {
  const Delivery delivery = answered(integers(), {request_of({1, 2, 3}, 4), drawn(request_of({7, 9}, 6))});
  EXPECT_EQ(cheat(delivery, {}), "holds");
}

// The honest prover does not even begin.
TEST_F(Cheating, ProversRefuseAnswersThatAreNotTheModels) {
  Delivery delivery = answered(integers(), {request_of({1, 2, 3}, 4)});
  auto& token = delivery.answers[0].output[2];
  token = (token + 1) % 50;
  EXPECT_EQ(prove(model(), delivery).error().cause, Cause::kAnswer);
  token = 50;
  EXPECT_EQ(prove(model(), delivery).error().cause, Cause::kRequest);
}

// Another token than the model's, witness and all: the word is not where the random number falls, and a number that is
// shown is negative, which has no digits.
TEST_F(Cheating, AnotherTokenIsNotTheOneThatIsChosen) {
  AVOW_SKIP_WHERE_PROOFS_ARE_SLOW();
  for (const auto& request : {request_of({1, 2, 3}, 4), drawn(request_of({1, 2, 3}, 4))}) {
    Delivery delivery = answered(integers(), {request});
    auto& token = delivery.answers[0].output[request.sampling.tau == 0 ? 0 : 3];
    token = (token + 1) % 50;
    EXPECT_EQ(cheat(delivery, {}), "proof.linear");
  }
}

TEST_F(Cheating, AnotherSeedDrawsOtherTokens) {
  AVOW_SKIP_WHERE_PROOFS_ARE_SLOW();
  auto used = drawn(request_of({1, 2, 3}, 4)), claimed = used;
  for (claimed.sampling.seed[0] = 0; run(integers(), claimed).value().output == run(integers(), used).value().output;) {
    ++claimed.sampling.seed[0];
  }
  Delivery delivery = answered(integers(), {used});
  delivery.answers[0].request = claimed;
  EXPECT_EQ(cheat(delivery, {}), "proof.linear");
}

// What was read is not the prompt, or goes on after its last token, or has another request's tokens: its embeddings
// are not those of the public ids.
TEST_F(Cheating, AnotherPromptIsNotWhatWasRead) {
  AVOW_SKIP_WHERE_PROOFS_ARE_SLOW();
  // Five tokens are read, for which there are six places.
  const Delivery delivery = answered(integers(), {request_of({1, 2, 3}, 3), request_of({5, 6, 7}, 3)});
  Faults faults;
  faults.run = [](Delivery& read) { read.answers[0].request.input[1] = 4; };
  EXPECT_EQ(cheat(delivery, faults), "proof.sum");
  faults.run = [](Delivery& read) { read.answers[0].request.input.push_back(9); };  // where padding is
  EXPECT_EQ(cheat(delivery, faults), "lookup.root_numerator");
  faults.run = [](Delivery& read) { std::swap(read.answers[0], read.answers[1]); };
  EXPECT_EQ(cheat(delivery, faults), "proof.linear");
}

// The statement that is claimed is another than the one that was proven: all challenges are others.
TEST_F(Cheating, NothingThatIsClaimedCanBeChanged) {
  const Delivery delivery = answered(integers(), {request_of({1, 2, 3}, 4), drawn(request_of({7, 9}, 6))});
  const auto proven = prove(model(), delivery);
  ASSERT_TRUE(proven) << proven.error().text;
  const unsigned width = answer::id_bytes(50);
  const auto claim = [&](const auto& change) {
    Delivery other = proven.value().delivery;
    change(other);
    return verdict(model().key().verify(answer::encode(other, width), proven.value().file.proof));
  };
  EXPECT_EQ(claim([](Delivery&) {}), "holds");
  const std::string other_challenges = "lookup.layer";
  EXPECT_EQ(claim([](Delivery& d) { d.answers[0].output[1] ^= 1; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.answers[0].request.input[1] = 4; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.answers[1].request.sampling.seed[5] ^= 1; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.answers[1].request.sampling.tau += 1; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.answers[1].shown[0].last_p ^= 1; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.answers[0].request.id[0] = 1; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.payee[19] = 1; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.market[19] = 1; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.chain_id[31] = 1; }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { std::swap(d.answers[0], d.answers[1]); }), other_challenges);
  EXPECT_EQ(claim([](Delivery& d) { d.model_id[0] ^= 1; }), "answer.model");
  EXPECT_EQ(claim([](Delivery& d) { d.answers[0].output[3] = 50; }), "answer.token");
  EXPECT_EQ(claim([](Delivery& d) {
              d.answers[0].output.pop_back();
              d.answers[0].shown.pop_back();
            }),
            "answer.end");
}

// Cut before the stop id that the model gives, the answer has neither the length asked for nor a stop id; with fewer
// tokens asked for it is another request.
TEST_F(Cheating, AnswersCannotBeCut) {
  AVOW_SKIP_WHERE_PROOFS_ARE_SLOW();
  auto request = drawn(request_of({1, 2, 3}, 8));
  const auto output = run(integers(), request).value().output;
  const auto second = std::find_if(output.begin(), output.end(), [&](auto id) { return id != output[0]; });
  ASSERT_NE(second, output.end());
  request.stop_ids = {*second};
  Delivery delivery = answered(integers(), {request});
  ASSERT_EQ(delivery.answers[0].end, answer::End::kStop);
  EXPECT_EQ(cheat(delivery, {}), "holds");
  delivery.answers[0].output.pop_back();
  EXPECT_EQ(cheat(delivery, {}), "answer.end");
  delivery.answers[0].end = answer::End::kLength;
  EXPECT_EQ(cheat(delivery, {}), "answer.end");
}

TEST_F(Cheating, ChangedWeightsAreNotTheCommittedOnes) {
  AVOW_SKIP_WHERE_PROOFS_ARE_SLOW();
  for (const ModelTensor tensor : {ModelTensor::kDownWeights, ModelTensor::kHeadWeights, ModelTensor::kExpValues}) {
    SCOPED_TRACE(compile::name_of(tensor));
    IntegerModel other = integers();
    other.of(tensor).narrow.own()[tensor == ModelTensor::kExpValues ? 1 : 5] -= 1;
    const auto own = committed(other);
    // Its own proof, as one of the model that was asked for.
    Delivery delivery = answered(other, {request_of({1, 2, 3}, 4)});
    const auto proven = prove(*own, delivery);
    ASSERT_TRUE(proven) << proven.error().text;
    Delivery claimed = proven.value().delivery;
    EXPECT_EQ(verdict(model().key().verify(answer::encode(claimed, 2), proven.value().file.proof)), "answer.model");
    claimed.model_id = model().key().id();
    EXPECT_EQ(verdict(model().key().verify(answer::encode(claimed, 2), proven.value().file.proof)), "lookup.layer");
  }
}

// Cells of a witness by name and number.
class Cells {
 public:
  explicit Cells(runtime::Witness& witness) : witness_(witness) {}
  [[nodiscard]] std::int64_t get(const std::string& name, std::size_t at) const {
    return witness_.tensors.at(name)[at];
  }
  void set(const std::string& name, std::size_t at, std::int64_t value) {
    const auto put = [&]<typename C>(std::vector<C>& cells) { cells.at(at) = static_cast<C>(value); };
    std::visit(put, witness_.tensors.at(name).cells);
  }
  /// The number's digits but the lowest.
  void set_digits(const std::string& name, std::size_t at, std::int64_t number, unsigned bits) {
    for (unsigned i = 1; 16 * i < bits; ++i) {
      set(name + ".digit_" + std::to_string(i), at, (number >> (16 * i)) & 0xffff);
    }
  }

 private:
  runtime::Witness& witness_;
};

// A softmax with another maximum than that of its scores, and everything after it as it follows from that: the first
// token sees itself alone, so that its mixture is its own value all the same.
TEST_F(Cheating, MaximaOfScoresAreAttained) {
  const compile::Plan& plan = integers().plan;
  Faults faults;
  faults.witness = [&](runtime::Witness& witness) {
    Cells cells(witness);
    const std::int64_t exp = integers().of(ModelTensor::kExpValues)[1], one = std::int64_t{1} << plan.mix_shift;
    ASSERT_GT(exp, 0);
    const std::int64_t reciprocal = one / exp, rest = one - reciprocal * exp;
    cells.set("score_max", 0, cells.get("score_max", 0) + 1);
    cells.set("exp", 0, exp);
    cells.set("reciprocal", 0, reciprocal);
    cells.set_digits("reciprocal", 0, reciprocal, plan.mix_shift - 13);
    cells.set_digits("reciprocal.low", 0, rest, 18);
    cells.set_digits("reciprocal.high", 0, exp - 1 - rest, 18);
    for (std::size_t f = 0; f < plan.head_size; ++f) {
      const std::int64_t sum = exp * reciprocal * cells.get("value", f);
      const std::int64_t mix = (sum + one / 2) >> plan.mix_shift;
      ASSERT_EQ(mix, cells.get("mix", f));
      cells.set_digits("mix.rest", f, sum + one / 2 - mix * one, plan.mix_shift);
    }
  };
  EXPECT_EQ(cheat(answered(integers(), {request_of({1, 2, 3}, 4)}), faults), "proof.sum");
}

// One cell of a witness is another: the first claim that reads it fails.
TEST_F(Cheating, CommittedCellsAreWhatTheClaimsSay) {
  AVOW_SKIP_WHERE_PROOFS_ARE_SLOW();
  const Delivery delivery = answered(integers(), {request_of({1, 2, 3}, 4)});
  for (const char* tensor : {"score_max", "exp", "weight", "attention_norm.found", "mix", "act", "logit"}) {
    Faults faults;
    faults.witness = change(tensor, 0, 1);
    EXPECT_EQ(cheat(delivery, faults), "lookup.root_numerator") << tensor;
  }
  // Read by zero claims alone, or where the range holds.
  Faults faults;
  faults.witness = change("score_selector", 0, 1);
  EXPECT_EQ(cheat(delivery, faults), "proof.sum");
  faults.witness = change("shown", 0, 1);
  EXPECT_EQ(cheat(delivery, faults), "proof.linear");
}

// All words are equally likely; greedy takes the first.
TEST_F(Cheating, TiesGoToTheFirstWord) {
  AVOW_SKIP_WHERE_PROOFS_ARE_SLOW();
  IntegerModel ties = integers();
  auto& head = ties.of(ModelTensor::kHeadWeights).narrow.own();
  std::fill(head.begin(), head.end(), std::int16_t{0});
  const auto own = committed(ties);
  Delivery delivery = answered(ties, {request_of({1, 2, 3}, 1)});
  EXPECT_EQ(delivery.answers[0].output, std::vector<std::uint32_t>{0});
  const auto verdict_on = [&](std::uint32_t token) {
    delivery.answers[0].output[0] = token;
    Faults faults;
    faults.proof.ignore_missing = true;
    ProveOptions options;
    options.faults = &faults;
    const auto proven = prove(*own, delivery, options);
    return verdict(own->key().verify(proven.value().file.delivery, proven.value().file.proof));
  };
  EXPECT_EQ(verdict_on(0), "holds");
  EXPECT_EQ(verdict_on(1), "proof.linear");
}

}  // namespace
}  // namespace avow::answer_prover
