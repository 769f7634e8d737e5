// SPDX-License-Identifier: Apache-2.0
#include "compile/assembly.hpp"

namespace avow::compile {

using statement::Expr;
using statement::TensorRef;
using statement::ValuesRef;

namespace {

// The request's numbers and what each step shows. That above is the smaller of last_k and last_p, plus 1, is for
// whoever forms the instance (make_instance, and a contract likewise), of the last ones alone: to say it of public
// numbers once more would cost a proof's reader more than to make them.
struct Public {
  ValuesRef tau, k, portion;
  ValuesRef above, last_k, last_p;
  ValuesRef random, chosen;
};

Public add_public(Assembly& a) {
  auto& b = a.b;
  const Axes steps = {a.request, a.step}, requests = {a.request};
  return {b.values("tau", requests, kLargestTau + 1),
          b.values("k", requests, a.plan.vocabulary + 1),
          b.values("P", requests, (std::uint64_t{1} << kPortionShift) + 1),
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

// Numbers of a step that are not negative: their digits are one tensor, so that a range is looked up once for all.
class Shown {
 public:
  void add(Assembly& a, const std::string& name, const Expr& value) {
    numbers_.push_back(a.b.define(name, {a.request, a.step}, value));
  }
  // After the last one. Of all numbers at once: that each is what its digits say.
  void finish(Assembly& a) {
    auto& b = a.b;
    const auto [n, t] = std::array{a.request, a.step};
    const auto number = b.axis("number", kShownNumbers), other = b.alias("other_number", number);
    const auto digit = b.axis("digit", kShownDigits);
    const Axes cells = {n, t, number, digit};
    const TensorRef shown = b.witness("shown", cells, statement::unsigned_bits(kShownDigitBits));
    b.lookup("shown", cells, {shown(n, t, number, digit)}, a.range(kShownDigitBits));
    Expr difference(0);
    for (std::uint64_t i = 0; i < numbers_.size(); ++i) {
      difference = difference + b.equal(number, other, i) * numbers_[i](n, t);
    }
    for (unsigned i = 0; i < kShownDigits; ++i) {
      difference = difference - power(kShownDigitBits * i) * shown(n, t, number, statement::at(i));
    }
    b.zero("shown.numbers", {n, t, number}, difference);
  }

 private:
  std::vector<TensorRef> numbers_;
};

// Number and mass of the words up to theta and before it, H their histogram: that of the lookups in the table of
// weights.
void show_thresholds(Assembly& a, const Public& v, statement::AxisRef u, TensorRef histogram, TensorRef weights,
                     Shown& shown) {
  auto& b = a.b;
  const auto n = a.request, t = a.step;  // no bindings: clang 14 lets no lambda capture them
  struct Part {
    TensorRef before, up_to;
  };
  const auto part = [&](const std::string& name, TensorRef of, const statement::ValuesAt& last) {
    const TensorRef before = b.define("before_" + name, {n, t}, sum({u}, of(n, t, u) * b.below(last, u)));
    const TensorRef at = b.define("at_" + name, {n, t}, sum({u}, of(n, t, u) * b.one_hot(last, u)));
    return Part{before, b.define("up_to_" + name, {n, t}, before(n, t) + at(n, t))};
  };
  const auto [before_k, up_to_k] = part("k", histogram, v.last_k(n, t));
  shown.add(a, "top_k_enough", up_to_k(n, t) - b.value(v.k(n)));
  shown.add(a, "top_k_least", b.value(v.k(n)) - 1 - before_k(n, t));

  const TensorRef masses = b.define("masses", {n, t, u}, histogram(n, t, u) * weights(u));
  const TensorRef mass = b.define("mass", {n, t}, sum({u}, masses(n, t, u)));
  const auto [before_p, up_to_p] = part("p", masses, v.last_p(n, t));
  const TensorRef goal = b.define("goal", {n, t}, b.value(v.portion(n)) * mass(n, t));
  shown.add(a, "top_p_enough", power(kPortionShift) * up_to_p(n, t) - goal(n, t));
  shown.add(a, "top_p_least", goal(n, t) - 1 - power(kPortionShift) * before_p(n, t));
}

// The chosen word's interval [C, C + p) holds random S / 2^28.
void show_choice(Assembly& a, const Public& v, TensorRef weight, Shown& shown) {
  auto& b = a.b;
  const auto [n, t, w] = std::array{a.request, a.step, a.word};
  const TensorRef total = b.define("total", {n, t}, sum({w}, weight(n, t, w)));
  const TensorRef before = b.define("before", {n, t}, sum({w}, b.below(v.chosen(n, t), w) * weight(n, t, w)));
  const TensorRef own = b.define("own", {n, t}, sum({w}, b.one_hot(v.chosen(n, t), w) * weight(n, t, w)));
  const TensorRef drawn = b.define("drawn", {n, t}, b.value(v.random(n, t)) * total(n, t));
  shown.add(a, "choice_from", drawn(n, t) - power(kRandomBits) * before(n, t));
  shown.add(a, "choice_below", power(kRandomBits) * before(n, t) + power(kRandomBits) * own(n, t) - 1 - drawn(n, t));
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
  Shown shown;
  show_thresholds(a, v, u, b.multiplicity(table), weights, shown);
  show_choice(a, v, weight, shown);
  shown.finish(a);
}

}  // namespace avow::compile
