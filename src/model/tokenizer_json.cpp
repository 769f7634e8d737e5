// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "model/tokenizer_bytes.hpp"
#include "model/tokenizer_json_steps.hpp"
#include "model/tokenizer_merges.hpp"

namespace avow::model {
namespace {

using base::Err;
using nlohmann::json;
using Done = base::Result<bool, TokenizerError>;

// A switch of an object: `otherwise` if it is missing or null, an error if it is no boolean.
Done read_switch(const json& object, const char* key, bool otherwise, bool& on) {
  const auto at = object.find(key);
  on = otherwise;
  if (at == object.end() || at->is_null()) return true;
  if (!at->is_boolean()) return fail(TokenizerCause::kFieldType, key);
  on = at->get<bool>();
  return true;
}

class TokenizerJsonReader {
 public:
  TokenizerJsonReader(const json& root, const TokenizerHints& hints) : root_(root), hints_(hints) {}

  base::Result<TokenizerData, TokenizerError> read() {
    for (const auto step :
         {&TokenizerJsonReader::read_steps, &TokenizerJsonReader::read_model, &TokenizerJsonReader::read_vocabulary,
          &TokenizerJsonReader::read_added, &TokenizerJsonReader::collect_tokens, &TokenizerJsonReader::read_merges,
          &TokenizerJsonReader::read_ends}) {
      if (Done done = (this->*step)(); !done) return Err{done.error()};
    }
    data_.chat_template = hints_.chat_template;
    return std::move(data_);
  }

 private:
  struct Added {
    TokenId id;
    TokenType type;
  };

  Done read_steps() {
    if (!root_.is_object()) return fail(TokenizerCause::kFieldType, "the file is no object");
    const auto truncation = root_.find("truncation");
    if (truncation != root_.end() && !truncation->is_null()) return fail(TokenizerCause::kUnsupported, "truncation");
    auto steps = read_text_steps(root_);
    if (!steps) return Err{steps.error()};
    data_.kind = steps.value().kind;
    data_.pre_tokenizer = steps.value().pre_tokenizer;
    data_.space_prefix = steps.value().space_prefix;
    data_.to_nfc = steps.value().to_nfc;
    return true;
  }

  Done read_model() {
    const auto at = root_.find("model");
    if (at == root_.end()) return fail(TokenizerCause::kMissing, "model");
    if (!at->is_object()) return fail(TokenizerCause::kFieldType, "model");
    model_ = &*at;
    for (const auto& [key, value] : model_->items()) {
      if (Done done = check_option(key, value); !done) return done;
    }
    if (Done done = read_switch(*model_, "byte_fallback", false, byte_fallback_); !done) return done;
    if (Done done = read_switch(*model_, "ignore_merges", false, data_.ignore_merges); !done) return done;
    bool fuse = false;
    if (Done done = read_switch(*model_, "fuse_unk", false, fuse); !done) return done;
    if (byte_fallback_ && data_.kind == TokenizerKind::kByteLevelBpe) {
      return fail(TokenizerCause::kUnsupported, "byte_fallback with ByteLevel");
    }
    if (!fuse && !byte_fallback_ && !unknown_.empty()) {
      return fail(TokenizerCause::kUnsupported, "unk_token without fuse_unk");
    }
    return true;
  }

  // Options of the model: those that are off, and those that are read elsewhere.
  Done check_option(const std::string& key, const json& value) {
    constexpr std::array<std::string_view, 5> kElsewhere{"vocab", "merges", "fuse_unk", "byte_fallback",
                                                         "ignore_merges"};
    if (std::find(kElsewhere.begin(), kElsewhere.end(), key) != kElsewhere.end()) return true;
    if (key == "type" && value == "BPE") return true;
    if (key == "dropout" && (value.is_null() || value == 0)) return true;
    const bool affix = key == "continuing_subword_prefix" || key == "end_of_word_suffix";
    if (affix && (value.is_null() || value == json(""))) return true;
    if (key == "unk_token" && (value.is_null() || value.is_string())) {
      if (value.is_string()) unknown_ = value.get_ref<const std::string&>();
      return true;
    }
    return fail(TokenizerCause::kUnsupported, fmt::format("model option {} {}", shown_bytes(key), shown(value)));
  }

  Done set_token(const std::string& text, const json& id) {
    if (!id.is_number_unsigned())
      return fail(TokenizerCause::kFieldType, fmt::format("the id of {}", shown_bytes(text)));
    const auto number = id.get<std::uint64_t>();
    if (number >= tokenizer_limits::kTokens) {
      return fail(TokenizerCause::kIdRange, fmt::format("token {} has id {}", shown_bytes(text), number));
    }
    if (number >= texts_.size()) texts_.resize(number + 1, nullptr);
    const std::string*& slot = texts_[number];
    if (slot != nullptr && *slot != text) {
      return fail(TokenizerCause::kIds,
                  fmt::format("id {} is {} and {}", number, shown_bytes(*slot), shown_bytes(text)));
    }
    slot = &text;
    return true;
  }

