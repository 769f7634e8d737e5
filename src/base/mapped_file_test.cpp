// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace avow::base {
namespace {

std::string path_of(const char* name) { return (std::filesystem::path(::testing::TempDir()) / name).string(); }

TEST(MappedFile, ShowsTheBytes) {
  const std::string path = path_of("mapped_file_bytes");
  std::ofstream(path) << "seven b";
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  MappedFile moved = std::move(file).value();
  EXPECT_EQ(std::string(moved.bytes().begin(), moved.bytes().end()), "seven b");
  std::filesystem::remove(path);
}

TEST(MappedFile, IsEmptyForAnEmptyFile) {
  const std::string path = path_of("mapped_file_empty");
  { const std::ofstream file(path); }
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file.value().bytes().empty());
  std::filesystem::remove(path);
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  EXPECT_EQ(MappedFile::open(::testing::TempDir()).error(), "is not a regular file");
  EXPECT_EQ(MappedFile::open(path_of("mapped_file_none")).error(), "cannot be opened: No such file or directory");
}

}  // namespace
}  // namespace avow::base
