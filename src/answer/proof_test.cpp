// SPDX-License-Identifier: Apache-2.0
// An honest proof of a few answers, and everything that it is bound to.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "answer/answers_testing.hpp"
#include "compile/compile.hpp"
#include "pcs/parameters.hpp"
#include "prover/prove.hpp"
#include "runtime/generate.hpp"
#include "runtime/model_testing.hpp"
#include "runtime/witness.hpp"

namespace avow::answer {
namespace {

using compile::IntegerModel;
using compile::ModelTensor;
using testing::verdict;

std::vector<std::int64_t> listed(const auto& cells) {
  std::vector<std::int64_t> list(cells.size());
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = cells[i];
  return list;
}

// For each tensor of the statement its cells, as far as model and witness have it.
std::vector<prover::Array> arrays_of(const statement::Statement& named, const IntegerModel& model,
                                     const runtime::Witness& witness) {
  std::vector<prover::Array> arrays;
  for (const auto& tensor : named.tensors) {
    arrays.emplace_back();
    for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
      const ModelTensor which{static_cast<std::uint8_t>(i)};
      if (tensor.kind == statement::TensorKind::kModel && tensor.name == name_of(which)) {
        arrays.back() = prover::Array::of(listed(model.of(which)));
      }
    }
    const auto found = witness.tensors.find(tensor.name);
    if (found != witness.tensors.end()) arrays.back() = prover::Array::of(listed(found->second));
  }
  return arrays;
}

Answer answer_of(const IntegerModel& model, Request request) {
  runtime::GenerateOptions options;
  options.sampling = sampling_of(request.sampling, model.plan.vocabulary);
  options.most_tokens = request.max_new_tokens;
  options.stop_ids = request.stop_ids;
  auto runtime = runtime::Runtime::create(model).value();
  auto generated = runtime::generate(runtime, request.input, options, [](std::uint32_t) {}).value();
  Answer answer{std::move(request), std::move(generated.tokens), {}, End::kLength};
  if (generated.end == runtime::End::kStop) answer.end = End::kStop;
  return answer;
}

struct Proven {
  std::unique_ptr<ModelKey> key;
  Delivery delivery;
  base::Bytes proof;
};

// A greedy answer to its length, and a drawn one that stops.
Proven prove_answers() {
  const IntegerModel model = runtime::testing::random_model(runtime::testing::random_plan(0), 0);
  const auto words = static_cast<std::uint32_t>(model.plan.vocabulary);
  Request greedy, drawn;
  greedy.id.fill(1), drawn.id.fill(2);
  greedy.input = {0, 1 % words, 2 % words};
  greedy.max_new_tokens = 2;
  drawn.input = {words - 1};
  drawn.max_new_tokens = 4;
  drawn.sampling = {64, 0, 65000, base::Digest{7}};
  Answer stopped = answer_of(model, drawn);
  drawn.stop_ids = {stopped.output[1]};
  Proven made;
  made.delivery.chain_id[31] = 1;
  made.delivery.market.fill(3);
  made.delivery.payee.fill(4);
  made.delivery.answers = {answer_of(model, greedy), answer_of(model, drawn)};

  const compile::Lengths lengths = lengths_of(made.delivery);
  std::vector<runtime::WitnessRequest> requests;
  for (const auto& [request, output, shown, end] : made.delivery.answers) {
    runtime::WitnessRequest& run = requests.emplace_back();
    run.ids = request.input;
    run.ids.insert(run.ids.end(), output.begin(), output.end() - 1);
    for (std::size_t s = 0; s < output.size(); ++s) {
      run.positions.push_back(static_cast<std::uint32_t>(request.input.size() - 1 + s));
    }
    run.sampling = sampling_of(request.sampling, words);
  }
  const auto witness = runtime::make_witness(model, requests, lengths).value();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    for (const auto& choice : witness.runs[i].choices) {
      made.delivery.answers[i].shown.push_back({choice.last_k, choice.last_p, choice.likeliest});
    }
  }
  EXPECT_EQ(instance_of(made.delivery, model.plan).values, make_instance(witness.runs, lengths).values);

