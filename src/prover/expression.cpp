// SPDX-License-Identifier: Apache-2.0
#include "prover/expression.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "prover/kernels.hpp"
#include "prover/loops.hpp"
#include "statement/plan.hpp"
#include "statement/structured.hpp"

namespace avow::prover {
namespace {

using field::CellType;
using field::Fp;
using statement::Access;
using statement::Binding;
using statement::Index;
using statement::StructuredKind;
using statement::Tensor;
using statement::TensorKind;
using statement::Term;
__extension__ using Uint128 = unsigned __int128;

constexpr std::size_t kBlock = 8192;  // of the innermost loop: cells that one item of work is about

Loops make_loops(const Binding& binding, std::span<const AxisId> free_axes, const Term& term) {
  Loops loops;
  for (const auto& use : statement::axis_uses(binding.statement(), free_axes, term)) loops.axes.push_back(use.axis);
  loops.lengths = binding.shape(loops.axes);
  loops.free = free_axes.size();
  loops.out_strides.assign(loops.axes.size(), 0);
  std::uint64_t stride = 1;
  for (std::size_t i = loops.free; i-- > 0;) {
    loops.out_strides[i] = stride;
    stride *= loops.lengths[i];
  }
  return loops;
}

Operand make_operand(const Tensors& tensors, const Access& access, const Loops& loops) {
  const Binding& binding = tensors.binding();
  Operand operand{Array::borrow(tensors.get(access.tensor)), 0, std::vector<std::uint64_t>(loops.size())};
  const auto& axes = binding.statement().tensors[access.tensor].axes;
  std::uint64_t stride = 1;
  for (std::size_t i = axes.size(); i-- > 0;) {
    const Index& index = access.indices[i];
    if (index.kind == Index::Kind::kFixed) {
      operand.base += stride * index.value;
    } else {
      const auto loop = std::find(loops.axes.begin(), loops.axes.end(), static_cast<AxisId>(index.value));
      operand.strides[static_cast<std::size_t>(loop - loops.axes.begin())] = stride;
    }
    stride *= binding.length(axes[i]);
  }
  return operand;
}

// Whether f depends on loops alone that g depends on, but not on all there are.
bool is_part_of(const Operand& f, const Operand& g) {
  bool all = true;
  for (std::size_t i = 0; i < f.strides.size(); ++i) {
    if (f.strides[i] != 0 && g.strides[i] == 0) return false;
    all = all && g.strides[i] != 0;
  }
  return !all;
}

// The product of two factors, the first of which is part of the second: cells over the loops of the second.
Operand multiply(const Loops& loops, const Operand& f, const Operand& g) {
  Operand product{{}, 0, std::vector<std::uint64_t>(loops.size())};
  std::uint64_t size = 1;
  for (std::size_t i = loops.size(); i-- > 0;) {
    if (g.strides[i] == 0) continue;
    product.strides[i] = size;
    size *= loops.lengths[i];
  }
  base::Buffer<std::int64_t> cells(size);
  base::parallel_for(size, kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t cell = begin; cell < end; ++cell) {
      std::uint64_t in_f = f.base, in_g = g.base;
      for (std::size_t i = 0; i < loops.size(); ++i) {
        if (g.strides[i] == 0) continue;
        const std::uint64_t at = cell / product.strides[i] % loops.lengths[i];
        in_f += at * f.strides[i];
        in_g += at * g.strides[i];
      }
      cells[cell] = f.at(in_f) * g.at(in_g);
    }
  });
  product.cells = Array::of(std::span<const std::int64_t>(cells.data(), cells.size()));
  return product;
}

std::uint64_t cells_of(const Loops& loops, const Operand& operand) {
  std::uint64_t cells = 1;
  for (std::size_t i = 0; i < loops.size(); ++i) cells *= operand.strides[i] != 0 ? loops.lengths[i] : 1;
  return cells;
}

