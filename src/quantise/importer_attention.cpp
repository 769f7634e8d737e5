// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "quantise/importer.hpp"

namespace avow::quantise {

Projection Importer::query_projection() const {
  return projection(T::kQueryWeights, T::kQueryBias, plan().query_bias_up);
}
Projection Importer::key_projection() const { return projection(T::kKeyWeights, T::kKeyBias, plan().key_bias_up); }
Projection Importer::value_projection() const {
  return projection(T::kValueWeights, T::kValueBias, plan().value_bias_up);
}

std::optional<Error> Importer::attention() {
  if (auto error = queries_and_keys()) return error;
  if (auto error = values()) return error;
  return outputs();
}

std::optional<Error> Importer::queries_and_keys() {
  compile::Plan& p = plan();
  if (auto error = round_matrix(T::kQueryWeights, query_bits_)) return error;
  if (auto error = round_matrix(T::kKeyWeights, key_bits_)) return error;
  if (p.qkv_bias) {
    if (auto error = round_bias(T::kQueryBias, query_bits_ + 15, p.query_bias_up)) return error;
    if (auto error = round_bias(T::kKeyBias, key_bits_ + 15, p.key_bias_up)) return error;
  }
  const auto choose = [&](const char* name, const Projection& rows, double& bound, unsigned& shift) {
    // Pairs are turned, and must be short enough for that in any direction, and before.
    const bool pairs = p.architecture == compile::Architecture::kLlama;
    for (std::size_t i = 0; i < rows.weights.rows() / (pairs ? 2 : 1); ++i) {
      bound = std::max(bound, pairs ? rows.pair(i) : rows.row(i));
    }
    return least_shift(
        name, kLargestNarrow,
        [&](unsigned s) {
          const double once = up(std::ldexp(bound, -static_cast<int>(s)) + rounding_length(pairs ? 2 : 1));
          return pairs ? std::max(once, up(rotation_gain_ * once + 0.5)) : once;
        },
        shift);
  };
  if (auto error = choose("queries", query_projection(), import_.bounds.query, p.query_shift)) return error;
  if (auto error = choose("keys", key_projection(), import_.bounds.key, p.key_shift)) return error;
  Scales& scales = import_.scales;
  scales.query = query_bits_ + 15 - static_cast<int>(p.query_shift);
  scales.key = key_bits_ + 15 - static_cast<int>(p.key_shift);

  import_.bounds.score = score_bound();
  if (auto error = least_shift(
          "scores", kLargestNarrow,
          [&](unsigned s) { return up(std::ldexp(import_.bounds.score, -static_cast<int>(s)) + 0.5); },
          p.score_shift)) {
    return error;
  }
  scales.score = scales.query + scales.key - static_cast<int>(p.score_shift);
  if (scales.score < -40 || scales.score > 100) {
    return Error{Cause::kRange, "scores are in units that no table of exponentials has"};
  }
  cells(T::kExpValues).narrow = exp_values(scales.score);
  return std::nullopt;
}

// The largest |q'| |k'| of a head.
double Importer::score_bound() const {
  const compile::Plan& p = plan();
  const bool turned = p.architecture == compile::Architecture::kLlama;
  const Projection queries = query_projection(), keys = key_projection();
  const auto length = [&](const Projection& rows, std::size_t head, unsigned shift) {
    const double acc = rows.run(head * p.head_size, p.head_size);
    const double once = up(std::ldexp(acc, -static_cast<int>(shift)) + rounding_length(p.head_size));
    return turned ? up(rotation_gain_ * once + rounding_length(p.head_size)) : once;
  };
  double largest = 0;
  for (std::size_t kv = 0; kv < p.layers * p.kv_heads; ++kv) {
    const double key = length(keys, kv, p.key_shift);
    for (std::size_t g = 0; g < p.group; ++g) {
      largest = std::max(largest, up(key * length(queries, kv * p.group + g, p.query_shift)));
    }
  }
  return largest;
}

std::optional<Error> Importer::values() {
  compile::Plan& p = plan();
  if (auto error = round_matrix(T::kValueWeights, value_bits_)) return error;
  if (p.qkv_bias) {
    if (auto error = round_bias(T::kValueBias, value_bits_ + 15, p.value_bias_up)) return error;
  }
  double& bound = import_.bounds.value;
  const Projection rows = value_projection();
  for (std::size_t i = 0; i < rows.weights.rows(); ++i) bound = std::max(bound, rows.row(i));
  const auto after = [&](unsigned s) { return up(std::ldexp(bound, -static_cast<int>(s)) + 0.5); };
  if (auto error = least_shift("values", kLargestNarrow, after, p.value_shift)) return error;
  import_.scales.value = value_bits_ + 15 - static_cast<int>(p.value_shift);
  // The largest that check_plan allows, but no more than 32.
  p.mix_shift = 32;
  while (p.mix_shift > 20 && p.context << (p.mix_shift + 15) > std::uint64_t{1} << 62) --p.mix_shift;
  return std::nullopt;
}

std::optional<Error> Importer::outputs() {
  compile::Plan& p = plan();
  if (auto error = round_matrix(T::kOutputWeights, output_bits_)) return error;
  if (p.output_bias) {
    const int sum_bits = output_bits_ + import_.scales.value;
    if (auto error = round_bias(T::kOutputBias, sum_bits, p.output_bias_up)) return error;
  }
  const std::size_t columns = heads() * p.head_size;
  const Matrix all = matrix(T::kOutputWeights, columns);
  const Projection values = value_projection();
  for (std::size_t layer = 0; layer < p.layers; ++layer) {
    const Matrix weights = all.part(layer * p.width, p.width);
    // A head's mixture is a convex combination of values, rounded: no longer than the longest of them and a rounding.
    double squares = 0, by_head = 0;
    for (std::size_t head = 0; head < heads(); ++head) {
      const double acc = values.run((layer * p.kv_heads + head / p.group) * p.head_size, p.head_size);
      const double mix = up(std::ldexp(acc, -static_cast<int>(p.value_shift)) + 2 * rounding_length(p.head_size));
      squares += mix * mix;
      by_head += mix * spectral_norm(block(weights, head * p.head_size, p.head_size));
    }
    const double together = up(spectral_norm(whole(weights)) * up(std::sqrt(up(squares))));
    const double bias = p.output_bias ? bias_length(T::kOutputBias, layer, p.output_bias_up) : 0;
    import_.bounds.attention.push_back(up(std::min(together, up(by_head)) + bias));
  }
  return std::nullopt;
}

}  // namespace avow::quantise
