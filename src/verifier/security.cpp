// SPDX-License-Identifier: Apache-2.0
#include "verifier/security.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "pcs/security.hpp"

namespace avow::verifier {
namespace {

// The extension has q = p^3 > 2^191.99 elements, and x >= 1 a logarithm of at most bit_width(x - 1).
constexpr std::uint32_t kLogField = 191;

std::uint32_t bits_over(std::uint64_t numerator) {
  return kLogField - static_cast<std::uint32_t>(std::bit_width(std::max<std::uint64_t>(numerator, 1) - 1));
}

std::uint64_t count_cells(const reduction::Plan& plan) {
  std::uint64_t cells = 0;
  for (const auto& column : plan.lookup.columns) cells += std::uint64_t{1} << column.log_size;
  return cells;
}

void add_lookups(const reduction::Plan& plan, std::vector<ArgumentRound>& rounds) {
  if (plan.lookup.columns.empty()) return;
  const std::uint64_t cells = count_cells(plan);
  rounds.push_back({"alpha", fmt::format("{} cells / q", cells), bits_over(cells)});
  // W N^2 / 2 by logarithms that are rounded up.
  const auto log_cells = static_cast<std::uint32_t>(std::bit_width(cells - 1));
  const auto log_width = static_cast<std::uint32_t>(std::bit_width(plan.tag_power));
  rounds.push_back({"beta", fmt::format("{} x {}^2 / 2q", plan.tag_power, cells),
                    kLogField - log_width - (log_cells == 0 ? 0 : 2 * log_cells - 1)});
  rounds.push_back({"lookup argument, each round", "3 / q", bits_over(3)});
}

void add_stages(const reduction::Plan& plan, std::vector<ArgumentRound>& rounds) {
  std::size_t joined = 0;
  unsigned degree = 0;
  for (const auto& stage : plan.stages) {
    std::size_t own = stage.sums.size() + stage.reads.size();
    for (const auto& gathered : stage.gathered) own += gathered.claims.size();
    joined = std::max(joined, own);
    for (const auto d : stage.degrees) degree = std::max<unsigned>(degree, d);
  }
  if (joined == 0) return;
  rounds.push_back({"join of a stage's claims", fmt::format("{} / q", joined), bits_over(joined)});
  rounds.push_back({"sumcheck, each round", fmt::format("{} / q", degree), bits_over(degree)});
}

}  // namespace

std::vector<ArgumentRound> argument_rounds(const Setting& setting) {
  std::vector<ArgumentRound> rounds;
  add_lookups(setting.plan, rounds);
  const std::uint64_t coordinates = setting.plan.zero_coordinates;
  if (coordinates > 0) rounds.push_back({"zero claims", fmt::format("{} / q", coordinates), bits_over(coordinates)});
  add_stages(setting.plan, rounds);
  return rounds;
}

pcs::Shape opening_shape(const Setting& setting) {
  std::uint64_t columns = reduction::columns(setting.witness);
  std::uint32_t claims = 1;
  if (setting.model_key) {
    columns += reduction::columns(setting.model);
    ++claims;
  }
  const auto log_columns = static_cast<std::uint32_t>(std::bit_width(columns - 1));
  return {log_columns, claims + static_cast<std::uint32_t>(setting.plan.opened.size())};
}

std::uint32_t security_bits(const Setting& setting) {
  const auto opening = pcs::analyse_security(setting.key->config, opening_shape(setting));
  auto least = static_cast<std::uint32_t>(std::max(opening.bits(), 0));
  for (const ArgumentRound& round : argument_rounds(setting)) least = std::min(least, round.bits);
  return least;
}

}  // namespace avow::verifier
