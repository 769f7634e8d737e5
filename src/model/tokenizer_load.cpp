// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_load.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/mapped_file.hpp"
#include "model/gguf.hpp"
#include "model/json_reader.hpp"
#include "model/tokenizer_gguf.hpp"
#include "model/tokenizer_json.hpp"

namespace avow::model {
namespace {

using base::Err;
using nlohmann::json;
using LoadStep = base::Result<bool, TokenizerFileError>;

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie in the file");

constexpr std::size_t kHintsDepth = 32;  // of config.json and tokenizer_config.json

Err<TokenizerFileError> refused_file(const ReadError& error) {
  return {TokenizerFileError{error.cause, error.file, error.offset, error.reason}};
}
Err<TokenizerFileError> refused_value(const std::string& file, std::uint64_t offset, const TokenizerError& error) {
  return {TokenizerFileError{error.cause, file, offset, error.text}};
}

// The metadata of a parsed file, in the form that the tokenizer's reader asks for.
class GgufMetadata final : public TokenizerMetadata {
 public:
  explicit GgufMetadata(const GgufFile& gguf) : gguf_(gguf) {}

  [[nodiscard]] bool has(std::string_view key) const override { return gguf_.has(key); }
  [[nodiscard]] std::optional<std::string_view> string(std::string_view key) const override {
    return value_or_nothing(gguf_.text(key));
  }
  [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view key) const override {
    const GgufValue* value = value_at(key, false);
    return value == nullptr || !is_integer(value->type) ? std::nullopt : std::optional(integer_at(*value, 0));
  }
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const override {
    return has(key) ? value_or_nothing(gguf_.truth(key, false)) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::vector<std::string_view>> strings(std::string_view key) const override {
    return value_or_nothing(gguf_.texts(key));
  }
  [[nodiscard]] std::optional<std::vector<std::uint64_t>> integers(std::string_view key) const override {
    const GgufValue* value = value_at(key, true);
    if (value == nullptr || !is_integer(value->type)) return std::nullopt;
    std::vector<std::uint64_t> out(value->count);
    for (std::uint64_t i = 0; i < out.size(); ++i) out[i] = integer_at(*value, i);
    return out;
  }
  [[nodiscard]] std::optional<std::vector<std::uint32_t>> float_bits(std::string_view key) const override {
    const GgufValue* value = value_at(key, true);
    if (value == nullptr || value->type != GgufType::kF32) return std::nullopt;
    std::vector<std::uint32_t> out(value->count);
    if (!out.empty()) std::memcpy(out.data(), value->bytes.data(), out.size() * sizeof(std::uint32_t));
    return out;
  }

 private:
  template <typename T>
  static std::optional<T> value_or_nothing(base::Result<T, ReadError> result) {
    return result ? std::optional<T>(std::move(result).value()) : std::nullopt;
  }
  static bool is_integer(GgufType type) {
    return type != GgufType::kF32 && type != GgufType::kF64 && type != GgufType::kBool && type != GgufType::kString &&
           type != GgufType::kArray;
  }
  [[nodiscard]] const GgufValue* value_at(std::string_view key, bool is_array) const {
    const auto at = gguf_.metadata().find(key);
    return at == gguf_.metadata().end() || at->second.is_array != is_array ? nullptr : &at->second;
  }
  static std::uint64_t integer_at(const GgufValue& value, std::uint64_t index) {
    const std::size_t size = element_bytes(value.type);
    std::uint64_t out = 0;
    std::memcpy(&out, value.bytes.data() + index * size, size);
    const bool is_signed = value.type == GgufType::kI8 || value.type == GgufType::kI16 || value.type == GgufType::kI32;
    const unsigned bits = static_cast<unsigned>(size) * 8;
    if (is_signed && (out >> (bits - 1)) != 0) out |= ~std::uint64_t{0} << bits;
    return out;
  }

  const GgufFile& gguf_;
};

// The key whose value is wrong, where the reason does not name one.
const char* key_of(TokenizerCause cause) {
  switch (cause) {
    case TokenizerCause::kTypes:
      return "tokenizer.ggml.token_type";
    case TokenizerCause::kScores:
      return "tokenizer.ggml.scores";
    case TokenizerCause::kMerge:
    case TokenizerCause::kRepeatedMerge:
      return "tokenizer.ggml.merges";
    case TokenizerCause::kCount:
    case TokenizerCause::kTokenSize:
    case TokenizerCause::kRepeatedToken:
    case TokenizerCause::kByteTokens:
    case TokenizerCause::kSpaceToken:
    case TokenizerCause::kNotByteLevel:
      return "tokenizer.ggml.tokens";
    default:
      return "";
  }
}

Err<TokenizerFileError> refused_metadata(const GgufFile& gguf, const TokenizerError& error) {
  const auto& metadata = gguf.metadata();
  auto at = metadata.find(key_of(error.cause));
  for (auto key = metadata.lower_bound("tokenizer."); key != metadata.end(); ++key) {
    if (!key->first.starts_with("tokenizer.")) break;
    const auto& text = error.text;
    if (text.starts_with(key->first) && (text.size() == key->first.size() || text[key->first.size()] == ' ')) at = key;
  }
  return refused_value(gguf.file(), at == metadata.end() ? 0 : at->second.offset, error);
}

std::string_view characters_of(base::ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT: bytes as characters
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

base::Result<base::MappedFile, TokenizerFileError> mapped(const std::string& path) {
  auto file = base::MappedFile::open(path);
  if (!file) return refused_file({Cause::kOpen, path, 0, file.error()});
  return std::move(file).value();
}

LoadStep read_id_hint(const json& config, const std::string& file, const char* key, std::optional<TokenId>& id) {
  auto at = config.find(key);
  if (at == config.end() || at->is_null()) return true;
  const json& value = at->is_array() && !at->empty() ? at->front() : *at;
  if (!value.is_number_unsigned()) {
    return refused_value(file, 0, {TokenizerCause::kFieldType, fmt::format("{} is no id", key)});
  }
  if (value.get<std::uint64_t>() >= tokenizer_limits::kTokens) {
    return refused_value(file, 0, {TokenizerCause::kIdRange, fmt::format("{} is {}", key, value.get<std::uint64_t>())});
  }
  id = value.get<TokenId>();
  return true;
}

LoadStep read_config(const std::string& path, TokenizerHints& hints) {
  if (!is_there(path)) return true;
  const auto file = mapped(path);
  if (!file) return Err{file.error()};
  const auto config = parse_json(file.value().bytes(), path, 0, kHintsDepth);
  if (!config) return refused_file(config.error());
  if (LoadStep step = read_id_hint(config.value(), path, "bos_token_id", hints.bos); !step) return step;
  return read_id_hint(config.value(), path, "eos_token_id", hints.eos);
}

LoadStep read_template_file(const std::string& path, TokenizerHints& hints) {
  const auto file = mapped(path);
  if (!file) return Err{file.error()};
  if (file.value().bytes().size() > tokenizer_limits::kTemplateBytes) {
    const std::size_t size = file.value().bytes().size();
    return refused_value(path, 0, {TokenizerCause::kCount, fmt::format("a chat template of {} bytes", size)});
  }
  hints.chat_template = characters_of(file.value().bytes());
  return true;
}

LoadStep read_template_field(const std::string& path, TokenizerHints& hints) {
  if (!is_there(path)) return true;
  const auto file = mapped(path);
  if (!file) return Err{file.error()};
  const auto config = parse_json(file.value().bytes(), path, 0, kHintsDepth);
  if (!config) return refused_file(config.error());
  const auto at = config.value().find("chat_template");
  if (at == config.value().end() || at->is_null()) return true;
  const json* found = at->is_string() ? &*at : nullptr;
  if (at->is_array()) {
    for (const json& entry : *at) {
      const auto name = entry.find("name");
      const auto text = entry.find("template");
      if (name != entry.end() && text != entry.end() && *name == "default" && text->is_string()) found = &*text;
    }
  }
  if (found == nullptr) return refused_value(path, 0, {TokenizerCause::kFieldType, "chat_template is no text"});
  hints.chat_template = found->get_ref<const std::string&>();
  return true;
}

base::Result<Tokenizer, TokenizerFileError> load_folder(const std::string& folder) {
  TokenizerHints hints;
  const std::string config = folder + "/config.json";
  if (LoadStep step = read_config(config, hints); !step) return Err{step.error()};
  const std::string separate = folder + "/chat_template.jinja";
  if (LoadStep step = is_there(separate) ? read_template_file(separate, hints)
                                         : read_template_field(folder + "/tokenizer_config.json", hints);
      !step) {
    return Err{step.error()};
  }
  const std::string path = folder + "/tokenizer.json";
  const auto file = mapped(path);
  if (!file) return Err{file.error()};
  auto data = tokenizer_from_json(characters_of(file.value().bytes()), hints);
  if (!data) return refused_value(path, 0, data.error());
  const std::size_t count = data.value().tokens.size();
  for (const auto& [key, id] : {std::pair("bos_token_id", hints.bos), std::pair("eos_token_id", hints.eos)}) {
    if (!id || *id < count) continue;
    return refused_value(config, 0, {TokenizerCause::kIdRange, fmt::format("{} is {} of {} tokens", key, *id, count)});
  }
  auto tokenizer = Tokenizer::create(std::move(data).value());
  if (!tokenizer) return refused_value(path, 0, tokenizer.error());
  return std::move(tokenizer).value();
}

}  // namespace

std::string to_text(const TokenizerFileError& error) {
  const auto* cause = std::get_if<TokenizerCause>(&error.cause);
  return fmt::format("{}: offset {}: {}{}{}", error.file, error.offset, cause != nullptr ? name(*cause) : "",
                     cause != nullptr ? ": " : "", error.reason);
}

base::Result<Tokenizer, TokenizerFileError> load_tokenizer(const GgufFile& gguf) {
  auto data = tokenizer_from_gguf(GgufMetadata(gguf));
  if (!data) return refused_metadata(gguf, data.error());
  auto tokenizer = Tokenizer::create(std::move(data).value());
  if (!tokenizer) return refused_metadata(gguf, tokenizer.error());
  return std::move(tokenizer).value();
}

base::Result<Tokenizer, TokenizerFileError> load_tokenizer(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return load_folder(path);
  const auto file = mapped(path);
  if (!file) return Err{file.error()};
  const auto gguf = GgufFile::parse(file.value().bytes(), path);
  if (!gguf) return refused_file(gguf.error());
  return load_tokenizer(gguf.value());
}

}  // namespace avow::model
