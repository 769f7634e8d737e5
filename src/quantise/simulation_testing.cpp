// SPDX-License-Identifier: Apache-2.0
#include "quantise/simulation_testing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace avow::quantise::testing {
namespace {

using Wide = __int128;

Wide rd(Wide a, unsigned s) { return s == 0 ? a : (a + (Wide{1} << (s - 1))) >> s; }

double length_of(const std::vector<std::int64_t>& x) {
  double sum = 0;
  for (const std::int64_t value : x) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

void note(double& largest, double value) { largest = std::max(largest, std::abs(value)); }

constexpr std::int64_t kSafe = std::int64_t{1} << 62;  // for sums that have no range of their own: below p / 2

}  // namespace

Simulation::Simulation(const compile::IntegerModel& model)
    : model_(model), plan_(model.plan), keys_(plan_.layers), values_(plan_.layers) {}

void Simulation::reset() {
  position_ = 0;
  for (auto* store : {&keys_, &values_}) store->assign(plan_.layers, {});
}

std::int64_t Simulation::in(const char* name, Wide value, std::int64_t least, std::int64_t above) {
  if ((value < least || value >= above) && failure_.empty()) {
    failure_ = fmt::format("{} is {} at position {}, outside of {} to {}", name, static_cast<double>(value), position_,
                           least, above);
  }
  return static_cast<std::int64_t>(value);
}

Simulation::Integers Simulation::norm(const Integers& x) {
  const std::int64_t half = std::int64_t{1} << (plan_.stream_bits - 1);
  Integers y;
  Wide squares = plan_.norm_epsilon;
  for (const std::int64_t value : x) {
    y.push_back(in("norm input", rd(value, plan_.stream_shift), -half, half));
    squares += Wide{y.back()} * y.back();
  }
  note(sizes_.stream, length_of(x));
  const std::int64_t n = in("sum of squares", squares, 1, std::int64_t{1} << 61);
  std::array<std::size_t, 8> digits{};
  std::size_t top = 0;
  for (std::size_t j = 0; j < 8; ++j) {
    digits[j] = static_cast<std::size_t>(n >> (8 * j)) & 255;
    if (digits[j] != 0) top = j;
  }
  const std::size_t b = top >= 1 ? digits[top - 1] : 0, c = top >= 2 ? digits[top - 2] : 0;
  const std::size_t row = 256 * digits[top] + b;
  const Wide fine = 256 * Wide{cell(T::kRootValues, row)} - Wide{c} * cell(T::kRootSlopes, row);
  const std::int64_t g = in("norm scale", rd(fine << (4 * (7 - top)), compile::kScaleShift), 0, std::int64_t{1} << 32);
  for (std::int64_t& value : y) value = narrow("norm output", rd(Wide{value} * g, compile::kNormShift));
  note(sizes_.norm_output, length_of(y));
  return y;
}

Simulation::Integers Simulation::sums(T weights, std::size_t layer, std::size_t rows, const Integers& x, T bias,
                                      unsigned bias_up) {
  Integers out(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    Wide sum = 0;
    const std::size_t first = (layer * rows + r) * x.size();
    for (std::size_t i = 0; i < x.size(); ++i) sum += Wide{cell(weights, first + i)} * x[i];
    if (compile::has(plan_, bias)) sum += Wide{cell(bias, layer * rows + r)} << bias_up;
    out[r] = in("a sum", sum, -kSafe, kSafe);
  }
  return out;
}

Simulation::Integers Simulation::project(const char* name, T weights, std::size_t layer, std::size_t rows,
                                         const Integers& y, T bias, unsigned bias_up, unsigned shift, double& size) {
  Integers out = sums(weights, layer, rows, y, bias, bias_up);
  for (std::int64_t& value : out) {
    note(size, static_cast<double>(value));
    value = narrow(name, rd(value, shift));
  }
  return out;
}

Simulation::Integers Simulation::turn(const char* name, const Integers& q) {
  if (plan_.architecture == compile::Architecture::kGpt2) return q;
  const std::size_t pairs = plan_.head_size / 2;
  Integers out(q.size());
  for (std::size_t i = 0; i < q.size(); ++i) {
    const std::size_t pair = i / 2, side = i % 2;
    const std::size_t first = ((position_ * pairs + pair % pairs) * 2 + side) * 2;
    Wide sum = 0;
    for (std::size_t other = 0; other < 2; ++other)
      sum += Wide{cell(T::kRotation, first + other)} * q[2 * pair + other];
    out[i] = narrow(name, rd(sum, compile::kRotationShift));
  }
  return out;
}

Simulation::Integers Simulation::mix(std::size_t layer, std::size_t head, const Integers& query) {
  const std::size_t size = plan_.head_size, stride = plan_.kv_heads * size, source = head / plan_.group * size;
  const std::size_t count = position_ + 1;
  Integers scores(count);
  for (std::size_t j = 0; j < count; ++j) {
    Wide sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += Wide{query[head * size + i]} * keys_[layer][j * stride + source + i];
    note(sizes_.score, static_cast<double>(sum));
    scores[j] = narrow("score", rd(sum, plan_.score_shift));
  }
  const std::int64_t most = *std::max_element(scores.begin(), scores.end());
  std::int64_t total = 0;
  Integers mixed(size);
  std::vector<Wide> sum(size);
  for (std::size_t j = 0; j < count; ++j) {
    const std::int64_t distance = in("distance of scores", most - scores[j], 0, 65536);
    const std::int64_t e = cell(T::kExpValues, static_cast<std::size_t>(distance));
    total += e;
    for (std::size_t i = 0; i < size; ++i) sum[i] += Wide{e} * values_[layer][j * stride + source + i];
  }
  total = in("sum of exponentials", total, 1, static_cast<std::int64_t>(plan_.context << 15));
  const std::int64_t rec = (std::int64_t{1} << plan_.mix_shift) / total;
  for (std::size_t i = 0; i < size; ++i) {
    const std::int64_t product = in("mixture times reciprocal", rec * sum[i], -kSafe, kSafe);
    mixed[i] = narrow("mixture", rd(product, plan_.mix_shift));
  }
  return mixed;
}

Simulation::Integers Simulation::attention(std::size_t layer, const Integers& y) {
  const std::size_t heads = plan_.kv_heads * plan_.group, size = plan_.head_size;
  const Integers q = project("query", T::kQueryWeights, layer, heads * size, y, T::kQueryBias, plan_.query_bias_up,
                             plan_.query_shift, sizes_.query);
  const Integers k = project("key", T::kKeyWeights, layer, plan_.kv_heads * size, y, T::kKeyBias, plan_.key_bias_up,
                             plan_.key_shift, sizes_.key);
  const Integers v = project("value", T::kValueWeights, layer, plan_.kv_heads * size, y, T::kValueBias,
                             plan_.value_bias_up, plan_.value_shift, sizes_.value);
  const Integers turned_query = turn("turned query", q), turned_key = turn("turned key", k);
  keys_[layer].insert(keys_[layer].end(), turned_key.begin(), turned_key.end());
  values_[layer].insert(values_[layer].end(), v.begin(), v.end());
  Integers mixed;
  for (std::size_t head = 0; head < heads; ++head) {
    const Integers one = mix(layer, head, turned_query);
    mixed.insert(mixed.end(), one.begin(), one.end());
  }
  return sums(T::kOutputWeights, layer, plan_.width, mixed, T::kOutputBias, plan_.output_bias_up);
}

Simulation::Integers Simulation::feed_forward(std::size_t layer, const Integers& y) {
  const Integers up =
      project("up", T::kUpWeights, layer, plan_.hidden, y, T::kUpBias, plan_.up_bias_up, plan_.up_shift, sizes_.up);
  const auto act = [&](std::int64_t x) { return cell(T::kActValues, static_cast<std::size_t>(x + 32768)); };
  Integers h(plan_.hidden);
  if (plan_.architecture == compile::Architecture::kGpt2) {
    for (std::size_t i = 0; i < h.size(); ++i) h[i] = act(up[i]);
  } else {
    const Integers gate =
        project("gate", T::kGateWeights, layer, plan_.hidden, y, T::kUpBias, 0, plan_.gate_shift, sizes_.gate);
    const std::int64_t half = std::int64_t{1} << (plan_.product_bits - 1);
    for (std::size_t i = 0; i < h.size(); ++i) {
      const std::int64_t product = act(gate[i]) * up[i];
      note(sizes_.product, static_cast<double>(product));
      h[i] = in("product", rd(product, plan_.product_shift), -half, half);
    }
  }
  return sums(T::kDownWeights, layer, plan_.width, h, T::kDownBias, plan_.down_bias_up);
}

void Simulation::logits(const Integers& y) {
  const std::size_t width = plan_.width;
  const std::int64_t half = std::int64_t{1} << (plan_.logit_bits - 1);
  logits_.resize(plan_.vocabulary);
  for (std::size_t word = 0; word < logits_.size(); ++word) {
    Wide sum = compile::has(plan_, T::kHeadBias) ? cell(T::kHeadBias, word) : 0;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = word * width + i;
      sum += plan_.tied ? Wide{cell(T::kHeadGain, i)} * y[i] * cell(T::kEmbedding, at)
                        : Wide{cell(T::kHeadWeights, at)} * y[i];
    }
    note(sizes_.logit, static_cast<double>(in("sum of a logit", sum, -kSafe, kSafe)));
    logits_[word] = in("logit", rd(sum, plan_.logit_shift), -half, half);
  }
}

