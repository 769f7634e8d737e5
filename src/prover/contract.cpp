// SPDX-License-Identifier: Apache-2.0
#include "prover/contract.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "field/factor.hpp"
#include "field/kernels.hpp"

namespace avow::prover {
namespace {

using field::Fp;
using field::MatrixView;

// An axis, or several that lie next to each other: kept, or summed with these weights.
struct Dimension {
  std::uint64_t length = 1;
  bool is_kept = false;
  std::vector<Fp3> weights;
};

// Weights of inner dimensions are multiplied out up to this many: enough for long dot products, few enough to stay in
// the cache.
constexpr std::uint64_t kInnerWeights = 4096;

bool is_bit(const Fp3& x) { return x == Fp3() || x == field::kOne3; }

// Coordinates that are all 0 or 1 pick one place, high zeros a prefix: the part of the axis that has weights.
struct Part {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::span<const Fp3> point;  // of its places
};
Part part_of(std::uint64_t length, const AxisFold& fold) {
  if (fold.is_kept) return {0, fold.take, {}};
  std::size_t low = fold.point.size();
  std::uint64_t offset = 0;
  while (low > 0 && is_bit(fold.point[low - 1])) {
    --low;
    if (fold.point[low] == field::kOne3) offset |= std::uint64_t{1} << low;
  }
  const std::uint64_t end = std::min(length, offset + (std::uint64_t{1} << low));
  return {offset, end > offset ? end - offset : 0, std::span(fold.point).first(low)};
}

// eq(point, x) for x < size.
std::vector<Fp3> weights_of(std::span<const Fp3> point, std::uint64_t size) {
  auto weights = field::eq_table(point);
  weights.resize(size);
  return weights;
}

std::vector<Fp3> outer_product(const std::vector<Fp3>& outer, const std::vector<Fp3>& inner) {
  std::vector<Fp3> product;
  product.reserve(outer.size() * inner.size());
  for (const Fp3& a : outer) {
    for (const Fp3& b : inner) product.push_back(a * b);
  }
  return product;
}

// Dimensions outermost first; neighbours of one kind are merged, summed ones while their weights stay few.
class Dimensions {
 public:
  void add(Dimension dimension) {
    if (dimension.length == 1 && dimension.is_kept) return;
    list_.push_back(std::move(dimension));
  }
  void add_summed(std::span<const Fp3> point, std::uint64_t size) {
    constexpr unsigned kLogInner = 12;
    if (size > kInnerWeights && size % kInnerWeights == 0 && point.size() > kLogInner) {
      add({size / kInnerWeights, false, weights_of(point.subspan(kLogInner), size / kInnerWeights)});
      add({kInnerWeights, false, weights_of(point.first(kLogInner), kInnerWeights)});
    } else {
      add({size, false, weights_of(point, size)});
    }
  }
  std::vector<Dimension> merged() && {
    std::vector<Dimension> result;  // innermost first
    for (std::size_t i = list_.size(); i-- > 0;) {
      Dimension& next = list_[i];
      if (!result.empty() && result.back().is_kept && next.is_kept) {
        result.back().length *= next.length;
        continue;
      }
      const bool merge = !result.empty() && !result.back().is_kept && !next.is_kept &&
                         result.back().length * next.length <= kInnerWeights;
      if (merge) {
        result.back().weights = outer_product(next.weights, result.back().weights);
        result.back().length *= next.length;
        continue;
      }
      result.push_back(std::move(next));
    }
    std::reverse(result.begin(), result.end());
    return result;
  }

