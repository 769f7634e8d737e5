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
    put_words(logits, s);
    const std::int64_t portion = sampling_.portion * s.mass, drawn = s.random * s.total;
    put_shown({s.words - sampling_.top_k, sampling_.top_k - std::int64_t{1} - s.words_before,
               (s.mass_up_to << compile::kPortionShift) - portion,
               portion - 1 - (s.mass_before << compile::kPortionShift), drawn - (s.before << compile::kRandomBits),
               ((s.before + s.own) << compile::kRandomBits) - 1 - drawn});
  }

 private:
  void put_shown(std::initializer_list<std::int64_t> numbers) {
    constexpr std::int64_t kMask = (1 << compile::kShownDigitBits) - 1;
    std::vector<std::int64_t> digits;
    for (const std::int64_t number : numbers) {
      for (unsigned i = 0; i < compile::kShownDigits; ++i) {
        digits.push_back((number >> (compile::kShownDigitBits * i)) & kMask);
      }
    }
    recorder_.put(Slot::kShown, at_, std::span<const std::int64_t>(digits));
  }

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

/// Statements have no larger tensors (spec/statement.md, section 4).
constexpr std::uint64_t kMostCells = std::uint64_t{1} << 40;

MaybeError check_lengths(const compile::Plan& plan, std::span<const WitnessRequest> requests,
                         const compile::Lengths& lengths) {
  if (requests.empty() || requests.size() > lengths.requests) {
    return Error{Cause::kLengths,
                 fmt::format("{} requests, for which there are {} places", requests.size(), lengths.requests)};
  }
  for (const WitnessRequest& request : requests) {
    const std::size_t tokens = request.ids.size(), steps = request.positions.size();
    if (tokens == 0 || steps == 0 || tokens > lengths.tokens || steps > lengths.steps) {
      return Error{Cause::kLengths, fmt::format("{} tokens and {} steps of a request, of 1 to {} and 1 to {}", tokens,
                                                steps, lengths.tokens, lengths.steps)};
    }
  }
  const auto specs = make_slots(plan, lengths.tokens, lengths.steps);
  for (std::size_t s = 0; s < kSlots; ++s) {
    if (specs[s].size() <= kMostCells / lengths.requests) continue;
    return Error{Cause::kMemory,
                 fmt::format("{} has {} cells for a request", name_of(static_cast<Slot>(s)), specs[s].size())};
  }
  return std::nullopt;
}

/// The witnesses of requests, one after the other.
class WitnessMaker {
 public:
  WitnessMaker(const compile::IntegerModel& model, const compile::Lengths& lengths, Runtime& runtime)
      : model_(model), lengths_(lengths), runtime_(runtime), recorder_(model.plan, lengths) {}

  base::Result<compile::RequestRun, Error> add(const WitnessRequest& request, std::size_t index) {
    if (auto error = check_sampling(request.sampling, model_.plan.vocabulary)) return base::Err{*error};
    std::vector<std::uint32_t> ids = request.ids;
    ids.resize(lengths_.tokens);
    std::vector<std::size_t> places(request.positions.begin(), request.positions.end());
    places.resize(lengths_.steps, places.back());
    recorder_.begin_request(index);
    runtime_.reset();
    runtime_.record(&recorder_);
    const auto logits = runtime_.process(ids, places);
    if (!logits.ok()) return base::Err{logits.error()};
    auto choices = choose(request, logits.value());
    if (!choices.ok()) return base::Err{choices.error()};
    return compile::RequestRun{request.ids, request.positions, request.sampling, std::move(choices).value()};
  }
  void repeat_last(std::size_t from, std::size_t to) { recorder_.copy_request(from, to); }
  std::map<std::string, WitnessTensor> take() { return recorder_.take(); }

 private:
  base::Result<std::vector<compile::Choice>, Error> choose(const WitnessRequest& request,
                                                           std::span<const std::int32_t> logits) {
    const std::size_t words = model_.plan.vocabulary, own = request.positions.size();
    std::vector<compile::Choice> choices(lengths_.steps);
    std::vector<MaybeError> errors(lengths_.steps);
    base::parallel_for(lengths_.steps, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t s = begin; s < end; ++s) {
        const auto row = logits.subspan(s * words, words);
        const auto step = static_cast<std::uint32_t>(std::min(s, own - 1));
        const auto selection = select(row, model_.of(compile::ModelTensor::kWeightValues).wide, request.sampling,
                                      compile::random_number(request.sampling, step), model_.plan.overflow_bits);
        if (!selection.ok()) {
          errors[s] = selection.error();
          continue;
        }
        choices[s] = {selection.value().chosen, selection.value().last_k, selection.value().last_p,
                      selection.value().first};
        StepRecorder(recorder_, s, model_, request.sampling).put(row, selection.value());
      }
    });
    for (const MaybeError& error : errors) {
      if (error) return base::Err{*error};
    }
    choices.resize(own);
    return choices;
  }

  const compile::IntegerModel& model_;
  compile::Lengths lengths_;
  Runtime& runtime_;
  Recorder recorder_;
};

}  // namespace

base::Result<Witness, Error> make_witness(const compile::IntegerModel& model, std::span<const WitnessRequest> requests,
                                          const compile::Lengths& lengths) {
  if (auto error = check_lengths(model.plan, requests, lengths)) return base::Err{*error};
  auto runtime = Runtime::create(model, lengths.tokens);
  if (!runtime.ok()) return base::Err{runtime.error()};
  WitnessMaker maker(model, lengths, runtime.value());
  Witness witness;
  for (const WitnessRequest& request : requests) {
    auto run = maker.add(request, witness.runs.size());
    if (!run.ok()) return base::Err{run.error()};
    witness.runs.push_back(std::move(run).value());
  }
  for (std::size_t i = requests.size(); i < lengths.requests; ++i) maker.repeat_last(requests.size() - 1, i);
  witness.tensors = maker.take();
  return witness;
}

base::Result<Witness, Error> make_witness(const compile::IntegerModel& model, const WitnessRequest& request) {
  return make_witness(model, {&request, 1}, {1, request.ids.size(), request.positions.size()});
}

}  // namespace avow::runtime
