// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "statement/analysis.hpp"
#include "statement/analysis_engine.hpp"
#include "statement/print.hpp"

namespace avow::statement {
namespace {

using analysis::AtomId;
using analysis::Engine;
using analysis::Fact;
using analysis::Knowledge;

using Problem = std::optional<Error>;

class Uniqueness {
 public:
  explicit Uniqueness(const Statement& statement) : s_(statement), engine_(statement) {}

  base::Result<std::vector<Finding>, Error> run() {
    if (auto p = tables()) return base::Err{*p};
    engine_.run();
    if (engine_.exhausted()) return base::Err{too_complex()};
    std::vector<Finding> findings;
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      if (s_.tensors[id].kind != TensorKind::kWitness) continue;
      auto finding = find(id);
      if (!finding) return base::Err{undetermined(id)};
      findings.push_back(std::move(*finding));
    }
    if (auto p = entries()) return base::Err{*p};
    for (const TensorId id : s_.zero_claims) {
      if (auto p = sum_of_digits(s_.tensors[id])) return base::Err{*p};
    }
    if (engine_.exhausted()) return base::Err{too_complex()};
    return findings;
  }

 private:
  static Error too_complex() { return {Cause::kTooComplex, "more work than the analysis does"}; }

  Problem tables() {
    for (TableId id = 0; id < s_.tables.size(); ++id) {
      const Table& table = s_.tables[id];
      if (engine_.tells_rows_apart(id, std::vector<bool>(table.columns.size(), true))) continue;
      std::vector<std::string> columns;
      for (const Expression& column : table.columns) columns.push_back(to_text(s_, table.axes, column));
      return Error{Cause::kTableKeys, fmt::format("table '{}': no key columns tell its rows apart: ({})", table.name,
                                                  fmt::join(columns, ", "))};
    }
    return std::nullopt;
  }

  std::optional<Finding> find(TensorId id) {
    if (s_.tensors[id].is_input) return Finding{id, Reason::kInput, {}, {}};
    if (const Knowledge::Known* best = engine_.finding(id)) {
      Finding finding{id, best->reason, best->claim, {}};
      for (const AtomId mask : best->masks) finding.masks.push_back(*engine_.knowledge().algebra.access(mask));
      return finding;
    }
    if (engine_.is_hint(id)) return Finding{id, Reason::kHint, {}, {}};
    if (engine_.is_multiplicity(id)) return Finding{id, Reason::kUndetermined, {}, {}};
    return std::nullopt;
  }

  Error undetermined(TensorId id) {
    std::vector<std::string> claims;
    for (const Fact& fact : engine_.facts()) {
      if (fact.is_variant || !engine_.mentions(fact, id)) continue;
      const auto note = engine_.notes(id).find(fact.claim);
      std::string text =
          note == engine_.notes(id).end() ? fact.claim : fmt::format("{} ({})", fact.claim, note->second);
      if (std::find(claims.begin(), claims.end(), text) == claims.end()) claims.push_back(std::move(text));
    }
    return {Cause::kNotDetermined,
            claims.empty() ? fmt::format("'{}': no claim that can be used mentions it", s_.tensors[id].name)
                           : fmt::format("'{}': not determined by {}", s_.tensors[id].name, fmt::join(claims, ", "))};
  }

  // Whether the expression reads a model tensor, through definitions too.
  [[nodiscard]] bool has_model_factor(const Expression& terms) const {
    std::vector<bool> seen(s_.tensors.size());
    return has_model_factor(terms, seen);
  }
  bool has_model_factor(const Expression& terms, std::vector<bool>& seen) const {
    for (const Term& term : terms) {
      for (const Access& factor : term.factors) {
        if (s_.tensors[factor.tensor].kind == TensorKind::kModel) return true;
        if (seen[factor.tensor]) continue;
        seen[factor.tensor] = true;
        if (has_model_factor(s_.tensors[factor.tensor].definition, seen)) return true;
      }
    }
    return false;
  }

  // Whether the modular argument is all that the entry is for: it determines a tensor, and reads a model tensor itself
  // or is for what other claims read. Limbs that nothing reads make a comparison.
  bool is_modular(std::uint32_t id, std::size_t column) {
    const auto& gave = engine_.gave(id, column);
    if (gave.empty()) return false;
    return has_model_factor(s_.lookups[id].tuple[column]) ||
           std::any_of(gave.begin(), gave.end(), [&](TensorId t) { return engine_.matters(t, id, column); });
  }

