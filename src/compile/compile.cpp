// SPDX-License-Identifier: Apache-2.0
#include "compile/compile.hpp"

#include "base/check.hpp"
#include "compile/assembly.hpp"

namespace avow::compile {

using statement::Expr;
using statement::TensorRef;

namespace {

struct Embedding {
  TensorRef words;  // the model's tensor
  TensorRef sum;    // of word and place, [token, feature]
};

Embedding add_embedding(Assembly& a) {
  auto& b = a.b;
  const auto [t, w, i] = std::array{a.token, a.word, a.feature};
  const auto id = b.values("id", {t}, a.plan.vocabulary);
  const TensorRef words = a.model(ModelTensor::kEmbedding, {w, i});
  Expr total = sum({w}, b.one_hot(id(t), w) * words(w, i));
  if (a.plan.architecture == Architecture::kGpt2) {
    const auto place = b.axis("context", a.plan.context);
    const TensorRef position = a.model(ModelTensor::kPosition, {place, i});
    const TensorRef mean = a.model(ModelTensor::kEmbeddingMean, {w});
    const TensorRef own = b.define("own_mean", {t}, sum({w}, b.one_hot(id(t), w) * mean(w)));
    total = total + position(t, i) - own(t) * b.ones({i});
  }
  return {words, b.define("embedded", {t, i}, total)};
}

// Norms of the residual stream before attention and before the feed-forward part, and the stream after the last layer.
TensorRef add_layers(Assembly& a, Norms& norms, TensorRef embedded) {
  auto& b = a.b;
  const Plan& p = a.plan;
  const auto l = a.layer, m = a.earlier, t = a.token, i = a.feature;
  // The stream reads what later definitions say of earlier layers.
  const TensorRef output = b.declare("block.output", {l, t, i}), down = b.declare("block.down", {l, t, i});
  const auto added = [&](statement::AxisRef layer) {
    return power(p.output_up) * output(layer, t, i) + power(p.down_up) * down(layer, t, i);
  };
  const Expr start = power(p.embedding_up) * embedded(t, i);
  const TensorRef before = b.define("attention_norm.x", {l, t, i}, start + sum({m}, b.less(m, l) * added(m)));
  const TensorRef attention = add_attention(a, norms.add("attention_norm", {l, t}, before));
  b.define(output, attention(l, t, i));
  const TensorRef between =
      b.define("feed_forward_norm.x", {l, t, i}, before(l, t, i) + power(p.output_up) * output(l, t, i));
  const TensorRef feed_forward = add_feed_forward(a, norms.add("feed_forward_norm", {l, t}, between));
  b.define(down, feed_forward(l, t, i));
  return b.define("stream", {t, i}, start + sum({m}, added(m)));
}

}  // namespace

base::Result<statement::Statement, statement::Error> compile(const Plan& plan) {
  AVOW_CHECK(!check_plan(plan));
  Assembly a(plan);
  auto& b = a.b;
  const auto [t, s, i] = std::array{a.token, a.step, a.feature};
  Norms norms(a);
  const Embedding embedding = add_embedding(a);
  const TensorRef stream = add_layers(a, norms, embedding.sum);
  const auto position = b.values("position", {s}, plan.context);
  const TensorRef last = b.define("final_norm.x", {s, i}, sum({t}, b.one_hot(position(s), t) * stream(t, i)));
  const TensorRef distance = add_logits(a, embedding.words, norms.add("final_norm", {s}, last));
  add_selection(a, distance);
  return b.build();
}

}  // namespace avow::compile
