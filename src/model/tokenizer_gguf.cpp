// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_gguf.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "model/tokenizer_bytes.hpp"
#include "model/tokenizer_merges.hpp"

namespace avow::model {
namespace {

using base::Err;
using Done = base::Result<bool, TokenizerError>;

constexpr const char* kModel = "tokenizer.ggml.model";
constexpr const char* kPre = "tokenizer.ggml.pre";
constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTokenTypes = "tokenizer.ggml.token_type";
constexpr const char* kScores = "tokenizer.ggml.scores";
constexpr const char* kMergesKey = "tokenizer.ggml.merges";
constexpr const char* kTemplate = "tokenizer.chat_template";

// Fills one field after the other and remembers the first thing that is wrong.
class TokenizerGgufReader {
 public:
  explicit TokenizerGgufReader(const TokenizerMetadata& metadata) : metadata_(metadata) {}

  base::Result<TokenizerData, TokenizerError> read() {
    for (const auto step :
         {&TokenizerGgufReader::read_kind, &TokenizerGgufReader::read_tokens, &TokenizerGgufReader::read_types,
          &TokenizerGgufReader::read_scores, &TokenizerGgufReader::read_ids, &TokenizerGgufReader::read_switches,
          &TokenizerGgufReader::read_merges}) {
      if (Done done = (this->*step)(); !done) return Err{done.error()};
    }
    return std::move(data_);
  }

 private:
  // A value of the key: nothing if there is no such key, an error if the type is another.
  template <typename T>
  base::Result<std::optional<T>, TokenizerError> value_of(const char* key,
                                                          std::optional<T> (TokenizerMetadata::*get)(std::string_view)
                                                              const) const {
    std::optional<T> value = (metadata_.*get)(key);
    if (!value && metadata_.has(key)) return fail(TokenizerCause::kFieldType, key);
    return value;
  }
  template <typename T>
  base::Result<T, TokenizerError> needed(const char* key,
                                         std::optional<T> (TokenizerMetadata::*get)(std::string_view) const) const {
    auto value = value_of(key, get);
    if (!value) return Err{value.error()};
    if (!value.value()) return fail(TokenizerCause::kMissing, key);
    return std::move(*value.value());
  }

  Done read_kind() {
    const auto model = needed(kModel, &TokenizerMetadata::string);
    if (!model) return Err{model.error()};
    if (model.value() == "llama") {
      data_.kind = TokenizerKind::kSpm;
      return true;
    }
    if (model.value() != "gpt2") {
      return fail(TokenizerCause::kUnsupported, fmt::format("{} is {}", kModel, shown_bytes(model.value())));
    }
    data_.kind = TokenizerKind::kByteLevelBpe;
    const auto pre = needed(kPre, &TokenizerMetadata::string);
    if (!pre) return Err{pre.error()};
    constexpr std::array<std::pair<std::string_view, PreTokenizer>, 5> kNames{{{"gpt-2", PreTokenizer::kGpt2},
                                                                               {"llama-bpe", PreTokenizer::kLlama3},
                                                                               {"llama3", PreTokenizer::kLlama3},
                                                                               {"llama-v3", PreTokenizer::kLlama3},
                                                                               {"qwen2", PreTokenizer::kQwen2}}};
    for (const auto& [known, kind] : kNames) {
      if (pre.value() == known) data_.pre_tokenizer = kind;
    }
    if (data_.pre_tokenizer == PreTokenizer::kNone) {
      return fail(TokenizerCause::kUnsupported, fmt::format("{} is {}", kPre, shown_bytes(pre.value())));
    }
    return true;
  }

  Done read_tokens() {
    const auto tokens = needed(kTokens, &TokenizerMetadata::strings);
    if (!tokens) return Err{tokens.error()};
    if (tokens.value().size() > tokenizer_limits::kTokens) {
      return fail(TokenizerCause::kCount, fmt::format("{} tokens", tokens.value().size()));
    }
    data_.tokens.assign(tokens.value().begin(), tokens.value().end());
    return true;
  }

  Done read_types() {
    const auto types = value_of(kTokenTypes, &TokenizerMetadata::integers);
    if (!types) return Err{types.error()};
    if (!types.value()) {
      data_.types.assign(data_.tokens.size(), TokenType::kNormal);
    } else {
      for (const std::uint64_t type : *types.value()) {
        if (type < 1 || type > 6) return fail(TokenizerCause::kTypes, fmt::format("{} holds {}", kTokenTypes, type));
        data_.types.push_back(static_cast<TokenType>(type));
      }
    }
    if (data_.types.size() != data_.tokens.size()) {
      return fail(TokenizerCause::kTypes, fmt::format("{} types, {} tokens", data_.types.size(), data_.tokens.size()));
    }
    return data_.kind == TokenizerKind::kByteLevelBpe ? decode_byte_alphabet(data_) : Done(true);
  }

