// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/check.hpp"
#include "model/normalise.hpp"
#include "model/spm.hpp"
#include "model/tokenizer_bytes.hpp"
#include "model/tokenizer_check.hpp"
#include "model/unicode.hpp"

namespace avow::model {
namespace {

using base::Err;
using Done = base::Result<bool, TokenizerError>;

}  // namespace

// One call of encode().
struct Tokenizer::Run {
  Unencodable unencodable;
  std::vector<TokenId> ids;
  bool after_unknown = false;  // the last id is an unknown token that further characters without one join
  Merger merger;
  std::vector<Symbol> symbols;

  void put(TokenId id) {
    ids.push_back(id);
    after_unknown = false;
  }
};

Tokenizer::Tokenizer(TokenizerData data) : data_(std::move(data)) {
  const std::vector<TokenId> mergeable = mergeable_ids(data_);
  index_ = TokenIndex(data_.tokens, mergeable);
  if (data_.kind != TokenizerKind::kByteLevelBpe) pairs_ = CharacterPairs(data_.tokens, mergeable);
  std::vector<TokenId> user_defined;
  std::vector<TokenId> all;
  byte_ids_.fill(kNoToken);
  for (TokenId id = 0; id < data_.tokens.size(); ++id) {
    const TokenType type = data_.types[id];
    if (type == TokenType::kUserDefined) user_defined.push_back(id);
    if (type == TokenType::kUserDefined || type == TokenType::kControl || type == TokenType::kUnknown)
      all.push_back(id);
    has_unused_ = has_unused_ || type == TokenType::kUnused;
    if (type == TokenType::kByte) byte_ids_.at(*byte_of_token(data_.tokens[id])) = id;
  }
  if (data_.kind == TokenizerKind::kByteLevelBpe) {
    for (std::size_t b = 0; b < 256; ++b) {
      const char byte = static_cast<char>(b);
      byte_ids_.at(b) = index_.find({&byte, 1}).value_or(kNoToken);
    }
  }
  always_special_ = SpecialTokens(data_.tokens, std::move(user_defined));
  parsed_special_ = SpecialTokens(data_.tokens, std::move(all));
  priorities_ = spm_priorities(data_.scores);
}

base::Result<Tokenizer, TokenizerError> Tokenizer::create(TokenizerData data) {
  if (Done checked = check_vocabulary(data); !checked) return Err{checked.error()};
  Tokenizer tokenizer(std::move(data));
  const auto results = merge_results(tokenizer.data_, tokenizer.index_);
  if (!results) return Err{results.error()};
  tokenizer.merges_ = MergeTable(tokenizer.data_.merges, results.value(), tokenizer.token_count());
  return tokenizer;
}

base::Result<std::vector<TokenId>, TokenizerError> Tokenizer::encode(std::string_view text,
                                                                     const EncodeOptions& options) const {
  if (text.size() > tokenizer_limits::kTextBytes) {
    return fail(TokenizerCause::kTextSize,
                fmt::format("{} bytes of text, at most {}", text.size(), tokenizer_limits::kTextBytes));
  }
  const bool as_model = options.ends == Ends::kAsModel;
  const bool with_bos = options.ends == Ends::kBos || (as_model && data_.add_bos);
  if (with_bos && !data_.bos) return fail(TokenizerCause::kNoSpecial, "the vocabulary has no beginning token");

  Run run{options.unencodable, {}, false, {}, {}};
  if (with_bos) run.put(*data_.bos);
  const SpecialTokens& special = options.special == SpecialText::kParse ? parsed_special_ : always_special_;
  if (Done done = encode_text(run, special, text, true); !done) return Err{done.error()};
  if (as_model && data_.add_eos) run.put(*data_.eos);

  if (run.ids.size() > options.max_tokens) {
    return fail(TokenizerCause::kTooManyTokens,
                fmt::format("{} tokens, at most {}", run.ids.size(), options.max_tokens));
  }
  return std::move(run.ids);
}

Done Tokenizer::encode_text(Run& run, const SpecialTokens& special, std::string_view text, bool first) const {
  std::size_t at = 0;
  for (auto match = special.find(text, at); match; match = special.find(text, at)) {
    Done done = encode_plain(run, text.substr(at, match->begin - at), first && at == 0);
    if (!done) return done;
    run.put(match->id);
    at = match->begin + data_.tokens[match->id].size();
  }
  return encode_plain(run, text.substr(at), first && at == 0);
}

base::Result<std::vector<TokenId>, TokenizerError> Tokenizer::encode_pieces(std::span<const PromptPiece> pieces,
                                                                            std::span<const TokenId> barred,
                                                                            Unencodable unencodable) const {
  std::size_t size = 0;
  for (const PromptPiece& piece : pieces) size += piece.text.size();
  if (size > tokenizer_limits::kTextBytes) {
    return fail(TokenizerCause::kTextSize,
                fmt::format("{} bytes of text, at most {}", size, tokenizer_limits::kTextBytes));
  }
  std::vector<TokenId> wanted;
  std::vector<bool> is_barred(token_count());
  for (const TokenId id : barred) is_barred.at(id) = true;
  for (TokenId id = 0; id < token_count(); ++id) {
    if (data_.types[id] == TokenType::kUserDefined && !is_barred[id]) wanted.push_back(id);
  }
  const SpecialTokens special(data_.tokens, std::move(wanted));

  Run run{unencodable, {}, false, {}, {}};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].token) {
      AVOW_CHECK(*pieces[i].token < token_count());
      run.put(*pieces[i].token);
      continue;
    }
    const std::size_t begin = run.ids.size();
    if (Done done = encode_text(run, special, pieces[i].text, i == 0); !done) return Err{done.error()};
    for (std::size_t at = begin; at < run.ids.size(); ++at) {
      if (!is_barred[run.ids[at]]) continue;
      return fail(TokenizerCause::kMarker,
                  fmt::format("text that becomes the token {}", shown_bytes(data_.tokens[run.ids[at]])));
    }
  }
  return std::move(run.ids);
}

