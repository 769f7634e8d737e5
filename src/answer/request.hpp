// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "compile/sampling.hpp"

/// Answers of a model as they are asked for, delivered, proven and checked: spec/answer.md.
namespace avow::answer {

inline constexpr std::size_t kMostStopIds = 16;

/// How tokens are chosen, as a request says it. Greedy needs the defaults of all others: it has one form.
struct Sampling {
  std::uint32_t tau = 0;    ///< 0: greedy; else the temperature is 2^12 / tau, at most compile::kLargestTau
  std::uint32_t top_k = 0;  ///< 0: off; at most the vocabulary
  std::uint32_t portion = 1 << compile::kPortionShift;  ///< top-p in units of 2^-16, 1 to 2^16 (off)
  base::Digest seed{};
  friend bool operator==(const Sampling&, const Sampling&) = default;
};

/// The effective numbers of spec/integer_models.md section 6.
[[nodiscard]] compile::Sampling sampling_of(const Sampling& sampling, std::uint64_t vocabulary);

struct Request {
  base::Digest id{};  ///< on a chain its EIP-712 hash; elsewhere anything, zeroes for none
  std::vector<std::uint32_t> input;
  std::uint32_t max_new_tokens = 0;
  Sampling sampling;
  std::vector<std::uint32_t> stop_ids;  ///< strictly increasing, at most kMostStopIds
  friend bool operator==(const Request&, const Request&) = default;
};

enum class End : std::uint8_t {
  kLength = 0,  ///< with max_new_tokens
  kStop = 1,    ///< with a stop id, which is its last token; be it with the last that was allowed
};

/// What the choice of a token rests on, by spec/integer_models.md section 6: it follows from model and request, and is
/// public because the statement speaks of it.
struct Shown {
  std::uint32_t last_k = 0, last_p = 0;  ///< theta_k and theta_p
  std::uint32_t likeliest = 0;           ///< a word with the largest logit
  friend bool operator==(const Shown&, const Shown&) = default;
};

struct Answer {
  Request request;
  std::vector<std::uint32_t> output;
  std::vector<Shown> shown;  ///< one for each output
  End end = End::kLength;
  friend bool operator==(const Answer&, const Answer&) = default;
};

/// Of an account or a contract.
using Address = std::array<std::uint8_t, 20>;

/// What one proof is about. Zeroes for chain, market and payee stand for no chain.
struct Delivery {
  base::Digest model_id{};
  base::Digest chain_id{};  ///< a uint256, big-endian
  Address market{}, payee{};
  std::vector<Answer> answers;  ///< 1 to compile::kMostRequests
  friend bool operator==(const Delivery&, const Delivery&) = default;
};

}  // namespace avow::answer
