// SPDX-License-Identifier: Apache-2.0
#include "runtime/forward.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <new>

#include "base/check.hpp"
#include "runtime/for_rows.hpp"
#include "runtime/rounding.hpp"

namespace avow::runtime {
namespace {

using compile::ModelTensor;

/// Sums beyond this are refused; what is added to them later (halves of a rounding) keeps them below 2^63.
constexpr std::int64_t kLargestSum = std::int64_t{1} << 62;

/// A number of 31 bits as low + 2^16 high, both with sign.
void split(std::int64_t number, std::int16_t& low, std::int16_t& high) {
  low = static_cast<std::int16_t>(number);
  high = static_cast<std::int16_t>((number - low) >> 16);
}

/// The sum that two sums of halves stand for; false if it is too large.
bool join(std::int64_t low, std::int64_t high, std::int64_t& sum) {
  if (high <= -(kLargestSum >> 17) || high >= kLargestSum >> 17) return false;
  // Sums of 2^18 products are at most 2^48, hence this at most 2^61 + 2^48.
  sum = low + (high * (1 << 16));
  return true;
}

}  // namespace

Forward::Forward(const compile::IntegerModel& model, std::size_t places)
    : model_(&model),
      places_(places),
      width_(model.plan.width),
      kv_heads_(model.plan.kv_heads),
      heads_(model.plan.kv_heads * model.plan.group),
      head_size_(model.plan.head_size),
      hidden_(model.plan.hidden),
      llama_(model.plan.architecture == compile::Architecture::kLlama) {
  std::size_t cells = 0;
  if (__builtin_mul_overflow(model.plan.layers * kv_heads_ * head_size_, places_, &cells)) return;
  if (cells > std::size_t{1} << 48) return;
  // Nothing is read before it is written, so that memory is used place by place.
  keys_.reset(new (std::nothrow) std::int16_t[cells]);
  values_.reset(new (std::nothrow) std::int16_t[cells]);
}

void Forward::reserve(std::size_t rows) {
  if (rows <= rows_) return;
  rows_ = rows;
  const std::size_t attention = heads_ * head_size_;
  streams_.resize(rows * width_);
  sums_.resize(rows * std::max({attention, 2 * width_, hidden_}));
  normed_.resize(rows * width_);
  queries_.resize(rows * attention);
  mixes_.resize(rows * attention);
  if (llama_) gates_.resize(rows * hidden_);
  ups_.resize(rows * hidden_);
  acts_.resize(rows * hidden_ * (llama_ ? 2 : 1));
}

Slot Forward::embed(std::span<const std::uint32_t> tokens, std::size_t first, Recorder* recorder) {
  const std::int64_t unit = std::int64_t{1} << model_->plan.embedding_up;
  return for_rows(tokens.size(), [&](std::size_t row) {
    const std::int16_t* word = narrow(ModelTensor::kEmbedding) + tokens[row] * width_;
    const std::int64_t mean = llama_ ? 0 : narrow(ModelTensor::kEmbeddingMean)[tokens[row]];
    const std::int16_t* position = llama_ ? nullptr : narrow(ModelTensor::kPosition) + (first + row) * width_;
    const auto stream = std::span(streams_).subspan(row * width_, width_);
    for (std::size_t c = 0; c < width_; ++c) stream[c] = word[c] - mean + (llama_ ? 0 : position[c]);
    if (recorder != nullptr) {
      recorder->put(Slot::kEmbedded, {0, 0, first + row}, std::span<const std::int64_t>(stream));
    }
    for (std::int64_t& x : stream) x *= unit;
    return Slot::kNone;
  });
}

Fault Forward::run_layers(std::span<const std::uint32_t> tokens, std::size_t first, Recorder* recorder) {
  AVOW_CHECK(!tokens.empty() && tokens.size() <= kBlock && first + tokens.size() <= places_);
  reserve(tokens.size());
  if (const Slot fault = embed(tokens, first, recorder); fault != Slot::kNone) return {fault, 0};
  for (std::size_t layer = 0; layer < model_->plan.layers; ++layer) {
    if (const Slot fault = run_layer({tokens.size(), first, layer, recorder}); fault != Slot::kNone) {
      return {fault, layer};
    }
  }
  return {};
}

Slot Forward::run_layer(const Block& block) {
  Slot fault = norm_rows(block, Slot::kAttentionNorm, streams_);
  if (fault == Slot::kNone) fault = queries(block);
  if (fault == Slot::kNone) fault = keys(block);
  if (fault == Slot::kNone) fault = values(block);
  if (fault == Slot::kNone) fault = attend(block);
  if (fault == Slot::kNone) fault = add_output(block);
  if (fault == Slot::kNone) fault = norm_rows(block, Slot::kFeedForwardNorm, streams_);
  if (fault == Slot::kNone) fault = feed_forward(block);
  if (fault == Slot::kNone) fault = add_down(block);
  return fault;
}

Slot Forward::norm_rows(const Block& block, Slot slot, std::span<const std::int64_t> streams) {
  return for_rows(block.rows, [&](std::size_t row) {
    return norm_row(block.place(row), slot, streams.subspan(row * width_, width_), normed_.data() + row * width_,
                    block.recorder);
  });
}

Slot Forward::norm_row(const Place& at, Slot slot, std::span<const std::int64_t> stream, std::int16_t* out,
                       Recorder* recorder) const {
  const compile::Plan& plan = model_->plan;
  const auto part = [slot](NormPart p) { return part_of(slot, p); };
  std::vector<std::int64_t> xq(width_);
  const Rounding in{part(NormPart::kIn), plan.stream_shift, plan.stream_bits};
  if (!round_row(in, at, stream, xq.data(), recorder)) return in.slot;

  std::uint64_t n = plan.norm_epsilon;  // below 2^61, as check_plan says
  for (const std::int64_t x : xq) n += static_cast<std::uint64_t>(x * x);
  const unsigned last = (static_cast<unsigned>(std::bit_width(n)) - 1) / 8;  // J
  const auto byte = [n](unsigned j) { return static_cast<std::size_t>((n >> (8 * j)) & 255); };
  const std::size_t a = byte(last), b = last >= 1 ? byte(last - 1) : 0, c = last >= 2 ? byte(last - 2) : 0;
  const std::int64_t root = model_->of(ModelTensor::kRootValues).wide[256 * a + b];
  const std::int64_t slope = model_->of(ModelTensor::kRootSlopes).wide[256 * a + b];
  // Both are below 2^17, hence this below 2^54 in absolute value.
  const std::int64_t fine = (256 * root - static_cast<std::int64_t>(c) * slope) * (std::int64_t{1} << (4 * (7 - last)));
  const std::int64_t scale = rd(fine, compile::kScaleShift);
  if (scale < 0 || scale >= std::int64_t{1} << 32) return part(NormPart::kScale);

  // 30 bits with sign times 32 bits.
  std::vector<std::int64_t> products(width_);
  for (std::size_t i = 0; i < width_; ++i) products[i] = xq[i] * scale;
  const Rounding y{part(NormPart::kOut), compile::kNormShift, 16};
  if (!round_row(y, at, products, out, recorder)) return y.slot;

  if (recorder == nullptr) return Slot::kNone;
  for (unsigned j = 0; j < compile::kNormBytes; ++j) {
    const Place place{at.layer, at.head, at.place, j};
    recorder->put(part(NormPart::kByte), place, static_cast<std::int64_t>(byte(j)));
    recorder->put(part(NormPart::kFound), place, j <= last ? 1 : 0);
  }
  recorder->put(part(NormPart::kRoot), at, root);
  recorder->put(part(NormPart::kSlope), at, slope);
  recorder->put(part(NormPart::kScale), at, scale);
  recorder->put_digits(part(NormPart::kScale), at, scale);
  recorder->put_digits(part(NormPart::kScaleRest), at,
                       fine + half_of(compile::kScaleShift) - (scale << compile::kScaleShift));
  std::vector<std::int64_t> high(width_);
  for (std::size_t i = 0; i < width_; ++i) high[i] = xq[i] >> 16;
  recorder->put(part(NormPart::kHigh), at, std::span<const std::int64_t>(high));
  for (std::int64_t& x : xq) x &= 0xffff;
  recorder->put(part(NormPart::kLow), at, std::span<const std::int64_t>(xq));
  return Slot::kNone;
}

void Forward::project(const Block& block, ModelTensor weights, std::span<const std::int16_t> input, std::size_t length,
                      ModelTensor bias, unsigned bias_up) {
  const std::size_t rows = model_->of(weights).size() / (model_->plan.layers * length);
  multiply({narrow(weights) + block.layer * rows * length, length, rows}, {input.data(), length, block.rows}, length,
           sums_.data());
  if (!model_->of(bias).narrow.empty()) add_bias(block.rows, block.layer, bias, bias_up);
}

// Sums of projections are at most 2^48 and biases 2^55.
void Forward::add_bias(std::size_t rows, std::size_t layer, ModelTensor bias, unsigned up) {
  const std::size_t count = model_->of(bias).size() / model_->plan.layers;
  const std::int16_t* cells = narrow(bias) + layer * count;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < count; ++i) sums_[row * count + i] += cells[i] * (std::int64_t{1} << up);
  }
}

