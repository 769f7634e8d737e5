// SPDX-License-Identifier: Apache-2.0
#include "runtime/witness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/threads.hpp"
#include "runtime/runtime.hpp"

namespace avow::runtime {
namespace {

/// One step's part of the selection.
class StepRecorder {
 public:
  StepRecorder(Recorder& recorder, std::size_t step, const compile::IntegerModel& model, const Sampling& sampling)
      : recorder_(recorder), at_{0, 0, step, 0}, model_(model), sampling_(sampling) {}

  void put(std::span<const std::int32_t> logits, const Selection& s) {
    recorder_.put(Slot::kMax, at_, s.max);
    recorder_.put(Slot::kSelector, {0, 0, at_.place, s.first}, 1);
    put_words(logits, s);
    recorder_.put_digits(Slot::kTopKEnough, at_, s.words - sampling_.top_k);
    recorder_.put_digits(Slot::kTopKLeast, at_, sampling_.top_k - std::int64_t{1} - s.words_before);
    const std::int64_t portion = sampling_.portion * s.mass;
    recorder_.put_digits(Slot::kTopPEnough, at_, (s.mass_up_to << compile::kPortionShift) - portion);
    recorder_.put_digits(Slot::kTopPLeast, at_, portion - 1 - (s.mass_before << compile::kPortionShift));
    const std::int64_t drawn = s.random * s.total;
    recorder_.put_digits(Slot::kChoiceFrom, at_, drawn - (s.before << compile::kRandomBits));
    recorder_.put_digits(Slot::kChoiceBelow, at_, ((s.before + s.own) << compile::kRandomBits) - 1 - drawn);
  }

 private:
  void put_words(std::span<const std::int32_t> logits, const Selection& s) {
    std::vector<std::int64_t> scaled, excess, weights;
    for (auto* list : {&scaled, &excess, &weights}) list->reserve(logits.size());
    const auto& table = model_.of(compile::ModelTensor::kWeightValues).wide;
    for (const std::int32_t z : logits) {
      const std::int64_t exact = scaled_distance(s.max, z, sampling_);
      const std::int64_t u = std::min<std::int64_t>(exact, compile::kDistanceSteps - 1);
      scaled.push_back(u);
      excess.push_back(exact - u);
      weights.push_back(u < s.above() ? table[static_cast<std::size_t>(u)] : 0);
    }
    recorder_.put(Slot::kScaled, at_, std::span<const std::int64_t>(scaled));
    recorder_.put(Slot::kExcess, at_, std::span<const std::int64_t>(excess));
    recorder_.put(Slot::kWeight, at_, std::span<const std::int64_t>(weights));
  }

  Recorder& recorder_;
  Place at_;
  const compile::IntegerModel& model_;
  const Sampling& sampling_;
};

PublicValues make_values(const WitnessRequest& request, std::span<const Selection> steps) {
  PublicValues v{request.ids,
                 request.positions,
                 request.sampling.tau,
                 request.sampling.top_k,
                 request.sampling.portion,
                 {},
                 {},
                 {},
                 {},
                 {},
                 {},
                 {}};
  for (const Selection& s : steps) {
    v.random.push_back(s.random);
    v.chosen.push_back(s.chosen);
    v.last_k.push_back(s.last_k);
    v.last_p.push_back(s.last_p);
    v.above_k.push_back(s.last_k + 1);
    v.above_p.push_back(s.last_p + 1);
    v.above.push_back(s.above());
  }
  return v;
}

/// Statements have no larger tensors (spec/statement.md, section 4).
constexpr std::uint64_t kMostCells = std::uint64_t{1} << 40;

MaybeError check_size(const compile::Plan& plan, std::size_t tokens, std::size_t steps) {
  const auto specs = make_slots(plan, tokens, steps);
  for (std::size_t s = 0; s < kSlots; ++s) {
    if (specs[s].size() <= kMostCells) continue;
    return Error{Cause::kMemory, fmt::format("{} has {} cells", name_of(static_cast<Slot>(s)), specs[s].size())};
  }
  return std::nullopt;
}

}  // namespace

base::Result<Witness, Error> make_witness(const compile::IntegerModel& model, const WitnessRequest& request) {
  const std::size_t tokens = request.ids.size(), steps = request.positions.size();
  if (tokens == 0 || steps == 0) return base::Err{Error{Cause::kLengths, "a witness has a token and a step at least"}};
  auto runtime = Runtime::create(model, tokens);
  if (!runtime.ok()) return base::Err{runtime.error()};
  if (auto error = check_sampling(request.sampling, model.plan.vocabulary)) return base::Err{*error};
  if (auto error = check_size(model.plan, tokens, steps)) return base::Err{*error};

  Recorder recorder(model.plan, tokens, steps);
  runtime.value().record(&recorder);
  const std::vector<std::size_t> places(request.positions.begin(), request.positions.end());
  const auto logits = runtime.value().process(request.ids, places);
  if (!logits.ok()) return base::Err{logits.error()};

  const std::size_t words = model.plan.vocabulary;
  std::vector<Selection> selections(steps);
  std::vector<MaybeError> errors(steps);
  base::parallel_for(steps, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t s = begin; s < end; ++s) {
      const auto row = std::span(logits.value()).subspan(s * words, words);
      const std::uint32_t random = random_number(request.sampling, static_cast<std::uint32_t>(s));
      const auto selection = select(row, model.of(compile::ModelTensor::kWeightValues).wide, request.sampling, random,
                                    model.plan.overflow_bits);
      if (!selection.ok()) {
        errors[s] = selection.error();
        continue;
      }
      selections[s] = selection.value();
      StepRecorder(recorder, s, model, request.sampling).put(row, selections[s]);
    }
  });
  for (const MaybeError& error : errors) {
    if (error) return base::Err{*error};
  }
  return Witness{recorder.take(), make_values(request, selections)};
}

}  // namespace avow::runtime
