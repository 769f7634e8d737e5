// SPDX-License-Identifier: Apache-2.0
#include "compile/plan_bytes.hpp"

#include <fmt/format.h>

#include <limits>
#include <type_traits>

namespace avow::compile {

using base::Err;

namespace {

constexpr std::uint8_t kPlanVersion = 2;

// visit(number) for each number of the plan, in the order of the specification.
template <typename P, typename Visit>
void for_numbers(P& plan, const Visit& visit) {
  visit(plan.architecture);
  const auto all = [&](auto&... numbers) { (visit(numbers), ...); };
  all(plan.tied, plan.qkv_bias, plan.output_bias);
  all(plan.layers, plan.width, plan.kv_heads, plan.group, plan.head_size, plan.hidden, plan.vocabulary, plan.context);
  all(plan.stream_bits, plan.stream_shift, plan.embedding_up, plan.output_up, plan.down_up, plan.norm_epsilon);
  all(plan.query_shift, plan.key_shift, plan.value_shift, plan.gate_shift, plan.up_shift);
  all(plan.query_bias_up, plan.key_bias_up, plan.value_bias_up);
  all(plan.output_bias_up, plan.up_bias_up, plan.down_bias_up);
  all(plan.score_shift, plan.mix_shift, plan.product_shift, plan.product_bits);
  all(plan.logit_shift, plan.logit_bits, plan.overflow_bits, plan.digit_bits);
}

std::size_t count_numbers() {
  const Plan plan;
  std::size_t count = 0;
  for_numbers(plan, [&](const auto&) { ++count; });
  return count;
}

template <typename T>
constexpr std::uint64_t largest() {
  if constexpr (std::is_same_v<T, Architecture>) {
    return static_cast<std::uint64_t>(Architecture::kGpt2);
  } else {
    return static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  }
}

}  // namespace

base::Bytes to_bytes(const Plan& plan) {
  base::Bytes out = {kPlanVersion};
  for_numbers(plan, [&](const auto& number) { base::append_be64(out, static_cast<std::uint64_t>(number)); });
  return out;
}

base::Result<Plan, std::string> plan_from_bytes(base::ByteView bytes) {
  const std::size_t size = 1 + 8 * count_numbers();
  if (bytes.size() != size) return Err{fmt::format("a plan of {} bytes, not {}", bytes.size(), size)};
  if (bytes[0] != kPlanVersion) return Err{fmt::format("a plan of version {}", bytes[0])};
  Plan plan;
  std::size_t at = 1;
  bool fits = true;
  for_numbers(plan, [&](auto& number) {
    using T = std::remove_reference_t<decltype(number)>;
    const std::uint64_t value = base::load_be64(bytes.data() + at);
    fits = fits && value <= largest<T>();
    if (fits) number = static_cast<T>(value);
    at += 8;
  });
  if (!fits) return Err{std::string("a plan with a number out of range")};
  if (auto problem = check_plan(plan)) return Err{"a plan that breaks a rule: " + *problem};
  return plan;
}

}  // namespace avow::compile
