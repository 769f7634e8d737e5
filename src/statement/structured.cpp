// SPDX-License-Identifier: Apache-2.0
#include "statement/structured.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "field/factor.hpp"
#include "statement/extents.hpp"

namespace avow::statement {
namespace {

using field::Fp;
using field::Fp3;
using field::kOne3;

// Row-major place of the public value that the first coordinates of an index name.
std::size_t place_of(const Binding& binding, std::span<const AxisId> axes, std::span<const std::uint64_t> index) {
  std::size_t place = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) place = place * binding.length(axes[i]) + index[i];
  return place;
}

std::int64_t piecewise_value(std::span<const Piece> pieces, std::uint64_t x) {
  for (const Piece& piece : pieces) {
    if (x < piece.length) return piece.first + piece.step * static_cast<std::int64_t>(x);
    x -= piece.length;
  }
  AVOW_CHECK(false);
  return 0;
}

Fp3 piecewise_extension(std::span<const Piece> pieces, const Point& point) {
  Fp3 result;
  std::uint64_t start = 0;
  Moments before;
  for (const Piece& piece : pieces) {
    const Moments after = moments_below(point, start + piece.length);
    const Fp3 count = after.count - before.count;
    const Fp3 offsets = after.sum - before.sum - count * Fp(start);
    result += count * Fp::from_int(piece.first) + offsets * Fp::from_int(piece.step);
    start += piece.length;
    before = after;
  }
  return result;
}

// eq(point, x) for many x, four bits at a time.
class NibbleEq {
 public:
  explicit NibbleEq(std::span<const Fp3> point) {
    for (std::size_t b = 0; b < point.size(); b += 4) {
      tables_.push_back(field::eq_table(point.subspan(b, std::min<std::size_t>(4, point.size() - b))));
    }
  }
  [[nodiscard]] Fp3 at(std::uint64_t x) const {
    Fp3 product = kOne3;
    for (std::size_t i = 0; i < tables_.size(); ++i) product *= tables_[i][(x >> (4 * i)) & (tables_[i].size() - 1)];
    return product;
  }

 private:
  std::vector<std::vector<Fp3>> tables_;
};

// The tensors made from public values: a sum over the values, each times a function of the last axis.
Fp3 values_extension(const Binding& binding, const Tensor& tensor, std::span<const Point> points) {
  const Structured& s = tensor.structured;
  const auto values = binding.values(s.values);
  const std::size_t rank = binding.statement().values[s.values].axes.size();
  const auto weights = eq_of_places(binding, std::span(tensor.axes).first(rank), points.first(rank));
  Fp3 result;
  if (s.kind == StructuredKind::kValue) {
    for (std::size_t i = 0; i < values.size(); ++i) result += weights[i] * Fp::from_int(values[i]);
    return result;
  }
  const std::uint64_t length = binding.length(tensor.axes[rank]);
  const Point& last = points[rank];
  const auto bounded = [&](std::int64_t value) { return std::min(static_cast<std::uint64_t>(value), length); };
  if (s.kind == StructuredKind::kOneHot) {
    const NibbleEq eq(last);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (bounded(values[i]) < length) result += weights[i] * eq.at(bounded(values[i]));
    }
    return result;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    Fp3 inside = moments_below(last, bounded(values[i])).count;
    if (s.kind == StructuredKind::kBetween) {
      const std::int64_t lower = std::min(binding.values(s.lower)[i], values[i]);
      inside -= moments_below(last, bounded(lower)).count;
    }
    result += weights[i] * inside;
  }
  return result;
}

}  // namespace

std::vector<Fp3> eq_of_places(const Binding& binding, std::span<const AxisId> axes, std::span<const Point> points) {
  std::vector<Fp3> weights = {kOne3};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto eq = field::eq_table(points[i]);
    std::vector<Fp3> next;
    next.reserve(weights.size() * binding.length(axes[i]));
    for (const Fp3& weight : weights) {
      for (std::uint64_t x = 0; x < binding.length(axes[i]); ++x) next.push_back(weight * eq[x]);
    }
    weights = std::move(next);
  }
  return weights;
}

