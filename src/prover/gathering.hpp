// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "prover/expression.hpp"
#include "prover/sumcheck.hpp"
#include "reduction/evaluate.hpp"

namespace avow::prover {

/// The prover's side of the gathering (spec/proof.md, section 3.4): the sumcheck that makes one claim of all claims on
/// a witness tensor. It binds a tensor axis by axis, and sees only what is left of each claim on the axis at hand: the
/// cells, summed over all other axes at the claim's point. So it takes a pass over the cells for each claim, as
/// evaluating it does, and no table as large as a tensor. What is read of public values are functions of their digits,
/// with a table for each.
class Gathering {
 public:
  /// join: the challenge whose powers join the claims. values: of all claims that are gathered. Everything that is
  /// referred to must outlive this.
  Gathering(const Tensors& tensors, const reduction::Plan& plan, const reduction::Stage& stage,
            const reduction::Challenges& challenges, const field::Fp3& join, const std::vector<field::Fp3>& values);
  ~Gathering();
  Gathering(Gathering&&) noexcept;
  Gathering& operator=(Gathering&&) = delete;
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  /// The round's polynomial: degree + 1 coefficients, the constant one first.
  [[nodiscard]] std::vector<field::Fp3> round(std::size_t degree);
  /// Binds the round's variable.
  void bind(const field::Fp3& r);
  /// Once all variables are bound: the value of stage.gathered[i] at the challenges.
  [[nodiscard]] const field::Fp3& value(std::size_t i) const;

 private:
  class Running;
  std::vector<Running> running_;
  Sumcheck reads_;
};

}  // namespace avow::prover
