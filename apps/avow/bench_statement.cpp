// SPDX-License-Identifier: Apache-2.0
#include "bench_statement.hpp"

#include <fmt/format.h>

#include "base/random.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "pcs/parameters.hpp"
#include "pcs/security.hpp"
#include "prover/expression.hpp"
#include "prover/prove.hpp"
#include "statement/builder.hpp"

namespace avow::app {
namespace {

using prover::Array;
using statement::Builder;
using statement::signed_bits;
using Cells = std::vector<std::int64_t>;

// A statement with a witness, by name.
struct Case {
  statement::Statement statement;
  statement::Instance instance;
  std::map<std::string, Array> arrays;
};

Cells random_cells(std::size_t count, std::int64_t low, std::int64_t high, std::uint64_t seed) {
  Cells cells(count);
  base::SplitMix64 random(seed);
  const auto span = static_cast<std::uint64_t>(high - low + 1);
  for (auto& x : cells) x = low + static_cast<std::int64_t>(random() % span);
  return cells;
}
std::int64_t function(std::int64_t x) { return (x * x >> 16) - x; }
Cells function_column() {
  Cells column;
  for (std::int64_t x = -32768; x < 32768; ++x) column.push_back(function(x));
  return column;
}

// 2^log cells: half of them in a range of 16 bits, half with their function values.
Case lookups_case(std::uint32_t log) {
  Builder b;
  const auto i = b.axis("row", 1024);
  const auto j = b.axis("cell", std::uint64_t{1} << (log - 11));
  const auto row = b.axis("function.row", 65536);
  const auto X = b.input("x", {i, j}, signed_bits(16));
  const auto Y = b.witness("y", {i, j}, signed_bits(17));
  const auto F = b.model("function_values", {row}, signed_bits(17));
  const auto table = b.table("function", {row}, {b.index(row, -32768), F(row)});
  b.lookup("x_range", {i, j}, {X(i, j)}, b.range("s16", 65536, -32768));
  b.lookup("function_of_x", {i, j}, {X(i, j), Y(i, j)}, table);
  Case c{b.build().value(), {}, {}};
  const Cells x = random_cells(std::size_t{1} << (log - 1), -32768, 32767, 1);
  Cells y;
  for (const auto v : x) y.push_back(function(v));
  c.arrays["x"] = Array::of(std::span<const std::int64_t>(x));
  c.arrays["y"] = Array::of(std::span<const std::int64_t>(y));
  c.arrays["function_values"] = Array::of(std::span<const std::int64_t>(function_column()));
  return c;
}

// y = round(x W / 2^16), n x n x n.
Case matmul_case(std::uint32_t log) {
  const std::uint64_t n = std::uint64_t{1} << log;
  Builder b;
  const auto t = b.parameter("token", n);
  const auto i = b.axis("in", n);
  const auto o = b.axis("out", n);
  const auto X = b.input("x", {t, i}, signed_bits(16));
  const auto W = b.model("w", {o, i}, signed_bits(16));
  const auto Y = b.witness("y", {t, o}, signed_bits(16));
  const auto acc = b.define("acc", {t, o}, sum({i}, X(t, i) * W(o, i)));
  const auto R = b.define("r", {t, o}, acc(t, o) + 32768 - 65536 * Y(t, o));
  const auto u16 = b.range("u16", 65536);
  b.lookup("x_range", {t, i}, {X(t, i) + 32768}, u16);
  b.lookup("r_range", {t, o}, {R(t, o)}, u16);
  b.lookup("y_range", {t, o}, {Y(t, o) + 32768}, u16);
  Case c{b.build().value(), {{n}, {}}, {}};
  c.arrays["x"] = Array::of(std::span<const std::int64_t>(random_cells(n * n, -4096, 4095, 1)));
  c.arrays["w"] = Array::of(std::span<const std::int64_t>(random_cells(n * n, -4096, 4095, 2)));
  // The accumulator as the prover computes it, then rounded.
  const auto binding = statement::Binding::bind(c.statement, c.instance);
  prover::Tensors tensors(binding.value());
  Array y;
  for (statement::TensorId id = 0; id < c.statement.tensors.size(); ++id) {
    const auto& tensor = c.statement.tensors[id];
    if (tensor.name == "x" || tensor.name == "w") tensors.set(id, Array::borrow(c.arrays[tensor.name]));
    if (tensor.name == "acc") y = prover::evaluate(tensors, tensor.axes, tensor.definition);
  }
  Cells rounded(y.size());
  for (std::size_t k = 0; k < y.size(); ++k) rounded[k] = (y.at(k) + 32768) >> 16;
  c.arrays["y"] = Array::of(std::span<const std::int64_t>(rounded));
  return c;
}

// 2^log cells, 2^log lookups: products, requantised, through a function.
Case cells_case(std::uint32_t log) {
  const std::uint64_t columns = 1024;
  const std::uint64_t rows = (std::uint64_t{1} << (log - 2)) / columns;
  Builder b;
  const auto i = b.axis("row", rows);
  const auto j = b.axis("column", columns);
  const auto row = b.axis("function.row", 65536);
  const auto A = b.input("a", {i, j}, signed_bits(16));
  const auto B = b.input("b", {i, j}, signed_bits(16));
  const auto C = b.witness("c", {i, j}, signed_bits(16));
  const auto D = b.witness("d", {i, j}, signed_bits(17));
  const auto F = b.model("function_values", {row}, signed_bits(17));
  const auto table = b.table("function", {row}, {b.index(row, -32768), F(row)});
  const auto R = b.define("r", {i, j}, A(i, j) * B(i, j) + 32768 - 65536 * C(i, j));
  const auto u16 = b.range("u16", 65536);
  b.lookup("a_range", {i, j}, {A(i, j) + 32768}, u16);
  b.lookup("b_range", {i, j}, {B(i, j) + 32768}, u16);
  b.lookup("r_range", {i, j}, {R(i, j)}, u16);
  b.lookup("function_of_c", {i, j}, {C(i, j), D(i, j)}, table);
  Case c{b.build().value(), {}, {}};
  const Cells a = random_cells(rows * columns, -32768, 32767, 1);
  const Cells d = random_cells(rows * columns, -32768, 32767, 2);
  Cells product, values;
  for (std::size_t k = 0; k < a.size(); ++k) {
    product.push_back((a[k] * d[k] + 32768) >> 16);
    values.push_back(function(product.back()));
  }
  c.arrays["a"] = Array::of(std::span<const std::int64_t>(a));
  c.arrays["b"] = Array::of(std::span<const std::int64_t>(d));
  c.arrays["c"] = Array::of(std::span<const std::int64_t>(product));
  c.arrays["d"] = Array::of(std::span<const std::int64_t>(values));
  c.arrays["function_values"] = Array::of(std::span<const std::int64_t>(function_column()));
  return c;
}

// Projections with a residual stream, of all layers at once.
Case layers_case(std::uint64_t layers) {
  constexpr std::uint64_t kWidth = 64;
  constexpr std::uint64_t kTokens = 16;
  Builder b;
  const auto l = b.axis("layer", layers);
  const auto m = b.alias("earlier", l);
  const auto t = b.parameter("token", kTokens);
  const auto i = b.axis("in", kWidth);
  const auto o = b.axis("out", kWidth);
  const auto E = b.input("embedding", {t, i}, signed_bits(16));
  const auto Y = b.witness("y", {l, t, o}, signed_bits(16));
  const auto W = b.model("w", {l, o, i}, signed_bits(4));
  const auto u16 = b.range("u16", 65536);
  b.lookup("embedding_range", {t, i}, {E(t, i) + 32768}, u16);
  const auto stream = b.define("stream", {l, t, i}, E(t, i) + sum({m}, b.less(m, l) * Y(m, t, i)));
  const auto acc = b.define("acc", {l, t, o}, sum({i}, stream(l, t, i) * W(l, o, i)));
  const auto R = b.define("r", {l, t, o}, acc(l, t, o) + 32768 - 65536 * Y(l, t, o));
  b.lookup("r_range", {l, t, o}, {R(l, t, o)}, u16);
  b.lookup("y_range", {l, t, o}, {Y(l, t, o) + 32768}, u16);
  Case c{b.build().value(), {{kTokens}, {}}, {}};
  Cells x = random_cells(kTokens * kWidth, -32768, 32767, 1);
  const Cells w = random_cells(layers * kWidth * kWidth, -7, 7, 2);
  c.arrays["embedding"] = Array::of(std::span<const std::int64_t>(x));
  Cells y;
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    Cells out;
    for (std::uint64_t cell = 0; cell < x.size(); ++cell) {
      std::int64_t dot = 32768;
      for (std::uint64_t k = 0; k < kWidth; ++k) {
        dot += x[cell / kWidth * kWidth + k] * w[(layer * kWidth + cell % kWidth) * kWidth + k];
      }
      out.push_back(dot >> 16);
    }
    for (std::uint64_t cell = 0; cell < x.size(); ++cell) x[cell] += out[cell];
    y.insert(y.end(), out.begin(), out.end());
  }
  c.arrays["w"] = Array::of(std::span<const std::int64_t>(w));
  c.arrays["y"] = Array::of(std::span<const std::int64_t>(y));
  return c;
}

std::vector<Array> borrow_all(const Case& c) {
  std::vector<Array> arrays;
  for (const auto& tensor : c.statement.tensors) {
    const auto it = c.arrays.find(tensor.name);
    arrays.push_back(it == c.arrays.end() ? Array() : Array::borrow(it->second));
  }
  return arrays;
}

std::uint64_t cells_of(const statement::Binding& binding, statement::TensorKind kind) {
  std::uint64_t cells = 0;
  for (const auto& tensor : binding.statement().tensors) {
    if (tensor.kind == kind) cells += binding.cells(tensor.axes);
  }
  return cells;
}

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// Proof and verifying time of one case, all runs.
struct Runs {
  std::vector<double> prove, verify;
  std::vector<prover::ProveTimes> times;
  prover::Proved proved;
  std::size_t key_bytes = 0;
  std::string error;
};

Runs run(const Case& c, const pcs::Config& config, std::uint32_t repeat) {
  Runs runs;
  const auto model = prover::Model::commit(c.statement, config, borrow_all(c));
  if (!model) {
    runs.error = verifier::to_string(model.error());
    return runs;
  }
  runs.key_bytes = verifier::serialize(model.value()->key()).size();
  const auto verifier = verifier::Verifier::make(model.value()->key(), c.instance);
  runs.times.resize(repeat);
  for (std::uint32_t i = 0; i < repeat && runs.error.empty(); ++i) {
    runs.prove.push_back(seconds_of([&] {
      auto made = prover::prove(*model.value(), c.instance, borrow_all(c), {{}, &runs.times[i], nullptr, nullptr});
      if (!made) {
        runs.error = made.error();
      } else {
        runs.proved = std::move(made).value();
      }
    }));
    if (!runs.error.empty()) break;
    std::optional<verifier::Rejection> rejection;
    runs.verify.push_back(1000 * seconds_of([&] { rejection = verifier.value().verify({}, runs.proved.proof); }));
    if (rejection) runs.error = "the proof does not verify: " + verifier::to_string(*rejection);
  }
  return runs;
}

nlohmann::ordered_json profile(const Runs& runs) {
  const auto part = [&](const auto& member) {
    std::vector<double> values;
    for (const auto& t : runs.times) values.push_back(seconds(member(t)));
    return median(values);
  };
  return {{"virtuals", part([](const auto& t) { return t.virtuals; })},
          {"tuples", part([](const auto& t) { return t.tuples; })},
          {"commit", part([](const auto& t) { return t.commit; })},
          {"columns", part([](const auto& t) { return t.columns; })},
          {"lookups", part([](const auto& t) { return t.lookups; })},
          {"stages", part([](const auto& t) { return t.stages; })},
          {"open", part([](const auto& t) { return t.open; })},
          {"open_columns", part([](const auto& t) { return t.open_parts.columns; })},
          {"open_encode", part([](const auto& t) { return t.open_parts.encode; })},
          {"open_sumcheck", part([](const auto& t) { return t.open_parts.sumcheck; })},
          {"open_grinding", part([](const auto& t) { return t.open_parts.grinding; })},
          {"open_rows", part([](const auto& t) { return t.open_parts.rows; })}};
}

StatementBenchResult failed(std::string error) { return {{}, std::move(error), kNo}; }

// One statement with 4 and with 64 layers under the same parameters.
StatementBenchResult bench_depth(const StatementBenchOptions& options) {
  StatementBenchResult result;
  const auto config = *pcs::choose_parameters(16, options.level, pcs::Profile::kModel);
  const Runs few = run(layers_case(4), config, options.repeat);
  const Runs many = run(layers_case(64), config, options.repeat);
  if (!few.error.empty()) return failed(few.error);
  if (!many.error.empty()) return failed(many.error);
  auto& f = result.figures;
  f["case"] = options.which;
  f["proof_bytes_4"] = few.proved.bytes.total;
  f["proof_bytes_64"] = many.proved.bytes.total;
  f["proof_bytes_ratio"] = static_cast<double>(many.proved.bytes.total) / static_cast<double>(few.proved.bytes.total);
  f["verify_ms_4"] = median(few.verify);
  f["verify_ms_64"] = median(many.verify);
  f["verify_ratio"] = median(many.verify) / median(few.verify);
  return result;
}

}  // namespace

