// SPDX-License-Identifier: Apache-2.0
#include "reduction/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <optional>

#include "base/check.hpp"
#include "reduction/digits.hpp"
#include "reduction/program_nodes.hpp"

namespace avow::reduction {
namespace {

using base::Bytes;
using statement::AxisId;
using statement::Statement;
using statement::Tensor;
using statement::TensorKind;

// Sections in order, each behind its offset in the head (spec/program.md).
class ProgramWriter {
 public:
  ProgramWriter(const Statement& statement, const Plan& plan) : s_(statement), plan_(plan), nodes_(statement) {}

  Bytes run() {
    // Constants, coordinates and nodes are known once everything else is written.
    const Bytes columns = this->columns(), zero = this->zero(), stages = this->stages(), opening = this->opening();
    const std::array sections = {
        nodes_.axes(), nodes_.constants(), nodes_.coordinates(), nodes_.nodes(), columns, zero, stages, opening,
        uses()};
    Bytes head;
    append_be16(head, kProgramVersion);
    head.push_back(nodes_.parameters());
    head.push_back(static_cast<std::uint8_t>(plan_.tag_power));
    std::size_t offset = head.size() + 2 * sections.size();
    for (const Bytes& section : sections) {
      // Beyond what a program may have it is refused, whatever stands here.
      append_be16(head, std::min<std::size_t>(offset, 0xffff));
      offset += section.size();
    }
    for (const Bytes& section : sections) base::append(head, section);
    return head;
  }

 private:
  // number of factors' claims, coefficient, node, claims
  void product(Bytes& out, const Product& p) {
    out.push_back(static_cast<std::uint8_t>(p.claims.size()));
    const auto [coefficient, node] = nodes_.add(p);
    append_be16(out, coefficient);
    append_be16(out, node);
    for (const ClaimId claim : p.claims) append_be16(out, claim);
  }
  void sum(Bytes& out, const std::vector<Product>& products) {
    append_be16(out, products.size());
    for (const Product& p : products) product(out, p);
  }
  // A product whose coefficient is 1: its node.
  void factor(Bytes& out, const Product& p) {
    const auto [coefficient, node] = nodes_.add(p);
    AVOW_CHECK(coefficient == 0 && p.claims.empty());
    append_be16(out, node);
  }

  // Behind the number of columns their lengths, so that a reader finds each without reading those before.
  Bytes columns() {
    Bytes out, bodies;
    append_be16(out, plan_.columns.size());
    for (std::size_t j = 0; j < plan_.columns.size(); ++j) {
      const std::size_t before = bodies.size();
      column(bodies, plan_.columns[j],
             j < s_.tables.size() ? s_.tables[j].axes : s_.lookups[j - s_.tables.size()].axes);
      append_be16(out, bodies.size() - before);
    }
    base::append(out, bodies);
    return out;
  }
  void column(Bytes& out, const Column& column, const std::vector<AxisId>& axes) {
    out.push_back(static_cast<std::uint8_t>(column.table));
    append_be16(out, column.multiplicity == kNone ? 0xffff : column.multiplicity);
    out.push_back(static_cast<std::uint8_t>(axes.size()));
    for (const AxisId axis : axes) out.push_back(nodes_.axis(axis));
    factor(out, column.indicator);
    factor(out, column.numerator);
    out.push_back(static_cast<std::uint8_t>(column.entries.size()));
    for (const auto& entry : column.entries) sum(out, entry);
  }

  void placed(Bytes& out, const std::vector<PlacedAxis>& axes) const {
    out.push_back(static_cast<std::uint8_t>(axes.size()));
    for (const PlacedAxis& placed : axes) {
      out.push_back(static_cast<std::uint8_t>(placed.axis));
      out.push_back(placed.degree);
      out.push_back(static_cast<std::uint8_t>(placed.together.size()));
      for (const AxisId axis : placed.together) out.push_back(static_cast<std::uint8_t>(axis));
    }
  }

  // The claims that arise in the lookup argument are all before; claims are numbered as they arise.
  Bytes zero() {
    const auto is_table = [](const Column& column) { return column.multiplicity != kNone; };
    next_claim_ = plan_.lookup_values.size() +
                  static_cast<std::size_t>(std::count_if(plan_.columns.begin(), plan_.columns.end(), is_table));
    Bytes out;
    append_be16(out, next_claim_);
    append_be16(out, plan_.zero_claims.size());
    placed(out, plan_.zero_axes);
    next_claim_ += plan_.zero_claims.size();
    return out;
  }

  Bytes stages() {
    Bytes out;
    out.push_back(static_cast<std::uint8_t>(plan_.stages.size()));
    for (const Stage& stage : plan_.stages) {
      const Bytes body = this->stage(stage);
      append_be16(out, body.size());
      base::append(out, body);
    }
    return out;
  }

