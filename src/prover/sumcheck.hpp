// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "field/extension.hpp"

namespace avow::prover {

using field::Fp3;

/// A factor of a product: its values over some of the variables, the lowest first; variable i of the table is
/// coordinate positions[i] of the stage's challenges.
struct Table {
  std::vector<std::uint16_t> positions;  ///< increasing
  std::vector<Fp3> values;               ///< 2^positions.size()
};

/// scale * sum over all variables x of the tables of eq(z, x) * product of the tables; eq over some of the variables.
struct Summand {
  Fp3 scale;
  std::vector<Table> tables;
  std::vector<std::pair<std::uint16_t, Fp3>> eq;  ///< position and coordinate of z, by position
};

/// The prover's side of a batched sumcheck (spec/proof.md, section 3.3). Each round has the same challenge for all
/// summands; a summand that does not have the round's variable is halved.
class Sumcheck {
 public:
  explicit Sumcheck(std::vector<Summand> summands);
  ~Sumcheck();
  Sumcheck(Sumcheck&&) noexcept;
  Sumcheck& operator=(Sumcheck&&) = delete;
  Sumcheck(const Sumcheck&) = delete;
  Sumcheck& operator=(const Sumcheck&) = delete;

  /// The round's polynomial: degree + 1 coefficients, the constant one first.
  [[nodiscard]] std::vector<Fp3> round(std::size_t degree);
  /// Binds the round's variable.
  void bind(const Fp3& r);
  /// Once all variables are bound: the value of a summand's table at the challenges.
  [[nodiscard]] const Fp3& final_value(std::size_t summand, std::size_t table) const;

 private:
  class Running;
  std::vector<Running> running_;
  std::uint16_t round_ = 0;
};

}  // namespace avow::prover