  // An entry of a range compares integers: it stays below p/2. If it depends on what nothing bounds, model tensors for
  // example, a mere check would mean nothing.
  Problem entries() {
    for (std::uint32_t id = 0; id < s_.lookups.size(); ++id) {
      const Lookup& lookup = s_.lookups[id];
      for (std::size_t c = 0; c < lookup.tuple.size(); ++c) {
        if (!engine_.columns(lookup.table)[c]) continue;
        const auto range = engine_.entry_range(id, c);
        if (range ? below_half(*range) : is_modular(id, c)) continue;
        return Error{Cause::kWrap,
                     fmt::format("lookup '{}': {} {}", lookup.name, to_text(s_, lookup.axes, lookup.tuple[c]),
                                 range ? "may reach p/2" : "is bounded by no checked range")};
      }
    }
    return std::nullopt;
  }

  // Whether the term is a digit that this zero claim determines.
  [[nodiscard]] bool is_digit(const Tensor& claim, const Term& term) const {
    if (term.factors.size() != 1) return false;
    const TensorId id = term.factors[0].tensor;
    if (s_.tensors[id].kind != TensorKind::kWitness || s_.tensors[id].is_input) return false;
    const Knowledge::Known* found = engine_.finding(id);
    return found != nullptr && found->reason == Reason::kDigits && found->claim == claim.name;
  }

  // What is known of the claim but for its digits, expanded through definitions.
  analysis::Bound rest_of_digits(const Tensor& claim) {
    for (const Fact& fact : engine_.facts()) {
      if (fact.claim != claim.name || fact.lookup != kNone || fact.is_variant) continue;
      analysis::Poly rest = fact.poly;
      for (const Term& term : claim.definition) {
        if (!is_digit(claim, term)) continue;
        std::erase_if(rest, [&](const auto& part) {
          if (part.first.size() != 1) return false;
          const Access* read = engine_.knowledge().algebra.access(part.first[0]);
          return read != nullptr && read->tensor == term.factors[0].tensor;
        });
      }
      return engine_.knowledge().range(rest, fact.masks);
    }
    return std::nullopt;
  }

  // Whether the claim, of which this is what is not digits, says of integers what it says modulo p.
  bool is_of_integers(const Tensor& claim, analysis::Bound total) {
    if (!total || !below_half(*total)) return false;
    for (const Term& term : claim.definition) {
      if (is_digit(claim, term)) total = analysis::add(total, engine_.knowledge().range(term, claim.axes, {}));
    }
    return total && -analysis::kModulus < total->lo && total->hi < analysis::kModulus;
  }

  // A zero claim of several digits compares what they are the digits of, as the entry of a range does: it stays below
  // p/2, and so far above that less the largest digits that no other multiple of p is reached; term by term where model
  // tensors have no bounds.
  Problem sum_of_digits(const Tensor& claim) {
    const auto& terms = claim.definition;
    if (std::count_if(terms.begin(), terms.end(), [&](const Term& term) { return is_digit(claim, term); }) < 2) {
      return std::nullopt;
    }
    if (is_of_integers(claim, rest_of_digits(claim))) return std::nullopt;
    const auto refuse = [&](const std::string& text, const char* why) {
      return Error{Cause::kWrap, fmt::format("zero claim '{}': {} {}", claim.name, text, why)};
    };
    analysis::Bound total = analysis::Interval{};
    bool has_unbounded = false;
    for (const Term& term : terms) {
      if (is_digit(claim, term)) continue;
      const auto range = engine_.knowledge().range(term, claim.axes, {});
      const std::string text = to_text(s_, claim.axes, {term});
      if (!range && !has_model_factor({term})) return refuse(text, "is bounded by no checked range");
      has_unbounded = has_unbounded || !range;
      if (range) total = analysis::add(total, range);
      if (!total || !below_half(*total)) return refuse(text, "may reach p/2");
    }
    if (has_unbounded || is_of_integers(claim, total)) return std::nullopt;
    return refuse(to_text(s_, claim.axes, terms), "may be another multiple of p");
  }

  const Statement& s_;
  Engine engine_;
};

}  // namespace

base::Result<std::vector<Finding>, Error> analyse_uniqueness(const Statement& statement) {
  return Uniqueness(statement).run();
}

std::optional<Error> check_uniqueness(const Statement& statement) {
  const auto result = analyse_uniqueness(statement);
  if (result.ok()) return std::nullopt;
  return result.error();
}

}  // namespace avow::statement
