// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/bpe.hpp"
#include "model/spm.hpp"
#include "model/tokenizer_data.hpp"
#include "model/tokenizer_error.hpp"
#include "model/tokenizer_index.hpp"
#include "model/tokenizer_special.hpp"

namespace avow::model {

/// What stands before and behind the text's ids.
enum class Ends : std::uint8_t {
  kAsModel,  ///< as the vocabulary's add_bos and add_eos say
  kNone,
  kBos,  ///< the beginning token, whatever add_bos says, and no end
};

/// What the bytes of a control or unknown token in the text are. Never kParse for text from somebody else: it could
/// speak in the name of the system.
enum class SpecialText : std::uint8_t { kText, kParse };

/// What a character becomes for which the vocabulary has no token and no byte tokens.
enum class Unencodable : std::uint8_t {
  kRefuse,   ///< an error
  kUnknown,  ///< a run of such characters is one unknown token
};

struct EncodeOptions {
  Ends ends = Ends::kAsModel;
  SpecialText special = SpecialText::kText;
  Unencodable unencodable = Unencodable::kRefuse;
  /// More ids are an error: a context that the caller has.
  std::size_t max_tokens = std::numeric_limits<std::size_t>::max();
};

/// A piece of a prompt: a token by its id, or text.
struct PromptPiece {
  std::optional<TokenId> token = {};
  std::string text = {};  ///< where there is no token
};

/// Where decoded ids stand: at a text's start the space that SpacePrefix has put there is taken away.
enum class DecodeFrom : std::uint8_t { kStart, kMiddle };

/// Text to ids and back, as spec/tokenizer.md says. Immutable; safe for any number of threads. All of it copes with any
/// bytes; what data it accepts is sound: every id that it returns is below token_count().
class Tokenizer {
 public:
  /// Checks everything: the data may come from a hostile file.
  [[nodiscard]] static base::Result<Tokenizer, TokenizerError> create(TokenizerData data);

  Tokenizer(Tokenizer&&) = default;
  Tokenizer& operator=(Tokenizer&&) = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;
  ~Tokenizer() = default;

  [[nodiscard]] const TokenizerData& data() const noexcept { return data_; }
  [[nodiscard]] std::size_t token_count() const noexcept { return data_.tokens.size(); }

  [[nodiscard]] base::Result<std::vector<TokenId>, TokenizerError> encode(std::string_view text,
                                                                          const EncodeOptions& options = {}) const;

  /// The ids of pieces, one after the other, without ends. Texts are encoded as by SpecialText::kText, but that no
  /// token of `barred` comes from them: not even user-defined ones are looked for, and where merging yields one, that
  /// is an error (kMarker). The tokens of the pieces and of `barred` are below token_count().
  [[nodiscard]] base::Result<std::vector<TokenId>, TokenizerError> encode_pieces(std::span<const PromptPiece> pieces,
                                                                                 std::span<const TokenId> barred,
                                                                                 Unencodable unencodable) const;

  /// The bytes that the ids stand for; decode(encode(x)) == x, exactly, with the exceptions that spec/tokenizer.md
  /// lists. Control and unused tokens have no bytes, an unknown one is U+FFFD. An id beyond the vocabulary is an error.
  [[nodiscard]] base::Result<std::string, TokenizerError> decode(std::span<const TokenId> ids,
                                                                 DecodeFrom from = DecodeFrom::kStart) const;

  /// What the token's bytes are, wherever it stands: of a control token its name. The id is below token_count().
  [[nodiscard]] std::string piece(TokenId id) const;

  /// Whether the token can come from plain text in no way (control, unknown, unused). The id is below token_count().
  [[nodiscard]] bool is_control(TokenId id) const noexcept;

 private:
  friend class StreamDecoder;
  struct Run;

  explicit Tokenizer(TokenizerData data);

  [[nodiscard]] base::Result<bool, TokenizerError> encode_text(Run& run, const SpecialTokens& special,
                                                               std::string_view text, bool first) const;
  [[nodiscard]] base::Result<bool, TokenizerError> encode_plain(Run& run, std::string_view given, bool first) const;
  [[nodiscard]] base::Result<bool, TokenizerError> encode_byte_level(Run& run, std::string_view text) const;
  [[nodiscard]] base::Result<bool, TokenizerError> encode_characters(Run& run, std::string_view text) const;
  [[nodiscard]] base::Result<bool, TokenizerError> encode_segment(Run& run, std::string_view text) const;
  [[nodiscard]] base::Result<bool, TokenizerError> encode_word(Run& run, std::string_view word) const;
  [[nodiscard]] base::Result<bool, TokenizerError> put_unknown(Run& run, std::string_view bytes) const;
  [[nodiscard]] base::Result<bool, TokenizerError> put_symbol(Run& run, std::string_view bytes, TokenId id) const;
  [[nodiscard]] bool has_byte_tokens() const noexcept { return byte_ids_[0] != kNoToken; }

  TokenizerData data_;
  TokenIndex index_;      // what merging may yield
  CharacterPairs pairs_;  // not for kByteLevelBpe
  // Where an unused token is cut depends on the whole text: then it is merged in one piece.
  bool has_unused_ = false;
  MergeTable merges_;                      // the kinds with merges
  SpecialTokens always_special_;           // user-defined
  SpecialTokens parsed_special_;           // and control, and unknown
  std::vector<std::uint32_t> priorities_;  // kSpm: of each token, the best score lowest
  std::array<TokenId, 256> byte_ids_{};    // kByteLevelBpe: of one byte; otherwise byte tokens; kNoToken for none
};

/// Decoding id by id for display: text comes out as soon as its characters are whole, and all that comes out, joined,
/// is what decode() gives. Refers to the tokenizer.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, DecodeFrom from = DecodeFrom::kStart) noexcept
      : tokenizer_(&tokenizer), strip_space_(from == DecodeFrom::kStart) {}

  /// The bytes that this id completes: never the beginning of a well-formed character without its rest.
  [[nodiscard]] base::Result<std::string, TokenizerError> feed(TokenId id);
  /// What is left: the beginning of a character that never came to its end.
  [[nodiscard]] std::string finish();

 private:
  friend class Tokenizer;
  // Adds the id's bytes to `out`.
  void append(TokenId id, std::string& out);

  const Tokenizer* tokenizer_;
  bool strip_space_;
  std::string pending_;
};

}  // namespace avow::model
