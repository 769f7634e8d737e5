// SPDX-License-Identifier: Apache-2.0
#include "pcs/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "base/check.hpp"
#include "pcs/security.hpp"

namespace avow::pcs {
namespace {

constexpr int kTimeSteps = 250;
// Every round must clear the level by this much: the bias of challenges (7e-5 bits) and rounding are then covered.
constexpr double kMargin = 1e-4;
constexpr std::uint32_t kMaxFold = 7;
constexpr std::uint32_t kMaxLogInvRate = 16;
constexpr std::uint32_t kMaxLogDomain = 28;
constexpr std::uint32_t kMaxFinalLogLen = 10;
constexpr std::uint32_t kMaxTailOracles = 15;
constexpr std::uint32_t kMaxQueries = 512;
// An oracle so small that most of its leaves are opened is worse than its coefficients in the clear.
constexpr double kMinPointsPerQuery = 4;
// The gap is fixed, so the Johnson radius is above the unique decoding one for every rate below 1/1.02^2.
constexpr Regime kRegime = Regime::kJohnson;

double pow2(std::uint32_t e) { return std::ldexp(1.0, static_cast<int>(e)); }

/// A way to finish the protocol from some oracle on. Immutable nodes in one pool, linked to what follows.
struct Tail {
  CostPart cost;
  OracleConfig oracle;
  std::int32_t next = -1;  // -1: the final polynomial
  std::uint32_t oracles = 1;
  double steps = 0;  // time, rounded up

  double calldata_gas() const { return 40 * cost.bytes; }
  double execution_gas() const { return 16 * cost.bytes + cost.execution_gas; }
};

/// Those of `tails` that no other one beats in everything, cheapest calldata first.
std::vector<Tail> pareto_front(std::vector<Tail> tails) {
  std::stable_sort(tails.begin(), tails.end(), [](const Tail& a, const Tail& b) {
    if (a.calldata_gas() != b.calldata_gas()) return a.calldata_gas() < b.calldata_gas();
    if (a.steps != b.steps) return a.steps < b.steps;
    return a.execution_gas() < b.execution_gas();
  });
  // By rising calldata: a tail survives if none of at most its steps has at most its execution. best[s] is the least
  // execution gas among survivors of at most s steps.
  std::vector<double> best(kTimeSteps + 1, HUGE_VAL);
  std::vector<Tail> front;
  for (const Tail& tail : tails) {
    const auto step = static_cast<std::size_t>(tail.steps);
    if (best[step] <= tail.execution_gas()) continue;
    for (std::size_t s = step; s <= kTimeSteps && best[s] > tail.execution_gas(); ++s) best[s] = tail.execution_gas();
    front.push_back(tail);
  }
  return front;
}

class Search {
 public:
  Search(const SearchProblem& problem, const ProverSpeed& speed)
      : problem_(problem),
        speed_(speed),
        step_ns_(problem.budget_seconds * 1e9 * speed.cores / kTimeSteps),
        level_(problem.level + kMargin) {}

  std::optional<SearchResult> run() {
    for (std::uint32_t log_len = 1; log_len <= problem_.max_log_rows; ++log_len) build_front(log_len);
    for (std::uint32_t m = problem_.min_log_rows; m <= problem_.max_log_rows; ++m) {
      for (std::uint32_t mu = 1; mu <= kMaxLogInvRate && m + mu <= kMaxLogDomain; ++mu) try_first_oracle(m, mu);
    }
    return std::move(best_);
  }

 private:
  /// The least grinding with which every fold round onto codes of at most 2^log_dimension reaches the level.
  std::optional<std::uint32_t> fold_grinding(std::uint32_t log_inv_rate, std::uint32_t log_dimension) const {
    const double missing = level_ - fold_bits(kRegime, log_inv_rate, log_dimension);
    const double bits = std::max(0.0, std::ceil(missing));
    if (bits > problem_.max_grinding_bits) return std::nullopt;
    return static_cast<std::uint32_t>(bits);
  }

  /// The pairs of grinding and queries worth trying: for each number of queries the least grinding.
  std::vector<OracleConfig> query_choices(std::uint32_t log_inv_rate) const {
    std::vector<OracleConfig> choices;
    const double bits = query_bits(kRegime, log_inv_rate, 1);
    for (std::uint32_t grinding = 0; grinding <= problem_.max_grinding_bits; ++grinding) {
      const auto queries = static_cast<std::uint32_t>(std::max(1.0, std::ceil((level_ - grinding) / bits)));
      if (queries > kMaxQueries || (!choices.empty() && choices.back().queries == queries)) continue;
      choices.push_back({.log_inv_rate = log_inv_rate, .queries = queries, .query_grinding_bits = grinding});
    }
    return choices;
  }

