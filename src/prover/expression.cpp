// SPDX-License-Identifier: Apache-2.0
#include "prover/expression.hpp"

#include <algorithm>
#include <optional>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "prover/kernels.hpp"
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

// A factor in a term's loops: its cells as 32-bit integers or as 64-bit ones.
struct Operand {
  Array converted;  // owns what had to be converted
  const std::int32_t* narrow = nullptr;
  const std::int64_t* wide = nullptr;
  std::vector<std::int64_t> wide_cells;
  std::uint64_t base = 0;
  std::vector<std::uint64_t> strides;  // for each loop axis

  [[nodiscard]] std::int64_t at(std::uint64_t i) const { return narrow != nullptr ? narrow[i] : wide[i]; }
};

// The loops of one term: free axes first, then the summed ones.
struct Loops {
  std::vector<AxisId> axes;
  std::vector<std::uint64_t> lengths;
  std::vector<std::uint64_t> out_strides;  // 0 of a summed axis
  std::size_t free = 0;
};

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
  const Array& array = tensors.get(access.tensor);
  Operand operand;
  operand.strides.assign(loops.axes.size(), 0);
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
  if (array.type() == CellType::kInt32) {
    operand.narrow = static_cast<const std::int32_t*>(array.data());
  } else if (array.type() == CellType::kFp) {
    operand.wide_cells.resize(array.size());
    for (std::size_t i = 0; i < array.size(); ++i) operand.wide_cells[i] = array.at(i);
    operand.wide = operand.wide_cells.data();
  } else {
    operand.converted = Array::make(CellType::kInt32, array.size());
    auto* out = static_cast<std::int32_t*>(operand.converted.data());
    const auto* in = static_cast<const std::uint8_t*>(array.data());
    base::parallel_for(array.size(), kBlock, [&](std::size_t begin, std::size_t end) {
      convert(array.type(), in + begin * field::cell_bytes(array.type()), CellType::kInt32, out + begin, end - begin);
    });
    operand.narrow = out;
  }
  return operand;
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
    choose_inner();
  }

  // Items of work: places of the free loops but the innermost, times blocks of the innermost if that is free.
  void run() {
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

 private:
  [[nodiscard]] std::size_t inner_length() const { return inner_ == kNoLoop ? 1 : loops_.lengths[inner_]; }
  static constexpr std::size_t kNoLoop = ~std::size_t{0};

  // The loop along which most operands, and the result, are contiguous or constant; of several the longest.
  void choose_inner() {
    std::pair<std::size_t, std::uint64_t> best{0, 0};
    for (std::size_t i = 0; i < loops_.axes.size(); ++i) {
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
    if (loop == loops_.axes.size()) return run_picked(at, count);
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

  void run_inner(const Offsets& at, std::size_t count) const {
    V scalar = coefficient_;
    const Operand* along[statement::limits::kFactors];
    std::uint64_t first[statement::limits::kFactors];
    std::size_t m = 0;
    bool fast = std::is_same_v<V, std::uint64_t>;
    for (std::size_t f = 0; f < operands_.size(); ++f) {
      const Operand& operand = operands_[f];
      if (inner_ == kNoLoop || operand.strides[inner_] == 0) {
        scalar *= to(V(), operand.at(at.operands[f]));
      } else {
        fast = fast && operand.narrow != nullptr && operand.strides[inner_] == 1;
        along[m] = &operand;
        first[m++] = at.operands[f];
      }
    }
    const bool summed = inner_ == kNoLoop || inner_ >= loops_.free;
    if constexpr (std::is_same_v<V, std::uint64_t>) {
      if (fast && m == 2 && summed) {
        out_[at.out] += scalar * dot(along[0]->narrow + first[0], along[1]->narrow + first[1], count);
        return;
      }
    }
    const std::uint64_t out_stride = summed ? 0 : loops_.out_strides[inner_];
    for (std::size_t k = 0; k < count; ++k) {
      V product = scalar;
      for (std::size_t f = 0; f < m; ++f) product *= to(V(), along[f]->at(first[f] + k * along[f]->strides[inner_]));
      out_[at.out + k * out_stride] += product;
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
