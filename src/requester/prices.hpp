// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "requester/session.hpp"

namespace avow::requester {

/// A request of a model that was answered.
struct RecentPayment {
  base::Digest id{};
  chain::Address payee;
  std::uint64_t block = 0;
  chain::U256 payment;
  std::uint32_t max_new_tokens = 0;
  std::uint32_t produced = 0;
  chain::U256 price;  ///< that the payment is a part of: what a whole answer was worth
};

/// A request of a model that waits for its answer.
struct OpenOffer {
  base::Digest id{};
  chain::U256 price_now, max_price;  ///< the price of its lock, where it is locked
  std::uint32_t max_new_tokens = 0;
  std::uint64_t deadline = 0;
  bool is_locked = false;
};

/// What was paid for answers of a model in the last blocks, newest first, and what waits for an answer. Of the nodes'
/// word.
struct MarketPrices {
  std::vector<RecentPayment> payments;
  std::vector<OpenOffer> open;   ///< posted in these blocks, newest first
  std::uint64_t from_block = 0;  ///< read from here on
};
[[nodiscard]] Result<MarketPrices> recent_prices(const Session& session, const base::Digest& model_id,
                                                 unsigned id_bytes, std::uint64_t blocks);

/// The price by which `payment` was computed for so many tokens of at most `max_new_tokens`, rounded up; all above 0,
/// and a base above the whole, which only a node tells of, counts as the whole.
[[nodiscard]] chain::U256 price_of_payment(const chain::U256& payment, std::uint16_t base_permille,
                                           std::uint32_t produced, std::uint32_t max_new_tokens);
/// Of the prices for each token that may be produced, the one that so many percent of the payments were not above;
/// nothing if there are none.
[[nodiscard]] std::optional<chain::U256> percentile_per_token(const std::vector<RecentPayment>& payments,
                                                              unsigned percent);
[[nodiscard]] chain::U256 rounded_up(const chain::U256& amount);  ///< to three digits
/// A --max-price for so many tokens that most who answered lately would have taken, and a quarter more, rounded up to
/// three digits; nothing if nobody did.
[[nodiscard]] std::optional<chain::U256> suggested_price(const std::vector<RecentPayment>& payments,
                                                         std::uint32_t max_new_tokens);

}  // namespace avow::requester
