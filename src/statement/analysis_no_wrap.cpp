// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "statement/analysis.hpp"
#include "statement/analysis_engine.hpp"
#include "statement/print.hpp"

namespace avow::statement {
namespace {

using analysis::Bound;
using analysis::Engine;
using analysis::Knowledge;
using analysis::Masks;

using Problem = std::optional<Error>;

class NoWrap {
 public:
  NoWrap(const Statement& statement, const ModelBounds& bounds)
      : s_(statement), engine_(statement, &bounds), k_(engine_.knowledge()) {}

  Problem run() {
    engine_.run();
    auto p = claims();
    if (engine_.exhausted()) return Error{Cause::kTooComplex, "more work than the analysis does"};
    return p;
  }

 private:
  Problem claims() {
    for (const Table& table : s_.tables) {
      for (const Expression& column : table.columns) {
        if (auto p = expression(fmt::format("table '{}'", table.name), column, table.axes, {}, std::nullopt)) return p;
      }
    }
    for (const TensorId id : s_.zero_claims) {
      if (auto p = definition(id, {})) return p;
    }
    for (std::uint32_t id = 0; id < s_.lookups.size(); ++id) {
      const Lookup& lookup = s_.lookups[id];
      for (std::size_t c = 0; c < lookup.tuple.size(); ++c) {
        const Masks masks = k_.masks_of(lookup.mask);
        if (auto p = expression(fmt::format("lookup '{}'", lookup.name), lookup.tuple[c], lookup.axes, masks,
                                engine_.entry_range(id, c))) {
          return p;
        }
      }
    }
    return std::nullopt;
  }

  // Where the masks, on the tensor's axes, are 1.
  Problem definition(TensorId id, const Masks& masks) {
    if (!seen_.insert({id, masks}).second || !k_.algebra.spend(1)) return std::nullopt;
    const Tensor& tensor = s_.tensors[id];
    const auto& poly = k_.algebra.expanded(id);
    return expression(fmt::format("'{}'", tensor.name), tensor.definition, tensor.axes, masks,
                      poly ? k_.range(*poly, masks) : std::nullopt);
  }

  // First what it reads, so that the first thing to wrap is named.
  Problem expression(const std::string& who, const Expression& terms, const std::vector<AxisId>& axes,
                     const Masks& masks, const Bound& other) {
    for (const Term& term : terms) {
      const Masks inside = k_.with_masks(term.factors, masks);
      for (const Access& factor : term.factors) {
        if (s_.tensors[factor.tensor].kind != TensorKind::kVirtual) continue;
        if (auto p = definition(factor.tensor, *k_.to_tensor(factor, inside, false))) return p;
      }
    }
    const Bound range = Knowledge::meet(k_.range(terms, axes, masks), other);
    if (range && below_half(*range)) return std::nullopt;
    const std::string text = to_text(s_, axes, terms);
    for (const Term& term : terms) {
      const Masks inside = k_.with_masks(term.factors, masks);
      for (const Access& factor : term.factors) {
        if (s_.tensors[factor.tensor].kind != TensorKind::kWitness || k_.range(factor, inside)) continue;
        return Error{Cause::kUnbounded,
                     fmt::format("{}: {}: no claim bounds '{}'", who, text, s_.tensors[factor.tensor].name)};
      }
    }
    return Error{Cause::kWrap, fmt::format("{}: {} may reach p/2", who, text)};
  }

  const Statement& s_;
  Engine engine_;
  Knowledge& k_;
  std::set<std::pair<TensorId, Masks>> seen_;
};

Problem usable(const Statement& statement, const ModelBounds& bounds) {
  for (TensorId id = 0; id < statement.tensors.size(); ++id) {
    const Tensor& tensor = statement.tensors[id];
    if (tensor.kind != TensorKind::kModel) continue;
    if (id >= bounds.tensors.size() || !bounds.tensors[id]) {
      return Error{Cause::kModelBounds, fmt::format("'{}': no bounds", tensor.name)};
    }
    const TensorBound& bound = *bounds.tensors[id];
    const std::int64_t low = tensor.range.is_signed ? -(std::int64_t{1} << (tensor.range.bits - 1)) : 0;
    const std::int64_t high = tensor.range.is_signed ? -(low + 1) : (std::int64_t{1} << tensor.range.bits) - 1;
    if (bound.min > bound.max || bound.min < low || bound.max > high) {
      return Error{Cause::kModelBounds, fmt::format("'{}': [{}, {}] is not in its range [{}, {}]", tensor.name,
                                                    bound.min, bound.max, low, high)};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> check_no_wrap(const Statement& statement, const ModelBounds& bounds) {
  if (auto p = usable(statement, bounds)) return p;
  ModelBounds all = bounds;
  all.tensors.resize(statement.tensors.size());
  return NoWrap(statement, all).run();
}

}  // namespace avow::statement
