// SPDX-License-Identifier: Apache-2.0
#include "runtime/reference_testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "hash/keccak.hpp"

namespace avow::runtime::testing {
namespace {

using compile::Cells;
using compile::ModelTensor;
using Rows = std::vector<Numbers>;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}
std::int64_t power2(std::size_t exponent) { return std::int64_t{1} << exponent; }
std::int64_t rd(std::int64_t a, unsigned s) { return s == 0 ? a : floor_divide(a + power2(s - 1), power2(s)); }

void expect_in(std::int64_t a, std::int64_t least, std::int64_t beyond, const std::string& name) {
  EXPECT_TRUE(a >= least && a < beyond) << name << " is " << a;
}

class Run {
 public:
  Run(const compile::IntegerModel& model, const WitnessRequest& request)
      : m_(model), p_(model.plan), request_(request), gpt2_(p_.architecture == compile::Architecture::kGpt2) {}

  Reference run() {
    Rows x(tokens());
    for (std::size_t t = 0; t < tokens(); ++t) {
      for (std::size_t i = 0; i < p_.width; ++i) {
        put("embedded", embedded(t, i));
        x[t].push_back(power2(p_.embedding_up) * embedded(t, i));
      }
    }
    for (std::size_t l = 0; l < p_.layers; ++l) layer(l, x);
    Rows last;
    for (const std::uint32_t position : request_.positions) last.push_back(x[position]);
    const Rows y = norm("final_norm", last);
    for (std::size_t s = 0; s < y.size(); ++s) step(s, y[s]);
    return std::move(out_);
  }

 private:
  std::size_t tokens() const { return request_.ids.size(); }
  const Cells& of(ModelTensor tensor) const { return m_.of(tensor); }
  std::int64_t bias(ModelTensor tensor, std::size_t i, unsigned up) const {
    return of(tensor).size() == 0 ? 0 : power2(up) * of(tensor)[i];
  }

  void put(const std::string& name, std::int64_t value) { out_.tensors[name].push_back(value); }
  void digits(const std::string& name, std::int64_t a, unsigned bits) {
    expect_in(a, 0, power2(bits), name);
    const unsigned width = p_.digit_bits;
    for (unsigned i = 1; width * i < bits; ++i) {
      put(name + ".digit_" + std::to_string(i), floor_divide(a, power2(width * i)) % power2(width));
    }
  }
  // A rounding that is committed, and one of which only the rest is.
  std::int64_t round_rest(const std::string& name, std::int64_t sum, unsigned shift, unsigned bits) {
    const std::int64_t y = rd(sum, shift);
    expect_in(y, -power2(bits - 1), power2(bits - 1), name);
    digits(name + ".rest", sum + power2(shift) / 2 - power2(shift) * y, shift);
    return y;
  }
  std::int64_t round(const std::string& name, std::int64_t sum, unsigned shift, unsigned bits = 16) {
    put(name, round_rest(name, sum, shift, bits));
    return out_.tensors[name].back();
  }

  std::int64_t embedded(std::size_t t, std::size_t i) const {
    const std::size_t id = request_.ids[t];
    const std::int64_t word = of(ModelTensor::kEmbedding)[id * p_.width + i];
    if (!gpt2_) return word;
    return word - of(ModelTensor::kEmbeddingMean)[id] + of(ModelTensor::kPosition)[t * p_.width + i];
  }

