// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "answer/model_key.hpp"
#include "answer/request.hpp"
#include "model/tokenizer.hpp"

// What `avow verify` shows of answers whose proof holds. All of it comes from whoever made the file: the proof says
// that these are the model's answers to these requests, not that these are the requests that the reader thinks of.
namespace avow::app {

struct CheckedAnswers {
  const answer::ModelKey& key;
  const answer::Delivery& delivery;
  std::size_t proof_bytes = 0;
  std::uint32_t bits = 0;  ///< of security
  double verify_ms = 0;
};

/// Prints what was asked and answered; tokens as text where there is a tokenizer.
void print(const CheckedAnswers& checked, const model::Tokenizer* tokenizer);
void print(const answer::Answer& given, const model::Tokenizer* tokenizer);
[[nodiscard]] nlohmann::ordered_json json_of(const answer::Answer& given, const model::Tokenizer* tokenizer);

/// Whether the prompt's tokens are those that its text has for this tokenizer: other tokens can have the same text, and
/// another answer.
[[nodiscard]] bool is_plain(const std::vector<std::uint32_t>& input, const model::Tokenizer& tokenizer);
/// Whether a token is among them that no text has: a chat's markers, for one.
[[nodiscard]] bool has_marks(const std::vector<std::uint32_t>& input, const model::Tokenizer& tokenizer);
/// The text of a prompt for a terminal, without the token that every text begins with; tokens without text as \<id>.
[[nodiscard]] std::string prompt_text(const answer::Request& request, const model::Tokenizer& tokenizer);
/// The text of an output, without its stop token: any bytes.
[[nodiscard]] std::string answer_text(const answer::Answer& given, const model::Tokenizer& tokenizer);
[[nodiscard]] nlohmann::ordered_json json_of(const CheckedAnswers& checked, const model::Tokenizer* tokenizer);

}  // namespace avow::app
