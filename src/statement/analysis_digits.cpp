// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "statement/analysis_engine.hpp"

namespace avow::statement::analysis {
namespace {

// Read along axes only, all different.
bool is_whole(const Access& access) {
  return std::all_of(access.indices.begin(), access.indices.end(),
                     [](const Index& index) { return index.kind == Index::Kind::kAxis; });
}

std::string text_of(Int value) { return fmt::format("{}", value); }

}  // namespace

// Undetermined tensors that come together from rows of one table, as one digit; removes them from `unknown`.
std::optional<Engine::Digit> Engine::joint_digit(const Fact& fact, std::vector<Unknown>& unknown) {
  for (const Lookup& lookup : s_.lookups) {
    if (lookup.tuple.size() < 2 || !k_.algebra.spend(unknown.size())) continue;
    if (auto digit = joint_digit(fact, lookup, unknown)) return digit;
  }
  return std::nullopt;
}

std::optional<Engine::Digit> Engine::joint_digit(const Fact& fact, const Lookup& lookup,
                                                 std::vector<Unknown>& unknown) {
  std::vector<Column> columns;
  std::vector<Int> factors;
  std::vector<Unknown> others;
  Renaming renaming;  // axes of the lookup to indices of the fact
  for (const Unknown& u : unknown) {
    const Access read = *k_.algebra.access(u.atom);
    bool found = false;
    for (std::size_t c = 0; c < lookup.tuple.size() && !found; ++c) {
      const auto& column = columns_[lookup.table][c];
      const Fact* entry = entry_of(lookup, c);
      if (!column || entry == nullptr || entry->poly.size() > 2) continue;
      // +-T + constant
      Poly tensor = entry->poly;
      tensor.erase(Monomial{});
      if (tensor.size() != 1 || tensor.begin()->first.size() != 1) continue;
      const Int sign = tensor.begin()->second;
      const Access* own = k_.algebra.access(tensor.begin()->first[0]);
      if (absolute(sign) != 1 || own == nullptr || own->tensor != read.tensor || !is_whole(*own)) continue;
      if (own->indices.size() != lookup.axes.size()) continue;
      Renaming here;
      for (std::size_t i = 0; i < own->indices.size(); ++i) {
        here.emplace_back(static_cast<AxisId>(own->indices[i].value), read.indices[i]);
      }
      std::sort(here.begin(), here.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      if (!columns.empty() && here != renaming) continue;
      renaming = here;
      columns.push_back(*column);
      const auto factor = product(u.coefficient, sign);
      if (!factor) return std::nullopt;
      factors.push_back(*factor);
      found = true;
    }
    if (!found) others.push_back(u);
  }
  if (columns.size() < 2) return std::nullopt;
  for (const AtomId mask : k_.masks_of(lookup.mask)) {
    const auto renamed = k_.algebra.rename(mask, renaming);
    if (!renamed || !within({*renamed}, fact.masks)) return std::nullopt;
  }
  if (s_.tables[lookup.table].axes.size() != 1) return std::nullopt;
  const auto value = combined(columns, factors);
  if (!value) return std::nullopt;
  const Spacing result = spacing(*value);
  if (result.gap == 0) return std::nullopt;
  unknown = others;
  return Digit{result.gap, result.span};
}

void Engine::solve_digits(const Fact& fact, const std::vector<Unknown>& unknown) {
  std::vector<Unknown> single = unknown;
  std::vector<Digit> digits;
  while (single.size() > 1) {
    const auto digit = joint_digit(fact, single);
    if (!digit) break;
    digits.push_back(*digit);
  }
  for (const Unknown& u : single) {
    const Bound range = k_.range(u.atom, fact.masks);
    if (!range) {
      for (const Unknown& other : unknown) {
        note(fact, other.atom, other.atom == u.atom ? "has no checked range" : "beside a tensor without checked range");
      }
      return;
    }
    const auto span = product(absolute(u.coefficient), range->width());
    digits.push_back({absolute(u.coefficient), span.value_or(kHuge)});
  }
  std::sort(digits.begin(), digits.end(), [](const Digit& a, const Digit& b) { return a.gap < b.gap; });
  Int below = fact.is_exact ? 0 : fact.range->width();
  for (const Digit& digit : digits) {
    if (digit.gap <= below) {
      for (const Unknown& u : unknown) {
        note(fact, u.atom, fmt::format("steps of {} are within a range of {}", text_of(digit.gap), text_of(below)));
      }
      return;
    }
    below = std::min(kHuge, below + digit.span);
  }
  if (below >= kModulus) {
    for (const Unknown& u : unknown) note(fact, u.atom, fmt::format("a span of {} is not below p", text_of(below)));
    return;
  }
  for (const Unknown& u : unknown) {
    const Access access = *k_.algebra.access(u.atom);
    if (k_.learn_determined(access, fact.masks, Reason::kDigits, fact.claim)) learned(fact, access.tensor);
  }
}

}  // namespace avow::statement::analysis
