// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "statement/analysis_engine.hpp"

namespace avow::statement::analysis {
namespace {

constexpr std::size_t kStates = 32;       // places and masks that are kept for one tensor
constexpr std::size_t kUnitsPerMemo = 8;  // of work, for what is kept
constexpr unsigned kImprovements = 16;    // of one range, so that ranges which shrink slowly come to an end

bool contains(const std::vector<AxisId>& axes, std::uint64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

bool is_axis(const Index& index) { return index.kind == Index::Kind::kAxis; }

// Whether what is said of these places says something of all cells that are read.
bool covers(const Places& places, const Access& access) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] && (is_axis(access.indices[i]) || access.indices[i].value != *places[i])) return false;
  }
  return true;
}

bool covers(const Places& places, const Places& others) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] && places[i] != others[i]) return false;
  }
  return true;
}

}  // namespace

Masks Knowledge::masks_of(const std::optional<Access>& mask) { return mask ? Masks{algebra.plain(*mask)} : Masks{}; }

bool Knowledge::in_place(const Access& access) const {
  return s_.tensors[access.tensor].kind == TensorKind::kWitness && reads_all(access);
}

bool Knowledge::reads_all(const Access& access) const {
  const Tensor& tensor = s_.tensors[access.tensor];
  for (std::size_t i = 0; i < access.indices.size(); ++i) {
    const Index& index = access.indices[i];
    if (is_axis(index) && !same_length(s_, static_cast<AxisId>(index.value), tensor.axes[i])) return false;
  }
  return true;
}

