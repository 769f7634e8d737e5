// SPDX-License-Identifier: Apache-2.0
#include "model/normalise.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "model/tokenizer_files_testing.hpp"

namespace avow::model {
namespace {

std::string bytes_of_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return out;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(FormC, AgreesWithAnotherImplementation) {
  std::istringstream lines(read_file(AVOW_SOURCE_DIR "/spec/vectors/tokenizers/nfc.txt"));
  std::size_t count = 0, changed = 0;
  for (std::string text, normalised; lines >> text >> normalised; ++count) {
    EXPECT_EQ(to_nfc(bytes_of_hex(text)), bytes_of_hex(normalised)) << text;
    EXPECT_EQ(to_nfc(bytes_of_hex(normalised)), bytes_of_hex(normalised)) << normalised;
    if (text != normalised) ++changed;
  }
  EXPECT_GT(count, 5000u);
  EXPECT_GT(changed, 2900u);
}

TEST(FormC, LeavesWhatIsNoCharacter) {
  for (const std::string text :
       {"", "a", "\xcc", "\xff\xfe", "\xc3\xa9\xf0\x9f", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"}) {
    EXPECT_EQ(to_nfc(text), text);
  }
  EXPECT_EQ(to_nfc("e\xff\xcc\x81"), "e\xff\xcc\x81");
  EXPECT_EQ(to_nfc(std::string("e\xcc\x81\0e\xcc\x81", 7)), std::string("\xc3\xa9\0\xc3\xa9", 5));
}

// U+11F02 is a letter and U+1E08F a mark since Unicode 15.0; U+1E08F has combining class 230 there.
TEST(FormC, KnowsNoLaterUnicode) {
  EXPECT_EQ(to_nfc("e\xf0\x9e\x82\x8f\xcc\x81"), "e\xf0\x9e\x82\x8f\xcc\x81");
  EXPECT_EQ(to_nfc("e\xf0\x91\xbc\x82\xcc\x81"), "e\xf0\x91\xbc\x82\xcc\x81");
}

// Marks of falling classes, and such as decompose into two: what sorts them step by step would not come to an end.
TEST(FormC, StaysFastWhateverTheMarks) {
  constexpr std::size_t kMany = 200'000;
  const std::string above = "\xcc\x81", below = "\xcc\xa3", both = "\xe0\xbd\xb3";
  EXPECT_EQ(to_nfc("x" + repeated(above, kMany) + repeated(below, kMany)),
            "x" + repeated(below, kMany) + repeated(above, kMany));
  EXPECT_EQ(to_nfc(repeated(both, kMany)), repeated("\xe0\xbd\xb1", kMany) + repeated("\xe0\xbd\xb2", kMany));
}

}  // namespace
}  // namespace avow::model