Slot Forward::add_output(const Block& block) {
  project(block, ModelTensor::kOutputWeights, mixes_, heads_ * head_size_, ModelTensor::kOutputBias,
          model_->plan.output_bias_up);
  return add_to_streams(block, model_->plan.output_up);
}

Slot Forward::add_to_streams(const Block& block, unsigned up) {
  return for_rows(block.rows, [&](std::size_t row) {
    for (std::size_t i = row * width_; i < (row + 1) * width_; ++i) {
      if (sums_[i] < -(kLargestSum >> up) || sums_[i] > kLargestSum >> up) return Slot::kStream;
      if (__builtin_add_overflow(streams_[i], sums_[i] * (std::int64_t{1} << up), &streams_[i])) return Slot::kStream;
      if (streams_[i] < -kLargestSum || streams_[i] > kLargestSum) return Slot::kStream;
    }
    return Slot::kNone;
  });
}

Slot Forward::feed_forward(const Block& block) {
  const compile::Plan& plan = model_->plan;
  const auto span = [&](std::size_t row) {
    return std::span<const std::int64_t>(sums_).subspan(row * hidden_, hidden_);
  };
  if (llama_) {
    project(block, ModelTensor::kGateWeights, normed_, width_, ModelTensor::kUpBias, 0);
    const Slot fault = for_rows(block.rows, [&](std::size_t row) {
      const Rounding gate{Slot::kGate, plan.gate_shift, 16};
      return round_row(gate, block.place(row), span(row), &gates_[row * hidden_], block.recorder) ? Slot::kNone
                                                                                                  : gate.slot;
    });
    if (fault != Slot::kNone) return fault;
  }
  project(block, ModelTensor::kUpWeights, normed_, width_, ModelTensor::kUpBias, plan.up_bias_up);
  return for_rows(block.rows, [&](std::size_t row) {
    const Rounding rounding{Slot::kUp, plan.up_shift, 16};
    std::int16_t* up = &ups_[row * hidden_];
    if (!round_row(rounding, block.place(row), span(row), up, block.recorder)) return rounding.slot;
    std::int16_t* act = &acts_[row * hidden_ * (llama_ ? 2 : 1)];
    const std::int16_t* in = llama_ ? &gates_[row * hidden_] : up;
    const std::int16_t* table = narrow(ModelTensor::kActValues) + (1 << 15);
    for (std::size_t i = 0; i < hidden_; ++i) act[i] = table[in[i]];
    if (block.recorder != nullptr) {
      block.recorder->put(Slot::kAct, block.place(row), std::span<const std::int16_t>(act, hidden_));
    }
    return llama_ ? product_row(block.place(row), up, act, act + hidden_, block.recorder) : Slot::kNone;
  });
}

