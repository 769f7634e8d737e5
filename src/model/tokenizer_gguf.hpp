// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/tokenizer_data.hpp"
#include "model/tokenizer_error.hpp"

namespace avow::model {

/// The metadata of a GGUF file by key, as a tokenizer needs it. A value of another type than asked for is nothing.
/// Strings stay valid as long as the metadata does.
class TokenizerMetadata {
 public:
  TokenizerMetadata() = default;
  virtual ~TokenizerMetadata() = default;
  TokenizerMetadata(const TokenizerMetadata&) = delete;
  TokenizerMetadata& operator=(const TokenizerMetadata&) = delete;
  TokenizerMetadata(TokenizerMetadata&&) = delete;
  TokenizerMetadata& operator=(TokenizerMetadata&&) = delete;

  [[nodiscard]] virtual bool has(std::string_view key) const = 0;
  [[nodiscard]] virtual std::optional<std::string_view> string(std::string_view key) const = 0;
  /// Any integer type; a negative number is as in two's complement of 64 bits.
  [[nodiscard]] virtual std::optional<std::uint64_t> integer(std::string_view key) const = 0;
  [[nodiscard]] virtual std::optional<bool> boolean(std::string_view key) const = 0;
  [[nodiscard]] virtual std::optional<std::vector<std::string_view>> strings(std::string_view key) const = 0;
  /// An array of any integer type, as integer().
  [[nodiscard]] virtual std::optional<std::vector<std::uint64_t>> integers(std::string_view key) const = 0;
  /// An array of binary32 as its bits.
  [[nodiscard]] virtual std::optional<std::vector<std::uint32_t>> float_bits(std::string_view key) const = 0;
};

/// The tokenizer of a GGUF file: kinds "llama" and "gpt2", pre-tokenisers as spec/tokenizer.md, section 6, lists them.
/// What it returns has yet to pass Tokenizer::create().
[[nodiscard]] base::Result<TokenizerData, TokenizerError> tokenizer_from_gguf(const TokenizerMetadata& metadata);

}  // namespace avow::model
