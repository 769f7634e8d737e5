// SPDX-License-Identifier: Apache-2.0
#include "statement/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unordered_set>

#include "statement/plan.hpp"

namespace avow::statement {
namespace {

using Problem = std::optional<Error>;

template <typename... Args>
Problem problem(Cause cause, fmt::format_string<Args...> text, Args&&... args) {
  return Error{cause, fmt::format(text, std::forward<Args>(args)...)};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(std::string_view text) {
  const auto follows = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= limits::kName && is_letter(text[0]) &&
         std::all_of(text.begin(), text.end(), follows);
}

// For errors, which may end on a terminal, while the text is anybody's bytes.
std::string ascii(std::string_view text) {
  std::string out(text.substr(0, limits::kName));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

bool in_range(std::int64_t value, std::int64_t limit) { return value >= -limit && value <= limit; }

// Names of one list, which must be distinct.
class Names {
 public:
  explicit Names(std::string_view what) : what_(what) {}
  Problem add(const std::string& name) {
    if (!is_name(name)) return problem(Cause::kName, "{} '{}': not a name", what_, ascii(name));
    if (!seen_.insert(name).second) return problem(Cause::kRepeatedName, "{} '{}': the name is taken", what_, name);
    return std::nullopt;
  }

 private:
  std::string_view what_;
  std::unordered_set<std::string_view> seen_;
};

class Validator {
 public:
  explicit Validator(const Statement& statement) : s_(statement) {}

  Problem run() {
    if (auto p = counts()) return p;
    if (auto p = axes()) return p;
    if (auto p = values()) return p;
    if (auto p = tensors()) return p;
    if (auto p = zero_claims()) return p;
    if (auto p = tables()) return p;
    if (auto p = lookups()) return p;
    if (auto p = depth()) return p;
    return unused();
  }

 private:
  Problem counts() const {
    if (s_.axes.size() > limits::kAxes) return problem(Cause::kCount, "{} axes", s_.axes.size());
    if (s_.values.size() > limits::kValues) return problem(Cause::kCount, "{} public values", s_.values.size());
    if (s_.tensors.size() > limits::kTensors) return problem(Cause::kCount, "{} tensors", s_.tensors.size());
    if (s_.tables.size() > limits::kTables) return problem(Cause::kCount, "{} tables", s_.tables.size());
    if (s_.lookups.size() > limits::kLookups) return problem(Cause::kCount, "{} lookups", s_.lookups.size());
    return std::nullopt;
  }

  Problem axes() const {
    Names names("axis");
    for (AxisId id = 0; id < s_.axes.size(); ++id) {
      const Axis& axis = s_.axes[id];
      if (auto p = names.add(axis.name)) return p;
      if (axis.kind == AxisKind::kAlias) {
        if (axis.of >= id || s_.axes[axis.of].kind == AxisKind::kAlias || axis.length != 0) {
          return problem(Cause::kUnknownAxis, "axis '{}': alias of no earlier axis with a length of its own",
                         axis.name);
        }
      } else if (axis.length == 0 || axis.length > limits::kLength || axis.of != 0) {
        return problem(Cause::kLength, "axis '{}': length {}", axis.name, axis.length);
      }
    }
    return std::nullopt;
  }

  // Axes of a tensor or the like: known, and none twice.
  Problem axis_list(const std::string& who, std::span<const AxisId> list) const {
    if (list.size() > limits::kRank) return problem(Cause::kCount, "{}: {} axes", who, list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i] >= s_.axes.size()) return problem(Cause::kUnknownAxis, "{}: axis {} is not declared", who, i);
      if (std::count(list.begin(), list.end(), list[i]) != 1) {
        return problem(Cause::kDuplicateAxis, "{}: axis '{}' twice", who, s_.axes[list[i]].name);
      }
    }
    return std::nullopt;
  }

  Problem values() const {
    Names names("public values");
    for (const Values& values : s_.values) {
      if (auto p = names.add(values.name)) return p;
      if (auto p = axis_list(fmt::format("public values '{}'", values.name), values.axes)) return p;
      if (values.bound == 0 || values.bound > limits::kLength) {
        return problem(Cause::kLength, "public values '{}': bound {}", values.name, values.bound);
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string label(TensorId id) const {
    const Tensor& tensor = s_.tensors[id];
    if (tensor.kind == TensorKind::kStructured) return fmt::format("structured tensor {}", id);
    return fmt::format("{} '{}'", tensor.kind == TensorKind::kVirtual ? "definition" : "tensor", tensor.name);
  }

  Problem tensors() const {
    Names names("tensor");
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      const Tensor& tensor = s_.tensors[id];
      const bool structured = tensor.kind == TensorKind::kStructured;
      if (structured && !tensor.name.empty()) return problem(Cause::kName, "structured tensor {} has a name", id);
      if (!structured) {
        if (auto p = names.add(tensor.name)) return p;
      }
      if (auto p = axis_list(label(id), tensor.axes)) return p;
      if (auto p = parts(id)) return p;
    }
    return std::nullopt;
  }

  // What the kind of a tensor asks for, and nothing of what other kinds have.
  Problem parts(TensorId id) const {
    const Tensor& tensor = s_.tensors[id];
    const bool committed = tensor.kind == TensorKind::kModel || tensor.kind == TensorKind::kWitness;
    if (tensor.kind != TensorKind::kVirtual && !tensor.definition.empty()) {
      return problem(Cause::kKind, "{}: only a virtual tensor has a definition", label(id));
    }
    if (tensor.kind != TensorKind::kStructured && tensor.structured != Structured()) {
      return problem(Cause::kKind, "{}: has parameters of a structured tensor", label(id));
    }
    if (tensor.is_input && tensor.kind != TensorKind::kWitness) {
      return problem(Cause::kKind, "{}: only a witness tensor can be an input", label(id));
    }
    if (!committed && tensor.range != Range()) return problem(Cause::kKind, "{}: has a range note", label(id));
    if (committed && (tensor.range.bits < 1 || tensor.range.bits > 62)) {
      return problem(Cause::kLength, "{}: {} bits", label(id), tensor.range.bits);
    }
    if (tensor.kind == TensorKind::kStructured) return structured(id);
    return tensor.kind == TensorKind::kVirtual ? definition(id) : std::nullopt;
  }

  // The axes of public values, then `extra` more.
  Problem axes_of_values(TensorId id, ValuesId values, std::size_t extra) const {
    const Tensor& tensor = s_.tensors[id];
    if (values >= s_.values.size()) return problem(Cause::kUnknownValues, "{}: public values {}", label(id), values);
    const auto& axes = s_.values[values].axes;
    if (tensor.axes.size() != axes.size() + extra) {
      return problem(Cause::kStructured, "{}: {} axes do not go with '{}'", label(id), tensor.axes.size(),
                     s_.values[values].name);
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (!same_length(s_, tensor.axes[i], axes[i])) {
        return problem(Cause::kLengthMismatch, "{}: axis '{}' is not as long as '{}' of '{}'", label(id),
                       s_.axes[tensor.axes[i]].name, s_.axes[axes[i]].name, s_.values[values].name);
      }
    }
    return std::nullopt;
  }

  Problem structured(TensorId id) const {
    const Tensor& tensor = s_.tensors[id];
    const Structured& given = tensor.structured;
    Structured used{.kind = given.kind};  // the parameters that this kind has
    std::size_t rank = tensor.axes.size();
    bool good = true;
    switch (given.kind) {
      case StructuredKind::kConstant:
        used.constant = given.constant;
        good = given.constant != 0 && in_range(given.constant, limits::kCoefficient);
        break;
      case StructuredKind::kIndex:
        used.constant = given.constant;
        good = in_range(given.constant, limits::kOffset);
        rank = 1;
        break;
      case StructuredKind::kEqual:
      case StructuredKind::kLess:
      case StructuredKind::kLessEqual:
        rank = 2;
        break;
      case StructuredKind::kShift:
        used.stride = given.stride;
        used.dilation = given.dilation;
        used.padding = given.padding;
        good = given.stride >= 1 && given.stride <= limits::kStride && given.dilation >= 1 &&
               given.dilation <= limits::kStride && given.padding >= 0 && given.padding <= limits::kPadding;
        rank = 3;
        break;
      case StructuredKind::kOneHot:
      case StructuredKind::kBelow:
        used.values = given.values;
        if (auto p = axes_of_values(id, given.values, 1)) return p;
        break;
      case StructuredKind::kBetween:
        used.values = given.values;
        used.lower = given.lower;
        if (auto p = axes_of_values(id, given.values, 1)) return p;
        if (auto p = axes_of_values(id, given.lower, 1)) return p;
        break;
      case StructuredKind::kValue:
        used.values = given.values;
        if (auto p = axes_of_values(id, given.values, 0)) return p;
        break;
      case StructuredKind::kPiecewise:
        used.pieces = given.pieces;
        rank = 1;
        good = tensor.axes.size() == 1 && pieces_fill(tensor.axes[0], given.pieces);
        break;
      default:
        return problem(Cause::kTag, "{}: unknown kind", label(id));
    }
    if (!good || rank != tensor.axes.size() || used != given) {
      return problem(Cause::kStructured, "{}: parameters or axes that this kind cannot have", label(id));
    }
    return std::nullopt;
  }

  bool pieces_fill(AxisId axis, std::span<const Piece> pieces) const {
    const Axis& root = s_.axes[s_.root(axis)];
    if (root.kind != AxisKind::kFixed || pieces.size() > limits::kPieces) return false;
    std::uint64_t left = root.length;
    for (const Piece& piece : pieces) {
      if (piece.length == 0 || piece.length > left) return false;
      if (!in_range(piece.first, limits::kOffset) || !in_range(piece.step, limits::kStep)) return false;
      left -= piece.length;
    }
    return left == 0;
  }

  Problem access(const std::string& who, const Access& access, TensorId before) const {
    if (access.tensor >= s_.tensors.size()) return problem(Cause::kUnknownTensor, "{}: tensor {}", who, access.tensor);
    const std::string read = label(access.tensor);
    if (access.tensor >= before)
      return problem(Cause::kCycle, "{}: reads {}, which does not come before it", who, read);
    const Tensor& tensor = s_.tensors[access.tensor];
    if (access.indices.size() != tensor.axes.size()) {
      return problem(Cause::kRank, "{}: reads {} with {} indices, it has {} axes", who, read, access.indices.size(),
                     tensor.axes.size());
    }
    for (std::size_t i = 0; i < access.indices.size(); ++i) {
      const Index& index = access.indices[i];
      const Axis& axis = s_.axes[tensor.axes[i]];
      if (index.kind == Index::Kind::kFixed) {
        // Of a parameter only place 0 exists in every instance.
        const Axis& root = s_.axes[s_.root(tensor.axes[i])];
        if (index.value >= (root.kind == AxisKind::kFixed ? root.length : 1)) {
          return problem(Cause::kIndexRange, "{}: reads {} at {} of '{}'", who, read, index.value, axis.name);
        }
        continue;
      }
      if (index.value >= s_.axes.size()) {
        return problem(Cause::kUnknownAxis, "{}: reads {} along axis {}", who, read, index.value);
      }
      if (std::count(access.indices.begin(), access.indices.end(), index) != 1) {
        return problem(Cause::kDuplicateAxis, "{}: reads {} along '{}' twice", who, read, s_.axes[index.value].name);
      }
      if (!index_fits(s_, static_cast<AxisId>(index.value), tensor.axes[i])) {
        return problem(Cause::kLengthMismatch, "{}: reads '{}' of {} along '{}', which may be longer", who, axis.name,
                       read, s_.axes[index.value].name);
      }
    }
    return std::nullopt;
  }

  Problem expression(const std::string& who, const Expression& terms, TensorId before) const {
    if (terms.empty()) return problem(Cause::kEmptySum, "{}: no terms", who);
    if (terms.size() > limits::kTerms) return problem(Cause::kCount, "{}: {} terms", who, terms.size());
    for (const Term& term : terms) {
      if (term.coefficient == 0 || !in_range(term.coefficient, limits::kCoefficient)) {
        return problem(Cause::kCoefficient, "{}: coefficient {}", who, term.coefficient);
      }
      if (term.factors.size() > limits::kFactors)
        return problem(Cause::kCount, "{}: {} factors", who, term.factors.size());
      for (const Access& factor : term.factors) {
        if (auto p = access(who, factor, before)) return p;
      }
    }
    return std::nullopt;
  }

  Problem definition(TensorId id) const {
    const Tensor& tensor = s_.tensors[id];
    if (auto p = expression(label(id), tensor.definition, id)) return p;
    for (const Term& term : tensor.definition) {
      for (const AxisUse& use : axis_uses(s_, tensor.axes, term)) {
        if (use.degree > limits::kDegree) {
          return problem(Cause::kDegree, "{}: degree {} in '{}'", label(id), use.degree, s_.axes[use.axis].name);
        }
      }
    }
    return std::nullopt;
  }

  // A linear combination of tensors cell by cell: at most one factor a term, and no axis but the given ones.
  Problem combination(const std::string& who, const Expression& terms, std::span<const AxisId> axes) const {
    if (auto p = expression(who, terms, static_cast<TensorId>(s_.tensors.size()))) return p;
    for (const Term& term : terms) {
      if (term.factors.size() > 1) return problem(Cause::kTuple, "{}: a product; give it a definition", who);
      for (const Access& factor : term.factors) {
        if (auto p = bound(who, factor, axes)) return p;
      }
    }
    return std::nullopt;
  }

  // Read along the given axes only, each at its own length: a prefix would be no claim on its tensor alone.
  Problem bound(const std::string& who, const Access& access, std::span<const AxisId> axes) const {
    const Tensor& tensor = s_.tensors[access.tensor];
    for (std::size_t i = 0; i < access.indices.size(); ++i) {
      if (access.indices[i].kind != Index::Kind::kAxis) continue;
      const auto axis = static_cast<AxisId>(access.indices[i].value);
      if (std::find(axes.begin(), axes.end(), axis) == axes.end()) {
        return problem(Cause::kUnboundAxis, "{}: reads {} along '{}', which it does not have", who,
                       label(access.tensor), s_.axes[axis].name);
      }
      if (!same_length(s_, axis, tensor.axes[i])) {
        return problem(Cause::kLengthMismatch, "{}: reads a prefix of '{}' of {}; give it a definition", who,
                       s_.axes[tensor.axes[i]].name, label(access.tensor));
      }
    }
    return std::nullopt;
  }

  Problem zero_claims() const {
    for (std::size_t i = 0; i < s_.zero_claims.size(); ++i) {
      const TensorId id = s_.zero_claims[i];
      if (id >= s_.tensors.size()) return problem(Cause::kUnknownTensor, "zero claim on tensor {}", id);
      if (s_.tensors[id].kind != TensorKind::kVirtual || (i > 0 && s_.zero_claims[i - 1] >= id)) {
        return problem(Cause::kZeroClaim, "zero claim on {}: not virtual, twice or out of order", label(id));
      }
    }
    return std::nullopt;
  }

  Problem tables() const {
    Names names("table");
    std::unordered_set<TensorId> counters;
    for (const Table& table : s_.tables) {
      if (auto p = names.add(table.name)) return p;
      const std::string who = fmt::format("table '{}'", table.name);
      if (auto p = axis_list(who, table.axes)) return p;
      if (table.columns.empty() || table.columns.size() > limits::kColumns) {
        return problem(Cause::kCount, "{}: {} columns", who, table.columns.size());
      }
      for (const Expression& column : table.columns) {
        if (auto p = combination(who, column, table.axes)) return p;
        for (const Term& term : column) {
          for (const Access& factor : term.factors) {
            if (s_.tensors[factor.tensor].kind == TensorKind::kWitness) {
              return problem(Cause::kKind, "{}: {} is a witness tensor", who, label(factor.tensor));
            }
          }
        }
      }
      const TensorId id = table.multiplicity;
      if (id >= s_.tensors.size()) return problem(Cause::kUnknownTensor, "{}: tensor {}", who, id);
      if (s_.tensors[id].kind != TensorKind::kWitness || s_.tensors[id].axes != table.axes ||
          !counters.insert(id).second) {
        return problem(Cause::kMultiplicity, "{}: {} cannot be its multiplicities", who, label(id));
      }
    }
    return std::nullopt;
  }

  Problem lookups() const {
    Names names("lookup");
    for (const Lookup& lookup : s_.lookups) {
      if (auto p = names.add(lookup.name)) return p;
      const std::string who = fmt::format("lookup '{}'", lookup.name);
      if (auto p = axis_list(who, lookup.axes)) return p;
      if (lookup.table >= s_.tables.size()) return problem(Cause::kUnknownTable, "{}: table {}", who, lookup.table);
      const Table& table = s_.tables[lookup.table];
      if (lookup.tuple.size() != table.columns.size()) {
        return problem(Cause::kTuple, "{}: {} entries for the {} columns of '{}'", who, lookup.tuple.size(),
                       table.columns.size(), table.name);
      }
      for (const Expression& entry : lookup.tuple) {
        if (auto p = combination(who, entry, lookup.axes)) return p;
      }
      if (!lookup.mask) continue;
      if (auto p = access(who, *lookup.mask, static_cast<TensorId>(s_.tensors.size()))) return p;
      if (auto p = bound(who, *lookup.mask, lookup.axes)) return p;
      const Tensor& mask = s_.tensors[lookup.mask->tensor];
      if (mask.kind != TensorKind::kStructured || !is_boolean(mask.structured.kind)) {
        return problem(Cause::kKind, "{}: {} is no boolean structured tensor", who, label(lookup.mask->tensor));
      }
    }
    return std::nullopt;
  }

  Problem depth() const {
    const auto stage = stages(s_);
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      if (stage[id] > limits::kStages)
        return problem(Cause::kDepth, "{}: stage {}; commit to a tensor below it", label(id), stage[id]);
    }
    return std::nullopt;
  }

  // A tensor that no claim depends on can hold anything, so it has no business in a statement.
  Problem unused() const {
    std::vector<bool> used(s_.tensors.size());
    std::vector<bool> table_used(s_.tables.size());
    const auto mark = [&](const Expression& terms) {
      for (const Term& term : terms) {
        for (const Access& factor : term.factors) used[factor.tensor] = true;
      }
    };
    for (const TensorId id : s_.zero_claims) used[id] = true;
    for (const Lookup& lookup : s_.lookups) {
      table_used[lookup.table] = true;
      for (const Expression& entry : lookup.tuple) mark(entry);
      if (lookup.mask) used[lookup.mask->tensor] = true;
    }
    for (TableId id = 0; id < s_.tables.size(); ++id) {
      const Table& table = s_.tables[id];
      if (!table_used[id]) return problem(Cause::kUnused, "table '{}': no lookup uses it", table.name);
      for (const Expression& column : table.columns) mark(column);
      used[table.multiplicity] = true;
    }
    for (std::size_t id = s_.tensors.size(); id-- > 0;) {
      if (!used[id]) return problem(Cause::kUnused, "{}: no claim depends on it", label(static_cast<TensorId>(id)));
      mark(s_.tensors[id].definition);  // of smaller ids only
    }
    return std::nullopt;
  }

  const Statement& s_;
};

}  // namespace

std::optional<Error> validate(const Statement& statement) { return Validator(statement).run(); }

}  // namespace avow::statement
