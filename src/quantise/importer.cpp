// SPDX-License-Identifier: Apache-2.0
#include "quantise/importer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compile/usual.hpp"
#include "quantise/frequencies.hpp"
#include "quantise/sizes.hpp"

namespace avow::quantise {

namespace {

constexpr int kOutputBits = 15;      // of a norm's output y
constexpr int kMostWeightBits = 30;  // keeps sums of tiny weights within shifts of 40
constexpr int kLogitBits = 8;        // logits are in units of 1/256 nat
constexpr unsigned kMostShift = 40;
// With more, distances at the coldest temperature could exceed the 22 bits that check_plan has for them.
constexpr unsigned kMostLogitBits = 20;

// Every |y_i| stays within s16 if sqrt(n) g 2^-kNormShift stays within this.
constexpr double kLargestNormOutput = kLargestNarrow - 0.5;

}  // namespace

double rounding_length(std::uint64_t count) { return up(std::sqrt(static_cast<double>(count)) / 2); }

double Projection::row(std::size_t i) const {
  const double bound = length_of(weights.row(i)) * input;
  return up(bias.empty() ? bound : bound + std::abs(bias[i]) * bias_unit);
}

double Projection::pair(std::size_t i) const {
  const double bound = pair_norm(weights.row(2 * i), weights.row(2 * i + 1)) * input;
  return up(bias.empty() ? bound : bound + length_of(bias.subspan(2 * i, 2)) * bias_unit);
}

double Projection::run(std::size_t first, std::size_t count) const {
  const double bound = spectral_norm(whole(weights.part(first, count))) * input;
  return up(bias.empty() ? bound : bound + length_of(bias.subspan(first, count)) * bias_unit);
}

Projection Importer::projection(T weights, std::optional<T> bias, unsigned bias_up) const {
  Projection rows{
      matrix(weights, plan().width), {}, std::ldexp(1.0, static_cast<int>(bias_up)), import_.bounds.norm_output};
  if (bias) rows.bias = import_.model.of(*bias).narrow;
  return rows;
}

double Importer::bias_length(T tensor, std::size_t layer, unsigned bias_up) const {
  const auto row = matrix(tensor, plan().width).row(layer);
  return std::ldexp(length_of(row), static_cast<int>(bias_up));
}

std::optional<Error> Importer::round_matrix(T tensor, int& bits) {
  const auto largest = largest_of(folder_, tensor);
  if (!largest.ok()) return largest.error();
  // Zeros have any scale; a coarse one is in nobody's way.
  bits = largest.value() == 0 ? 0 : bits_for(largest.value(), kLargestNarrow, kMostWeightBits);
  auto rounded = round_tensor(folder_, tensor, bits);
  if (!rounded.ok()) return rounded.error();
  cells(tensor) = std::move(rounded).value();
  return std::nullopt;
}

std::optional<Error> Importer::round_bias(T tensor, int sum_bits, unsigned& bias_up) {
  const auto largest = largest_of(folder_, tensor);
  if (!largest.ok()) return largest.error();
  const int bits = bits_for(largest.value(), kLargestNarrow, sum_bits);
  if (sum_bits - bits > static_cast<int>(kMostShift)) {
    return Error{Cause::kRange, fmt::format("{} is too large for its matrix", compile::name_of(tensor))};
  }
  bias_up = static_cast<unsigned>(sum_bits - bits);
  auto rounded = round_tensor(folder_, tensor, bits);
  if (!rounded.ok()) return rounded.error();
  cells(tensor) = std::move(rounded).value();
  return std::nullopt;
}

std::optional<Error> Importer::least_shift(const char* name, double limit, const std::function<double(unsigned)>& after,
                                           unsigned& shift) {
  for (shift = 0; shift <= kMostShift; ++shift) {
    if (after(shift) <= limit) return std::nullopt;
  }
  return Error{Cause::kBound, fmt::format("{} can become too large for any shift", name)};
}

// Positions have the embedding's scale.
std::optional<Error> Importer::embed() {
  const bool positions = compile::has(plan(), T::kPosition);
  int& bits = import_.scales.embedding;
  if (auto error = round_matrix(T::kEmbedding, bits)) return error;
  if (!positions) return std::nullopt;
  const auto largest = largest_of(folder_, T::kPosition);
  if (!largest.ok()) return largest.error();
  bits = bits_for(largest.value(), kLargestNarrow, bits);
  for (const T tensor : {T::kEmbedding, T::kPosition}) {
    auto rounded = round_tensor(folder_, tensor, bits);
    if (!rounded.ok()) return rounded.error();
    cells(tensor) = std::move(rounded).value();
  }
  cells(T::kEmbeddingMean).narrow = row_means(matrix(T::kEmbedding, plan().width));
  return std::nullopt;
}

std::optional<Error> Importer::rotate() {
  const model::ModelConfig& config = weights_.config();
  const auto frequencies = frequencies_of(config);
  const fixed::Number most = fixed::of_scaled(1 << 16, 0);
  const bool small = std::all_of(frequencies.begin(), frequencies.end(), [&](const auto& f) { return f < most; });
  if (!small) return Error{Cause::kRange, "a rotation's frequency is 2^16 or more"};
  // Cells are below 2^15 in units of 2^-14.
  const fixed::Number amplitude = amplitude_of(config.rope);
  if (amplitude <= 0 || amplitude > fixed::of_double(1.9999)) {
    return Error{Cause::kRange,
                 fmt::format("rotations of amplitude {}, not between 0 and 2", model::rope_amplitude(config.rope))};
  }
  const auto& turns = cells(T::kRotation).narrow = rotation(frequencies, amplitude, plan().context);
  std::int64_t squares = 0;
  for (std::size_t i = 0; i < turns.size(); i += 4) {
    squares = std::max(squares, std::int64_t{turns[i]} * turns[i] + std::int64_t{turns[i + 2]} * turns[i + 2]);
  }
  rotation_gain_ = up(std::ldexp(std::sqrt(static_cast<double>(squares)), -static_cast<int>(compile::kRotationShift)));
  return std::nullopt;
}

std::uint64_t Importer::epsilon_at(unsigned shift) const {
  const double real = static_cast<double>(plan().width) * weights_.config().norm_epsilon;
  const double scaled = std::round(std::ldexp(real, 2 * (import_.scales.stream - static_cast<int>(shift))));
  return static_cast<std::uint64_t>(std::clamp(scaled, 1.0, 0x1p60));
}

std::optional<Error> Importer::stream() {
  compile::Plan& p = plan();
  Scales& scales = import_.scales;
  Bounds& bounds = import_.bounds;
  const int output = scales.value + output_bits_, down = scales.product + down_bits_;
  scales.stream = std::max({scales.embedding, output, down});
  const std::array ups = {scales.stream - scales.embedding, scales.stream - output, scales.stream - down};
  if (*std::max_element(ups.begin(), ups.end()) > static_cast<int>(kMostShift)) {
    return Error{Cause::kRange, "embeddings, attention and feed-forward differ by more than 2^40 in size"};
  }
  p.embedding_up = static_cast<unsigned>(ups[0]);
  p.output_up = static_cast<unsigned>(ups[1]);
  p.down_up = static_cast<unsigned>(ups[2]);

  const auto longest = [&](T tensor, T mean) {
    const Matrix rows = matrix(tensor, p.width);
    const auto& means = import_.model.of(mean).narrow;
    double largest = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      std::int64_t squares = 0;  // below 2^32 2^16
      for (const std::int16_t cell : rows.row(i)) {
        const std::int64_t value = std::int64_t{cell} - (tensor == T::kEmbedding && !means.empty() ? means[i] : 0);
        squares += value * value;
      }
      largest = std::max(largest, up(std::sqrt(static_cast<double>(squares))));
    }
    return std::ldexp(largest, ups[0]);
  };
  bounds.embedding = longest(T::kEmbedding, T::kEmbeddingMean);
  if (compile::has(p, T::kPosition)) bounds.embedding += longest(T::kPosition, T::kEmbeddingMean);
  bounds.stream = bounds.embedding;
  for (std::size_t layer = 0; layer < p.layers; ++layer) {
    bounds.attention[layer] = std::ldexp(bounds.attention[layer], ups[1]);
    bounds.feed_forward[layer] = std::ldexp(bounds.feed_forward[layer], ups[2]);
    bounds.stream += bounds.attention[layer] + bounds.feed_forward[layer];
  }
  bounds.stream = up(bounds.stream);