  Bytes stage(const Stage& stage) {
    Bytes out;
    out.push_back(stage.number);
    append_be16(out, next_claim_);
    append_be16(out, stage.linear_values.size());
    append_be16(out, stage.sum_values.size());
    next_claim_ += stage.linear_values.size() + stage.sum_values.size();
    placed(out, stage.axes);
    append_be16(out, stage.linear.size());
    for (const LinearEquation& equation : stage.linear) {
      append_be16(out, equation.claim);
      sum(out, equation.products);
    }
    if (stage.number == 0) {
      gathering(out, stage);
      return out;
    }
    append_be16(out, stage.sums.size());
    for (const Summation& summation : stage.sums) {
      append_be16(out, summation.claim);
      sum(out, summation.products);
    }
    return out;
  }

  // A weight is a product of eq over axes; those of many claims begin alike.
  class Weights {
   public:
    // The number of the product of another one and a node; 0 is 1.
    std::uint16_t add(std::uint16_t earlier, std::uint16_t node) {
      const auto [it, is_new] = numbers_.try_emplace({earlier, node}, static_cast<std::uint16_t>(numbers_.size() + 1));
      if (is_new) {
        append_be16(bytes_, earlier);
        append_be16(bytes_, node);
      }
      return it->second;
    }
    [[nodiscard]] std::size_t size() const noexcept { return numbers_.size(); }
    [[nodiscard]] const Bytes& bytes() const noexcept { return bytes_; }

   private:
    std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint16_t> numbers_;
    Bytes bytes_;
  };

  std::uint16_t node_of(const Eq& eq) {
    Product product;
    product.eqs.push_back(eq);
    return nodes_.add(product).node;
  }

  std::uint16_t number_of(Weights& weights, const Product& weight) {
    std::uint16_t number = 0;
    for (const Eq& eq : weight.eqs) number = weights.add(number, node_of(eq));
    return number;
  }
  // All weights on a tensor, or over the same values, have one scale.
  void scale(Bytes& out, const Product& weight) {
    Product common;
    common.scale = weight.scale;
    const auto scale = nodes_.add(common);
    append_be16(out, scale.coefficient);
    append_be16(out, scale.node);
  }

  void gathering(Bytes& out, const Stage& stage) {
    Weights weights;
    Bytes list;
    std::size_t claims = 0;
    for (const Gathered& gathered : stage.gathered) {
      append_be16(list, gathered.value);
      scale(list, gathered.claims.front().weight);
      append_be16(list, gathered.claims.size());
      for (const auto& [claim, weight] : gathered.claims) {
        append_be16(list, claim);
        append_be16(list, number_of(weights, weight));
      }
      claims += gathered.claims.size();
    }
    const Bytes reads = this->reads(stage, claims, weights);
    append_be16(out, weights.size());
    base::append(out, weights.bytes());
    append_be16(out, stage.gathered.size());
    base::append(out, list);
    base::append(out, reads);
  }

  // What a value beyond its axis is read as; never, if none can be, or as itself.
  enum class Beyond : std::uint8_t { kNever = 0, kLength = 1, kPower = 2 };

  [[nodiscard]] Beyond beyond(const Tensor& tensor) const {
    const auto& axis = s_.axes[s_.root(tensor.axes.back())];
    const std::uint64_t bound = s_.values[tensor.structured.values].bound;
    const bool is_below = tensor.structured.kind == statement::StructuredKind::kBelow;
    if (axis.kind == statement::AxisKind::kFixed) {
      if (bound <= axis.length) return Beyond::kNever;
      if (is_below && std::has_single_bit(axis.length) && bound == axis.length + 1) return Beyond::kNever;
    }
    return is_below ? Beyond::kLength : Beyond::kPower;
  }

  // The values and how their digits are read: claims that have these in common share what is summed over the places.
  // Those over the same axes lie together, as eq of these is computed once.
  Bytes reading(const Read& read) {
    const Tensor& tensor = s_.tensors[plan_.claims[read.claim].tensor];
    const auto& axes = s_.values[tensor.structured.values].axes;
    Bytes out = {static_cast<std::uint8_t>(axes.size())};
    for (std::size_t i = 0; i < axes.size(); ++i) {
      out.push_back(nodes_.axis(axes[i]));
      append_be16(out, nodes_.at(read.at[i], axes[i]));
    }
    scale(out, read.weight);
    const unsigned digits = digits_of(s_, tensor);
    out.push_back(static_cast<std::uint8_t>(tensor.structured.values));
    out.push_back(static_cast<std::uint8_t>(digits));
    out.push_back(digits == 0 ? std::uint8_t{0} : nodes_.axis(tensor.axes.back()));
    out.push_back(static_cast<std::uint8_t>(digits == 0 ? Beyond::kNever : beyond(tensor)));
    return out;
  }