  Done read_vocabulary() {
    const auto vocabulary = model_->find("vocab");
    if (vocabulary == model_->end()) return fail(TokenizerCause::kMissing, "model.vocab");
    if (!vocabulary->is_object()) return fail(TokenizerCause::kFieldType, "model.vocab");
    for (auto at = vocabulary->begin(); at != vocabulary->end(); ++at) {
      if (Done done = set_token(at.key(), at.value()); !done) return done;
    }
    return true;
  }

  Done read_added() {
    const auto list = root_.find("added_tokens");
    if (list == root_.end() || list->is_null()) return true;
    if (!list->is_array()) return fail(TokenizerCause::kFieldType, "added_tokens");
    for (const json& token : *list) {
      if (Done done = read_added_token(token); !done) return done;
    }
    return true;
  }

  Done read_added_token(const json& token) {
    const auto content = token.find("content");
    const auto id = token.find("id");
    if (!token.is_object() || content == token.end() || id == token.end() || !content->is_string()) {
      return fail(TokenizerCause::kFieldType, "added_tokens holds something that is no token");
    }
    const auto& text = content->get_ref<const std::string&>();
    if (Done done = set_token(text, *id); !done) return done;
    bool special = false;
    if (Done done = read_switch(token, "special", false, special); !done) return done;
    for (const char* option : {"lstrip", "rstrip", "single_word", "normalized"}) {
      bool on = false;
      if (Done done = read_switch(token, option, false, on); !done) return done;
      // No matter where nothing is normalised.
      const bool normalises = data_.kind != TokenizerKind::kByteLevelBpe || data_.to_nfc;
      if (std::string_view(option) == "normalized" && !normalises) continue;
      if (on) return fail(TokenizerCause::kUnsupported, fmt::format("{} of added token {}", option, shown_bytes(text)));
    }
    added_.push_back({id->get<TokenId>(), special ? TokenType::kControl : TokenType::kUserDefined});
    return true;
  }

  Done collect_tokens() {
    for (std::size_t id = 0; id < texts_.size(); ++id) {
      if (texts_[id] == nullptr) return fail(TokenizerCause::kIds, fmt::format("no token has id {}", id));
      data_.tokens.push_back(*texts_[id]);
      const bool byte = byte_fallback_ && byte_of_token(*texts_[id]);
      data_.types.push_back(byte ? TokenType::kByte : TokenType::kNormal);
      if (!unknown_.empty() && *texts_[id] == unknown_) data_.unknown = static_cast<TokenId>(id);
    }
    if (!unknown_.empty() && !data_.unknown) {
      return fail(TokenizerCause::kMissing, fmt::format("unk_token {} is no token", shown_bytes(unknown_)));
    }
    if (data_.unknown) data_.types[*data_.unknown] = TokenType::kUnknown;
    for (const Added& added : added_) {
      // An unknown token of a byte-level vocabulary is there in name only: keep what it is beside that.
      if (added.id == data_.unknown && data_.kind != TokenizerKind::kByteLevelBpe) continue;
      data_.types[added.id] = added.type;
    }
    return data_.kind == TokenizerKind::kByteLevelBpe ? decode_byte_alphabet(data_) : Done(true);
  }

  Done read_merges() {
    const auto merges = model_->find("merges");
    if (merges == model_->end()) return fail(TokenizerCause::kMissing, "model.merges");
    if (!merges->is_array()) return fail(TokenizerCause::kFieldType, "model.merges");
    MergeReader reader(data_);
    for (const json& merge : *merges) {
      const bool pair = merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
      if (!pair && !merge.is_string()) return fail(TokenizerCause::kFieldType, "model.merges holds no pair");
      Done done = pair ? reader.add(merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>())
                       : reader.add(merge.get_ref<const std::string&>());
      if (!done) return done;
    }
    data_.merges = reader.take();
    return true;
  }

  Done read_ends() {
    auto ends = read_end_steps(root_);
    if (!ends) return Err{ends.error()};
    data_.add_bos = ends.value().bos.has_value();
    data_.add_eos = ends.value().eos.has_value();
    data_.bos = data_.add_bos ? ends.value().bos : hints_.bos;
    data_.eos = data_.add_eos ? ends.value().eos : hints_.eos;
    return true;
  }

  const json& root_;
  const TokenizerHints& hints_;
  const json* model_ = nullptr;
  bool byte_fallback_ = false;
  std::string unknown_;
  std::vector<const std::string*> texts_;
  std::vector<Added> added_;
  TokenizerData data_;
};

}  // namespace

base::Result<TokenizerData, TokenizerError> tokenizer_from_json(std::string_view file, const TokenizerHints& hints) {
  if (file.size() > tokenizer_limits::kJsonBytes) {
    return fail(TokenizerCause::kJson, fmt::format("{} bytes, at most {}", file.size(), tokenizer_limits::kJsonBytes));
  }
  const json root = json::parse(file, nullptr, false);
  if (root.is_discarded()) return fail(TokenizerCause::kJson, "the file is not JSON");
  return TokenizerJsonReader(root, hints).read();
}

}  // namespace avow::model
