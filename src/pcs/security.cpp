// SPDX-License-Identifier: Apache-2.0
#include "pcs/security.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/check.hpp"

// Notation of WHIR's theorem 5.2 (eprint 2024/1586): i iteration = oracle, s round, m_i log_len, mu_i log_inv_rate,
// rho_i = 2^-mu_i, t_i queries, l list size, delta radius, q field size. "BCHKS25" is eprint 2025/2055.

namespace avow::pcs {
namespace {

// Collisions of a 256-bit hash: Merkle trees and the transcript.
constexpr double kCollisionBits = 128;
// soundcalc's choice for fields above 2^150; smaller gaps cost fold rounds, larger ones queries.
constexpr double kGapDivisor = 100;

double field_size() { return std::pow(18446744069414584321.0, 3.0); }
double rate_of(std::uint32_t log_inv_rate) { return std::ldexp(1.0, -static_cast<int>(log_inv_rate)); }
double bits_of(double error) { return -std::log2(error); }

/// BCHKS25 theorem 4.2 with gap eta = sqrt(rho)/100 (Johnson), corollary 1.4 (unique decoding).
double radius(Regime regime, double rate) {
  if (regime == Regime::kUniqueDecoding) return (1 - rate) / 2;
  const double sqrt_rate = std::sqrt(rate);
  const double gap = sqrt_rate / kGapDivisor;
  return 1 - sqrt_rate - gap;
}

/// Johnson bound: at most 1 / (2 eta sqrt(rho)) codewords within 1 - sqrt(rho) - eta. It uses nothing but the minimum
/// distance, so it holds for interleaved words, too.
double list_size(Regime regime, double rate) {
  if (regime == Regime::kUniqueDecoding) return 1;
  const double sqrt_rate = std::sqrt(rate);
  // Recovered from the radius as soundcalc does it, not kept: the last bit decides the multiplicity below.
  const double gap = 1 - sqrt_rate - radius(regime, rate);
  return 1.0 / (2 * gap * sqrt_rate);
}

/// Multiplicity of the interpolation in BCHKS25 theorem 4.2: max(ceil(sqrt(rho) / (2 eta)), 3). That is 50 by
/// definition of eta; for some rates rounding makes it 51, which overstates the error by 0.14 bits and is kept because
/// soundcalc has it.
double multiplicity(double rate) {
  const double sqrt_rate = std::sqrt(rate);
  const double gap = 1 - sqrt_rate - radius(Regime::kJohnson, rate);
  return std::max(std::ceil(sqrt_rate / (2 * gap)), 3.0);
}

/// Mutual correlated agreement of f + r g, g, f against the code of this rate and dimension.
double correlated_agreement_error(Regime regime, double rate, double dimension) {
  const double length = dimension / rate;
  const double delta = radius(regime, rate);
  if (regime == Regime::kUniqueDecoding) return (delta * length + 1) / field_size();
  const double sqrt_rate = std::sqrt(rate);
  const double shifted = multiplicity(rate) + 0.5;
  const double numerator = (2 * std::pow(shifted, 5.0) + 3 * shifted * (delta * rate)) * length;
  const double denominator = 3 * rate * sqrt_rate;
  return (numerator / denominator + shifted / sqrt_rate) / field_size();
}

double fold_error(Regime regime, std::uint32_t log_inv_rate, std::uint32_t log_dimension,
                  std::uint32_t constraint_degree) {
  const double rate = rate_of(log_inv_rate);
  const double dimension = std::ldexp(1.0, static_cast<int>(log_dimension));
  return constraint_degree * list_size(regime, rate) / field_size() +
         correlated_agreement_error(regime, rate, dimension);
}

/// WHIR's epsilon^out: l^2 2^m / (2q) for a committed polynomial of 2^log_len coefficients.
double out_of_domain_error(Regime regime, std::uint32_t log_inv_rate, std::uint32_t log_len) {
  const double list = list_size(regime, rate_of(log_inv_rate));
  return list * list * (std::ldexp(1.0, static_cast<int>(log_len)) / (2 * field_size()));
}

SecurityRow make_row(std::string name, Regime regime, double bits, std::string_view formula) {
  const auto floor_bits = static_cast<std::int32_t>(std::floor(bits));
  return {std::move(name), regime, bits, floor_bits, formula.empty(), formula};
}

/// The rounds that soundcalc knows, in its order.
class SoundcalcRounds {
 public:
  SoundcalcRounds(const SoundcalcInput& input, Regime regime) : input_(input), regime_(regime) {}

