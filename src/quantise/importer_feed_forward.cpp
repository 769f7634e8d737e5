// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "quantise/importer.hpp"

namespace avow::quantise {
namespace {

constexpr unsigned kLeastProductBits = 17, kMostProductBits = 26;

double half_of_range(unsigned bits) { return std::ldexp(1.0, static_cast<int>(bits) - 1) - 1; }

}  // namespace

Projection Importer::gate_projection() const { return projection(T::kGateWeights, {}, 0); }
Projection Importer::up_projection() const { return projection(T::kUpWeights, T::kUpBias, plan().up_bias_up); }

std::optional<Error> Importer::feed_forward() {
  if (auto error = gates_and_ups()) return error;
  if (auto error = products()) return error;
  return downs();
}

std::optional<Error> Importer::gates_and_ups() {
  compile::Plan& p = plan();
  const bool gated = p.architecture == compile::Architecture::kLlama;
  const auto choose = [&](const char* name, const Projection& rows, double& bound, unsigned& shift) {
    for (std::size_t i = 0; i < rows.weights.rows(); ++i) bound = std::max(bound, rows.row(i));
    const auto after = [&](unsigned s) { return up(std::ldexp(bound, -static_cast<int>(s)) + 0.5); };
    return least_shift(name, kLargestNarrow, after, shift);
  };
  if (auto error = round_matrix(T::kUpWeights, up_bits_)) return error;
  if (gated) {
    if (auto error = round_matrix(T::kGateWeights, gate_bits_)) return error;
    if (auto error = choose("gates", gate_projection(), import_.bounds.gate, p.gate_shift)) return error;
    import_.scales.gate = gate_bits_ + 15 - static_cast<int>(p.gate_shift);
  } else if (auto error = round_bias(T::kUpBias, up_bits_ + 15, p.up_bias_up)) {
    return error;
  }
  if (auto error = choose("ups", up_projection(), import_.bounds.up, p.up_shift)) return error;
  import_.scales.up = up_bits_ + 15 - static_cast<int>(p.up_shift);
  const int bits = gated ? import_.scales.gate : import_.scales.up;
  if (bits < -40 || bits > 60) return Error{Cause::kRange, "activations are in units that no table has"};
  cells(T::kActValues).narrow = act_values(weights_.config().activation, bits);
  return std::nullopt;
}

// Of |act up|, where |act| <= |gate|. For sums a and b of rows g and u, a b is a quadratic form of y, whose eigenvalues
// are (g.u +- |g| |u|) / 2.
double Importer::product_bound(std::size_t row) const {
  const Projection gates = gate_projection(), ups = up_projection();
  const auto g = gates.weights.row(row), u = ups.weights.row(row);
  std::int64_t dot = 0;
  for (std::size_t i = 0; i < g.size(); ++i) dot += std::int64_t{g[i]} * u[i];
  const int down_g = -static_cast<int>(plan().gate_shift), down_u = -static_cast<int>(plan().up_shift);
  const double form =
      up((length_of(g) * length_of(u) + static_cast<double>(std::abs(dot))) / 2 * ups.input * ups.input);
  const double gate = std::ldexp(gates.row(row), down_g), up_size = std::ldexp(ups.row(row), down_u);
  return up(std::ldexp(form, down_g + down_u) + (gate + up_size) / 2 + 0.25);
}

std::optional<Error> Importer::products() {
  compile::Plan& p = plan();
  if (p.architecture == compile::Architecture::kGpt2) {
    p.product_shift = 0;
    p.product_bits = kLeastProductBits;  // not used: h is the activation
    import_.scales.product = import_.scales.up;
    return std::nullopt;
  }
  double& bound = import_.bounds.product;
  for (std::size_t i = 0; i < p.layers * p.hidden; ++i) bound = std::max(bound, product_bound(i));
  const auto after = [&](unsigned s) { return up(std::ldexp(bound, -static_cast<int>(s)) + 0.5); };
  if (auto error = least_shift("products", half_of_range(kMostProductBits), after, p.product_shift)) return error;
  p.product_bits = kLeastProductBits;
  while (after(p.product_shift) > half_of_range(p.product_bits)) ++p.product_bits;
  import_.scales.product = import_.scales.gate + import_.scales.up - static_cast<int>(p.product_shift);
  return std::nullopt;
}

std::optional<Error> Importer::downs() {
  compile::Plan& p = plan();
  if (auto error = round_matrix(T::kDownWeights, down_bits_)) return error;
  if (compile::has(p, T::kDownBias)) {
    const int sum_bits = down_bits_ + import_.scales.product;
    if (auto error = round_bias(T::kDownBias, sum_bits, p.down_bias_up)) return error;
  }
  for (std::size_t layer = 0; layer < p.layers; ++layer) {
    import_.bounds.feed_forward.push_back(feed_forward_length(layer));
  }
  return std::nullopt;
}

double Importer::feed_forward_length(std::size_t layer) const {
  const compile::Plan& p = plan();
  const RealMatrix down = whole(matrix(T::kDownWeights, p.hidden).part(layer * p.width, p.width));
  if (p.architecture == compile::Architecture::kLlama) return gated_length(layer, down);
  const double acc = up_projection().run(layer * p.hidden, p.hidden);
  const double ups = up(std::ldexp(acc, -static_cast<int>(p.up_shift)) + rounding_length(p.hidden));
  return up(spectral_norm(down) * ups + bias_length(T::kDownBias, layer, p.down_bias_up));
}

// The least of three bounds on |D h| with h = act up, |act| <= |gate|, up to the rounding of h:
//   |D diag(largest gates)| |up|,  |D diag(largest ups)| |gate|,  and the sum of the columns' lengths times the
//   products.
double Importer::gated_length(std::size_t layer, const RealMatrix& down) const {
  const compile::Plan& p = plan();
  const Projection gates = gate_projection(), ups = up_projection();
  const std::size_t first = layer * p.hidden;
  const int down_g = -static_cast<int>(p.gate_shift), down_u = -static_cast<int>(p.up_shift);
  RealMatrix by_gates = down, by_ups = down;
  std::vector<double> squares(p.hidden);
  for (std::size_t i = 0; i < down.cells.size(); ++i) squares[i % p.hidden] += down.cells[i] * down.cells[i];
  double columns = 0;
  for (std::size_t h = 0; h < p.hidden; ++h) {
    const double gate = up(std::ldexp(gates.row(first + h), down_g) + 0.5);
    const double up_size = up(std::ldexp(ups.row(first + h), down_u) + 0.5);
    for (std::size_t r = 0; r < p.width; ++r) {
      by_gates.cells[r * p.hidden + h] *= gate;
      by_ups.cells[r * p.hidden + h] *= up_size;
    }
    columns += up(std::sqrt(up(squares[h]))) * product_bound(first + h);
  }
  const double roundings = rounding_length(p.hidden);
  const double gate_length = up(std::ldexp(gates.run(first, p.hidden), down_g) + roundings);
  const double up_length = up(std::ldexp(ups.run(first, p.hidden), down_u) + roundings);
  // The factors that make by_gates and by_ups are rounded; `up` covers that, too.
  const double least =
      std::min({up(up(spectral_norm(by_gates)) * up_length), up(up(spectral_norm(by_ups)) * gate_length), up(columns)});
  return up(std::ldexp(least, -static_cast<int>(p.product_shift)) + spectral_norm(down) * roundings);
}

}  // namespace avow::quantise