std::span<const std::int64_t> Simulation::step(std::uint32_t token) {
  AVOW_CHECK(position_ < plan_.context && token < plan_.vocabulary);
  const std::size_t width = plan_.width;
  const bool gpt2 = plan_.architecture == compile::Architecture::kGpt2;
  Integers x(width);
  for (std::size_t i = 0; i < width; ++i) {
    Wide value = cell(T::kEmbedding, token * width + i);
    if (gpt2) value += cell(T::kPosition, position_ * width + i) - cell(T::kEmbeddingMean, token);
    x[i] = in("embedding", value << plan_.embedding_up, -kSafe, kSafe);
  }
  const auto add = [&](const Integers& y, unsigned bits) {
    for (std::size_t i = 0; i < width; ++i) x[i] = in("stream", x[i] + (Wide{y[i]} << bits), -kSafe, kSafe);
  };
  for (std::size_t layer = 0; layer < plan_.layers; ++layer) {
    add(attention(layer, norm(x)), plan_.output_up);
    add(feed_forward(layer, norm(x)), plan_.down_up);
  }
  logits(norm(x));
  ++position_;
  return logits_;
}

std::uint64_t choose(const compile::IntegerModel& model, std::span<const std::int64_t> logits, std::uint64_t tau,
                     std::uint64_t k, std::uint64_t portion, std::uint64_t random, std::string& failure) {
  constexpr std::size_t kSteps = compile::kDistanceSteps;
  const std::int64_t most = *std::max_element(logits.begin(), logits.end());
  std::vector<std::size_t> distance;
  std::vector<std::uint64_t> words(kSteps), weight(kSteps);
  for (std::size_t u = 0; u < kSteps; ++u) {
    weight[u] = static_cast<std::uint64_t>(model.of(compile::ModelTensor::kWeightValues)[u]);
  }
  for (const std::int64_t z : logits) {
    const Wide exact = rd(Wide{most - z} * static_cast<Wide>(tau), compile::kTauShift);
    const auto u = static_cast<std::size_t>(std::min(exact, Wide{kSteps - 1}));
    if (exact - static_cast<Wide>(u) >= Wide{1} << model.plan.overflow_bits) failure = "a scaled distance overflows";
    distance.push_back(u);
    ++words[u];
  }
  std::uint64_t all = 0;
  for (std::size_t u = 0; u < kSteps; ++u) all += words[u] * weight[u];
  std::size_t theta = 0;
  for (std::uint64_t count = words[0], mass = words[0] * weight[0]; count < k && (mass << 16) < portion * all;) {
    ++theta;
    count += words[theta];
    mass += words[theta] * weight[theta];
  }
  std::uint64_t sum = 0;
  for (const std::size_t u : distance) sum += u <= theta ? weight[u] : 0;
  std::uint64_t before = 0;
  for (std::size_t v = 0; v < distance.size(); ++v) {
    const std::uint64_t p = distance[v] <= theta ? weight[distance[v]] : 0;
    if (random * sum < (before + p) << compile::kRandomBits) return v;
    before += p;
  }
  failure = "no word was chosen";
  return logits.size();
}

}  // namespace avow::quantise::testing
