// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "statement/analysis.hpp"
#include "statement/analysis_algebra.hpp"
#include "statement/analysis_table.hpp"

/// What is known of the tensors of a statement, and the claims that more follows from. Part of the analysis of
/// statements; the rules are proven in spec/statement.md, section 8.
namespace avow::statement::analysis {

/// The fixed place "the current one": some index of the axis of an induction (rule J).
inline constexpr Index kCurrent{Index::Kind::kFixed, std::uint64_t{1} << 40};
static_assert(kCurrent.value > limits::kLength);
/// In the masks of a virtual tensor that is read: `[m < n]` of an n that the tensor has no axis for, m < something.
inline constexpr Index kSomewhere{Index::Kind::kFixed, kCurrent.value + 1};

/// A witness tensor and the position of an axis of it: it is determined at all places before the current one.
using Assumption = std::pair<TensorId, std::size_t>;

/// Wherever the masks are 1: a polynomial over the axes of a claim is a field element with an integer in the range.
struct Fact {
  std::size_t origin = 0;  ///< number of the claim entry that it comes from
  std::string claim;
  std::uint32_t lookup = kNone;  ///< of the engine, and column, if it is not a zero claim
  std::size_t column = 0;
  Poly poly;
  Masks masks;
  Bound range;              ///< {0, 0} of a zero claim
  bool is_exact = false;    ///< the value is determined
  bool is_variant = false;  ///< the same claim where one more mask is 1
};

/// Which cells of a tensor: for each axis all places, or one.
using Places = std::vector<std::optional<std::uint64_t>>;

/// State and queries. Tensors are determined, or in a range, at some places, where some masks, read along their own
/// axes, are 1.
class Knowledge {
 public:
  /// Without model bounds, model tensors hold any field elements.
  Knowledge(const Statement& statement, const ModelBounds* bounds)
      : algebra(statement),
        s_(statement),
        bounds_(bounds),
        known_(statement.tensors.size()),
        proven_(statement.tensors.size()),
        ranged_(statement.tensors.size()) {}

  Algebra algebra;

  struct Known {
    Places places;
    Masks masks;
    Reason reason{};
    std::string claim;
  };
  [[nodiscard]] const std::vector<Known>& known(TensorId tensor) const { return known_[tensor]; }

  /// Where `active` are 1 (at the indices of the context).
  [[nodiscard]] bool determined(AtomId id, const Masks& active);
  [[nodiscard]] bool determined(const Monomial& monomial, const Masks& active);
  [[nodiscard]] bool determined(const Expression& terms, const Masks& active);
  [[nodiscard]] bool determined(const Access& access, const Masks& active);
  [[nodiscard]] Bound range(AtomId id, const Masks& active);
  [[nodiscard]] Bound range(const Monomial& monomial, const Masks& active);
  [[nodiscard]] Bound range(const Poly& poly, const Masks& active);
  [[nodiscard]] Bound range(const Access& access, const Masks& active);
  /// By the tensors as they are, not expanded: tight where the same tensor has a range of its own.
  [[nodiscard]] Bound range(const Expression& terms, const std::vector<AxisId>& axes, const Masks& active);
  [[nodiscard]] Bound range(const Term& term, const std::vector<AxisId>& axes, const Masks& active);
  [[nodiscard]] Masks masks_of(const std::optional<Access>& mask);
  /// Two ranges of one field element. Only of integers below p/2 is there one that lies in both.
  [[nodiscard]] static Bound meet(const Bound& a, const Bound& b);

  /// Masks of the context as masks on the tensor's own axes. Those that read other axes: dropped, or nothing if all are
  /// asked for.
  [[nodiscard]] std::optional<Masks> to_tensor(const Access& access, const Masks& masks, bool all);
  /// `active` and the boolean ones among the factors: a product is 0 where one of them is.
  [[nodiscard]] Masks with_masks(const std::vector<Access>& factors, const Masks& active);
  /// A witness tensor that the access reads at every cell of some places, each along an axis of its own.
  [[nodiscard]] bool in_place(const Access& access) const;
  /// Its cells that an access in place reads.
  [[nodiscard]] static Places places_of(const Access& access);
  /// False if nothing new comes of it: the masks do not say something of the tensor's own cells, or it is known.
  bool learn_determined(const Access& access, const Masks& masks, Reason reason, const std::string& claim);
  bool learn_range(AtomId atom, const Masks& masks, Interval range);
  /// The sum over the axes of the tensor, whose cells are not negative, is at most that at any index of its others.
  void learn_sum(TensorId tensor, std::vector<AxisId> axes, Int largest);