// Of three factors or more, one that is part of another is multiplied with the smallest such, so that sums over two
// are left. Products fit 64 bits.
void merge_factors(const Loops& loops, std::vector<Operand>& operands) {
  while (operands.size() > 2) {
    std::size_t best_f = 0, best_g = 0;
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t f = 0; f < operands.size(); ++f) {
      for (std::size_t g = 0; g < operands.size(); ++g) {
        if (f == g || !is_part_of(operands[f], operands[g]) || cells_of(loops, operands[g]) >= least) continue;
        least = cells_of(loops, operands[g]);
        best_f = f, best_g = g;
      }
    }
    if (best_f == best_g) return;
    operands[best_g] = multiply(loops, operands[best_f], operands[best_g]);
    operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(best_f));
  }
}

// Two neighbouring loops, both free or both summed, are one where every factor and the result go through them as
// through one.
void fuse_loops(Loops& loops, std::vector<Operand>& operands) {
  const auto fits = [](std::span<const std::uint64_t> strides, std::size_t i, std::uint64_t length) {
    return strides[i] == strides[i + 1] * length;
  };
  const auto erase = [](auto& list, std::size_t i) { list.erase(list.begin() + static_cast<std::ptrdiff_t>(i)); };
  for (std::size_t i = loops.size(); i-- > 0;) {
    if (i + 1 >= loops.size() || i + 1 == loops.free) continue;
    bool one = fits(loops.out_strides, i, loops.lengths[i + 1]);
    for (const Operand& operand : operands) one = one && fits(operand.strides, i, loops.lengths[i + 1]);
    if (!one) continue;
    loops.lengths[i + 1] *= loops.lengths[i];
    erase(loops.lengths, i);
    erase(loops.axes, i);
    erase(loops.out_strides, i);
    for (Operand& operand : operands) erase(operand.strides, i);
    if (i < loops.free) --loops.free;
  }
}

// A factor [a = values[..]] summed over a picks the places of a, which is then no loop: strides of the values' index,
// and the axis that is picked.
struct Pick {
  std::size_t loop = 0;  // the loop axis that it replaces
  std::vector<std::uint64_t> strides;
  std::span<const std::int64_t> values;
  std::uint64_t length = 0;
};

std::optional<Pick> find_pick(const Binding& binding, const Term& term, const Loops& loops, std::size_t& factor) {
  const auto& s = binding.statement();
  for (factor = 0; factor < term.factors.size(); ++factor) {
    const Access& access = term.factors[factor];
    const Tensor& tensor = s.tensors[access.tensor];
    if (tensor.kind != TensorKind::kStructured || tensor.structured.kind != StructuredKind::kOneHot) continue;
    const auto loop_of = [&](const Index& index) {
      return static_cast<std::size_t>(
          std::find(loops.axes.begin(), loops.axes.end(), static_cast<AxisId>(index.value)) - loops.axes.begin());
    };
    const bool along_axes = std::all_of(access.indices.begin(), access.indices.end(),
                                        [](const Index& index) { return index.kind == Index::Kind::kAxis; });
    if (!along_axes || loop_of(access.indices.back()) < loops.free) continue;
    Pick pick{loop_of(access.indices.back()), std::vector<std::uint64_t>(loops.axes.size()),
              binding.values(tensor.structured.values), 0};
    pick.length = loops.lengths[pick.loop];  // a prefix of the tensor's axis, perhaps
    std::uint64_t stride = 1;
    for (std::size_t i = tensor.axes.size() - 1; i-- > 0;) {
      pick.strides[loop_of(access.indices[i])] = stride;
      stride *= binding.length(tensor.axes[i]);
    }
    return pick;
  }
  return std::nullopt;
}

Fp to(Fp, std::int64_t x) { return Fp::from_int(x); }
std::uint64_t to(std::uint64_t, std::int64_t x) { return static_cast<std::uint64_t>(x); }

// Neighbouring cells of a factor.
struct Slice {
  const std::int32_t* narrow = nullptr;
  const std::int64_t* wide = nullptr;
  [[nodiscard]] std::int64_t operator[](std::size_t i) const { return narrow != nullptr ? narrow[i] : wide[i]; }
};

template <typename T, typename To>
void gather(const T* cells, std::uint64_t stride, std::size_t n, To* out) {
  for (std::size_t i = 0; i < n; ++i) {
    if constexpr (std::is_same_v<T, Fp>) {
      out[i] = centred(cells[i * stride]);
    } else {
      out[i] = cells[i * stride];
    }
  }
}

