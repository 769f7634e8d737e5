// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "field/extension.hpp"
#include "statement/structured.hpp"

/// Tensors of public values as functions of these values' digits (spec/proof.md, section 3.5). A verifier that
/// evaluated them wherever they are read would pay for each value each time. So they are claimed of, as witness tensors
/// are, and a sumcheck over the places of the values leaves functions of single digits at one point for all.
namespace avow::reduction {

/// Whether claims on a structured tensor are sent and gathered: one-hot, below, value.
[[nodiscard]] bool is_read(const statement::Tensor& tensor);

/// Digits of the values of a one-hot or below tensor, one for each four coordinates that its last axis may have, at
/// most three; 0 of a value, which is read as it is. The same in every instance.
[[nodiscard]] unsigned digits_of(const statement::Statement& statement, const statement::Tensor& tensor);

/// A function of public values as a sum of products of multilinear functions of their place.
struct DigitSum {
  std::vector<std::vector<field::Fp3>> factors;  ///< each for every value, in order
  std::vector<std::vector<std::size_t>> terms;   ///< numbers of factors
};
/// T~ with its last axis, if it has one of its own, at a point. Requires is_read(tensor).
[[nodiscard]] DigitSum digit_sum(const statement::Binding& binding, const statement::Tensor& tensor,
                                 std::span<const field::Fp3> last);

/// Sum over the terms of the products of the factors' extensions at a point, given as eq of it and each place.
[[nodiscard]] field::Fp3 evaluate(const DigitSum& sum, std::span<const field::Fp3> weights);

}  // namespace avow::reduction