  Done read_scores() {
    if (data_.kind != TokenizerKind::kSpm) return true;
    auto scores = needed(kScores, &TokenizerMetadata::float_bits);
    if (!scores) return Err{scores.error()};
    data_.scores = std::move(scores).value();
    for (std::uint32_t& bits : data_.scores) {
      if (bits == 0x80000000) bits = 0;
    }
    return true;
  }

  // An id, or what the format says is one where the key is missing. All ones means none.
  Done read_id(const char* key, std::optional<TokenId> otherwise, std::optional<TokenId>& id) const {
    const auto value = value_of(key, &TokenizerMetadata::integer);
    if (!value) return Err{value.error()};
    id = otherwise;
    if (!value.value()) return true;
    if (*value.value() == 0xffffffff || *value.value() == ~std::uint64_t{0}) {
      id.reset();
      return true;
    }
    if (*value.value() >= data_.tokens.size()) {
      return fail(TokenizerCause::kIdRange, fmt::format("{} is {} of {}", key, *value.value(), data_.tokens.size()));
    }
    id = static_cast<TokenId>(*value.value());
    return true;
  }

  Done read_ids() {
    const bool spm = data_.kind == TokenizerKind::kSpm;
    const auto otherwise = [&](TokenId id) {
      return spm && id < data_.tokens.size() ? std::optional<TokenId>(id) : std::nullopt;
    };
    if (Done done = read_id("tokenizer.ggml.bos_token_id", otherwise(1), data_.bos); !done) return done;
    if (Done done = read_id("tokenizer.ggml.eos_token_id", otherwise(2), data_.eos); !done) return done;
    return read_id("tokenizer.ggml.unknown_token_id", otherwise(0), data_.unknown);
  }

  Done read_switch(const char* key, bool otherwise, bool& on) const {
    const auto value = value_of(key, &TokenizerMetadata::boolean);
    if (!value) return Err{value.error()};
    on = value.value().value_or(otherwise);
    return true;
  }

  Done read_switches() {
    const bool spm = data_.kind == TokenizerKind::kSpm;
    const bool llama3 = data_.pre_tokenizer == PreTokenizer::kLlama3;
    bool space = false;
    const bool add_bos = (spm || llama3) && data_.bos.has_value();
    if (Done done = read_switch("tokenizer.ggml.add_bos_token", add_bos, data_.add_bos); !done) return done;
    if (Done done = read_switch("tokenizer.ggml.add_eos_token", false, data_.add_eos); !done) return done;
    if (Done done = read_switch("tokenizer.ggml.add_space_prefix", spm, space); !done) return done;
    if (space && !spm) return fail(TokenizerCause::kUnsupported, "tokenizer.ggml.add_space_prefix with gpt2");
    data_.space_prefix = space ? SpacePrefix::kAlways : SpacePrefix::kNever;
    data_.ignore_merges = llama3;
    // The file names the tokenizer alone; Qwen2's normalises.
    data_.to_nfc = data_.pre_tokenizer == PreTokenizer::kQwen2;
    bool whitespace = false;
    if (Done done = read_switch("tokenizer.ggml.remove_extra_whitespaces", false, whitespace); !done) return done;
    if (whitespace) return fail(TokenizerCause::kUnsupported, "tokenizer.ggml.remove_extra_whitespaces");
    const auto chat_template = value_of(kTemplate, &TokenizerMetadata::string);
    if (!chat_template) return Err{chat_template.error()};
    data_.chat_template = chat_template.value().value_or("");
    return true;
  }

  Done read_merges() {
    if (data_.kind != TokenizerKind::kByteLevelBpe) return true;
    const auto merges = needed(kMergesKey, &TokenizerMetadata::strings);
    if (!merges) return Err{merges.error()};
    MergeReader reader(data_);
    for (const std::string_view merge : merges.value()) {
      if (Done done = reader.add(merge); !done) return done;
    }
    data_.merges = reader.take();
    return true;
  }

  const TokenizerMetadata& metadata_;
  TokenizerData data_;
};

}  // namespace

base::Result<TokenizerData, TokenizerError> tokenizer_from_gguf(const TokenizerMetadata& metadata) {
  return TokenizerGgufReader(metadata).read();
}

}  // namespace avow::model
