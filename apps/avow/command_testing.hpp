// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/folder_testing.hpp"

// Tests run the binary as a user does.
namespace avow::app {

inline const std::string kModels = AVOW_SOURCE_DIR "/models/";

struct CommandRun {
  int exit_code = -1;
  std::string output;  ///< stdout, or stderr if asked for
};

enum class Stream { kOut, kError };

inline CommandRun run_avow(const std::string& arguments, Stream stream = Stream::kOut) {
  const std::string redirect = stream == Stream::kOut ? " 2>/dev/null" : " 2>&1 >/dev/null";
  const std::string line = "\"" AVOW_BINARY "\" " + arguments + redirect;
  CommandRun run;
  FILE* pipe = popen(line.c_str(), "r");  // NOLINT(cert-env33-c): constants of this file
  if (pipe == nullptr) return run;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) run.output.append(buffer.data(), n);
  const int status = pclose(pipe);
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

inline nlohmann::json json_of(const std::string& arguments) {
  const CommandRun run = run_avow(arguments + " --json");
  EXPECT_EQ(run.exit_code, 0) << arguments;
  return nlohmann::json::parse(run.output, nullptr, false);
}

/// With a folder of its own.
class TestFolder : public ::testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
    return quoted(folder / name);
  }
  [[nodiscard]] static std::string quoted(const std::filesystem::path& path) { return '"' + path.string() + '"'; }
  base::testing::ScratchFolder folder;
};

}  // namespace avow::app
