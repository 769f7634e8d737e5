// SPDX-License-Identifier: Apache-2.0
#include "requester/prices.hpp"

#include <algorithm>
#include <map>

namespace avow::requester {
namespace {

constexpr std::uint64_t kWholePrice = 1000;  // permille
constexpr unsigned kAllPercent = 100;
constexpr unsigned kUsualPercent = 75;
constexpr std::uint64_t kMarginPercent = 125;

struct PostedRequest {
  market::Request request;
  std::uint64_t block = 0;
  std::optional<chain::U256> locked_at{};
};

struct Events {
  std::map<base::Digest, PostedRequest> requests;  // of the model, without those that ended
  std::vector<RecentPayment> payments;             // oldest first
};

void take_payment(const market::Fulfilled& paid, std::uint64_t block, unsigned id_bytes, Events& events) {
  const auto found = events.requests.find(paid.id);
  if (found == events.requests.end()) return;
  const market::Request& request = found->second.request;
  RecentPayment one{paid.id, paid.payee, block, paid.payment, request.max_new_tokens, 0, {}};
  one.produced = static_cast<std::uint32_t>(paid.output.size() / id_bytes);
  if (one.produced != 0 && one.max_new_tokens != 0) {
    one.price = price_of_payment(paid.payment, request.offer.base_permille, one.produced, one.max_new_tokens);
    events.payments.push_back(one);
  }
  events.requests.erase(found);
}

void take_event(const market::Event& event, const base::Digest& model_id, std::uint64_t block, unsigned id_bytes,
                Events& events) {
  if (const auto* posted = std::get_if<market::Requested>(&event); posted != nullptr) {
    if (posted->request.model_id == model_id) events.requests[posted->id] = {posted->request, block, {}};
  } else if (const auto* locked = std::get_if<market::Locked>(&event); locked != nullptr) {
    if (const auto found = events.requests.find(locked->id); found != events.requests.end()) {
      found->second.locked_at = locked->price;
    }
  } else if (const auto* paid = std::get_if<market::Fulfilled>(&event); paid != nullptr) {
    take_payment(*paid, block, id_bytes, events);
  } else if (const auto* cancelling = std::get_if<market::Cancelling>(&event); cancelling != nullptr) {
    events.requests.erase(cancelling->id);
  } else if (const auto* back = std::get_if<market::Refunded>(&event); back != nullptr) {
    events.requests.erase(back->id);
  }
}

std::vector<OpenOffer> open_offers(const std::map<base::Digest, PostedRequest>& requests, std::uint64_t now) {
  std::vector<std::pair<std::uint64_t, OpenOffer>> all;
  for (const auto& [id, posted] : requests) {
    const market::Offer& offer = posted.request.offer;
    if (offer.deadline < now) continue;
    all.emplace_back(posted.block,
                     OpenOffer{id, posted.locked_at.value_or(market::price_at(offer, now)), offer.max_price,
                               posted.request.max_new_tokens, offer.deadline, posted.locked_at.has_value()});
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<OpenOffer> offers;
  for (const auto& [block, offer] : all) offers.push_back(offer);
  return offers;
}

Result<Events> read_events(const Session& session, const base::Digest& model_id, unsigned id_bytes, std::uint64_t first,
                           std::uint64_t last) {
  Events events;
  for (std::uint64_t next = first; next <= last;) {
    const auto range = session.chain().logs(market::events_of(session.market->deployment()), next, last);
    if (!range) return fail("the market's events are not known", range.error());
    for (const chain::Log& log : range.value().logs) {
      const auto event = market::event_of(log);
      if (!event) return fail("the market's events are not known", event.error());
      if (event.value()) take_event(*event.value(), model_id, log.block.number, id_bytes, events);
    }
    next = range.value().upto + 1;
  }
  return events;
}

}  // namespace

Result<MarketPrices> recent_prices(const Session& session, const base::Digest& model_id, unsigned id_bytes,
                                   std::uint64_t blocks) {
  const auto head = head_of(session);
  if (!head) return base::Err{head.error()};
  const std::uint64_t last = head.value().ref.number;
  MarketPrices prices;
  prices.from_block = last >= blocks ? last - blocks + 1 : 0;
  auto events = read_events(session, model_id, id_bytes, prices.from_block, last);
  if (!events) return base::Err{events.error()};
  prices.payments = std::move(events.value().payments);
  std::reverse(prices.payments.begin(), prices.payments.end());
  prices.open = open_offers(events.value().requests, next_moment(session, head.value()));
  return prices;
}

chain::U256 price_of_payment(const chain::U256& payment, std::uint16_t base_permille, std::uint32_t produced,
                             std::uint32_t max_new_tokens) {
  // The contract's: payment = floor(price part / whole).
  const std::uint64_t most = max_new_tokens;
  const std::uint64_t base = std::min<std::uint64_t>(base_permille, kWholePrice);
  const std::uint64_t part = base * most + (kWholePrice - base) * produced;
  const auto product = multiply(payment, kWholePrice * most);
  if (!product) return chain::U256::max();
  std::uint64_t rest = 0;
  chain::U256 price = divide(*product, part, &rest);
  if (rest != 0) price = add(price, 1).value_or(price);
  return price;
}

std::optional<chain::U256> percentile_per_token(const std::vector<RecentPayment>& payments, unsigned percent) {
  if (payments.empty()) return std::nullopt;
  std::vector<chain::U256> all;
  for (const RecentPayment& one : payments) all.push_back(divide(one.price, one.max_new_tokens));
  std::sort(all.begin(), all.end());
  const std::size_t place = std::min(all.size() - 1, all.size() * std::min(percent, kAllPercent) / kAllPercent);
  return all[place];
}

chain::U256 rounded_up(const chain::U256& amount) {
  constexpr std::uint64_t kFourDigits = 1'000, kBase = 10;
  chain::U256 digits = amount, unit = 1;
  bool has_rest = false;
  while (digits >= chain::U256(kFourDigits)) {
    std::uint64_t rest = 0;
    digits = divide(digits, kBase, &rest);
    has_rest = has_rest || rest != 0;
    unit = *multiply(unit, kBase);
  }
  if (has_rest) digits = *add(digits, 1);
  return multiply(unit, digits.to_u64().value_or(0)).value_or(amount);
}

std::optional<chain::U256> suggested_price(const std::vector<RecentPayment>& payments, std::uint32_t max_new_tokens) {
  const auto usual = percentile_per_token(payments, kUsualPercent);
  if (!usual) return std::nullopt;
  const auto whole = multiply(*usual, max_new_tokens);
  const auto more = whole ? multiply(*whole, kMarginPercent) : std::nullopt;
  if (!more) return std::nullopt;
  return rounded_up(divide(*more, kAllPercent));
}

}  // namespace avow::requester
