// SPDX-License-Identifier: Apache-2.0
#include "chain/fees.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace avow::chain {
namespace {

// As a person reads it.
std::string gwei(const U256& wei) { return to_units(wei, 9) + " gwei"; }

// A node may say any number; what overflows is above every cap.
U256 saturated(const std::optional<U256>& value) { return value.value_or(U256::max()); }

U256 most_tip(const FeePolicy& policy) { return policy.most_priority_fee.value_or(kMostPriorityFee); }

U256 raised(const U256& fee) {
  const U256 eighth = divide(fee, 8);
  return saturated(add(saturated(add(fee, eighth)), 1));
}

}  // namespace

Result<Fees> fees_after(const FeeHistory& history, const FeePolicy& policy) {
  if (history.base_fees.empty()) return fail(Cause::kReply, "a history of fees without a block");
  const U256 base_fee = history.base_fees.back();
  std::vector<U256> tips = history.tips;
  std::sort(tips.begin(), tips.end());
  const U256 usual = tips.empty() ? U256(0) : tips[tips.size() / 2];
  const U256 tip = std::min(std::max(usual, policy.least_priority_fee), most_tip(policy));
  const U256 now = saturated(add(base_fee, tip));
  if (now > policy.most_fee) {
    return fail(Cause::kFeeCap,
                fmt::format("gas costs {} at present, and at most {} may be paid; wait, or raise the cap", gwei(now),
                            gwei(policy.most_fee)));
  }
  const U256 with_room = saturated(add(saturated(multiply(base_fee, 2)), tip));
  return Fees{tip, std::min(with_room, policy.most_fee)};
}

Result<Fees> propose_fees(Client& client, const FeePolicy& policy) {
  const auto history = client.fee_history(policy.history_blocks, policy.percentile);
  if (!history) return base::Err{history.error()};
  return fees_after(history.value(), policy);
}

Result<Fees> raise_fees(const Fees& old, const Fees& wanted, const FeePolicy& policy) {
  const Fees fees{std::max(raised(old.max_priority_fee), wanted.max_priority_fee),
                  std::max(raised(old.max_fee), wanted.max_fee)};
  if (fees.max_priority_fee > most_tip(policy)) {
    return fail(Cause::kReplacement,
                fmt::format("a replacement has to tip {} for each gas, and at most {} may be tipped; "
                            "wait, or raise the cap",
                            gwei(fees.max_priority_fee), gwei(most_tip(policy))));
  }
  if (fees.max_fee > policy.most_fee) {
    return fail(Cause::kReplacement,
                fmt::format("a replacement has to pay {} for each gas, and at most {} may be paid; "
                            "wait, or raise the cap",
                            gwei(fees.max_fee), gwei(policy.most_fee)));
  }
  return fees;
}

std::optional<Error> check_total_fee(const Fees& fees, std::uint64_t gas, const FeePolicy& policy) {
  const U256 total = saturated(multiply(fees.max_fee, gas));
  if (total <= policy.most_total_fee) return std::nullopt;
  return Error{Cause::kFeeCap,
               fmt::format("{} gas may cost {} ether, and at most {} may be paid for a transaction; wait, or raise the "
                           "cap",
                           gas, to_units(total, 18), to_units(policy.most_total_fee, 18))};
}

}  // namespace avow::chain
