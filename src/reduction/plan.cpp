// SPDX-License-Identifier: Apache-2.0
#include "reduction/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "base/check.hpp"
#include "reduction/digits.hpp"
#include "reduction/positions.hpp"
#include "statement/plan.hpp"

namespace avow::reduction {
namespace {

using base::Err;
using statement::Access;
using statement::AxisId;
using statement::AxisUse;
using statement::Binding;
using statement::Cause;
using statement::Error;
using statement::Expression;
using statement::Index;
using statement::Statement;
using statement::StructuredKind;
using statement::Tensor;
using statement::TensorKind;
using statement::Term;

// Where each axis that a term is read along has its coordinates.
using Places = std::map<AxisId, Coordinates>;

// About how many products the extension of a structured tensor takes: of a condition, its states times the choices of a
// bit, for each bit; of public values, those of each value.
std::uint64_t extension_steps(const Binding& binding, const Tensor& tensor) {
  std::uint64_t bits = 1;
  for (const AxisId axis : tensor.axes) bits += statement::log_extent(binding.length(axis));
  const auto& structured = tensor.structured;
  switch (structured.kind) {
    case StructuredKind::kShift:
      return bits * 32 * static_cast<std::uint64_t>(structured.stride + structured.dilation + 1);
    case StructuredKind::kEqual:
    case StructuredKind::kLess:
    case StructuredKind::kLessEqual:
      return bits * 32;
    case StructuredKind::kOneHot:
    case StructuredKind::kBelow:
    case StructuredKind::kBetween:
    case StructuredKind::kValue:
      return bits * std::max<std::uint64_t>(1, binding.values(structured.values).size());
    case StructuredKind::kPiecewise:
      return bits * structured.pieces.size();
    case StructuredKind::kConstant:
    case StructuredKind::kIndex:
      break;
  }
  return bits;
}

class Planner {
 public:
  explicit Planner(const Binding& binding)
      : binding_(binding), s_(binding.statement()), stage_of_(statement::stages(s_)), claims_on_(s_.tensors.size()) {}

