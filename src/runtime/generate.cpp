// SPDX-License-Identifier: Apache-2.0
#include "runtime/generate.hpp"

#include <algorithm>
#include <optional>

namespace avow::runtime {
namespace {

bool contains(const std::vector<std::uint32_t>& ids, std::uint32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool is_cancelled(const GenerateOptions& options) { return options.cancelled != nullptr && *options.cancelled; }

/// Appends the prompt block by block, so that it can be cancelled; no logits if it was.
base::Result<std::vector<std::int32_t>, Error> read_prompt(Runtime& runtime, std::span<const std::uint32_t> prompt,
                                                           const GenerateOptions& options) {
  while (!is_cancelled(options)) {
    if (prompt.size() <= Forward::kBlock) return runtime.prompt(prompt);
    const auto logits = runtime.process(prompt.first(Forward::kBlock), {});
    if (!logits.ok()) return base::Err{logits.error()};
    prompt = prompt.subspan(Forward::kBlock);
  }
  return std::vector<std::int32_t>();
}

/// Why no token is to follow those that were chosen, if so.
std::optional<End> end_of(const Generated& out, const Runtime& runtime, const GenerateOptions& options) {
  if (!out.tokens.empty() && contains(options.stop_ids, out.tokens.back())) return End::kStop;
  if (out.tokens.size() >= options.most_tokens) return End::kMaximum;
  if (!out.tokens.empty() && runtime.position() == runtime.places()) return End::kContext;
  if (is_cancelled(options)) return End::kCancelled;
  return std::nullopt;
}

}  // namespace

base::Result<Generated, Error> generate(Runtime& runtime, std::span<const std::uint32_t> prompt,
                                        const GenerateOptions& options,
                                        const std::function<void(std::uint32_t token)>& on_token) {
  const compile::IntegerModel& model = runtime.model();
  if (auto error = check_sampling(options.sampling, model.plan.vocabulary)) return base::Err{*error};
  if (auto error = runtime.check(prompt, {})) return base::Err{*error};
  const std::size_t begin = runtime.position();
  auto logits = read_prompt(runtime, prompt, options);
  if (!logits.ok() || logits.value().empty()) {
    runtime.rewind(begin);
    if (!logits.ok()) return base::Err{logits.error()};
    return Generated{{}, begin, End::kCancelled};
  }

  Generated out;
  out.first_position = runtime.position() - 1;
  while (true) {
    if (const auto end = end_of(out, runtime, options)) {
      out.end = *end;
      return out;
    }
    if (!out.tokens.empty()) logits = runtime.step(out.tokens.back());
    if (!logits.ok()) return base::Err{logits.error()};
    const std::uint32_t random =
        compile::random_number(options.sampling, static_cast<std::uint32_t>(out.tokens.size()));
    const auto selection = select(logits.value(), model.of(compile::ModelTensor::kWeightValues).wide, options.sampling,
                                  random, model.plan.overflow_bits);
    if (!selection.ok()) return base::Err{selection.error()};
    out.tokens.push_back(selection.value().chosen);
    on_token(out.tokens.back());
  }
}

}  // namespace avow::runtime
