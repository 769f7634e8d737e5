// SPDX-License-Identifier: Apache-2.0
#include "model/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numbers>

#include "model/files_testing.hpp"

namespace avow::model {
namespace {

using Json = nlohmann::json;
using testing::GgufWriter;
using ::testing::HasSubstr;
using testing::TinyTensor;

Json llama_json() {
  return Json::parse(
      R"({"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":8,"num_hidden_layers":2,
    "num_attention_heads":2,"num_key_value_heads":1,"intermediate_size":12,"vocab_size":5,"max_position_embeddings":64,
    "rms_norm_eps":1e-5,"hidden_act":"silu","rope_theta":500000.0,"rope_scaling":null,"tie_word_embeddings":false})");
}

Json gpt2_json() {
  return Json::parse(R"({"model_type":"gpt2","n_embd":8,"n_layer":1,"n_head":2,"n_positions":16,"vocab_size":5})");
}

base::Result<ModelConfig, ReadError> read(const Json& json) {
  const std::string text = json.dump();
  return config_from_json(testing::view(text), "config.json");
}

TEST(ConfigJson, ReadsLlama) {
  const auto config = read(llama_json());
  ASSERT_TRUE(config.ok()) << to_text(config.error());
  const ModelConfig& c = config.value();
  EXPECT_EQ(c.architecture, Architecture::kLlama);
  EXPECT_EQ(c.declared, "llama");
  EXPECT_EQ(c.layers, 2u);
  EXPECT_EQ(c.width, 8u);
  EXPECT_EQ(c.heads, 2u);
  EXPECT_EQ(c.kv_heads, 1u);
  EXPECT_EQ(c.head_size, 4u);
  EXPECT_EQ(c.hidden, 12u);
  EXPECT_EQ(c.vocabulary, 5u);
  EXPECT_EQ(c.context, 64u);
  EXPECT_EQ(c.norm_epsilon, 1e-5);
  EXPECT_EQ(c.rope.theta, 500000);
  EXPECT_EQ(c.rope.scaling, RopeScaling::kNone);
  EXPECT_EQ(c.rope_layout, RopeLayout::kHalfSplit);
  EXPECT_FALSE(c.tied_head || c.qkv_bias || c.attention_output_bias);
}

TEST(ConfigJson, ReadsRelativesOfLlama) {
  Json qwen = llama_json();
  qwen.update(Json::parse(R"({"model_type":"qwen2","architectures":["Qwen2ForCausalLM"],"tie_word_embeddings":true,
    "use_sliding_window":false,"sliding_window":32768,"layer_types":["full_attention","full_attention"]})"));
  const auto config = read(qwen);
  ASSERT_TRUE(config.ok()) << to_text(config.error());
  EXPECT_TRUE(config.value().qkv_bias && config.value().tied_head);
  EXPECT_FALSE(config.value().attention_output_bias);

  Json mistral = llama_json();
  mistral.update(Json::parse(R"({"model_type":"mistral","architectures":["MistralForCausalLM"],"sliding_window":null,
    "head_dim":6})"));
  EXPECT_EQ(read(mistral).value().head_size, 6u);

  Json biased = llama_json();
  biased["attention_bias"] = true;
  EXPECT_TRUE(read(biased).value().qkv_bias && read(biased).value().attention_output_bias);
}

TEST(ConfigJson, ReadsGpt2) {
  const auto config = read(gpt2_json());
  ASSERT_TRUE(config.ok()) << to_text(config.error());
  const ModelConfig& c = config.value();
  EXPECT_EQ(c.architecture, Architecture::kGpt2);
  EXPECT_EQ(c.hidden, 32u);
  EXPECT_EQ(c.kv_heads, 2u);
  EXPECT_EQ(c.norm_epsilon, 1e-5);
  EXPECT_EQ(c.activation, Activation::kGeluTanh);
  EXPECT_TRUE(c.tied_head && c.qkv_bias && c.attention_output_bias);
  Json exact = gpt2_json();
  exact["activation_function"] = "gelu";
  exact["n_inner"] = 20;
  EXPECT_EQ(read(exact).value().activation, Activation::kGeluErf);
  EXPECT_EQ(read(exact).value().hidden, 20u);
}

struct BadJson {
  Cause cause;
  const char* reason;
  const char* members;  // laid over the sound configuration
};

void expect_refusals(const Json& sound, std::span<const BadJson> all) {
  for (const BadJson& bad : all) {
    Json json = sound;
    json.update(Json::parse(bad.members));
    const auto config = read(json);
    ASSERT_FALSE(config.ok()) << bad.members;
    EXPECT_EQ(config.error().cause, bad.cause) << bad.members << ": " << to_text(config.error());
    EXPECT_THAT(config.error().reason, HasSubstr(bad.reason));
    EXPECT_EQ(config.error().file, "config.json");
  }
}

TEST(ConfigJson, NamesWhatIsUnsupported) {
  const Cause c = Cause::kUnsupported;
  const BadJson llama[] = {
      {c, "architecture 'mamba' is not supported", R"({"model_type":"mamba"})"},
      {c, "architecture '' is not supported", R"({"model_type":null})"},
      {c, "architecture 'LlamaForSequenceClassification'", R"({"architectures":["LlamaForSequenceClassification"]})"},
      {c, "activation 'relu' is not supported", R"({"hidden_act":"relu"})"},
      {c, "activation 'gelu' is not supported", R"({"hidden_act":"gelu"})"},
      {c, "rope scaling 'longrope' is not supported", R"({"rope_scaling":{"rope_type":"longrope"}})"},
      {c, "rope scaling 'dynamic' is not supported", R"({"rope_scaling":{"type":"dynamic","factor":2.0}})"},
      {c, "rope scaling 'yarn' with 'mscale'", R"({"rope_scaling":{"type":"yarn","factor":2.0,"mscale":1.0}})"},
      {c, "rope scaling with 'full_attention'", R"({"rope_parameters":{"full_attention":{"rope_type":"default"}}})"},
      {c, "rope scaling with 'short_factor'", R"({"rope_scaling":{"short_factor":[1.0]}})"},
      {c, "rotation of a part of each head", R"({"partial_rotary_factor":0.5})"},
      {c, "rotation of a part of each head", R"({"rope_parameters":{"partial_rotary_factor":0.5}})"},
      {c, "'mlp_bias': true is not supported", R"({"mlp_bias":true})"},
      {c, "'quantization_config' is not supported", R"({"quantization_config":{"quant_method":"gptq"}})"},
      {c, "'sliding_window' is not supported", R"({"sliding_window":4096})"},
      {c, "a layer type other than", R"({"layer_types":["full_attention","sliding_attention"]})"},
  };
  expect_refusals(llama_json(), llama);
  const BadJson gpt2[] = {
      {c, "activation 'relu' is not supported", R"({"activation_function":"relu"})"},
      {c, "'scale_attn_weights': false is not supported", R"({"scale_attn_weights":false})"},
      {c, "'scale_attn_by_inverse_layer_idx': true", R"({"scale_attn_by_inverse_layer_idx":true})"},
      {c, "'add_cross_attention': true is not supported", R"({"add_cross_attention":true})"},
  };
  expect_refusals(gpt2_json(), gpt2);
}

TEST(ConfigJson, RefusesBadValues) {
  const BadJson llama[] = {
      {Cause::kMissing, "no key 'hidden_size'", R"({"hidden_size":null})"},
      {Cause::kMissing, "no key 'factor'", R"({"rope_scaling":{"type":"linear"}})"},
      {Cause::kType, "'vocab_size' is not a natural number", R"({"vocab_size":-5})"},
      {Cause::kType, "'vocab_size' is not a natural number", R"({"vocab_size":5.5})"},
      {Cause::kType, "'rms_norm_eps' is not a number", R"({"rms_norm_eps":"1"})"},
      {Cause::kType, "'tie_word_embeddings' is neither", R"({"tie_word_embeddings":1})"},
      {Cause::kType, "'hidden_act' is not a string", R"({"hidden_act":1})"},
      {Cause::kType, "'architectures' is not", R"({"architectures":"LlamaForCausalLM"})"},
      {Cause::kType, "the rope scaling is not an object", R"({"rope_scaling":3})"},
      {Cause::kType, "'layer_types' is not an array", R"({"layer_types":3})"},
      {Cause::kValue, "layers: 0 is not from 1", R"({"num_hidden_layers":0})"},
      {Cause::kValue, "layers: 99999999999 is not", R"({"num_hidden_layers":99999999999})"},
      {Cause::kValue, "width: 18446744073709551615", R"({"hidden_size":18446744073709551615})"},
      {Cause::kValue, "heads: 0 is not from 1", R"({"num_attention_heads":0})"},
      {Cause::kValue, "do not share 3 heads", R"({"num_key_value_heads":3})"},
      {Cause::kValue, "are too wide", R"({"num_attention_heads":4096,"head_dim":4096})"},
      {Cause::kValue, "heads of odd size 3", R"({"head_dim":3})"},
      {Cause::kValue, "epsilon 0 is not", R"({"rms_norm_eps":0})"},
      {Cause::kValue, "epsilon -1 is not", R"({"rms_norm_eps":-1.0})"},
      {Cause::kValue, "theta 0", R"({"rope_theta":0})"},
      {Cause::kValue, "theta 1e+300", R"({"rope_theta":1e300})"},
      {Cause::kValue, "factor 0.5", R"({"rope_scaling":{"type":"linear","factor":0.5}})"},
      {Cause::kValue, "both 'rope_parameters' and", R"({"rope_scaling":{"type":"default"},"rope_parameters":{}})"},
      {Cause::kValue, "frequency factors 4 and 1",
       R"({"rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":4.0,"high_freq_factor":1.0,
           "original_max_position_embeddings":64}})"},
      {Cause::kValue, "original context 0",
       R"({"rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
           "original_max_position_embeddings":0}})"},
      {Cause::kValue, "beta_fast 1 and beta_slow 2",
       R"({"rope_scaling":{"type":"yarn","factor":8.0,"beta_fast":1,"beta_slow":2}})"},
      {Cause::kValue, "beta_fast 32 and beta_slow 1e-200",
       R"({"rope_scaling":{"type":"yarn","factor":8.0,"beta_slow":1e-200}})"},
      {Cause::kValue, "amplitude 1e-200", R"({"rope_scaling":{"type":"yarn","factor":8.0,"attention_factor":1e-200}})"},
      {Cause::kValue, "amplitude 0", R"({"rope_scaling":{"type":"yarn","factor":8.0,"attention_factor":0}})"},
  };
  expect_refusals(llama_json(), llama);
  const BadJson gpt2[] = {
      {Cause::kValue, "3 heads do not divide the width 8", R"({"n_head":3})"},
      {Cause::kValue, "0 heads do not divide", R"({"n_head":0})"},
      {Cause::kValue, "'n_embd' is too large", R"({"n_embd":18446744073709551615})"},
  };
  expect_refusals(gpt2_json(), gpt2);
}

