// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "compile/assembly.hpp"

namespace avow::compile {

using statement::at;
using statement::Expr;
using statement::TensorRef;

namespace {

Axes with(Axes axes, statement::AxisRef last) {
  axes.push_back(last);
  return axes;
}

// The tensor at a place of its last axis.
Expr read_at(TensorRef tensor, const Axes& axes, std::uint64_t place) {
  statement::Access access{tensor.id, {}};
  for (const auto axis : axes) access.indices.push_back({statement::Index::Kind::kAxis, axis.id});
  access.indices.push_back(at(place).index);
  return Expr(std::move(access));
}

}  // namespace

Norms::Norms(Assembly& assembly) : a_(assembly) {
  auto& b = a_.b;
  place_ = b.axis("place", kNormBytes);
  const auto state = b.axis("state", 2), byte = b.axis("byte", 256);
  const auto found = a_.model(ModelTensor::kFoundValues, {state, byte});
  // States 1 and 2: a constant entry cannot be 0.
  scan_ = b.table("scan", {state, byte}, {b.index(state, 1), b.index(byte), found(state, byte)});
  const auto lead = b.axis("lead", 256), next = b.axis("next", 256);
  const auto values = a_.model(ModelTensor::kRootValues, {lead, next});
  const auto slopes = a_.model(ModelTensor::kRootSlopes, {lead, next});
  root_ = b.table("roots", {lead, next}, {b.index(lead), b.index(next), values(lead, next), slopes(lead, next)});
}

TensorRef Norms::add(const std::string& name, const Axes& places, TensorRef x) {
  auto& b = a_.b;
  const Axes cells = with(places, a_.feature);
  const TensorRef xq = add_input(name, places, x);
  const Expr square = Assembly::read(xq, cells) * Assembly::read(xq, cells);
  const TensorRef squares =
      b.define(name + ".squares", places, sum({a_.feature}, square) + static_cast<std::int64_t>(a_.plan.norm_epsilon));
  const TensorRef scale = add_scale(name, places, squares);
  const TensorRef scaled = b.define(name + ".scaled", cells, Assembly::read(xq, cells) * Assembly::read(scale, places));
  return a_.rounded(name + ".out", cells, scaled, kNormShift);
}

TensorRef Norms::add_input(const std::string& name, const Axes& places, TensorRef x) {
  const Axes cells = with(places, a_.feature);
  const TensorRef xq = a_.two_limbs(name, name + ".in", cells, a_.plan.stream_bits);
  a_.rounds_to(name + ".in", cells, Assembly::read(x, cells), Assembly::read(xq, cells), a_.plan.stream_shift);
  return xq;
}

// The reciprocal root by a table of the leading bytes: found_j is 1 from the leading byte downwards, so found_j -
// found_(j+1) is 1 at the leading byte alone.
TensorRef Norms::add_scale(const std::string& name, const Axes& places, TensorRef squares) {
  auto& b = a_.b;
  const Axes rows = with(places, place_);
  const TensorRef byte = b.witness(name + ".byte", rows, statement::unsigned_bits(8));
  const TensorRef found = b.witness(name + ".found", rows, statement::unsigned_bits(1));
  Expr total = Assembly::read(squares, places);
  for (unsigned j = 0; j < kNormBytes; ++j) total = total - power(8 * j) * read_at(byte, places, j);
  b.zero(name + ".bytes", places, total);
  a_.in_range(name + ".top", places, read_at(byte, places, kNormBytes - 1), kNormBits - 8 * (kNormBytes - 1));

  Expr lead(0), next(0), after(0), size(0);
  for (unsigned j = kNormBytes; j-- > 0;) {
    const bool top = j + 1 == kNormBytes;
    const Expr above = top ? Expr(0) : read_at(found, places, j + 1);
    b.lookup(fmt::format("{}.scan_{}", name, j), places,
             {above + 1, read_at(byte, places, j), read_at(found, places, j)}, scan_);
    const Expr is_lead = read_at(found, places, j) - above;
    lead = lead + is_lead * read_at(byte, places, j);
    if (j >= 1) next = next + is_lead * read_at(byte, places, j - 1);
    if (j >= 2) after = after + is_lead * read_at(byte, places, j - 2);
    size = size + power(4 * (kNormBytes - 1 - j)) * is_lead;
  }
  const TensorRef lead_byte = b.define(name + ".lead", places, lead);
  const TensorRef next_byte = b.define(name + ".next", places, next);
  const TensorRef after_byte = b.define(name + ".after", places, after);
  const TensorRef size_of = b.define(name + ".size", places, size);

  const TensorRef root = b.witness(name + ".root", places, statement::unsigned_bits(16));
  const TensorRef slope = b.witness(name + ".slope", places, statement::unsigned_bits(16));
  const auto read = [&](TensorRef tensor) { return Assembly::read(tensor, places); };
  b.lookup(name + ".root", places, {read(lead_byte), read(next_byte), read(root), read(slope)}, root_);
  const TensorRef fine = b.define(name + ".fine", places, 256 * read(root) - read(slope) * read(after_byte));
  const TensorRef product = b.define(name + ".product", places, read(fine) * read(size_of));
  const TensorRef scale = b.witness(name + ".scale", places, statement::unsigned_bits(32));
  a_.rounds_to(name + ".scale", places, read(product), read(scale), kScaleShift);
  a_.in_range(name + ".scale", places, read(scale), 32);
  return scale;
}

}  // namespace avow::compile
