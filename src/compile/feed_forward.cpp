// SPDX-License-Identifier: Apache-2.0
#include "compile/assembly.hpp"

namespace avow::compile {

using statement::Expr;
using statement::TensorRef;

namespace {

TensorRef project(Assembly& a, const std::string& name, TensorRef y, const std::optional<Expr>& bias,
                  ModelTensor weights, unsigned shift, Assembly::ValueRange range) {
  const auto [n, l, t, i, j] = std::array{a.request, a.layer, a.token, a.feature, a.hidden};
  const TensorRef W = a.model(weights, {l, j, i});
  Expr total = sum({i}, y(n, l, t, i) * W(l, j, i));
  if (bias) total = total + *bias;
  return a.rounded(name, {n, l, t, j}, a.b.define(name + ".sum", {n, l, t, j}, total), shift, range);
}

// The table's keys are the input's range.
TensorRef activate(Assembly& a, TensorRef input) {
  auto& b = a.b;
  const auto [n, l, t, j] = std::array{a.request, a.layer, a.token, a.hidden};
  const auto row = b.axis("act_row", std::uint64_t{1} << 16);
  const TensorRef values = a.model(ModelTensor::kActValues, {row});
  const TensorRef act = b.witness("act", {n, l, t, j}, statement::signed_bits(16));
  b.lookup("activation", {n, l, t, j}, {input(n, l, t, j), act(n, l, t, j)},
           b.table("activations", {row}, {b.index(row, -power(15)), values(row)}));
  return act;
}

// down_weights . h, h = act (GPT-2) or rd(act up, product_shift).
TensorRef add_down(Assembly& a, TensorRef h) {
  const auto [n, l, t, i, j] = std::array{a.request, a.layer, a.token, a.feature, a.hidden};
  const TensorRef W = a.model(ModelTensor::kDownWeights, {l, i, j});
  Expr total = sum({j}, W(l, i, j) * h(n, l, t, j));
  if (has(a.plan, ModelTensor::kDownBias)) {
    total = total + power(a.plan.down_bias_up) * a.model(ModelTensor::kDownBias, {l, i})(l, i);
  }
  return a.b.define("down.sum", {n, l, t, i}, total);
}

}  // namespace

TensorRef add_feed_forward(Assembly& a, TensorRef normed) {
  using ValueRange = Assembly::ValueRange;
  auto& b = a.b;
  const Plan& p = a.plan;
  const auto [n, l, t, j] = std::array{a.request, a.layer, a.token, a.hidden};
  const Axes cells = {n, l, t, j};
  if (p.architecture == Architecture::kGpt2) {
    const Expr bias = power(p.up_bias_up) * a.model(ModelTensor::kUpBias, {l, j})(l, j);
    const TensorRef up = project(a, "up", normed, bias, ModelTensor::kUpWeights, p.up_shift, ValueRange::kElsewhere);
    return add_down(a, activate(a, up));
  }
  const TensorRef gate =
      project(a, "gate", normed, std::nullopt, ModelTensor::kGateWeights, p.gate_shift, ValueRange::kElsewhere);
  const TensorRef up =
      project(a, "up", normed, std::nullopt, ModelTensor::kUpWeights, p.up_shift, ValueRange::kLookedUp);
  const TensorRef act = activate(a, gate);
  const TensorRef total = b.define("product.sum", cells, act(n, l, t, j) * up(n, l, t, j));
  const TensorRef product = a.two_limbs("product", "product", cells, p.product_bits);
  a.rounds_to("product", cells, total(n, l, t, j), product(n, l, t, j), p.product_shift);
  return add_down(a, product);
}

}  // namespace avow::compile