TEST(ConfigJson, RefusesWhatIsNotJson) {
  for (const std::string text : {"", "{", "[]", "{\"model_type\":\"llama\",}", "nonsense"}) {
    EXPECT_EQ(config_from_json(testing::view(text), "c").error().cause, Cause::kJson) << text;
  }
  const std::string deep = "{\"x\":" + std::string(200000, '[');
  EXPECT_EQ(config_from_json(testing::view(deep), "c").error().cause, Cause::kDepth);
}

GgufWriter llama_gguf() {
  GgufWriter w;
  w.text("general.architecture", "llama");
  w.u32("llama.block_count", 2);
  w.u32("llama.embedding_length", 8);
  w.u32("llama.feed_forward_length", 12);
  w.u32("llama.context_length", 64);
  w.u32("llama.attention.head_count", 2);
  w.u32("llama.attention.head_count_kv", 1);
  w.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  w.tensor(TinyTensor{"token_embd.weight", {5, 8}, std::vector<float>(40)});
  return w;
}

base::Result<ModelConfig, ReadError> read(const GgufWriter& w) {
  const base::Bytes bytes = w.write();
  const auto gguf = GgufFile::parse(bytes, "m.gguf");
  if (!gguf.ok()) return base::Err{gguf.error()};
  return config_from_gguf(gguf.value());
}

