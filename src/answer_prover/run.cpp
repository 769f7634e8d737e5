// SPDX-License-Identifier: Apache-2.0
#include "answer_prover/answer_prover.hpp"
#include "runtime/generate.hpp"

namespace avow::answer_prover {

base::Result<answer::Answer, Error> run(const compile::IntegerModel& model, const answer::Request& request,
                                        const RunOptions& options) {
  if (const auto rejection = answer::check(request, model.plan)) {
    return base::Err{Error{Cause::kRequest, to_string(*rejection)}};
  }
  // The last token is not read.
  const std::size_t places = request.input.size() + request.max_new_tokens - 1;
  auto runtime = runtime::Runtime::create(model, places);
  if (!runtime) return base::Err{Error{Cause::kRun, runtime.error().text}};
  runtime::GenerateOptions generation;
  generation.sampling = answer::sampling_of(request.sampling, model.plan.vocabulary);
  generation.most_tokens = request.max_new_tokens;
  generation.stop_ids = request.stop_ids;
  generation.cancelled = options.cancelled;
  const auto on_token = [&](std::uint32_t token) {
    if (options.on_token) options.on_token(token);
  };
  auto generated = runtime::generate(runtime.value(), request.input, generation, on_token);
  if (!generated) return base::Err{Error{Cause::kRun, generated.error().text}};
  if (generated.value().end == runtime::End::kCancelled) return base::Err{Error{Cause::kCancelled, "cancelled"}};
  const bool stopped = generated.value().end == runtime::End::kStop;
  return answer::Answer{
      request, std::move(generated.value().tokens), {}, stopped ? answer::End::kStop : answer::End::kLength};
}

}  // namespace avow::answer_prover
