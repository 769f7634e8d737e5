// SPDX-License-Identifier: Apache-2.0
#include "show_answers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/hex.hpp"
#include "model.hpp"

namespace avow::app {
namespace {

using Ids = std::vector<std::uint32_t>;

struct MarkedText {
  std::string text;
  bool has_marks = false;  ///< of tokens that no text has
};

// The text of ids, in which nothing is hidden: a token that has no text is shown as \<id>, which no text looks like, as
// backslashes in texts are doubled.
MarkedText marked_text(std::span<const std::uint32_t> ids, const model::Tokenizer& tokenizer, model::DecodeFrom from) {
  MarkedText shown;
  std::string run;
  std::optional<model::StreamDecoder> decoder(std::in_place, tokenizer, from);
  for (const std::uint32_t id : ids) {
    if (id < tokenizer.token_count() && !tokenizer.is_control(id)) {
      if (const auto piece = decoder->feed(id)) run += piece.value();
      continue;
    }
    run += decoder->finish();
    shown.text += printable(run) + fmt::format("\\<{}>", id);
    shown.has_marks = true;
    run.clear();
    decoder.emplace(tokenizer, model::DecodeFrom::kMiddle);
  }
  shown.text += printable(run + decoder->finish());
  return shown;
}

// Without the token that every text of the model begins with.
MarkedText prompt_of(const answer::Request& request, const model::Tokenizer& tokenizer) {
  std::span<const std::uint32_t> ids = request.input;
  const auto& data = tokenizer.data();
  if (data.bos && !ids.empty() && ids.front() == *data.bos) ids = ids.subspan(1);
  return marked_text(ids, tokenizer, model::DecodeFrom::kStart);
}

// Without its stop token, of which `end` says that it is there.
MarkedText output_of(const answer::Answer& answer, const model::Tokenizer& tokenizer) {
  std::span<const std::uint32_t> ids = answer.output;
  if (answer.end == answer::End::kStop) ids = ids.first(ids.size() - 1);
  return marked_text(ids, tokenizer, model::DecodeFrom::kMiddle);
}

// What is between the marks.
std::string plain_text(const Ids& ids, const model::Tokenizer& tokenizer, model::DecodeFrom from) {
  model::StreamDecoder decoder(tokenizer, from);
  std::string text;
  for (const std::uint32_t id : ids) {
    if (id >= tokenizer.token_count()) continue;  // a word of the model without a name
    if (const auto piece = decoder.feed(id)) text += piece.value();
  }
  return text + decoder.finish();
}

std::string sampling_text(const answer::Sampling& sampling) {
  if (sampling.tau == 0) return "greedy";
  std::string text = fmt::format("temperature {:.4g} (tau {})", 4096.0 / sampling.tau, sampling.tau);
  if (sampling.top_k != 0) text += fmt::format(", top-k {}", sampling.top_k);
  if (sampling.portion != 1 << compile::kPortionShift) {
    text += fmt::format(", top-p {:.4g}", sampling.portion / static_cast<double>(1 << compile::kPortionShift));
  }
  return text + ", seed " + base::to_hex(sampling.seed);
}

}  // namespace

bool is_plain(const Ids& input, const model::Tokenizer& tokenizer) {
  const auto text = tokenizer.decode(input);
  const auto ids = text ? tokenizer.encode(text.value()) : base::Result<Ids, model::TokenizerError>(Ids());
  return text && ids && ids.value() == input;
}

bool has_marks(const Ids& input, const model::Tokenizer& tokenizer) {
  answer::Request request;
  request.input = input;
  return prompt_of(request, tokenizer).has_marks;
}

std::string prompt_text(const answer::Request& request, const model::Tokenizer& tokenizer) {
  return prompt_of(request, tokenizer).text;
}

std::string answer_text(const answer::Answer& given, const model::Tokenizer& tokenizer) {
  Ids ids = given.output;
  if (given.end == answer::End::kStop && !ids.empty()) ids.pop_back();
  return plain_text(ids, tokenizer, model::DecodeFrom::kMiddle);
}

void print(const answer::Answer& given, const model::Tokenizer* tokenizer) {
  const answer::Request& request = given.request;
  if (request.id != base::Digest{}) fmt::print("request {}\n", base::to_hex(request.id));
  fmt::print("asked:  at most {} tokens, {}, stop tokens: {}\n", request.max_new_tokens,
             sampling_text(request.sampling),
             request.stop_ids.empty() ? "none" : fmt::format("{}", fmt::join(request.stop_ids, " ")));
  if (tokenizer == nullptr) {
    fmt::print("prompt: {}\nanswer: {}\n", fmt::join(request.input, " "), fmt::join(given.output, " "));
  } else {
    const MarkedText prompt = prompt_of(request, *tokenizer);
    fmt::print("prompt: {}\n", prompt.text);
    if (!prompt.has_marks && !is_plain(request.input, *tokenizer)) {
      fmt::print("        in other tokens than this text has: {}\n", fmt::join(request.input, " "));
    }
    fmt::print("answer: {}\n", output_of(given, *tokenizer).text);
  }
  fmt::print("        {} tokens, ends {}\n", given.output.size(),
             given.end == answer::End::kStop ? "with a stop token" : "at the length asked for");
}

void print(const CheckedAnswers& checked, const model::Tokenizer* tokenizer) {
  const auto& d = checked.delivery;
  fmt::print("holds: {} answer{} of model {}, {} bits of security\n", d.answers.size(),
             d.answers.size() == 1 ? "" : "s", base::to_hex(d.model_id), checked.bits);
  if (d.chain_id != base::Digest{} || d.market != decltype(d.market){} || d.payee != decltype(d.payee){}) {
    fmt::print("chain {}, market {}, payee {}\n", base::to_hex(d.chain_id), base::to_hex(d.market),
               base::to_hex(d.payee));
  }
  for (const auto& given : d.answers) print(given, tokenizer);
}

nlohmann::ordered_json json_of(const CheckedAnswers& checked, const model::Tokenizer* tokenizer) {
  nlohmann::ordered_json out{{"holds", true},
                             {"model_id", base::to_hex(checked.delivery.model_id)},
                             {"security_bits", checked.bits},
                             {"verify_ms", checked.verify_ms},
                             {"proof_bytes", checked.proof_bytes},
                             {"chain_id", base::to_hex(checked.delivery.chain_id)},
                             {"market", base::to_hex(checked.delivery.market)},
                             {"payee", base::to_hex(checked.delivery.payee)},
                             {"claimed_content_id", base::to_hex(checked.key.info().content)},
                             {"claimed_tokenizer", base::to_hex(checked.key.info().tokenizer)}};
  auto& answers = out["answers"] = nlohmann::ordered_json::array();
  for (const auto& given : checked.delivery.answers) {
    answers.push_back(json_of(given, tokenizer));
  }
  return out;
}

nlohmann::ordered_json json_of(const answer::Answer& given, const model::Tokenizer* tokenizer) {
  const answer::Request& request = given.request;
  nlohmann::ordered_json item{{"request_id", base::to_hex(request.id)},
                              {"max_new_tokens", request.max_new_tokens},
                              {"tau", request.sampling.tau},
                              {"top_k", request.sampling.top_k},
                              {"portion", request.sampling.portion},
                              {"seed", base::to_hex(request.sampling.seed)},
                              {"stop_ids", request.stop_ids},
                              {"prompt_ids", request.input},
                              {"ids", given.output},
                              {"end", given.end == answer::End::kStop ? "stop" : "length"}};
  if (tokenizer != nullptr) {
    item["prompt"] = plain_text(request.input, *tokenizer, model::DecodeFrom::kStart);
    item["prompt_is_plain"] = is_plain(request.input, *tokenizer);
    item["answer"] = plain_text(given.output, *tokenizer, model::DecodeFrom::kMiddle);
  }
  return item;
}

}  // namespace avow::app
