// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

namespace avow::base::testing {

/// A new, empty folder for a test's files; it is removed with everything in it at the end. No two are the same, as
/// tests run side by side, in one process or in several.
class ScratchFolder {
 public:
  ScratchFolder() : path_(std::filesystem::path(::testing::TempDir()) / name()) {
    std::filesystem::remove_all(path_);  // of a process of this number that was killed
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  static std::string name() {
    static std::atomic<int> number = 0;
    return "avow-test-" + std::to_string(::getpid()) + "-" + std::to_string(number++);
  }

  std::filesystem::path path_;
};

}  // namespace avow::base::testing