TEST(ConfigGguf, ReadsLlama) {
  const auto config = read(llama_gguf());
  ASSERT_TRUE(config.ok()) << to_text(config.error());
  const ModelConfig& c = config.value();
  EXPECT_EQ(c.layers, 2u);
  EXPECT_EQ(c.head_size, 4u);
  EXPECT_EQ(c.kv_heads, 1u);
  EXPECT_EQ(c.vocabulary, 5u);
  EXPECT_EQ(c.rope.theta, 10000);
  EXPECT_EQ(c.rope_layout, RopeLayout::kInterleaved);
  EXPECT_TRUE(c.tied_head);
  EXPECT_FALSE(c.qkv_bias);
}

struct BadGguf {
  Cause cause;
  const char* reason;
  std::function<void(GgufWriter&)> spoil;
};

TEST(ConfigGguf, RefusesWhatItDoesNotFollow) {
  const BadGguf all[] = {
      {Cause::kUnsupported, "'llama.expert_count' is not supported", [](auto& w) { w.u32("llama.expert_count", 8); }},
      {Cause::kUnsupported, "'llama.attention.sliding_window'",
       [](auto& w) { w.u32("llama.attention.sliding_window", 4096); }},
      {Cause::kUnsupported, "rope scaling 'longrope'", [](auto& w) { w.text("llama.rope.scaling.type", "longrope"); }},
      {Cause::kUnsupported, "rotation of a part", [](auto& w) { w.u32("llama.rope.dimension_count", 2); }},
      {Cause::kUnsupported, "values of another size", [](auto& w) { w.u32("llama.attention.value_length", 2); }},
      {Cause::kUnsupported, "'llama.logit_scale'", [](auto& w) { w.f32("llama.logit_scale", 0.5f); }},
      {Cause::kUnsupported, "'llama.some_new.part' is not supported",
       [](auto& w) { w.text("llama.some_new.part", "on"); }},
      {Cause::kUnsupported, "'llama.per_layer' is not supported",
       [](auto& w) { w.array("llama.per_layer", GgufType::kU8, 1, base::Bytes(1)); }},
      {Cause::kUnsupported, "without a causal mask",
       [](auto& w) { w.number("llama.attention.causal", GgufType::kBool, std::uint8_t{0}); }},
      {Cause::kUnsupported, "rope scaling 'linear' with 'attn_factor'",
       [](auto& w) { w.f32("llama.rope.scaling.attn_factor", 2); }},
      {Cause::kUnsupported, "quantization version 1", [](auto& w) { w.u32("general.quantization_version", 1); }},
      {Cause::kShape, "the key 'vocab_size' says", [](auto& w) { w.u32("llama.vocab_size", 6); }},
      {Cause::kValue, "theta 0", [](auto& w) { w.f32("llama.rope.freq_base", 0.0f); }},
      {Cause::kNotFinite, "'llama.rope.freq_base' is not finite", [](auto& w) { w.f32("llama.rope.freq_base", NAN); }},
      {Cause::kShape, "tensor 'rope_freqs.weight' is F32 [3], not F32 [2]",
       [](auto& w) {
         w.tensor(TinyTensor{"rope_freqs.weight", {3}, {1, 1, 1}});
       }},
      {Cause::kValue, "frequency factor 0",
       [](auto& w) {
         w.tensor(TinyTensor{"rope_freqs.weight", {2}, {1, 0}});
       }},
      {Cause::kValue, "frequency factor nan",
       [](auto& w) {
         w.tensor(TinyTensor{"rope_freqs.weight", {2}, {NAN, 1}});
       }},
      {Cause::kUnsupported, "rope scaling together with rope_freqs.weight",
       [](auto& w) {
         w.f32("llama.rope.scaling.factor", 2);
         w.tensor(TinyTensor{"rope_freqs.weight", {2}, {1, 1}});
       }},
  };
  for (const BadGguf& bad : all) {
    GgufWriter w = llama_gguf();
    bad.spoil(w);
    const auto config = read(w);
    ASSERT_FALSE(config.ok()) << bad.reason;
    EXPECT_EQ(config.error().cause, bad.cause) << bad.reason << ": " << to_text(config.error());
    EXPECT_THAT(config.error().reason, HasSubstr(bad.reason));
    EXPECT_EQ(config.error().file, "m.gguf");
  }
}

