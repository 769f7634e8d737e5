// SPDX-License-Identifier: Apache-2.0
// The selection of a token from its logits, and a block of layers.
#include <algorithm>
#include <map>

#include "base/random.hpp"
#include "statement/examples_building_testing.hpp"
#include "statement/examples_testing.hpp"

namespace avow::statement {
namespace {

constexpr std::int64_t kWeightSteps = 64;  // of the table of exponentials
constexpr std::int64_t kOverflow = 4096;   // beyond the last step, tau included
constexpr std::int64_t kTau = 16;          // the unit of tau: U = round(distance tau / 16)
constexpr std::int64_t kRandom = 256;      // random numbers are below this
constexpr std::int64_t kPortion = 256;     // the unit of p
constexpr std::int64_t kLogits = 1024;     // distances from the maximum are below this

// Decreasing, 0 at the last step.
std::int64_t exponential(std::int64_t step) { return (kWeightSteps - 1 - step) * (kWeightSteps - 1 - step) / 16; }

// A number that must not be negative, as two digits of 12 bits.
struct Shown {
  const char* name;
  Expr value;
};
void show(Builder& b, AxisRef t, const Shown& shown, TableRef u12) {
  const std::string name = shown.name;
  const auto low = b.witness(name + "_low", {t}, unsigned_bits(12));
  const auto high = b.witness(name + "_high", {t}, unsigned_bits(12));
  b.lookup(name + "_low_range", {t}, {low(t)}, u12);
  b.lookup(name + "_high_range", {t}, {high(t)}, u12);
  b.zero(name, {t}, shown.value - low(t) - kDigit * high(t));
}
void fill(Example& example, const std::string& name, std::int64_t value) {
  example.arrays[name + "_low"].push_back(value % kDigit);
  example.arrays[name + "_high"].push_back(value / kDigit);
}
constexpr const char* kShown[] = {"top_k_enough", "top_k_least", "top_p_enough",
                                  "top_p_least",  "choice_from", "choice_below"};

Statement selection_statement(std::uint64_t vocabulary) {
  Builder b;
  const auto t = b.parameter("step", 64);
  const auto v = b.axis("word", vocabulary);
  const auto u = b.axis("distance", kWeightSteps);
  const auto x = b.axis("saturation", kWeightSteps + kOverflow);
  const auto tau = b.values("tau", {}, 64);
  const auto k = b.values("k", {}, vocabulary + 1);
  const auto p = b.values("p", {}, kPortion + 1);
  // One more than the last distance that top-k and top-p leave.
  const auto above_k = b.values("above_k", {t}, kWeightSteps + 1);
  const auto above_p = b.values("above_p", {t}, kWeightSteps + 1);
  const auto above = b.values("above", {t}, kWeightSteps + 1);  // the smaller of both
  const auto least_k = b.values("last_k", {t}, kWeightSteps);
  const auto least_p = b.values("last_p", {t}, kWeightSteps);
  const auto number = b.values("random", {t}, kRandom);
  const auto chosen = b.values("chosen", {t}, vocabulary);

  const auto Z = b.input("logit", {t, v}, signed_bits(10));
  b.lookup("logit_range", {t, v}, {Z(t, v)}, b.range("s10", kLogits, -kLogits / 2));
  const auto M = b.witness("max", {t}, signed_bits(10));
  const auto s = b.witness("selector", {t, v}, unsigned_bits(1));
  const auto distance = b.define("distance_to_max", {t, v}, M(t) - Z(t, v));
  b.lookup("max_above", {t, v}, {distance(t, v)}, b.range("u10", kLogits));
  b.zero("selector_bit", {t, v}, s(t, v) * s(t, v) - s(t, v));
  b.zero("selector_one", {t}, sum({v}, s(t, v)) - 1);
  b.zero("max_attained", {t}, sum({v}, s(t, v) * (M(t) - Z(t, v))));

  const auto U = b.witness("scaled", {t, v}, unsigned_bits(6));
  const auto X = b.witness("excess", {t, v}, unsigned_bits(12));
  const auto saturated = b.table("saturated", {x},
                                 {b.piecewise(x, {{kWeightSteps, 0, 1}, {kOverflow, kWeightSteps - 1, 0}}),
                                  b.piecewise(x, {{kWeightSteps, 0, 0}, {kOverflow, 1, 1}})});
  b.lookup("saturate", {t, v}, {U(t, v), X(t, v)}, saturated);
  const auto R =
      b.define("scaled_rest", {t, v}, b.value(tau()) * distance(t, v) + kTau / 2 - kTau * U(t, v) - kTau * X(t, v));
  b.lookup("scaled_round", {t, v}, {R(t, v)}, b.range("u4", kTau));

  // The weight of a distance, 0 beyond the smaller of both thresholds, for each step.
  const auto E = b.model("exponentials", {u}, unsigned_bits(8));
  b.lookup("exponentials_range", {u}, {E(u)}, b.range("u8", 256));
  // Without these, a threshold and what is shown of it would be two things.
  b.zero("above_k_follows", {t}, b.value(above_k(t)) - b.value(least_k(t)) - 1);
  b.zero("above_p_follows", {t}, b.value(above_p(t)) - b.value(least_p(t)) - 1);
  const auto u7 = b.range("u7", 128);
  b.lookup("above_k_not_less", {t}, {b.value(above_k(t)) - b.value(above(t))}, u7);
  b.lookup("above_p_not_less", {t}, {b.value(above_p(t)) - b.value(above(t))}, u7);
  b.zero("above_is_one", {t}, (b.value(above_k(t)) - b.value(above(t))) * (b.value(above_p(t)) - b.value(above(t))));
  const auto W = b.define("weights", {t, u}, E(u) * b.below(above(t), u));
  const auto table = b.table("step_weights", {t, u}, {b.index(t), b.index(u), W(t, u)});
  const auto P = b.witness("weight", {t, v}, unsigned_bits(8));
  b.lookup("weigh", {t, v}, {b.index(t), U(t, v), P(t, v)}, table);
  const auto H = b.multiplicity(table);

  const auto u12 = b.range("u12", kDigit);
  const auto up_to_k = b.define("up_to_k", {t}, sum({u}, H(t, u) * b.below(above_k(t), u)));
  const auto before_k = b.define("before_k", {t}, sum({u}, H(t, u) * b.below(least_k(t), u)));
  show(b, t, {"top_k_enough", up_to_k(t) - b.value(k())}, u12);
  show(b, t, {"top_k_least", b.value(k()) - 1 - before_k(t)}, u12);
  const auto HE = b.define("masses", {t, u}, H(t, u) * E(u));
  const auto mass = b.define("mass", {t}, sum({u}, HE(t, u)));
  const auto up_to_p = b.define("up_to_p", {t}, sum({u}, HE(t, u) * b.below(above_p(t), u)));
  const auto before_p = b.define("before_p", {t}, sum({u}, HE(t, u) * b.below(least_p(t), u)));
  show(b, t, {"top_p_enough", kPortion * up_to_p(t) - b.value(p()) * mass(t)}, u12);
  show(b, t, {"top_p_least", b.value(p()) * mass(t) - 1 - kPortion * before_p(t)}, u12);

  const auto total = b.define("total", {t}, sum({v}, P(t, v)));
  const auto before = b.define("before", {t}, sum({v}, b.below(chosen(t), v) * P(t, v)));
  const auto own = b.define("own", {t}, sum({v}, b.one_hot(chosen(t), v) * P(t, v)));
  const auto drawn = b.define("drawn", {t}, b.value(number(t)) * total(t));
  show(b, t, {"choice_from", drawn(t) - kRandom * before(t)}, u12);
  show(b, t, {"choice_below", kRandom * before(t) + kRandom * own(t) - 1 - drawn(t)}, u12);
  return built(b);
}

// Public values of all steps.
struct Choices {
  Array above_k, above_p, above, last_k, last_p, random, chosen;
};

// One step: fills its rows of every array.
void fill_step(Example& example, Choices& choices, const Selection& s, std::span<const std::int64_t> logits,
               std::int64_t number) {
  const auto words = static_cast<std::int64_t>(logits.size());
  const auto top = std::max_element(logits.begin(), logits.end());
  example.arrays["max"].push_back(*top);
  Array scaled;
  std::vector<std::int64_t> histogram(kWeightSteps);
  for (auto it = logits.begin(); it != logits.end(); ++it) {
    example.arrays["selector"].push_back(it == top ? 1 : 0);
    const std::int64_t exact = ((*top - *it) * s.tau + kTau / 2) / kTau;
    scaled.push_back(std::min(exact, kWeightSteps - 1));
    example.arrays["scaled"].push_back(scaled.back());
    example.arrays["excess"].push_back(exact - scaled.back());
    ++histogram[static_cast<std::size_t>(scaled.back())];
  }
  const std::int64_t k = s.k == 0 ? words : s.k;
  std::int64_t mass = 0;
  for (std::int64_t u = 0; u < kWeightSteps; ++u) mass += histogram[static_cast<std::size_t>(u)] * exponential(u);
  // The least distance up to which there are k words, and p of the mass.
  const auto least = [&](std::int64_t goal, std::int64_t unit, auto&& weight, std::int64_t& up_to,
                         std::int64_t& before) {
    up_to = before = 0;
    for (std::int64_t u = 0; u < kWeightSteps; ++u) {
      before = up_to;
      up_to += histogram[static_cast<std::size_t>(u)] * weight(u);
      if (unit * up_to >= goal) return u;
    }
    return kWeightSteps - 1;
  };
  std::int64_t up_to = 0, before = 0;
  const std::int64_t last_k = least(
      k, 1, [](std::int64_t) { return std::int64_t{1}; }, up_to, before);
  fill(example, "top_k_enough", up_to - k);
  fill(example, "top_k_least", k - 1 - before);
  const std::int64_t last_p = least(s.p * mass, kPortion, exponential, up_to, before);
  fill(example, "top_p_enough", kPortion * up_to - s.p * mass);
  fill(example, "top_p_least", s.p * mass - 1 - kPortion * before);
  choices.last_k.push_back(last_k);
  choices.above_k.push_back(last_k + 1);
  choices.last_p.push_back(last_p);
  choices.above_p.push_back(last_p + 1);
  choices.above.push_back(std::min(last_k, last_p) + 1);

  Array weights;
  std::int64_t total = 0;
  for (const std::int64_t u : scaled) {
    weights.push_back(u <= std::min(last_k, last_p) ? exponential(u) : 0);
    example.arrays["weight"].push_back(weights.back());
    total += weights.back();
  }
  choices.random.push_back(number);
  std::int64_t sum = 0;
  std::int64_t word = 0;
  while (kRandom * (sum + weights[static_cast<std::size_t>(word)]) <= number * total) {
    sum += weights[static_cast<std::size_t>(word++)];
  }
  choices.chosen.push_back(word);
  fill(example, "choice_from", number * total - kRandom * sum);
  fill(example, "choice_below", kRandom * (sum + weights[static_cast<std::size_t>(word)]) - 1 - number * total);
}

}  // namespace

Example selection_example(const Selection& selection, std::uint64_t steps) {
  Selection s = selection;
  if (s.greedy) {
    // Distances as they are, the least alone, the lower of equal words.
    s.tau = kTau;
    s.k = 1;
  }
  Example example{"selection_" + s.name, selection_statement(s.vocabulary), {}, {}, {}};
  Array logits = random_array(steps * s.vocabulary, -100, 100, 30);
  // The first step has a tie at the top.
  logits[s.vocabulary - 1] = 100;
  logits[s.vocabulary / 2] = 100;
  base::SplitMix64 random(31);
  Choices c;
  for (std::uint64_t step = 0; step < steps; ++step) {
    const auto row = std::span(logits).subspan(step * s.vocabulary, s.vocabulary);
    fill_step(example, c, s, row, s.greedy ? 0 : static_cast<std::int64_t>(random() % kRandom));
  }
  const auto k = s.k == 0 ? static_cast<std::int64_t>(s.vocabulary) : s.k;
  example.instance = {{steps},
                      {{s.tau}, {k}, {s.p}, c.above_k, c.above_p, c.above, c.last_k, c.last_p, c.random, c.chosen}};
  example.arrays["logit"] = logits;
  for (std::int64_t u = 0; u < kWeightSteps; ++u) example.arrays["exponentials"].push_back(exponential(u));
  example.mutations = {{"logit", {2000, -2000}, {"logit_range"}},
                       {"max", {1, -1, 2000}, {"max_attained"}},
                       {"selector", {1, -1, 2}, {"selector_bit", "selector_one"}},
                       {"scaled", {1, -1, 100}, {"scaled_round"}},
                       {"excess", {1, -1, 100}, {"scaled_round"}},
                       {"weight", {1, -1, 100}, {"weigh"}}};
  for (const std::string name : kShown) {
    example.mutations.push_back({name + "_low", {1, -1, kDigit}, {name}});
    example.mutations.push_back({name + "_high", {1, -1, kDigit}, {name}});
  }
  return example;
}

Example block_example(std::uint64_t layers, std::uint64_t tokens, std::uint64_t width) {
  constexpr std::int64_t kBlockShift = 64;
  Builder b;
  const auto l = b.axis("layer", layers);
  const auto m = b.alias("earlier", l);
  const auto t = b.parameter("token", 16);
  const auto i = b.axis("in", width);
  const auto o = b.axis("out", width);
  const auto row = b.axis("act.row", 1024);
  const auto s10 = b.range("s10", 1024, -512);
  const auto s12 = b.range("s12", 4096, -2048);
  const auto u6 = b.range("u6", 64);
  const auto E = b.input("embedding", {t, i}, signed_bits(10));
  b.lookup("embedding_range", {t, i}, {E(t, i)}, s10);
  const auto out = b.witness("block_out", {l, t, o}, signed_bits(10));
  // The residual stream before each layer: never committed.
  const auto stream = b.define("stream", {l, t, i}, E(t, i) + sum({m}, b.less(m, l) * out(m, t, i)));
  const auto N = b.witness("norm_in", {l, t, i}, signed_bits(12));
  b.lookup("norm_in_range", {l, t, i}, {N(l, t, i)}, s12);
  const auto norm_rest = b.define("norm_rest", {l, t, i}, stream(l, t, i) + 2 - 4 * N(l, t, i));
  b.lookup("norm_round", {l, t, i}, {norm_rest(l, t, i)}, b.range("u2", 4));
  const auto project = [&](const std::string& name) {
    const auto W = b.model(name + "_weights", {l, o, i}, signed_bits(4));
    const auto Y = b.witness(name, {l, t, o}, signed_bits(10));
    const auto acc = b.define(name + "_sum", {l, t, o}, sum({i}, N(l, t, i) * W(l, o, i)));
    const auto R = b.define(name + "_rest", {l, t, o}, acc(l, t, o) + kBlockShift / 2 - kBlockShift * Y(l, t, o));
    b.lookup(name + "_round", {l, t, o}, {R(l, t, o)}, u6);
    b.lookup(name + "_range", {l, t, o}, {Y(l, t, o)}, s10);
    return Y;
  };
  const auto gate = project("gate");
  const auto up = project("up");
  const auto act = b.witness("act", {l, t, o}, signed_bits(10));
  const auto A = b.model("act_values", {row}, signed_bits(10));
  b.lookup("activation", {l, t, o}, {gate(l, t, o), act(l, t, o)},
           b.table("act_table", {row}, {b.index(row, -512), A(row)}));
  b.lookup("act_range", {l, t, o}, {act(l, t, o)}, s10);
  const auto R =
      b.define("out_rest", {l, t, o}, act(l, t, o) * up(l, t, o) + kBlockShift / 2 - kBlockShift * out(l, t, o));
  b.lookup("out_round", {l, t, o}, {R(l, t, o)}, u6);
  b.lookup("out_range", {l, t, o}, {out(l, t, o)}, s10);

  Example example{"block", built(b), {{tokens}, {}}, {}, {}};
  const std::uint64_t cells = tokens * width;
  const auto rounded = [](std::int64_t x, std::int64_t step) { return floor_div(x + step / 2, step); };
  const auto active = [](std::int64_t x) { return x > 0 ? x / 4 : x / 16; };
  Array stream_cells = random_array(cells, -500, 500, 40);
  example.arrays["embedding"] = stream_cells;
  std::map<std::string, Array> weights;
  for (const std::string name : {"gate", "up"}) {
    weights[name] = example.arrays[name + "_weights"] = random_array(layers * width * width, -7, 7, name.size());
  }
  for (std::int64_t x = -512; x < 512; ++x) example.arrays["act_values"].push_back(active(x));
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    Array norm;
    for (const std::int64_t x : stream_cells) norm.push_back(rounded(x, 4));
    for (std::uint64_t cell = 0; cell < cells; ++cell) {
      std::int64_t sums[2] = {0, 0};
      const std::string names[2] = {"gate", "up"};
      for (int side = 0; side < 2; ++side) {
        for (std::uint64_t x = 0; x < width; ++x) {
          sums[side] +=
              norm[cell / width * width + x] * weights[names[side]][(layer * width + cell % width) * width + x];
        }
        sums[side] = rounded(sums[side], kBlockShift);
        example.arrays[names[side]].push_back(sums[side]);
      }
      example.arrays["norm_in"].push_back(norm[cell]);
      example.arrays["act"].push_back(active(sums[0]));
      example.arrays["block_out"].push_back(rounded(active(sums[0]) * sums[1], kBlockShift));
    }
    for (std::uint64_t cell = 0; cell < cells; ++cell) {
      stream_cells[cell] += example.arrays["block_out"][layer * cells + cell];
    }
  }
  example.mutations = {{"embedding", {2000, -2000}, {"embedding_range"}},
                       {"block_out", {1, -1, 3000}, {"out_round"}},
                       {"norm_in", {1, -1, 9000}, {"norm_round"}},
                       {"gate", {1, -1, 3000}, {"gate_round"}},
                       {"up", {1, -1, 3000}, {"up_round"}},
                       {"act", {1, -1, 3000}, {"activation"}}};
  return example;
}

}  // namespace avow::statement
