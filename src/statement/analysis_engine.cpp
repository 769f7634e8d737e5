// SPDX-License-Identifier: Apache-2.0
#include "statement/analysis_engine.hpp"

#include <algorithm>

#include "statement/limits.hpp"

namespace avow::statement::analysis {
namespace {

constexpr std::size_t kPairsPerUnit = 16;
constexpr std::size_t kVariants = 4;  // of one fact, each where one of its boolean factors is 1

}  // namespace

Engine::Engine(const Statement& statement, const ModelBounds* bounds)
    : s_(statement),
      k_(statement, bounds),
      lookups_(statement.lookups),
      hints_(statement.tensors.size()),
      multiplicity_(statement.tensors.size()),
      notes_(statement.tensors.size()) {
  collect();
}

// Whether the key alone shows that the mask is 0 at all indices.
bool Engine::is_never(AtomId mask) const {
  const Access& access = *k_.algebra.access(mask);
  const Structured& structured = s_.tensors[access.tensor].structured;
  std::vector<Interval> at;
  for (const Index& index : access.indices) {
    if (index.kind == Index::Kind::kAxis) {
      at.push_back({0, static_cast<Int>(k_.length(static_cast<AxisId>(index.value))) - 1});
    } else if (index.value <= limits::kLength) {
      at.push_back({static_cast<Int>(index.value), static_cast<Int>(index.value)});
    } else {
      at.push_back({0, static_cast<Int>(limits::kLength)});  // kCurrent, kSomewhere
    }
  }
  switch (structured.kind) {
    case StructuredKind::kEqual:
      return at[0].hi < at[1].lo || at[1].hi < at[0].lo;
    case StructuredKind::kLess:
      return at[0].lo >= at[1].hi || access.indices[0] == access.indices[1];
    case StructuredKind::kLessEqual:
      return at[0].lo > at[1].hi;
    default:
      return false;
  }
}

void Engine::add_fact(Fact fact) {
  const auto is_void = [&](AtomId mask) { return is_never(mask); };
  if (std::any_of(fact.masks.begin(), fact.masks.end(), is_void)) return;
  if (!k_.algebra.spend(kUnitsPerMonomial * fact.poly.size())) return;
  Masks masks;
  for (const auto& [monomial, coefficient] : fact.poly) {
    for (const AtomId atom : monomial) {
      if (k_.algebra.is_mask(atom) && !is_never(atom) && masks.size() < kVariants) masks = united(masks, {atom});
    }
  }
  base_fact_.try_emplace(fact.origin, facts_.size());
  if (fact.lookup == kNone) {
    zero_facts_.push_back(facts_.size());
    if (fact.poly.size() == 2 && fact.poly.begin()->first.empty()) unit_sums_.push_back(facts_.size());
  }
  facts_.push_back(fact);
  for (const AtomId mask : masks) {
    if (!k_.algebra.spend(kUnitsPerMonomial * fact.poly.size())) return;
    Fact variant = fact;
    variant.is_variant = true;
    variant.masks = united(fact.masks, {mask});
    variant.poly.clear();
    for (const auto& [monomial, coefficient] : fact.poly) {
      Monomial rest = monomial;
      rest.erase(std::remove(rest.begin(), rest.end(), mask), rest.end());
      if (!accumulate(variant.poly, {{rest, coefficient}}, 1)) return;
    }
    facts_.push_back(std::move(variant));
  }
}

void Engine::collect() {
  std::size_t origin = 0;
  for (const TensorId id : s_.zero_claims) {
    const Tensor& tensor = s_.tensors[id];
    auto poly = k_.algebra.expand(tensor.definition, tensor.axes);
    if (poly) add_fact({origin, tensor.name, kNone, 0, std::move(*poly), {}, Interval{0, 0}, true, false});
    ++origin;
  }
  for (const Table& table : s_.tables) {
    multiplicity_[table.multiplicity] = true;
    std::vector<std::optional<Column>> columns;
    for (const Expression& column : table.columns) columns.push_back(key_column(s_, column));
    columns_.push_back(std::move(columns));
  }
  std::vector<Int> cells(s_.tables.size());
  for (std::uint32_t id = 0; id < s_.lookups.size(); ++id) {
    const Lookup& lookup = s_.lookups[id];
    first_origin_.push_back(origin);
    for (std::size_t c = 0; c < lookup.tuple.size(); ++c, ++origin) {
      auto poly = k_.algebra.expand(lookup.tuple[c], lookup.axes);
      if (!poly) continue;
      const auto& column = columns_[lookup.table][c];
      const Bound range = column ? Bound(column->range()) : std::nullopt;
      add_fact({origin, lookup.name, id, c, std::move(*poly), k_.masks_of(lookup.mask), range, false, false});
    }
    std::optional<Int> size = Int{1};
    for (const AxisId axis : lookup.axes) size = size ? product(*size, static_cast<Int>(k_.length(axis))) : size;
    cells[lookup.table] = std::min(kHuge, cells[lookup.table] + size.value_or(kHuge));
  }
  gave_.resize(origin);
  collect_sums();
  collect_readers();
  row_known_.resize(s_.lookups.size());
  chosen_.resize(s_.lookups.size());
  for (TableId id = 0; id < s_.tables.size(); ++id) {
    k_.learn_range(k_.algebra.plain(own_access(s_.tables[id].multiplicity)), {}, {0, cells[id]});
  }
}

// A key column that is the index of a table's axis, and that lookups fill with the index of an axis of theirs: the rows
// of one index hold only cells of that index.
void Engine::collect_sums() {
  const auto index_along = [&](const Expression& terms) -> std::optional<Index> {
    if (terms.size() != 1 || terms[0].coefficient != 1 || terms[0].factors.size() != 1) return std::nullopt;
    const Access& access = terms[0].factors[0];
    const Structured& given = s_.tensors[access.tensor].structured;
    const bool is_index = s_.tensors[access.tensor].kind == TensorKind::kStructured &&
                          given.kind == StructuredKind::kIndex && given.constant == 0;
    return is_index ? std::optional(access.indices[0]) : std::nullopt;
  };
  for (TableId id = 0; id < s_.tables.size(); ++id) {
    const Table& table = s_.tables[id];
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const auto own = index_along(table.columns[c]);
      if (!own || own->kind != Index::Kind::kAxis) continue;
      std::optional<Int> cells = Int{0};
      for (const Lookup& lookup : s_.lookups) {
        if (lookup.table != id) continue;
        const auto along = index_along(lookup.tuple[c]);
        std::optional<Int> size;
        if (along && along->kind == Index::Kind::kAxis) size = Int{1};
        for (const AxisId axis : lookup.axes) {
          if (size && axis != along->value) size = product(*size, static_cast<Int>(k_.length(axis)));
        }
        cells = cells && size ? std::optional(std::min(kHuge, *cells + *size)) : std::nullopt;
      }
      if (!cells) continue;
      std::vector<AxisId> others = table.axes;
      others.erase(std::remove(others.begin(), others.end(), own->value), others.end());
      k_.learn_sum(table.multiplicity, std::move(others), *cells);
      break;
    }
  }
}

