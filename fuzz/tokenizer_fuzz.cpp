// SPDX-License-Identifier: Apache-2.0
//
// Tokenizers from untrusted bytes, in two ways: as a tokenizer.json, and as a vocabulary over few letters, which soon
// has merges that matter. Whatever passes create() must encode any text within bounds, give the text back where the
// specification says so, decode any ids, in one piece or one by one, and never make a control token of plain text. In a
// conversation, no message makes a token that the template is made of.

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "model/chat.hpp"
#include "model/normalise.hpp"
#include "model/tokenizer.hpp"
#include "model/tokenizer_json.hpp"
#include "model/unicode.hpp"

namespace avow {
namespace {

using namespace model;  // NOLINT(google-build-using-namespace): the one namespace of this target

class Input {
 public:
  explicit Input(base::ByteView bytes) : bytes_(bytes) {}
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t b = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return b;
  }
  std::string text(std::size_t size) {
    std::string out;
    while (out.size() < size && !bytes_.empty()) out += static_cast<char>(byte());
    return out;
  }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  base::ByteView bytes_;
};

// Half of the tokens join two earlier ones, so that merging goes deep.
TokenizerData vocabulary_of(Input& in) {
  TokenizerData data;
  data.kind = static_cast<TokenizerKind>(in.byte() % 4);
  data.pre_tokenizer = static_cast<PreTokenizer>(data.kind == TokenizerKind::kByteLevelBpe ? in.byte() % 5 : 0);
  data.space_prefix = static_cast<SpacePrefix>(in.byte() % 5);
  const bool byte_level = data.kind == TokenizerKind::kByteLevelBpe;
  const unsigned switches = byte_level ? in.byte() : 1;
  data.ignore_merges = switches % 2 == 0;
  data.to_nfc = byte_level && switches / 2 % 2 == 1;
  for (unsigned left = in.byte() % 64u; left > 0; --left) {
    const std::uint8_t shape = in.byte();
    std::string token;
    if (shape % 2 == 0 && !data.tokens.empty()) {
      const auto id = [&] { return static_cast<TokenId>(in.byte() % data.tokens.size()); };
      const Merge merge{id(), id()};
      token = data.tokens[merge.left] + data.tokens[merge.right];
      if (data.kind != TokenizerKind::kSpm) data.merges.push_back(merge);
    } else {
      token = in.text(1 + shape / 2 % 4u);
    }
    // What is there already adds a merge alone.
    if (std::find(data.tokens.begin(), data.tokens.end(), token) != data.tokens.end()) continue;
    data.tokens.push_back(std::move(token));
    const std::uint8_t type = in.byte();
    data.types.push_back(static_cast<TokenType>(type < 200 ? 1 : type % 8));
    if (data.kind == TokenizerKind::kSpm) data.scores.push_back(std::uint32_t{in.byte()} << 23);
  }
  if (in.byte() % 2 == 0) data.unknown = in.byte();
  if (in.byte() % 2 == 0) data.bos = in.byte();
  data.add_bos = in.byte() % 8 == 0;
  return data;
}

void check_decoders(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, const std::string& whole) {
  StreamDecoder stream(tokenizer);
  std::string joined;
  for (const TokenId id : ids) {
    const auto part = stream.feed(id);
    AVOW_CHECK(part.ok());
    joined += part.value();
  }
  joined += stream.finish();
  AVOW_CHECK(joined == whole);
}

void check_text(const Tokenizer& tokenizer, const std::string& text) {
  const TokenizerData& data = tokenizer.data();
  for (const SpecialText special : {SpecialText::kText, SpecialText::kParse}) {
    for (const Unencodable unencodable : {Unencodable::kRefuse, Unencodable::kUnknown}) {
      const auto ids = tokenizer.encode(text, {.ends = Ends::kNone, .special = special, .unencodable = unencodable});
      if (!ids.ok()) {
        AVOW_CHECK(!ids.error().text.empty());
        continue;
      }
      const auto decoded = tokenizer.decode(ids.value());
      AVOW_CHECK(decoded.ok());
      check_decoders(tokenizer, ids.value(), decoded.value());
      if (special == SpecialText::kParse || unencodable == Unencodable::kUnknown) continue;
      for (const TokenId id : ids.value())
        AVOW_CHECK(!tokenizer.is_control(id) && data.types[id] != TokenType::kUnused);
      const bool exact = data.space_prefix == SpacePrefix::kNever ||
                         (data.space_prefix == SpacePrefix::kAlways && data.kind != TokenizerKind::kByteLevelBpe);
      if (exact && text.find("\xe2\x96\x81") == std::string::npos) {
        AVOW_CHECK(data.to_nfc || decoded.value() == text);
        // Pieces are normalised each by itself: where special tokens cut, the whole may still combine.
        AVOW_CHECK(to_nfc(decoded.value()) == to_nfc(text));
      }
    }
  }
}

// The tokens with special meaning are as many as for a message that has none.
void check_chat(const Tokenizer& tokenizer, const std::string& text) {
  const TokenizerData& data = tokenizer.data();
  const auto special_in = [&](const std::vector<TokenId>& ids) {
    return std::count_if(ids.begin(), ids.end(),
                         [&](TokenId id) { return tokenizer.is_control(id) || id == data.bos || id == data.eos; });
  };
  for (const ChatFamily family :
       {ChatFamily::kChatMl, ChatFamily::kLlama2, ChatFamily::kLlama3, ChatFamily::kPhi3, ChatFamily::kZephyr}) {
    const ChatTemplate chat_template{.family = family};
    const auto ids_by = [&](const std::string& message) {
      return encode_chat(tokenizer, chat_template, std::vector<ChatMessage>{{ChatRole::kUser, message}});
    };
    const auto ids = ids_by(text);
    const auto harmless = ids_by("");
    if (ids.ok() && harmless.ok()) AVOW_CHECK(special_in(ids.value()) == special_in(harmless.value()));
  }
  const auto found = recognise_chat_template(text);
  AVOW_CHECK(found.ok() || found.error().cause == TokenizerCause::kTemplate);
}

void run(base::ByteView bytes) {
  Input in(bytes);
  const bool as_json = in.byte() == '{';
  TokenizerData data;
  std::string text;
  if (as_json) {
    const std::string file = '{' + in.text(bytes.size());
    auto read = tokenizer_from_json(file);
    if (!read.ok()) {
      AVOW_CHECK(!read.error().text.empty());
      return;
    }
    data = std::move(read).value();
    text = file;
  } else {
    data = vocabulary_of(in);
    text = in.text(bytes.size());
  }
  const base::Digest digest = tokenizer_digest(data);
  const auto tokenizer = Tokenizer::create(std::move(data));
  if (!tokenizer.ok()) {
    AVOW_CHECK(!tokenizer.error().text.empty());
    return;
  }
  AVOW_CHECK(tokenizer_digest(tokenizer.value().data()) == digest);
  check_text(tokenizer.value(), text);
  check_chat(tokenizer.value(), text);
  std::vector<TokenId> ids;
  for (const std::uint8_t b : bytes) ids.push_back(static_cast<TokenId>(b % tokenizer.value().token_count()));
  const auto decoded = tokenizer.value().decode(ids);
  AVOW_CHECK(decoded.ok());
  check_decoders(tokenizer.value(), ids, decoded.value());
}

}  // namespace
}  // namespace avow

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::run({data, size});
  return 0;
}
