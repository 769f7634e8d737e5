// SPDX-License-Identifier: Apache-2.0
#include "requester/update.hpp"

namespace avow::requester {

const char* name(UpdateKind kind) noexcept {
  switch (kind) {
    case UpdateKind::kAccountBusy:
      return "account_busy";
    case UpdateKind::kApproving:
      return "approving";
    case UpdateKind::kSending:
      return "sending";
    case UpdateKind::kOpen:
      return "open";
    case UpdateKind::kPrice:
      return "price";
    case UpdateKind::kLocked:
      return "locked";
    case UpdateKind::kProving:
      return "proving";
    case UpdateKind::kStep:
      return "step";
    case UpdateKind::kLockOver:
      return "lock_over";
    case UpdateKind::kCancelling:
      return "cancelling";
    case UpdateKind::kFulfilled:
      return "fulfilled";
    case UpdateKind::kRefunded:
      return "refunded";
    case UpdateKind::kExpired:
      return "expired";
    case UpdateKind::kReorganised:
      return "reorganised";
    case UpdateKind::kNodeLost:
      return "node_lost";
    case UpdateKind::kNodeBack:
      return "node_back";
    case UpdateKind::kRaising:
      return "raising";
  }
  return "";
}

}  // namespace avow::requester
