// SPDX-License-Identifier: Apache-2.0
//
// The scanners against PCRE2 running the regular expressions of spec/tokenizer.md. Differences of notation alone:
// PCRE2's \s has U+180E, which is no white space since Unicode 6.3, so the property takes its place.
#include "model/pretokenize.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/random.hpp"
#include "model/tokenizer_files_testing.hpp"
#include "model/unicode.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace avow::model {
namespace {

const std::string kTail = R"(|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)";
const std::string kSymbols = R"( ?[^\p{White_Space}\p{L}\p{N}]+)";
const std::string kLines = kSymbols + R"([\r\n]*|\p{White_Space}*[\r\n]+)" + kTail;
const std::string kCaseless = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)";
const std::map<PreTokenizer, std::string> kExpressions{
    {PreTokenizer::kGpt2, R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|)" + kSymbols + kTail},
    {PreTokenizer::kLlama3, kCaseless + R"(\p{N}{1,3}|)" + kLines},
    {PreTokenizer::kQwen2, kCaseless + R"(\p{N}|)" + kLines}};

class Regex {
 public:
  explicit Regex(const std::string& pattern) {
    int error = 0;
    PCRE2_SIZE at = 0;
    code_.reset(pcre2_compile(pointer(pattern), pattern.size(), PCRE2_UTF | PCRE2_UCP, &error, &at, nullptr));
    AVOW_CHECK(code_ != nullptr);
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // only faster, where there is one
    match_.reset(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
  }
  // The groups of the match at this position: the number of the last one that is set, and where the match ends.
  struct Found {
    int last_group;
    std::size_t end;
  };
  [[nodiscard]] Found at(std::string_view text, std::size_t begin) const {
    const int count =
        pcre2_match(code_.get(), pointer(text), text.size(), begin, PCRE2_NO_UTF_CHECK, match_.get(), nullptr);
    AVOW_CHECK(count > 0);
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match_.get());
    AVOW_CHECK(range[0] == begin);
    return {count - 1, range[1]};
  }

 private:
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
  };
  static PCRE2_SPTR pointer(std::string_view text) {
    return reinterpret_cast<PCRE2_SPTR>(text.data());  // NOLINT: bytes by another name
  }
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> match_;
};

std::string unicode_of_pcre2() {
  std::array<char, 64> version{};
  AVOW_CHECK(pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, version.data()) < static_cast<int>(version.size()));
  return version.data();
}

void put(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  out += static_cast<char>((0xff00u >> (more + 1) & 0xffu) | c >> (6 * more));
  for (unsigned i = more; i-- > 0;) out += static_cast<char>(0x80u | (c >> (6 * i) & 0x3fu));
}

// Ends of the words, by either.
std::vector<std::size_t> scanned(PreTokenizer kind, std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < text.size();) ends.push_back(at += first_word(kind, text.substr(at)));
  return ends;
}
std::vector<std::size_t> matched(const Regex& regex, std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < text.size();) ends.push_back(at = regex.at(text, at).end);
  return ends;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
  return out;
}

// Characters that the expressions treat in a special way, and any others; code points of which another version of
// Unicode may know more are left out.
std::uint32_t random_code_point(base::SplitMix64& random) {
  constexpr std::u32string_view kUsual =
      U"'''sStTmMdDrReEvVlLaz\u017f\u00e9\u03a9 0 9\u0660\u00b2\u2167     \r\n\n\t\v\u0085\u00a0"
      U"\u2003\u2028\u3000\u180e\u200b!.,-_\u0301\u4e2d\U0001f999\u0000";
  if (random() % 8 != 0) return kUsual[random() % kUsual.size()];
  for (;;) {
    const auto c = static_cast<std::uint32_t>(random() % (random() % 2 == 0 ? 0x3000 : 0x110000));
    if (c < 0xd800 || c > 0xdfff) {
      if (char_class(c) != CharClass::kUnassigned) return c;
    }
  }
}

TEST(PreTokenizer, ClassesAreThoseOfPcre2) {
  const Regex regex(R"((?s)(?:(?:\p{Cn})|()()\p{L}|()()()\p{N}|()()()()\p{White_Space}|().))");
  const bool same_version = unicode_of_pcre2().substr(0, 2) == "14";
  // Empty groups before each class: 2, 5, 9 and 10 are the last ones set.
  const std::map<int, CharClass> classes{{0, CharClass::kUnassigned},
                                         {2, CharClass::kLetter},
                                         {5, CharClass::kNumber},
                                         {9, CharClass::kSpace},
                                         {10, CharClass::kOther}};
  std::size_t compared = 0;
  for (std::uint32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    if (!same_version && char_class(c) == CharClass::kUnassigned) continue;
    std::string text;
    put(text, c);
    ASSERT_EQ(char_class(c), classes.at(regex.at(text, 0).last_group)) << fmt::format("U+{:04X}", c);
    ++compared;
  }
  EXPECT_GT(compared, 280000u);
}

