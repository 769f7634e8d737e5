// SPDX-License-Identifier: Apache-2.0
#include "runtime/generate.hpp"

#include <algorithm>

namespace avow::runtime {
namespace {

bool contains(const std::vector<std::uint32_t>& ids, std::uint32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

base::Result<Generated, Error> generate(Runtime& runtime, std::span<const std::uint32_t> prompt,
                                        const GenerateOptions& options,
                                        const std::function<void(std::uint32_t token)>& on_token) {
  const compile::IntegerModel& model = runtime.model();
  if (auto error = check_sampling(options.sampling, model.plan.vocabulary)) return base::Err{*error};
  auto logits = runtime.prompt(prompt);
  if (!logits.ok()) return base::Err{logits.error()};

  Generated out;
  out.first_position = runtime.position() - 1;
  while (true) {
    const auto ends = [&](End end) {
      out.end = end;
      return out;
    };
    if (options.cancelled != nullptr && *options.cancelled) return ends(End::kCancelled);
    if (out.tokens.size() >= options.most_tokens) return ends(End::kMaximum);
    const std::uint32_t random = random_number(options.sampling, static_cast<std::uint32_t>(out.tokens.size()));
    const auto selection = select(logits.value(), model.of(compile::ModelTensor::kWeightValues).wide, options.sampling,
                                  random, model.plan.overflow_bits);
    if (!selection.ok()) return base::Err{selection.error()};
    const std::uint32_t token = selection.value().chosen;
    out.tokens.push_back(token);
    on_token(token);
    if (contains(options.stop_ids, token)) return ends(End::kStop);
    if (out.tokens.size() >= options.most_tokens) return ends(End::kMaximum);
    if (runtime.position() == runtime.places()) return ends(End::kContext);
    if (options.cancelled != nullptr && *options.cancelled) return ends(End::kCancelled);
    logits = runtime.step(token);
    if (!logits.ok()) return base::Err{logits.error()};
  }
}

}  // namespace avow::runtime