std::optional<Masks> Knowledge::to_tensor(const Access& access, const Masks& masks, bool all) {
  Masks result;
  for (const AtomId mask : masks) {
    Access own = *algebra.access(mask);
    const bool is_less = s_.tensors[own.tensor].structured.kind == StructuredKind::kLess;
    bool good = true;
    for (std::size_t i = 0; i < own.indices.size(); ++i) {
      Index& index = own.indices[i];
      if (!is_axis(index)) continue;
      const auto it = std::find(access.indices.begin(), access.indices.end(), index);
      if (it == access.indices.end() && is_less && i == 1 && !all) {
        index = kSomewhere;
        continue;
      }
      good = good && it != access.indices.end();
      if (good) index.value = s_.tensors[access.tensor].axes[static_cast<std::size_t>(it - access.indices.begin())];
    }
    if (!good && all) return std::nullopt;
    if (good) result.push_back(algebra.plain(std::move(own)));
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::optional<Masks> Knowledge::to_context(const Access& access, const Masks& masks) {
  Renaming renaming;
  const auto& axes = s_.tensors[access.tensor].axes;
  for (std::size_t i = 0; i < axes.size(); ++i) renaming.emplace_back(axes[i], access.indices[i]);
  Masks result;
  for (const AtomId mask : masks) {
    const auto renamed = algebra.rename(mask, renaming);
    if (!renamed) return std::nullopt;
    result.push_back(*renamed);
  }
  std::sort(result.begin(), result.end());
  return result;
}

// Those that still speak of the same index inside a sum.
Masks Knowledge::outside_of(const Atom& atom, const Masks& active) const {
  Masks result;
  std::copy_if(active.begin(), active.end(), std::back_inserter(result), [&](AtomId mask) {
    return std::none_of(atom.summed.begin(), atom.summed.end(), [&](AxisId a) { return algebra.reads(mask, a); });
  });
  return result;
}

Masks Knowledge::with_masks(const std::vector<Access>& factors, const Masks& active) {
  Masks own;
  for (const Access& factor : factors) {
    if (algebra.is_mask(factor)) own.push_back(algebra.plain(factor));
  }
  std::sort(own.begin(), own.end());
  own.erase(std::unique(own.begin(), own.end()), own.end());
  return united(own, active);
}

bool Knowledge::determined(const Access& access, const Masks& active) {
  const Tensor& tensor = s_.tensors[access.tensor];
  if (!algebra.spend(1)) return false;
  if (tensor.kind == TensorKind::kWitness) {
    if (tensor.is_input) return true;
    const auto& list = known_[access.tensor];
    return std::any_of(list.begin(), list.end(),
                       [&](const Known& known) {
                         if (!covers(known.places, access)) return false;
                         const auto masks = to_context(access, known.masks);
                         return masks && within(*masks, active);
                       }) ||
           assumed(access, active);
  }
  if (tensor.kind != TensorKind::kVirtual) return true;
  const Read read = read_of(access, active);
  if (const auto it = determined_.find(read); it != determined_.end()) return it->second;
  const bool result =
      read.current == 0 ? determined(tensor.definition, read.masks) : determined(definition_at(read), read.masks);
  if (algebra.spend(kUnitsPerMemo)) determined_[read] = result;
  return result;
}

bool Knowledge::determined(const Expression& terms, const Masks& active) {
  return std::all_of(terms.begin(), terms.end(), [&](const Term& term) {
    const Masks masks = with_masks(term.factors, active);
    return std::all_of(term.factors.begin(), term.factors.end(), [&](const Access& f) { return determined(f, masks); });
  });
}

bool Knowledge::determined(AtomId id, const Masks& active) {
  const Atom atom = algebra.atom(id);
  const Masks masks = with_masks(atom.body, outside_of(atom, active));
  return std::all_of(atom.body.begin(), atom.body.end(), [&](const Access& f) { return determined(f, masks); });
}

bool Knowledge::determined(const Monomial& monomial, const Masks& active) {
  Masks masks;
  std::copy_if(monomial.begin(), monomial.end(), std::back_inserter(masks),
               [&](AtomId a) { return algebra.is_mask(a); });
  masks = united(masks, active);
  return std::all_of(monomial.begin(), monomial.end(), [&](AtomId a) { return determined(a, masks); });
}

Places Knowledge::places_of(const Access& access) {
  Places places;
  for (const Index& index : access.indices)
    places.push_back(is_axis(index) ? std::nullopt : std::optional(index.value));
  return places;
}

bool Knowledge::learn_determined(const Access& access, const Masks& masks, Reason reason, const std::string& claim) {
  const auto own = to_tensor(access, masks, true);
  if (!in_place(access) || !own || algebra.exhausted()) return false;
  return learn_at(access.tensor, {places_of(access), *own, reason, claim});
}

bool Knowledge::learn_at(TensorId tensor, const Known& known) {
  auto& list = known_[tensor];
  if (list.size() >= kStates) return false;
  if (std::any_of(list.begin(), list.end(), [&](const Known& other) {
        return covers(other.places, known.places) && within(other.masks, known.masks);
      })) {
    return false;
  }
  list.push_back(known);
  forget();
  complete(tensor, known);
  return true;
}

// What holds at each place of an axis holds all along it.
void Knowledge::complete(TensorId tensor, const Known& known) {
  for (std::size_t i = 0; i < known.places.size(); ++i) {
    const Axis& axis = s_.axes[s_.root(s_.tensors[tensor].axes[i])];
    if (!known.places[i] || axis.kind != AxisKind::kFixed || axis.length > kStates) continue;
    Known whole = known;
    bool all = true;
    for (std::uint64_t place = 0; place < axis.length; ++place) {
      whole.places[i] = place;
      const auto& list = known_[tensor];
      all = all && std::any_of(list.begin(), list.end(), [&](const Known& other) {
              return covers(other.places, whole.places) && within(other.masks, known.masks);
            });
    }
    whole.places[i] = std::nullopt;
    if (all) learn_at(tensor, whole);
  }
}

Bound Knowledge::meet(const Bound& a, const Bound& b) {
  if (!a || !b) return a ? a : b;
  if (below_half(*a) && below_half(*b)) return intersect(a, b);
  return below_half(*b) ? b : a;
}

bool Knowledge::improve(std::vector<Ranged>& list, const Places& places, const Masks& masks, const Interval& range) {
  if (!below_half(range) || algebra.exhausted()) return false;
  const auto same =
      std::find_if(list.begin(), list.end(), [&](const Ranged& r) { return r.places == places && r.masks == masks; });
  if (same == list.end()) {
    if (list.size() >= kStates) return false;
    list.push_back({places, masks, range});
  } else {
    const Bound both = intersect(same->range, range);
    if (*both == same->range || ++same->improved > kImprovements) return false;
    same->range = *both;
  }
  forget();
  return true;
}

bool Knowledge::learn_range(AtomId atom, const Masks& masks, Interval range) {
  const Access* access = algebra.access(atom);
  if (access == nullptr) return improve(ranged_sums_[atom], {}, masks, range);
  const TensorKind kind = s_.tensors[access->tensor].kind;
  if ((kind != TensorKind::kWitness && kind != TensorKind::kModel) || !reads_all(*access)) return false;
  const Access read = *access;
  const auto own = to_tensor(read, masks, true);
  if (!own || !improve(ranged_[read.tensor], places_of(read), *own, range)) return false;
  complete(read.tensor, places_of(read), *own);
  return true;
}

void Knowledge::complete(TensorId tensor, const Places& places, const Masks& masks) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Axis& axis = s_.axes[s_.root(s_.tensors[tensor].axes[i])];
    if (!places[i] || axis.kind != AxisKind::kFixed || axis.length > kStates) continue;
    Places whole = places;
    Bound hull;
    for (std::uint64_t place = 0; place < axis.length; ++place) {
      whole[i] = place;
      const auto& list = ranged_[tensor];
      const auto it = std::find_if(list.begin(), list.end(),
                                   [&](const Ranged& r) { return covers(r.places, whole) && within(r.masks, masks); });
      if (it == list.end()) return;
      hull = hull ? Interval{std::min(hull->lo, it->range.lo), std::max(hull->hi, it->range.hi)} : it->range;
    }
    whole[i] = std::nullopt;
    if (improve(ranged_[tensor], whole, masks, *hull)) complete(tensor, whole, masks);
  }
}

