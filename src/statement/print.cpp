// SPDX-License-Identifier: Apache-2.0
#include "statement/print.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "statement/plan.hpp"

namespace avow::statement {
namespace {

class Printer {
 public:
  explicit Printer(const Statement& statement) : s_(statement) {}

  std::string run() {
    axes();
    values();
    committed();
    definitions();
    tables();
    lookups();
    return std::move(out_);
  }

  [[nodiscard]] std::string expression(const std::vector<AxisId>& free_axes, const Expression& terms) const {
    std::string text;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      const bool negative = terms[i].coefficient < 0;
      if (i > 0) text += negative ? " - " : " + ";
      if (i == 0 && negative) text += "-";
      text += term(free_axes, terms[i]);
    }
    return text;
  }

 private:
  template <typename... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    out_ += fmt::format(text, std::forward<Args>(args)...) + "\n";
  }

  [[nodiscard]] std::string index(const Index& index) const {
    return index.kind == Index::Kind::kFixed ? std::to_string(index.value) : s_.axes[index.value].name;
  }

  template <typename T, typename Name>
  static std::string join(const std::vector<T>& list, const Name& name) {
    std::string text;
    for (const T& element : list) text += fmt::format("{}{}", text.empty() ? "" : ", ", name(element));
    return text;
  }

  // "[token, in]", nothing for a scalar.
  [[nodiscard]] std::string brackets(const std::vector<AxisId>& axes) const {
    return axes.empty() ? std::string()
                        : fmt::format("[{}]", join(axes, [&](AxisId axis) { return s_.axes[axis].name; }));
  }
  [[nodiscard]] std::string brackets(const std::vector<Index>& indices) const {
    return indices.empty() ? std::string()
                           : fmt::format("[{}]", join(indices, [&](const Index& i) { return index(i); }));
  }

  [[nodiscard]] static std::string scaled(std::int64_t factor, const std::string& what) {
    return factor == 1 ? what : fmt::format("{} {}", factor, what);
  }
  [[nodiscard]] static std::string shifted(const std::string& what, std::int64_t offset) {
    if (offset == 0) return what;
    return fmt::format("{} {} {}", what, offset < 0 ? '-' : '+', offset < 0 ? -offset : offset);
  }

  [[nodiscard]] std::string structured(const Tensor& tensor, const std::vector<Index>& indices) const {
    const Structured& t = tensor.structured;
    const auto at = [&](std::size_t i) { return index(indices[i]); };
    const auto value_of = [&](ValuesId id) {
      const auto rank = static_cast<std::ptrdiff_t>(s_.values[id].axes.size());
      return s_.values[id].name + brackets(std::vector<Index>(indices.begin(), indices.begin() + rank));
    };
    switch (t.kind) {
      case StructuredKind::kConstant:
        return fmt::format("constant({}){}", t.constant, brackets(indices));
      case StructuredKind::kIndex:
        return t.constant == 0 ? fmt::format("index({})", at(0))
                               : fmt::format("({})", shifted(fmt::format("index({})", at(0)), t.constant));
      case StructuredKind::kEqual:
        return fmt::format("[{} = {}]", at(0), at(1));
      case StructuredKind::kLess:
        return fmt::format("[{} < {}]", at(0), at(1));
      case StructuredKind::kLessEqual:
        return fmt::format("[{} <= {}]", at(0), at(1));
      case StructuredKind::kShift:
        return fmt::format("[{} = {} + {}]", shifted(at(2), t.padding), scaled(t.stride, at(0)),
                           scaled(t.dilation, at(1)));
      case StructuredKind::kOneHot:
        return fmt::format("[{} = {}]", index(indices.back()), value_of(t.values));
      case StructuredKind::kBelow:
        return fmt::format("[{} < {}]", index(indices.back()), value_of(t.values));
      case StructuredKind::kBetween:
        return fmt::format("[{} <= {} < {}]", value_of(t.lower), index(indices.back()), value_of(t.values));
      case StructuredKind::kValue:
        return fmt::format("value({})", value_of(t.values));
      case StructuredKind::kPiecewise:
        return fmt::format("pieces({}: {})", at(0), join(t.pieces, [](const Piece& piece) {
                             return fmt::format("{} from {} step {}", piece.length, piece.first, piece.step);
                           }));
    }
    return "?";
  }