const Fact* Engine::entry_of(const Lookup& lookup, std::size_t column) const {
  const auto id = static_cast<std::size_t>(&lookup - s_.lookups.data());
  const auto it = base_fact_.find(first_origin_[id] + column);
  return it == base_fact_.end() ? nullptr : &facts_[it->second];
}

Access Engine::own_access(TensorId tensor) const {
  Access access{tensor, {}};
  for (const AxisId axis : s_.tensors[tensor].axes) access.indices.push_back({Index::Kind::kAxis, axis});
  return access;
}

bool Engine::tells_rows_apart(TableId table, const std::vector<bool>& chosen) {
  std::vector<Column> columns;
  std::size_t lines = 0;
  for (std::size_t c = 0; c < chosen.size(); ++c) {
    if (!chosen[c] || !columns_[table][c]) continue;
    columns.push_back(*columns_[table][c]);
    lines += columns.back().lines.size();
  }
  // Lines are compared in pairs, column by column, for each axis.
  if (!k_.algebra.spend(lines * lines * columns.size() / kPairsPerUnit)) return false;
  return std::all_of(s_.tables[table].axes.begin(), s_.tables[table].axes.end(),
                     [&](AxisId axis) { return k_.length(axis) == 1 || tells_apart(columns, axis); });
}

Bound Engine::entry_range(std::uint32_t lookup, std::size_t column) {
  const Lookup& given = s_.lookups[lookup];
  const Masks masks = k_.masks_of(given.mask);
  const Bound as_written = k_.range(given.tuple[column], given.axes, masks);
  const Fact* fact = entry_of(given, column);
  return fact == nullptr ? as_written : Knowledge::meet(as_written, k_.range(fact->poly, masks));
}

void Engine::run() {
  fixed_point();
  while (!exhausted() && stalls() && induction()) fixed_point();
}

void Engine::fixed_point() {
  do {
    changed_ = false;
    update_lookups();
    for (const Fact& fact : facts_) {
      learn_bit(fact);
      learn_ranges(fact);
      solve(fact);
      maxima(fact);
      if (exhausted()) return;
    }
    sandwiches();
    histograms();
  } while (changed_ && !exhausted());
}