  // powers: how many claims are joined before.
  Bytes reads(const Stage& stage, std::size_t powers, Weights& weights) {
    std::map<std::string, Bytes> readings;
    for (const Read& read : stage.reads) {
      const TensorPoint& point = plan_.claims[read.claim];
      const Tensor& tensor = s_.tensors[point.tensor];
      const Bytes shared = reading(read);
      Bytes& claims = readings[std::string(shared.begin(), shared.end())];
      append_be16(claims, read.claim);
      append_be16(claims, powers++);
      append_be16(claims, number_of(weights, read.weight));
      const bool has_last = tensor.structured.kind != statement::StructuredKind::kValue;
      append_be16(claims, has_last ? nodes_.at(point.axes.back(), tensor.axes.back()) : 0);
      claims.push_back(tensor.structured.kind == statement::StructuredKind::kBelow ? 1 : 0);
    }
    Bytes out;
    append_be16(out, stage.reads.size());
    append_be16(out, readings.size());
    for (const auto& [reading, claims] : readings) {
      out.insert(out.end(), reading.begin(), reading.end());
      append_be16(out, claims.size() / kReadBytes);
      base::append(out, claims);
    }
    return out;
  }

  // Claims at one point lie together: what their weights share is computed once.
  Bytes opening() {
    std::vector<std::size_t> place(s_.tensors.size());  // among the committed ones
    Bytes out;
    Bytes tensors;
    std::size_t count = 0;
    for (const TensorKind kind : {TensorKind::kModel, TensorKind::kWitness}) {
      for (statement::TensorId id = 0; id < s_.tensors.size(); ++id) {
        if (s_.tensors[id].kind != kind) continue;
        place[id] = count++;
        tensors.push_back(kind == TensorKind::kModel ? 0 : 1);
        tensors.push_back(static_cast<std::uint8_t>(s_.tensors[id].axes.size()));
        for (const AxisId axis : s_.tensors[id].axes) tensors.push_back(nodes_.axis(axis));
      }
    }
    append_be16(out, count);
    base::append(out, tensors);
    append_be16(out, plan_.opened.size());
    for (const ClaimId claim : plan_.opened) append_be16(out, claim);
    std::map<std::vector<std::uint16_t>, std::vector<std::pair<std::size_t, std::size_t>>> points;
    for (std::size_t i = 0; i < plan_.opened.size(); ++i) {
      const TensorPoint& point = plan_.claims[plan_.opened[i]];
      const auto& tensor = s_.tensors[point.tensor];
      std::vector<std::uint16_t> at;
      for (std::size_t k = 0; k < tensor.axes.size(); ++k) at.push_back(nodes_.at(point.axes[k], tensor.axes[k]));
      points[at].emplace_back(i, place[point.tensor]);
    }
    append_be16(out, points.size());
    for (const auto& [point, claims] : points) {
      out.push_back(static_cast<std::uint8_t>(point.size()));
      for (const std::uint16_t at : point) append_be16(out, at);
      append_be16(out, claims.size());
      for (const auto& [number, tensor] : claims) {
        append_be16(out, number);
        append_be16(out, tensor);
      }
    }
    return out;
  }

  [[nodiscard]] Bytes uses() const {
    Bytes out;
    append_be16(out, plan_.last_use.size());
    for (const std::size_t passed : plan_.last_use) out.push_back(static_cast<std::uint8_t>(passed));
    return out;
  }

  static constexpr std::size_t kReadBytes = 9;

  const Statement& s_;
  const Plan& plan_;
  ProgramNodes nodes_;
  std::size_t next_claim_ = 0;
};

// What nodes have no form for.
std::optional<std::string> unsupported(const Statement& statement) {
  const auto is_parameter = [](const statement::Axis& axis) { return axis.kind == statement::AxisKind::kParameter; };
  const auto parameters = std::count_if(statement.axes.begin(), statement.axes.end(), is_parameter);
  if (static_cast<std::size_t>(parameters) > kMaxProgramParameters) return fmt::format("{} parameters", parameters);
  for (const auto& axis : statement.axes) {
    if (axis.length >> 32 != 0) return fmt::format("axis '{}': a length of 2^32", axis.name);
  }
  for (const Tensor& tensor : statement.tensors) {
    if (tensor.kind != TensorKind::kStructured) continue;
    if (tensor.structured.kind == statement::StructuredKind::kShift) return "a shift";
    if (tensor.structured.kind == statement::StructuredKind::kBetween) return "a range between two public values";
  }
  for (const auto& lookup : statement.lookups) {
    if (lookup.mask && is_read(statement.tensors[lookup.mask->tensor])) {
      return fmt::format("lookup '{}': a mask of public values", lookup.name);
    }
  }
  return std::nullopt;
}

}  // namespace

Bytes program_bytes(const Statement& statement, const Plan& plan) { return ProgramWriter(statement, plan).run(); }

base::Result<Bytes, std::string> make_program(const Statement& statement) {
  if (auto reason = unsupported(statement)) return base::Err{std::move(*reason)};
  const auto plan = make_plan(statement::Binding::least(statement));
  if (!plan) return base::Err{plan.error().text};
  Bytes program = program_bytes(statement, plan.value());
  if (program.size() > kMaxProgramBytes) return base::Err{fmt::format("a program of {} bytes", program.size())};
  return program;
}

}  // namespace avow::reduction
