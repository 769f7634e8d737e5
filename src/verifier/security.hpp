// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pcs/config.hpp"
#include "verifier/setting.hpp"

/// Bits of security of a proof, round by round (spec/proof.md section 7, spec/lookup.md section 5, spec/security.md).
namespace avow::verifier {

/// A round of the argument on polynomials: what the commitment's opening does not include.
struct ArgumentRound {
  std::string name;
  std::string error;       ///< as a formula
  std::uint32_t bits = 0;  ///< -log2 of it, rounded down
};
/// All kinds of rounds that a proof of this setting has; of those that it has several times, the worst.
[[nodiscard]] std::vector<ArgumentRound> argument_rounds(const Setting& setting);

/// The shape of a setting's opening, for pcs::analyse_security.
[[nodiscard]] pcs::Shape opening_shape(const Setting& setting);

/// The least bits of all rounds, those of the opening included.
[[nodiscard]] std::uint32_t security_bits(const Setting& setting);

}  // namespace avow::verifier
