// SPDX-License-Identifier: Apache-2.0
#include "statement/analysis_algebra.hpp"

#include <algorithm>

namespace avow::statement::analysis {
namespace {

constexpr std::size_t kUnitsPerAtom = 64;  // of work, for what is kept

bool contains(std::span<const AxisId> axes, std::uint64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

bool reads_along(const Access& access, AxisId axis) {
  const Index index{Index::Kind::kAxis, axis};
  return std::find(access.indices.begin(), access.indices.end(), index) != access.indices.end();
}

void append(std::vector<std::uint64_t>& key, const Access& access) {
  key.push_back(access.tensor);
  for (const Index& index : access.indices) {
    key.push_back(2 * index.value + (index.kind == Index::Kind::kFixed ? 1 : 0));
  }
}

std::vector<std::uint64_t> key_of(const Access& access) {
  std::vector<std::uint64_t> key;
  append(key, access);
  return key;
}

bool add_to(Poly& poly, const Monomial& monomial, Int coefficient) {
  const auto it = poly.try_emplace(monomial, 0).first;
  it->second += coefficient;
  const bool good = absolute(it->second) <= kHuge;
  if (it->second == 0) poly.erase(it);
  return good;
}

}  // namespace

Masks united(const Masks& a, const Masks& b) {
  Masks both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

bool within(const Masks& a, const Masks& b) { return std::includes(b.begin(), b.end(), a.begin(), a.end()); }

Poly negated(const Poly& poly) {
  Poly result = poly;
  for (auto& [monomial, coefficient] : result) coefficient = -coefficient;
  return result;
}

bool accumulate(Poly& a, const Poly& b, Int factor) {
  for (const auto& [monomial, coefficient] : b) {
    const auto scaled = product(coefficient, factor);
    if (!scaled || !add_to(a, monomial, *scaled)) return false;
  }
  return true;
}

Algebra::Algebra(const Statement& statement) : s_(statement) {
  canonical_.resize(s_.tensors.size());
  for (TensorId id = 0; id < s_.tensors.size(); ++id) {
    const Tensor& tensor = s_.tensors[id];
    canonical_[id] = id;
    if (tensor.kind != TensorKind::kStructured) continue;
    for (TensorId other = 0; other < id; ++other) {
      const Tensor& before = s_.tensors[other];
      if (before.kind == TensorKind::kStructured && before.structured == tensor.structured &&
          before.axes.size() == tensor.axes.size()) {
        canonical_[id] = other;
        break;
      }
    }
  }
  expanded_.resize(s_.tensors.size());
  for (TensorId id = 0; id < s_.tensors.size(); ++id) {
    const Tensor& tensor = s_.tensors[id];
    if (tensor.kind == TensorKind::kVirtual) expanded_[id] = expand(tensor.definition, tensor.axes);
  }
}

bool Algebra::spend(std::size_t units) noexcept {
  left_ = units < left_ ? left_ - units : 0;
  return left_ != 0;
}

AtomId Algebra::plain(Access access) { return intern({{}, {std::move(access)}}); }

AtomId Algebra::intern(Atom atom) {
  for (Access& access : atom.body) access.tensor = canonical_[access.tensor];
  std::sort(atom.body.begin(), atom.body.end(), [](const Access& a, const Access& b) { return key_of(a) < key_of(b); });
  std::vector<std::uint64_t> key = {atom.summed.size()};
  key.insert(key.end(), atom.summed.begin(), atom.summed.end());
  for (const Access& access : atom.body) append(key, access);
  spend(atom.body.size());
  const auto [it, is_new] = numbers_.try_emplace(std::move(key), static_cast<AtomId>(atoms_.size()));
  if (is_new) {
    spend(kUnitsPerAtom);
    atoms_.push_back(std::move(atom));
  }
  return it->second;
}

const Access* Algebra::access(AtomId id) const {
  return atoms_[id].summed.empty() ? &atoms_[id].body.front() : nullptr;
}

bool Algebra::is_mask(const Access& access) const {
  const Tensor& tensor = s_.tensors[access.tensor];
  return tensor.kind == TensorKind::kStructured && is_boolean(tensor.structured.kind);
}

bool Algebra::is_mask(AtomId id) const { return access(id) != nullptr && is_mask(*access(id)); }

bool Algebra::reads(AtomId id, AxisId axis) const {
  const Atom& atom = atoms_[id];
  return !contains(atom.summed, axis) &&
         std::any_of(atom.body.begin(), atom.body.end(), [&](const Access& a) { return reads_along(a, axis); });
}

std::optional<AtomId> Algebra::rename(AtomId id, const Renaming& renaming) {
  Atom atom = atoms_[id];
  for (Access& access : atom.body) {
    for (Index& index : access.indices) {
      if (index.kind != Index::Kind::kAxis || contains(atom.summed, index.value)) continue;
      const auto it =
          std::find_if(renaming.begin(), renaming.end(), [&](const auto& r) { return r.first == index.value; });
      if (it == renaming.end()) continue;
      if (it->second.kind == Index::Kind::kAxis && contains(atom.summed, it->second.value)) return std::nullopt;
      index = it->second;
    }
  }
  return intern(std::move(atom));
}

std::optional<Poly> Algebra::renamed(const Poly& poly, const Renaming& renaming) {
  Poly result;
  for (const auto& [monomial, coefficient] : poly) {
    Monomial atoms;
    for (const AtomId id : monomial) {
      const auto atom = rename(id, renaming);
      if (!atom || exhausted()) return std::nullopt;
      atoms.push_back(*atom);
    }
    std::sort(atoms.begin(), atoms.end());
    if (!add_to(result, atoms, coefficient)) return std::nullopt;
  }
  return result;
}

std::optional<Poly> Algebra::multiply(const Poly& a, const Poly& b) {
  Poly result;
  for (const auto& [x, c] : a) {
    for (const auto& [y, d] : b) {
      if (!spend(1 + x.size() + y.size())) return std::nullopt;
      Monomial atoms;
      std::merge(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(atoms));
      // A boolean tensor is its own square.
      const auto last =
          std::unique(atoms.begin(), atoms.end(), [&](AtomId m, AtomId n) { return m == n && is_mask(m); });
      atoms.erase(last, atoms.end());
      const auto coefficient = product(c, d);
      if (!coefficient || atoms.size() > kDegree || !add_to(result, atoms, *coefficient)) return std::nullopt;
      if (result.size() > kMonomials) return std::nullopt;
    }
  }
  return result;
}

std::optional<Poly> Algebra::factor(const Access& access) {
  const Tensor& tensor = s_.tensors[access.tensor];
  if (tensor.kind == TensorKind::kStructured && tensor.structured.kind == StructuredKind::kConstant) {
    return Poly{{{}, tensor.structured.constant}};  // of use inside extents only
  }
  if (tensor.kind == TensorKind::kVirtual && expanded_[access.tensor]) {
    Renaming renaming;
    for (std::size_t i = 0; i < tensor.axes.size(); ++i) renaming.emplace_back(tensor.axes[i], access.indices[i]);
    if (auto poly = renamed(*expanded_[access.tensor], renaming)) return poly;
  }
  return Poly{{{plain(access)}, 1}};
}

std::optional<Poly> Algebra::sum(const Poly& poly, const std::vector<AxisId>& axes) {
  Poly result;
  for (const auto& [monomial, coefficient] : poly) {
    Monomial outside;
    Atom atom{axes, {}};
    for (const AtomId id : monomial) {
      if (std::none_of(axes.begin(), axes.end(), [&](AxisId axis) { return reads(id, axis); })) {
        outside.push_back(id);
      } else if (access(id) == nullptr) {
        return std::nullopt;
      } else {
        atom.body.push_back(*access(id));
      }
    }
    // An axis that nothing reads any more: the sum is a multiple, which only its definition tells.
    for (const AxisId axis : axes) {
      if (std::none_of(atom.body.begin(), atom.body.end(), [&](const Access& a) { return reads_along(a, axis); })) {
        return std::nullopt;
      }
    }
    outside.push_back(intern(std::move(atom)));
    std::sort(outside.begin(), outside.end());
    if (exhausted() || !add_to(result, outside, coefficient)) return std::nullopt;
  }
  return result;
}

std::optional<Poly> Algebra::term(const Term& term, std::span<const AxisId> axes, bool expand_sums) {
  std::vector<AxisId> summed;
  for (const Access& access : term.factors) {
    for (const Index& index : access.indices) {
      if (index.kind == Index::Kind::kAxis && !contains(axes, index.value)) {
        summed.push_back(static_cast<AxisId>(index.value));
      }
    }
  }
  std::sort(summed.begin(), summed.end());
  summed.erase(std::unique(summed.begin(), summed.end()), summed.end());
  std::optional<Poly> result = Poly{{{}, term.coefficient}};
  for (const Access& access : term.factors) {
    const bool is_summed = std::any_of(summed.begin(), summed.end(), [&](AxisId a) { return reads_along(access, a); });
    const auto poly = is_summed && !expand_sums ? Poly{{{plain(access)}, 1}} : factor(access);
    if (!poly) return std::nullopt;
    result = multiply(*result, *poly);
    if (!result) return std::nullopt;
  }
  return summed.empty() ? result : sum(*result, summed);
}

std::optional<Poly> Algebra::expand(const Expression& terms, std::span<const AxisId> axes) {
  Poly result;
  for (const Term& t : terms) {
    auto poly = term(t, axes, true);
    if (!poly) poly = term(t, axes, false);
    if (!poly || exhausted() || !accumulate(result, *poly, 1) || result.size() > kMonomials) return std::nullopt;
  }
  return result;
}

}  // namespace avow::statement::analysis