  base::Result<Plan, Error> run() {
    if (!s_.lookups.empty()) {
      add_columns();
      if (!lookup::is_valid(plan_.lookup) || lookup::make_layout(plan_.lookup).log_cells > kMaxLogCells) {
        return Err{Error{Cause::kTooLarge, fmt::format("the lookups have more than 2^{} cells", kMaxLogCells)}};
      }
    }
    add_zero_claims();
    const std::uint32_t highest = stage_of_.empty() ? 0 : *std::max_element(stage_of_.begin(), stage_of_.end());
    for (std::uint32_t number = highest + 1; number-- > 0;) add_stage(static_cast<std::uint8_t>(number));
    note_opened();
    if (too_large_) {
      return Err{
          Error{Cause::kTooLarge, fmt::format("discharging its claims takes more than {} claims, {} products, or "
                                              "2^{} steps for structured tensors",
                                              kMaxClaims, kMaxProducts, kLogMaxSteps)}};
    }
    note_last_uses();
    if (const std::size_t carried = plan_.carried_elements(); carried > kMaxCarried) {
      return Err{
          Error{Cause::kTooLarge, fmt::format("{} challenges and claims are more than the {} that a verifier may "
                                              "carry from one stage to the next",
                                              carried, kMaxCarried)}};
    }
    if (const std::size_t challenges = plan_.challenges(); challenges > kMaxChallenges) {
      return Err{Error{Cause::kTooLarge, fmt::format("{} challenges are more than the {} that a verifier may carry "
                                                     "through the opening",
                                                     challenges, kMaxChallenges)}};
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] std::uint16_t bits(AxisId axis) const {
    return static_cast<std::uint16_t>(statement::log_extent(binding_.length(axis)));
  }
  [[nodiscard]] bool is_fixed(AxisId axis) const { return s_.axes[s_.root(axis)].kind == statement::AxisKind::kFixed; }

  // Adds the coordinates of an axis, in symbols.
  void add_bits(Bits& sum, AxisId axis) const {
    if (is_fixed(axis)) {
      sum.fixed += bits(axis);
      return;
    }
    const AxisId root = s_.root(axis);
    sum.parameters.insert(std::upper_bound(sum.parameters.begin(), sum.parameters.end(), root), root);
  }
  [[nodiscard]] std::uint32_t value(const Bits& sum) const {
    std::uint32_t total = sum.fixed;
    for (const AxisId parameter : sum.parameters) total += bits(parameter);
    return total;
  }
  [[nodiscard]] Coordinates coordinates(Source source, AxisId axis) const {
    Coordinates at;
    // An axis that always has one place has no coordinates: it is read at place 0, whatever the source.
    if (is_fixed(axis) && bits(axis) == 0) return at;
    at.source = source;
    at.count = bits(axis);
    add_bits(at.extent, axis);
    return at;
  }
  [[nodiscard]] Coordinates coordinates(Source source, AxisId axis, const Positions& positions,
                                        std::uint8_t stage = 0) const {
    Coordinates at = coordinates(source, axis);
    if (at.source == Source::kPlace) return at;
    at.stage = stage;
    at.axis = positions.first_twin(axis);
    at.first = static_cast<std::uint16_t>(positions.first(axis));
    return at;
  }

  // The claim on this tensor at this point, a new one (noted in `fresh`) if there is none yet.
  ClaimId claim(TensorPoint point, std::vector<ClaimId>& fresh) {
    const auto it = known_.find(point);
    return it != known_.end() ? it->second : new_claim(std::move(point), fresh);
  }

  ClaimId new_claim(TensorPoint point, std::vector<ClaimId>& fresh) {
    if (plan_.claims.size() >= kMaxClaims) too_large_ = true;
    if (too_large_) return 0;  // the plan will be refused
    const auto id = static_cast<ClaimId>(plan_.claims.size());
    known_.try_emplace(point, id);
    claims_on_[point.tensor].push_back(id);
    plan_.claims.push_back(std::move(point));
    fresh.push_back(id);
    return id;
  }

  [[nodiscard]] TensorPoint point_of(const Access& access, const Places& places) const {
    TensorPoint point{access.tensor, {}};
    for (const Index& index : access.indices) {
      point.axes.push_back(index.kind == Index::Kind::kFixed ? Coordinates{.place = index.value}
                                                             : places.at(static_cast<AxisId>(index.value)));
    }
    return point;
  }

  void add_extent(Product& product, AxisId axis, const Coordinates& at) const {
    const std::uint64_t length = binding_.length(axis);
    if (!is_fixed(axis) || !std::has_single_bit(length)) product.extents.push_back({axis, length, at});
  }

  void count_steps(const Tensor& structured) {
    steps_ += extension_steps(binding_, structured);
    if (steps_ > std::uint64_t{1} << kLogMaxSteps) too_large_ = true;
  }

  // What a term is at a point of its free axes. `positions`: where the variables' challenges lie, in a sumcheck; there
  // are no variables in a linear combination. `fresh`: where new claims are noted; null if none may arise, of factors
  // that are all structured.
  Product product(const Term& term, std::span<const AxisId> free_axes, std::span<const Coordinates> at,
                  const Positions* positions, std::uint8_t stage, std::vector<ClaimId>* fresh) {
    Product result;
    if (++products_ > kMaxProducts) too_large_ = true;
    if (too_large_) return result;
    result.coefficient = term.coefficient;
    Places places;
    std::size_t next_free = 0;
    for (const AxisUse& use : statement::axis_uses(s_, free_axes, term)) {
      Coordinates& place = places[use.axis];
      const Coordinates* free = use.is_free ? &at[next_free++] : nullptr;
      if (use.is_variable) {
        AVOW_CHECK(positions != nullptr);
        place = coordinates(Source::kStage, use.axis, *positions, stage);
        if (free != nullptr && place.source != Source::kPlace) {
          result.eqs.push_back({use.axis, place, *free, bits(use.axis)});
        }
        add_bits(result.scale, use.axis);
      } else if (free != nullptr) {
        place = *free;
      } else {
        place = coordinates(Source::kHalf, use.axis);
        add_bits(result.scale, use.axis);
      }
      if (use.needs_extent) add_extent(result, use.axis, place);
    }
    for (const Access& factor : term.factors) {
      TensorPoint point = point_of(factor, places);
      const Tensor& tensor = s_.tensors[factor.tensor];
      if (tensor.kind == TensorKind::kStructured) count_steps(tensor);
      if (tensor.kind == TensorKind::kStructured && (fresh == nullptr || !is_read(tensor))) {
        result.structured.push_back(std::move(point));
      } else {
        AVOW_CHECK(fresh != nullptr);
        result.claims.push_back(claim(std::move(point), *fresh));
      }
    }
    result.log_scale = static_cast<std::int32_t>(value(result.scale));
    return result;
  }

  std::vector<Product> linear(const Expression& terms, std::span<const AxisId> axes, std::span<const Coordinates> at,
                              std::vector<ClaimId>& fresh) {
    std::vector<Product> products;
    for (const Term& term : terms) products.push_back(product(term, axes, at, nullptr, 0, &fresh));
    return products;
  }

  // Coordinates of a column's axes: row-major, so the last axis has the lowest ones.
  [[nodiscard]] std::vector<Coordinates> column_point(std::span<const AxisId> axes, std::uint32_t& log_size) const {
    std::vector<Coordinates> at(axes.size());
    log_size = 0;
    Bits below;
    for (std::size_t i = axes.size(); i-- > 0;) {
      at[i] = coordinates(Source::kLookup, axes[i]);
      if (at[i].source == Source::kPlace) continue;
      at[i].below = below;
      at[i].first = static_cast<std::uint16_t>(log_size);
      add_bits(below, axes[i]);
      log_size = value(below);
    }
    return at;
  }

  void add_column(Column column, std::span<const AxisId> axes, const std::vector<Expression>& entries,
                  const Access* mask, TensorId multiplicity) {
    std::uint32_t log_size = 0;
    const auto at = column_point(axes, log_size);
    std::vector<ClaimId>& fresh = plan_.lookup_values;
    column.indicator = product(Term{1, {}}, axes, at, nullptr, 0, nullptr);
    // A verifier needs it before any claim's value is sent.
    column.numerator = mask != nullptr ? product(Term{1, {*mask}}, axes, at, nullptr, 0, nullptr) : column.indicator;
    for (const Expression& entry : entries) column.entries.push_back(linear(entry, axes, at, fresh));
    const bool is_table = multiplicity != kNone;
    if (is_table) {
      // Its value is minus the numerator, which the argument brings: nothing more is sent.
      std::vector<ClaimId> known;
      column.multiplicity = claim({multiplicity, at}, known);
    }
    plan_.columns.push_back(std::move(column));
    plan_.lookup.columns.push_back({static_cast<std::uint8_t>(std::min(log_size, 255u)),
                                    is_table ? lookup::Numerators::kSent : lookup::Numerators::kPublic});
  }

  // Tables first: a claim on multiplicities that a lookup brings up at the same point is known then.
  void add_columns() {
    for (const auto& table : s_.tables) {
      plan_.tag_power = std::max(plan_.tag_power, static_cast<std::uint32_t>(table.columns.size()));
    }
    for (statement::TableId id = 0; id < s_.tables.size(); ++id) {
      const auto& table = s_.tables[id];
      add_column({.table = id}, table.axes, table.columns, nullptr, table.multiplicity);
    }
    for (const auto& lookup : s_.lookups) {
      add_column({.table = lookup.table}, lookup.axes, lookup.tuple, lookup.mask ? &*lookup.mask : nullptr, kNone);
    }
  }

  void add_zero_claims() {
    std::vector<std::vector<AxisId>> together;
    for (const TensorId id : s_.zero_claims) together.push_back(s_.tensors[id].axes);
    const Positions positions(s_, binding_.lengths(), together);
    plan_.zero_axes = placed(positions);
    plan_.zero_coordinates = static_cast<std::uint16_t>(positions.count());
    for (const TensorId id : s_.zero_claims) {
      TensorPoint point{id, {}};
      for (const AxisId axis : s_.tensors[id].axes) {
        point.axes.push_back(coordinates(Source::kZero, axis, positions));
      }
      // A claim of its own even where a lookup has brought up one at the same point, as it may if no axis has
      // coordinates: the value of that one is whatever the prover sent.
      (void)new_claim(std::move(point), plan_.zero_claims);
    }
  }

  void add_stage(std::uint8_t number) {
    Stage stage{.number = number};
    std::vector<TensorId> summed;
    for (auto id = static_cast<TensorId>(s_.tensors.size()); id-- > 0;) {
      const Tensor& tensor = s_.tensors[id];
      if (tensor.kind != TensorKind::kVirtual || stage_of_[id] != number || claims_on_[id].empty()) continue;
      if (statement::needs_sumcheck(s_, tensor)) {
        summed.push_back(id);
        continue;
      }
      for (const ClaimId c : claims_on_[id]) {
        const auto at = plan_.claims[c].axes;  // a copy: claims grow
        stage.linear.push_back({c, linear(tensor.definition, tensor.axes, at, stage.linear_values)});
      }
    }
    if (!summed.empty()) add_sums(stage, summed);
    if (number == 0) add_gathering(stage);
    plan_.stages.push_back(std::move(stage));
  }

  // Witness tensors with the axes of one that there are several claims on. Where each has one claim, these are at few
  // points already; those on the model would take a pass over it.
  [[nodiscard]] std::vector<TensorId> tensors_to_gather() const {
    std::set<std::vector<AxisId>> shapes;
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      if (s_.tensors[id].kind == TensorKind::kWitness && claims_on_[id].size() > 1) shapes.insert(s_.tensors[id].axes);
    }
    std::vector<TensorId> tensors;
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      const Tensor& tensor = s_.tensors[id];
      if (tensor.kind == TensorKind::kWitness && !claims_on_[id].empty() && shapes.contains(tensor.axes)) {
        tensors.push_back(id);
      }
    }
    return tensors;
  }