Bound Knowledge::structured_range(const Access& access) const {
  const Structured& given = s_.tensors[access.tensor].structured;
  if (is_boolean(given.kind)) return Interval{0, 1};
  switch (given.kind) {
    case StructuredKind::kConstant:
      return Interval{given.constant, given.constant};
    case StructuredKind::kIndex: {
      const Index& index = access.indices[0];
      const auto place = static_cast<Int>(index.value);
      if (!is_axis(index) && index != kCurrent) return Interval{given.constant + place, given.constant + place};
      const AxisId axis = index == kCurrent ? current_ : static_cast<AxisId>(index.value);
      return Interval{given.constant, given.constant + static_cast<Int>(length(axis)) - 1};
    }
    case StructuredKind::kValue:
      return Interval{0, static_cast<Int>(s_.values[given.values].bound) - 1};
    default:
      break;
  }
  Bound all;
  for (const Piece& piece : given.pieces) {
    const Interval range = Line{0, static_cast<Int>(piece.length), piece.first, piece.step}.range();
    all = all ? Interval{std::min(all->lo, range.lo), std::max(all->hi, range.hi)} : range;
  }
  return all;
}

Bound Knowledge::range(const Access& access, const Masks& active) {
  const Tensor& tensor = s_.tensors[access.tensor];
  if (!algebra.spend(1)) return std::nullopt;
  if (tensor.kind == TensorKind::kStructured) return structured_range(access);
  if (tensor.kind != TensorKind::kVirtual) {
    Bound result;
    if (tensor.kind == TensorKind::kModel && bounds_ != nullptr && bounds_->tensors[access.tensor]) {
      result = Interval{bounds_->tensors[access.tensor]->min, bounds_->tensors[access.tensor]->max};
    }
    for (const Ranged& ranged : ranged_[access.tensor]) {
      if (!covers(ranged.places, access)) continue;
      const auto masks = to_context(access, ranged.masks);
      if (masks && within(*masks, active)) result = meet(result, ranged.range);
    }
    return result;
  }
  const Read read = read_of(access, active);
  if (const auto it = ranges_.find(read); it != ranges_.end()) return it->second;
  const Bound result = read.current == 0 ? range(tensor.definition, tensor.axes, read.masks)
                                         : range(definition_at(read), tensor.axes, read.masks);
  if (algebra.spend(kUnitsPerMemo)) ranges_[read] = result;
  return result;
}

Bound Knowledge::range(AtomId id, const Masks& active) {
  const Atom atom = algebra.atom(id);
  if (atom.summed.empty()) return range(atom.body.front(), active);
  Bound result = product_range(atom.body, atom.summed, outside_of(atom, active));
  // With model bounds it is the integer sum that counts, not what is equal to it modulo p.
  if (bounds_ != nullptr && (!result || !below_half(*result))) return result;
  if (const auto it = ranged_sums_.find(id); it != ranged_sums_.end()) {
    for (const Ranged& ranged : it->second) {
      if (within(ranged.masks, active)) result = meet(result, ranged.range);
    }
  }
  return result;
}

Bound Knowledge::range(const Monomial& monomial, const Masks& active) {
  Masks masks;
  std::copy_if(monomial.begin(), monomial.end(), std::back_inserter(masks),
               [&](AtomId a) { return algebra.is_mask(a); });
  masks = united(masks, active);
  Bound result = Interval{1, 1};
  for (std::size_t i = 0; i < monomial.size() && result;) {
    std::size_t end = i;
    while (end < monomial.size() && monomial[end] == monomial[i]) ++end;
    result = multiply(result, power(range(monomial[i], masks), static_cast<unsigned>(end - i)));
    i = end;
  }
  return result;
}

Bound Knowledge::range(const Poly& poly, const Masks& active) {
  Bound total = Interval{0, 0};
  for (const auto& [monomial, coefficient] : poly) {
    if (!total) break;
    total = add(total, scale(range(monomial, active), coefficient));
  }
  return total;
}

Bound Knowledge::range(const Expression& terms, const std::vector<AxisId>& axes, const Masks& active) {
  Bound total = Interval{0, 0};
  for (const Term& term : terms) total = add(total, range(term, axes, active));
  return total;
}

