// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "market/request.hpp"
#include "requester/error.hpp"

namespace avow::requester {

/// What somebody is willing to pay, before times are fixed.
struct OfferTerms {
  chain::U256 max_price;                   ///< in escrow until the end
  std::optional<chain::U256> min_price{};  ///< where the price starts; half of max_price if nothing is said
  std::uint16_t base_permille = 500;       ///< a proof costs about the same however long the answer is
  std::uint32_t ramp_secs = 60;            ///< from min_price to max_price; 0: max_price from the start
  std::uint64_t lifetime_secs = 3'600;     ///< to the deadline
  std::uint32_t lock_duration_secs = 600;  ///< well above the time of a proof, as a late locker loses the bond
  std::optional<chain::U256> bond{};       ///< max_price if nothing is said
};

inline constexpr std::uint64_t kMostLifetimeSecs = std::uint64_t{365} * 24 * 3'600;
inline constexpr std::uint64_t kSecsPerBlock = 15;  ///< Requests.sol: of the slowest chain

/// The offer from `now` on, a timestamp of the chain, as the market of this delay takes it. kOffer.
[[nodiscard]] Result<market::Offer> make_offer(const OfferTerms& terms, std::uint64_t now, std::uint64_t delay_blocks);

/// When nobody answers at the highest price: the request is taken back and posted anew at a higher one.
struct BumpPolicy {
  chain::U256 ceiling;            ///< max_price is never above it; 0: no bump
  std::uint64_t after_secs = 60;  ///< at max_price, without a lock
  unsigned percent = 50;          ///< by which max_price is raised, up to the ceiling
};

/// The terms of the next request, which starts at the price that nobody took; nothing if the ceiling is reached.
[[nodiscard]] std::optional<OfferTerms> bumped(const OfferTerms& terms, const BumpPolicy& policy);

/// Tokens as people write them: "1.5". kOffer.
[[nodiscard]] Result<chain::U256> parse_tokens(std::string_view text);
/// "1.5 AVOW".
[[nodiscard]] std::string to_tokens(const chain::U256& amount);
inline constexpr unsigned kTokenDecimals = 18;

}  // namespace avow::requester
