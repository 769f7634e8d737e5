// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "field/extension.hpp"
#include "reduction/plan.hpp"
#include "statement/structured.hpp"

namespace avow::reduction {

using field::Fp3;

/// All challenges that points are made of, as far as they have been drawn.
struct Challenges {
  std::vector<Fp3> lookup;
  std::vector<Fp3> zero;
  std::vector<std::vector<Fp3>> stages;  ///< by stage number
  Fp3 alpha;                             ///< of the lookups
  Fp3 beta;
};

/// Coordinates as field elements: `log_extent` of them.
[[nodiscard]] statement::Point resolve(const Challenges& challenges, const Coordinates& at, unsigned log_extent);
/// A point for each axis of the tensor.
[[nodiscard]] std::vector<statement::Point> resolve(const statement::Binding& binding, const Challenges& challenges,
                                                    const TensorPoint& point);

/// 2^exponent, exponent of any sign.
[[nodiscard]] field::Fp power_of_two(std::int64_t exponent) noexcept;

/// sum over all bits b of eq(a_b, b_b).
[[nodiscard]] Fp3 eq(std::span<const Fp3> a, std::span<const Fp3> b) noexcept;

/// The value of a product once all its coordinates are drawn. values: of every claim of the plan that it names.
[[nodiscard]] Fp3 evaluate(const statement::Binding& binding, const Challenges& challenges, const Product& product,
                           std::span<const Fp3> values);
[[nodiscard]] Fp3 evaluate(const statement::Binding& binding, const Challenges& challenges,
                           std::span<const Product> products, std::span<const Fp3> values);

/// What a claim on a tensor of public values is worth once the gathering's challenges are drawn: what the gathering
/// compares instead of a value that is sent.
[[nodiscard]] Fp3 evaluate(const statement::Binding& binding, const Challenges& challenges, const Plan& plan,
                           const Read& read);

/// The denominators' extension of a column at the lookup point.
[[nodiscard]] Fp3 denominator(const statement::Binding& binding, const Challenges& challenges, const Plan& plan,
                              const Column& column, std::span<const Fp3> values);

}  // namespace avow::reduction
