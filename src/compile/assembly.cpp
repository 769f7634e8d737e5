// SPDX-License-Identifier: Apache-2.0
#include "compile/assembly.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace avow::compile {

using statement::Access;
using statement::Expr;
using statement::Index;
using statement::TableRef;
using statement::TensorRef;

Assembly::Assembly(const Plan& given) : plan(given) {
  request = b.parameter("request", kMostRequests);
  token = b.parameter("token", plan.context);
  key = b.alias("key", token);
  step = b.parameter("step", plan.context);
  layer = b.axis("layer", plan.layers);
  earlier = b.alias("earlier", layer);
  feature = b.axis("feature", plan.width);
  kv_head = b.axis("kv_head", plan.kv_heads);
  group = b.axis("group", plan.group);
  pair = b.axis("pair", plan.head_size / 2);
  side = b.axis("side", 2);
  other_side = b.alias("other_side", side);
  head_feature = b.axis("head_feature", plan.head_size);
  hidden = b.axis("hidden", plan.hidden);
  word = b.axis("word", plan.vocabulary);
}

Expr Assembly::read(TensorRef tensor, const Axes& axes) {
  Access access{tensor.id, {}};
  for (const auto axis : axes) access.indices.push_back({Index::Kind::kAxis, axis.id});
  return Expr(std::move(access));
}

TensorRef Assembly::model(ModelTensor tensor, const Axes& axes) {
  return b.model(std::string(name_of(tensor)), axes, statement::signed_bits(is_wide(tensor) ? 32 : 16));
}

TableRef Assembly::range(unsigned bits) {
  const auto known = ranges_.find(bits);
  if (known != ranges_.end()) return known->second;
  return ranges_.emplace(bits, b.range(fmt::format("u{}", bits), std::uint64_t{1} << bits)).first->second;
}

void Assembly::in_range(const std::string& name, const Axes& axes, const Expr& value, unsigned bits,
                        const std::optional<Expr>& mask) {
  const auto look_up = [&](const std::string& of, const Expr& entry, unsigned width) {
    if (mask) {
      b.lookup(of, axes, {entry}, range(width), *mask);
    } else {
      b.lookup(of, axes, {entry}, range(width));
    }
  };
  const unsigned digit_bits = plan.digit_bits;
  Expr lowest = value;
  for (unsigned i = 1; digit_bits * i < bits; ++i) {
    const std::string digit_name = fmt::format("{}.digit_{}", name, i);
    const TensorRef digit =
        b.witness(digit_name, axes, statement::unsigned_bits(static_cast<std::uint8_t>(digit_bits)));
    look_up(digit_name, read(digit, axes), std::min(digit_bits, bits - digit_bits * i));
    lowest = lowest - power(digit_bits * i) * read(digit, axes);
  }
  look_up(name, lowest, std::min(digit_bits, bits));
}

void Assembly::rounds_to(const std::string& name, const Axes& axes, const Expr& sum, const Expr& value, unsigned shift,
                         const std::optional<Expr>& mask) {
  if (shift == 0) {
    b.zero(name + ".exact", axes, mask ? *mask * (sum - value) : sum - value);
    return;
  }
  const TensorRef rest = b.define(name + ".rest", axes, sum + power(shift - 1) - power(shift) * value);
  in_range(name + ".rest", axes, read(rest, axes), shift, mask);
}

TensorRef Assembly::rounded(const std::string& name, const Axes& axes, TensorRef sum, unsigned shift, ValueRange range,
                            const std::optional<Expr>& mask) {
  const TensorRef value = b.witness(name, axes, statement::signed_bits(16));
  rounds_to(name, axes, read(sum, axes), read(value, axes), shift, mask);
  if (range == ValueRange::kLookedUp) in_range(name, axes, read(value, axes) + power(15), 16, mask);
  return value;
}

TensorRef Assembly::two_limbs(const std::string& prefix, const std::string& name, const Axes& axes, unsigned bits) {
  const TensorRef low = b.witness(prefix + ".low", axes, statement::unsigned_bits(16));
  const auto high_bits = static_cast<std::uint8_t>(bits - 16);
  const TensorRef high = b.witness(prefix + ".high", axes, statement::signed_bits(high_bits));
  in_range(prefix + ".low", axes, read(low, axes), 16);
  in_range(prefix + ".high", axes, read(high, axes) + power(high_bits - 1U), high_bits);
  return b.define(name, axes, read(low, axes) + power(16) * read(high, axes));
}

}  // namespace avow::compile