Slot Forward::product_row(const Place& at, const std::int16_t* up, std::int16_t* act, std::int16_t* high,
                          Recorder* recorder) const {
  std::vector<std::int64_t> numbers(hidden_);
  std::vector<std::int64_t> rounded(hidden_);
  for (std::size_t i = 0; i < hidden_; ++i) numbers[i] = std::int64_t{act[i]} * up[i];
  const Rounding rounding{Slot::kProduct, model_->plan.product_shift, model_->plan.product_bits};
  if (!round_row(rounding, at, numbers, rounded.data(), recorder)) return rounding.slot;
  for (std::size_t i = 0; i < hidden_; ++i) split(rounded[i], act[i], high[i]);
  if (recorder == nullptr) return Slot::kNone;
  // The witness's low part has no sign, unlike that of `split`.
  for (std::size_t i = 0; i < hidden_; ++i) numbers[i] = rounded[i] >> 16;
  recorder->put(Slot::kProductHigh, at, std::span<const std::int64_t>(numbers));
  for (std::size_t i = 0; i < hidden_; ++i) numbers[i] = rounded[i] & 0xffff;
  recorder->put(Slot::kProductLow, at, std::span<const std::int64_t>(numbers));
  return Slot::kNone;
}

Slot Forward::add_down(const Block& block) {
  const std::size_t limbs = llama_ ? 2 : 1;
  multiply({narrow(ModelTensor::kDownWeights) + block.layer * width_ * hidden_, hidden_, width_},
           {acts_.data(), hidden_, limbs * block.rows}, hidden_, sums_.data());
  if (llama_) {
    for (std::size_t row = 0; row < block.rows; ++row) {
      for (std::size_t i = 0; i < width_; ++i) {
        const std::int64_t* pair = &sums_[2 * row * width_ + i];
        if (!join(pair[0], pair[width_], sums_[row * width_ + i])) return Slot::kStream;
      }
    }
  }
  if (!model_->of(ModelTensor::kDownBias).narrow.empty()) {
    add_bias(block.rows, block.layer, ModelTensor::kDownBias, model_->plan.down_bias_up);
  }
  return add_to_streams(block, model_->plan.down_up);
}

