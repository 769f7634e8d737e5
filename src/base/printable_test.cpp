// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"

#include <gtest/gtest.h>

namespace avow::base {
namespace {

TEST(Printable, KeepsAsciiAndNothingThatATerminalObeys) {
  EXPECT_EQ(printable("a ~'\"\\", 90), "a ~'\"\\");
  EXPECT_EQ(printable(std::string_view("\x1b[2J\n\0\x7f", 7), 90), "?[2J???");
  EXPECT_EQ(printable("\xc2\x9b"
                      "1m\xe2\x80\xae\xff",
                      90),
            "??1m????");
  EXPECT_EQ(printable("abc", 2), "ab");
  EXPECT_EQ(printable("", 2), "");
}

}  // namespace
}  // namespace avow::base