  // Claims on tensors of public values, by tensor.
  [[nodiscard]] std::vector<ClaimId> claims_to_read() const {
    std::vector<ClaimId> claims;
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      if (s_.tensors[id].kind != TensorKind::kStructured) continue;
      claims.insert(claims.end(), claims_on_[id].begin(), claims_on_[id].end());
    }
    return claims;
  }

  [[nodiscard]] const std::vector<AxisId>& values_axes(ClaimId claim) const {
    return s_.values[s_.tensors[plan_.claims[claim].tensor].structured.values].axes;
  }

  void add_gathering(Stage& stage) {
    const auto tensors = tensors_to_gather();
    const auto reads = claims_to_read();
    std::vector<std::vector<AxisId>> together;
    for (const TensorId id : tensors) together.push_back(s_.tensors[id].axes);
    for (const ClaimId claim : reads) together.push_back(values_axes(claim));
    const Positions positions(s_, binding_.lengths(), together);
    stage.axes = placed(positions);
    for (const TensorId id : tensors) raise_degrees(stage, s_.tensors[id].axes, 2);
    for (const ClaimId claim : reads) {
      const auto factors = 1 + std::max(1u, digits_of(s_, s_.tensors[plan_.claims[claim].tensor]));
      raise_degrees(stage, values_axes(claim), static_cast<std::uint8_t>(factors));
    }
    set_degrees(stage, positions);
    for (const TensorId id : tensors) {
      TensorPoint point{id, {}};
      for (const AxisId axis : s_.tensors[id].axes) {
        point.axes.push_back(coordinates(Source::kStage, axis, positions, stage.number));
      }
      Gathered gathered;
      for (const ClaimId claim : claims_on_[id]) {
        gathered.claims.push_back({claim, weight(s_.tensors[id].axes, point.axes, plan_.claims[claim], stage)});
      }
      gathered.value = new_claim(std::move(point), stage.sum_values);
      stage.gathered.push_back(std::move(gathered));
    }
    for (const ClaimId claim : reads) {
      const auto& axes = values_axes(claim);
      Read read{claim, {}, {}};
      for (const AxisId axis : axes) read.at.push_back(coordinates(Source::kStage, axis, positions, stage.number));
      read.weight = weight(axes, read.at, plan_.claims[claim], stage);
      stage.reads.push_back(std::move(read));
    }
  }