Fault Forward::run_head(std::span<const std::int64_t> streams, std::size_t first_step, Recorder* recorder,
                        std::span<std::int32_t> logits) {
  const compile::Plan& plan = model_->plan;
  const std::size_t steps = streams.size() / width_, words = plan.vocabulary;
  AVOW_CHECK(steps >= 1 && steps <= kBlock && logits.size() == steps * words);
  reserve(steps);
  if (const Slot fault = norm_rows({steps, first_step, 0, recorder}, Slot::kFinalNorm, streams); fault != Slot::kNone) {
    return {fault, 0};
  }
  const std::size_t limbs = plan.tied ? 2 : 1;
  std::vector<std::int16_t> inputs(limbs * steps * width_);
  for (std::size_t i = 0; i < steps * width_; ++i) {
    if (!plan.tied) {
      inputs[i] = normed_[i];
      continue;
    }
    const std::size_t row = i / width_, c = i % width_;
    std::int16_t* low = &inputs[2 * row * width_ + c];
    split(std::int64_t{narrow(ModelTensor::kHeadGain)[c]} * normed_[i], low[0], low[width_]);
  }

  const std::int16_t* weights = narrow(plan.tied ? ModelTensor::kEmbedding : ModelTensor::kHeadWeights);
  const std::span<const std::int32_t> bias = model_->of(ModelTensor::kHeadBias).wide;
  std::atomic<bool> in_range{true};
  base::parallel_for(words, 128, [&](std::size_t begin, std::size_t end) {
    const std::size_t count = end - begin;
    std::vector<std::int64_t> sums(limbs * steps * count);
    dots({weights + begin * width_, width_, count}, {inputs.data(), width_, limbs * steps}, width_, sums.data(), count);
    for (std::size_t s = 0; s < steps; ++s) {
      const std::span row = std::span(sums).subspan(limbs * s * count, count);
      bool fine = true;
      for (std::size_t v = 0; v < count; ++v) {
        if (plan.tied) fine &= join(row[v], sums[(2 * s + 1) * count + v], row[v]);
        if (!bias.empty()) row[v] += bias[begin + v];
      }
      const Rounding rounding{Slot::kLogit, plan.logit_shift, plan.logit_bits};
      const Place at{0, 0, first_step + s, begin};
      std::int32_t* out = &logits[s * words + begin];
      if (!fine || !round_row(rounding, at, row, out, recorder)) in_range = false;
      if (recorder == nullptr || !recorder->has_digits(Slot::kLogit)) continue;
      for (std::size_t v = 0; v < count; ++v) row[v] = out[v] + (std::int64_t{1} << (plan.logit_bits - 1));
      recorder->put_digits(Slot::kLogit, at, row);
    }
  });
  return in_range ? Fault{} : Fault{Slot::kLogit, 0};
}

}  // namespace avow::runtime
