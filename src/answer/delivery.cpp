// SPDX-License-Identifier: Apache-2.0
#include "answer/delivery.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace avow::answer {
namespace {

using compile::Plan;
using MaybeRejection = std::optional<Rejection>;

// The checks of one answer, in the order of the specification.
class AnswerCheck {
 public:
  AnswerCheck(const Answer& answer, std::uint32_t where, const Plan& plan)
      : answer_(answer), request_(answer.request), where_(where), plan_(plan) {}

  [[nodiscard]] MaybeRejection run() const {
    if (auto rejection = check_request()) return rejection;
    return check_output();
  }
  [[nodiscard]] MaybeRejection check_request() const {
    if (request_.input.empty()) return fail(Check::kInput, "no token");
    if (auto rejection = check_ids()) return rejection;
    if (auto rejection = check_sampling()) return rejection;
    // Of 64 bits: max_new_tokens may be anything.
    if (request_.input.size() + std::uint64_t{request_.max_new_tokens} > plan_.context) {
      return fail(Check::kContext, fmt::format("{} tokens and up to {} new ones in a context of {}",
                                               request_.input.size(), request_.max_new_tokens, plan_.context));
    }
    if (request_.max_new_tokens == 0) return fail(Check::kLength, "no token is asked for");
    return std::nullopt;
  }

 private:
  [[nodiscard]] MaybeRejection fail(Check check, std::string text) const {
    return Rejection{check, where_, std::move(text)};
  }

  [[nodiscard]] MaybeRejection check_ids() const {
    const auto& stops = request_.stop_ids;
    const auto beyond = [&](std::uint32_t id) { return id >= plan_.vocabulary; };
    const auto no_word = [&](std::uint32_t id) {
      return fail(Check::kToken, fmt::format("{} of {} words", id, plan_.vocabulary));
    };
    for (const auto* ids : {&request_.input, &answer_.output, &stops}) {
      const auto found = std::find_if(ids->begin(), ids->end(), beyond);
      if (found != ids->end()) return no_word(*found);
    }
    for (const Shown& of_step : answer_.shown) {
      if (beyond(of_step.likeliest)) return no_word(of_step.likeliest);
    }
    if (stops.size() > kMostStopIds) return fail(Check::kStopIds, fmt::format("{} of them", stops.size()));
    if (std::adjacent_find(stops.begin(), stops.end(), std::greater_equal<>()) != stops.end()) {
      return fail(Check::kStopIds, "not strictly increasing");
    }
    return std::nullopt;
  }

  [[nodiscard]] MaybeRejection check_sampling() const {
    const Sampling& sampling = request_.sampling;
    if (sampling.tau == 0) {
      if (sampling == Sampling{}) return std::nullopt;
      return fail(Check::kSampling, "greedy, with numbers for other choices");
    }
    if (sampling.tau > compile::kLargestTau) return fail(Check::kSampling, fmt::format("tau is {}", sampling.tau));
    if (sampling.top_k > plan_.vocabulary) return fail(Check::kSampling, fmt::format("top_k is {}", sampling.top_k));
    if (sampling.portion < 1 || sampling.portion > std::uint32_t{1} << compile::kPortionShift) {
      return fail(Check::kSampling, fmt::format("portion is {}", sampling.portion));
    }
    return std::nullopt;
  }

  [[nodiscard]] MaybeRejection check_output() const {
    const auto& output = answer_.output;
    const auto& stops = request_.stop_ids;
    if (output.empty() || output.size() > request_.max_new_tokens) {
      return fail(Check::kLength, fmt::format("{} tokens of 1 to {}", output.size(), request_.max_new_tokens));
    }
    const auto& shown = answer_.shown;
    if (shown.size() != output.size()) {
      return fail(Check::kShown, fmt::format("{} for {} tokens", shown.size(), output.size()));
    }
    for (const Shown& of_step : shown) {
      if (std::max(of_step.last_k, of_step.last_p) >= compile::kDistanceSteps) {
        return fail(Check::kShown, fmt::format("thresholds {}, {}", of_step.last_k, of_step.last_p));
      }
    }
    const auto is_stop = [&](std::uint32_t id) { return std::binary_search(stops.begin(), stops.end(), id); };
    const auto first = std::find_if(output.begin(), output.end(), is_stop);
    if (first != output.end() && first + 1 != output.end()) {
      return fail(Check::kStop, fmt::format("{} is not the last token", *first));
    }
    const bool is_stopped = first != output.end();
    if (is_stopped != (answer_.end == End::kStop) || (!is_stopped && output.size() != request_.max_new_tokens)) {
      return fail(Check::kEnd, fmt::format("{} of {} tokens, the last {} stop id", output.size(),
                                           request_.max_new_tokens, is_stopped ? "a" : "no"));
    }
    return std::nullopt;
  }