TEST(PreTokenizer, AgreesWithPcre2OnRandomText) {
  for (const auto& [kind, expression] : kExpressions) {
    const Regex regex(expression);
    base::SplitMix64 random(1);
    for (int i = 0; i < 100000; ++i) {
      std::string text;
      for (std::uint64_t n = random() % 24; n > 0; --n) put(text, random_code_point(random));
      ASSERT_EQ(scanned(kind, text), matched(regex, text)) << static_cast<int>(kind) << ": " << escaped(text);
    }
  }
}

TEST(PreTokenizer, AgreesWithPcre2OnEveryShortTextOfItsCases) {
  constexpr std::u32string_view kCases = U"'sStReLl\u017f 3\n\r\t!a\u00a0";
  for (const auto& [kind, expression] : kExpressions) {
    const Regex regex(expression);
    for (std::size_t i = 0; i < kCases.size() * kCases.size() * kCases.size() * kCases.size(); ++i) {
      std::string text;
      std::size_t rest = i;
      for (int k = 0; k < 4; ++k, rest /= kCases.size()) put(text, kCases[rest % kCases.size()]);
      ASSERT_EQ(scanned(kind, text), matched(regex, text)) << static_cast<int>(kind) << ": " << escaped(text);
    }
  }
}

// A byte that is no character is as a symbol: PCRE2 is shown a private-use character in its place.
TEST(PreTokenizer, BytesThatAreNoCharactersAreSymbols) {
  for (const auto& [kind, expression] : kExpressions) {
    const Regex regex(expression);
    base::SplitMix64 random(2);
    for (int i = 0; i < 30000; ++i) {
      std::string text;
      for (std::uint64_t n = random() % 12; n > 0; --n) {
        if (random() % 3 == 0) {
          text += static_cast<char>(random());
        } else {
          put(text, random_code_point(random));
        }
      }
      std::string valid;
      std::map<std::size_t, std::size_t> place;  // ends in `valid` to ends in `text`
      for (std::size_t at = 0; at < text.size();) {
        const Char c = first_char(std::string_view{text}.substr(at));
        put(valid, char_class(c.code_point) == CharClass::kUnassigned ? 0xe000 : c.code_point);
        at += c.size_bytes;
        place[valid.size()] = at;
      }
      std::vector<std::size_t> ends;
      for (const std::size_t end : matched(regex, valid)) ends.push_back(place.at(end));
      ASSERT_EQ(scanned(kind, text), ends) << static_cast<int>(kind) << ": " << escaped(text);
    }
  }
}

TEST(PreTokenizer, AgreesWithPcre2OnWholeTexts) {
  const std::string folder = shared_folder();
  if (folder.empty()) GTEST_SKIP() << "needs the texts of ../shared, or of the folder that AVOW_SHARED names";
  for (const auto& [kind, expression] : kExpressions) {
    const Regex regex(expression);
    for (const char* name : {"tinyshakespeare", "tinystories_valid_head_794k", "wikitext2_test"}) {
      const std::string text = read_file(folder + fmt::format("data/{}.txt", name));
      const auto ends = scanned(kind, text);
      EXPECT_TRUE(ends == matched(regex, text)) << static_cast<int>(kind) << ", " << name;
      EXPECT_GT(ends.size(), 100000u);
    }
  }
}

TEST(PreTokenizer, LongRunsTakeLinearTime) {
  for (const auto& [kind, expression] : kExpressions) {
    for (const std::string unit : {" ", "\n", " \n", "a", "'", "1", "\xff", "\xe2\x96\x81", "\n!", "  a"}) {
      std::string text;
      while (text.size() < (1u << 20)) text += unit;
      EXPECT_EQ(scanned(kind, text).back(), text.size());
    }
  }
}

TEST(Unicode, ReadsWellFormedCharactersAlone) {
  for (std::uint32_t c = 0; c < 0x110000; ++c) {
    std::string text;
    put(text, c);
    const Char read = first_char(text);
    const bool surrogate = c >= 0xd800 && c <= 0xdfff;
    ASSERT_EQ(read.code_point, surrogate ? kInvalidCodePoint : c);
    ASSERT_EQ(read.size_bytes, surrogate ? 1 : text.size());
    ASSERT_EQ(unfinished_suffix(text), 0u);
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const std::string_view head = std::string_view{text}.substr(0, cut);
      ASSERT_EQ(first_char(head).code_point, kInvalidCodePoint);
      // A surrogate's second byte already says that nothing good can follow.
      ASSERT_EQ(unfinished_suffix(head), surrogate && cut == 2 ? 0 : cut);
    }
  }
  for (const std::string_view bad : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                                     "\xf5\x80\x80\x80", "\xff", "\x80", "\xe2\x28\xa1"}) {
    EXPECT_EQ(first_char(bad).code_point, kInvalidCodePoint) << escaped(bad);
    EXPECT_EQ(first_char(bad).size_bytes, 1u);
  }
}

}  // namespace
}  // namespace avow::model
