// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "answer/delivery.hpp"
#include "chain/abi.hpp"

namespace avow::market {

/// What an answer is paid with: amounts in units of the token (10^-18), times in seconds
/// (contracts/src/market/Types.sol).
struct Offer {
  chain::U256 min_price, max_price;
  std::uint16_t base_permille = 0;
  std::uint64_t ramp_start = 0;
  std::uint32_t ramp_length = 0;
  std::uint32_t lock_duration = 0;
  std::uint64_t deadline = 0;
  chain::U256 bond;
  friend bool operator==(const Offer&, const Offer&) = default;
};

/// The EIP-712 struct of spec/answer.md, section 1, whose hash is its id.
struct Request {
  chain::Address requester;
  chain::U256 nonce;
  base::Digest model_id{};
  chain::Address verifier;
  base::Bytes input;  ///< token ids, little-endian, in the width of the model
  std::uint32_t max_new_tokens = 0;
  answer::Sampling sampling;
  base::Bytes stop_ids;  ///< likewise
  Offer offer;
  std::uint8_t mode = 0;
  base::Digest input_commitment{};
  friend bool operator==(const Request&, const Request&) = default;
};

/// As the contracts' ABI has it.
[[nodiscard]] chain::Value to_value(const Request& request);
/// The inverse, of a value that was decoded as the struct `Request`.
[[nodiscard]] chain::Result<Request> request_of(const chain::Value& value);
/// The struct `Terms`: hashes in the places of the longer parts.
[[nodiscard]] chain::Value terms_of(const Request& request);
/// The EIP-712 hash, on this chain and market: what requesters sign.
[[nodiscard]] base::Digest id_of(const Request& request, std::uint64_t chain_id, const chain::Address& market);

using answer::decode_ids;
using answer::encode_ids;

/// What is asked, as provers take it; the id is the request's. Nothing if a list is none. answer::check() comes after
/// it: the request may be anybody's.
[[nodiscard]] std::optional<answer::Request> asked(const Request& request, const base::Digest& id, unsigned id_bytes);

/// What the offer pays at a moment for a whole answer (spec/market.md, section 1). Of an offer that no market takes,
/// which a node may tell of: some number, 0 where the right one would be none of 256 bits.
[[nodiscard]] chain::U256 price_at(const Offer& offer, std::uint64_t timestamp);
/// What is paid of a price for `produced` tokens of at most `max_new_tokens`, rounded down. Of numbers that no market
/// takes likewise: 0 tokens, more than 1000 permille, prices far above 2^128.
[[nodiscard]] chain::U256 payment_of(const chain::U256& price, std::uint16_t base_permille, std::uint32_t produced,
                                     std::uint32_t max_new_tokens);

}  // namespace avow::market
