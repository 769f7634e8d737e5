// SPDX-License-Identifier: Apache-2.0
#include "prover/gathering.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "field/factor.hpp"
#include "field/kernels.hpp"
#include "prover/contract.hpp"
#include "prover/stage.hpp"
#include "reduction/digits.hpp"
#include "statement/extents.hpp"

namespace avow::prover {
namespace {

using field::Fp;
using field::kOne3;
using statement::Point;

const Fp kHalfOfOne = Fp(2).inverse();

// The claims on tensors of public values, each a few summands.
std::vector<Summand> read_summands(const Tensors& tensors, const reduction::Plan& plan, const reduction::Stage& stage,
                                   const reduction::Challenges& challenges, const Fp3& join) {
  const auto& binding = tensors.binding();
  Fp3 power = kOne3;
  for (const auto& gathered : stage.gathered) power *= join.pow(gathered.claims.size());
  std::vector<Summand> summands;
  for (const auto& read : stage.reads) {
    const auto& claim = plan.claims[read.claim];
    const auto& tensor = binding.statement().tensors[claim.tensor];
    const auto& axes = binding.statement().values[tensor.structured.values].axes;
    const auto point = reduction::resolve(binding, challenges, claim);
    std::vector<Kept> kept;
    std::vector<std::pair<std::uint16_t, Fp3>> eq;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      kept.push_back({binding.length(axes[i]), read.at[i]});
      for (std::uint16_t b = 0; b < read.at[i].count; ++b) {
        eq.emplace_back(static_cast<std::uint16_t>(read.at[i].first + b), point[i][b]);
      }
    }
    std::sort(eq.begin(), eq.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const std::span<const Fp3> last = point.size() > axes.size() ? std::span<const Fp3>(point.back()) : Point();
    const auto sum = reduction::digit_sum(binding, tensor, last);
    for (const auto& term : sum.terms) {
      Summand summand{power, {}, eq};
      for (const std::size_t factor : term) summand.tables.push_back(arrange(kept, sum.factors[factor]));
      summands.push_back(std::move(summand));
    }
    power *= join;
  }
  return summands;
}

}  // namespace

// A tensor with its claims, whose axes in front of the round's are bound.
class Gathering::Running {
 public:
  Running(const Array& cells, std::vector<std::uint64_t> shape, std::span<const reduction::Coordinates> at)
      : cells_(&cells), shape_(std::move(shape)) {
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (at[i].count > 0) axes_.push_back({i, at[i].first, at[i].count});
    }
    std::sort(axes_.begin(), axes_.end(), [](const Axis& a, const Axis& b) { return a.first < b.first; });
    // Axes of one place have no round: they are summed, with the weight 1, from the beginning.
    open_.assign(shape_.size(), false);
    for (const Axis& axis : axes_) open_[axis.number] = true;
  }

  // The claim at a point, its value times the weight.
  void add(const Fp3& weight, const Fp3& value, std::vector<Point> point) {
    claim_ += weight * value;
    claims_.push_back({weight, std::move(point), {}, {}});
  }

  // After the last claim and before the first round.
  void begin() {
    if (axes_.empty()) bound_ = contract(*cells_, shape_, folds({}, shape_.size()));
    prepare();
  }

  void add_round(std::array<Fp3, 3>& sum) const {
    if (!has_variable()) {
      sum[0] += claim_ * kHalfOfOne;
      return;
    }
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += polynomial_[i];
  }

  void bind(const Fp3& r) {
    if (has_variable()) {
      bind_variable(r);
    } else {
      claim_ = claim_ * kHalfOfOne;
      for (Claim& claim : claims_) claim.weight = claim.weight * kHalfOfOne;
    }
    ++round_;
    prepare();
  }

  [[nodiscard]] const Fp3& value() const {
    AVOW_CHECK(next_ == axes_.size() && bound_.size() == 1);
    return bound_[0];
  }

 private:
  struct Axis {
    std::size_t number;  // of the tensor's
    std::uint16_t first;
    std::uint16_t count;
  };
  struct Claim {
    Fp3 weight;  // times eq of what is bound, and 1/2 for each round without a variable
    std::vector<Point> point;
    std::vector<Fp3> cells;  // of the axis at hand, the others summed
    std::vector<Fp3> eq;
  };

  [[nodiscard]] bool has_variable() const { return next_ < axes_.size() && round_ >= axes_[next_].first; }

