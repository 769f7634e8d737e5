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
  TensorRef sum;  // of word and place, [request, token, feature]: committed to, so that ids are read at one point alone
};

Embedding add_embedding(Assembly& a) {
  auto& b = a.b;
  const auto [n, t, w, i] = std::array{a.request, a.token, a.word, a.feature};
  const auto id = b.values("id", {n, t}, a.plan.vocabulary);
  const TensorRef words = a.model(ModelTensor::kEmbedding, {w, i});
  Expr total = sum({w}, b.one_hot(id(n, t), w) * words(w, i));
  if (a.plan.architecture == Architecture::kGpt2) {
    const auto place = b.axis("context", a.plan.context);
    const TensorRef position = a.model(ModelTensor::kPosition, {place, i});
    const TensorRef mean = a.model(ModelTensor::kEmbeddingMean, {w});
    const TensorRef own = b.define("own_mean", {n, t}, sum({w}, b.one_hot(id(n, t), w) * mean(w)));
    total = total + position(t, i) - own(n, t) * b.ones({i});
  }
  // At most three cells of 16 bits.
  const std::uint8_t bits = a.plan.architecture == Architecture::kGpt2 ? 18 : 16;
  const TensorRef embedded = b.witness("embedded", {n, t, i}, statement::signed_bits(bits));
  b.zero("embedded.sum", {n, t, i}, total - embedded(n, t, i));
  return {words, embedded};
}

// Norms of the residual stream before attention and before the feed-forward part, and the stream after the last layer.
TensorRef add_layers(Assembly& a, Norms& norms, TensorRef embedded) {
  auto& b = a.b;
  const Plan& p = a.plan;
  const auto n = a.request, l = a.layer, m = a.earlier, t = a.token, i = a.feature;
  // The stream reads what later definitions say of earlier layers.
  const TensorRef output = b.declare("block.output", {n, l, t, i}), down = b.declare("block.down", {n, l, t, i});
  const auto added = [&](statement::AxisRef layer) {
    return power(p.output_up) * output(n, layer, t, i) + power(p.down_up) * down(n, layer, t, i);
  };
  const Expr start = power(p.embedding_up) * embedded(n, t, i);
  const TensorRef before = b.define("attention_norm.x", {n, l, t, i}, start + sum({m}, b.less(m, l) * added(m)));
  const TensorRef attention = add_attention(a, norms.add("attention_norm", {n, l, t}, before));
  b.define(output, attention(n, l, t, i));
  const TensorRef between =
      b.define("feed_forward_norm.x", {n, l, t, i}, before(n, l, t, i) + power(p.output_up) * output(n, l, t, i));
  const TensorRef feed_forward = add_feed_forward(a, norms.add("feed_forward_norm", {n, l, t}, between));
  b.define(down, feed_forward(n, l, t, i));
  return b.define("stream", {n, t, i}, start + sum({m}, added(m)));
}

}  // namespace

base::Result<statement::Statement, statement::Error> compile(const Plan& plan) {
  AVOW_CHECK(!check_plan(plan));
  Assembly a(plan);
  auto& b = a.b;
  const auto [n, t, s, i] = std::array{a.request, a.token, a.step, a.feature};
  Norms norms(a);
  const Embedding embedding = add_embedding(a);
  const TensorRef stream = add_layers(a, norms, embedding.sum);
  const auto position = b.values("position", {n, s}, plan.context);
  const TensorRef last = b.define("final_norm.x", {n, s, i}, sum({t}, b.one_hot(position(n, s), t) * stream(n, t, i)));
  const TensorRef distance = add_logits(a, embedding.words, norms.add("final_norm", {n, s}, last));
  add_selection(a, distance);
  return b.build();
}

}  // namespace avow::compile
