// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace avow::base {
namespace {

using ::testing::ElementsAre;

TEST(Bytes, LoadsBigEndian) {
  const std::array<std::uint8_t, 8> bytes = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  EXPECT_EQ(load_be64(bytes.data()), 0x0123456789abcdefu);
  EXPECT_EQ(load_be32(bytes.data()), 0x01234567u);
}

TEST(Bytes, StoresBigEndian) {
  std::array<std::uint8_t, 8> bytes{};
  store_be64(bytes.data(), 0x0123456789abcdefu);
  EXPECT_THAT(bytes, ElementsAre(0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef));
  store_be32(bytes.data(), 0xfedcba98u);
  EXPECT_THAT(bytes, ElementsAre(0xfe, 0xdc, 0xba, 0x98, 0x89, 0xab, 0xcd, 0xef));
}

TEST(Bytes, LoadsFromUnalignedAddresses) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t offset = 0; offset <= 8; ++offset) {
    store_be64(bytes.data() + offset, 0x8000000000000001u + offset);
    EXPECT_EQ(load_be64(bytes.data() + offset), 0x8000000000000001u + offset) << offset;
  }
}

TEST(Bytes, StoreThenLoadIsIdentityAtTheEdges) {
  for (const std::uint64_t v : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{1} << 63,
                                std::uint64_t{0xffffffff00000001}}) {
    std::array<std::uint8_t, 8> bytes{};
    store_be64(bytes.data(), v);
    EXPECT_EQ(load_be64(bytes.data()), v);
    const auto low = static_cast<std::uint32_t>(v);
    store_be32(bytes.data(), low);
    EXPECT_EQ(load_be32(bytes.data()), low);
  }
}

TEST(Bytes, AppendsInOrder) {
  Bytes out;
  append_be32(out, 0x01020304);
  append(out, Bytes{0xaa, 0xbb});
  append(out, {});
  append_be64(out, 5);
  EXPECT_THAT(out, ElementsAre(1, 2, 3, 4, 0xaa, 0xbb, 0, 0, 0, 0, 0, 0, 0, 5));
}

}  // namespace
}  // namespace avow::base
