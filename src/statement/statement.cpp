// SPDX-License-Identifier: Apache-2.0
#include "statement/statement.hpp"

#include "statement/error.hpp"

namespace avow::statement {

bool same_length(const Statement& statement, AxisId a, AxisId b) {
  const AxisId root_a = statement.root(a);
  const AxisId root_b = statement.root(b);
  if (root_a == root_b) return true;
  const Axis& x = statement.axes[root_a];
  const Axis& y = statement.axes[root_b];
  return x.kind == AxisKind::kFixed && y.kind == AxisKind::kFixed && x.length == y.length;
}

bool index_fits(const Statement& statement, AxisId index, AxisId axis) {
  const Axis& longer = statement.axes[statement.root(axis)];
  return same_length(statement, index, axis) ||
         (longer.kind == AxisKind::kFixed && statement.axes[statement.root(index)].length <= longer.length);
}

const char* name(Cause cause) noexcept {
  switch (cause) {
    case Cause::kName:
      return "statement.name";
    case Cause::kRepeatedName:
      return "statement.repeated_name";
    case Cause::kCount:
      return "statement.count";
    case Cause::kLength:
      return "statement.length";
    case Cause::kDuplicateAxis:
      return "statement.duplicate_axis";
    case Cause::kUnknownAxis:
      return "statement.unknown_axis";
    case Cause::kUnknownTensor:
      return "statement.unknown_tensor";
    case Cause::kUnknownValues:
      return "statement.unknown_values";
    case Cause::kUnknownTable:
      return "statement.unknown_table";
    case Cause::kRank:
      return "statement.rank";
    case Cause::kLengthMismatch:
      return "statement.length_mismatch";
    case Cause::kIndexRange:
      return "statement.index_range";
    case Cause::kUnboundAxis:
      return "statement.unbound_axis";
    case Cause::kEmptySum:
      return "statement.empty_sum";
    case Cause::kCoefficient:
      return "statement.coefficient";
    case Cause::kDegree:
      return "statement.degree";
    case Cause::kCycle:
      return "statement.cycle";
    case Cause::kDepth:
      return "statement.depth";
    case Cause::kKind:
      return "statement.kind";
    case Cause::kStructured:
      return "statement.structured";
    case Cause::kTuple:
      return "statement.tuple";
    case Cause::kMultiplicity:
      return "statement.multiplicity";
    case Cause::kZeroClaim:
      return "statement.zero_claim";
    case Cause::kUnused:
      return "statement.unused";
    case Cause::kVersion:
      return "statement.version";
    case Cause::kTruncated:
      return "statement.truncated";
    case Cause::kTrailing:
      return "statement.trailing";
    case Cause::kNonCanonical:
      return "statement.non_canonical";
    case Cause::kTag:
      return "statement.tag";
    case Cause::kInstance:
      return "statement.instance";
    case Cause::kJointSpace:
      return "statement.joint_space";
    case Cause::kTooLarge:
      return "statement.too_large";
    case Cause::kArrays:
      return "statement.arrays";
    case Cause::kTableKeys:
      return "statement.table_keys";
    case Cause::kNotDetermined:
      return "statement.not_determined";
    case Cause::kWrap:
      return "statement.wrap";
    case Cause::kUnbounded:
      return "statement.unbounded";
    case Cause::kModelBounds:
      return "statement.model_bounds";
    case Cause::kTooComplex:
      return "statement.too_complex";
  }
  return "statement.unknown";
}

}  // namespace avow::statement
