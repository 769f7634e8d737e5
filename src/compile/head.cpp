// SPDX-License-Identifier: Apache-2.0
#include "compile/assembly.hpp"

namespace avow::compile {

using statement::Expr;
using statement::TensorRef;

TensorRef add_logits(Assembly& a, TensorRef embedding, TensorRef normed) {
  auto& b = a.b;
  const Plan& p = a.plan;
  const auto [n, t, w, i] = std::array{a.request, a.step, a.word, a.feature};
  const Axes cells = {n, t, w};
  Expr total(0);
  if (p.tied) {
    total = sum({i}, a.model(ModelTensor::kHeadGain, {i})(i) * normed(n, t, i) * embedding(w, i));
  } else {
    total = sum({i}, normed(n, t, i) * a.model(ModelTensor::kHeadWeights, {w, i})(w, i));
  }
  if (has(p, ModelTensor::kHeadBias)) total = total + a.model(ModelTensor::kHeadBias, {w})(w);
  const TensorRef logits = b.define("logit.sum", cells, total);
  const TensorRef z = b.witness("logit", cells, statement::signed_bits(static_cast<std::uint8_t>(p.logit_bits)));
  a.rounds_to("logit", cells, logits(n, t, w), z(n, t, w), p.logit_shift);
  a.in_range("logit", cells, z(n, t, w) + power(p.logit_bits - 1), p.logit_bits);

  // The maximum is a public word's: no word is above it.
  const auto likeliest = b.values("likeliest", {n, t}, p.vocabulary);
  const TensorRef max = b.define("max", {n, t}, sum({w}, b.one_hot(likeliest(n, t), w) * z(n, t, w)));
  const TensorRef distance = b.define("distance_to_max", cells, max(n, t) - z(n, t, w));
  b.lookup("max_above", cells, {distance(n, t, w)}, a.range(p.logit_bits));
  return distance;
}

}  // namespace avow::compile
