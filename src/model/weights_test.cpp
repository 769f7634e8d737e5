// SPDX-License-Identifier: Apache-2.0
#include "model/weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/folder_testing.hpp"
#include "model/float_model.hpp"
#include "model/safetensors.hpp"
#include "model/tiny_models_testing.hpp"

namespace avow::model {
namespace {

using testing::Bias;
using ::testing::HasSubstr;
using testing::TinyTensor;

using Tensors = std::vector<TinyTensor>;

base::Result<Weights, ReadError> from_gguf(const base::Bytes& bytes) {
  const auto gguf = GgufFile::parse(bytes, "m.gguf");
  if (!gguf.ok()) return base::Err{gguf.error()};
  return Weights::from_gguf(gguf.value());
}

base::Result<Weights, ReadError> from_folder(const std::string& config, const base::Bytes& bytes) {
  const auto parsed = config_from_json(testing::view(config), "config.json");
  if (!parsed.ok()) return base::Err{parsed.error()};
  auto tensors = parse_safetensors(bytes, "m.safetensors");
  if (!tensors.ok()) return base::Err{tensors.error()};
  return Weights::from_safetensors(parsed.value(), std::move(tensors).value(), {"m.safetensors"});
}

void expect_equal(const Weights& a, const Weights& b) {
  for (std::size_t i = 0; i < kParts; ++i) {
    const Part part{static_cast<std::uint8_t>(i)};
    ASSERT_EQ(a.count(part), b.count(part)) << i;
    if (!a.has(part)) continue;
    EXPECT_EQ(a.shape(part), b.shape(part)) << i;
    EXPECT_EQ(a.read(part, 0).value(), b.read(part, 0).value()) << i;
  }
}

const TinyTensor& named(const Tensors& tensors, const std::string& name) {
  for (const TinyTensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  AVOW_CHECK(false);
}

TEST(Weights, AreTheSameFromEveryKindOfLlamaFile) {
  for (const Bias bias : {Bias::kNo, Bias::kYes}) {
    const Tensors tensors = testing::tiny_llama(1, bias);
    const base::Bytes llama = testing::gguf_of(testing::llama_metadata("llama"), tensors);
    const auto weights = from_gguf(llama);
    ASSERT_TRUE(weights.ok()) << to_text(weights.error());
    // The writer's tensors are in the convention.
    EXPECT_EQ(weights.value().read(Part::kQuery, 0).value(), named(tensors, "blk.0.attn_q.weight").values);
    EXPECT_EQ(weights.value().read(Part::kDown, 0).value(), named(tensors, "blk.0.ffn_down.weight").values);
    EXPECT_EQ(weights.value().shape(Part::kDown), (Shape{8, 12}));
    EXPECT_EQ(weights.value().has(Part::kKeyBias), bias == Bias::kYes);

    const base::Bytes folder = testing::safetensors_of(testing::as_folder_llama(tensors));
    const auto from_hf = from_folder(testing::llama_config(bias == Bias::kYes ? "qwen2" : "llama"), folder);
    ASSERT_TRUE(from_hf.ok()) << to_text(from_hf.error());
    expect_equal(weights.value(), from_hf.value());

    if (bias == Bias::kNo) continue;
    const base::Bytes qwen = testing::gguf_of(testing::llama_metadata("qwen2"), testing::with_split_halves(tensors));
    const auto from_qwen = from_gguf(qwen);
    ASSERT_TRUE(from_qwen.ok()) << to_text(from_qwen.error());
    expect_equal(weights.value(), from_qwen.value());
  }
}

TEST(Weights, AreTheSameFromEveryKindOfGpt2File) {
  const Tensors tensors = testing::tiny_gpt2(2);
  const base::Bytes gguf = testing::gguf_of(testing::gpt2_metadata(), tensors);
  const auto weights = from_gguf(gguf);
  ASSERT_TRUE(weights.ok()) << to_text(weights.error());
  const auto fused = named(tensors, "blk.0.attn_qkv.weight").values;
  EXPECT_EQ(weights.value().read(Part::kKey, 0).value(), std::vector<float>(fused.begin() + 64, fused.begin() + 128));
  const auto bias = named(tensors, "blk.0.attn_qkv.bias").values;
  EXPECT_EQ(weights.value().read(Part::kValueBias, 0).value(), std::vector<float>(bias.begin() + 16, bias.end()));
  for (const char* prefix : {"", "transformer."}) {
    const base::Bytes folder = testing::safetensors_of(testing::as_folder_gpt2(tensors, prefix));
    const auto from_hf = from_folder(testing::gpt2_config(), folder);
    ASSERT_TRUE(from_hf.ok()) << to_text(from_hf.error());
    expect_equal(weights.value(), from_hf.value());
  }
}

// Reordering rows changes nothing in what a model computes if and only if both were reordered alike: a half-split
// rotation written out here gives the scores of the interleaved one.
TEST(Weights, InterleavingKeepsTheScores) {
  const Tensors tensors = testing::tiny_llama(3, Bias::kNo), split = testing::with_split_halves(tensors);
  const std::vector<float>& q = named(split, "blk.0.attn_q.weight").values;
  const std::vector<float>& k = named(split, "blk.0.attn_k.weight").values;
  const auto rotated = [](const std::vector<float>& rows, double position) {
    std::vector<double> x(4);
    for (std::size_t r = 0; r < 4; ++r) x[r] = static_cast<double>(rows[8 * r]);  // the first column
    std::vector<double> y(4);
    for (std::size_t i = 0; i < 2; ++i) {
      const double angle = position * std::pow(10000.0, -static_cast<double>(i) / 2);
      y[i] = x[i] * std::cos(angle) - x[i + 2] * std::sin(angle);
      y[i + 2] = x[i] * std::sin(angle) + x[i + 2] * std::cos(angle);
    }
    return y;
  };
  const auto interleaved = [&](const std::string& name, double position) {
    const std::vector<float>& rows = named(tensors, name).values;
    std::vector<double> y(4);
    for (std::size_t i = 0; i < 2; ++i) {
      const double angle = position * std::pow(10000.0, -static_cast<double>(i) / 2);
      const double a = static_cast<double>(rows[16 * i]), b = static_cast<double>(rows[16 * i + 8]);
      y[2 * i] = a * std::cos(angle) - b * std::sin(angle);
      y[2 * i + 1] = a * std::sin(angle) + b * std::cos(angle);
    }
    return y;
  };
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
  };
  EXPECT_NEAR(dot(rotated(q, 5), rotated(k, 2)),
              dot(interleaved("blk.0.attn_q.weight", 5), interleaved("blk.0.attn_k.weight", 2)), 1e-12);
}

struct BadModel {
  Cause cause;
  const char* reason;
  std::function<void(Tensors&)> spoil;
};

TinyTensor& tensor_of(Tensors& tensors, const std::string& name) {
  return const_cast<TinyTensor&>(named(tensors, name));  // of a vector that is not const
}

std::vector<BadModel> bad_models() {
  return {
      {Cause::kMissing, "no tensor 'token_embd.weight'", [](Tensors& t) { t.erase(t.begin()); }},
      {Cause::kMissing, "no tensor 'blk.0.ffn_down.weight'", [](Tensors& t) { t.erase(t.begin() + 11); }},
      {Cause::kShape, "tensor 'blk.0.attn_k.weight' is [8, 4], not [4, 8]",
       [](Tensors& t) {
         tensor_of(t, "blk.0.attn_k.weight").shape = {8, 4};
       }},
      {Cause::kShape, "tensor 'blk.0.attn_norm.weight' is [1, 8], not [8]",
       [](Tensors& t) {
         tensor_of(t, "blk.0.attn_norm.weight").shape = {1, 8};
       }},
      {Cause::kShape, "tensor 'output.weight' is [8, 5], not [5, 8]",
       [](Tensors& t) {
         tensor_of(t, "output.weight").shape = {8, 5};
       }},
      {Cause::kUnsupported, "tensor 'blk.0.attn_q_norm.weight' is no part of a llama model",
       [](Tensors& t) {
         t.push_back({"blk.0.attn_q_norm.weight", {4}, {1, 1, 1, 1}});
       }},
      {Cause::kUnsupported, "tensor 'blk.1.attn_norm.weight' is no part",
       [](Tensors& t) {
         t.push_back({"blk.1.attn_norm.weight", {1}, {1}});
       }},
      {Cause::kMissing, "no tensor 'blk.0.attn_k.bias'",
       [](Tensors& t) {
         t.push_back({"blk.0.attn_q.bias", {8}, std::vector<float>(8)});
       }},
  };
}

TEST(Weights, NameWhatIsWrong) {
  for (const BadModel& bad : bad_models()) {
    Tensors tensors = testing::tiny_llama(4, Bias::kNo);
    bad.spoil(tensors);
    const auto weights = from_gguf(testing::gguf_of(testing::llama_metadata("llama"), tensors));
    ASSERT_FALSE(weights.ok()) << bad.reason;
    EXPECT_EQ(weights.error().cause, bad.cause) << to_text(weights.error());
    EXPECT_THAT(weights.error().reason, HasSubstr(bad.reason));
    EXPECT_EQ(weights.error().file, "m.gguf");
  }
}

TEST(Weights, RefuseNumbersThatAreNotFinite) {
  for (const float value : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    Tensors tensors = testing::tiny_llama(5, Bias::kNo);
    tensor_of(tensors, "blk.0.ffn_up.weight").values[19] = value;
    const base::Bytes bytes = testing::gguf_of(testing::llama_metadata("llama"), tensors);
    const auto weights = from_gguf(bytes);
    ASSERT_TRUE(weights.ok());
    const auto read = weights.value().read(Part::kUp, 0);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().cause, Cause::kNotFinite);
    EXPECT_EQ(read.error().reason, "tensor 'blk.0.ffn_up.weight': value 3 of row 2 is not finite");
    float stored;
    std::memcpy(&stored, bytes.data() + read.error().offset + 12, sizeof stored);
    EXPECT_FALSE(std::isfinite(stored));
    EXPECT_EQ(FloatModel::load(weights.value()).error().cause, Cause::kNotFinite);
    std::vector<float> row(8);
    EXPECT_FALSE(weights.value().read_row(Part::kUp, 0, 1, row).has_value());
    EXPECT_TRUE(weights.value().read_row(Part::kUp, 0, 2, row).has_value());
  }
}

TEST(Weights, TieTheHead) {
  Tensors tensors = testing::tiny_llama(6, Bias::kNo);
  tensors.erase(tensors.begin() + 2);
  const base::Bytes bytes = testing::gguf_of(testing::llama_metadata("llama"), tensors);
  const auto weights = from_gguf(bytes);
  ASSERT_TRUE(weights.ok()) << to_text(weights.error());
  EXPECT_TRUE(weights.value().config().tied_head);
  EXPECT_EQ(weights.value().read(Part::kHead, 0).value(), tensors[0].values);

  std::string config = testing::llama_config("llama");
  config.back() = ',';
  config += "\"tie_word_embeddings\":true}";
  Tensors both = testing::as_folder_llama(testing::tiny_llama(6, Bias::kNo));
  const auto other = from_folder(config, testing::safetensors_of(both));
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().reason, HasSubstr("'lm_head.weight' is not the token embedding"));
  tensor_of(both, "lm_head.weight").values = tensor_of(both, "model.embed_tokens.weight").values;
  EXPECT_TRUE(from_folder(config, testing::safetensors_of(both)).ok());
}