  double steps_of(const CostPart& cost) const { return std::ceil(cost.core_ns / step_ns_); }

  /// All good ways to finish from an oracle that commits to 2^log_len coefficients on.
  void build_front(std::uint32_t log_len) {
    std::vector<Tail> tails;
    for (std::uint32_t fold = 1; fold <= std::min(kMaxFold, log_len); ++fold) {
      const std::uint32_t left = log_len - fold;
      for (std::uint32_t mu = 1; mu <= kMaxLogInvRate && left + mu <= kMaxLogDomain; ++mu) {
        const auto grinding = fold_grinding(mu, log_len - 1);
        // Both only grow with the length of the code.
        if (!grinding || tail_oracle_bytes(log_len, {.log_inv_rate = mu, .log_fold = fold}) > problem_.max_oracle_bytes)
          break;
        for (OracleConfig oracle : query_choices(mu)) {
          if (pow2(left + mu) < kMinPointsPerQuery * oracle.queries) continue;
          oracle.log_fold = fold;
          oracle.fold_grinding_bits = *grinding;
          extend(log_len, oracle, tails);
        }
      }
    }
    fronts_.resize(log_len + 1);
    for (const Tail& tail : pareto_front(std::move(tails))) {
      fronts_[log_len].push_back(static_cast<std::int32_t>(pool_.size()));
      pool_.push_back(tail);
    }
  }

  /// This oracle, then the final polynomial or any good tail.
  void extend(std::uint32_t log_len, const OracleConfig& oracle, std::vector<Tail>& tails) const {
    const CostPart own = tail_part(log_len, oracle, speed_);
    if (steps_of(own) > kTimeSteps) return;
    const std::uint32_t left = log_len - oracle.log_fold;
    const auto add = [&](const CostPart& part, std::int32_t next) {
      Tail tail{.cost = own + part, .oracle = oracle, .next = next, .steps = steps_of(own + part)};
      if (next >= 0) {
        const Tail& after = pool_[static_cast<std::size_t>(next)];
        tail.cost += after.cost;
        tail.steps += after.steps;
        tail.oracles += after.oracles;
      }
      if (tail.steps <= kTimeSteps && tail.oracles <= kMaxTailOracles) tails.push_back(tail);
    };
    if (left <= kMaxFinalLogLen) add(final_part(left, oracle.queries, speed_), -1);
    if (left == 0) return;
    const CostPart weights = weights_part(left, oracle.queries, speed_);
    for (const std::int32_t next : fronts_[left]) add(weights, next);
  }

  void try_first_oracle(std::uint32_t log_rows, std::uint32_t log_inv_rate) {
    const OpeningSizes& sizes = problem_.sizes;
    const std::uint64_t columns = columns_of(sizes.witness_values, log_rows);
    if (shape_of(sizes, log_rows).log_columns > problem_.max_log_columns) return;
    const auto grinding = fold_grinding(log_inv_rate, log_rows + problem_.max_log_columns - 1);
    if (!grinding) return;
    CostPart fixed = opening_part(log_rows, sizes, speed_);
    if (problem_.budget_has_commit) fixed += commit_part(log_rows, log_inv_rate, columns, speed_);
    if (steps_of(fixed) > kTimeSteps) return;
    for (OracleConfig oracle : query_choices(log_inv_rate)) {
      if (pow2(log_rows + log_inv_rate) < kMinPointsPerQuery * oracle.queries) continue;
      oracle.fold_grinding_bits = *grinding;
      const CostPart first =
          fixed + columns_part(log_rows, oracle, sizes, speed_) + weights_part(log_rows, oracle.queries, speed_);
      for (const std::int32_t tail : fronts_[log_rows]) try_configuration(log_rows, oracle, first, tail);
    }
  }

  void try_configuration(std::uint32_t log_rows, const OracleConfig& oracle, const CostPart& first, std::int32_t next) {
    const CostPart cost = first + pool_[static_cast<std::size_t>(next)].cost;
    const double gas = transaction_gas(cost.bytes, cost.execution_gas);
    if (cost.core_ns > kTimeSteps * step_ns_ || gas >= best_gas_) return;
    SearchResult result;
    result.config = {.level = problem_.level, .log_rows = log_rows, .oracles = {oracle}};
    for (std::int32_t i = next; i >= 0; i = pool_[static_cast<std::size_t>(i)].next) {
      result.config.oracles.push_back(pool_[static_cast<std::size_t>(i)].oracle);
    }
    result.cost = estimate_cost(result.config, problem_.sizes, speed_);
    if (result.cost.model_codeword_bytes > problem_.max_model_cache_bytes ||
        result.cost.witness_oracle_bytes > problem_.max_oracle_bytes) {
      return;
    }
    // The front trusts the parts of the bound; what is returned is judged by the whole of it.
    const Shape shape{.log_columns = problem_.max_log_columns, .claims = shape_of(problem_.sizes, log_rows).claims};
    if (analyse_security(result.config, shape).bits() < static_cast<std::int32_t>(problem_.level)) return;
    best_gas_ = gas;
    best_ = std::move(result);
  }

