// SPDX-License-Identifier: Apache-2.0
#include "reduction/program_nodes.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "reduction/evaluate.hpp"

namespace avow::reduction {

using base::Bytes;
using field::Fp;
using statement::AxisId;
using statement::AxisKind;
using statement::StructuredKind;

namespace {

// spec/program.md, section 3.
enum class Node : std::uint8_t {
  kOne = 0,
  kProduct = 1,
  kScale = 2,
  kExtent = 3,
  kEq = 4,
  kIndex = 5,
  kEqual = 6,
  kLess = 7,
  kLessEqual = 8,
  kPieces = 9,
};

Bytes begin(Node node) { return {static_cast<std::uint8_t>(node)}; }

std::uint8_t low_byte(std::size_t value) {
  AVOW_CHECK(value < 256);
  return static_cast<std::uint8_t>(value);
}

}  // namespace

std::uint16_t ProgramNodes::Numbered::add(Bytes element) {
  // A program with more elements than numbers is larger than it may be, and refused.
  const auto [it, is_new] =
      numbers_.try_emplace(std::string(element.begin(), element.end()), static_cast<std::uint16_t>(all_.size()));
  if (is_new) all_.push_back(std::move(element));
  return it->second;
}

ProgramNodes::ProgramNodes(const statement::Statement& statement) : s_(statement) {
  for (AxisId axis = 0; axis < s_.axes.size(); ++axis) {
    if (s_.axes[axis].kind == AxisKind::kParameter) parameters_.push_back(axis);
  }
  (void)constant(field::Fp(1));
  (void)nodes_.add(begin(Node::kOne));
}

std::uint8_t ProgramNodes::axis(AxisId axis) const {
  AxisId first = 0;
  while (!statement::same_length(s_, axis, first)) ++first;
  return low_byte(first);
}

std::uint8_t ProgramNodes::parameters() const { return low_byte(parameters_.size()); }

ProgramNodes::Counts ProgramNodes::counts(const Bits& bits) const {
  Counts counts{};
  for (const AxisId axis : bits.parameters) {
    const auto found = std::find(parameters_.begin(), parameters_.end(), axis);
    ++counts[static_cast<std::size_t>(found - parameters_.begin())];
  }
  return counts;
}

std::uint16_t ProgramNodes::constant(Fp value) {
  Bytes bytes;
  base::append_be64(bytes, value.value());
  return constants_.add(std::move(bytes));
}

std::uint16_t ProgramNodes::at(const Coordinates& coordinates, AxisId axis) {
  Bytes bytes;
  const bool has_stage = coordinates.source == Source::kStage;
  bytes.push_back(low_byte(static_cast<std::size_t>(coordinates.source) + (has_stage ? coordinates.stage : 0)));
  bytes.push_back(this->axis(axis));
  if (coordinates.source == Source::kPlace) {
    bytes.resize(4);
    base::append_be32(bytes, static_cast<std::uint32_t>(coordinates.place));
    return coordinates_.add(std::move(bytes));
  }
  const bool has_axis = has_stage || coordinates.source == Source::kZero;
  bytes.push_back(low_byte(coordinates.extent.fixed));
  // At most one parameter: 1 plus its number.
  const Counts extent = counts(coordinates.extent);
  const auto parameter = std::find(extent.begin(), extent.end(), 1);
  bytes.push_back(parameter == extent.end() ? 0 : low_byte(static_cast<std::size_t>(parameter - extent.begin()) + 1));
  if (has_axis) {
    bytes.push_back(low_byte(coordinates.axis));
    bytes.resize(8);
    return coordinates_.add(std::move(bytes));
  }
  bytes.push_back(low_byte(coordinates.below.fixed));
  for (const std::uint8_t count : counts(coordinates.below)) bytes.push_back(count);
  return coordinates_.add(std::move(bytes));
}

void ProgramNodes::multiply(std::uint16_t& node, Bytes factor) {
  const std::uint16_t other = nodes_.add(std::move(factor));
  if (node == 0) {
    node = other;
    return;
  }
  Bytes product = begin(Node::kProduct);
  append_be16(product, node);
  append_be16(product, other);
  node = nodes_.add(std::move(product));
}

ProgramNodes::Added ProgramNodes::add(const Product& product) {
  Added added{0, 0};
  Fp coefficient = Fp::from_int(product.coefficient) * power_of_two(product.scale.fixed);
  const Counts scale = counts(product.scale);
  if (scale != Counts{}) {
    Bytes node = begin(Node::kScale);
    node.insert(node.end(), scale.begin(), scale.end());
    multiply(added.node, std::move(node));
  }
  for (const Extent& extent : product.extents) {
    Bytes node = begin(Node::kExtent);
    node.push_back(axis(extent.axis));
    append_be16(node, at(extent.at, extent.axis));
    multiply(added.node, std::move(node));
  }
  for (const Eq& eq : product.eqs) {
    Bytes node = begin(Node::kEq);
    append_be16(node, at(eq.a, eq.axis));
    append_be16(node, at(eq.b, eq.axis));
    multiply(added.node, std::move(node));
  }
  for (const TensorPoint& point : product.structured) {
    const auto& tensor = s_.tensors[point.tensor];
    if (tensor.structured.kind == StructuredKind::kConstant) coefficient *= Fp::from_int(tensor.structured.constant);
    multiply_structured(added, point);
  }
  added.coefficient = constant(coefficient);
  return added;
}

void ProgramNodes::multiply_structured(Added& product, const TensorPoint& point) {
  const auto& tensor = s_.tensors[point.tensor];
  const auto& s = tensor.structured;
  const auto append_axis = [&](Bytes& node, std::size_t i) {
    node.push_back(axis(tensor.axes[i]));
    append_be16(node, at(point.axes[i], tensor.axes[i]));
  };
  Bytes node;
  switch (s.kind) {
    case StructuredKind::kConstant:
      for (std::size_t i = 0; i < tensor.axes.size(); ++i) {
        Bytes extent = begin(Node::kExtent);
        append_axis(extent, i);
        multiply(product.node, std::move(extent));
      }
      return;
    case StructuredKind::kIndex:
      node = begin(Node::kIndex);
      append_axis(node, 0);
      append_be16(node, constant(Fp::from_int(s.constant)));
      break;
    case StructuredKind::kEqual:
    case StructuredKind::kLess:
    case StructuredKind::kLessEqual:
      node = begin(s.kind == StructuredKind::kEqual  ? Node::kEqual
                   : s.kind == StructuredKind::kLess ? Node::kLess
                                                     : Node::kLessEqual);
      append_axis(node, 0);
      append_axis(node, 1);
      break;
    case StructuredKind::kPiecewise:
      node = begin(Node::kPieces);
      append_axis(node, 0);
      node.push_back(low_byte(s.pieces.size()));
      for (const auto& piece : s.pieces) {
        base::append_be32(node, static_cast<std::uint32_t>(piece.length));
        append_be16(node, constant(Fp::from_int(piece.first)));
        append_be16(node, constant(Fp::from_int(piece.step)));
      }
      break;
    case StructuredKind::kOneHot:
    case StructuredKind::kBelow:
    case StructuredKind::kValue:
      AVOW_CHECK(false);  // are claimed of; as masks they have no program
      break;
    case StructuredKind::kBetween:
    case StructuredKind::kShift:
      AVOW_CHECK(false);  // has no program
      break;
  }
  multiply(product.node, std::move(node));
}

Bytes ProgramNodes::axes() const {
  Bytes out;
  append_be16(out, s_.axes.size());
  for (AxisId axis = 0; axis < s_.axes.size(); ++axis) {
    const AxisId root = s_.root(axis);
    const auto parameter = std::find(parameters_.begin(), parameters_.end(), root);
    out.push_back(
        parameter == parameters_.end() ? 0 : low_byte(static_cast<std::size_t>(parameter - parameters_.begin()) + 1));
    base::append_be32(out, static_cast<std::uint32_t>(s_.axes[root].length));
  }
  return out;
}

namespace {

Bytes section(const std::vector<Bytes>& elements) {
  Bytes out;
  append_be16(out, elements.size());
  for (const Bytes& element : elements) base::append(out, element);
  return out;
}

}  // namespace

Bytes ProgramNodes::constants() const { return section(constants_.all()); }
Bytes ProgramNodes::coordinates() const { return section(coordinates_.all()); }

// Nodes are of several lengths: their offsets from the first one come before them.
Bytes ProgramNodes::nodes() const {
  Bytes out;
  append_be16(out, nodes_.all().size());
  std::size_t offset = 0;
  for (const Bytes& node : nodes_.all()) {
    append_be16(out, offset);
    offset += node.size();
  }
  for (const Bytes& node : nodes_.all()) base::append(out, node);
  return out;
}

}  // namespace avow::reduction