TEST(Weights, PassOverMasksOnly) {
  Tensors tensors = testing::as_folder_gpt2(testing::tiny_gpt2(7), "");
  tensors.push_back({"h.0.attn.bias", {1, 1, 2, 2}, {1, 0, 1, 1}});
  tensors.push_back({"h.0.attn.masked_bias", {}, {-10000}});
  EXPECT_TRUE(from_folder(testing::gpt2_config(), testing::safetensors_of(tensors)).ok());
  tensors.push_back({"h.0.crossattention.c_attn.bias", {1}, {0}});
  EXPECT_EQ(from_folder(testing::gpt2_config(), testing::safetensors_of(tensors)).error().cause, Cause::kUnsupported);
}

TEST(Weights, RefuseTypesThatAreNotRead) {
  std::string header = R"({"model.embed_tokens.weight":{"dtype":"I32","shape":[5,8],"data_offsets":[0,160]}})";
  const auto weights = from_folder(testing::llama_config("llama"), testing::safetensors_of(header, 160));
  ASSERT_FALSE(weights.ok());
  EXPECT_EQ(weights.error().reason, "tensor 'model.embed_tokens.weight' has a type that is not supported");
}

// Every file that differs in one bit is read or refused; sanitizers watch.
TEST(Weights, SurviveEveryFlippedBit) {
  const Tensors tensors = testing::tiny_llama(8, Bias::kNo);
  base::Bytes bytes = testing::gguf_of(testing::llama_metadata("llama"), tensors);
  const std::size_t head = bytes.size() - 12 * 32;  // a good part of the data, too
  std::size_t read = 0, refused = 0;
  for (std::size_t bit = 0; bit < 8 * head; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const auto weights = from_gguf(bytes);
    if (weights.ok()) {
      ++read;
      for (std::size_t i = 0; i < kParts; ++i) {
        const Part part{static_cast<std::uint8_t>(i)};
        if (weights.value().has(part)) (void)weights.value().read(part, 0).ok();
      }
    } else {
      ++refused;
      ASSERT_FALSE(weights.error().reason.empty());
    }
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
  EXPECT_GT(read, 1000u);
  EXPECT_GT(refused, 1000u);
}

// The same model in F16 and in four bits, with one tensor in eight: blocks differ by no more than their formats cost.
// Rounding costs half a step: a step is the largest value of a block over 127, or over 8 with one more half where +8 is
// cut to 7. Both scale and original are rounded to 11 bits besides.
TEST(Weights, DifferByRoundingOnly) {
  const std::string folder = AVOW_SOURCE_DIR "/models/babyllama105/";
  const auto half = Weights::open(folder + "babyllama105-F16.gguf");
  const auto quarter = Weights::open(folder + "babyllama105-Q4_0.gguf");
  ASSERT_TRUE(half.ok() && quarter.ok());
  EXPECT_EQ(quarter.value().stored_type(Part::kHead, 0), TensorType::kQ8Zero);
  EXPECT_EQ(quarter.value().stored_type(Part::kUp, 0), TensorType::kQ4Zero);
  for (const Part part : {Part::kHead, Part::kTokenEmbedding, Part::kQuery, Part::kGate, Part::kDown}) {
    const auto exact = half.value().read(part, 0).value(), rounded = quarter.value().read(part, 0).value();
    const float step = part == Part::kHead ? 1.0f / 254 : 1.0f / 8;
    bool differs = false;
    for (std::size_t block = 0; block < exact.size(); block += 32) {
      float largest = 0, error = 0;
      for (std::size_t i = block; i < block + 32; ++i) {
        largest = std::max(largest, std::abs(exact[i]));
        error = std::max(error, std::abs(exact[i] - rounded[i]));
      }
      ASSERT_LE(error, largest * (step + 1.0f / 1000)) << static_cast<int>(part) << " block at " << block;
      differs = differs || error > 0;
    }
    EXPECT_TRUE(differs);
  }
}

class Folder {
 public:
  void write(const std::string& name, base::ByteView bytes) const {
    std::ofstream file(path_ / name, std::ios::binary | std::ios::trunc);
    for (const std::uint8_t byte : bytes) file.put(static_cast<char>(byte));
  }
  void write(const std::string& name, const std::string& text) const { write(name, testing::view(text)); }
  void remove(const std::string& name) const { std::filesystem::remove(path_ / name); }
  [[nodiscard]] std::string path() const { return path_.path().string(); }

 private:
  base::testing::ScratchFolder path_;
};

std::string index_of(const Tensors& in_1, const Tensors& in_2) {
  std::string index = R"({"weight_map":{)";
  for (const TinyTensor& tensor : in_1) index += "\"" + tensor.name + "\":\"m-1.safetensors\",";
  for (const TinyTensor& tensor : in_2) index += "\"" + tensor.name + "\":\"m-2.safetensors\",";
  index.pop_back();
  return index + "}}";
}

TEST(WeightsOpen, ReadsFilesAndFolders) {
  const Tensors tensors = testing::tiny_llama(9, Bias::kNo);
  const Folder folder;
  folder.write("m.gguf", testing::gguf_of(testing::llama_metadata("llama"), tensors));
  const auto gguf = Weights::open(folder.path() + "/m.gguf");
  ASSERT_TRUE(gguf.ok()) << to_text(gguf.error());

  folder.write("config.json", testing::llama_config("llama"));
  const Tensors renamed = testing::as_folder_llama(tensors);
  folder.write("model.safetensors", testing::safetensors_of(renamed));
  const auto whole = Weights::open(folder.path());
  ASSERT_TRUE(whole.ok()) << to_text(whole.error());
  expect_equal(gguf.value(), whole.value());

  folder.remove("model.safetensors");
  const Tensors first(renamed.begin(), renamed.begin() + 5), second(renamed.begin() + 5, renamed.end());
  folder.write("m-1.safetensors", testing::safetensors_of(first));
  folder.write("m-2.safetensors", testing::safetensors_of(second));
  folder.write("model.safetensors.index.json", index_of(first, second));
  const auto sharded = Weights::open(folder.path());
  ASSERT_TRUE(sharded.ok()) << to_text(sharded.error());
  expect_equal(gguf.value(), sharded.value());
}

TEST(WeightsOpen, RefusesAnIndexThatDoesNotFit) {
  const Tensors renamed = testing::as_folder_llama(testing::tiny_llama(10, Bias::kNo));
  const Tensors first(renamed.begin(), renamed.begin() + 5), second(renamed.begin() + 5, renamed.end());
  const Folder folder;
  folder.write("config.json", testing::llama_config("llama"));
  folder.write("m-1.safetensors", testing::safetensors_of(first));
  folder.write("m-2.safetensors", testing::safetensors_of(second));
  const auto error_with = [&](const std::string& index) {
    folder.write("model.safetensors.index.json", index);
    const auto weights = Weights::open(folder.path());
    return weights.ok() ? ReadError{} : weights.error();
  };
  ReadError error = error_with(index_of(second, first));
  EXPECT_EQ(error.cause, Cause::kValue);
  EXPECT_THAT(error.reason, HasSubstr("is not in this file by the index"));
  error = error_with(index_of(first, Tensors(second.begin() + 1, second.end())));
  EXPECT_EQ(error.cause, Cause::kValue);
  Tensors more = second;
  more.push_back({"z", {1}, {0}});
  error = error_with(index_of(first, more));
  EXPECT_EQ(error.cause, Cause::kMissing);
  EXPECT_EQ(error.reason, "13 tensors in the index, 12 in the files");
  folder.remove("m-2.safetensors");
  error = error_with(index_of(first, second));
  EXPECT_EQ(error.cause, Cause::kOpen);
  EXPECT_THAT(error.file, HasSubstr("m-2.safetensors"));
}

TEST(WeightsOpen, NamesFilesThatAreMissing) {
  const Folder folder;
  EXPECT_THAT(Weights::open(folder.path()).error().file, HasSubstr("config.json"));
  folder.write("config.json", testing::llama_config("llama"));
  EXPECT_THAT(Weights::open(folder.path()).error().file, HasSubstr("model.safetensors"));
  EXPECT_EQ(Weights::open(folder.path() + "/none").error().cause, Cause::kOpen);
  folder.write("empty.gguf", "");
  EXPECT_EQ(Weights::open(folder.path() + "/empty.gguf").error().cause, Cause::kTruncated);
}

}  // namespace
}  // namespace avow::model