  std::vector<SecurityRow> run() {
    std::uint32_t log_len = input_.log_degree;
    if (input_.batch_size > 1) batching(log_len);
    fold_rounds(0, log_len);
    for (std::size_t i = 1; i < input_.folding_factors.size(); ++i) {
      log_len -= input_.folding_factors[i - 1];
      add(fmt::format("OOD(i={})", i), bits_of(out_of_domain_error(regime_, input_.log_inv_rates[i], log_len)));
      shift(i);
      fold_rounds(i, log_len);
    }
    // epsilon^fin = (1 - delta_{M-1})^t_{M-1}
    add("fin", query_bits(regime_, input_.log_inv_rates.back(), input_.num_queries.back()) +
                   input_.grinding_bits_queries.back());
    return std::move(rows_);
  }

 private:
  /// Powers of one challenge over batch_size words: (batch_size - 1) err.
  void batching(std::uint32_t log_len) {
    const double dimension = std::ldexp(1.0, static_cast<int>(log_len));
    const double error = correlated_agreement_error(regime_, rate_of(input_.log_inv_rates[0]), dimension);
    add("batching", bits_of(error * (input_.batch_size - 1)) + input_.grinding_batching_phase);
  }

  /// epsilon^fold_{i,s} = d l_{i,s-1}/q + err(C_{i,s}, 2, delta_i); C_{i,s} has dimension 2^(m_i - s).
  void fold_rounds(std::size_t i, std::uint32_t log_len) {
    for (std::uint32_t s = 1; s <= input_.folding_factors[i]; ++s) {
      const double error = fold_error(regime_, input_.log_inv_rates[i], log_len - s, input_.constraint_degree);
      add(fmt::format("fold(i={},s={})", i, s), bits_of(error) + input_.grinding_bits_folding[i][s - 1]);
    }
  }

  /// epsilon^shift_i = (1 - delta_{i-1})^t_{i-1} + l_{i,0} (t_{i-1} + 1)/q.
  void shift(std::size_t i) {
    const double queries = input_.num_queries[i - 1];
    const double miss = std::pow(1.0 - radius(regime_, rate_of(input_.log_inv_rates[i - 1])), queries);
    const double join = list_size(regime_, rate_of(input_.log_inv_rates[i])) * (queries + 1) / field_size();
    add(fmt::format("Shift(i={})", i), bits_of(miss + join) + input_.grinding_bits_queries[i - 1]);
  }

  void add(std::string name, double bits) { rows_.push_back(make_row(std::move(name), regime_, bits, {})); }

