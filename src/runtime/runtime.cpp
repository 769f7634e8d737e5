// SPDX-License-Identifier: Apache-2.0
#include "runtime/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace avow::runtime {
namespace {

base::Err<Error> refuse(Cause cause, std::string text) { return {Error{cause, std::move(text)}}; }

base::Err<Error> refuse(const Fault& fault) {
  return refuse(Cause::kRange, fmt::format("{} leaves its range in layer {}", name_of(fault.slot), fault.layer));
}

}  // namespace

base::Result<Runtime, Error> Runtime::create(const compile::IntegerModel& model, std::size_t places) {
  if (auto error = check_model(model)) return base::Err{*error};
  if (places == 0) places = model.plan.context;
  if (places > model.plan.context) {
    return refuse(Cause::kContext, fmt::format("{} places, but the context has {}", places, model.plan.context));
  }
  Runtime runtime(model, places);
  if (!runtime.forward_.allocated()) return refuse(Cause::kMemory, fmt::format("no memory for {} places", places));
  return runtime;
}

MaybeError Runtime::check(std::span<const std::uint32_t> tokens, std::span<const std::size_t> wanted) const {
  if (tokens.size() > places() - position_) {
    return Error{Cause::kContext,
                 fmt::format("{} tokens after {}, but there are {} places", tokens.size(), position_, places())};
  }
  for (const std::uint32_t token : tokens) {
    if (token < model_->plan.vocabulary) continue;
    return Error{Cause::kToken, fmt::format("token {} of a vocabulary of {}", token, model_->plan.vocabulary)};
  }
  for (const std::size_t place : wanted) {
    if (place >= position_ && place - position_ < tokens.size()) continue;
    return Error{Cause::kPlace, fmt::format("logits of place {}, but the tokens are at {} to {}", place, position_,
                                            position_ + tokens.size())};
  }
  return std::nullopt;
}

base::Result<std::vector<std::int32_t>, Error> Runtime::process(std::span<const std::uint32_t> tokens,
                                                                std::span<const std::size_t> wanted) {
  if (auto error = check(tokens, wanted)) return base::Err{*error};
  const std::size_t width = model_->plan.width, words = model_->plan.vocabulary;
  std::vector<std::int64_t> streams(wanted.size() * width);
  for (std::size_t begin = 0; begin < tokens.size(); begin += Forward::kBlock) {
    const std::size_t count = std::min(Forward::kBlock, tokens.size() - begin), first = position_ + begin;
    if (const Fault fault = forward_.run_layers(tokens.subspan(begin, count), first, recorder_)) return refuse(fault);
    for (std::size_t w = 0; w < wanted.size(); ++w) {
      if (wanted[w] < first || wanted[w] >= first + count) continue;
      const auto stream = forward_.stream(wanted[w] - first);
      std::copy(stream.begin(), stream.end(), &streams[w * width]);
    }
  }

  std::vector<std::int32_t> logits(wanted.size() * words);
  for (std::size_t w = 0; w < wanted.size(); w += Forward::kBlock) {
    const std::size_t count = std::min(Forward::kBlock, wanted.size() - w);
    const Fault fault = forward_.run_head(std::span(streams).subspan(w * width, count * width), recorded_steps_ + w,
                                          recorder_, std::span(logits).subspan(w * words, count * words));
    if (fault) return refuse(fault);
  }
  position_ += tokens.size();
  recorded_steps_ += wanted.size();
  return logits;
}

base::Result<std::vector<std::int32_t>, Error> Runtime::prompt(std::span<const std::uint32_t> tokens) {
  if (tokens.empty()) return refuse(Cause::kEmpty, "no tokens");
  const std::size_t last = position_ + tokens.size() - 1;
  return process(tokens, {&last, 1});
}

}  // namespace avow::runtime