 private:
  std::vector<Dimension> list_;
};

struct Extents {
  std::size_t outer = 1;
  std::size_t summed = 1;
  std::size_t inner = 1;
};
Extents around(const std::vector<Dimension>& dimensions, std::size_t i) {
  Extents e;
  for (std::size_t k = 0; k < dimensions.size(); ++k) {
    (k < i ? e.outer : k == i ? e.summed : e.inner) *= dimensions[k].length;
  }
  return e;
}

MatrixView rows_of(const Array& cells, std::size_t first, std::size_t rows, std::size_t cols) {
  const auto* data = static_cast<const std::uint8_t*>(cells.data()) + first * field::cell_bytes(cells.type());
  return {cells.type(), data, rows, cols};
}

// The first sum, over the integers: result[outer, inner].
std::vector<Fp3> sum_cells(const Array& cells, const Extents& e, std::span<const Fp3> weights) {
  std::vector<Fp3> result(e.outer * e.inner);
  if (e.inner == 1) {
    field::add_row_dots(rows_of(cells, 0, e.outer, e.summed), weights, result);
  } else if (e.outer == 1) {
    return field::column_dots(rows_of(cells, 0, e.summed, e.inner), 0, weights);
  } else {
    base::parallel_for(e.outer, std::max<std::size_t>(1, (std::size_t{1} << 14) / (e.summed * e.inner)),
                       [&](std::size_t begin, std::size_t end) {
                         for (std::size_t a = begin; a < end; ++a) {
                           field::add_column_dots(rows_of(cells, a * e.summed * e.inner, e.summed, e.inner), 0, weights,
                                                  std::span(result).subspan(a * e.inner, e.inner));
                         }
                       });
  }
  return result;
}

// Later ones, over what is left.
std::vector<Fp3> sum_elements(std::span<const Fp3> values, const Extents& e, std::span<const Fp3> weights) {
  std::vector<Fp3> result(e.outer * e.inner);
  base::parallel_for(result.size(), std::max<std::size_t>(1, (std::size_t{1} << 12) / e.summed),
                     [&](std::size_t begin, std::size_t end) {
                       for (std::size_t i = begin; i < end; ++i) {
                         const std::size_t a = i / e.inner;
                         const std::size_t c = i % e.inner;
                         for (std::size_t b = 0; b < e.summed; ++b) {
                           result[i] += weights[b] * values[(a * e.summed + b) * e.inner + c];
                         }
                       }
                     });
  return result;
}

// The longest dimension that is summed; as many as there are if none is.
std::size_t longest_sum(const std::vector<Dimension>& dimensions) {
  std::size_t best = dimensions.size();
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    if (dimensions[i].is_kept) continue;
    if (best == dimensions.size() || dimensions[i].length > dimensions[best].length) best = i;
  }
  return best;
}

std::vector<Fp3> sum_all(std::vector<Fp3> values, std::vector<Dimension> dimensions) {
  for (std::size_t next; (next = longest_sum(dimensions)) < dimensions.size();) {
    values = sum_elements(values, around(dimensions, next), dimensions[next].weights);
    dimensions.erase(dimensions.begin() + static_cast<std::ptrdiff_t>(next));
  }
  return values;
}

std::vector<Fp3> elements_of(const Array& cells) {
  std::vector<Fp3> result(cells.size());
  base::parallel_for(cells.size(), std::size_t{1} << 14, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) result[i] = Fp3(Fp::from_int(cells.at(i)));
  });
  return result;
}

}  // namespace

std::vector<Fp3> contract(const Array& cells, std::span<const std::uint64_t> shape, std::span<const AxisFold> folds) {
  AVOW_CHECK(shape.size() == folds.size());
  std::vector<std::uint64_t> offsets, sizes;
  Dimensions all;
  std::size_t kept = 1;
  std::size_t read = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Part part = part_of(shape[i], folds[i]);
    offsets.push_back(part.offset);
    sizes.push_back(part.size);
    read *= part.size;
    if (folds[i].is_kept) {
      all.add({part.size, true, {}});
      kept *= part.size;
    } else {
      all.add_summed(part.point, part.size);
    }
  }
  if (read == 0) return std::vector<Fp3>(kept);
  Array copy;
  if (!std::equal(sizes.begin(), sizes.end(), shape.begin())) {
    copy = Array::make(cells.type(), read);
    copy_box(cells, {shape, offsets, sizes}, copy.type(), copy.data(), 0);
  }
  const Array& source = copy.size() != 0 ? copy : cells;

  auto dimensions = std::move(all).merged();
  const std::size_t first = longest_sum(dimensions);
  if (first == dimensions.size()) return elements_of(source);
  auto values = sum_cells(source, around(dimensions, first), dimensions[first].weights);
  dimensions.erase(dimensions.begin() + static_cast<std::ptrdiff_t>(first));
  return sum_all(std::move(values), std::move(dimensions));
}

std::vector<Fp3> contract(std::vector<Fp3> elements, std::span<const std::uint64_t> shape,
                          std::span<const AxisFold> folds) {
  AVOW_CHECK(shape.size() == folds.size());
  Dimensions all;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    AVOW_CHECK(!folds[i].is_kept || folds[i].take == shape[i]);
    if (folds[i].is_kept) {
      all.add({shape[i], true, {}});
    } else {
      all.add_summed(folds[i].point, shape[i]);
    }
  }
  return sum_all(std::move(elements), std::move(all).merged());
}

}  // namespace avow::prover