const Knowledge::Known* Engine::finding(TensorId tensor) const {
  const Knowledge::Known* best = nullptr;
  for (const auto& known : k_.known(tensor)) {
    if (std::any_of(known.places.begin(), known.places.end(), [](const auto& place) { return place.has_value(); })) {
      continue;
    }
    if (best == nullptr || known.masks.size() < best->masks.size()) best = &known;
  }
  return best;
}

// Which lookups name a known row, and what is known of the values there.
void Engine::update_lookups() {
  for (std::uint32_t id = 0; id < lookups_.size(); ++id) {
    const Lookup& lookup = lookups_[id];
    const Masks masks = k_.masks_of(lookup.mask);
    if (row_known_[id]) continue;
    std::vector<bool> chosen;
    for (std::size_t c = 0; c < lookup.tuple.size(); ++c) {
      chosen.push_back(columns_[lookup.table][c].has_value() && k_.determined(lookup.tuple[c], masks));
    }
    if (chosen == chosen_[id]) continue;
    chosen_[id] = chosen;
    row_known_[id] = tells_rows_apart(lookup.table, chosen);
    changed_ = changed_ || row_known_[id];
  }
  for (Fact& fact : facts_) {
    if (fact.lookup == kNone) continue;
    const TableId id = lookups_[fact.lookup].table;
    const Table& table = s_.tables[id];
    const Expression& column = table.columns[fact.column];
    if (!columns_[id][fact.column]) fact.range = k_.range(column, table.axes, {});
    fact.is_exact = row_known_[fact.lookup] && k_.determined(column, {});
  }
}

// A claim helped: so did the keys that named its row.
void Engine::learned(const Fact& fact, TensorId tensor) {
  changed_ = true;
  gave_[fact.origin].push_back(tensor);
  if (fact.lookup == kNone || !fact.is_exact) return;
  const Lookup& lookup = lookups_[fact.lookup];
  for (std::size_t c = 0; c < lookup.tuple.size(); ++c) {
    if (c != fact.column) gave_[first_origin_[fact.lookup] + c].push_back(tensor);
  }
}

bool Engine::mentions(const Fact& fact, TensorId tensor) const {
  for (const auto& [monomial, coefficient] : fact.poly) {
    for (const AtomId atom : monomial) {
      const auto& body = k_.algebra.atom(atom).body;
      if (std::any_of(body.begin(), body.end(), [&](const Access& a) { return a.tensor == tensor; })) return true;
    }
  }
  return false;
}

// The committed tensors that a fact reads, through definitions too; of many, two or more.
std::set<TensorId> Engine::committed(const Fact& fact) const {
  std::set<TensorId> tensors, seen;
  const auto add = [&](const auto& self, TensorId id) -> void {
    const Tensor& tensor = s_.tensors[id];
    if (tensor.kind == TensorKind::kStructured || !seen.insert(id).second) return;
    if (tensor.kind != TensorKind::kVirtual) {
      tensors.insert(id);
      return;
    }
    for (const Term& term : tensor.definition) {
      for (const Access& factor : term.factors) {
        if (tensors.size() < 2) self(self, factor.tensor);
      }
    }
  };
  for (const auto& [monomial, coefficient] : fact.poly) {
    for (const AtomId atom : monomial) {
      for (const Access& access : k_.algebra.atom(atom).body) {
        if (tensors.size() < 2) add(add, access.tensor);
      }
    }
  }
  return tensors;
}

// The first two claims that read each tensor, not counting those of one tensor alone: ranges, bits.
void Engine::collect_readers() {
  readers_.resize(s_.tensors.size());
  std::map<std::uint32_t, std::set<TensorId>> of_lookup;
  for (const Fact& fact : facts_) {
    if (!fact.is_variant && fact.lookup != kNone) of_lookup[fact.lookup].merge(committed(fact));
  }
  for (const Fact& fact : facts_) {
    if (fact.is_variant) continue;
    const auto tensors = fact.lookup == kNone ? committed(fact) : of_lookup[fact.lookup];
    if (tensors.size() < 2) continue;
    for (const auto& [monomial, coefficient] : fact.poly) {
      for (const AtomId atom : monomial) {
        for (const Access& access : k_.algebra.atom(atom).body) add_reader(access.tensor, fact.origin);
      }
    }
  }
}

// Through definitions, too. Those of a tensor know of its reader already if it does.
void Engine::add_reader(TensorId tensor, std::size_t origin) {
  auto& readers = readers_[tensor];
  if (readers.size() == 2 || (!readers.empty() && readers[0] == origin)) return;
  readers.push_back(origin);
  for (const Term& term : s_.tensors[tensor].definition) {
    for (const Access& factor : term.factors) add_reader(factor.tensor, origin);
  }
}