  // eq of the gathering's point and a claim's, along the axes that the former has. A round without one of these halves
  // it.
  Product weight(std::span<const AxisId> axes, std::span<const Coordinates> gathered, const TensorPoint& point,
                 const Stage& stage) {
    Product result;
    if (++products_ > kMaxProducts) too_large_ = true;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (gathered[i].source == Source::kPlace) continue;
      add_bits(result.scale, axes[i]);
      result.eqs.push_back({axes[i], gathered[i], point.axes[i], bits(axes[i])});
    }
    result.log_scale = static_cast<std::int32_t>(value(result.scale)) - static_cast<std::int32_t>(stage.degrees.size());
    return result;
  }

  void add_sums(Stage& stage, std::span<const TensorId> tensors) {
    std::vector<std::vector<AxisId>> together;
    for (const TensorId id : tensors) {
      for (const Term& term : s_.tensors[id].definition) together.push_back(variables(id, term));
    }
    const Positions positions(s_, binding_.lengths(), together);
    stage.axes = placed(positions);
    for (const TensorId id : tensors) {
      const Tensor& tensor = s_.tensors[id];
      for (const Term& term : tensor.definition) raise_degrees(stage, tensor, term);
      for (const ClaimId c : claims_on_[id]) {
        const auto at = plan_.claims[c].axes;
        Summation sum{c, {}};
        for (const Term& term : tensor.definition) {
          sum.products.push_back(product(term, tensor.axes, at, &positions, stage.number, &stage.sum_values));
          // A round in which the product has no variable halves it.
          sum.products.back().log_scale -= static_cast<std::int32_t>(positions.count());
        }
        stage.sums.push_back(std::move(sum));
      }
    }
    set_degrees(stage, positions);
  }

  [[nodiscard]] std::vector<AxisId> variables(TensorId id, const Term& term) const {
    std::vector<AxisId> axes;
    for (const AxisUse& use : statement::axis_uses(s_, s_.tensors[id].axes, term)) {
      if (use.is_variable) axes.push_back(use.axis);
    }
    return axes;
  }

  [[nodiscard]] static std::vector<PlacedAxis> placed(const Positions& positions) {
    std::vector<PlacedAxis> axes;
    for (const AxisId axis : positions.axes()) {
      const auto& together = positions.neighbours(axis);
      axes.push_back({axis, 0, {together.begin(), together.end()}});
    }
    return axes;
  }

  void raise_degrees(Stage& stage, const Tensor& tensor, const Term& term) const {
    for (const AxisUse& use : statement::axis_uses(s_, tensor.axes, term)) {
      if (use.is_variable) raise_degrees(stage, std::span(&use.axis, 1), static_cast<std::uint8_t>(use.degree));
    }
  }
  static void raise_degrees(Stage& stage, std::span<const AxisId> axes, std::uint8_t degree) {
    for (PlacedAxis& placed : stage.axes) {
      if (std::find(axes.begin(), axes.end(), placed.axis) != axes.end())
        placed.degree = std::max(placed.degree, degree);
    }
  }
  void set_degrees(Stage& stage, const Positions& positions) const {
    stage.degrees.resize(positions.count());
    for (const PlacedAxis& placed : stage.axes) {
      for (std::size_t i = 0; i < bits(placed.axis); ++i) {
        std::uint8_t& degree = stage.degrees[positions.first(placed.axis) + i];
        degree = std::max(degree, placed.degree);
      }
    }
  }

  void note_opened() {
    std::vector<bool> is_gathered(plan_.claims.size());
    for (const Gathered& gathered : plan_.stages.back().gathered) {
      for (const auto& claim : gathered.claims) is_gathered[claim.claim] = true;
    }
    for (ClaimId id = 0; id < plan_.claims.size(); ++id) {
      const TensorKind kind = s_.tensors[plan_.claims[id].tensor].kind;
      const bool is_committed = kind == TensorKind::kModel || kind == TensorKind::kWitness;
      if (is_committed && !is_gathered[id]) plan_.opened.push_back(id);
    }
  }

  void note_last_uses() {
    plan_.last_use.assign(plan_.claims.size(), 0);
    for (std::size_t i = 0; i < plan_.stages.size(); ++i) {
      const auto use = [&](ClaimId claim) { plan_.last_use[claim] = std::max(plan_.last_use[claim], i); };
      const auto use_all = [&](const auto& discharged) {
        use(discharged.claim);
        for (const Product& p : discharged.products) std::for_each(p.claims.begin(), p.claims.end(), use);
      };
      for (const auto& equation : plan_.stages[i].linear) use_all(equation);
      for (const auto& sum : plan_.stages[i].sums) use_all(sum);
      for (const Gathered& gathered : plan_.stages[i].gathered) {
        use(gathered.value);
        for (const auto& claim : gathered.claims) use(claim.claim);
      }
      for (const Read& read : plan_.stages[i].reads) use(read.claim);
    }
    for (const ClaimId claim : plan_.opened) plan_.last_use[claim] = plan_.stages.size();
  }

  const Binding& binding_;
  const Statement& s_;
  std::vector<std::uint32_t> stage_of_;
  Plan plan_;
  std::size_t products_ = 0;
  std::uint64_t steps_ = 0;  // of structured tensors; at most 2^40 in one
  bool too_large_ = false;
  std::map<TensorPoint, ClaimId> known_;
  std::vector<std::vector<ClaimId>> claims_on_;  // for each tensor
};

}  // namespace

