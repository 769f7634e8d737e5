// SPDX-License-Identifier: Apache-2.0
//
// Scanners for the regular expressions of spec/tokenizer.md, section 4. An expression is a list of alternatives, the
// first that matches wins, each as greedy as it can be; every function here is one alternative and returns the size of
// its match, 0 for none.
#include "model/pretokenize.hpp"

#include <array>

#include "model/unicode.hpp"

namespace avow::model {
namespace {

// A position in the text that reads characters with their classes.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : text_(text) { read(); }

  [[nodiscard]] bool at_end() const noexcept { return position_ == text_.size(); }
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::uint32_t code_point() const noexcept { return char_.code_point; }
  [[nodiscard]] bool is(CharClass wanted) const noexcept { return !at_end() && class_ == wanted; }
  [[nodiscard]] bool is_newline() const noexcept {
    return !at_end() && (char_.code_point == '\r' || char_.code_point == '\n');
  }
  // [^\s\p{L}\p{N}]: also a byte that is no character.
  [[nodiscard]] bool is_symbol() const noexcept {
    return !at_end() && (class_ == CharClass::kOther || class_ == CharClass::kUnassigned);
  }
  void next() noexcept {
    position_ += char_.size_bytes;
    read();
  }

 private:
  void read() noexcept {
    if (at_end()) return;
    char_ = first_char(text_.substr(position_));
    class_ = char_class(char_.code_point);
  }

  std::string_view text_;
  std::size_t position_ = 0;
  Char char_{kInvalidCodePoint, 0};
  CharClass class_ = CharClass::kUnassigned;
};

// `'s|'t|'re|'ve|'m|'ll|'d`
std::size_t contraction(std::string_view text) noexcept {
  if (text[0] != '\'' || text.size() < 2) return 0;
  constexpr std::string_view kSingle = "stmd";
  if (kSingle.find(text[1]) != std::string_view::npos) return 2;
  const std::string_view two = text.substr(1, 2);
  return two == "re" || two == "ve" || two == "ll" ? 3 : 0;
}

// The same in either case. Without regard to case s is also U+017F, the long s: c5 bf.
std::size_t caseless_contraction(std::string_view text) noexcept {
  if (text[0] != '\'') return 0;
  std::array<char, 3> lower{'\'', 0, 0};
  for (std::size_t i = 1; i < 3 && i < text.size(); ++i) {
    const char c = text[i];
    lower.at(i) = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  if (const std::size_t size = contraction({lower.data(), text.size() < 3 ? text.size() : 3}); size != 0) return size;
  return text.substr(1, 2) == "\xc5\xbf" ? 3 : 0;
}

void skip(Cursor& at, CharClass wanted) noexcept {
  while (at.is(wanted)) at.next();
}

// ` ?\p{L}+` and ` ?\p{N}+`
std::size_t spaced_run(std::string_view text, CharClass wanted) noexcept {
  Cursor at(text);
  if (at.code_point() == ' ') at.next();
  const std::size_t begin = at.position();
  skip(at, wanted);
  return at.position() == begin ? 0 : at.position();
}

// ` ?[^\s\p{L}\p{N}]+`, and `[\r\n]*` behind it if asked for
std::size_t symbols(std::string_view text, bool with_newlines) noexcept {
  Cursor at(text);
  if (at.code_point() == ' ') at.next();
  const std::size_t begin = at.position();
  while (at.is_symbol()) at.next();
  if (at.position() == begin) return 0;
  while (with_newlines && at.is_newline()) at.next();
  return at.position();
}

// `[^\r\n\p{L}\p{N}]?\p{L}+`
std::size_t prefixed_letters(std::string_view text) noexcept {
  Cursor at(text);
  if (!at.is(CharClass::kLetter)) {
    if (at.is_newline() || at.is(CharClass::kNumber)) return 0;
    at.next();
  }
  const std::size_t begin = at.position();
  skip(at, CharClass::kLetter);
  return at.position() == begin ? 0 : at.position();
}

// `\p{N}{1,most}`
std::size_t digits(std::string_view text, int most) noexcept {
  Cursor at(text);
  for (int i = 0; i < most && at.is(CharClass::kNumber); ++i) at.next();
  return at.position();
}

// `\s+(?!\S)|\s+`, and before them `\s*[\r\n]+` if asked for, which ends behind the last line break of the run.
std::size_t spaces(std::string_view text, bool by_line) noexcept {
  Cursor at(text);
  std::size_t last = 0;        // where the last character of the run begins
  std::size_t line_break = 0;  // where the last line break of the run ends
  while (at.is(CharClass::kSpace)) {
    const bool newline = at.is_newline();
    last = at.position();
    at.next();
    if (newline) line_break = at.position();
  }
  if (by_line && line_break != 0) return line_break;
  return at.at_end() || last == 0 ? at.position() : last;
}

std::size_t gpt2_word(std::string_view text) noexcept {
  if (const std::size_t size = contraction(text); size != 0) return size;
  if (const std::size_t size = spaced_run(text, CharClass::kLetter); size != 0) return size;
  if (const std::size_t size = spaced_run(text, CharClass::kNumber); size != 0) return size;
  if (const std::size_t size = symbols(text, false); size != 0) return size;
  return spaces(text, false);
}

std::size_t llama3_word(std::string_view text, int most_digits) noexcept {
  if (const std::size_t size = caseless_contraction(text); size != 0) return size;
  if (const std::size_t size = prefixed_letters(text); size != 0) return size;
  if (const std::size_t size = digits(text, most_digits); size != 0) return size;
  if (const std::size_t size = symbols(text, true); size != 0) return size;
  return spaces(text, true);
}

}  // namespace

std::size_t first_word(PreTokenizer kind, std::string_view text) noexcept {
  switch (kind) {
    case PreTokenizer::kNone:
      return text.size();
    case PreTokenizer::kGpt2:
      return gpt2_word(text);
    case PreTokenizer::kLlama3:
      return llama3_word(text, 3);
    case PreTokenizer::kQwen2:
      return llama3_word(text, 1);
  }
  return text.size();
}

}  // namespace avow::model