// Cells first, first + stride, .., where they are or in `scratch`.
Slice slice_of(const Array& cells, std::uint64_t first, std::uint64_t stride, std::size_t n,
               std::vector<std::int64_t>& scratch) {
  const auto* data = static_cast<const std::uint8_t*>(cells.data()) + first * field::cell_bytes(cells.type());
  if (cells.type() == CellType::kInt32 && stride == 1) return {reinterpret_cast<const std::int32_t*>(data), nullptr};
  if (scratch.size() < n) scratch.resize(n);
  auto* const narrow = reinterpret_cast<std::int32_t*>(scratch.data());
  switch (cells.type()) {
    case CellType::kInt8:
      gather(reinterpret_cast<const std::int8_t*>(data), stride, n, narrow);
      break;
    case CellType::kInt16:
      gather(reinterpret_cast<const std::int16_t*>(data), stride, n, narrow);
      break;
    case CellType::kInt32:
      gather(reinterpret_cast<const std::int32_t*>(data), stride, n, narrow);
      break;
    case CellType::kFp:
      gather(reinterpret_cast<const Fp*>(data), stride, n, scratch.data());
      return {nullptr, scratch.data()};
  }
  return {narrow, nullptr};
}

template <typename V>
V product_at(std::span<const Slice> slices, std::size_t i) {
  V product = to(V(), 1);
  for (const Slice& slice : slices) product *= to(V(), slice[i]);
  return product;
}

template <typename V>
V sum_products(std::span<const Slice> slices, std::size_t n) {
  if constexpr (std::is_same_v<V, std::uint64_t>) {
    if (slices.size() == 2 && slices[0].narrow != nullptr && slices[1].narrow != nullptr) {
      return dot(slices[0].narrow, slices[1].narrow, n);
    }
  }
  V sum{};
  for (std::size_t i = 0; i < n; ++i) sum += product_at<V>(slices, i);
  return sum;
}

// out[i * out_stride] += scalar * product at i.
template <typename V>
void add_products(const V& scalar, std::span<const Slice> slices, std::size_t n, V* out, std::uint64_t out_stride) {
  if constexpr (std::is_same_v<V, std::uint64_t>) {
    if (slices.size() == 1 && slices[0].narrow != nullptr && out_stride == 1) {
      const std::int32_t* const x = slices[0].narrow;
      for (std::size_t i = 0; i < n; ++i) out[i] += scalar * static_cast<std::uint64_t>(std::int64_t{x[i]});
      return;
    }
    if (slices.size() == 2 && slices[0].narrow != nullptr && slices[1].narrow != nullptr && out_stride == 1) {
      const std::int32_t* const x = slices[0].narrow;
      const std::int32_t* const y = slices[1].narrow;
      for (std::size_t i = 0; i < n; ++i) out[i] += scalar * static_cast<std::uint64_t>(std::int64_t{x[i]} * y[i]);
      return;
    }
  }
  for (std::size_t i = 0; i < n; ++i) out[i * out_stride] += scalar * product_at<V>(slices, i);
}

// Adds one term to the values. V is Fp, or std::uint64_t: integers modulo 2^64.
template <typename V>
class TermRunner {
 public:
  TermRunner(const Tensors& tensors, std::span<const AxisId> free_axes, const Term& term, std::span<V> out)
      : coefficient_(to(V(), term.coefficient)), loops_(make_loops(tensors.binding(), free_axes, term)), out_(out) {
    std::size_t picked = 0;
    pick_ = find_pick(tensors.binding(), term, loops_, picked);
    for (std::size_t i = 0; i < term.factors.size(); ++i) {
      if (!pick_ || i != picked) operands_.push_back(make_operand(tensors, term.factors[i], loops_));
    }
    if (pick_) return;
    if constexpr (kIntegers) merge_factors(loops_, operands_);
    fuse_loops(loops_, operands_);
  }

  void run() {
    if constexpr (kIntegers) {
      if (!pick_ && add_matrix_product(loops_, operands_, coefficient_, out_)) return;
    }
    choose_inner();
    run_loops();
  }

