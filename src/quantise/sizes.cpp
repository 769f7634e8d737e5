// SPDX-License-Identifier: Apache-2.0
#include "quantise/sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace avow::quantise {

using base::Err;

namespace {

constexpr std::uint64_t kDefaultContext = 1024;
constexpr std::uint64_t kLargestContext = 1 << 16;  // of compile::check_plan

// What check_plan says of the sizes, with numbers that break no rule.
std::optional<std::string> check_sizes(compile::Plan plan) {
  plan.stream_bits = plan.product_bits = 17;
  plan.mix_shift = 20;
  plan.norm_epsilon = 1;
  plan.logit_bits = 2;
  plan.overflow_bits = 1;
  return compile::check_plan(plan);
}

}  // namespace

std::uint64_t token_count_below(std::uint64_t n) {
  const std::uint64_t power = std::bit_floor(n);
  return power >= 2 && n >= power / 2 * 3 ? power / 2 * 3 : power;
}

base::Result<compile::Plan, Error> sizes_of(const model::ModelConfig& config, const Options& options) {
  const bool gpt2 = config.architecture == model::Architecture::kGpt2;
  if (const std::uint64_t most = gpt2 ? config.context : kLargestContext; options.context > most) {
    return Err{Error{Cause::kContext, fmt::format("a context of {} tokens is more than {}", options.context, most)}};
  }
  if (config.head_size % 2 != 0) {
    return Err{Error{Cause::kSize, fmt::format("heads of {} values: an odd number", config.head_size)}};
  }
  const std::uint64_t context = options.context != 0 ? options.context : std::min(config.context, kDefaultContext);
  compile::Plan plan;
  plan.architecture = gpt2 ? compile::Architecture::kGpt2 : compile::Architecture::kLlama;
  plan.tied = config.tied_head;
  plan.qkv_bias = gpt2 || config.qkv_bias;
  plan.output_bias = gpt2 || config.attention_output_bias;
  plan.layers = config.layers;
  plan.width = config.width;
  plan.kv_heads = config.kv_heads;
  plan.group = config.heads / config.kv_heads;
  plan.head_size = config.head_size;
  plan.hidden = config.hidden;
  plan.vocabulary = config.vocabulary;
  plan.context = token_count_below(context);
  if (const auto problem = check_sizes(plan)) return Err{Error{Cause::kSize, *problem}};
  return plan;
}

}  // namespace avow::quantise
