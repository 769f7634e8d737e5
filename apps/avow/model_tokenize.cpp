// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "base/mapped_file.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "model/chat.hpp"

namespace avow::app {
namespace {

using Ids = std::vector<model::TokenId>;
using EncodedText = base::Result<Ids, model::TokenizerError>;

EncodedText encoded(const model::Tokenizer& tokenizer, const ModelTokenizeOptions& options, std::string_view text) {
  const auto unencodable = options.unknown ? model::Unencodable::kUnknown : model::Unencodable::kRefuse;
  if (!options.chat) {
    const auto special = options.parse_special ? model::SpecialText::kParse : model::SpecialText::kText;
    return tokenizer.encode(text, {.special = special, .unencodable = unencodable});
  }
  const auto chat_template = model::recognise_chat_template(tokenizer.data().chat_template);
  if (!chat_template) return base::Err{chat_template.error()};
  std::vector<model::ChatMessage> messages;
  if (!options.system.empty()) messages.push_back({model::ChatRole::kSystem, options.system});
  messages.push_back({model::ChatRole::kUser, std::string(text)});
  return model::encode_chat(tokenizer, chat_template.value(), messages, {.unencodable = unencodable});
}

void print_ids(const model::Tokenizer& tokenizer, const Ids& ids, bool json) {
  auto tokens = nlohmann::ordered_json::array();
  for (const model::TokenId id : ids) {
    const std::string piece = tokenizer.piece(id);
    if (!json) {
      fmt::print("{:>7}  '{}'\n", id, printable(piece));
      continue;
    }
    const base::Bytes bytes(piece.begin(), piece.end());
    tokens.push_back({{"id", id}, {"piece", piece}, {"bytes", base::to_hex(bytes)}});
  }
  if (!json) return;
  const nlohmann::ordered_json object{{"count", ids.size()}, {"tokens", tokens}};
  // A token may be a part of a character.
  fmt::print("{}\n", object.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

int tokenize_text(const ModelTokenizeOptions& options) {
  const auto fail = [](const std::string& text, int code) {
    fmt::print(stderr, "avow model tokenize: {}\n", text);
    return code;
  };
  const auto tokenizer = model::load_tokenizer(options.path);
  if (!tokenizer) return fail(to_text(tokenizer.error()), exit_code_of(tokenizer.error()));
  std::string text = options.text;
  if (!options.file.empty()) {
    const auto file = base::MappedFile::open(options.file);
    if (!file) return fail(fmt::format("{}: {}", options.file, file.error()), kEnvironment);
    text.assign(file.value().bytes().begin(), file.value().bytes().end());
  }
  const EncodedText ids = encoded(tokenizer.value(), options, text);
  if (!ids) {
    const auto& error = ids.error();
    return fail(fmt::format("{}: {}: {}", options.path, name(error.cause), error.text), kNo);
  }
  print_ids(tokenizer.value(), ids.value(), options.json);
  return kGood;
}

}  // namespace avow::app
