// SPDX-License-Identifier: Apache-2.0
#include "compile/tensors.hpp"

#include <functional>
#include <numeric>

namespace avow::compile {
namespace {

constexpr std::string_view kNames[kModelTensors] = {
    "embedding",  "position",       "query_weights", "key_weights",  "value_weights",  "query_bias", "key_bias",
    "value_bias", "output_weights", "output_bias",   "gate_weights", "up_weights",     "up_bias",    "down_weights",
    "down_bias",  "head_weights",   "head_gain",     "head_bias",    "embedding_mean", "rotation",   "act_values",
    "exp_values", "root_values",    "root_slopes",   "found_values", "weight_values"};

}  // namespace

std::string_view name_of(ModelTensor tensor) { return kNames[static_cast<std::size_t>(tensor)]; }

std::vector<std::uint64_t> shape_of(const Plan& plan, ModelTensor tensor) {
  using List = std::vector<std::uint64_t>;
  const bool gpt2 = plan.architecture == Architecture::kGpt2;
  const auto [l, d, h, g, f] = std::array{plan.layers, plan.width, plan.kv_heads, plan.group, plan.head_size};
  const std::uint64_t p = f / 2;
  switch (tensor) {
    case ModelTensor::kEmbedding:
      return {plan.vocabulary, d};
    case ModelTensor::kPosition:
      return gpt2 ? List{plan.context, d} : List{};
    case ModelTensor::kQueryWeights:
      return {l, h, g, p, 2, d};
    case ModelTensor::kKeyWeights:
      return {l, h, p, 2, d};
    case ModelTensor::kValueWeights:
      return {l, h, f, d};
    case ModelTensor::kQueryBias:
      return plan.qkv_bias ? List{l, h, g, p, 2} : List{};
    case ModelTensor::kKeyBias:
      return plan.qkv_bias ? List{l, h, p, 2} : List{};
    case ModelTensor::kValueBias:
      return plan.qkv_bias ? List{l, h, f} : List{};
    case ModelTensor::kOutputWeights:
      return {l, d, h, g, f};
    case ModelTensor::kOutputBias:
      return plan.output_bias ? List{l, d} : List{};
    case ModelTensor::kGateWeights:
      return gpt2 ? List{} : List{l, plan.hidden, d};
    case ModelTensor::kUpWeights:
      return {l, plan.hidden, d};
    case ModelTensor::kUpBias:
      return gpt2 ? List{l, plan.hidden} : List{};
    case ModelTensor::kDownWeights:
      return {l, d, plan.hidden};
    case ModelTensor::kDownBias:
      return gpt2 ? List{l, d} : List{};
    case ModelTensor::kHeadWeights:
      return plan.tied ? List{} : List{plan.vocabulary, d};
    case ModelTensor::kHeadGain:
      return plan.tied ? List{d} : List{};
    case ModelTensor::kHeadBias:
    case ModelTensor::kEmbeddingMean:
      return gpt2 ? List{plan.vocabulary} : List{};
    case ModelTensor::kRotation:
      return gpt2 ? List{} : List{plan.context, p, 2, 2};
    case ModelTensor::kActValues:
    case ModelTensor::kExpValues:
      return {std::uint64_t{1} << 16};
    case ModelTensor::kRootValues:
    case ModelTensor::kRootSlopes:
      return {256, 256};
    case ModelTensor::kFoundValues:
      return {2, 256};
    case ModelTensor::kWeightValues:
      return {kDistanceSteps};
  }
  return {};
}

std::uint64_t cells_of(const Plan& plan, ModelTensor tensor) {
  const auto shape = shape_of(plan, tensor);
  if (shape.empty()) return 0;
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

bool is_wide(ModelTensor tensor) {
  return tensor == ModelTensor::kHeadBias || tensor == ModelTensor::kRootValues || tensor == ModelTensor::kRootSlopes ||
         tensor == ModelTensor::kWeightValues;
}

CellRange range_of(ModelTensor tensor) {
  switch (tensor) {
    case ModelTensor::kFoundValues:
      return {0, 1};
    case ModelTensor::kExpValues:
      return {0, 1 << 14};
    case ModelTensor::kRootValues:
    case ModelTensor::kRootSlopes:
    case ModelTensor::kWeightValues:
      return {0, (1 << 16) - 1};
    case ModelTensor::kHeadBias:
      return {-(std::int64_t{1} << 31) + 1, (std::int64_t{1} << 31) - 1};
    default:
      return {-(1 << 15) + 1, (1 << 15) - 1};
  }
}

}  // namespace avow::compile