Bound Knowledge::range(const Term& term, const std::vector<AxisId>& axes, const Masks& active) {
  std::vector<AxisId> summed;
  for (const Access& factor : term.factors) {
    for (const Index& index : factor.indices) {
      const auto axis = static_cast<AxisId>(index.value);
      if (is_axis(index) && !contains(axes, axis) && !contains(summed, axis)) summed.push_back(axis);
    }
  }
  return scale(product_range(term.factors, summed, active), term.coefficient);
}

Bound Knowledge::product_range(const std::vector<Access>& factors, const std::vector<AxisId>& summed,
                               const Masks& active) {
  const Masks masks = with_masks(factors, active);
  Bound result = Interval{1, 1};
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const auto first = std::find(factors.begin(), factors.end(), factors[i]);
    if (first != factors.begin() + static_cast<std::ptrdiff_t>(i)) continue;
    const auto exponent = static_cast<unsigned>(std::count(first, factors.end(), factors[i]));
    result = multiply(result, power(range(factors[i], masks), exponent));
  }
  if (summed.empty() || !result) return result;
  const auto terms = count(factors, summed);
  if (!terms) return std::nullopt;
  // Parameters may be shorter, and where one place counts, it may be none.
  const Bound whole = multiply(result, Interval{0, *terms});
  const Bound by_norm = norm_range(factors, summed, masks);
  return by_norm && whole ? intersect(whole, by_norm) : whole;
}

// The largest number of indices of the summed axes at which no factor is 0.
std::optional<Int> Knowledge::count(const std::vector<Access>& factors, const std::vector<AxisId>& summed) const {
  std::vector<AxisId> single;  // of these, given all other axes, at most one place counts
  std::vector<AxisId> others;
  for (const Access& factor : factors) {
    const Tensor& tensor = s_.tensors[factor.tensor];
    if (tensor.kind != TensorKind::kStructured || factor.indices.empty()) continue;
    const StructuredKind kind = tensor.structured.kind;
    const bool selects =
        kind == StructuredKind::kEqual || kind == StructuredKind::kShift || kind == StructuredKind::kOneHot;
    const Index& last = factor.indices.back();
    const auto axis = static_cast<AxisId>(last.value);
    if (!selects || !is_axis(last) || !contains(summed, axis) || contains(others, axis)) continue;
    if (std::any_of(factor.indices.begin(), factor.indices.end() - 1,
                    [&](const Index& index) { return is_axis(index) && contains(single, index.value); })) {
      continue;
    }
    single.push_back(axis);
    for (const Index& index : factor.indices) {
      if (is_axis(index) && index.value != axis) others.push_back(static_cast<AxisId>(index.value));
    }
  }
  std::optional<Int> terms = Int{1};
  for (const AxisId axis : summed) {
    if (terms && !contains(single, axis)) terms = product(*terms, static_cast<Int>(length(axis)));
  }
  return terms;
}

void Knowledge::learn_sum(TensorId tensor, std::vector<AxisId> axes, Int largest) {
  sums_[tensor] = {std::move(axes), largest};
}

std::optional<Knowledge::Norm> Knowledge::norm_of(TensorId tensor) const {
  if (const auto it = sums_.find(tensor); it != sums_.end()) return it->second;
  if (bounds_ == nullptr || s_.tensors[tensor].kind != TensorKind::kModel) return std::nullopt;
  const auto& given = bounds_->tensors[tensor];
  if (!given || !given->row_norm) return std::nullopt;
  return Norm{given->norm_axes, static_cast<Int>(*given->row_norm)};
}

// By the first factor that has a norm.
Bound Knowledge::norm_range(const std::vector<Access>& factors, const std::vector<AxisId>& summed,
                            const Masks& active) {
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const auto norm = norm_of(factors[i].tensor);
    if (!norm) continue;
    Bound largest = Interval{0, norm->largest};
    for (std::size_t k = 0; k < factors.size(); ++k) {
      const Bound other = k == i ? Interval{1, 1} : range(factors[k], active);
      if (!other) return std::nullopt;
      largest = scale(largest, other->largest());
    }
    for (const AxisId axis : summed) {
      // The norm covers an axis along which the tensor is read at one of the norm's axes.
      bool covered = false;
      for (std::size_t k = 0; k < factors[i].indices.size(); ++k) {
        covered = covered || (factors[i].indices[k] == Index{Index::Kind::kAxis, axis} &&
                              contains(norm->axes, s_.tensors[factors[i].tensor].axes[k]));
      }
      if (!covered) largest = scale(largest, static_cast<Int>(length(axis)));
    }
    if (largest) return Interval{-largest->hi, largest->hi};
  }
  return std::nullopt;
}

}  // namespace avow::statement::analysis