bool Engine::matters(TensorId tensor, std::uint32_t lookup, std::size_t column) const {
  const std::size_t origin = first_origin_[lookup] + column;
  return std::any_of(readers_[tensor].begin(), readers_[tensor].end(), [&](std::size_t r) { return r != origin; });
}

void Engine::note(const Fact& fact, AtomId atom, const std::string& text) {
  const Access* access = k_.algebra.access(atom);
  if (access != nullptr && !fact.is_variant) notes_[access->tensor][fact.claim] = text;
}

// c (T^2 - T) = 0, p prime: T is 0 or 1.
void Engine::learn_bit(const Fact& fact) {
  if (fact.lookup != kNone || fact.poly.size() != 2) return;
  const auto& [linear, minus] = *fact.poly.begin();
  const auto& [square, plus] = *std::next(fact.poly.begin());
  if (linear.size() != 1 || square != Monomial{linear[0], linear[0]} || plus != -minus || plus % kModulus == 0) return;
  if (k_.learn_range(linear[0], fact.masks, {0, 1})) changed_ = true;
}

// c T + rest in a range, of a T that stands alone: a range for T.
void Engine::learn_ranges(const Fact& fact) {
  if (!fact.range || !k_.algebra.spend(fact.poly.size())) return;
  std::vector<Bound> parts;
  std::size_t unknown = 0;
  for (const auto& [monomial, coefficient] : fact.poly) {
    parts.push_back(scale(k_.range(monomial, fact.masks), coefficient));
    if (!parts.back() && ++unknown > 1) return;
  }
  std::size_t i = 0;
  for (const auto& [monomial, coefficient] : fact.poly) {
    const std::size_t here = i++;
    if (monomial.size() != 1 || (unknown == 1 && parts[here])) continue;
    if (!k_.algebra.spend(parts.size())) return;
    Bound rest = Interval{0, 0};
    for (std::size_t k = 0; k < parts.size(); ++k) rest = k == here ? rest : add(rest, parts[k]);
    const Bound multiple = add(fact.range, scale(rest, -1));
    if (!multiple) continue;
    Interval range = coefficient < 0 ? Interval{-multiple->hi, -multiple->lo} : *multiple;
    const Int c = absolute(coefficient);
    if (c != 1) {
      // The claim is about the integer itself only if no other integer of its range is equal modulo p.
      const Bound whole = add(rest, parts[here]);
      if (!whole || whole->lo <= fact.range->hi - kModulus || whole->hi >= fact.range->lo + kModulus) continue;
      range = {-floor_quotient(-range.lo, c), floor_quotient(range.hi, c)};
      if (range.lo > range.hi) continue;
    }
    if (k_.learn_range(monomial[0], fact.masks, range)) changed_ = true;
  }
}

void Engine::solve(const Fact& fact) {
  if (!fact.range && !fact.is_exact) return;
  std::vector<Unknown> unknown;
  for (const auto& [monomial, coefficient] : fact.poly) {
    if (k_.determined(monomial, fact.masks)) continue;
    if (monomial.size() != 1) {
      for (const AtomId atom : monomial) {
        if (!k_.determined(atom, fact.masks)) note(fact, atom, "multiplied by another tensor");
      }
      return;
    }
    unknown.push_back({monomial[0], coefficient});
  }
  for (const Unknown& u : unknown) {
    const Access* access = k_.algebra.access(u.atom);
    if (access == nullptr || !k_.in_place(*access)) {
      for (const Unknown& other : unknown) note(fact, other.atom, "read together with what is not determined either");
      return;
    }
  }
  if (unknown.size() == 1 && fact.is_exact && unknown[0].coefficient % kModulus != 0) {
    const Access access = *k_.algebra.access(unknown[0].atom);
    const Reason reason = fact.lookup == kNone ? Reason::kEquation : Reason::kFunction;
    if (k_.learn_determined(access, fact.masks, reason, fact.claim)) learned(fact, access.tensor);
    return;
  }
  if (!unknown.empty() && fact.range) solve_digits(fact, unknown);
}

// Multiplicities are the exact histogram of rows, which the keys name.
void Engine::histograms() {
  for (TableId id = 0; id < s_.tables.size(); ++id) {
    bool known = true;
    for (std::uint32_t l = 0; l < s_.lookups.size(); ++l) known = known && (s_.lookups[l].table != id || row_known_[l]);
    if (!known) continue;
    const Access access = own_access(s_.tables[id].multiplicity);
    if (k_.learn_determined(access, {}, Reason::kCounted, s_.tables[id].name)) changed_ = true;
  }
}

}  // namespace avow::statement::analysis