  const Answer& answer_;
  const Request& request_;
  std::uint32_t where_;
  const Plan& plan_;
};

// Two requests of one id would be paid once and proven twice, or the other way round.
MaybeRejection check_distinct(const std::vector<Answer>& answers) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].request.id == base::Digest{}) continue;
    for (std::size_t j = 0; j < i; ++j) {
      if (answers[j].request.id != answers[i].request.id) continue;
      return Rejection{Check::kRepeated, static_cast<std::uint32_t>(i), fmt::format("as answer {}", j)};
    }
  }
  return std::nullopt;
}

compile::RequestRun run_of(const Answer& answer, const Plan& plan) {
  const std::vector<std::uint32_t>&input = answer.request.input, &output = answer.output;
  compile::RequestRun run;
  run.ids = input;
  run.ids.insert(run.ids.end(), output.begin(), output.end() - 1);
  run.sampling = sampling_of(answer.request.sampling, plan.vocabulary);
  for (std::size_t s = 0; s < output.size(); ++s) {
    run.positions.push_back(static_cast<std::uint32_t>(input.size() - 1 + s));
    run.choices.push_back({output[s], answer.shown[s].last_k, answer.shown[s].last_p, answer.shown[s].likeliest});
  }
  return run;
}

}  // namespace

compile::Sampling sampling_of(const Sampling& sampling, std::uint64_t vocabulary) {
  if (sampling.tau == 0) return {};
  const std::uint32_t top_k = sampling.top_k == 0 ? static_cast<std::uint32_t>(vocabulary) : sampling.top_k;
  return {sampling.tau, top_k, sampling.portion, sampling.seed};
}

std::optional<Rejection> check(const Request& request, const Plan& plan) {
  return AnswerCheck({request, {}, {}}, 0, plan).check_request();
}

std::optional<Rejection> check(const Delivery& delivery, const Plan& plan) {
  const auto& answers = delivery.answers;
  if (answers.empty() || answers.size() > compile::kMostRequests) {
    return Rejection{Check::kCount, 0, fmt::format("{} answers", answers.size())};
  }
  for (std::uint32_t i = 0; i < answers.size(); ++i) {
    if (auto rejection = AnswerCheck(answers[i], i, plan).run()) return rejection;
  }
  if (auto rejection = check_distinct(answers)) return rejection;
  const compile::Lengths lengths = lengths_of(delivery);
  if (lengths.requests * std::max(lengths.tokens, lengths.steps) > kMostPlaces) {
    return Rejection{Check::kSize, 0,
                     fmt::format("{} requests, {} tokens, {} steps", lengths.requests, lengths.tokens, lengths.steps)};
  }
  return std::nullopt;
}

compile::Lengths lengths_of(const Delivery& delivery) {
  compile::Lengths least{delivery.answers.size(), 1, 1};
  for (const Answer& answer : delivery.answers) {
    least.tokens = std::max<std::uint64_t>(least.tokens, answer.request.input.size() + answer.output.size() - 1);
    least.steps = std::max<std::uint64_t>(least.steps, answer.output.size());
  }
  return compile::instance_lengths(least);
}

statement::Instance instance_of(const Delivery& delivery, const Plan& plan) {
  std::vector<compile::RequestRun> runs;
  for (const Answer& answer : delivery.answers) runs.push_back(run_of(answer, plan));
  return compile::make_instance(runs, lengths_of(delivery));
}

}  // namespace avow::answer
