// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_data.hpp"

#include <string_view>

#include "hash/keccak.hpp"

namespace avow::model {
namespace {

using base::append_be32;
using base::Bytes;

constexpr std::uint32_t kVersion = 1;
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

}  // namespace

Bytes canonical_bytes(const TokenizerData& data) {
  Bytes out;
  put_bytes(out, kTag);
  append_be32(out, kVersion);
  out.push_back(static_cast<std::uint8_t>(data.kind));
  out.push_back(static_cast<std::uint8_t>(data.pre_tokenizer));
  out.push_back(static_cast<std::uint8_t>(data.space_prefix));
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

base::Digest tokenizer_digest(const TokenizerData& data) { return hash::keccak256(canonical_bytes(data)); }

}  // namespace avow::model
