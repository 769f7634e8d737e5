// SPDX-License-Identifier: Apache-2.0
#include "runtime/slots.hpp"

#include <bit>
#include <string_view>
#include <utility>

namespace avow::runtime {
namespace {

using compile::Plan;

constexpr std::size_t index_of(Slot slot) { return static_cast<std::size_t>(slot); }

constexpr std::string_view kNorms[] = {"attention_norm", "feed_forward_norm", "final_norm"};
constexpr std::string_view kParts[kNormParts] = {"in",   "in.rest", "low",   "high",       "byte", "found",
                                                 "root", "slope",   "scale", "scale.rest", "out"};
constexpr std::string_view kOthers[] = {"query",
                                        "query.rest",
                                        "key",
                                        "key.rest",
                                        "value",
                                        "value.rest",
                                        "turned_query",
                                        "",
                                        "turned_key",
                                        "",
                                        "score",
                                        "score.rest",
                                        "score_max",
                                        "score_selector",
                                        "exp",
                                        "reciprocal",
                                        "reciprocal.low",
                                        "reciprocal.high",
                                        "mix",
                                        "mix.rest",
                                        "gate",
                                        "gate.rest",
                                        "up",
                                        "up.rest",
                                        "act",
                                        "product",
                                        "product.rest",
                                        "product.low",
                                        "product.high",
                                        "logit",
                                        "logit.rest",
                                        "scaled",
                                        "excess",
                                        "weight",
                                        "shown",
                                        "embedded"};
static_assert(std::size(kOthers) == kSlots - index_of(Slot::kQuery));

class Specs {
 public:
  Specs(const Plan& plan, std::size_t tokens, std::size_t steps) : plan_(plan), tokens_(tokens), steps_(steps) {}

  std::array<SlotSpec, kSlots> make() {
    const bool narrow = plan_.architecture == compile::Architecture::kLlama;
    put(Slot::kEmbedded, make_spec({}, {}, tokens_, {plan_.width}), narrow ? CellType::kS16 : CellType::kS32);
    norm(Slot::kAttentionNorm, true);
    norm(Slot::kFeedForwardNorm, true);
    norm(Slot::kFinalNorm, false);
    projections();
    attention();
    feed_forward();
    logits();
    return std::move(specs_);
  }

 private:
  using List = std::vector<std::uint64_t>;

  static SlotSpec make_spec(const List& layers, const List& heads, std::size_t places, const List& features) {
    SlotSpec spec{{}, 1, 1, places, 1};
    const auto add = [&](const List& axes, std::size_t& product) {
      for (const std::uint64_t axis : axes) {
        spec.shape.push_back(axis);
        product *= axis;
      }
    };
    add(layers, spec.layers);
    add(heads, spec.heads);
    spec.shape.push_back(places);
    add(features, spec.features);
    return spec;
  }
  SlotSpec at_tokens(const List& features) const { return make_spec({plan_.layers}, {}, tokens_, features); }
  SlotSpec at_steps(const List& features) const { return make_spec({}, {}, steps_, features); }
  SlotSpec at_keys(const List& features) const {
    return make_spec({plan_.layers}, {plan_.kv_heads}, tokens_, features);
  }
  SlotSpec at_queries(const List& features) const {
    return make_spec({plan_.layers}, {plan_.kv_heads, plan_.group}, tokens_, features);
  }

  void put(Slot slot, SlotSpec spec, CellType cells, unsigned digit_bits = 0) {
    spec.cells = cells;
    spec.digit_bits = digit_bits;
    specs_[index_of(slot)] = std::move(spec);
  }
  void put_rounding(Slot slot, const SlotSpec& spec, CellType cells, unsigned shift) {
    put(slot, spec, cells);
    put(rest_of(slot), spec, CellType::kNone, shift);
  }