  Rows norm(const std::string& name, const Rows& x) {
    Rows y;
    for (const Numbers& row : x) y.push_back(norm_row(name, row));
    return y;
  }
  Numbers norm_row(const std::string& name, const Numbers& x) {
    Numbers xq;
    std::int64_t n = static_cast<std::int64_t>(p_.norm_epsilon);
    for (const std::int64_t v : x) {
      xq.push_back(round_rest(name + ".in", v, p_.stream_shift, p_.stream_bits));
      put(name + ".high", floor_divide(xq.back(), power2(16)));
      put(name + ".low", xq.back() - power2(16) * floor_divide(xq.back(), power2(16)));
      n += xq.back() * xq.back();
    }
    std::int64_t digit[8];
    int last = 0;
    for (int j = 0; j < 8; ++j) {
      digit[j] = floor_divide(n, power2(8 * static_cast<std::size_t>(j))) % 256;
      if (digit[j] != 0) last = j;
      put(name + ".byte", digit[j]);
    }
    for (int j = 0; j < 8; ++j) put(name + ".found", j <= last ? 1 : 0);
    const std::int64_t a = digit[last], b = last < 1 ? 0 : digit[last - 1], c = last < 2 ? 0 : digit[last - 2];
    const auto row = static_cast<std::size_t>(256 * a + b);
    const std::int64_t root = of(ModelTensor::kRootValues)[row];
    const std::int64_t slope = of(ModelTensor::kRootSlopes)[row];
    put(name + ".root", root);
    put(name + ".slope", slope);
    std::int64_t fine = 256 * root - c * slope;
    for (int j = last; j < 7; ++j) fine *= 16;
    const std::int64_t g = round(name + ".scale", fine, 21, 33);
    digits(name + ".scale", g, 32);
    Numbers y;
    for (const std::int64_t v : xq) y.push_back(round(name + ".out", v * g, 16));
    return y;
  }

  std::int64_t dot(ModelTensor weights, std::size_t row, const Numbers& y) const {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += of(weights)[row * y.size() + i] * y[i];
    return sum;
  }

  // head, token, feature.
  std::vector<Rows> heads(const std::string& name, ModelTensor weights, ModelTensor bias_tensor, const Rows& y,
                          std::size_t l, std::size_t count, unsigned shift, unsigned up) {
    std::vector<Rows> out(count, Rows(tokens()));
    for (std::size_t h = 0; h < count; ++h) {
      for (std::size_t t = 0; t < tokens(); ++t) {
        for (std::size_t i = 0; i < p_.head_size; ++i) {
          const std::size_t row = (l * count + h) * p_.head_size + i;
          out[h][t].push_back(round(name, dot(weights, row, y[t]) + bias(bias_tensor, row, up), shift));
        }
      }
    }
    return out;
  }
  void turn(const std::string& name, std::vector<Rows>& heads) {
    if (gpt2_) return;
    for (Rows& head : heads) {
      for (std::size_t t = 0; t < tokens(); ++t) {
        Numbers turned;
        for (std::size_t pair = 0; pair < p_.head_size / 2; ++pair) {
          for (std::size_t side = 0; side < 2; ++side) {
            std::int64_t sum = 0;
            for (std::size_t other = 0; other < 2; ++other) {
              const std::size_t cell = ((t * (p_.head_size / 2) + pair) * 2 + side) * 2 + other;
              sum += of(ModelTensor::kRotation)[cell] * head[t][2 * pair + other];
            }
            turned.push_back(round(name, sum, 14));
          }
        }
        head[t] = turned;
      }
    }
  }

  // token, head and feature.
  Rows attend(const std::vector<Rows>& q, const std::vector<Rows>& k, const std::vector<Rows>& v) {
    Rows mixes(tokens());
    for (std::size_t h = 0; h < q.size(); ++h) {
      for (std::size_t t = 0; t < tokens(); ++t) {
        Numbers scores, exps;
        for (std::size_t j = 0; j < tokens(); ++j) {
          std::int64_t sum = 0;
          for (std::size_t i = 0; i < p_.head_size && j <= t; ++i) sum += q[h][t][i] * k[h / p_.group][j][i];
          if (j <= t) {
            scores.push_back(round("score", sum, p_.score_shift));
          } else {
            put("score", 0);
            digits("score.rest", 0, p_.score_shift);
          }
        }
        const std::int64_t max = *std::max_element(scores.begin(), scores.end());
        put("score_max", max);
        bool selected = false;
        std::int64_t sum = 0;
        for (std::size_t j = 0; j < tokens(); ++j) {
          const bool selects = j <= t && !selected && scores[j] == max;
          selected = selected || selects;
          put("score_selector", selects ? 1 : 0);
          exps.push_back(j > t ? 0 : of(ModelTensor::kExpValues)[static_cast<std::size_t>(max - scores[j])]);
          put("exp", exps.back());
          sum += exps.back();
        }
        const std::int64_t rec = power2(p_.mix_shift) / sum;
        put("reciprocal", rec);
        digits("reciprocal", rec, p_.mix_shift - 13);
        unsigned bits = 0;
        while (static_cast<std::int64_t>(p_.context) * power2(14) > power2(bits)) ++bits;
        const std::int64_t rest = power2(p_.mix_shift) - rec * sum;
        digits("reciprocal.low", rest, bits);
        digits("reciprocal.high", sum - 1 - rest, bits);
        for (std::size_t i = 0; i < p_.head_size; ++i) {
          std::int64_t mix = 0;
          for (std::size_t j = 0; j <= t; ++j) mix += exps[j] * v[h / p_.group][j][i];
          mixes[t].push_back(round("mix", rec * mix, p_.mix_shift));
        }
      }
    }
    return mixes;
  }