  const SearchProblem& problem_;
  const ProverSpeed& speed_;
  const double step_ns_;
  const double level_;
  std::vector<Tail> pool_;
  std::vector<std::vector<std::int32_t>> fronts_;  // by log_len, indices into pool_
  std::optional<SearchResult> best_;
  double best_gas_ = HUGE_VAL;
};

}  // namespace

std::optional<SearchResult> search(const SearchProblem& problem, const ProverSpeed& speed) {
  AVOW_CHECK(problem.budget_seconds > 0 && problem.min_log_rows >= 1 && problem.max_log_columns >= 1);
  return Search(problem, speed).run();
}

SearchProblem search_problem(const ParameterSet& set) {
  SearchProblem problem;
  problem.level = set.level;
  problem.sizes = {.witness_values = set.witness_values, .model_values = set.model_values, .claims = set.claims};
  problem.min_log_rows = set.log_rows;
  problem.max_log_rows = set.log_rows;
  problem.max_log_columns = set.max_log_columns;
  problem.budget_seconds = set.budget_ms / 1000.0;
  problem.budget_has_commit = set.model_values == 0;
  problem.max_grinding_bits = set.max_grinding_bits;
  problem.max_model_cache_bytes = set.max_model_cache_bytes;
  problem.max_oracle_bytes = set.max_oracle_bytes;
  return problem;
}

ParameterTables search_again(ParameterTables tables, const ProverSpeed& speed) {
  for (std::vector<ParameterSet>* sets : {&tables.witness, &tables.model}) {
    for (ParameterSet& set : *sets) {
      const std::optional<SearchResult> found = search(search_problem(set), speed);
      set.oracles = found ? found->config.oracles : std::vector<OracleConfig>{};
    }
  }
  return tables;
}

std::string format_summary(const ParameterTables& tables, const ProverSpeed& speed) {
  std::string text = fmt::format("{:>5} {:>2} {:>7} {:>7} {:>4} {:>9} {:>8} {:>6} {:>6} {:>9} {:>9}  {}\n", "level",
                                 "m", "witness", "model", "bits", "proof KiB", "gas M", "commit", "open", "memory G",
                                 "cache G", "rate:fold:queries:grinding/fold grinding, final");
  constexpr double kGib = 1024.0 * 1024 * 1024;
  for (const std::vector<ParameterSet>* sets : {&tables.witness, &tables.model}) {
    for (const ParameterSet& set : *sets) {
      const SearchProblem problem = search_problem(set);
      const Config config = set.config();
      const OpeningCost cost = estimate_cost(config, problem.sizes, speed);
      const auto bits = analyse_security(config, shape_of(problem.sizes, set.log_rows)).bits();
      const auto log_of = [](std::uint64_t values) {
        return values == 0 ? std::string("-") : fmt::format("2^{:.3g}", std::log2(static_cast<double>(values)));
      };
      const std::uint64_t memory = cost.witness_oracle_bytes + cost.tail_oracle_bytes;
      fmt::format_to(std::back_inserter(text),
                     "{:>5} {:>2} {:>7} {:>7} {:>4} {:>9.1f} {:>8.2f} {:>6.2f} {:>6.2f} {:>9.2f} {:>9.2f} ", set.level,
                     set.log_rows, log_of(set.witness_values), log_of(set.model_values), bits,
                     cost.bytes.total() / 1024, cost.gas / 1e6, cost.commit_seconds, cost.open_seconds,
                     static_cast<double>(memory) / kGib, static_cast<double>(cost.model_codeword_bytes) / kGib);
      for (const OracleConfig& oracle : set.oracles) {
        fmt::format_to(std::back_inserter(text), " {}:{}:{}:{}/{}", oracle.log_inv_rate, oracle.log_fold,
                       oracle.queries, oracle.query_grinding_bits, oracle.fold_grinding_bits);
      }
      fmt::format_to(std::back_inserter(text), ", 2^{}\n", config.final_log_len());
    }
  }
  return text;
}

}  // namespace avow::pcs
