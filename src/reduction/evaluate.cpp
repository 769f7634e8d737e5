// SPDX-License-Identifier: Apache-2.0
#include "reduction/evaluate.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "reduction/digits.hpp"
#include "statement/extents.hpp"

namespace avow::reduction {

using field::Fp;
using field::kOne3;
using statement::Binding;
using statement::Point;

namespace {

constexpr Fp kTwo = Fp::from_canonical_unchecked(2);
const Fp kInverseOfTwo = kTwo.inverse();

std::span<const Fp3> source_of(const Challenges& challenges, const Coordinates& at) {
  switch (at.source) {
    case Source::kLookup:
      return challenges.lookup;
    case Source::kZero:
      return challenges.zero;
    case Source::kStage:
      return challenges.stages[at.stage];
    case Source::kPlace:
    case Source::kHalf:
      break;
  }
  return {};
}

}  // namespace

Point resolve(const Challenges& challenges, const Coordinates& at, unsigned log_extent) {
  Point point(log_extent);
  switch (at.source) {
    case Source::kPlace:
      for (unsigned b = 0; b < log_extent; ++b) point[b] = ((at.place >> b) & 1) != 0 ? kOne3 : Fp3();
      return point;
    case Source::kHalf:
      for (Fp3& x : point) x = Fp3(kInverseOfTwo);
      return point;
    case Source::kLookup:
    case Source::kZero:
    case Source::kStage:
      break;
  }
  const auto source = source_of(challenges, at);
  AVOW_CHECK(at.count <= log_extent && std::size_t{at.first} + at.count <= source.size());
  std::copy_n(source.begin() + at.first, at.count, point.begin());
  return point;
}

std::vector<Point> resolve(const Binding& binding, const Challenges& challenges, const TensorPoint& point) {
  const auto& axes = binding.statement().tensors[point.tensor].axes;
  std::vector<Point> points;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    points.push_back(resolve(challenges, point.axes[i], statement::log_extent(binding.length(axes[i]))));
  }
  return points;
}

Fp power_of_two(std::int64_t exponent) noexcept {
  return exponent >= 0 ? kTwo.pow(static_cast<std::uint64_t>(exponent))
                       : kInverseOfTwo.pow(static_cast<std::uint64_t>(-exponent));
}

Fp3 eq(std::span<const Fp3> a, std::span<const Fp3> b) noexcept {
  Fp3 result = kOne3;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Fp3 both = a[i] * b[i];
    result *= kOne3 - a[i] - b[i] + both + both;
  }
  return result;
}

Fp3 evaluate(const Binding& binding, const Challenges& challenges, const Product& product,
             std::span<const Fp3> values) {
  Fp3 result(Fp::from_int(product.coefficient) * power_of_two(product.log_scale));
  for (const Extent& extent : product.extents) {
    const Point point = resolve(challenges, extent.at, statement::log_extent(extent.length));
    result *= statement::moments_below(point, extent.length).count;
  }
  for (const Eq& e : product.eqs) result *= eq(resolve(challenges, e.a, e.count), resolve(challenges, e.b, e.count));
  for (const TensorPoint& point : product.structured) {
    result *= statement::structured_extension(binding, binding.statement().tensors[point.tensor],
                                              resolve(binding, challenges, point));
  }
  for (const ClaimId claim : product.claims) result *= values[claim];
  return result;
}

Fp3 evaluate(const Binding& binding, const Challenges& challenges, std::span<const Product> products,
             std::span<const Fp3> values) {
  Fp3 sum;
  for (const Product& product : products) sum += evaluate(binding, challenges, product, values);
  return sum;
}

Fp3 evaluate(const Binding& binding, const Challenges& challenges, const Plan& plan, const Read& read) {
  const TensorPoint& point = plan.claims[read.claim];
  const auto& tensor = binding.statement().tensors[point.tensor];
  const auto& axes = binding.statement().values[tensor.structured.values].axes;
  std::vector<Point> places;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    places.push_back(resolve(challenges, read.at[i], statement::log_extent(binding.length(axes[i]))));
  }
  const auto own = resolve(binding, challenges, point);
  const auto last = own.size() > axes.size() ? std::span<const Fp3>(own.back()) : std::span<const Fp3>();
  return evaluate(binding, challenges, read.weight, {}) *
         evaluate(digit_sum(binding, tensor, last), statement::eq_of_places(binding, axes, places));
}

Fp3 denominator(const Binding& binding, const Challenges& challenges, const Plan& plan, const Column& column,
                std::span<const Fp3> values) {
  const Fp3 inside = evaluate(binding, challenges, column.indicator, values);
  Fp3 compressed;
  for (std::size_t k = column.entries.size(); k-- > 0;) {
    compressed = compressed * challenges.beta + evaluate(binding, challenges, column.entries[k], values);
  }
  const Fp3 tag = challenges.beta.pow(plan.tag_power) * Fp(column.table);
  return kOne3 - inside + inside * (challenges.alpha - tag) - compressed;
}

}  // namespace avow::reduction