  void norm(Slot slot, bool tokens) {
    const auto at = [&](const List& features) { return tokens ? at_tokens(features) : at_steps(features); };
    const auto part = [&](NormPart p) { return part_of(slot, p); };
    const SlotSpec one = at({}), bytes = at({compile::kNormBytes}), all = at({plan_.width});
    put_rounding(part(NormPart::kIn), all, CellType::kNone, plan_.stream_shift);
    put(part(NormPart::kLow), all, CellType::kU16);
    put(part(NormPart::kHigh), all, CellType::kS16);
    put(part(NormPart::kByte), bytes, CellType::kU8);
    put(part(NormPart::kFound), bytes, CellType::kU8);
    put(part(NormPart::kRoot), one, CellType::kS32);
    put(part(NormPart::kSlope), one, CellType::kS32);
    put(part(NormPart::kScale), one, CellType::kU32, 32);
    put(part(NormPart::kScaleRest), one, CellType::kNone, compile::kScaleShift);
    put(part(NormPart::kOut), all, CellType::kS16);
  }

  void projections() {
    const SlotSpec query = at_queries({plan_.head_size / 2, 2}), key = at_keys({plan_.head_size / 2, 2});
    put_rounding(Slot::kQuery, query, CellType::kS16, plan_.query_shift);
    put_rounding(Slot::kKey, key, CellType::kS16, plan_.key_shift);
    put_rounding(Slot::kValue, at_keys({plan_.head_size}), CellType::kS16, plan_.value_shift);
    if (plan_.architecture == compile::Architecture::kGpt2) return;
    put(Slot::kTurnedQuery, query, CellType::kS16);
    put(Slot::kTurnedKey, key, CellType::kS16);
  }

  void attention() {
    const SlotSpec keys = at_queries({tokens_}), one = at_queries({});
    put_rounding(Slot::kScore, keys, CellType::kS16, plan_.score_shift);
    put(Slot::kScoreMax, one, CellType::kS16);
    put(Slot::kScoreSelector, keys, CellType::kU8);
    put(Slot::kExp, keys, CellType::kS16);
    put(Slot::kReciprocal, one, CellType::kS32, plan_.mix_shift - 13);
    put(Slot::kReciprocalLow, one, CellType::kNone, denominator_bits(plan_));
    put(Slot::kReciprocalHigh, one, CellType::kNone, denominator_bits(plan_));
    put_rounding(Slot::kMix, at_queries({plan_.head_size}), CellType::kS16, plan_.mix_shift);
  }

  void feed_forward() {
    const SlotSpec hidden = at_tokens({plan_.hidden});
    put_rounding(Slot::kUp, hidden, CellType::kS16, plan_.up_shift);
    put(Slot::kAct, hidden, CellType::kS16);
    if (plan_.architecture == compile::Architecture::kGpt2) return;
    put_rounding(Slot::kGate, hidden, CellType::kS16, plan_.gate_shift);
    put_rounding(Slot::kProduct, hidden, CellType::kNone, plan_.product_shift);
    put(Slot::kProductLow, hidden, CellType::kU16);
    put(Slot::kProductHigh, hidden, CellType::kS16);
  }

  void logits() {
    const SlotSpec words = at_steps({plan_.vocabulary});
    put(Slot::kLogit, words, CellType::kS32, plan_.logit_bits);
    put(Slot::kLogitRest, words, CellType::kNone, plan_.logit_shift);
    put(Slot::kScaled, words, CellType::kS16);
    put(Slot::kExcess, words, CellType::kS32);
    put(Slot::kWeight, words, CellType::kS32);
    put(Slot::kShown, at_steps({compile::kShownNumbers, compile::kShownDigits}), CellType::kS16);
  }

  const Plan& plan_;
  std::size_t tokens_, steps_;
  std::array<SlotSpec, kSlots> specs_{};
};

}  // namespace

unsigned denominator_bits(const Plan& plan) { return static_cast<unsigned>(std::bit_width((plan.context << 14) - 1)); }

std::string name_of(Slot slot) {
  if (slot == Slot::kNone) return "";
  if (slot == Slot::kStream) return "stream";
  if (slot < Slot::kQuery) {
    const std::size_t i = index_of(slot) - index_of(Slot::kAttentionNorm);
    return std::string(kNorms[i / kNormParts]) + "." + std::string(kParts[i % kNormParts]);
  }
  return std::string(kOthers[index_of(slot) - index_of(Slot::kQuery)]);
}

std::array<SlotSpec, kSlots> make_slots(const Plan& plan, std::size_t tokens, std::size_t steps) {
  return Specs(plan, tokens, steps).make();
}

}  // namespace avow::runtime
