// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_files_testing.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.hpp"
#include "model/tokenizer_bytes.hpp"
#include "model/tokenizer_gguf.hpp"
#include "model/tokenizer_json.hpp"
#include "model/tokenizer_metadata_testing.hpp"

namespace avow::model {
namespace {

Tokenizer made(base::Result<TokenizerData, TokenizerError> data) {
  EXPECT_TRUE(data.ok()) << data.error().text;
  auto tokenizer = Tokenizer::create(std::move(data).value());
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().text;
  return std::move(tokenizer).value();
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  AVOW_CHECK(in.good());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string shared_folder() {
  const char* set = std::getenv("AVOW_SHARED");
  const std::string folder = set != nullptr ? set : AVOW_SOURCE_DIR "/../shared";
  return std::filesystem::is_directory(folder) ? folder + "/" : "";
}

Tokenizer tokenizer_of_gguf(const std::string& path) {
  return made(tokenizer_from_gguf(TestMetadata(read_file(path))));
}
Tokenizer tokenizer_of_json(const std::string& text) { return made(tokenizer_from_json(text)); }

std::vector<TokenId> ids_of(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options) {
  auto ids = tokenizer.encode(text, options);
  EXPECT_TRUE(ids.ok()) << ids.error().text;
  return ids.ok() ? std::move(ids).value() : std::vector<TokenId>{};
}

std::string text_of(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  auto text = tokenizer.decode(ids);
  EXPECT_TRUE(text.ok()) << text.error().text;
  return text.ok() ? std::move(text).value() : std::string();
}

TokenizerData byte_level_data(const std::vector<std::pair<std::string, std::string>>& merges) {
  TokenizerData data;
  data.kind = TokenizerKind::kByteLevelBpe;
  data.pre_tokenizer = PreTokenizer::kGpt2;
  for (int b = 0; b < 256; ++b) data.tokens.emplace_back(1, static_cast<char>(b));
  const auto id_of = [&](const std::string& token) {
    const auto at = std::find(data.tokens.begin(), data.tokens.end(), token);
    AVOW_CHECK(at != data.tokens.end());
    return static_cast<TokenId>(at - data.tokens.begin());
  };
  for (const auto& [left, right] : merges) {
    data.merges.push_back({id_of(left), id_of(right)});
    if (std::count(data.tokens.begin(), data.tokens.end(), left + right) == 0) data.tokens.push_back(left + right);
  }
  data.types.assign(data.tokens.size(), TokenType::kNormal);
  data.bos = data.eos = static_cast<TokenId>(data.tokens.size());
  data.tokens.emplace_back("<|end|>");
  data.types.push_back(TokenType::kControl);
  return data;
}

TokenizerData spm_data(const std::vector<std::string>& tokens, bool with_bytes) {
  TokenizerData data;
  data.kind = TokenizerKind::kSpm;
  data.space_prefix = SpacePrefix::kAlways;
  data.tokens = {"<unk>", "<s>", "</s>"};
  data.types = {TokenType::kUnknown, TokenType::kControl, TokenType::kControl};
  data.unknown = 0;
  data.bos = 1;
  data.eos = 2;
  data.add_bos = true;
  for (unsigned b = 0; with_bytes && b < 256; ++b) {
    data.tokens.push_back(fmt::format("<0x{:02X}>", b));
    data.types.push_back(TokenType::kByte);
  }
  data.tokens.emplace_back(kSpaceMark);
  data.tokens.insert(data.tokens.end(), tokens.begin(), tokens.end());
  data.types.resize(data.tokens.size(), TokenType::kNormal);
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    data.scores.push_back(std::bit_cast<std::uint32_t>(-static_cast<float>(i)));
  }
  data.scores[0] = 0;
  return data;
}

}  // namespace avow::model