  // What sums over all axes that are not bound but one; of bound ones nothing is left.
  [[nodiscard]] std::vector<AxisFold> folds(std::span<const Point> point, std::size_t kept) const {
    std::vector<AxisFold> result;
    for (std::size_t i = 0; i < shape_.size(); ++i) {
      if (i == kept) {
        result.push_back({shape_[i], {}, true});
      } else {
        result.push_back({0, open_[i] ? point[i] : Point(), false});
      }
    }
    return result;
  }

  [[nodiscard]] std::vector<Fp3> contracted(std::span<const AxisFold> folds) const {
    return bound_.empty() ? contract(*cells_, shape_, folds) : contract(bound_, shape_, folds);
  }

  void bind_variable(const Fp3& r) {
    claim_ = polynomial_[0] + r * (polynomial_[1] + r * polynomial_[2]);
    for (Claim& claim : claims_) {
      claim.cells = field::fold_pairs(claim.cells, r);
      claim.eq = field::fold_pairs(claim.eq, r);
    }
    point_.push_back(r);
    if (point_.size() == axes_[next_].count) end_axis();
  }

  // The polynomial of the round that comes: sum over claims of weight times eq times cells.
  void prepare() {
    if (!has_variable()) return;
    if (point_.empty()) begin_axis();
    Fp3 at0, leading;
    for (const Claim& claim : claims_) {
      Fp3 own0, own_leading;
      for (std::size_t i = 0; i < claim.cells.size(); i += 2) {
        own0 += claim.cells[i] * claim.eq[i];
        own_leading += (claim.cells[i + 1] - claim.cells[i]) * (claim.eq[i + 1] - claim.eq[i]);
      }
      at0 += claim.weight * own0;
      leading += claim.weight * own_leading;
    }
    polynomial_ = {at0, claim_ - at0 - at0 - leading, leading};
  }

  void begin_axis() {
    const Axis& axis = axes_[next_];
    for (Claim& claim : claims_) {
      claim.cells = contracted(folds(claim.point, axis.number));
      claim.cells.resize(std::size_t{1} << axis.count);
      claim.eq = field::eq_table(claim.point[axis.number]);
    }
  }

  void end_axis() {
    const std::size_t number = axes_[next_].number;
    std::vector<AxisFold> all;
    for (std::size_t i = 0; i < shape_.size(); ++i) all.push_back({shape_[i], {}, true});
    all[number] = {0, point_, false};
    bound_ = contracted(all);
    shape_[number] = 1;
    open_[number] = false;
    for (Claim& claim : claims_) claim.weight *= claim.eq[0];
    point_.clear();
    ++next_;
  }

  const Array* cells_;
  std::vector<std::uint64_t> shape_;  // of what is bound, 1
  std::vector<Axis> axes_;            // by round
  std::vector<bool> open_;            // of each of the tensor's axes whether it has rounds and is not bound
  std::vector<Claim> claims_;
  std::vector<Fp3> bound_;  // the tensor at what is bound, once there is something
  std::vector<Fp3> point_;  // challenges of the axis at hand
  std::size_t next_ = 0;    // of axes_
  std::size_t round_ = 0;
  Fp3 claim_;
  std::array<Fp3, 3> polynomial_;
};

Gathering::Gathering(const Tensors& tensors, const reduction::Plan& plan, const reduction::Stage& stage,
                     const reduction::Challenges& challenges, const Fp3& join, const std::vector<Fp3>& values)
    : reads_(read_summands(tensors, plan, stage, challenges, join)) {
  const auto& binding = tensors.binding();
  Fp3 power = kOne3;
  for (const auto& gathered : stage.gathered) {
    const auto& point = plan.claims[gathered.value];
    Running running(tensors.get(point.tensor), binding.shape(binding.statement().tensors[point.tensor].axes),
                    point.axes);
    for (const auto& claim : gathered.claims) {
      running.add(power, values[claim.claim], reduction::resolve(binding, challenges, plan.claims[claim.claim]));
      power *= join;
    }
    running.begin();
    running_.push_back(std::move(running));
  }
}
Gathering::~Gathering() = default;
Gathering::Gathering(Gathering&&) noexcept = default;

std::vector<Fp3> Gathering::round(std::size_t degree) {
  std::array<Fp3, 3> sum;
  for (const Running& running : running_) running.add_round(sum);
  auto polynomial = reads_.round(degree);
  for (std::size_t i = 0; i < sum.size(); ++i) polynomial[i] += sum[i];
  return polynomial;
}

void Gathering::bind(const Fp3& r) {
  for (Running& running : running_) running.bind(r);
  reads_.bind(r);
}

const Fp3& Gathering::value(std::size_t i) const { return running_[i].value(); }

}  // namespace avow::prover
