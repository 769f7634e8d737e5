// SPDX-License-Identifier: Apache-2.0
#include "compile/assembly.hpp"

namespace avow::compile {

using statement::Expr;
using statement::TensorRef;
using statement::ValuesRef;

namespace {

// The request's numbers and what each step shows.
struct Public {
  ValuesRef tau, k, portion;
  ValuesRef above_k, above_p, above, last_k, last_p;
  ValuesRef random, chosen;
};

Public add_public(Assembly& a) {
  auto& b = a.b;
  const Axes steps = {a.step};
  return {b.values("tau", {}, kLargestTau + 1),
          b.values("k", {}, a.plan.vocabulary + 1),
          b.values("P", {}, (std::uint64_t{1} << kPortionShift) + 1),
          b.values("above_k", steps, kDistanceSteps + 1),
          b.values("above_p", steps, kDistanceSteps + 1),
          b.values("above", steps, kDistanceSteps + 1),
          b.values("last_k", steps, kDistanceSteps),
          b.values("last_p", steps, kDistanceSteps),
          b.values("random", steps, std::uint64_t{1} << kRandomBits),
          b.values("chosen", steps, a.plan.vocabulary)};
}

// above_k = last_k + 1, above_p = last_p + 1, above is the smaller of both: otherwise a threshold and what is shown of
// it would be two things.
void tie_thresholds(Assembly& a, const Public& v) {
  auto& b = a.b;
  const auto t = a.step;
  b.zero("above_k_follows", {t}, b.value(v.above_k(t)) - b.value(v.last_k(t)) - 1);
  b.zero("above_p_follows", {t}, b.value(v.above_p(t)) - b.value(v.last_p(t)) - 1);
  const Expr k = b.value(v.above_k(t)) - b.value(v.above(t)), p = b.value(v.above_p(t)) - b.value(v.above(t));
  a.in_range("above_k_not_less", {t}, k, 13);
  a.in_range("above_p_not_less", {t}, p, 13);
  b.zero("above_is_one", {t}, k * p);
}

// U, of distance tau = 2^12 (U + excess) + rest: the last step holds all that lies beyond.
TensorRef add_steps(Assembly& a, const Public& v, TensorRef distance) {
  auto& b = a.b;
  const auto [t, w] = std::array{a.step, a.word};
  const std::uint64_t beyond = std::uint64_t{1} << a.plan.overflow_bits;
  const auto row = b.axis("saturation", kDistanceSteps + beyond);
  const TensorRef scaled = b.witness("scaled", {t, w}, statement::unsigned_bits(12));
  const auto bits = static_cast<std::uint8_t>(a.plan.overflow_bits + 1);
  const TensorRef excess = b.witness("excess", {t, w}, statement::unsigned_bits(bits));
  const Expr step = b.piecewise(row, {{kDistanceSteps, 0, 1}, {beyond, kDistanceSteps - 1, 0}});
  const Expr over = b.piecewise(row, {{kDistanceSteps, 0, 0}, {beyond, 1, 1}});
  b.lookup("saturate", {t, w}, {scaled(t, w), excess(t, w)}, b.table("saturated", {row}, {step, over}));
  a.rounds_to("scaled", {t, w}, b.value(v.tau()) * distance(t, w), scaled(t, w) + excess(t, w), kTauShift);
  return scaled;
}

// A number that is not negative.
void show(Assembly& a, const std::string& name, const Expr& value, unsigned bits) {
  const TensorRef shown = a.b.define(name, {a.step}, value);
  a.in_range(name, {a.step}, shown(a.step), bits);
}

// Number and mass of the words up to theta and before it, H their histogram: that of the lookups in the table of
// weights.
void show_thresholds(Assembly& a, const Public& v, statement::AxisRef u, TensorRef histogram, TensorRef weights) {
  auto& b = a.b;
  const auto t = a.step;
  const auto up_to = [&](const std::string& name, TensorRef of, const statement::ValuesAt& bound) {
    return b.define(name, {t}, sum({u}, of(t, u) * b.below(bound, u)));
  };
  const TensorRef up_to_k = up_to("up_to_k", histogram, v.above_k(t));
  const TensorRef before_k = up_to("before_k", histogram, v.last_k(t));
  show(a, "top_k_enough", up_to_k(t) - b.value(v.k()), 18);
  show(a, "top_k_least", b.value(v.k()) - 1 - before_k(t), 18);

  const TensorRef masses = b.define("masses", {t, u}, histogram(t, u) * weights(u));
  const TensorRef mass = b.define("mass", {t}, sum({u}, masses(t, u)));
  const TensorRef up_to_p = up_to("up_to_p", masses, v.above_p(t));
  const TensorRef before_p = up_to("before_p", masses, v.last_p(t));
  const TensorRef goal = b.define("goal", {t}, b.value(v.portion()) * mass(t));
  show(a, "top_p_enough", power(kPortionShift) * up_to_p(t) - goal(t), 52);
  show(a, "top_p_least", goal(t) - 1 - power(kPortionShift) * before_p(t), 52);
}

// The chosen word's interval [C, C + p) holds random S / 2^28.
void show_choice(Assembly& a, const Public& v, TensorRef weight) {
  auto& b = a.b;
  const auto [t, w] = std::array{a.step, a.word};
  const TensorRef total = b.define("total", {t}, sum({w}, weight(t, w)));
  const TensorRef before = b.define("before", {t}, sum({w}, b.below(v.chosen(t), w) * weight(t, w)));
  const TensorRef own = b.define("own", {t}, sum({w}, b.one_hot(v.chosen(t), w) * weight(t, w)));
  const TensorRef drawn = b.define("drawn", {t}, b.value(v.random(t)) * total(t));
  show(a, "choice_from", drawn(t) - power(kRandomBits) * before(t), 44);
  show(a, "choice_below", power(kRandomBits) * before(t) + power(kRandomBits) * own(t) - 1 - drawn(t), 44);
}

}  // namespace

void add_selection(Assembly& a, TensorRef distance) {
  auto& b = a.b;
  const auto [t, w] = std::array{a.step, a.word};
  const Public v = add_public(a);
  tie_thresholds(a, v);
  const TensorRef scaled = add_steps(a, v, distance);

  // The weight of a distance, 0 beyond theta, for each step.
  const auto u = b.axis("distance", kDistanceSteps);
  const TensorRef weights = a.model(ModelTensor::kWeightValues, {u});
  a.in_range("weight_values", {u}, weights(u), 16);
  const TensorRef kept = b.define("kept_weights", {t, u}, weights(u) * b.below(v.above(t), u));
  const auto table = b.table("step_weights", {t, u}, {b.index(t), b.index(u), kept(t, u)});
  const TensorRef weight = b.witness("weight", {t, w}, statement::unsigned_bits(16));
  b.lookup("weigh", {t, w}, {b.index(t), scaled(t, w), weight(t, w)}, table);
  show_thresholds(a, v, u, b.multiplicity(table), weights);
  show_choice(a, v, weight);
}

}  // namespace avow::compile