  [[nodiscard]] std::string access(const Access& access) const {
    const Tensor& tensor = s_.tensors[access.tensor];
    if (tensor.kind == TensorKind::kStructured) return structured(tensor, access.indices);
    return tensor.name + brackets(access.indices);
  }

  // Without its sign.
  [[nodiscard]] std::string term(const std::vector<AxisId>& free_axes, const Term& term) const {
    const std::int64_t size = term.coefficient < 0 ? -term.coefficient : term.coefficient;
    std::string text;
    if (size != 1 || term.factors.empty()) text = std::to_string(size);
    std::vector<AxisId> summed;
    for (const AxisUse& use : axis_uses(s_, free_axes, term)) {
      if (!use.is_free) summed.push_back(use.axis);
    }
    if (!summed.empty()) {
      text +=
          fmt::format("{}sum_{{{}}}", text.empty() ? "" : " ", join(summed, [&](AxisId a) { return s_.axes[a].name; }));
    }
    for (const Access& factor : term.factors) text += fmt::format("{}{}", text.empty() ? "" : " ", access(factor));
    return text;
  }

  void axes() {
    line("axes");
    for (const Axis& axis : s_.axes) {
      if (axis.kind == AxisKind::kFixed) line("  {} = {}", axis.name, axis.length);
      if (axis.kind == AxisKind::kParameter) line("  {} of the instance, at most {}", axis.name, axis.length);
      if (axis.kind == AxisKind::kAlias) line("  {} as {}", axis.name, s_.axes[axis.of].name);
    }
  }

  void values() {
    if (!s_.values.empty()) line("public values");
    for (const Values& values : s_.values) line("  {}{} in [0, {})", values.name, brackets(values.axes), values.bound);
  }

  void committed() {
    for (const TensorKind kind : {TensorKind::kModel, TensorKind::kWitness}) {
      line("{}", kind == TensorKind::kModel ? "model" : "witness");
      for (const Tensor& tensor : s_.tensors) {
        if (tensor.kind != kind) continue;
        line("  {}{} {}{}{}", tensor.name, brackets(tensor.axes), tensor.range.is_signed ? 's' : 'u', tensor.range.bits,
             tensor.is_input ? ", input" : "");
      }
    }
  }

  void definitions() {
    line("definitions");
    const auto stage = stages(s_);
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      const Tensor& tensor = s_.tensors[id];
      if (tensor.kind != TensorKind::kVirtual) continue;
      const bool zero = std::binary_search(s_.zero_claims.begin(), s_.zero_claims.end(), id);
      line("  {}{} := {}{}  (stage {}{})", tensor.name, brackets(tensor.axes),
           expression(tensor.axes, tensor.definition), zero ? " = 0" : "", stage[id],
           needs_sumcheck(s_, tensor) ? "" : ", linear");
    }
  }

  void tables() {
    line("tables");
    for (const Table& table : s_.tables) {
      line("  {}{}: ({}), counts {}", table.name, brackets(table.axes),
           join(table.columns, [&](const Expression& column) { return expression(table.axes, column); }),
           s_.tensors[table.multiplicity].name);
    }
  }

  void lookups() {
    line("lookups");
    for (const Lookup& lookup : s_.lookups) {
      line("  {}{}: ({}) in {}{}", lookup.name, brackets(lookup.axes),
           join(lookup.tuple, [&](const Expression& entry) { return expression(lookup.axes, entry); }),
           s_.tables[lookup.table].name, lookup.mask ? fmt::format(" where {}", access(*lookup.mask)) : std::string());
    }
  }

  const Statement& s_;
  std::string out_;
};

}  // namespace

std::string to_text(const Statement& statement) { return Printer(statement).run(); }

std::string to_text(const Statement& statement, const std::vector<AxisId>& free_axes, const Expression& expression) {
  return Printer(statement).expression(free_axes, expression);
}

std::string spaces_to_text(const Binding& binding) {
  std::string text;
  for (const TermSpace& space : term_spaces(binding.statement(), binding.lengths())) {
    text += fmt::format("{} term {}: joint {}, largest factor {}\n", binding.statement().tensors[space.tensor].name,
                        space.term, space.joint, space.largest);
  }
  return text;
}

}  // namespace avow::statement
