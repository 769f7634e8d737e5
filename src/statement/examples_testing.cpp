// SPDX-License-Identifier: Apache-2.0
#include "statement/examples_testing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/random.hpp"
#include "statement/examples_building_testing.hpp"

namespace avow::statement {

Array random_array(std::uint64_t size, std::int64_t low, std::int64_t high, std::uint64_t seed) {
  base::SplitMix64 random(seed);
  Array array;
  while (array.size() < size) {
    const auto value = low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
    if (value != 0) array.push_back(value);
  }
  return array;
}

Statement built(const Builder& builder) {
  auto statement = builder.build();
  if (!statement) base::check_failed(statement.error().text.c_str(), __FILE__, __LINE__);
  return std::move(statement).value();
}

Assignment Example::assignment() const {
  Assignment assignment;
  for (const Tensor& tensor : statement.tensors) {
    const auto it = arrays.find(tensor.name);
    assignment.arrays.push_back(it == arrays.end() ? Array() : it->second);
  }
  return assignment;
}

Example matmul_example(std::uint64_t tokens, std::uint64_t in, std::uint64_t out) {
  Builder b;
  const auto t = b.parameter("token", 64);
  const auto i = b.axis("in", in);
  const auto o = b.axis("out", out);
  const auto X = b.input("x", {t, i}, signed_bits(16));
  const auto W = b.model("w", {o, i}, signed_bits(16));
  const auto Y = b.witness("y", {t, o}, signed_bits(16));
  const auto acc = b.define("acc", {t, o}, sum({i}, X(t, i) * W(o, i)));
  const auto R = b.define("r", {t, o}, acc(t, o) + 128 - 256 * Y(t, o));
  b.lookup("r_range", {t, o}, {R(t, o)}, b.range("u8", 256));
  const auto s16 = b.range("s16", 65536, -32768);
  b.lookup("x_range", {t, i}, {X(t, i)}, s16);
  b.lookup("y_range", {t, o}, {Y(t, o)}, s16);

  const Array x = random_array(tokens * in, -100, 100, 1);
  const Array w = random_array(out * in, -30, 30, 2);
  Array y;
  for (std::uint64_t row = 0; row < tokens; ++row) {
    for (std::uint64_t col = 0; col < out; ++col) {
      std::int64_t dot = 0;
      for (std::uint64_t k = 0; k < in; ++k) dot += x[row * in + k] * w[col * in + k];
      y.push_back(floor_div(dot + 128, 256));
    }
  }
  return {"matmul",
          built(b),
          {{tokens}, {}},
          {{"x", x}, {"w", w}, {"y", y}},
          {{"x", {256, -256, 1 << 20}, {"r_range"}}, {"y", {1, -1, 1 << 20}, {"r_range"}}}};
}

Example product_example(std::uint64_t rows, std::uint64_t cols) {
  Builder b;
  const auto i = b.axis("row", rows);
  const auto j = b.axis("col", cols);
  const auto A = b.input("a", {i, j}, signed_bits(16));
  const auto B = b.input("b", {i, j}, signed_bits(16));
  const auto C = b.witness("c", {i, j}, signed_bits(32));
  b.zero("product", {i, j}, A(i, j) * B(i, j) - C(i, j));

  const Array x = random_array(rows * cols, -1000, 1000, 3);
  const Array y = random_array(rows * cols, -1000, 1000, 4);
  Array z;
  for (std::size_t k = 0; k < x.size(); ++k) z.push_back(x[k] * y[k]);
  return {"product",
          built(b),
          {},
          {{"a", x}, {"b", y}, {"c", z}},
          {{"a", {1, -1, 77}, {"product"}}, {"b", {1, -1, 77}, {"product"}}, {"c", {1, -1, 77}, {"product"}}}};
}

Example scaled_product_example(std::uint64_t rows, std::uint64_t cols) {
  Builder b;
  const auto i = b.axis("row", rows);
  const auto j = b.axis("col", cols);
  const auto A = b.input("a", {i, j}, signed_bits(12));
  const auto B = b.input("b", {i, j}, signed_bits(12));
  const auto C = b.witness("c", {i, j}, signed_bits(16));
  const auto s12 = b.range("s12", 4096, -2048);
  b.lookup("a_range", {i, j}, {A(i, j)}, s12);
  b.lookup("b_range", {i, j}, {B(i, j)}, s12);
  const auto R = b.define("rest", {i, j}, A(i, j) * B(i, j) + 128 - 256 * C(i, j));
  b.lookup("round", {i, j}, {R(i, j)}, b.range("u8", 256));
  b.lookup("c_range", {i, j}, {C(i, j)}, b.range("s16", 65536, -32768));

  const Array x = random_array(rows * cols, -2048, 2047, 13);
  const Array y = random_array(rows * cols, -2048, 2047, 14);
  Array z;
  for (std::size_t k = 0; k < x.size(); ++k) z.push_back(floor_div(x[k] * y[k] + 128, 256));
  return {"scaled_product",
          built(b),
          {},
          {{"a", x}, {"b", y}, {"c", z}},
          {{"a", {9000, -9000}, {"a_range"}}, {"b", {9000, -9000}, {"b_range"}}, {"c", {1, -1, 77}, {"round"}}}};
}

Example row_sums_example(std::uint64_t rows, std::uint64_t cols) {
  Builder b;
  const auto i = b.axis("row", rows);
  const auto j = b.axis("col", cols);
  const auto A = b.input("a", {i, j}, signed_bits(16));
  const auto S = b.witness("s", {i}, signed_bits(32));
  b.zero("row_sum", {i}, sum({j}, A(i, j)) - S(i));

  const Array a = random_array(rows * cols, -1000, 1000, 5);
  Array sums;
  for (std::uint64_t row = 0; row < rows; ++row) {
    std::int64_t total = 0;
    for (std::uint64_t col = 0; col < cols; ++col) total += a[row * cols + col];
    sums.push_back(total);
  }
  return {
      "row_sums", built(b), {}, {{"a", a}, {"s", sums}}, {{"a", {1, -5}, {"row_sum"}}, {"s", {1, -5}, {"row_sum"}}}};
}

Example softmax_example(std::uint64_t tokens) {
  constexpr std::uint64_t kHeads = 2;
  constexpr std::uint64_t kFeatures = 5;
  constexpr std::int64_t kSteps = 16;  // of the table of exponentials
  constexpr std::int64_t kUnit = 1024;
  Builder b;
  const auto h = b.axis("head", kHeads);
  const auto t = b.parameter("token", 24);
  const auto k = b.alias("key", t);
  const auto f = b.axis("feature", kFeatures);
  const auto u = b.axis("step", kSteps);
  const auto Sq = b.input("score", {h, t, k}, signed_bits(16));
  const auto M = b.witness("max", {h, t}, signed_bits(16));
  const auto s = b.witness("selector", {h, t, k}, unsigned_bits(1));
  const auto e = b.witness("exp", {h, t, k}, unsigned_bits(16));
  const auto V = b.input("value", {h, t, f}, signed_bits(16));
  const auto rec = b.witness("reciprocal", {h, t}, unsigned_bits(16));
  const auto O = b.witness("output", {h, t, f}, signed_bits(16));
  const auto causal = b.less_equal(k, t);
  b.lookup("value_range", {h, t, f}, {V(h, t, f)}, b.range("s8", 256, -128));

  // The selector is one-hot on the past, where it points to a score that is M.
  b.zero("selector_bit", {h, t, k}, s(h, t, k) * s(h, t, k) - s(h, t, k));
  b.zero("selector_one", {h, t}, sum({k}, causal * s(h, t, k)) - 1);
  b.zero("max_attained", {h, t}, sum({k}, causal * s(h, t, k) * (M(h, t) - Sq(h, t, k))));
  const auto EXP = b.model("exp_values", {u}, unsigned_bits(16));
  const auto exp_table = b.table("exp_table", {u}, {b.index(u), EXP(u)});
  b.lookup("exponential", {h, t, k}, {M(h, t) - Sq(h, t, k), e(h, t, k)}, exp_table, causal);
  // rec = floor(2^10 / D): the remainder is in [0, D).
  const auto D = b.define("denominator", {h, t}, sum({k}, causal * e(h, t, k)));
  const auto rest = b.define("reciprocal_rest", {h, t}, kUnit - rec(h, t) * D(h, t));
  const auto u9 = b.range("u9", 512);
  b.lookup("exp_values_range", {u}, {EXP(u)}, u9);
  b.lookup("reciprocal_low", {h, t}, {rest(h, t)}, u9);
  b.lookup("reciprocal_high", {h, t}, {D(h, t) - 1 - rest(h, t)}, u9);
  const auto N = b.define("numerator", {h, t, f}, sum({k}, causal * e(h, t, k) * V(h, k, f)));
  const auto R = b.define("output_rest", {h, t, f}, N(h, t, f) * rec(h, t) + kUnit / 2 - kUnit * O(h, t, f));
  const auto u10 = b.range("u10", kUnit);
  b.lookup("reciprocal_range", {h, t}, {rec(h, t)}, u10);
  b.lookup("output_round", {h, t, f}, {R(h, t, f)}, u10);
  b.lookup("output_range", {h, t, f}, {O(h, t, f)}, b.range("s9", 512, -256));

  Array table;
  for (std::int64_t x = 0; x < kSteps; ++x) table.push_back(kSteps - 1 - x);  // strictly decreasing
  const Array value = random_array(kHeads * tokens * kFeatures, -100, 100, 6);
  Array score = random_array(kHeads * tokens * tokens, 1, kSteps, 7);
  Array max, selector(score.size()), exponential(score.size()), reciprocal, output;
  for (std::uint64_t row = 0; row < kHeads * tokens; ++row) {
    const std::uint64_t token = row % tokens;
    const std::uint64_t head = row / tokens;
    const auto first = score.begin() + static_cast<std::ptrdiff_t>(row * tokens);
    const auto top = std::max_element(first, first + static_cast<std::ptrdiff_t>(token + 1));
    max.push_back(*top);
    selector[static_cast<std::size_t>(top - score.begin())] = 1;
    std::int64_t denominator = 0;
    for (std::uint64_t key = 0; key <= token; ++key) {
      exponential[row * tokens + key] = table[static_cast<std::size_t>(*top - score[row * tokens + key])];
      denominator += exponential[row * tokens + key];
    }
    reciprocal.push_back(kUnit / denominator);
    for (std::uint64_t feature = 0; feature < kFeatures; ++feature) {
      std::int64_t numerator = 0;
      for (std::uint64_t key = 0; key <= token; ++key) {
        numerator += exponential[row * tokens + key] * value[(head * tokens + key) * kFeatures + feature];
      }
      output.push_back(floor_div(numerator * reciprocal.back() + kUnit / 2, kUnit));
    }
  }
  return {"softmax",
          built(b),
          {{tokens}, {}},
          {{"score", score},
           {"max", max},
           {"selector", selector},
           {"exp", exponential},
           {"value", value},
           {"exp_values", table},
           {"reciprocal", reciprocal},
           {"output", output}},
          {{"score", {1, -1, 500}, {"exponential"}, true},
           {"max", {1, -1, 500}, {"max_attained"}},
           {"selector", {1, -1, 2}, {"selector_bit", "selector_one"}, true},
           {"exp", {1, -1, 500}, {"exponential"}, true},
           {"reciprocal", {1, -1, 500}, {"reciprocal_low", "reciprocal_high"}},
           {"value", {1000, -1000}, {"value_range"}},
           {"output", {1, -1, 500}, {"output_round"}}}};
}

Example activation_example(std::uint64_t cells) {
  Builder b;
  const auto i = b.axis("cell", cells);
  const auto row = b.axis("row", 41);
  const auto X = b.input("x", {i}, signed_bits(8));
  const auto Y = b.witness("y", {i}, signed_bits(16));
  const auto cubes = b.model("cubes", {row}, signed_bits(16));
  const auto table = b.table("activation_table", {row}, {b.index(row, -20), cubes(row)});
  b.lookup("activation", {i}, {X(i), Y(i)}, table);

  const Array x = random_array(cells, -20, 20, 8);
  Array y, column;
  for (const std::int64_t v : x) y.push_back(v * v * v);
  for (std::int64_t v = -20; v <= 20; ++v) column.push_back(v * v * v);
  return {"activation",
          built(b),
          {},
          {{"x", x}, {"y", y}, {"cubes", column}},
          {{"x", {1, -1, 50}, {"activation"}}, {"y", {1, -1, 50}, {"activation"}}}};
}

Example embedding_example(std::uint64_t tokens) {
  constexpr std::uint64_t kVocabulary = 43;
  constexpr std::uint64_t kContext = 12;
  constexpr std::uint64_t kFeatures = 3;
  Builder b;
  const auto t = b.parameter("token", kContext);
  const auto v = b.axis("vocabulary", kVocabulary);
  const auto c = b.axis("context", kContext);
  const auto f = b.axis("feature", kFeatures);
  const auto id = b.values("id", {t}, kVocabulary);
  const auto E = b.model("embedding", {v, f}, signed_bits(16));
  const auto P = b.model("position", {c, f}, signed_bits(16));
  const auto X = b.witness("x", {t, f}, signed_bits(16));
  b.zero("embed", {t, f}, sum({v}, b.one_hot(id(t), v) * E(v, f)) + P(t, f) - X(t, f));

  const Array embedding = random_array(kVocabulary * kFeatures, -100, 100, 9);
  const Array position = random_array(kContext * kFeatures, -100, 100, 10);
  Array ids, x;
  for (std::uint64_t token = 0; token < tokens; ++token) {
    const std::uint64_t word = token * token * 7 % kVocabulary;
    ids.push_back(static_cast<std::int64_t>(word));
    for (std::uint64_t feature = 0; feature < kFeatures; ++feature) {
      x.push_back(embedding[word * kFeatures + feature] + position[token * kFeatures + feature]);
    }
  }
  return {"embedding",
          built(b),
          {{tokens}, {ids}},
          {{"embedding", embedding}, {"position", position}, {"x", x}},
          {{"x", {1, -1}, {"embed"}}}};
}

Example convolution_example(std::uint64_t side, std::int64_t stride, std::int64_t padding) {
  constexpr std::uint64_t kIn = 2;
  constexpr std::uint64_t kOut = 3;
  const std::int64_t signed_side = static_cast<std::int64_t>(side);
  const std::int64_t out_side = (signed_side + 2 * padding - 3) / stride + 1;
  Builder b;
  const auto c = b.axis("channel", kIn);
  const auto o = b.axis("out", kOut);
  const auto iy = b.axis("in_y", side);
  const auto ix = b.axis("in_x", side);
  const auto ky = b.axis("tap_y", 3);
  const auto kx = b.axis("tap_x", 3);
  const auto y = b.axis("y", static_cast<std::uint64_t>(out_side));
  const auto x = b.axis("x", static_cast<std::uint64_t>(out_side));
  const auto X = b.input("image", {c, iy, ix}, signed_bits(8));
  const auto W = b.model("kernel", {o, c, ky, kx}, signed_bits(8));
  const auto Y = b.witness("result", {o, y, x}, signed_bits(32));
  const ShiftShape shape{.stride = stride, .padding = padding};
  const auto columns = b.define("columns", {c, kx, iy, x}, sum({ix}, b.shift(x, kx, ix, shape) * X(c, iy, ix)));
  const auto conv = b.define("conv", {o, y, x},
                             sum({c, ky, kx, iy}, W(o, c, ky, kx) * b.shift(y, ky, iy, shape) * columns(c, kx, iy, x)));
  b.zero("convolution", {o, y, x}, conv(o, y, x) - Y(o, y, x));

  const Array image = random_array(kIn * side * side, -100, 100, 11);
  const Array kernel = random_array(kOut * kIn * 9, -10, 10, 12);
  Array result;
  const auto pixel = [&](std::uint64_t channel, std::int64_t py, std::int64_t px) {
    if (py < 0 || px < 0 || py >= signed_side || px >= signed_side) return std::int64_t{0};
    return image[channel * side * side + static_cast<std::uint64_t>(py * signed_side + px)];
  };
  for (std::uint64_t out = 0; out < kOut; ++out) {
    for (std::int64_t py = 0; py < out_side; ++py) {
      for (std::int64_t px = 0; px < out_side; ++px) {
        std::int64_t total = 0;
        for (std::uint64_t channel = 0; channel < kIn; ++channel) {
          for (std::int64_t tap = 0; tap < 9; ++tap) {
            total += kernel[(out * kIn + channel) * 9 + static_cast<std::uint64_t>(tap)] *
                     pixel(channel, py * stride + tap / 3 - padding, px * stride + tap % 3 - padding);
          }
        }
        result.push_back(total);
      }
    }
  }
  return {"convolution",
          built(b),
          {},
          {{"image", image}, {"kernel", kernel}, {"result", result}},
          {{"image", {1, -1}, {"convolution"}}, {"result", {1, -1}, {"convolution"}}}};
}

std::vector<Example> all_examples() {
  return {matmul_example(3, 12, 5),
          product_example(3, 43),
          scaled_product_example(3, 12),
          row_sums_example(12, 43),
          softmax_example(6),
          activation_example(43),
          embedding_example(6),
          convolution_example(7, 2, 1),
          rms_norm_example(3, 12),
          layer_norm_example(3, 12),
          scores_example(6, 5),
          rope_example(6, 5),
          block_example(3, 4, 12),
          selection_example({.name = "greedy", .greedy = true}, 3),
          selection_example({.name = "temperature", .tau = 24}, 3),
          selection_example({.name = "top_k", .k = 5}, 3),
          selection_example({.name = "top_p", .p = 200}, 3)};
}

std::vector<Example> shaped_examples(std::uint64_t seed) {
  base::SplitMix64 random(seed);
  const auto length = [&] {
    constexpr std::uint64_t kLengths[] = {1, 3, 12, 43};
    return kLengths[random() % 4];
  };
  const auto dyadic = [&] {
    constexpr std::uint64_t kLengths[] = {1, 2, 3, 4, 6, 8, 12};
    return kLengths[random() % 7];
  };
  std::vector<Example> list;
  for (const std::uint64_t long_length :
       {std::uint64_t{1}, std::uint64_t{43}, std::uint64_t{768}, std::uint64_t{1000}}) {
    list.push_back(matmul_example(dyadic(), long_length, length()));
    list.push_back(matmul_example(dyadic(), length(), long_length));
    list.push_back(product_example(length(), long_length));
    list.push_back(scaled_product_example(length(), long_length));
    list.push_back(row_sums_example(length(), long_length));
    list.push_back(row_sums_example(long_length, length()));
    list.push_back(activation_example(long_length));
    list.push_back(rms_norm_example(dyadic(), long_length));
    list.push_back(layer_norm_example(dyadic(), long_length));
    list.push_back(scores_example(dyadic(), std::min<std::uint64_t>(long_length, 768)));
    list.push_back(rope_example(dyadic(), length()));
    list.push_back(softmax_example(dyadic()));
    list.push_back(embedding_example(dyadic()));
    list.push_back(convolution_example(5 + random() % 9, 1 + static_cast<std::int64_t>(random() % 3),
                                       static_cast<std::int64_t>(random() % 2)));
    list.push_back(selection_example({.name = "sampled",
                                      .tau = 8 + static_cast<std::int64_t>(random() % 32),
                                      .k = static_cast<std::int64_t>(random() % 3),
                                      .p = 1 + static_cast<std::int64_t>(random() % 256),
                                      .vocabulary = std::clamp<std::uint64_t>(long_length, 3, 256)},
                                     dyadic()));
  }
  for (std::size_t i = 0; i < list.size(); ++i) list[i].name += fmt::format("_{}", i);
  return list;
}

}  // namespace avow::statement
