// SPDX-License-Identifier: Apache-2.0
#include "quantise/fold.hpp"

#include <cmath>

#include "base/check.hpp"

namespace avow::quantise {

using compile::ModelTensor;
using model::Part;

namespace {

void subtract_mean(std::span<double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
}

// The mean of each column.
void centre_columns(std::span<double> matrix, std::size_t columns) {
  const std::size_t rows = matrix.size() / columns;
  std::vector<double> means(columns);
  for (std::size_t i = 0; i < matrix.size(); ++i) means[i % columns] += matrix[i];
  for (double& mean : means) mean /= static_cast<double>(rows);
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] -= means[i % columns];
}

bool is_bias(ModelTensor tensor) {
  switch (tensor) {
    case ModelTensor::kQueryBias:
    case ModelTensor::kKeyBias:
    case ModelTensor::kValueBias:
    case ModelTensor::kOutputBias:
    case ModelTensor::kUpBias:
    case ModelTensor::kDownBias:
    case ModelTensor::kHeadBias:
      return true;
    default:
      return false;
  }
}

}  // namespace

// Square roots and quotients of doubles are exactly rounded, hence equal on every machine.
double Folder::norm_factor() const { return std::sqrt(static_cast<double>(plan_.width)) / (1 - 0x1p-10); }

Folder::Rule Folder::rule_of(ModelTensor tensor) const {
  const bool gpt2 = plan_.architecture == compile::Architecture::kGpt2;
  const auto attention = [](Part matrix, Part bias, double factor) {
    return Rule{matrix, bias, Part::kAttentionNorm, Part::kAttentionNormBias, factor};
  };
  const auto feed_forward = [](Part matrix, std::optional<Part> bias) {
    return Rule{matrix, bias, Part::kFeedForwardNorm, Part::kFeedForwardNormBias};
  };
  switch (tensor) {
    case ModelTensor::kQueryWeights:
    case ModelTensor::kQueryBias:
      return attention(Part::kQuery, Part::kQueryBias, 1 / std::sqrt(static_cast<double>(plan_.head_size)));
    case ModelTensor::kKeyWeights:
    case ModelTensor::kKeyBias:
      return attention(Part::kKey, Part::kKeyBias, 1);
    case ModelTensor::kValueWeights:
    case ModelTensor::kValueBias:
      return attention(Part::kValue, Part::kValueBias, 1);
    case ModelTensor::kOutputWeights:
    case ModelTensor::kOutputBias:
      return {Part::kAttentionOutput, Part::kAttentionOutputBias, {}, {}, 1, gpt2};
    case ModelTensor::kGateWeights:
      return feed_forward(Part::kGate, {});
    case ModelTensor::kUpWeights:
    case ModelTensor::kUpBias:
      return feed_forward(Part::kUp, Part::kUpBias);
    case ModelTensor::kDownWeights:
    case ModelTensor::kDownBias:
      return {Part::kDown, Part::kDownBias, {}, {}, 1, gpt2};
    case ModelTensor::kHeadWeights:
    case ModelTensor::kHeadBias:
      return {Part::kHead, {}, Part::kFinalNorm, Part::kFinalNormBias};
    default:
      AVOW_CHECK(tensor == ModelTensor::kEmbedding);
      return {Part::kTokenEmbedding, {}, {}, {}};
  }
}

std::optional<Error> Folder::read(Part part, std::uint64_t layer, std::uint64_t row, std::vector<float>& out) const {
  out.clear();
  if (!weights_.has(part)) return std::nullopt;
  out.resize(weights_.shape(part).columns);
  if (const auto error = weights_.read_row(part, layer, row, out)) return Error{Cause::kWeights, to_text(*error)};
  return std::nullopt;
}

std::optional<Error> Folder::visit_matrix(const Rule& rule, const Sink& sink) const {
  const auto [rows, columns] = weights_.shape(rule.matrix);
  std::vector<float> gain, row;
  std::vector<double> folded(columns), whole;
  for (std::uint64_t layer = 0; layer < weights_.count(rule.matrix); ++layer) {
    if (rule.gain) {
      if (auto error = read(*rule.gain, layer, 0, gain)) return error;
    }
    whole.clear();
    for (std::uint64_t r = 0; r < rows; ++r) {
      if (auto error = read(rule.matrix, layer, r, row)) return error;
      for (std::size_t i = 0; i < columns; ++i) {
        folded[i] = static_cast<double>(row[i]);
        if (rule.gain) folded[i] *= static_cast<double>(gain[i]) * (norm_factor() * rule.factor);
      }
      if (rule.centred) {
        whole.insert(whole.end(), folded.begin(), folded.end());
      } else {
        sink(folded);
      }
    }
    if (rule.centred) {
      centre_columns(whole, columns);
      sink(whole);
    }
  }
  return std::nullopt;
}

std::optional<Error> Folder::visit_bias(const Rule& rule, const Sink& sink) const {
  const std::uint64_t rows = weights_.shape(rule.matrix).rows;
  std::vector<float> bias, shift, row;
  std::vector<double> folded(rows);
  for (std::uint64_t layer = 0; layer < weights_.count(rule.matrix); ++layer) {
    folded.assign(rows, 0);
    if (rule.bias) {
      if (auto error = read(*rule.bias, layer, 0, bias)) return error;
      for (std::size_t r = 0; r < bias.size(); ++r) folded[r] = static_cast<double>(bias[r]);
    }
    if (rule.gain_bias) {
      if (auto error = read(*rule.gain_bias, layer, 0, shift)) return error;
    }
    for (std::uint64_t r = 0; r < rows && !shift.empty(); ++r) {
      if (auto error = read(rule.matrix, layer, r, row)) return error;
      double sum = 0;
      for (std::size_t i = 0; i < row.size(); ++i) sum += static_cast<double>(row[i]) * static_cast<double>(shift[i]);
      folded[r] += sum;
    }
    for (double& value : folded) value *= rule.factor;
    if (rule.centred) subtract_mean(folded);
    sink(folded);
  }
  return std::nullopt;
}

std::optional<Error> Folder::visit_positions(const Sink& sink) const {
  std::vector<float> row;
  for (std::uint64_t position = 0; position < plan_.context; ++position) {
    if (auto error = read(Part::kPositionEmbedding, 0, position, row)) return error;
    std::vector<double> centred(row.begin(), row.end());
    subtract_mean(centred);
    sink(centred);
  }
  return std::nullopt;
}

std::optional<Error> Folder::visit(ModelTensor tensor, const Sink& sink) const {
  if (tensor == ModelTensor::kPosition) return visit_positions(sink);
  if (tensor == ModelTensor::kHeadGain) {
    std::vector<float> gain;
    if (auto error = read(Part::kFinalNorm, 0, 0, gain)) return error;
    std::vector<double> folded(gain.begin(), gain.end());
    for (double& value : folded) value *= norm_factor();
    sink(folded);
    return std::nullopt;
  }
  const Rule rule = rule_of(tensor);
  return is_bias(tensor) ? visit_bias(rule, sink) : visit_matrix(rule, sink);
}

}  // namespace avow::quantise