  /// Reads before the current place of the axis, which has the length of all axes of the assumptions.
  void assume(AxisId axis, const std::set<Assumption>& assumptions);
  /// Those that anything relied on.
  [[nodiscard]] const std::set<Assumption>& used() const noexcept { return used_; }
  /// The tensor is determined everywhere, by induction. Only reads under a less-than are taken as determined for it, so
  /// that the other rules go on to say by which claims.
  void prove(TensorId tensor);
  [[nodiscard]] bool proven(TensorId tensor) const { return proven_[tensor]; }

  [[nodiscard]] std::uint64_t length(AxisId axis) const { return s_.axes[s_.root(axis)].length; }

 private:
  // A virtual tensor, a bit for each of its axes that is read at the current place, masks in its own axes.
  struct Read {
    TensorId tensor = 0;
    std::uint32_t current = 0;
    Masks masks;
    friend bool operator<(const Read& a, const Read& b) {
      return std::tie(a.tensor, a.current, a.masks) < std::tie(b.tensor, b.current, b.masks);
    }
  };
  struct Norm {
    std::vector<AxisId> axes;
    Int largest = 0;
  };
  struct Ranged {
    Places places;  // none of a sum
    Masks masks;
    Interval range;
    unsigned improved = 0;
  };
  bool improve(std::vector<Ranged>& list, const Places& places, const Masks& masks, const Interval& range);
  bool learn_at(TensorId tensor, const Known& known);
  void complete(TensorId tensor, const Known& known);
  void complete(TensorId tensor, const Places& places, const Masks& masks);
  [[nodiscard]] std::optional<Masks> to_context(const Access& access, const Masks& masks);
  [[nodiscard]] bool reads_all(const Access& access) const;
  [[nodiscard]] bool assumed(const Access& access, const Masks& active);
  [[nodiscard]] Read read_of(const Access& access, const Masks& active);
  [[nodiscard]] Expression definition_at(const Read& read);
  [[nodiscard]] Masks outside_of(const Atom& atom, const Masks& active) const;
  [[nodiscard]] Bound structured_range(const Access& access) const;
  [[nodiscard]] Bound product_range(const std::vector<Access>& factors, const std::vector<AxisId>& summed,
                                    const Masks& active);
  [[nodiscard]] std::optional<Int> count(const std::vector<Access>& factors, const std::vector<AxisId>& summed) const;
  [[nodiscard]] std::optional<Norm> norm_of(TensorId tensor) const;
  [[nodiscard]] Bound norm_range(const std::vector<Access>& factors, const std::vector<AxisId>& summed,
                                 const Masks& active);
  void forget() {
    determined_.clear();
    ranges_.clear();
  }

  const Statement& s_;
  const ModelBounds* bounds_;
  std::vector<std::vector<Known>> known_;
  std::set<Assumption> assumed_;
  std::set<Assumption> used_;
  std::vector<bool> proven_;
  AxisId current_ = kNone;                   // the axis of kCurrent
  std::vector<std::vector<Ranged>> ranged_;  // of tensors
  std::map<TensorId, Norm> sums_;
  std::map<AtomId, std::vector<Ranged>> ranged_sums_;  // of sums, in the context's axes
  // Of virtual tensors; emptied when more is known.
  std::map<Read, bool> determined_;
  std::map<Read, Bound> ranges_;
};

/// Units of work (Algebra::spend) of a polynomial that is copied, for each monomial: what a fact keeps.
inline constexpr std::size_t kUnitsPerMonomial = 16;

/// The facts of a statement and the rules on them, to a fixed point.
class Engine {
 public:
  explicit Engine(const Statement& statement, const ModelBounds* bounds = nullptr);

  void run();
  [[nodiscard]] Knowledge& knowledge() noexcept { return k_; }
  [[nodiscard]] bool exhausted() const noexcept { return k_.algebra.exhausted(); }
  /// Of a lookup's table, for each column; nothing where the key alone does not give it.
  [[nodiscard]] const std::vector<std::optional<Column>>& columns(TableId table) const { return columns_[table]; }
  /// Whether the key columns among `chosen` tell all rows of the table apart.
  [[nodiscard]] bool tells_rows_apart(TableId table, const std::vector<bool>& chosen);
  [[nodiscard]] const std::vector<Fact>& facts() const noexcept { return facts_; }
  /// The tensors that rules which hold modulo p determined from this entry of the lookup.
  [[nodiscard]] const std::vector<TensorId>& gave(std::uint32_t lookup, std::size_t column) const {
    return gave_[first_origin_[lookup] + column];
  }
  /// Whether a claim other than this entry, and more than a range of the tensor alone, depends on the tensor.
  [[nodiscard]] bool matters(TensorId tensor, std::uint32_t lookup, std::size_t column) const;
  /// Whether the fact depends on the tensor, through definitions too.
  [[nodiscard]] bool mentions(const Fact& fact, TensorId tensor) const;
  /// What is known of an entry of a lookup, as an integer.
  [[nodiscard]] Bound entry_range(std::uint32_t lookup, std::size_t column);
  /// How a witness tensor is determined at all of its places, under as few masks as may be; nullptr if it is not.
  [[nodiscard]] const Knowledge::Known* finding(TensorId tensor) const;
  [[nodiscard]] bool is_hint(TensorId tensor) const { return hints_[tensor]; }
  [[nodiscard]] bool is_multiplicity(TensorId tensor) const { return multiplicity_[tensor]; }
  /// What the claims that mention an undetermined tensor lack, by claim.
  [[nodiscard]] const std::map<std::string, std::string>& notes(TensorId tensor) const { return notes_[tensor]; }

