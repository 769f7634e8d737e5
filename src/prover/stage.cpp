// SPDX-License-Identifier: Apache-2.0
#include "prover/stage.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "base/check.hpp"
#include "prover/contract.hpp"
#include "statement/extents.hpp"

namespace avow::prover {
namespace {

using field::kOne3;
using reduction::Challenges;
using reduction::ClaimId;
using reduction::Coordinates;
using reduction::Plan;
using reduction::Product;
using reduction::Source;
using reduction::Stage;
using reduction::TensorPoint;

std::vector<AxisFold> folds_of(const Tensors& tensors, const Challenges& challenges, const TensorPoint& point,
                               const Stage* stage) {
  const auto& binding = tensors.binding();
  const auto& axes = binding.statement().tensors[point.tensor].axes;
  std::vector<AxisFold> folds;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Coordinates& at = point.axes[i];
    const std::uint64_t length = binding.length(axes[i]);
    if (stage != nullptr && at.source == Source::kStage && at.stage == stage->number && at.count > 0) {
      folds.push_back({std::min(length, std::uint64_t{1} << at.count), {}, true});
    } else {
      folds.push_back({0, reduction::resolve(challenges, at, statement::log_extent(length)), false});
    }
  }
  return folds;
}

class Builder {
 public:
  Builder(const Tensors& tensors, const Plan& plan, const Stage& stage, const Challenges& challenges,
          std::vector<Fp3>& values)
      : tensors_(tensors), plan_(plan), stage_(stage), challenges_(challenges), values_(values) {
    for (const auto& sum : stage.sums) {
      for (const Product& product : sum.products) {
        for (const ClaimId claim : product.claims) ++made_[plan.claims[claim]].uses;
        for (const TensorPoint& point : product.structured) ++made_[point].uses;
      }
    }
  }

