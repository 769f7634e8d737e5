// SPDX-License-Identifier: Apache-2.0
#include "compile/plan.hpp"

#include <fmt/format.h>

#include <bit>

namespace avow::compile {
namespace {

bool is_token_count(std::uint64_t n) {
  return std::has_single_bit(n) || (n % 3 == 0 && n > 3 && std::has_single_bit(n / 3)) || n == 3;
}

std::optional<std::string> check_sizes(const Plan& plan) {
  const struct {
    const char* name;
    std::uint64_t value, largest;
  } sizes[] = {{"layers", plan.layers, 1 << 12},         {"width", plan.width, 1 << 16},
               {"kv_heads", plan.kv_heads, 1 << 10},     {"group", plan.group, 1 << 10},
               {"head_size", plan.head_size, 1 << 12},   {"hidden", plan.hidden, 1 << 18},
               {"vocabulary", plan.vocabulary, 1 << 18}, {"context", plan.context, 1 << 16}};
  for (const auto& [name, value, largest] : sizes) {
    if (value < 1 || value > largest) return fmt::format("{} is {}, not 1 to {}", name, value, largest);
  }
  if (plan.kv_heads * plan.group * plan.head_size > std::uint64_t{1} << 18) return "heads are too large";
  if (plan.head_size % 2 != 0) return fmt::format("head_size is {}, which is odd", plan.head_size);
  if (!is_token_count(plan.context)) return fmt::format("context is {}, neither 2^k nor 3 * 2^(k-1)", plan.context);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> check_plan(const Plan& plan) {
  if (auto problem = check_sizes(plan)) return problem;
  const struct {
    const char* name;
    unsigned value, least, largest;
  } numbers[] = {
      {"stream_bits", plan.stream_bits, 17, 30},
      {"stream_shift", plan.stream_shift, 0, 40},
      {"embedding_up", plan.embedding_up, 0, 40},
      {"output_up", plan.output_up, 0, 40},
      {"down_up", plan.down_up, 0, 40},
      {"query_shift", plan.query_shift, 0, 40},
      {"key_shift", plan.key_shift, 0, 40},
      {"value_shift", plan.value_shift, 0, 40},
      {"gate_shift", plan.gate_shift, 0, 40},
      {"up_shift", plan.up_shift, 0, 40},
      {"query_bias_up", plan.query_bias_up, 0, 40},
      {"key_bias_up", plan.key_bias_up, 0, 40},
      {"value_bias_up", plan.value_bias_up, 0, 40},
      {"output_bias_up", plan.output_bias_up, 0, 40},
      {"up_bias_up", plan.up_bias_up, 0, 40},
      {"down_bias_up", plan.down_bias_up, 0, 40},
      {"score_shift", plan.score_shift, 0, 40},
      {"mix_shift", plan.mix_shift, 20, 37},
      {"product_shift", plan.product_shift, 0, 30},
      {"product_bits", plan.product_bits, 17, 32},
      {"logit_shift", plan.logit_shift, 0, 40},
      {"logit_bits", plan.logit_bits, 2, 20},
      {"overflow_bits", plan.overflow_bits, 1, 22},
      {"digit_bits", plan.digit_bits, 16, 20},
  };
  for (const auto& [name, value, least, largest] : numbers) {
    if (value < least || value > largest) return fmt::format("{} is {}, not {} to {}", name, value, least, largest);
  }
  if (plan.norm_epsilon < 1 || plan.norm_epsilon >= std::uint64_t{1} << 60) {
    return fmt::format("norm_epsilon is {}, not 1 to 2^60 - 1", plan.norm_epsilon);
  }
  if (plan.stream_shift + plan.stream_bits > 62) return "stream_shift and stream_bits are too many: 62 in all";
  const std::uint64_t largest_sum = (std::uint64_t{1} << kNormBits) - 1 - plan.norm_epsilon;
  if (plan.width > largest_sum >> (2 * (plan.stream_bits - 1))) {
    return "stream_bits are too many: a sum of squares could reach 2^61";
  }
  if (plan.context > std::uint64_t{1} << (62 - 15 - plan.mix_shift)) {
    return "mix_shift is too large: a mixture could reach 2^62";
  }
  return std::nullopt;
}

}  // namespace avow::compile