  static const NormBound kNormBound(root_tables());
  const auto after = [&](unsigned s) {
    const double length = up(std::ldexp(bounds.stream, -static_cast<int>(s)) + rounding_length(p.width));
    return kNormBound(up(std::sqrt(up(length * length + static_cast<double>(epsilon_at(s))))));
  };
  if (auto error = least_shift("norms", kLargestNormOutput, after, p.stream_shift)) return error;
  p.norm_epsilon = epsilon_at(p.stream_shift);
  scales.norm_input = scales.stream - static_cast<int>(p.stream_shift);
  const double entry = up(std::ldexp(bounds.stream, -static_cast<int>(p.stream_shift)) + 0.5);
  for (p.stream_bits = 17; entry > std::ldexp(1.0, static_cast<int>(p.stream_bits) - 1) - 1;) ++p.stream_bits;
  return std::nullopt;
}

// The scale of the head: as fine as 16 bits allow, a logit_shift of at most 40, and biases in 32 bits. A tied head
// whose scale biases would make coarser becomes a matrix of its own, in which one number has the scale, not two.
std::optional<Error> Importer::head_scale(int& bits) {
  compile::Plan& p = plan();
  double bias = 0;
  if (compile::has(p, T::kHeadBias)) {
    const auto largest = largest_of(folder_, T::kHeadBias);
    if (!largest.ok()) return largest.error();
    bias = largest.value();
  }
  for (;;) {
    const auto largest = largest_of(folder_, p.tied ? T::kHeadGain : T::kHeadWeights);
    if (!largest.ok()) return largest.error();
    const int others = kOutputBits + (p.tied ? import_.scales.embedding : 0);
    const int most = kLogitBits + static_cast<int>(kMostShift) - others;
    const int finest = bits_for(largest.value(), kLargestNarrow, most);
    bits = bits_for(bias, 0x1p31 - 1, finest + others) - others;
    if (bits == finest || !p.tied) break;
    p.tied = false;
  }
  const int shift = bits + kOutputBits + (p.tied ? import_.scales.embedding : 0) - kLogitBits;
  if (shift < 0) return Error{Cause::kRange, "the head is too large for logits in units of 1/256"};
  p.logit_shift = static_cast<unsigned>(shift);
  return std::nullopt;
}