  const auto named = compile::compile(model.plan).value();
  const auto config = pcs::choose_config(1 << 20, 1 << 19, 100);
  const auto key = make_key({model.plan, {}, {}}, *config).value();
  auto committed =
      prover::Model::commit(key.statement, *config, arrays_of(named, model, witness), key.application).value();
  made.key = std::make_unique<ModelKey>(ModelKey::parse(serialize(committed->key())).value());
  made.delivery.model_id = made.key->id();
  made.proof = prover::prove(*committed, instance_of(made.delivery, model.plan), arrays_of(named, model, witness),
                             {encode(made.delivery, id_bytes(words)), nullptr, nullptr, nullptr})
                   .value()
                   .proof;
  return made;
}

const Proven& proven() {
  static const Proven kMade = prove_answers();
  return kMade;
}

// The verdict on the honest proof for a delivery with a change.
std::string proven_after(const std::function<void(Delivery&)>& change) {
  Delivery delivery = proven().delivery;
  change(delivery);
  const unsigned width = id_bytes(proven().key->info().plan.vocabulary);
  return verdict(proven().key->verify(encode(delivery, width), proven().proof));
}

TEST(Proof, ShowsTheAnswers) {
  const auto& answers = proven().delivery.answers;
  EXPECT_EQ(answers[0].end, End::kLength);
  EXPECT_EQ(answers[0].output.size(), 2u);
  EXPECT_EQ(answers[1].end, End::kStop);
  EXPECT_LE(answers[1].output.size(), 2u);
  EXPECT_EQ(proven_after([](Delivery&) {}), "accepted");
}

// Whatever changes, the transcript does: the first check that depends on a challenge fails.
TEST(Proof, IsBoundToEveryPartOfTheDelivery) {
  const std::vector<std::function<void(Delivery&)>> changes = {
      [](Delivery& d) { d.chain_id[31] = 2; },
      [](Delivery& d) { d.market[0] ^= 1; },
      [](Delivery& d) { d.payee[19] ^= 1; },
      [](Delivery& d) { d.answers[0].request.id[0] ^= 1; },
      [](Delivery& d) { d.answers[1].request.id = {}; },
      [](Delivery& d) { d.answers[0].request.input[0] ^= 1; },
      [](Delivery& d) { d.answers[0].output[0] ^= 1; },
      [](Delivery& d) { d.answers[1].request.sampling.seed[31] ^= 1; },
      [](Delivery& d) { d.answers[1].request.sampling.tau += 1; },
      [](Delivery& d) { d.answers[1].request.sampling.top_k = 1; },
      [](Delivery& d) { d.answers[1].request.sampling.portion += 1; },
      [](Delivery& d) { d.answers[1].request.max_new_tokens += 1; },
      [](Delivery& d) { d.answers[0].shown[1].last_p ^= 1; },
      [](Delivery& d) { std::swap(d.answers[0], d.answers[1]); },
      [](Delivery& d) { std::swap(d.answers[0].request.id, d.answers[1].request.id); },
      [](Delivery& d) { d.answers.push_back(d.answers[1]), d.answers[2].request.id = {}; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) EXPECT_EQ(proven_after(changes[i]), "lookup.layer") << i;
}

TEST(Proof, OfOtherLengthsIsRefused) {
  EXPECT_NE(proven_after([](Delivery& d) { d.answers.pop_back(); }), "accepted");
  EXPECT_NE(proven_after([](Delivery& d) {
              d.answers[0].output.push_back(0);
              d.answers[0].shown.emplace_back();
              d.answers[0].request.max_new_tokens = 3;
            }),
            "accepted");
}

TEST(Proof, IsNotLookedAtIfTheDeliveryIsWrong) {
  EXPECT_EQ(proven_after([](Delivery& d) { d.model_id[0] ^= 1; }), "answer.model");
  EXPECT_EQ(proven_after([](Delivery& d) { d.answers[0].end = End::kStop; }), "answer.end");
  EXPECT_EQ(proven_after([](Delivery& d) { d.answers[1].end = End::kLength; }), "answer.end");
  EXPECT_EQ(proven_after([](Delivery& d) { d.answers[0].request.max_new_tokens = 3; }), "answer.end");
  EXPECT_EQ(proven_after([](Delivery& d) { d.answers[1].request.stop_ids.clear(); }), "answer.end");
  EXPECT_EQ(proven_after([](Delivery& d) { d.answers[1].request.id = d.answers[0].request.id; }), "answer.repeated");
}

}  // namespace
}  // namespace avow::answer
