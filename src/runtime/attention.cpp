// SPDX-License-Identifier: Apache-2.0
// Queries, keys, values and attention: the first half of spec/integer_models.md section 4.
#include <algorithm>

#include "base/check.hpp"
#include "runtime/for_rows.hpp"
#include "runtime/forward.hpp"
#include "runtime/rounding.hpp"

namespace avow::runtime {

using compile::ModelTensor;

Slot Forward::queries(const Block& block) {
  project(block, ModelTensor::kQueryWeights, normed_, width_, ModelTensor::kQueryBias, model_->plan.query_bias_up);
  const Rounding rounding{Slot::kQuery, model_->plan.query_shift, 16};
  return for_rows(block.rows, [&](std::size_t row) {
    for (std::size_t head = 0; head < heads_; ++head) {
      const std::size_t begin = (row * heads_ + head) * head_size_;
      const Place at = block.place(row, head);
      const std::span sums = std::span<const std::int64_t>(sums_).subspan(begin, head_size_);
      if (!round_row(rounding, at, sums, &queries_[begin], block.recorder)) return rounding.slot;
      if (llama_ && !turn(at, Slot::kTurnedQuery, &queries_[begin], block.recorder)) return Slot::kTurnedQuery;
    }
    return Slot::kNone;
  });
}

Slot Forward::keys(const Block& block) {
  project(block, ModelTensor::kKeyWeights, normed_, width_, ModelTensor::kKeyBias, model_->plan.key_bias_up);
  const Rounding rounding{Slot::kKey, model_->plan.key_shift, 16};
  return for_rows(block.rows, [&](std::size_t row) {
    for (std::size_t head = 0; head < kv_heads_; ++head) {
      const Place at = block.place(row, head);
      std::int16_t* key = key_cells(block.layer, head) + at.place * head_size_;
      const std::size_t begin = (row * kv_heads_ + head) * head_size_;
      const std::span sums = std::span<const std::int64_t>(sums_).subspan(begin, head_size_);
      if (!round_row(rounding, at, sums, key, block.recorder)) return rounding.slot;
      if (llama_ && !turn(at, Slot::kTurnedKey, key, block.recorder)) return Slot::kTurnedKey;
    }
    return Slot::kNone;
  });
}

Slot Forward::values(const Block& block) {
  project(block, ModelTensor::kValueWeights, normed_, width_, ModelTensor::kValueBias, model_->plan.value_bias_up);
  const Rounding rounding{Slot::kValue, model_->plan.value_shift, 16};
  return for_rows(block.rows, [&](std::size_t row) {
    std::vector<std::int16_t> value(head_size_);
    for (std::size_t head = 0; head < kv_heads_; ++head) {
      const Place at = block.place(row, head);
      const std::size_t begin = (row * kv_heads_ + head) * head_size_;
      const std::span sums = std::span<const std::int64_t>(sums_).subspan(begin, head_size_);
      if (!round_row(rounding, at, sums, value.data(), block.recorder)) return rounding.slot;
      std::int16_t* column = value_cells(block.layer, head) + at.place;
      for (std::size_t i = 0; i < head_size_; ++i) column[i * places_] = value[i];
    }
    return Slot::kNone;
  });
}

bool Forward::turn(const Place& at, Slot slot, std::int16_t* pairs, Recorder* recorder) const {
  const std::int16_t* rotation = narrow(ModelTensor::kRotation) + at.place * 2 * head_size_;
  std::vector<std::int64_t> sums(head_size_);
  for (std::size_t i = 0; i < head_size_; ++i) {
    const std::int16_t* pair = pairs + (i & ~std::size_t{1});
    sums[i] = std::int64_t{rotation[2 * i]} * pair[0] + std::int64_t{rotation[2 * i + 1]} * pair[1];
  }
  return round_row({slot, compile::kRotationShift, 16}, at, sums, pairs, recorder);
}

Slot Forward::attend(const Block& block) {
  return for_rows(heads_, [&](std::size_t head) { return attend_head(block, head); });
}

Slot Forward::attend_head(const Block& block, std::size_t head) {
  const std::size_t kv_head = head / model_->plan.group, count = block.first + block.rows;
  const std::size_t stride = heads_ * head_size_;
  std::vector<std::int64_t> scores(block.rows * count);
  dots({key_cells(block.layer, kv_head), head_size_, count}, {&queries_[head * head_size_], stride, block.rows},
       head_size_, scores.data(), count);

  std::vector<std::int16_t> exps(block.rows * count);  // 0 for keys that come after the token
  std::vector<std::int64_t> reciprocals(block.rows);
  for (std::size_t row = 0; row < block.rows; ++row) {
    const std::span sums = std::span<const std::int64_t>(scores).subspan(row * count, block.first + row + 1);
    if (!softmax_row(block.place(row, head), sums, &exps[row * count], reciprocals[row], block.recorder)) {
      return Slot::kScore;
    }
  }

  std::vector<std::int64_t> sums(block.rows * head_size_);
  dots({value_cells(block.layer, kv_head), places_, head_size_}, {exps.data(), count, block.rows}, count, sums.data(),
       head_size_);
  const Rounding rounding{Slot::kMix, model_->plan.mix_shift, 16};
  for (std::size_t row = 0; row < block.rows; ++row) {
    const std::span mix = std::span(sums).subspan(row * head_size_, head_size_);
    // Exponentials are not negative and add up to D, so that a product is at most 2^mix_shift 2^15.
    for (std::int64_t& sum : mix) sum *= reciprocals[row];
    std::int16_t* out = &mixes_[row * stride + head * head_size_];
    if (!round_row(rounding, block.place(row, head), std::span<const std::int64_t>(mix), out, block.recorder)) {
      return rounding.slot;
    }
  }
  return Slot::kNone;
}

bool Forward::softmax_row(const Place& at, std::span<const std::int64_t> sums, std::int16_t* exps,
                          std::int64_t& reciprocal, Recorder* recorder) const {
  std::vector<std::int16_t> scores(sums.size());
  if (!round_row({Slot::kScore, model_->plan.score_shift, 16}, at, sums, scores.data(), recorder)) return false;
  const auto top = std::max_element(scores.begin(), scores.end());
  const std::int16_t* table = narrow(ModelTensor::kExpValues);
  std::int64_t sum = 0;  // D, at least exp_values[0] = 2^14
  for (std::size_t j = 0; j < scores.size(); ++j) {
    exps[j] = table[*top - scores[j]];
    sum += exps[j];
  }
  const std::int64_t one = std::int64_t{1} << model_->plan.mix_shift;
  reciprocal = one / sum;
  if (recorder == nullptr) return true;

  recorder->put(Slot::kScoreMax, at, *top);
  Place selected = at;
  selected.feature = static_cast<std::size_t>(top - scores.begin());
  recorder->put(Slot::kScoreSelector, selected, 1);
  recorder->put(Slot::kExp, at, std::span<const std::int16_t>(exps, scores.size()));
  recorder->put(Slot::kReciprocal, at, reciprocal);
  recorder->put_digits(Slot::kReciprocal, at, reciprocal);
  const std::int64_t rest = one - reciprocal * sum;
  recorder->put_digits(Slot::kReciprocalLow, at, rest);
  recorder->put_digits(Slot::kReciprocalHigh, at, sum - 1 - rest);
  return true;
}

}  // namespace avow::runtime