Done Tokenizer::encode_plain(Run& run, std::string_view given, bool first) const {
  if (given.empty()) return true;
  const std::string normalised = data_.to_nfc ? to_nfc(given) : std::string();
  const std::string_view text = data_.to_nfc ? normalised : given;
  const bool byte_level = data_.kind == TokenizerKind::kByteLevelBpe;
  const bool spaced = text[0] == ' ' || (!byte_level && text.substr(0, kSpaceMark.size()) == kSpaceMark);
  bool prefix = false;
  switch (data_.space_prefix) {
    case SpacePrefix::kNever:
      break;
    case SpacePrefix::kAlways:
      prefix = true;
      break;
    case SpacePrefix::kUnlessSpace:
      prefix = !spaced;
      break;
    case SpacePrefix::kFirstUnlessSpace:
      prefix = first && !spaced;
      break;
  }
  run.after_unknown = false;
  if (byte_level && !prefix) return encode_byte_level(run, text);
  std::string spaced_text(prefix ? " " : "");
  spaced_text += text;
  return byte_level ? encode_byte_level(run, spaced_text) : encode_characters(run, mark_spaces(spaced_text));
}

Done Tokenizer::encode_byte_level(Run& run, std::string_view text) const {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, first_word(data_.pre_tokenizer, text));
    if (Done done = encode_word(run, word); !done) return done;
    text.remove_prefix(word.size());
  }
  return true;
}

Done Tokenizer::encode_word(Run& run, std::string_view word) const {
  if (data_.ignore_merges) {
    if (const auto id = index_.find(word)) {
      run.put(*id);
      return true;
    }
  }
  run.symbols.clear();
  for (std::uint32_t i = 0; i < word.size(); ++i) {
    run.symbols.push_back({i, 1, byte_ids_.at(static_cast<std::uint8_t>(word[i]))});
  }
  run.merger.merge(run.symbols,
                   [this](const Symbol& left, const Symbol& right) { return merges_.find(left.id, right.id); });
  for (const Symbol& symbol : run.symbols) {
    if (symbol.id != kNoToken) {
      run.put(symbol.id);
    } else if (Done done = put_unknown(run, word.substr(symbol.begin, symbol.size)); !done) {
      return done;
    }
  }
  return true;
}

Done Tokenizer::encode_characters(Run& run, std::string_view text) const {
  while (!text.empty()) {
    const std::string_view segment = text.substr(0, has_unused_ ? text.size() : pairs_.first_segment(text));
    if (Done done = encode_segment(run, segment); !done) return done;
    text.remove_prefix(segment.size());
  }
  return true;
}

Done Tokenizer::encode_segment(Run& run, std::string_view text) const {
  run.symbols.clear();
  for (std::uint32_t at = 0; at < text.size();) {
    const std::uint32_t size = first_char(text.substr(at)).size_bytes;
    run.symbols.push_back({at, size, index_.find(text.substr(at, size)).value_or(kNoToken)});
    at += size;
  }
  if (data_.kind == TokenizerKind::kCharacterBpe) {
    run.merger.merge(run.symbols,
                     [this](const Symbol& left, const Symbol& right) { return merges_.find(left.id, right.id); });
  } else {
    UnusedSplits splits;
    run.merger.merge(run.symbols, SpmLookUp(text, index_, priorities_, data_.types, splits));
    splits.resolve(text, index_, data_.types, run.symbols);
  }
  for (const Symbol& symbol : run.symbols) {
    Done done = put_symbol(run, text.substr(symbol.begin, symbol.size), symbol.id);
    if (!done) return done;
  }
  return true;
}

Done Tokenizer::put_symbol(Run& run, std::string_view bytes, TokenId id) const {
  if (id != kNoToken && data_.types[id] != TokenType::kUnused) {
    run.put(id);
    return true;
  }
  if (!has_byte_tokens()) return put_unknown(run, bytes);
  for (const char byte : bytes) run.put(byte_ids_.at(static_cast<std::uint8_t>(byte)));
  return true;
}

Done Tokenizer::put_unknown(Run& run, std::string_view bytes) const {
  if (run.unencodable == Unencodable::kRefuse) {
    return fail(TokenizerCause::kUnencodable, fmt::format("no token for {}", shown_bytes(bytes)));
  }
  if (!data_.unknown) return fail(TokenizerCause::kNoSpecial, "the vocabulary has no unknown token");
  if (!run.after_unknown) run.put(*data_.unknown);
  run.after_unknown = true;
  return true;
}

}  // namespace avow::model