 private:
  static constexpr bool kIntegers = std::is_same_v<V, std::uint64_t>;
  static constexpr std::size_t kNoLoop = ~std::size_t{0};

  // Items of work: places of the free loops but the innermost, times blocks of the innermost if that is free.
  void run_loops() {
    std::size_t places = 1;
    for (std::size_t i = 0; i < loops_.free; ++i) {
      if (i != inner_) places *= loops_.lengths[i];
    }
    const std::size_t blocks = inner_ < loops_.free ? (inner_length() + kBlock - 1) / kBlock : 1;
    base::parallel_for(places * blocks, std::max<std::size_t>(1, places * blocks / 256),
                       [&](std::size_t begin, std::size_t end) {
                         for (std::size_t item = begin; item < end; ++item) run_item(item / blocks, item % blocks);
                       });
  }

  [[nodiscard]] std::size_t inner_length() const { return inner_ == kNoLoop ? 1 : loops_.lengths[inner_]; }

  // The loop along which most operands, and the result, are contiguous or constant; of several the longest.
  void choose_inner() {
    std::pair<std::size_t, std::uint64_t> best{0, 0};
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (pick_ && (i == pick_->loop || pick_->strides[i] != 0)) continue;
      std::size_t smooth = loops_.out_strides[i] <= 1 ? 1u : 0u;
      for (const Operand& operand : operands_) smooth += operand.strides[i] <= 1 ? 1u : 0u;
      const std::pair candidate{smooth, loops_.lengths[i]};
      if (inner_ != kNoLoop && candidate <= best) continue;
      best = candidate;
      inner_ = i;
    }
  }

  struct Offsets {
    std::vector<std::uint64_t> operands;
    std::uint64_t out = 0;
    std::uint64_t pick = 0;
  };
  void move(Offsets& at, std::size_t loop, std::uint64_t steps) const {
    for (std::size_t f = 0; f < operands_.size(); ++f) at.operands[f] += steps * operands_[f].strides[loop];
    at.out += steps * loops_.out_strides[loop];
    if (pick_) at.pick += steps * pick_->strides[loop];
  }

  void run_item(std::size_t place, std::size_t block) const {
    Offsets at;
    at.operands.resize(operands_.size());
    for (std::size_t f = 0; f < operands_.size(); ++f) at.operands[f] = operands_[f].base;
    for (std::size_t i = loops_.free; i-- > 0;) {
      if (i == inner_) continue;
      move(at, i, place % loops_.lengths[i]);
      place /= loops_.lengths[i];
    }
    std::size_t count = inner_length();
    if (inner_ < loops_.free) {
      move(at, inner_, block * kBlock);
      count = std::min(kBlock, count - block * kBlock);
    }
    run_sums(at, loops_.free, count);
  }

  void run_sums(const Offsets& at, std::size_t loop, std::size_t count) const {
    if (loop == loops_.size()) return run_picked(at, count);
    if (loop == inner_ || (pick_ && loop == pick_->loop)) return run_sums(at, loop + 1, count);
    Offsets moved = at;
    for (std::uint64_t i = 0; i < loops_.lengths[loop]; ++i) {
      run_sums(moved, loop + 1, count);
      move(moved, loop, 1);
    }
  }

  void run_picked(const Offsets& at, std::size_t count) const {
    if (!pick_) return run_inner(at, count);
    const auto place = static_cast<std::uint64_t>(pick_->values[at.pick]);
    if (place >= pick_->length) return;
    Offsets moved = at;
    for (std::size_t f = 0; f < operands_.size(); ++f) moved.operands[f] += place * operands_[f].strides[pick_->loop];
    run_inner(moved, count);
  }

  // The innermost loop, block by block: factors that vary are converted to neighbouring integers of 32 or 64 bits.
  void run_inner(const Offsets& at, std::size_t count) const {
    V scalar = coefficient_;
    std::array<std::size_t, statement::limits::kFactors> along{};
    std::size_t m = 0;
    for (std::size_t f = 0; f < operands_.size(); ++f) {
      if (inner_ != kNoLoop && operands_[f].strides[inner_] != 0) {
        along[m++] = f;
      } else {
        scalar *= to(V(), operands_[f].at(at.operands[f]));
      }
    }
    if (scalar == V()) return;
    const bool summed = inner_ == kNoLoop || inner_ >= loops_.free;
    const std::uint64_t out_stride = summed ? 0 : loops_.out_strides[inner_];
    thread_local std::array<std::vector<std::int64_t>, statement::limits::kFactors> scratch;
    for (std::size_t first = 0; first < count; first += kBlock) {
      const std::size_t n = std::min(kBlock, count - first);
      std::array<Slice, statement::limits::kFactors> slices;
      for (std::size_t f = 0; f < m; ++f) {
        const Operand& operand = operands_[along[f]];
        const std::uint64_t stride = operand.strides[inner_];
        slices[f] = slice_of(operand.cells, at.operands[along[f]] + first * stride, stride, n, scratch[f]);
      }
      V* const out = &out_[at.out + first * out_stride];
      if (summed) {
        *out += scalar * sum_products<V>(std::span(slices).first(m), n);
      } else {
        add_products<V>(scalar, std::span(slices).first(m), n, out, out_stride);
      }
    }
  }

  V coefficient_;
  Loops loops_;
  std::span<V> out_;
  std::optional<Pick> pick_;
  std::vector<Operand> operands_;
  std::size_t inner_ = kNoLoop;
};

