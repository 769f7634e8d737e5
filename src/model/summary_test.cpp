// SPDX-License-Identifier: Apache-2.0
#include "model/summary.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/folder_testing.hpp"
#include "model/files_testing.hpp"
#include "model/tiny_models_testing.hpp"

namespace avow::model {
namespace {

const std::string kModelFolder = AVOW_SOURCE_DIR "/models/";

ModelSummary summary_of(const std::string& path) {
  auto summary = summarise_model(path);
  EXPECT_TRUE(summary.ok()) << to_text(summary.error());
  return summary.ok() ? summary.value() : ModelSummary{};
}

// Parameters as models/README.md states them; the heads that are stored beside the embedding come on top.
TEST(ModelSummary, CountsTheParametersOfKnownModels) {
  const ModelSummary stories = summary_of(kModelFolder + "stories260K/stories260K.gguf");
  EXPECT_EQ(stories.values(), 260032u + 512 * 64);
  ASSERT_EQ(stories.weights.size(), 1u);
  EXPECT_EQ(stories.weights[0].type, TensorType::kF32);
  EXPECT_EQ(stories.bytes(), 4 * stories.values());
  EXPECT_EQ(stories.config.layers, 5u);

  const ModelSummary baby = summary_of(kModelFolder + "babyllama105/babyllama105-F16.gguf");
  EXPECT_EQ(baby.values(), 936448u + 105 * 128);
  // Two norms in each of 5 layers, and the last one.
  ASSERT_EQ(baby.weights.size(), 2u);
  EXPECT_EQ(baby.weights[0].type, TensorType::kF32);
  EXPECT_EQ(baby.weights[0].tensors, 11u);
  EXPECT_EQ(baby.weights[0].values, 11u * 128);
  EXPECT_EQ(baby.weights[0].bytes, 11u * 128 * 4);
  EXPECT_EQ(baby.weights[1].type, TensorType::kF16);
  EXPECT_EQ(baby.weights[1].bytes, 2 * baby.weights[1].values);

  const ModelSummary gpt2 = summary_of(kModelFolder + "gpt2-tiny");
  const std::uint64_t layer = 2 * 2 * 192 + 4 * 192 * 192 + 4 * 192 + 2 * 4 * 192 * 192 + 5 * 192;
  EXPECT_EQ(gpt2.values(), (1024u + 256) * 192 + 2 * 192 + 6 * layer);
  EXPECT_EQ(gpt2.licence, "");
}

TEST(ModelSummary, CountsBlocks) {
  const ModelSummary baby = summary_of(kModelFolder + "babyllama105/babyllama105-Q4_0.gguf");
  std::uint64_t values = 0;
  for (const StoredWeights& stored : baby.weights) {
    EXPECT_EQ(stored.bytes * block_values(stored.type), stored.values * block_bytes(stored.type));
    values += stored.values;
  }
  EXPECT_EQ(values, baby.values());
  EXPECT_LE(baby.bytes(), std::filesystem::file_size(kModelFolder + "babyllama105/babyllama105-Q4_0.gguf"));
}

TEST(ModelSummary, RepeatsWhatTheFileSaysOfItself) {
  const base::testing::ScratchFolder folder;
  const std::string path = folder / "summary.gguf";
  const auto write = [&](const testing::GgufWriter& metadata) {
    const base::Bytes bytes = testing::gguf_of(metadata, testing::tiny_llama(1, testing::Bias::kNo));
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  testing::GgufWriter metadata = testing::llama_metadata("llama");
  metadata.text("general.name", "Tiny");
  metadata.text("general.license", "mit");
  write(metadata);
  EXPECT_EQ(summary_of(path).name, "Tiny");
  EXPECT_EQ(summary_of(path).licence, "mit");
  metadata = testing::llama_metadata("llama");
  metadata.u32("general.license", 7);
  write(metadata);
  EXPECT_EQ(summary_of(path).licence, "");
  std::filesystem::remove(path);
}

TEST(ModelSummary, RefusesWhatIsNoModel) {
  const auto missing = summarise_model("/nowhere");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().cause, Cause::kOpen);
  const auto text = summarise_model(kModelFolder + "README.md");
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().cause, Cause::kMagic);
}

}  // namespace
}  // namespace avow::model