TEST(ConfigGguf, NamesWhatIsMissing) {
  EXPECT_EQ(read(GgufWriter()).error().reason, "no metadata key 'general.architecture'");
  GgufWriter w;
  w.text("general.architecture", "mamba");
  EXPECT_EQ(read(w).error().reason, "architecture 'mamba' is not supported");
  w = GgufWriter();
  w.text("general.architecture", "llama");
  EXPECT_EQ(read(w).error().reason, "no metadata key 'llama.block_count'");
  w = GgufWriter();
  w.u32("general.architecture", 5);
  EXPECT_EQ(read(w).error().cause, Cause::kType);
  w = GgufWriter();
  w.text("general.architecture", "gpt2");
  for (const char* key : {"block_count", "embedding_length", "feed_forward_length", "context_length"}) {
    w.u32(std::string("gpt2.") + key, 4);
  }
  w.array("gpt2.attention.head_count", GgufType::kU32, 1, base::Bytes(4));
  EXPECT_EQ(read(w).error().reason, "metadata key 'gpt2.attention.head_count' is an array of u32, not a single value");
}

TEST(ConfigGguf, PassesOverKeysThatSayNothing) {
  GgufWriter w = llama_gguf();
  w.u32("llama.expert_count", 0);
  w.u32("llamas.expert_count", 8);
  w.number("llama.rope.scaling.finetuned", GgufType::kBool, std::uint8_t{1});
  EXPECT_TRUE(read(w).ok());
}