  void add(Rows& x, ModelTensor weights, const Rows& in, ModelTensor bias_tensor, unsigned bias_up, std::size_t l,
           unsigned up) {
    for (std::size_t t = 0; t < tokens(); ++t) {
      for (std::size_t i = 0; i < p_.width; ++i) {
        const std::size_t row = l * p_.width + i;
        x[t][i] += power2(up) * (dot(weights, row, in[t]) + bias(bias_tensor, row, bias_up));
      }
    }
  }

  void layer(std::size_t l, Rows& x) {
    const Rows y = norm("attention_norm", x);
    auto q = heads("query", ModelTensor::kQueryWeights, ModelTensor::kQueryBias, y, l, p_.kv_heads * p_.group,
                   p_.query_shift, p_.query_bias_up);
    auto k =
        heads("key", ModelTensor::kKeyWeights, ModelTensor::kKeyBias, y, l, p_.kv_heads, p_.key_shift, p_.key_bias_up);
    const auto v = heads("value", ModelTensor::kValueWeights, ModelTensor::kValueBias, y, l, p_.kv_heads,
                         p_.value_shift, p_.value_bias_up);
    turn("turned_query", q);
    turn("turned_key", k);
    const Rows mixes = attend(q, k, v);
    add(x, ModelTensor::kOutputWeights, mixes, ModelTensor::kOutputBias, p_.output_bias_up, l, p_.output_up);
    const Rows inner = norm("feed_forward_norm", x);
    Rows h(tokens());
    for (std::size_t t = 0; t < tokens(); ++t) {
      for (std::size_t i = 0; i < p_.hidden; ++i) h[t].push_back(hidden(l * p_.hidden + i, inner[t]));
    }
    add(x, ModelTensor::kDownWeights, h, ModelTensor::kDownBias, p_.down_bias_up, l, p_.down_up);
  }
  std::int64_t hidden(std::size_t row, const Numbers& y) {
    const std::int64_t up =
        round("up", dot(ModelTensor::kUpWeights, row, y) + bias(ModelTensor::kUpBias, row, p_.up_bias_up), p_.up_shift);
    const std::int64_t gate = gpt2_ ? up : round("gate", dot(ModelTensor::kGateWeights, row, y), p_.gate_shift);
    const std::int64_t act = of(ModelTensor::kActValues)[static_cast<std::size_t>(gate + power2(15))];
    put("act", act);
    if (gpt2_) return act;
    const std::int64_t h = round_rest("product", act * up, p_.product_shift, p_.product_bits);
    put("product.high", floor_divide(h, power2(16)));
    put("product.low", h - power2(16) * floor_divide(h, power2(16)));
    return h;
  }

  std::int64_t logit_sum(std::size_t word, const Numbers& y) const {
    std::int64_t sum = of(ModelTensor::kHeadBias).size() == 0 ? 0 : of(ModelTensor::kHeadBias)[word];
    if (!p_.tied) return sum + dot(ModelTensor::kHeadWeights, word, y);
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum += of(ModelTensor::kHeadGain)[i] * y[i] * of(ModelTensor::kEmbedding)[word * p_.width + i];
    }
    return sum;
  }

