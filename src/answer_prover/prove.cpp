// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "answer_prover/answer_prover.hpp"
#include "answer_prover/tensors.hpp"
#include "prover/memory.hpp"

namespace avow::answer_prover {
namespace {

using answer::Answer;
using answer::Delivery;
using base::Err;

// Of a thousand parts of the work, those of running the model.
constexpr std::uint64_t kAllParts = 1000, kWitnessPart = 30;

Err<Error> fail(Cause cause, std::string text) { return {Error{cause, std::move(text)}}; }

runtime::WitnessRequest witness_request(const Answer& given, std::uint64_t vocabulary) {
  runtime::WitnessRequest request;
  request.ids = given.request.input;
  request.ids.insert(request.ids.end(), given.output.begin(), given.output.end() - 1);
  const auto first = static_cast<std::uint32_t>(given.request.input.size() - 1);
  for (std::uint32_t s = 0; s < given.output.size(); ++s) request.positions.push_back(first + s);
  request.sampling = answer::sampling_of(given.request.sampling, vocabulary);
  return request;
}

class Clock {
 public:
  std::chrono::nanoseconds lap() {
    const auto now = std::chrono::steady_clock::now();
    const auto passed = now - start_;
    start_ = now;
    return passed;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The witness of all answers, whose shown become the delivery's.
base::Result<runtime::Witness, Error> make_witness(const compile::IntegerModel& model, Delivery& delivery,
                                                   const Faults* faults) {
  Delivery read = delivery;
  if (faults != nullptr && faults->run) faults->run(read);
  std::vector<runtime::WitnessRequest> requests;
  for (const Answer& given : read.answers) requests.push_back(witness_request(given, model.plan.vocabulary));
  auto witness = runtime::make_witness(model, requests, answer::lengths_of(read));
  if (!witness) return fail(Cause::kRun, witness.error().text);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Answer& given = delivery.answers[i];
    given.shown.clear();
    for (std::size_t s = 0; s < given.output.size(); ++s) {
      const compile::Choice& choice = witness.value().runs[i].choices[s];
      given.shown.push_back({choice.last_k, choice.last_p, choice.likeliest});
      if (choice.chosen == given.output[s] || faults != nullptr) continue;
      return fail(Cause::kAnswer,
                  fmt::format("answer {}: the model's token {} is {}, not {}", i, s, choice.chosen, given.output[s]));
    }
  }
  if (faults != nullptr && faults->witness) faults->witness(witness.value());
  if (faults != nullptr && faults->claimed) faults->claimed(delivery);
  return std::move(witness).value();
}

// Whether the delivery can be proven, thresholds and chosen tokens aside.
std::optional<Error> check_delivery(const Delivery& delivery, const compile::Plan& plan) {
  Delivery checked = delivery;
  for (Answer& given : checked.answers) given.shown.assign(given.output.size(), {});
  if (const auto rejection = answer::check(checked, plan)) return Error{Cause::kRequest, to_string(*rejection)};
  return std::nullopt;
}

std::uint64_t mebibytes(std::uint64_t bytes) { return bytes >> 20; }

prover::ProveOptions proving_options(const ProveOptions& options, ProveTimes& times) {
  prover::ProveOptions proving;
  proving.times = &times.proof;
  proving.cancelled = options.cancelled;
  proving.progress = [&options](prover::Phase next, std::uint64_t done, std::uint64_t total) {
    if (options.progress) options.progress(name(next), kWitnessPart + (kAllParts - kWitnessPart) * done / total);
  };
  if (options.faults != nullptr) proving.faults = &options.faults->proof;
  return proving;
}

}  // namespace

std::optional<Error> check_memory(const ProvingModel& model, const compile::Lengths& lengths,
                                  std::uint64_t memory_bytes) {
  const std::uint64_t list[] = {lengths.requests, lengths.tokens, lengths.steps};
  const auto needed = prover::estimate_memory(model.model(), list);
  if (!needed) return Error{Cause::kRequest, "more requests or tokens than one proof can have"};
  if (*needed <= memory_bytes) return std::nullopt;
  return Error{
      Cause::kMemory,
      fmt::format("the proof needs about {} MiB and may use {}: prove fewer prompts together, or ask for fewer "
                  "tokens",
                  mebibytes(*needed), mebibytes(memory_bytes))};
}

base::Result<Proven, Error> prove(const ProvingModel& model, Delivery delivery, const ProveOptions& options) {
  const compile::Plan& plan = model.integers().plan;
  ProveTimes unused;
  ProveTimes& times = options.times != nullptr ? *options.times : unused;
  delivery.model_id = model.key().id();
  if (options.faults == nullptr) {
    if (auto error = check_delivery(delivery, plan)) return Err{std::move(*error)};
  }

  if (options.memory_bytes != 0) {
    if (auto error = check_memory(model, answer::lengths_of(delivery), options.memory_bytes)) return Err{*error};
  }
  Clock clock;
  if (options.progress) options.progress("running the model", 0);
  const auto witness = make_witness(model.integers(), delivery, options.faults);
  times.witness += clock.lap();
  if (!witness) return Err{witness.error()};

  Proven proven;
  proven.file.key = serialize(model.model().key());
  proven.file.delivery = answer::encode(delivery, answer::id_bytes(plan.vocabulary));
  auto proving = proving_options(options, times);
  proving.session = proven.file.delivery;
  auto proved = prover::prove(model.model(), answer::instance_of(delivery, plan),
                              witness_arrays(model.statement(), witness.value()), proving);
  if (!proved) {
    return fail(proved.error() == prover::kCancelled ? Cause::kCancelled : Cause::kProof, proved.error());
  }
  proven.file.proof = std::move(proved.value().proof);
  proven.bytes = proved.value().bytes;
  proven.delivery = std::move(delivery);
  if (options.faults != nullptr) return proven;

  clock.lap();
  if (const auto rejection = model.key().verify(proven.file.delivery, proven.file.proof)) {
    return fail(Cause::kProof, "the own proof does not hold: " + to_string(*rejection));
  }
  times.verify += clock.lap();
  return proven;
}

}  // namespace avow::answer_prover