TEST(ConfigGguf, ReadsScaling) {
  for (const char* key : {"llama.rope.scaling.factor", "llama.rope.scale_linear"}) {
    GgufWriter linear = llama_gguf();
    linear.f32(key, 4);
    EXPECT_EQ(read(linear).value().rope.scaling, RopeScaling::kLinear);
    EXPECT_EQ(read(linear).value().rope.factor, 4);
    linear.text("llama.rope.scaling.type", "none");
    EXPECT_EQ(read(linear).value().rope.scaling, RopeScaling::kNone);
  }
  GgufWriter w = llama_gguf();
  w.tensor(TinyTensor{"rope_freqs.weight", {2}, {1, 8}});
  auto config = read(w);
  ASSERT_TRUE(config.ok()) << to_text(config.error());
  EXPECT_EQ(config.value().rope.scaling, RopeScaling::kFactors);
  EXPECT_DOUBLE_EQ(rope_frequencies(config.value())[1], 0.01 / 8);
  w = llama_gguf();
  w.text("llama.rope.scaling.type", "yarn");
  w.f32("llama.rope.scaling.factor", 4);
  w.u32("llama.rope.scaling.original_context_length", 16);
  config = read(w);
  ASSERT_TRUE(config.ok()) << to_text(config.error());
  EXPECT_EQ(config.value().rope.scaling, RopeScaling::kYarn);
  EXPECT_EQ(config.value().rope.original_context, 16u);
  EXPECT_DOUBLE_EQ(rope_amplitude(config.value().rope), 0.1 * std::log(4.0) + 1);
}