StatementBenchResult bench_statement(const StatementBenchOptions& options) {
  if (options.which == "depth") return bench_depth(options);
  const auto size = [&](std::uint32_t figure) { return options.log2_size != 0 ? options.log2_size : figure; };
  const Case c = options.which == "lookups"  ? lookups_case(size(24))
                 : options.which == "matmul" ? matmul_case(size(10))
                                             : cells_case(size(24));
  const auto binding = statement::Binding::bind(c.statement, c.instance);
  const std::uint64_t witness = cells_of(binding.value(), statement::TensorKind::kWitness);
  const std::uint64_t model_cells = cells_of(binding.value(), statement::TensorKind::kModel);
  const auto config = pcs::choose_config(witness, model_cells, options.level);
  const Runs runs = run(c, *config, options.repeat);
  if (!runs.error.empty()) return failed(runs.error);
  StatementBenchResult result;
  auto& f = result.figures;
  f["case"] = options.which;
  f["level"] = options.level;
  f["log_rows"] = config->log_rows;
  f["witness_cells"] = witness;
  f["model_cells"] = model_cells;
  f["prove_seconds"] = median(runs.prove);
  f["verify_ms"] = median(runs.verify);
  f["proof_bytes"] = runs.proved.bytes.total;
  f["sumcheck_bytes"] = runs.proved.bytes.lookups + runs.proved.bytes.stages;
  f["lookup_bytes"] = runs.proved.bytes.lookups;
  f["opening_bytes"] = runs.proved.bytes.opening;
  f["key_bytes"] = runs.key_bytes;
  f["peak_rss_mib"] = peak_rss_mib();
  f["profile_seconds"] = profile(runs);
  return result;
}

}  // namespace avow::app
