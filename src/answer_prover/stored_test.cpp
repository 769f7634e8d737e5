// SPDX-License-Identifier: Apache-2.0
//
// spec/vectors/proofs: proofs of whole answers, made again and compared, so that a change of any format or of what a
// model computes is noticed. AVOW_WRITE_VECTORS=1 writes those that are made: the bundled model's always, with
// AVOW_LONG also those of many requests and of a synthetic model of 124M parameters.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "answer_prover/answer_prover.hpp"
#include "base/test_stride.hpp"
#include "model/tokenizer_load.hpp"
#include "model_file/model_file.hpp"
#include "quantise/quantise.hpp"
#include "quantise/synthetic.hpp"
#include "reduction/program.hpp"

namespace avow::answer_prover {
namespace {

using answer::Delivery;

model_file::Contents bundled(const std::string& name, std::uint64_t context) {
  const std::string path = std::string(AVOW_SOURCE_DIR) + "/models/" + name;
  const auto weights = model::Weights::open(path);
  EXPECT_TRUE(weights.ok()) << name;
  const auto tokenizer = model::load_tokenizer(path);
  EXPECT_TRUE(tokenizer.ok()) << name;
  auto made = quantise::quantise(weights.value(), {.context = context});
  EXPECT_TRUE(made.ok()) << name;
  return {std::move(made).value(), tokenizer.value().data(), ""};
}

std::unique_ptr<ProvingModel> committed_model(const model_file::Contents& contents, std::uint32_t level) {
  const answer::ModelInfo info{contents.model.plan, model::tokenizer_digest(contents.tokenizer),
                               model_file::content_id(contents)};
  auto made = ProvingModel::create(contents.model, info, config_of(contents.model.plan, level).value());
  EXPECT_TRUE(made) << made.error().text;
  return std::move(made).value();
}

answer::Request prompted(const model_file::Contents& contents, const std::string& text, std::uint32_t tokens) {
  const auto tokenizer = model::Tokenizer::create(contents.tokenizer);
  answer::Request request;
  request.input = tokenizer.value().encode(text).value();
  request.max_new_tokens = tokens;
  if (contents.tokenizer.eos) request.stop_ids = {*contents.tokenizer.eos};
  return request;
}

answer::Request sampled(answer::Request request) {
  request.sampling = {5120, 40, 62000, {}};  // temperature 0.8
  request.sampling.seed.fill(0x2a);
  return request;
}

base::Bytes proof_of(const ProvingModel& model, const std::vector<answer::Request>& requests) {
  Delivery delivery;
  for (const auto& request : requests) {
    auto answered = run(model.integers(), request);
    EXPECT_TRUE(answered) << answered.error().text;
    delivery.answers.push_back(std::move(answered).value());
  }
  const auto proven = prove(model, delivery);
  EXPECT_TRUE(proven) << proven.error().text;
  return answer::encode(proven.value().file);
}

void expect_stored(const std::string& name, const base::Bytes& made) {
  const std::string path = std::string(AVOW_SOURCE_DIR) + "/spec/vectors/proofs/" + name;
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(made.data()), static_cast<std::streamsize>(made.size()));
  }
  std::ifstream file(path, std::ios::binary);
  const base::Bytes stored((std::istreambuf_iterator<char>(file)), {});
  EXPECT_TRUE(stored == made) << name << " is another proof: write it anew with AVOW_WRITE_VECTORS=1";
}

// What a contract carries out in the place of the key's statement.
base::Bytes program_of(const ProvingModel& model) {
  const auto program = reduction::make_program(model.key().key().statement);
  EXPECT_TRUE(program) << program.error();
  return program.value();
}

bool is_long() { return std::getenv("AVOW_LONG") != nullptr; }

TEST(StoredProof, OfTheBundledModelIsMadeAgain) {
  if (base::kTestStride > 1) GTEST_SKIP() << "the same code proves smaller models";
  const auto contents = bundled("stories260K/stories260K.gguf", 512);
  const auto model = committed_model(contents, 100);
  expect_stored("stories260k.program", program_of(*model));
  // 64 tokens, of which 32 are generated: what figures are about.
  auto request = prompted(contents,
                          "Once upon a time, there was a little girl named Lily. She loved to play outside with her "
                          "dog in the park.",
                          32);
  ASSERT_GE(request.input.size(), 32U);
  request.input.resize(32);
  expect_stored("stories260k.proof", proof_of(*model, {request}));
  // Several, of unequal lengths, greedy and drawn: axes whose lengths are no powers of two.
  expect_stored("stories260k_batch.proof",
                proof_of(*model, {prompted(contents, "Once upon a time", 9),
                                  sampled(prompted(contents, "One day, a big dog saw a little cat", 20)),
                                  sampled(prompted(contents, "The sun was", 5))}));
}

// Rows of the witness that are read in several parts.
TEST(StoredProof, OfSixteenRequestsIsMadeAgain) {
  if (!is_long()) GTEST_SKIP() << "with AVOW_LONG=1";
  const auto contents = bundled("stories260K/stories260K.gguf", 512);
  const auto model = committed_model(contents, 100);
  std::vector<answer::Request> requests;
  for (std::uint8_t i = 0; i < 16; ++i) {
    requests.push_back(sampled(prompted(contents, "Once upon a time, there was a little girl named Lily.", 32)));
    requests.back().sampling.seed[0] = i;
  }
  expect_stored("stories260k_16.proof", proof_of(*model, requests));
}

TEST(StoredProof, Of124MParametersIsMadeAgain) {
  if (!is_long()) GTEST_SKIP() << "with AVOW_LONG=1";
  const quantise::SyntheticModel synthetic(*quantise::synthetic_shape("124m"), 1);
  const auto weights = synthetic.weights();
  ASSERT_TRUE(weights.ok());
  auto integers = quantise::quantise(weights.value(), {});
  ASSERT_TRUE(integers.ok());
  const model_file::Contents contents{std::move(integers).value(), synthetic.tokenizer(), ""};
  for (const std::uint32_t level : {100U, 128U}) {
    const auto model = committed_model(contents, level);
    const auto request = prompted(contents, "The proof of the pudding is the ", 32);
    ASSERT_EQ(request.input.size(), 32U);
    expect_stored("shape124m.program", program_of(*model));
    expect_stored("shape124m_" + std::to_string(level) + ".proof", proof_of(*model, {request}));
  }
}

// Models that people made, with real prompts: greedy, drawn, and both in one proof; each proof is checked as it is
// made.
TEST(RealModels, AnswersAreProven) {
  if (base::kTestStride > 1) GTEST_SKIP() << "the same code proves smaller models";
  for (const char* name : {"babyllama105/babyllama105-F16.gguf", "gpt2-tiny"}) {
    SCOPED_TRACE(name);
    const auto contents = bundled(name, 64);
    const auto model = committed_model(contents, 100);
    const auto greedy = prompted(contents, "Once upon a time", 12);
    proof_of(*model, {greedy, sampled(prompted(contents, "The little dog", 7))});
    if (!is_long()) continue;
    proof_of(*model, {greedy});
    proof_of(*model, {sampled(greedy)});
  }
}

}  // namespace
}  // namespace avow::answer_prover
