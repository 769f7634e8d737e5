// SPDX-License-Identifier: Apache-2.0
#include "compile/assembly.hpp"

namespace avow::compile {

using statement::Expr;
using statement::TensorRef;
using statement::ValuesRef;

namespace {

// The request's numbers and what each step shows. That above_k = last_k + 1, above_p = last_p + 1, and above is the
// smaller of both, is for whoever forms the instance (make_instance, and a contract likewise), of the last ones alone:
// to say it of public numbers once more would cost a proof's reader more than to make them.
struct Public {
  ValuesRef tau, k, portion;
  ValuesRef above_k, above_p, above, last_k, last_p;
  ValuesRef random, chosen;
};

Public add_public(Assembly& a) {
  auto& b = a.b;
  const Axes steps = {a.request, a.step}, requests = {a.request};
  return {b.values("tau", requests, kLargestTau + 1),
          b.values("k", requests, a.plan.vocabulary + 1),
          b.values("P", requests, (std::uint64_t{1} << kPortionShift) + 1),
          b.values("above_k", steps, kDistanceSteps + 1),
          b.values("above_p", steps, kDistanceSteps + 1),
          b.values("above", steps, kDistanceSteps + 1),
          b.values("last_k", steps, kDistanceSteps),
          b.values("last_p", steps, kDistanceSteps),
          b.values("random", steps, std::uint64_t{1} << kRandomBits),
          b.values("chosen", steps, a.plan.vocabulary)};
}

// U, of distance tau = 2^12 (U + excess) + rest: the last step holds all that lies beyond.
TensorRef add_steps(Assembly& a, const Public& v, TensorRef distance) {
  auto& b = a.b;
  const auto [n, t, w] = std::array{a.request, a.step, a.word};
  const std::uint64_t beyond = std::uint64_t{1} << a.plan.overflow_bits;
  const auto row = b.axis("saturation", kDistanceSteps + beyond);
  const TensorRef scaled = b.witness("scaled", {n, t, w}, statement::unsigned_bits(12));
  const auto bits = static_cast<std::uint8_t>(a.plan.overflow_bits + 1);
  const TensorRef excess = b.witness("excess", {n, t, w}, statement::unsigned_bits(bits));
  const Expr step = b.piecewise(row, {{kDistanceSteps, 0, 1}, {beyond, kDistanceSteps - 1, 0}});
  const Expr over = b.piecewise(row, {{kDistanceSteps, 0, 0}, {beyond, 1, 1}});
  b.lookup("saturate", {n, t, w}, {scaled(n, t, w), excess(n, t, w)}, b.table("saturated", {row}, {step, over}));
  a.rounds_to("scaled", {n, t, w}, b.value(v.tau(n)) * distance(n, t, w), scaled(n, t, w) + excess(n, t, w), kTauShift);
  return scaled;
}

// A number that is not negative.
void show(Assembly& a, const std::string& name, const Expr& value, unsigned bits) {
  const TensorRef shown = a.b.define(name, {a.request, a.step}, value);
  a.in_range(name, {a.request, a.step}, shown(a.request, a.step), bits);
}

// Number and mass of the words up to theta and before it, H their histogram: that of the lookups in the table of
// weights.
void show_thresholds(Assembly& a, const Public& v, statement::AxisRef u, TensorRef histogram, TensorRef weights) {
  auto& b = a.b;
  const auto n = a.request, t = a.step;  // no bindings: clang 14 lets no lambda capture them
  const auto up_to = [&](const std::string& name, TensorRef of, const statement::ValuesAt& bound) {
    return b.define(name, {n, t}, sum({u}, of(n, t, u) * b.below(bound, u)));
  };
  const TensorRef up_to_k = up_to("up_to_k", histogram, v.above_k(n, t));
  const TensorRef before_k = up_to("before_k", histogram, v.last_k(n, t));
  show(a, "top_k_enough", up_to_k(n, t) - b.value(v.k(n)), 18);
  show(a, "top_k_least", b.value(v.k(n)) - 1 - before_k(n, t), 18);

  const TensorRef masses = b.define("masses", {n, t, u}, histogram(n, t, u) * weights(u));
  const TensorRef mass = b.define("mass", {n, t}, sum({u}, masses(n, t, u)));
  const TensorRef up_to_p = up_to("up_to_p", masses, v.above_p(n, t));
  const TensorRef before_p = up_to("before_p", masses, v.last_p(n, t));
  const TensorRef goal = b.define("goal", {n, t}, b.value(v.portion(n)) * mass(n, t));
  show(a, "top_p_enough", power(kPortionShift) * up_to_p(n, t) - goal(n, t), 52);
  show(a, "top_p_least", goal(n, t) - 1 - power(kPortionShift) * before_p(n, t), 52);
}

// The chosen word's interval [C, C + p) holds random S / 2^28.
void show_choice(Assembly& a, const Public& v, TensorRef weight) {
  auto& b = a.b;
  const auto [n, t, w] = std::array{a.request, a.step, a.word};
  const TensorRef total = b.define("total", {n, t}, sum({w}, weight(n, t, w)));
  const TensorRef before = b.define("before", {n, t}, sum({w}, b.below(v.chosen(n, t), w) * weight(n, t, w)));
  const TensorRef own = b.define("own", {n, t}, sum({w}, b.one_hot(v.chosen(n, t), w) * weight(n, t, w)));
  const TensorRef drawn = b.define("drawn", {n, t}, b.value(v.random(n, t)) * total(n, t));
  show(a, "choice_from", drawn(n, t) - power(kRandomBits) * before(n, t), 44);
  show(a, "choice_below", power(kRandomBits) * before(n, t) + power(kRandomBits) * own(n, t) - 1 - drawn(n, t), 44);
}

}  // namespace

void add_selection(Assembly& a, TensorRef distance) {
  auto& b = a.b;
  const auto [n, t, w] = std::array{a.request, a.step, a.word};
  const Public v = add_public(a);
  const TensorRef scaled = add_steps(a, v, distance);

  // The weight of a distance, 0 beyond theta, for each step.
  const auto u = b.axis("distance", kDistanceSteps);
  const TensorRef weights = a.model(ModelTensor::kWeightValues, {u});
  a.in_range("weight_values", {u}, weights(u), 16);
  const TensorRef kept = b.define("kept_weights", {n, t, u}, weights(u) * b.below(v.above(n, t), u));
  const auto table = b.table("step_weights", {n, t, u}, {b.index(n), b.index(t), b.index(u), kept(n, t, u)});
  const TensorRef weight = b.witness("weight", {n, t, w}, statement::unsigned_bits(16));
  b.lookup("weigh", {n, t, w}, {b.index(n), b.index(t), scaled(n, t, w), weight(n, t, w)}, table);
  show_thresholds(a, v, u, b.multiplicity(table), weights);
  show_choice(a, v, weight);
}

}  // namespace avow::compile
