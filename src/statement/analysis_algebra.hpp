// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "statement/analysis_interval.hpp"
#include "statement/statement.hpp"

/// Expressions as polynomials, virtual tensors replaced by their definitions. Part of the analysis of statements.
namespace avow::statement::analysis {

/// What a polynomial is in: a tensor read at indices (no summed axes, one access), or the sum over axes of a product
/// of accesses, each connected to a summed axis. Its free axes are those of the context that it is used in.
struct Atom {
  std::vector<AxisId> summed;  ///< increasing
  std::vector<Access> body;
};
using AtomId = std::uint32_t;
using Monomial = std::vector<AtomId>;  ///< increasing
using Poly = std::map<Monomial, Int>;  ///< no coefficient is 0
/// Accesses to boolean structured tensors; increasing. Something holds where all of them are 1.
using Masks = std::vector<AtomId>;

[[nodiscard]] Masks united(const Masks& a, const Masks& b);
/// Whether a is part of b.
[[nodiscard]] bool within(const Masks& a, const Masks& b);

/// Accesses along axes `from` are to be read at `to`.
using Renaming = std::vector<std::pair<AxisId, Index>>;

/// All atoms of one analysis, equal ones with one number, and the count of the work that it does.
class Algebra {
 public:
  explicit Algebra(const Statement& statement);

  [[nodiscard]] const Statement& statement() const noexcept { return s_; }
  [[nodiscard]] AtomId plain(Access access);
  [[nodiscard]] AtomId intern(Atom atom);
  [[nodiscard]] const Atom& atom(AtomId id) const { return atoms_[id]; }
  /// The access of a plain atom, nullptr of a sum.
  [[nodiscard]] const Access* access(AtomId id) const;
  [[nodiscard]] bool is_mask(AtomId id) const;
  [[nodiscard]] bool is_mask(const Access& access) const;
  /// Whether the atom depends on the axis of its context.
  [[nodiscard]] bool reads(AtomId id, AxisId axis) const;

  /// The polynomial of an expression in the context of the axes. Virtual tensors are expanded as far as a polynomial of
  /// at most kMonomials comes out, and stay accesses beyond. Nothing if even that is not enough.
  [[nodiscard]] std::optional<Poly> expand(const Expression& terms, std::span<const AxisId> axes);
  [[nodiscard]] std::optional<Poly> multiply(const Poly& a, const Poly& b);
  /// The sum over the axes of a polynomial; nothing if a sum in it depends on them.
  [[nodiscard]] std::optional<Poly> sum(const Poly& poly, const std::vector<AxisId>& axes);
  /// Nothing if an axis that is read would be captured by a sum.
  [[nodiscard]] std::optional<AtomId> rename(AtomId id, const Renaming& renaming);
  [[nodiscard]] std::optional<Poly> renamed(const Poly& poly, const Renaming& renaming);

  /// The polynomial of a virtual tensor in its own axes.
  [[nodiscard]] const std::optional<Poly>& expanded(TensorId id) const { return expanded_[id]; }

  /// Counts work. False once there was too much of it: what was computed since is not to be relied on.
  bool spend(std::size_t units) noexcept;
  [[nodiscard]] bool exhausted() const noexcept { return left_ == 0; }
  [[nodiscard]] std::size_t spent() const noexcept { return kWork - left_; }
  /// What a copy of this one has done since counts here, too.
  void count_work_of(const Algebra& copy) noexcept { left_ = copy.left_; }

  static constexpr std::size_t kMonomials = 256;
  static constexpr std::size_t kDegree = 16;
  static constexpr std::size_t kWork = std::size_t{1} << 24;

 private:
  [[nodiscard]] std::optional<Poly> factor(const Access& access);
  [[nodiscard]] std::optional<Poly> term(const Term& term, std::span<const AxisId> axes, bool expand_sums);

  const Statement& s_;
  std::size_t left_ = kWork;
  std::vector<TensorId> canonical_;  // structured tensors that are one function of their indices
  std::vector<Atom> atoms_;
  std::map<std::vector<std::uint64_t>, AtomId> numbers_;
  std::vector<std::optional<Poly>> expanded_;  // of virtual tensors, in their own axes
};

[[nodiscard]] Poly negated(const Poly& poly);
/// a + factor b. False if a coefficient grows beyond 2^120.
[[nodiscard]] bool accumulate(Poly& a, const Poly& b, Int factor);

}  // namespace avow::statement::analysis
