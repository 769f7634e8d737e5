// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_data.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <string_view>

#include "hash/keccak.hpp"

namespace avow::model {
namespace {

using base::append_be32;
using base::Bytes;
using base::ByteView;

constexpr std::uint32_t kVersion = 2;
constexpr std::string_view kTag = "avow.tokenizer";

void put_count(Bytes& out, std::size_t count) { append_be32(out, static_cast<std::uint32_t>(count)); }
void put_bytes(Bytes& out, std::string_view text) {
  for (const char c : text) out.push_back(static_cast<std::uint8_t>(c));
}
void put_string(Bytes& out, std::string_view text) {
  put_count(out, text.size());
  put_bytes(out, text);
}
void put_id(Bytes& out, const std::optional<TokenId>& id) {
  out.push_back(id ? 1 : 0);
  append_be32(out, id.value_or(0));
}

Bytes head() {
  Bytes out;
  put_bytes(out, kTag);
  append_be32(out, kVersion);
  return out;
}

// Canonical bytes from front to back. After the first problem everything reads as 0 or empty.
class CanonicalReader {
 public:
  explicit CanonicalReader(ByteView bytes) : rest_(bytes), size_(bytes.size()) {}

  void fail(TokenizerCause cause, const std::string& what) {
    if (!error_) error_ = TokenizerError{cause, fmt::format("{} at byte {}", what, size_ - rest_.size())};
    rest_ = {};
  }
  std::optional<TokenizerError> finish() {
    if (!error_ && !rest_.empty()) fail(TokenizerCause::kCount, "bytes are left");
    return std::move(error_);
  }

  ByteView take(std::size_t count) {
    if (count > rest_.size()) {
      fail(TokenizerCause::kMissing, "the end");
      return {};
    }
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  std::uint32_t number() {
    const ByteView bytes = take(4);
    return bytes.empty() ? 0 : base::load_be32(bytes.data());
  }
  template <typename E>
  void tag(E& out, std::uint8_t least, std::uint8_t largest) {
    const ByteView byte = take(1);
    if (byte.empty()) return;
    if (byte[0] < least || byte[0] > largest) return fail(TokenizerCause::kFieldType, fmt::format("tag {}", byte[0]));
    out = static_cast<E>(byte[0]);
  }
  void flag(bool& out) { tag(out, 0, 1); }
  void id(std::optional<TokenId>& out) {
    bool is_there = false;
    flag(is_there);
    const TokenId value = number();
    if (is_there) out = value;
    if (!is_there && value != 0) fail(TokenizerCause::kIdRange, "an id that is not there, and not 0");
  }
  // A count of things that take at least so many bytes each.
  std::size_t count(std::size_t largest, std::size_t bytes_each) {
    const std::size_t n = number();
    if (n > largest) fail(TokenizerCause::kCount, fmt::format("a count of {}, at most {}", n, largest));
    if (n > rest_.size() / bytes_each) fail(TokenizerCause::kMissing, fmt::format("a count of {}", n));
    return error_ ? 0 : n;
  }
  std::string text(std::size_t largest) {
    const ByteView bytes = take(count(largest, 1));
    return {bytes.begin(), bytes.end()};
  }

 private:
  ByteView rest_;
  std::size_t size_;
  std::optional<TokenizerError> error_;
};

void read_fields(CanonicalReader& reader, TokenizerData& data) {
  reader.tag(data.kind, 1, 3);
  reader.tag(data.pre_tokenizer, 0, static_cast<std::uint8_t>(PreTokenizer::kQwen2));
  reader.tag(data.space_prefix, 0, 3);
  reader.flag(data.to_nfc);
  reader.flag(data.add_bos);
  reader.flag(data.add_eos);
  reader.flag(data.ignore_merges);
  reader.id(data.bos);
  reader.id(data.eos);
  reader.id(data.unknown);
}

void read_lists(CanonicalReader& reader, TokenizerData& data) {
  namespace limits = tokenizer_limits;
  data.tokens.resize(reader.count(limits::kTokens, 4));
  std::size_t bytes = 0;
  for (std::string& token : data.tokens) {
    token = reader.text(limits::kTokenBytes);
    bytes += token.size();
  }
  if (bytes > limits::kVocabularyBytes) reader.fail(TokenizerCause::kCount, "more bytes of tokens than are read");
  data.types.resize(reader.count(limits::kTokens, 1));
  for (TokenType& type : data.types) reader.tag(type, 1, 6);
  data.scores.resize(reader.count(limits::kTokens, 4));
  for (std::uint32_t& score : data.scores) score = reader.number();
  data.merges.resize(reader.count(limits::kMerges, 8));
  for (Merge& merge : data.merges) merge = {reader.number(), reader.number()};
  data.chat_template = reader.text(limits::kTemplateBytes);
}

}  // namespace

Bytes canonical_bytes(const TokenizerData& data) {
  Bytes out = head();
  out.push_back(static_cast<std::uint8_t>(data.kind));
  out.push_back(static_cast<std::uint8_t>(data.pre_tokenizer));
  out.push_back(static_cast<std::uint8_t>(data.space_prefix));
  out.push_back(data.to_nfc ? 1 : 0);
  out.push_back(data.add_bos ? 1 : 0);
  out.push_back(data.add_eos ? 1 : 0);
  out.push_back(data.ignore_merges ? 1 : 0);
  put_id(out, data.bos);
  put_id(out, data.eos);
  put_id(out, data.unknown);
  put_count(out, data.tokens.size());
  for (const std::string& token : data.tokens) put_string(out, token);
  put_count(out, data.types.size());
  for (const TokenType type : data.types) out.push_back(static_cast<std::uint8_t>(type));
  put_count(out, data.scores.size());
  for (const std::uint32_t score : data.scores) append_be32(out, score);
  put_count(out, data.merges.size());
  for (const Merge& merge : data.merges) {
    append_be32(out, merge.left);
    append_be32(out, merge.right);
  }
  put_string(out, data.chat_template);
  return out;
}

base::Result<TokenizerData, TokenizerError> tokenizer_from_canonical(ByteView bytes) {
  CanonicalReader reader(bytes);
  const Bytes expected = head();
  const ByteView given = reader.take(expected.size());
  if (!std::equal(expected.begin(), expected.end(), given.begin(), given.end())) {
    reader.fail(TokenizerCause::kUnsupported, "no tokenizer, or one of another version");
  }
  TokenizerData data;
  read_fields(reader, data);
  read_lists(reader, data);
  if (auto error = reader.finish()) return base::Err{std::move(*error)};
  return data;
}

base::Digest tokenizer_digest(const TokenizerData& data) { return hash::keccak256(canonical_bytes(data)); }

}  // namespace avow::model