std::int64_t structured_value(const Binding& binding, const Tensor& tensor, std::span<const std::uint64_t> index) {
  const Structured& s = tensor.structured;
  const auto at = [&](std::size_t i) { return static_cast<std::int64_t>(index[i]); };
  const auto value_of = [&](ValuesId values) {
    const std::size_t rank = binding.statement().values[values].axes.size();
    return binding.values(values)[place_of(binding, std::span(tensor.axes).first(rank), index)];
  };
  const std::int64_t last = index.empty() ? 0 : static_cast<std::int64_t>(index.back());
  switch (s.kind) {
    case StructuredKind::kConstant:
      return s.constant;
    case StructuredKind::kIndex:
      return at(0) + s.constant;
    case StructuredKind::kEqual:
      return at(0) == at(1) ? 1 : 0;
    case StructuredKind::kLess:
      return at(0) < at(1) ? 1 : 0;
    case StructuredKind::kLessEqual:
      return at(0) <= at(1) ? 1 : 0;
    case StructuredKind::kShift:
      return at(2) + s.padding == s.stride * at(0) + s.dilation * at(1) ? 1 : 0;
    case StructuredKind::kOneHot:
      return last == value_of(s.values) ? 1 : 0;
    case StructuredKind::kBelow:
      return last < value_of(s.values) ? 1 : 0;
    case StructuredKind::kBetween:
      return value_of(s.lower) <= last && last < value_of(s.values) ? 1 : 0;
    case StructuredKind::kValue:
      return value_of(s.values);
    case StructuredKind::kPiecewise:
      return piecewise_value(s.pieces, index[0]);
  }
  return 0;
}

Fp3 structured_extension(const Binding& binding, const Tensor& tensor, std::span<const Point> points) {
  const Structured& s = tensor.structured;
  AVOW_CHECK(points.size() == tensor.axes.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    AVOW_CHECK(points[i].size() == log_extent(binding.length(tensor.axes[i])));
  }
  const auto variable = [&](std::int64_t coefficient, std::size_t i) {
    return AffineVariable{coefficient, binding.length(tensor.axes[i]), points[i]};
  };
  switch (s.kind) {
    case StructuredKind::kConstant: {
      Fp3 product(Fp::from_int(s.constant));
      for (std::size_t i = 0; i < points.size(); ++i) {
        product *= moments_below(points[i], binding.length(tensor.axes[i])).count;
      }
      return product;
    }
    case StructuredKind::kIndex: {
      const Moments moments = moments_below(points[0], binding.length(tensor.axes[0]));
      return moments.sum + moments.count * Fp::from_int(s.constant);
    }
    case StructuredKind::kEqual:
      return affine_extension(std::array{variable(1, 0), variable(-1, 1)}, 0, AffineCondition::kZero);
    case StructuredKind::kLess:
      return affine_extension(std::array{variable(1, 0), variable(-1, 1)}, 0, AffineCondition::kNegative);
    case StructuredKind::kLessEqual:
      return affine_extension(std::array{variable(1, 0), variable(-1, 1)}, -1, AffineCondition::kNegative);
    case StructuredKind::kShift:
      return affine_extension(std::array{variable(s.stride, 0), variable(s.dilation, 1), variable(-1, 2)}, -s.padding,
                              AffineCondition::kZero);
    case StructuredKind::kPiecewise:
      return piecewise_extension(s.pieces, points[0]);
    case StructuredKind::kOneHot:
    case StructuredKind::kBelow:
    case StructuredKind::kBetween:
    case StructuredKind::kValue:
      return values_extension(binding, tensor, points);
  }
  return {};
}

}  // namespace avow::statement