  void add(const Product& product, const Fp3& weight, StageTables& result) {
    Summand summand;
    std::vector<ClaimId> claims;
    Product fixed;
    fixed.coefficient = product.coefficient;
    fixed.log_scale = product.log_scale;
    const auto add_table = [&](Table table, ClaimId claim) {
      summand.tables.push_back(std::move(table));
      claims.push_back(claim);
    };
    for (const ClaimId claim : product.claims) {
      const TensorPoint& point = plan_.claims[claim];
      if (has_variables(point)) {
        add_table(table(point), claim);
      } else {
        know(claim);
        fixed.claims.push_back(claim);
      }
    }
    for (const TensorPoint& point : product.structured) {
      if (has_variables(point)) {
        add_table(table(point), reduction::kNone);
      } else {
        fixed.structured.push_back(point);
      }
    }
    for (const auto& extent : product.extents) {
      if (std::has_single_bit(extent.length)) continue;
      if (is_variable(extent.at)) {
        add_table(arrange({{extent.length, extent.at}}, std::vector<Fp3>(extent.length, kOne3)), reduction::kNone);
      } else {
        fixed.extents.push_back(extent);
      }
    }
    for (const auto& eq : product.eqs) {
      const auto z = reduction::resolve(challenges_, eq.b, eq.count);
      for (std::uint16_t b = 0; b < eq.count; ++b) {
        summand.eq.emplace_back(static_cast<std::uint16_t>(eq.a.first + b), z[b]);
      }
    }
    std::sort(summand.eq.begin(), summand.eq.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    // The plan's scale has the halving of rounds without a variable of this product, which the sumcheck does itself.
    std::set<std::uint16_t> variables;
    for (const Table& t : summand.tables) variables.insert(t.positions.begin(), t.positions.end());
    fixed.log_scale += static_cast<std::int32_t>(stage_.degrees.size() - variables.size());
    summand.scale = weight * reduction::evaluate(tensors_.binding(), challenges_, fixed, values_);
    result.summands.push_back(std::move(summand));
    result.claims.push_back(std::move(claims));
  }

 private:
  [[nodiscard]] bool is_variable(const Coordinates& at) const {
    return at.source == Source::kStage && at.stage == stage_.number && at.count > 0;
  }
  [[nodiscard]] bool has_variables(const TensorPoint& point) const {
    return std::any_of(point.axes.begin(), point.axes.end(), [&](const Coordinates& at) { return is_variable(at); });
  }

  // A copy for every use but the last.
  Table table(const TensorPoint& point) {
    Made& made = made_.at(point);
    if (made.table.values.empty()) made.table = make(point);
    if (--made.uses > 0) return made.table;
    return std::move(made.table);
  }

  Table make(const TensorPoint& point) {
    const auto folds = folds_of(tensors_, challenges_, point, &stage_);
    const auto shape = tensors_.binding().shape(tensors_.binding().statement().tensors[point.tensor].axes);
    std::vector<Kept> kept;
    for (std::size_t i = 0; i < folds.size(); ++i) {
      if (folds[i].is_kept) kept.push_back({folds[i].take, point.axes[i]});
    }
    return arrange(kept, contract(tensors_.get(point.tensor), shape, folds));
  }

  void know(ClaimId claim) {
    if (values_.size() <= claim) values_.resize(plan_.claims.size());
    const auto& fresh = stage_.sum_values;
    if (std::find(fresh.begin(), fresh.end(), claim) == fresh.end() || !known_.insert(claim).second) return;
    values_[claim] = evaluate_claim(tensors_, challenges_, plan_.claims[claim]);
  }

  const Tensors& tensors_;
  const Plan& plan_;
  const Stage& stage_;
  const Challenges& challenges_;
  std::vector<Fp3>& values_;
  struct Made {
    Table table;
    std::size_t uses = 0;  // that are still to come
  };
  std::map<TensorPoint, Made> made_;
  std::set<ClaimId> known_;
};

}  // namespace

Table arrange(const std::vector<Kept>& kept, std::vector<Fp3> values) {
  std::vector<std::size_t> order(kept.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return kept[a].at.first < kept[b].at.first; });
  Table table;
  std::vector<unsigned> shifts(kept.size());  // of each axis' index in the table
  unsigned bits = 0;
  for (const std::size_t i : order) {
    shifts[i] = bits;
    bits += kept[i].at.count;
    for (std::uint16_t b = 0; b < kept[i].at.count; ++b) {
      table.positions.push_back(static_cast<std::uint16_t>(kept[i].at.first + b));
    }
  }
  const bool in_place = std::is_sorted(order.rbegin(), order.rend()) && values.size() == std::size_t{1} << bits;
  if (in_place) {
    table.values = std::move(values);
    return table;
  }
  table.values.resize(std::size_t{1} << bits);
  std::vector<std::uint64_t> index(kept.size());
  std::size_t target = 0;
  for (const Fp3& value : values) {
    table.values[target] = value;
    for (std::size_t i = kept.size(); i-- > 0;) {
      if (++index[i] < kept[i].take) {
        target += std::size_t{1} << shifts[i];
        break;
      }
      target -= (kept[i].take - 1) << shifts[i];
      index[i] = 0;
    }
  }
  return table;
}

Fp3 evaluate_claim(const Tensors& tensors, const Challenges& challenges, const TensorPoint& point) {
  const auto& tensor = tensors.binding().statement().tensors[point.tensor];
  if (tensor.kind == statement::TensorKind::kStructured) {
    return statement::structured_extension(tensors.binding(), tensor,
                                           reduction::resolve(tensors.binding(), challenges, point));
  }
  const auto shape = tensors.binding().shape(tensors.binding().statement().tensors[point.tensor].axes);
  return contract(tensors.get(point.tensor), shape, folds_of(tensors, challenges, point, nullptr))[0];
}

StageTables make_stage_tables(const Tensors& tensors, const Plan& plan, const Stage& stage,
                              const Challenges& challenges, const Fp3& join, std::vector<Fp3>& values) {
  StageTables result;
  Builder builder(tensors, plan, stage, challenges, values);
  Fp3 weight = kOne3;
  for (const auto& sum : stage.sums) {
    for (const Product& product : sum.products) builder.add(product, weight, result);
    weight *= join;
  }
  return result;
}

}  // namespace avow::prover
