// SPDX-License-Identifier: Apache-2.0
//
// Statements from untrusted bytes. What parses has exactly these bytes, and every reader copes with it: the printer,
// the plan, an instance, the reference checker where it is small, and both readers of structured tensors, which must
// agree: the extension at the bits of an index is the value there. Seeds are the statements of spec/vectors.

#include <algorithm>

#include "base/check.hpp"
#include "statement/checker.hpp"
#include "statement/plan.hpp"
#include "statement/print.hpp"
#include "statement/serialize.hpp"
#include "statement/structured.hpp"

namespace avow {
namespace {

using namespace statement;  // NOLINT(google-build-using-namespace): the one namespace of this target

constexpr std::uint64_t kSmall = 1 << 12;

// Parameters of length 1 to 3, public values all over their range; nothing if there are too many.
std::optional<Instance> instance_of(const Statement& statement, std::uint64_t seed) {
  Instance instance;
  std::vector<std::uint64_t> lengths;
  for (const Axis& axis : statement.axes) {
    std::uint64_t length = axis.length;
    if (axis.kind == AxisKind::kAlias) length = lengths[axis.of];
    if (axis.kind == AxisKind::kParameter) {
      length = std::min(length, 1 + seed % 3);
      instance.lengths.push_back(length);
    }
    lengths.push_back(length);
  }
  for (const Values& values : statement.values) {
    std::uint64_t cells = 1;
    for (const AxisId axis : values.axes) cells = saturating_product(cells, lengths[axis]);
    if (cells > kSmall) return std::nullopt;
    auto& array = instance.values.emplace_back();
    for (std::uint64_t i = 0; i < cells; ++i) {
      array.push_back(static_cast<std::int64_t>((seed + i * 0x9e3779b97f4a7c15ull) % values.bound));
    }
  }
  return instance;
}

void check_structured(const Binding& binding, const Tensor& tensor, std::uint64_t seed) {
  std::vector<std::uint64_t> index;
  std::vector<Point> points;
  for (const AxisId axis : tensor.axes) {
    index.push_back((seed ^ (seed >> (7 * index.size()))) % binding.length(axis));
    auto& point = points.emplace_back();
    for (unsigned b = 0; b < log_extent(binding.length(axis)); ++b) {
      point.push_back(((index.back() >> b) & 1) != 0 ? field::kOne3 : field::Fp3());
    }
  }
  AVOW_CHECK(structured_extension(binding, tensor, points) ==
             field::Fp3(field::Fp::from_int(structured_value(binding, tensor, index))));
}

// The steps that the reference checker takes, saturated.
std::uint64_t steps(const Binding& binding) {
  const Statement& statement = binding.statement();
  std::uint64_t total = 0;
  const auto add = [&](std::uint64_t count) {
    total = std::max(total, total + std::min(count, ~std::uint64_t{0} >> 20));
  };
  for (const Tensor& tensor : statement.tensors) {
    if (tensor.kind != TensorKind::kStructured) add(binding.cells(tensor.axes));
    for (const Term& term : tensor.definition) {
      std::uint64_t loop = 1;
      for (const AxisUse& use : axis_uses(statement, tensor.axes, term)) {
        loop = saturating_product(loop, binding.length(use.axis));
      }
      add(loop);
    }
  }
  for (const Table& table : statement.tables) add(binding.cells(table.axes));
  for (const Lookup& lookup : statement.lookups) add(binding.cells(lookup.axes));
  return total;
}

void run(base::ByteView bytes) {
  const auto parsed = parse(bytes);
  if (!parsed.ok()) {
    AVOW_CHECK(!parsed.error().text.empty());
    return;
  }
  const Statement& statement = parsed.value();
  const base::Bytes again = serialize(statement);
  AVOW_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  AVOW_CHECK(!to_text(statement).empty());
  for (const std::uint32_t stage : stages(statement)) AVOW_CHECK(stage <= limits::kStages);

  std::uint64_t seed = bytes.size();
  for (const std::uint8_t b : bytes) seed = seed * 0x100000001b3ull + b;
  const auto instance = instance_of(statement, seed);
  if (!instance) return;
  const auto binding = Binding::bind(statement, *instance);
  if (!binding.ok()) return;
  int left = 8;
  for (const Tensor& tensor : statement.tensors) {
    if (tensor.kind == TensorKind::kStructured && left-- > 0) check_structured(binding.value(), tensor, seed);
  }
  if (steps(binding.value()) > kSmall) return;
  Assignment assignment;
  for (const Tensor& tensor : statement.tensors) {
    const bool committed = tensor.kind == TensorKind::kModel || tensor.kind == TensorKind::kWitness;
    assignment.arrays.emplace_back(committed ? binding.value().cells(tensor.axes) : 0, static_cast<std::int64_t>(seed));
  }
  AVOW_CHECK(check(binding.value(), std::move(assignment)).ok());
}

}  // namespace
}  // namespace avow

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::run({data, size});
  return 0;
}