  void step(std::size_t s, const Numbers& y) {
    Numbers z;
    for (std::size_t v = 0; v < p_.vocabulary; ++v) {
      z.push_back(round("logit", logit_sum(v, y), p_.logit_shift, p_.logit_bits));
      digits("logit", z.back() + power2(p_.logit_bits - 1), p_.logit_bits);
    }
    const std::int64_t max = *std::max_element(z.begin(), z.end());
    Numbers scaled, masses;
    std::int64_t mass = 0;
    for (const std::int64_t logit : z) {
      const std::int64_t exact = rd((max - logit) * request_.sampling.tau, 12);
      scaled.push_back(std::min<std::int64_t>(exact, 4095));
      put("scaled", scaled.back());
      put("excess", exact - scaled.back());
      masses.push_back(of(ModelTensor::kWeightValues)[static_cast<std::size_t>(scaled.back())]);
      mass += masses.back();
    }
    out_.values["likeliest"].push_back(std::find(z.begin(), z.end(), max) - z.begin());
    select(s, scaled, masses, mass);
  }
  void select(std::size_t s, const Numbers& scaled, const Numbers& masses, std::int64_t mass) {
    const std::int64_t k = request_.sampling.top_k, portion = request_.sampling.portion;
    // Of the words with U <= last: how many, and their mass.
    const auto words = [&](std::int64_t last) {
      return std::count_if(scaled.begin(), scaled.end(), [&](std::int64_t u) { return u <= last; });
    };
    const auto part = [&](std::int64_t last) {
      std::int64_t sum = 0;
      for (std::size_t v = 0; v < scaled.size(); ++v) sum += scaled[v] <= last ? masses[v] : 0;
      return sum;
    };
    std::int64_t last_k = 0, last_p = 0;
    while (words(last_k) < k) ++last_k;
    while (power2(16) * part(last_p) < portion * mass) ++last_p;
    show(words(last_k) - k);
    show(k - 1 - words(last_k - 1));
    show(power2(16) * part(last_p) - portion * mass);
    show(portion * mass - 1 - power2(16) * part(last_p - 1));
    const std::int64_t theta = std::min(last_k, last_p);
    Numbers p;
    for (std::size_t v = 0; v < scaled.size(); ++v) p.push_back(scaled[v] <= theta ? masses[v] : 0);
    std::int64_t total = 0;
    for (const std::int64_t weight : p) {
      put("weight", weight);
      total += weight;
    }
    const std::int64_t u = random(s);
    std::int64_t before = 0;
    std::size_t chosen = 0;
    while (u * total >= power2(28) * (before + p[chosen])) before += p[chosen++];
    show(u * total - power2(28) * before);
    show(power2(28) * (before + p[chosen]) - 1 - u * total);
    show(0);
    show(0);
    const std::pair<const char*, std::int64_t> values[] = {{"random", u},
                                                           {"chosen", static_cast<std::int64_t>(chosen)},
                                                           {"last_k", last_k},
                                                           {"last_p", last_p},
                                                           {"above", theta + 1}};
    for (const auto& [name, value] : values) out_.values[name].push_back(value);
  }
  // Four digits in base 2^14.
  void show(std::int64_t number) {
    for (int i = 0; i < 4; ++i) {
      put("shown", number % power2(14));
      number = floor_divide(number, power2(14));
    }
  }
  std::int64_t random(std::size_t s) const {
    if (!request_.sampling.seed) return 0;
    base::Bytes message(request_.sampling.seed->begin(), request_.sampling.seed->end());
    for (const int shift : {24, 16, 8, 0}) message.push_back(static_cast<std::uint8_t>(s >> shift));
    const auto digest = hash::keccak256(message);
    return ((((digest[0] * 256 + digest[1]) * 256 + digest[2]) * 16)) + digest[3] / 16;
  }

  const compile::IntegerModel& m_;
  const compile::Plan& p_;
  const WitnessRequest& request_;
  bool gpt2_;
  Reference out_;
};

}  // namespace

Reference run_reference(const compile::IntegerModel& model, const WitnessRequest& request) {
  return Run(model, request).run();
}

}  // namespace avow::runtime::testing
