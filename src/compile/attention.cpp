// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "compile/assembly.hpp"

namespace avow::compile {

using statement::Expr;
using statement::TensorRef;

namespace {

struct Projected {
  TensorRef query, key, value;
};

Projected add_projections(Assembly& a, TensorRef y) {
  auto& b = a.b;
  const Plan& p = a.plan;
  // No structured bindings: clang 14 does not let lambdas use them.
  const auto n = a.request, l = a.layer, h = a.kv_head, g = a.group, t = a.token, i = a.feature;
  const auto r = a.pair, s = a.side, f = a.head_feature;
  const auto project = [&](const std::string& name, const Axes& rows, const Axes& out, ModelTensor weights,
                           ModelTensor biases, unsigned up, unsigned shift) {
    Axes all = rows;
    all.push_back(i);
    const TensorRef W = a.model(weights, all);
    Expr total = sum({i}, y(n, l, t, i) * Assembly::read(W, all));
    if (p.qkv_bias) total = total + power(up) * Assembly::read(a.model(biases, rows), rows);
    return a.rounded(name, out, b.define(name + ".sum", out, total), shift);
  };
  const TensorRef query = project("query", {l, h, g, r, s}, {n, l, h, g, t, r, s}, ModelTensor::kQueryWeights,
                                  ModelTensor::kQueryBias, p.query_bias_up, p.query_shift);
  const TensorRef key = project("key", {l, h, r, s}, {n, l, h, t, r, s}, ModelTensor::kKeyWeights,
                                ModelTensor::kKeyBias, p.key_bias_up, p.key_shift);
  const TensorRef value = project("value", {l, h, f}, {n, l, h, t, f}, ModelTensor::kValueWeights,
                                  ModelTensor::kValueBias, p.value_bias_up, p.value_shift);
  return {query, key, value};
}

// Rotary positions: pairs are turned by an angle that grows with the token's place.
void rotate(Assembly& a, Projected& projected) {
  auto& b = a.b;
  const auto [n, l, h, g, t] = std::array{a.request, a.layer, a.kv_head, a.group, a.token};
  const auto [r, s, other] = std::array{a.pair, a.side, a.other_side};
  const auto context = b.axis("context", a.plan.context);
  const TensorRef rotation = a.model(ModelTensor::kRotation, {context, r, s, other});
  const TensorRef query = projected.query, key = projected.key;
  const TensorRef query_sum = b.define("turned_query.sum", {n, l, h, g, t, r, s},
                                       sum({other}, query(n, l, h, g, t, r, other) * rotation(t, r, s, other)));
  projected.query = a.rounded("turned_query", {n, l, h, g, t, r, s}, query_sum, kRotationShift);
  const TensorRef key_sum = b.define("turned_key.sum", {n, l, h, t, r, s},
                                     sum({other}, key(n, l, h, t, r, other) * rotation(t, r, s, other)));
  projected.key = a.rounded("turned_key", {n, l, h, t, r, s}, key_sum, kRotationShift);
}

// exp_values of the scores' distances from their maximum over the past; the maximum is attained where the selector,
// one-hot on the past, is 1.
TensorRef add_exponentials(Assembly& a, const Projected& projected) {
  auto& b = a.b;
  const auto [n, l, h, g, t, k] = std::array{a.request, a.layer, a.kv_head, a.group, a.token, a.key};
  const auto [r, s] = std::array{a.pair, a.side};
  const Axes cells = {n, l, h, g, t, k}, rows = {n, l, h, g, t};
  const Expr causal = b.less_equal(k, t);
  const TensorRef total =
      b.define("score.sum", cells, sum({r, s}, projected.query(n, l, h, g, t, r, s) * projected.key(n, l, h, k, r, s)));
  const TensorRef score = a.rounded("score", cells, total, a.plan.score_shift, Assembly::ValueRange::kLookedUp, causal);

  const TensorRef max = b.witness("score_max", rows, statement::signed_bits(16));
  const TensorRef selector = b.witness("score_selector", cells, statement::unsigned_bits(1));
  const TensorRef exp = b.witness("exp", cells, statement::unsigned_bits(15));
  const Expr selected = selector(n, l, h, g, t, k), below = max(n, l, h, g, t) - score(n, l, h, g, t, k);
  b.zero("score_selector.bit", cells, selected * selected - selected);
  b.zero("score_selector.one", rows, sum({k}, causal * selected) - 1);
  b.zero("score_max.attained", rows, sum({k}, causal * selected * below));
  const auto row = b.axis("exp_row", std::uint64_t{1} << 16);
  const TensorRef values = a.model(ModelTensor::kExpValues, {row});
  b.lookup("exponential", cells, {below, exp(n, l, h, g, t, k)},
           b.table("exponentials", {row}, {b.index(row), values(row)}), causal);
  return exp;
}

// rec = floor(2^mix_shift / D): the remainder is in [0, D).
TensorRef add_reciprocal(Assembly& a, TensorRef exp) {
  auto& b = a.b;
  const auto [n, l, h, g, t, k] = std::array{a.request, a.layer, a.kv_head, a.group, a.token, a.key};
  const Axes rows = {n, l, h, g, t};
  const unsigned mix_shift = a.plan.mix_shift;
  const TensorRef D = b.define("denominator", rows, sum({k}, b.less_equal(k, t) * exp(n, l, h, g, t, k)));
  const TensorRef rec =
      b.witness("reciprocal", rows, statement::unsigned_bits(static_cast<std::uint8_t>(mix_shift - 13)));
  const TensorRef rest = b.define("reciprocal.rest", rows, power(mix_shift) - rec(n, l, h, g, t) * D(n, l, h, g, t));
  const auto bits = static_cast<unsigned>(std::bit_width(a.plan.context - 1)) + 14;
  a.in_range("reciprocal", rows, rec(n, l, h, g, t), mix_shift - 13);
  a.in_range("reciprocal.low", rows, rest(n, l, h, g, t), bits);
  a.in_range("reciprocal.high", rows, D(n, l, h, g, t) - 1 - rest(n, l, h, g, t), bits);
  return rec;
}

}  // namespace

TensorRef add_attention(Assembly& a, TensorRef normed) {
  auto& b = a.b;
  const auto [n, l, h, g, t, k] = std::array{a.request, a.layer, a.kv_head, a.group, a.token, a.key};
  const auto [i, f] = std::array{a.feature, a.head_feature};
  Projected projected = add_projections(a, normed);
  if (a.plan.architecture == Architecture::kLlama) rotate(a, projected);
  const TensorRef exp = add_exponentials(a, projected);
  const TensorRef rec = add_reciprocal(a, exp);
  const Axes cells = {n, l, h, g, t, f};
  const TensorRef mixture =
      b.define("mixture", cells, sum({k}, b.less_equal(k, t) * exp(n, l, h, g, t, k) * projected.value(n, l, h, k, f)));
  const TensorRef total = b.define("mix.sum", cells, mixture(n, l, h, g, t, f) * rec(n, l, h, g, t));
  const TensorRef mix = a.rounded("mix", cells, total, a.plan.mix_shift);
  const TensorRef W = a.model(ModelTensor::kOutputWeights, {l, i, h, g, f});
  Expr out = sum({h, g, f}, mix(n, l, h, g, t, f) * W(l, i, h, g, f));
  if (a.plan.output_bias) {
    out = out + power(a.plan.output_bias_up) * a.model(ModelTensor::kOutputBias, {l, i})(l, i);
  }
  return b.define("output.sum", {n, l, t, i}, out);
}

}  // namespace avow::compile