// Whether the sum of all absolute values stays below 2^62: then integers modulo 2^64 are the integers themselves.
bool fits_int64(const Tensors& tensors, std::span<const AxisId> free_axes, const statement::Expression& terms) {
  constexpr Uint128 kLimit = Uint128{1} << 62;
  Uint128 total = 0;
  for (const Term& term : terms) {
    Uint128 bound = static_cast<std::uint64_t>(term.coefficient < 0 ? -term.coefficient : term.coefficient);
    const Loops loops = make_loops(tensors.binding(), free_axes, term);
    for (std::size_t i = loops.free; i < loops.axes.size() && bound < kLimit; ++i) bound *= loops.lengths[i];
    for (const Access& factor : term.factors) {
      if (bound >= kLimit) return false;
      bound *= std::max<std::uint64_t>(1, tensors.get(factor.tensor).largest());
    }
    total += std::min(bound, kLimit);
  }
  return total < kLimit;
}

template <typename V>
base::Buffer<V> run(const Tensors& tensors, std::span<const AxisId> free_axes, const statement::Expression& terms) {
  base::Buffer<V> out(tensors.binding().cells(free_axes));
  std::fill_n(out.data(), out.size(), V());
  for (const Term& term : terms) TermRunner<V>(tensors, free_axes, term, out).run();
  return out;
}

Array write_out(const Binding& binding, const Tensor& tensor) {
  const auto shape = binding.shape(tensor.axes);
  std::vector<std::int64_t> cells(binding.cells(tensor.axes));
  base::parallel_for(cells.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    std::vector<std::uint64_t> index(shape.size());
    for (std::size_t cell = begin; cell < end; ++cell) {
      std::size_t rest = cell;
      for (std::size_t i = shape.size(); i-- > 0;) {
        index[i] = rest % shape[i];
        rest /= shape[i];
      }
      cells[cell] = statement::structured_value(binding, tensor, index);
    }
  });
  return Array::of(cells);
}

}  // namespace

const Array& Tensors::get(TensorId id) const {
  const Tensor& tensor = binding_->statement().tensors[id];
  if (tensor.kind == TensorKind::kStructured && arrays_[id].size() == 0) arrays_[id] = write_out(*binding_, tensor);
  AVOW_CHECK(arrays_[id].size() != 0);
  return arrays_[id];
}

Array evaluate(const Tensors& tensors, std::span<const AxisId> free_axes, const statement::Expression& terms) {
  if (fits_int64(tensors, free_axes, terms)) {
    const auto out = run<std::uint64_t>(tensors, free_axes, terms);
    return Array::of(std::span(reinterpret_cast<const std::int64_t*>(out.data()), out.size()));
  }
  const auto out = run<Fp>(tensors, free_axes, terms);
  return Array::of(std::span<const Fp>(out.data(), out.size()));
}

}  // namespace avow::prover