ModelConfig with_rope(Rope rope, std::uint64_t head_size) {
  ModelConfig config;
  config.head_size = head_size;
  config.rope = std::move(rope);
  return config;
}

TEST(RopeFrequencies, FollowTheScaling) {
  Rope rope;
  rope.theta = 10000;
  const auto plain = rope_frequencies(with_rope(rope, 8));
  ASSERT_EQ(plain.size(), 4u);
  EXPECT_DOUBLE_EQ(plain[0], 1);
  EXPECT_NEAR(plain[1], 0.1, 1e-15);
  EXPECT_NEAR(plain[3], 0.001, 1e-15);
  rope.scaling = RopeScaling::kLinear;
  rope.factor = 4;
  EXPECT_NEAR(rope_frequencies(with_rope(rope, 8))[1], 0.025, 1e-15);
}

// Llama 3.1's own parameters: the first frequencies stay, the last are divided by 8, those between are between.
TEST(RopeFrequencies, RampForLlama3) {
  Rope rope;
  rope.theta = 500000;
  const auto plain = rope_frequencies(with_rope(rope, 128));
  rope.scaling = RopeScaling::kLlama3;
  rope.factor = 8;
  rope.low_frequency_factor = 1;
  rope.high_frequency_factor = 4;
  rope.original_context = 8192;
  const auto scaled = rope_frequencies(with_rope(rope, 128));
  std::size_t kept = 0, divided = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    const double wavelength = 2 * std::numbers::pi / plain[i], ratio = plain[i] / scaled[i];
    EXPECT_TRUE(wavelength >= 2048 || ratio == 1) << i;
    EXPECT_TRUE(wavelength <= 8192 || std::abs(ratio - 8) < 1e-12) << i;
    EXPECT_TRUE(ratio >= 1 && ratio <= 8 + 1e-12) << i;
    kept += wavelength < 2048 ? 1 : 0;
    divided += wavelength > 8192 ? 1 : 0;
  }
  EXPECT_EQ(kept, 29u);
  EXPECT_EQ(divided, 29u);
  // i = 31, by hand: n = 8192 f / 2 pi = 2.263453, s = 0.421151, f (1 - s) / 8 + f s.
  EXPECT_NEAR(scaled[31] / plain[31], (1 - 0.421151) / 8 + 0.421151, 1e-6);
}

// By hand for theta 10000, 64 values, original context 4096: the ramp goes from floor(10.45) to ceil(22.51).
TEST(RopeFrequencies, RampForYarn) {
  Rope rope;
  rope.scaling = RopeScaling::kYarn;
  rope.factor = 16;
  rope.original_context = 4096;
  const auto scaled = rope_frequencies(with_rope(rope, 64));
  rope.scaling = RopeScaling::kNone;
  const auto plain = rope_frequencies(with_rope(rope, 64));
  for (std::size_t i = 0; i <= 10; ++i) EXPECT_DOUBLE_EQ(scaled[i], plain[i]) << i;
  for (std::size_t i = 23; i < 32; ++i) EXPECT_DOUBLE_EQ(scaled[i], plain[i] / 16) << i;
  EXPECT_NEAR(scaled[16] / plain[16], 6.0 / 13 / 16 + 7.0 / 13, 1e-12);
  EXPECT_EQ(rope_amplitude(rope), 1);
  rope.grows_with_factor = true;
  EXPECT_NEAR(rope_amplitude(rope), 1.2772588722239782, 1e-12);
  rope.amplitude = 0.5;
  EXPECT_NEAR(rope_amplitude(rope), 1.2772588722239782 / 2, 1e-12);
  rope.factor = 1;
  EXPECT_EQ(rope_amplitude(rope), 0.5);
}

}  // namespace
}  // namespace avow::model
