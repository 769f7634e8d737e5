// SPDX-License-Identifier: Apache-2.0
#include "requester/offer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace avow::requester {
namespace {

constexpr unsigned kAmountBits = 128;
constexpr std::uint16_t kWholePermille = 1000;
constexpr unsigned kWholePercent = 100;

bool is_amount(const chain::U256& amount) { return amount.bit_length() <= kAmountBits; }

std::optional<Error> check_terms(const OfferTerms& terms, const chain::U256& min_price, const chain::U256& bond,
                                 std::uint64_t delay_blocks) {
  const auto refuse = [](std::string text) { return Error{Cause::kOffer, std::move(text), {}}; };
  if (terms.max_price == chain::U256()) return refuse("the highest price is zero");
  if (!is_amount(terms.max_price) || !is_amount(bond)) return refuse("there are not so many tokens");
  if (terms.max_price < min_price) return refuse("the lowest price is above the highest one");
  if (bond < terms.max_price) return refuse("the bond is at least the highest price: " + to_tokens(terms.max_price));
  if (terms.base_permille > kWholePermille) return refuse("the base is at most 1000 thousandths of the price");
  const std::uint64_t least = kSecsPerBlock * delay_blocks;
  if (terms.lock_duration_secs <= least) {
    return refuse(fmt::format("a lock lasts more than {} s, which its taking effect may need", least));
  }
  if (terms.lifetime_secs == 0 || terms.lifetime_secs > kMostLifetimeSecs) {
    return refuse(fmt::format("the deadline is at least a second and at most {} s away", kMostLifetimeSecs));
  }
  if (terms.lifetime_secs < terms.ramp_secs) return refuse("the price rises beyond the deadline");
  return std::nullopt;
}

}  // namespace

Result<market::Offer> make_offer(const OfferTerms& terms, std::uint64_t now, std::uint64_t delay_blocks) {
  const chain::U256 min_price = terms.min_price.value_or(divide(terms.max_price, 2));
  const chain::U256 bond = terms.bond.value_or(terms.max_price);
  if (auto error = check_terms(terms, min_price, bond, delay_blocks)) return base::Err{std::move(*error)};
  market::Offer offer;
  offer.min_price = min_price;
  offer.max_price = terms.max_price;
  offer.base_permille = terms.base_permille;
  offer.ramp_start = now;
  // A price that does not rise needs no time to.
  offer.ramp_length = min_price == terms.max_price ? 0 : terms.ramp_secs;
  offer.lock_duration = terms.lock_duration_secs;
  offer.deadline = now + terms.lifetime_secs;
  offer.bond = bond;
  return offer;
}

std::optional<OfferTerms> bumped(const OfferTerms& terms, const BumpPolicy& policy) {
  if (policy.ceiling <= terms.max_price) return std::nullopt;
  const auto raised = multiply(terms.max_price, kWholePercent + policy.percent);
  OfferTerms next = terms;
  next.min_price = terms.max_price;
  next.max_price = raised ? std::min(divide(*raised, kWholePercent), policy.ceiling) : policy.ceiling;
  // A percentage of very little is nothing.
  if (next.max_price <= terms.max_price) next.max_price = policy.ceiling;
  if (next.bond) next.bond = std::max(*next.bond, next.max_price);
  return next;
}

Result<chain::U256> parse_tokens(std::string_view text) {
  auto amount = chain::parse_units(text, kTokenDecimals);
  if (!amount) return fail(Cause::kOffer, "an amount of tokens is a decimal number: " + amount.error().text);
  if (!is_amount(amount.value())) return fail(Cause::kOffer, "there are not so many tokens");
  return std::move(amount).value();
}

std::string to_tokens(const chain::U256& amount) { return chain::to_units(amount, kTokenDecimals) + " AVOW"; }

}  // namespace avow::requester