 private:
  // A polynomial in w and determined tensors, after undetermined ones of known ranges were moved to the other side.
  struct Isolated {
    const Fact* fact = nullptr;
    Poly poly;
    Interval range;
  };
  // What differs by `gap` at least if it differs, and by `span` at most.
  struct Digit {
    Int gap = 0;
    Int span = 0;
  };
  // A tensor that is not determined and stands alone in a polynomial.
  struct Unknown {
    AtomId atom = 0;
    Int coefficient = 0;
  };

  void fixed_point();
  [[nodiscard]] bool stalls() const;
  bool induction();
  std::optional<std::set<Assumption>> induction(AxisId axis);
  [[nodiscard]] std::vector<AxisId> induction_axes() const;
  [[nodiscard]] std::set<Assumption> assumptions(AxisId axis);
  [[nodiscard]] bool determined(const Assumption& at_current);
  void claims_at_current(AxisId root);
  void claims_at_current(AxisId axis, const std::vector<Fact>& claims);
  void add_fact(Fact fact);
  void collect();
  void collect_sums();
  void collect_readers();
  [[nodiscard]] std::set<TensorId> committed(const Fact& fact) const;
  [[nodiscard]] bool is_never(AtomId mask) const;
  void add_reader(TensorId tensor, std::size_t origin);
  void update_lookups();
  void solve(const Fact& fact);
  void solve_digits(const Fact& fact, const std::vector<Unknown>& unknown);
  std::optional<Digit> joint_digit(const Fact& fact, std::vector<Unknown>& unknown);
  std::optional<Digit> joint_digit(const Fact& fact, const Lookup& lookup, std::vector<Unknown>& unknown);
  void learn_ranges(const Fact& fact);
  void learn_bit(const Fact& fact);
  void sandwiches();
  std::optional<Fact> substituted(const Fact& fact);
  const Fact* definition_of(AtomId atom, const Fact& fact);
  Bound range_of(const Poly& poly, const Masks& masks);
  void sandwich(AtomId w, const std::vector<const Fact*>& facts);
  std::optional<Isolated> isolate(const Fact& fact, AtomId w);
  bool between(AtomId w, const Isolated& low, const Poly& next, const Isolated& high);
  std::optional<Poly> successor(const Poly& poly, AtomId w);
  void maxima(const Fact& fact);
  bool maximum(const Fact& fact, AtomId m, Int sign);
  std::optional<TensorId> attained(const Fact& fact, AtomId m, const Poly& rest, const std::vector<AxisId>& axes);
  void histograms();
  void learned(const Fact& fact, TensorId tensor);
  void note(const Fact& fact, AtomId atom, const std::string& text);
  [[nodiscard]] Access own_access(TensorId tensor) const;
  [[nodiscard]] const Fact* entry_of(const Lookup& lookup, std::size_t column) const;

  const Statement& s_;
  Knowledge k_;
  std::vector<std::vector<std::optional<Column>>> columns_;
  std::vector<Lookup> lookups_;  // those of the statement, then those of them at the current place
  std::vector<Fact> facts_;
  std::vector<std::size_t> zero_facts_;            // of zero claims, no variants
  std::vector<std::size_t> unit_sums_;             // those that say that something is a constant
  std::map<std::size_t, std::size_t> base_fact_;   // of origins, as they are in the statement
  std::vector<std::vector<TensorId>> gave_;        // of origins
  std::vector<std::vector<std::size_t>> readers_;  // of tensors
  std::vector<std::size_t> first_origin_;          // of lookups, the origin of column 0
  std::vector<bool> row_known_;                    // of lookups
  std::vector<std::vector<bool>> chosen_;          // of lookups, the columns of which the entries are determined
  std::vector<bool> hints_;
  std::vector<bool> multiplicity_;
  std::vector<std::map<std::string, std::string>> notes_;
  bool changed_ = false;
};

}  // namespace avow::statement::analysis