std::optional<Error> Importer::head() {
  const compile::Plan& p = plan();
  int bits = 0;
  if (auto error = head_scale(bits)) return error;
  const auto fill = [&](T tensor, int tensor_bits) -> Maybe {
    if (!compile::has(p, tensor)) return std::nullopt;
    auto rounded = round_tensor(folder_, tensor, tensor_bits);
    if (!rounded.ok()) return rounded.error();
    cells(tensor) = std::move(rounded).value();
    return std::nullopt;
  };
  if (auto error = fill(T::kHeadWeights, bits)) return error;
  if (auto error = fill(T::kHeadGain, bits)) return error;
  if (auto error = fill(T::kHeadBias, static_cast<int>(p.logit_shift) + kLogitBits)) return error;
  return logits();
}

std::optional<Error> Importer::logits() {
  compile::Plan& p = plan();
  const Matrix rows = matrix(p.tied ? T::kEmbedding : T::kHeadWeights, p.width);
  const auto& gains = cells(T::kHeadGain).narrow;
  const auto& biases = cells(T::kHeadBias);
  double& bound = import_.bounds.logit;
  for (std::size_t word = 0; word < p.vocabulary; ++word) {
    double squares = 0;
    for (std::size_t i = 0; i < p.width; ++i) {
      const double cell = static_cast<double>(rows.row(word)[i]) * (p.tied ? gains[i] : 1);
      squares += cell * cell;
    }
    const double bias = biases.size() == 0 ? 0 : std::abs(static_cast<double>(biases[word]));
    bound = std::max(bound, up(up(std::sqrt(up(squares))) * import_.bounds.norm_output + bias));
  }
  const double largest = up(std::ldexp(bound, -static_cast<int>(p.logit_shift)) + 0.5);
  p.logit_bits = 2;
  while (p.logit_bits <= kMostLogitBits && largest > std::ldexp(1.0, static_cast<int>(p.logit_bits) - 1) - 1)
    ++p.logit_bits;
  if (p.logit_bits > kMostLogitBits) {
    return Error{Cause::kBound,
                 fmt::format("logits can reach {:.0f} nats: more than {} bits", largest / 256, kMostLogitBits)};
  }
  // What a distance, 4 times as far at the coldest temperature, can exceed the last step by.
  const std::int64_t excess = ((std::int64_t{1} << p.logit_bits) - 1) * (compile::kLargestTau >> compile::kTauShift) -
                              (compile::kDistanceSteps - 1);
  for (p.overflow_bits = 1; excess >= std::int64_t{1} << p.overflow_bits;) ++p.overflow_bits;
  return std::nullopt;
}

void Importer::fixed_tables() {
  RootTables roots = root_tables();
  cells(T::kRootValues).wide = std::move(roots.values);
  cells(T::kRootSlopes).wide = std::move(roots.slopes);
  cells(T::kFoundValues).narrow = found_values();
  cells(T::kWeightValues).wide = weight_values();
}

std::optional<Error> Importer::run(const Options& options) {
  auto sizes = sizes_of(weights_.config(), options);
  if (!sizes.ok()) return sizes.error();
  plan() = sizes.value();
  import_.bounds.norm_output = up(kLargestNormOutput + rounding_length(plan().width));
  fixed_tables();
  if (auto error = embed()) return error;
  if (compile::has(plan(), T::kRotation)) {
    if (auto error = rotate()) return error;
  }
  if (auto error = attention()) return error;
  if (auto error = feed_forward()) return error;
  if (auto error = stream()) return error;
  if (auto error = head()) return error;
  if (const auto problem = compile::check_plan(plan())) return Error{Cause::kBound, *problem};
  plan().digit_bits = compile::choose_digit_bits(plan());
  return std::nullopt;
}

base::Result<Import, Error> import_model(const model::Weights& weights, const Options& options) {
  Importer importer(weights);
  if (auto error = importer.run(options)) return base::Err{std::move(*error)};
  return importer.take();
}

base::Result<compile::IntegerModel, Error> quantise(const model::Weights& weights, const Options& options) {
  auto imported = import_model(weights, options);
  if (!imported.ok()) return base::Err{imported.error()};
  return std::move(imported).value().model;
}

}  // namespace avow::quantise
