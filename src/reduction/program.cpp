// SPDX-License-Identifier: Apache-2.0
#include "reduction/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/check.hpp"
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

  Bytes columns() {
    Bytes out;
    append_be16(out, plan_.columns.size());
    for (std::size_t j = 0; j < plan_.columns.size(); ++j) {
      const Column& column = plan_.columns[j];
      const auto& axes = j < s_.tables.size() ? s_.tables[j].axes : s_.lookups[j - s_.tables.size()].axes;
      out.push_back(static_cast<std::uint8_t>(column.table));
      append_be16(out, column.multiplicity == kNone ? 0xffff : column.multiplicity);
      out.push_back(static_cast<std::uint8_t>(axes.size()));
      for (const AxisId axis : axes) out.push_back(nodes_.axis(axis));
      factor(out, column.indicator);
      factor(out, column.numerator);
      out.push_back(static_cast<std::uint8_t>(column.entries.size()));
      for (const auto& entry : column.entries) sum(out, entry);
    }
    return out;
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
      gathering(out, stage.gathered);
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

  void gathering(Bytes& out, const std::vector<Gathered>& tensors) {
    Weights weights;
    Bytes list;
    for (const Gathered& gathered : tensors) {
      // All weights on a tensor have one scale.
      Product common;
      common.scale = gathered.claims.front().weight.scale;
      const auto scale = nodes_.add(common);
      append_be16(list, gathered.value);
      append_be16(list, scale.coefficient);
      append_be16(list, scale.node);
      append_be16(list, gathered.claims.size());
      for (const auto& [claim, weight] : gathered.claims) {
        std::uint16_t number = 0;
        for (const Eq& eq : weight.eqs) number = weights.add(number, node_of(eq));
        append_be16(list, claim);
        append_be16(list, number);
      }
    }
    append_be16(out, weights.size());
    base::append(out, weights.bytes());
    append_be16(out, tensors.size());
    base::append(out, list);
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
    if (tensor.kind == TensorKind::kStructured && tensor.structured.kind == statement::StructuredKind::kShift) {
      return "a shift";
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
