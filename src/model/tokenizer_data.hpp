// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/pretokenize.hpp"
#include "model/tokenizer_error.hpp"

namespace avow::model {

using TokenId = std::uint32_t;

/// How symbols are merged. The numbers are those of the canonical bytes.
enum class TokenizerKind : std::uint8_t {
  kSpm = 1,           ///< SentencePiece's BPE: characters, best score first
  kByteLevelBpe = 2,  ///< GPT-2's BPE: bytes of words, first merge first
  kCharacterBpe = 3,  ///< characters of the whole text, first merge first
};

enum class TokenType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,      ///< stands for characters without a token
  kControl = 3,      ///< never comes from plain text, and has no text of its own
  kUserDefined = 4,  ///< found in text before anything else
  kUnused = 5,       ///< never comes from text
  kByte = 6,         ///< `<0xNN>`: one byte of a character without a token; not in kByteLevelBpe
};

/// When a space is put before a text that is not empty: at its start and behind each special token.
enum class SpacePrefix : std::uint8_t {
  kNever = 0,
  kAlways = 1,
  kUnlessSpace = 2,       ///< not before a space
  kFirstUnlessSpace = 3,  ///< only at the start of the whole text, and not before a space
};

struct Merge {
  TokenId left = 0;
  TokenId right = 0;
  friend bool operator==(const Merge&, const Merge&) = default;
};

/// A tokenizer as a model file has it. Strings are bytes.
struct TokenizerData {
  TokenizerKind kind = TokenizerKind::kSpm;
  /// kByteLevelBpe: normal and unused tokens are the bytes that they stand for; everything else is the file's text, in
  /// which U+2581 is a space and `<0xNN>` a byte.
  std::vector<std::string> tokens;
  std::vector<TokenType> types;
  /// kSpm: the bits of an IEEE-754 binary32 for each token, no NaN; +0 for -0. Otherwise empty.
  std::vector<std::uint32_t> scores;
  /// kByteLevelBpe, kCharacterBpe: first merge first; the result is the token of the joined bytes. Otherwise empty.
  std::vector<Merge> merges;
  PreTokenizer pre_tokenizer = PreTokenizer::kNone;  ///< kNone unless kByteLevelBpe
  SpacePrefix space_prefix = SpacePrefix::kNever;
  bool to_nfc = false;  ///< kByteLevelBpe: text around special tokens is normalised, before a space goes before it
  bool add_bos = false;
  bool add_eos = false;
  bool ignore_merges = false;  ///< kByteLevelBpe: a word that is a token is that token, whatever its merges say
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  std::optional<TokenId> unknown;
  std::string chat_template;  ///< the file's, as it is; empty if there is none

  friend bool operator==(const TokenizerData&, const TokenizerData&) = default;
};

namespace tokenizer_limits {
inline constexpr std::size_t kTokens = std::size_t{1} << 20;
inline constexpr std::size_t kMerges = std::size_t{1} << 21;
inline constexpr std::size_t kTokenBytes = 1024;
inline constexpr std::size_t kSpecialBytes = 128;                      ///< of a token that is searched for in text
inline constexpr std::size_t kVocabularyBytes = std::size_t{1} << 26;  ///< of all tokens
inline constexpr std::size_t kTemplateBytes = std::size_t{1} << 20;
inline constexpr std::size_t kTextBytes = std::size_t{1} << 26;  ///< of a text to encode
inline constexpr std::size_t kJsonBytes = std::size_t{1} << 26;
}  // namespace tokenizer_limits

/// The canonical bytes of spec/tokenizer.md, section 9. Equal exactly for equal data.
[[nodiscard]] base::Bytes canonical_bytes(const TokenizerData& data);

/// The data that have exactly these bytes; untrusted bytes. What they say is as hostile as any file: Tokenizer::create
/// checks it.
[[nodiscard]] base::Result<TokenizerData, TokenizerError> tokenizer_from_canonical(base::ByteView bytes);

/// keccak256 of the canonical bytes.
[[nodiscard]] base::Digest tokenizer_digest(const TokenizerData& data);

}  // namespace avow::model