  const SoundcalcInput& input_;
  const Regime regime_;
  std::vector<SecurityRow> rows_;
};

/// Appends what soundcalc does not know. Its rows of this regime are `rows` from `begin` on.
void add_other_rounds(const Config& config, const Shape& shape, Regime regime, std::size_t begin,
                      std::vector<SecurityRow>& rows) {
  const auto other = [&](std::string name, double bits, std::string_view formula) {
    rows.push_back(make_row(std::move(name), regime, bits, formula));
  };
  const std::uint32_t log_inv_rate = config.oracles[0].log_inv_rate;
  other("OOD(i=0), each commitment",
        bits_of(out_of_domain_error(regime, log_inv_rate, config.log_rows + shape.log_columns)),
        "l_0^2 2^(m+kappa) / (2q)");
  if (shape.claims > 1) {  // a single claim needs no coefficient
    const double error = (shape.claims - 1) * list_size(regime, rate_of(log_inv_rate)) / field_size();
    other("joining of claims", bits_of(error), "(claims-1) l_0 / q");
  }
  if (config.final_log_len() > 0) other("final sumcheck, each round", bits_of(2 / field_size()), "2/q");
  // An element is three numbers below 2^80, each modulo p (spec/transcript.md): a value of a coefficient has
  // probability at most (1/p)(1 + p/2^80), so the error of each round above grows by at most (1 + 2^-16)^3.
  const auto worst = std::min_element(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.end(),
                                      [](const auto& a, const auto& b) { return a.bits < b.bits; });
  other("worst round, biased challenges", worst->bits - 3 * std::log2(1 + std::ldexp(1.0, -16)),
        "minimum of the above - 3 log2(1 + 2^-16)");
  other("Keccak-256 collision", kCollisionBits, "half of 256 bits");
}

template <typename Predicate>
std::int32_t minimum(const std::vector<SecurityRow>& rows, Predicate&& counts) {
  std::int32_t bits = static_cast<std::int32_t>(kCollisionBits);
  bool any = false;
  for (const SecurityRow& row : rows) {
    if (!counts(row)) continue;
    bits = any ? std::min(bits, row.floor_bits) : row.floor_bits;
    any = true;
  }
  AVOW_CHECK(any);
  return bits;
}

}  // namespace

double query_bits(Regime regime, std::uint32_t log_inv_rate, std::uint32_t queries) {
  // In the logarithm: the power itself leaves the range of doubles at a thousand queries of a low rate.
  return queries * bits_of(1.0 - radius(regime, rate_of(log_inv_rate)));
}

double fold_bits(Regime regime, std::uint32_t log_inv_rate, std::uint32_t log_dimension) {
  return bits_of(fold_error(regime, log_inv_rate, log_dimension, SoundcalcInput().constraint_degree));
}

std::vector<SecurityRow> soundcalc_rounds(const SoundcalcInput& input, Regime regime) {
  return SoundcalcRounds(input, regime).run();
}

SoundcalcInput to_soundcalc(const Config& config, const Shape& shape) {
  SoundcalcInput input;
  input.log_degree = config.log_rows + shape.log_columns;
  for (std::size_t i = 0; i < config.oracles.size(); ++i) {
    const OracleConfig& oracle = config.oracles[i];
    const std::uint32_t fold = i == 0 ? shape.log_columns : oracle.log_fold;
    input.folding_factors.push_back(fold);
    input.log_inv_rates.push_back(oracle.log_inv_rate);
    input.num_queries.push_back(oracle.queries);
    input.grinding_bits_queries.push_back(oracle.query_grinding_bits);
    input.grinding_bits_folding.emplace_back(fold, oracle.fold_grinding_bits);
  }
  return input;
}

std::int32_t SecurityReport::soundcalc_bits(Regime regime) const {
  return minimum(rows, [&](const SecurityRow& row) { return row.regime == regime && row.known_to_soundcalc; });
}
std::int32_t SecurityReport::other_bits(Regime regime) const {
  return minimum(rows, [&](const SecurityRow& row) { return row.regime == regime && !row.known_to_soundcalc; });
}
std::int32_t SecurityReport::bits(Regime regime) const {
  return minimum(rows, [&](const SecurityRow& row) { return row.regime == regime; });
}
std::int32_t SecurityReport::bits() const { return std::max(bits(Regime::kUniqueDecoding), bits(Regime::kJohnson)); }

SecurityReport analyse_security(const Config& config, const Shape& shape) {
  AVOW_CHECK(validate(config) == ConfigError::kNone);
  SecurityReport report;
  const SoundcalcInput input = to_soundcalc(config, shape);
  // The same rounds in the same order, so that the table can pair them.
  for (const Regime regime : {Regime::kJohnson, Regime::kUniqueDecoding}) {
    const std::size_t begin = report.rows.size();
    for (SecurityRow& row : soundcalc_rounds(input, regime)) report.rows.push_back(std::move(row));
    add_other_rounds(config, shape, regime, begin, report.rows);
  }
  return report;
}

bool reaches_level(const Config& config) {
  if (validate(config) != ConfigError::kNone) return false;
  // Every error grows with the number of columns and of claims.
  const SecurityReport report = analyse_security(config, {config.max_log_columns, kMaxClaims});
  return std::cmp_greater_equal(report.bits(), config.level);
}

std::string format_security(const SecurityReport& report) {
  std::string text = fmt::format("{:<32} {:>9} {:>9}\n", "round", "Johnson", "unique");
  const std::size_t half = report.rows.size() / 2;
  bool apart = false;
  for (std::size_t i = 0; i < half; ++i) {
    const SecurityRow& johnson = report.rows[i];
    const SecurityRow& unique = report.rows[half + i];
    AVOW_CHECK(johnson.name == unique.name);
    if (!johnson.known_to_soundcalc && !apart) text += "not known to soundcalc:\n";
    apart = !johnson.known_to_soundcalc;
    fmt::format_to(std::back_inserter(text), "{:<32} {:>9.2f} {:>9.2f}{}{}\n", johnson.name, johnson.bits, unique.bits,
                   johnson.formula.empty() ? "" : "   ", johnson.formula);
  }
  const auto line = [&](const char* name, auto bits) {
    fmt::format_to(std::back_inserter(text), "{:<32} {:>9} {:>9}\n", name, bits(Regime::kJohnson),
                   bits(Regime::kUniqueDecoding));
  };
  line("minimum, soundcalc's rounds", [&](Regime regime) { return report.soundcalc_bits(regime); });
  line("minimum, the others", [&](Regime regime) { return report.other_bits(regime); });
  line("minimum", [&](Regime regime) { return report.bits(regime); });
  return text;
}

}  // namespace avow::pcs
