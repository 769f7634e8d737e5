// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "compile/sampling.hpp"
#include "statement/binding.hpp"

/// From runs to the instance of the statement that compile() makes: spec/integer_models.md section 9.
namespace avow::compile {

/// The public values of every model's statement, in its order.
inline constexpr std::array<std::string_view, 11> kPublicValues = {
    "id", "position", "likeliest", "tau", "k", "P", "above", "last_k", "last_p", "random", "chosen"};

/// What is public of one choice of a token.
struct Choice {
  std::uint32_t chosen = 0;
  std::uint32_t last_k = 0;     ///< theta_k
  std::uint32_t last_p = 0;     ///< theta_p
  std::uint32_t likeliest = 0;  ///< a word with the largest logit
  friend bool operator==(const Choice&, const Choice&) = default;
};

/// One request's run, as public values tell it.
struct RequestRun {
  std::vector<std::uint32_t> ids;        ///< the tokens that are read
  std::vector<std::uint32_t> positions;  ///< by step: the place of the token after which it chooses
  Sampling sampling;
  std::vector<Choice> choices;  ///< by step
  friend bool operator==(const RequestRun&, const RequestRun&) = default;
};

/// The lengths of the axes that an instance chooses.
struct Lengths {
  std::uint64_t requests = 1, tokens = 1, steps = 1;
  friend bool operator==(const Lengths&, const Lengths&) = default;
};

/// The least length, 2^k or 3 * 2^(k-1), that is not below n; 1 <= n <= 2^32.
[[nodiscard]] std::uint64_t instance_length(std::uint64_t n);
/// The least lengths in which so many requests, tokens and steps find their places.
[[nodiscard]] Lengths instance_lengths(const Lengths& least);

/// The instance of these runs. Each has a token and a step at least, as many positions as choices, none of a length
/// above its axis's; places that are left are filled: with tokens 0, with the last step, with the last run.
[[nodiscard]] statement::Instance make_instance(std::span<const RequestRun> runs, const Lengths& lengths);

}  // namespace avow::compile
