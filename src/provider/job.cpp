// SPDX-License-Identifier: Apache-2.0
#include "provider/job.hpp"

namespace avow::provider {

using market::Status;

const char* name(Stage stage) noexcept {
  switch (stage) {
    case Stage::kSeen:
      return "seen";
    case Stage::kRan:
      return "ran";
    case Stage::kProven:
      return "proven";
    case Stage::kPaid:
      return "paid";
    case Stage::kLost:
      return "lost";
    case Stage::kRefused:
      return "refused";
  }
  return "?";
}

std::optional<Standing> standing_after(const market::Event& event, std::uint64_t block) {
  if (std::holds_alternative<market::Requested>(event)) return Standing{Status::kOpen, {}, block};
  if (const auto* locked = std::get_if<market::Locked>(&event)) {
    return Standing{Status::kLocked, locked->locker, block, locked->price, locked->until};
  }
  if (std::holds_alternative<market::Cancelling>(event)) return Standing{Status::kCancelling, {}, block};
  if (const auto* fulfilled = std::get_if<market::Fulfilled>(&event)) {
    return Standing{Status::kFulfilled, fulfilled->payee, block};
  }
  if (std::holds_alternative<market::Refunded>(event)) return Standing{Status::kRefunded, {}, block};
  return std::nullopt;
}

Standing standing_of(const market::RequestState& state, const market::Offer& offer) {
  Standing standing{state.status, state.account, state.since_block};
  if (state.status == Status::kLocked) {
    standing.price = market::price_at(offer, state.since);
    standing.until = state.since + offer.lock_duration;
  }
  return standing;
}

}  // namespace avow::provider
