// SPDX-License-Identifier: Apache-2.0
#include "model/float_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.hpp"

namespace avow::model {

using base::Err;
using base::Result;

namespace {

// W x + b for W of as many columns as x has values; no bias adds nothing.
std::vector<double> affine(const std::vector<float>& W, const std::vector<float>& bias, const std::vector<double>& x) {
  std::vector<double> y(W.size() / x.size());
  for (std::size_t row = 0; row < y.size(); ++row) {
    double sum = bias.empty() ? 0 : static_cast<double>(bias[row]);
    const float* w = W.data() + row * x.size();
    for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(w[i]) * x[i];
    y[row] = sum;
  }
  return y;
}

void add(std::vector<double>& x, const std::vector<double>& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

void softmax(std::vector<double>& x) {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (double& value : x) {
    value = std::exp(value - largest);
    sum += value;
  }
  for (double& value : x) value /= sum;
}

Result<std::vector<std::vector<float>>, ReadError> read_parts(const Weights& weights, Part first, Part last,
                                                              std::uint64_t layer) {
  std::vector<std::vector<float>> parts(kParts);
  for (auto i = static_cast<std::size_t>(first); i <= static_cast<std::size_t>(last); ++i) {
    const Part part{static_cast<std::uint8_t>(i)};
    if (!weights.has(part)) continue;
    auto values = weights.read(part, layer);
    if (!values.ok()) return Err{values.error()};
    parts[i] = std::move(values).value();
  }
  return parts;
}

}  // namespace

Result<FloatModel, ReadError> FloatModel::load(const Weights& weights) {
  FloatModel model;
  model.config_ = weights.config();
  if (model.config_.architecture == Architecture::kLlama) model.frequencies_ = rope_frequencies(model.config_);
  auto globals = read_parts(weights, Part::kTokenEmbedding, Part::kHead, 0);
  if (!globals.ok()) return Err{globals.error()};
  model.globals_ = std::move(globals).value();
  for (std::uint64_t i = 0; i < model.config_.layers; ++i) {
    auto parts = read_parts(weights, Part::kAttentionNorm, Part::kDownBias, i);
    if (!parts.ok()) return Err{parts.error()};
    model.layers_.push_back({std::move(parts).value(), {}, {}});
  }
  return model;
}

void FloatModel::reset() noexcept {
  position_ = 0;
  for (Layer& layer : layers_) {
    layer.keys.clear();
    layer.values.clear();
  }
}

FloatModel::Vector FloatModel::norm(const Vector& x, const Matrix& gain, const Matrix& bias) const {
  const double size = static_cast<double>(x.size());
  double mean = 0, squares = 0;
  if (config_.architecture == Architecture::kGpt2) {
    for (const double value : x) mean += value / size;
  }
  for (const double value : x) squares += (value - mean) * (value - mean) / size;
  const double scale = 1 / std::sqrt(squares + config_.norm_epsilon);
  Vector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = (x[i] - mean) * scale * static_cast<double>(gain[i]);
    if (!bias.empty()) y[i] += static_cast<double>(bias[i]);
  }
  return y;
}

void FloatModel::rotate(Vector& x) const {
  const double amplitude = rope_amplitude(config_.rope);
  for (std::size_t i = 0; i < x.size() / 2; ++i) {
    const double angle = static_cast<double>(position_) * frequencies_[i % frequencies_.size()];
    const double c = std::cos(angle) * amplitude, s = std::sin(angle) * amplitude;
    const double a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = a * c - b * s;
    x[2 * i + 1] = a * s + b * c;
  }
}

FloatModel::Vector FloatModel::attention(Layer& layer, const Vector& x) const {
  Vector q = affine(of(layer, Part::kQuery), of(layer, Part::kQueryBias), x);
  Vector k = affine(of(layer, Part::kKey), of(layer, Part::kKeyBias), x);
  const Vector v = affine(of(layer, Part::kValue), of(layer, Part::kValueBias), x);
  if (config_.architecture == Architecture::kLlama) {
    rotate(q);
    rotate(k);
  }
  layer.keys.insert(layer.keys.end(), k.begin(), k.end());
  layer.values.insert(layer.values.end(), v.begin(), v.end());

  const std::size_t size = config_.head_size, share = config_.heads / config_.kv_heads;
  Vector mixed(q.size());
  Vector weights(position_ + 1);
  for (std::size_t head = 0; head < config_.heads; ++head) {
    const std::size_t source = head / share * size;
    for (std::size_t t = 0; t < weights.size(); ++t) {
      double dot = 0;
      for (std::size_t i = 0; i < size; ++i) dot += q[head * size + i] * layer.keys[t * k.size() + source + i];
      weights[t] = dot / std::sqrt(static_cast<double>(size));
    }
    softmax(weights);
    for (std::size_t t = 0; t < weights.size(); ++t) {
      for (std::size_t i = 0; i < size; ++i) {
        mixed[head * size + i] += weights[t] * layer.values[t * v.size() + source + i];
      }
    }
  }
  return affine(of(layer, Part::kAttentionOutput), of(layer, Part::kAttentionOutputBias), mixed);
}

double FloatModel::activation(double x) const {
  switch (config_.activation) {
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kGeluTanh: {
      const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
      return 0.5 * x * (1 + std::tanh(inner));
    }
    case Activation::kGeluErf:
      return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
  }
  AVOW_CHECK(false);
}

FloatModel::Vector FloatModel::feed_forward(const Layer& layer, const Vector& x) const {
  Vector hidden = affine(of(layer, Part::kUp), of(layer, Part::kUpBias), x);
  if (config_.architecture == Architecture::kLlama) {
    const Vector gate = affine(of(layer, Part::kGate), {}, x);
    for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] *= activation(gate[i]);
  } else {
    for (double& value : hidden) value = activation(value);
  }
  return affine(of(layer, Part::kDown), of(layer, Part::kDownBias), hidden);
}

std::span<const double> FloatModel::step(std::uint32_t token) {
  AVOW_CHECK(token < config_.vocabulary);
  const Matrix& embedding = global(Part::kTokenEmbedding);
  Vector x(config_.width);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(embedding[token * x.size() + i]);
  if (config_.architecture == Architecture::kGpt2) {
    AVOW_CHECK(position_ < config_.context);
    const float* learned = global(Part::kPositionEmbedding).data() + position_ * x.size();
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += static_cast<double>(learned[i]);
  }
  for (Layer& layer : layers_) {
    add(x, attention(layer, norm(x, of(layer, Part::kAttentionNorm), of(layer, Part::kAttentionNormBias))));
    add(x, feed_forward(layer, norm(x, of(layer, Part::kFeedForwardNorm), of(layer, Part::kFeedForwardNormBias))));
  }
  logits_ = affine(global(Part::kHead), {}, norm(x, global(Part::kFinalNorm), global(Part::kFinalNormBias)));
  ++position_;
  return logits_;
}

}  // namespace avow::model
