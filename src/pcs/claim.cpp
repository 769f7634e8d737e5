// SPDX-License-Identifier: Apache-2.0
#include "pcs/claim.hpp"

#include <algorithm>
#include <bit>
#include <string_view>

#include "base/check.hpp"
#include "pcs/messages.hpp"
#include "transcript/transcript.hpp"

namespace avow::pcs {

using field::Fp3;

std::size_t columns(std::span<const std::uint8_t> log_groups) noexcept {
  std::size_t sum = 0;
  for (const auto log_cols : log_groups) sum += std::size_t{1} << log_cols;
  return sum;
}

std::vector<std::uint8_t> groups_of(std::size_t columns) {
  std::vector<std::uint8_t> groups;
  for (int bit = 63; bit >= 0; --bit) {
    if ((columns >> bit) & 1) groups.push_back(static_cast<std::uint8_t>(bit));
  }
  return groups;
}

Claim ood_claim(const CommitmentKey& key, std::uint32_t index, std::uint32_t log_rows) {
  const auto kappa = static_cast<std::size_t>(std::bit_width(columns(key.log_groups) - 1));
  const auto powers = field::power_factors(key.ood_point, kappa + log_rows);
  Claim claim{{}, key.ood_value};
  std::uint64_t offset = 0;
  for (std::uint32_t g = 0; g < key.log_groups.size(); ++g) {
    const std::size_t log_cols = key.log_groups[g];
    Term term{index, g, key.ood_point.pow(offset), {}};
    term.factors.assign(powers.begin(), powers.begin() + static_cast<std::ptrdiff_t>(log_cols));
    term.factors.insert(term.factors.end(), powers.begin() + static_cast<std::ptrdiff_t>(kappa), powers.end());
    claim.terms.push_back(std::move(term));
    offset += std::uint64_t{1} << log_cols;
  }
  return claim;
}

Fp3 fixed_ood_point(const base::Digest& protocol, std::span<const std::uint8_t> log_groups, const base::Digest& root) {
  constexpr std::string_view kSession = "avow/pcs/fixed-ood/1";
  const auto* session = reinterpret_cast<const std::uint8_t*>(kSession.data());
  transcript::Transcript t(protocol, {session, kSession.size()}, log_groups);
  t.absorb_digest(messages::kRoot, root);
  return t.challenge(messages::kOodPoint);
}

CommitmentKey fixed_key(const base::Digest& protocol, const base::Digest& root,
                        std::span<const std::uint8_t> log_groups, const Fp3& ood_value) {
  return {root, {log_groups.begin(), log_groups.end()}, fixed_ood_point(protocol, log_groups, root), ood_value, true};
}

bool keys_are_valid(std::span<const CommitmentKey> keys, std::uint32_t max_log_columns) noexcept {
  std::uint64_t sum = 0;
  for (const CommitmentKey& key : keys) {
    if (key.log_groups.empty() || key.log_groups.front() > max_log_columns) return false;
    const auto not_decreasing = [](std::uint8_t a, std::uint8_t b) { return a <= b; };
    if (std::adjacent_find(key.log_groups.begin(), key.log_groups.end(), not_decreasing) != key.log_groups.end()) {
      return false;
    }
    sum += columns(key.log_groups);  // below 2^17 each
  }
  return !keys.empty() && sum <= std::uint64_t{1} << max_log_columns;
}

bool claims_are_valid(std::span<const CommitmentKey> keys, std::span<const Claim> claims,
                      std::uint32_t log_rows) noexcept {
  const auto valid = [&](const Term& term) {
    return term.commitment < keys.size() && term.group < keys[term.commitment].log_groups.size() &&
           term.factors.size() == std::size_t{keys[term.commitment].log_groups[term.group]} + log_rows;
  };
  return std::all_of(claims.begin(), claims.end(),
                     [&](const Claim& claim) { return std::all_of(claim.terms.begin(), claim.terms.end(), valid); });
}

const Slot& JointLayout::slot(std::uint32_t commitment, std::uint32_t group) const {
  const auto it = std::find_if(slots.begin(), slots.end(),
                               [&](const Slot& s) { return s.commitment == commitment && s.group == group; });
  AVOW_CHECK(it != slots.end());
  return *it;
}

JointLayout joint_layout(std::span<const CommitmentKey> keys) {
  JointLayout layout;
  for (std::uint32_t k = 0; k < keys.size(); ++k) {
    for (std::uint32_t g = 0; g < keys[k].log_groups.size(); ++g)
      layout.slots.push_back({k, g, keys[k].log_groups[g], 0});
  }
  std::stable_sort(layout.slots.begin(), layout.slots.end(),
                   [](const Slot& a, const Slot& b) { return a.log_cols > b.log_cols; });
  std::uint32_t offset = 0;
  for (Slot& slot : layout.slots) {
    slot.offset = offset;  // a sum of multiples of this slot's size
    offset += 1u << slot.log_cols;
  }
  layout.log_columns = static_cast<std::uint32_t>(std::bit_width(offset - 1));
  return layout;
}

Fp3 evaluate_weight(const JointLayout& layout, const Term& term, std::span<const Fp3> point) {
  const Slot& slot = layout.slot(term.commitment, term.group);
  AVOW_CHECK(term.factors.size() + layout.log_columns == point.size() + slot.log_cols);
  Fp3 value = term.coefficient;
  for (std::size_t i = 0; i < slot.log_cols; ++i) value *= term.factors[i].at(point[i]);
  for (std::size_t i = slot.log_cols; i < layout.log_columns; ++i) {
    value *= ((slot.offset >> i) & 1) != 0 ? point[i] : field::kOne3 - point[i];
  }
  for (std::size_t i = slot.log_cols; i < term.factors.size(); ++i) {
    value *= term.factors[i].at(point[i + layout.log_columns - slot.log_cols]);
  }
  return value;
}

}  // namespace avow::pcs
