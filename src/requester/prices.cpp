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

struct Events {
  std::map<base::Digest, market::Request> requests;  // of the model
  std::vector<std::pair<market::Fulfilled, std::uint64_t>> fulfilled;
  std::uint64_t refunded = 0;
};

void take_event(const market::Event& event, const base::Digest& model_id, std::uint64_t block, Events& events) {
  if (const auto* posted = std::get_if<market::Requested>(&event); posted != nullptr) {
    if (posted->request.model_id == model_id) events.requests.emplace(posted->id, posted->request);
  } else if (const auto* paid = std::get_if<market::Fulfilled>(&event); paid != nullptr) {
    if (events.requests.contains(paid->id)) events.fulfilled.emplace_back(*paid, block);
  } else if (const auto* back = std::get_if<market::Refunded>(&event); back != nullptr) {
    if (events.requests.contains(back->id)) ++events.refunded;
  }
}

Result<Events> read_events(const Session& session, const base::Digest& model_id, std::uint64_t first,
                           std::uint64_t last) {
  Events events;
  for (std::uint64_t next = first; next <= last;) {
    const auto range = session.chain().logs(market::events_of(session.market->deployment()), next, last);
    if (!range) return fail("the market's events are not known", range.error());
    for (const chain::Log& log : range.value().logs) {
      const auto event = market::event_of(log);
      if (!event) return fail("the market's events are not known", event.error());
      if (event.value()) take_event(*event.value(), model_id, log.block.number, events);
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
  const auto events = read_events(session, model_id, prices.from_block, last);
  if (!events) return base::Err{events.error()};
  const auto& [requests, fulfilled, refunded] = events.value();
  for (const auto& [paid, block] : fulfilled) {
    const market::Request& request = requests.at(paid.id);
    RecentPayment one{paid.id, paid.payee, block, paid.payment, request.max_new_tokens, 0, {}};
    one.produced = static_cast<std::uint32_t>(paid.output.size() / id_bytes);
    if (one.produced == 0 || one.max_new_tokens == 0) continue;
    one.price = price_of_payment(paid.payment, request.offer.base_permille, one.produced, one.max_new_tokens);
    prices.payments.push_back(one);
  }
  std::reverse(prices.payments.begin(), prices.payments.end());
  const std::uint64_t ended = fulfilled.size() + refunded;
  prices.open = requests.size() > ended ? requests.size() - ended : 0;
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

std::optional<chain::U256> suggested_price(const std::vector<RecentPayment>& payments, std::uint32_t max_new_tokens) {
  const auto usual = percentile_per_token(payments, kUsualPercent);
  if (!usual) return std::nullopt;
  const auto whole = multiply(*usual, max_new_tokens);
  const auto more = whole ? multiply(*whole, kMarginPercent) : std::nullopt;
  if (!more) return std::nullopt;
  return divide(*more, kAllPercent);
}

}  // namespace avow::requester