std::vector<ClaimId> Plan::carried(std::size_t passed) const {
  // Claims are numbered in the order in which they arise.
  std::size_t known = lookup_values.size() + zero_claims.size();
  for (const Column& column : columns) known += column.multiplicity != kNone ? 1 : 0;
  for (std::size_t i = 0; i < passed; ++i) known += stages[i].linear_values.size() + stages[i].sum_values.size();
  std::vector<ClaimId> list;
  for (ClaimId id = 0; id < known; ++id) {
    if (last_use[id] >= passed) list.push_back(id);
  }
  return list;
}

std::size_t Plan::carried_elements() const {
  std::size_t challenges = zero_coordinates;
  if (!lookup.columns.empty()) challenges += lookup::make_layout(lookup).log_cells;
  std::size_t most = challenges + carried(0).size();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    challenges += stages[i].degrees.size();
    most = std::max(most, challenges + carried(i + 1).size());
  }
  return most;
}

std::size_t Plan::challenges() const {
  std::size_t count = zero_coordinates;
  if (!lookup.columns.empty()) count += lookup::make_layout(lookup).log_cells;
  for (const Stage& stage : stages) count += stage.degrees.size();
  return count;
}

base::Result<Plan, Error> make_plan(const Binding& binding) { return Planner(binding).run(); }

}  // namespace avow::reduction
