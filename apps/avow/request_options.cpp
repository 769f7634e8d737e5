// SPDX-License-Identifier: Apache-2.0
#include "request_options.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/hex.hpp"
#include "model/chat.hpp"
#include "model/chat_template.hpp"
#include "write_file.hpp"

namespace avow::app {

using base::Err;
using TokenIds = std::vector<std::uint32_t>;

void add_sampling_options(CLI::App& command, SamplingOptions& options) {
  command.add_option("--temperature", options.temperature,
                     "0 takes the likeliest token each time (default), 1 draws as the model says");
  command.add_option("--top-k", options.top_k, "Draw among the k likeliest tokens (default: all)");
  command.add_option("--top-p", options.top_p, "Draw among the likeliest that have this part of the mass (default: 1)");
  command.add_option("--seed", options.seed,
                     "Hexadecimal: the same seed draws the same tokens (default: a random one)");
}

void add_chat_options(CLI::App& command, PromptOptions& options) {
  auto* chat =
      command.add_flag("--chat", options.chat, "The prompt is a user's message: use the model's chat template");
  command.add_option("--system", options.system, "The system's message before it")->needs(chat);
}

// temperature 2^12 / tau; the seed says which of many answers.
base::Result<answer::Sampling, std::string> sampling_of(const SamplingOptions& options, std::uint64_t vocabulary) {
  answer::Sampling sampling;
  if (options.temperature == 0) {
    if (options.top_k != 0 || options.top_p != 1 || !options.seed.empty()) {
      return Err{std::string("--top-k, --top-p and --seed are for drawing: give a --temperature, too")};
    }
    return sampling;
  }
  const double tau = std::round((1 << compile::kTauShift) / options.temperature);
  if (!(tau >= 1 && tau <= compile::kLargestTau)) return Err{std::string("--temperature is from 0.25 to 4096, or 0")};
  sampling.tau = static_cast<std::uint32_t>(tau);
  if (options.top_k > vocabulary) return Err{std::string("--top-k is at most the number of the model's words")};
  sampling.top_k = options.top_k;
  const double portion = std::round(options.top_p * (1 << compile::kPortionShift));
  if (!(portion >= 1 && portion <= 1 << compile::kPortionShift)) {
    return Err{std::string("--top-p is above 0 and at most 1")};
  }
  sampling.portion = static_cast<std::uint32_t>(portion);
  if (options.seed.empty()) {
    std::random_device device;
    for (auto& byte : sampling.seed) byte = static_cast<std::uint8_t>(device());
    return sampling;
  }
  const auto bytes = bytes_of(options.seed, sampling.seed.size());
  if (!bytes) return Err{std::string("--seed is at most 64 hexadecimal digits")};
  std::copy(bytes->begin(), bytes->end(), sampling.seed.begin());
  return sampling;
}

base::Result<std::string, std::string> read_text(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 24;  // far beyond what any context takes
  const auto bytes = read_file(path, kMostBytes);
  if (!bytes) return Err{bytes.error()};
  return std::string(bytes.value().begin(), bytes.value().end());
}

base::Result<TokenIds, std::string> encode_prompt(const PromptOptions& options, const std::string& text,
                                                  const model::Tokenizer& tokenizer) {
  base::Result<TokenIds, std::string> result = TokenIds();
  if (!options.chat) {
    auto ids = tokenizer.encode(text);
    if (!ids) return Err{ids.error().text};
    result = std::move(ids).value();
  } else {
    const auto found = model::recognise_chat_template(tokenizer.data().chat_template);
    if (!found) return Err{found.error().text};
    std::vector<model::ChatMessage> messages;
    if (!options.system.empty()) messages.push_back({model::ChatRole::kSystem, options.system});
    messages.push_back({model::ChatRole::kUser, text});
    auto ids = encode_chat(tokenizer, found.value(), messages);
    if (!ids) return Err{ids.error().text};
    result = std::move(ids).value();
  }
  if (result.value().empty()) return Err{std::string("the prompt has no tokens: give it some text")};
  return result;
}

TokenIds stop_ids_of(const model::Tokenizer& tokenizer) {
  return tokenizer.data().eos ? TokenIds{*tokenizer.data().eos} : TokenIds();
}

namespace {

std::string digits_of(const std::string& text) { return text.starts_with("0x") ? text.substr(2) : text; }

}  // namespace

std::optional<std::vector<std::uint8_t>> bytes_of(const std::string& text, std::size_t size) {
  std::string digits = digits_of(text);
  if (digits.empty()) return std::nullopt;
  if (digits.size() % 2 != 0) digits.insert(digits.begin(), '0');
  const auto bytes = base::from_hex(digits);
  if (!bytes || bytes->size() > size) return std::nullopt;
  std::vector<std::uint8_t> out(size - bytes->size());
  out.insert(out.end(), bytes->begin(), bytes->end());
  return out;
}

std::optional<std::vector<std::uint8_t>> all_bytes_of(const std::string& text, std::size_t size) {
  return digits_of(text).size() == 2 * size ? bytes_of(text, size) : std::nullopt;
}

}  // namespace avow::app
