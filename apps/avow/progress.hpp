// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace avow::app {

/// Progress of long work on stderr: a bar with the phase and the time left where that is a terminal, a line for each
/// phase elsewhere, nothing if it is quiet.
class Progress {
 public:
  explicit Progress(bool is_quiet);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done`, from 0 to 1, of all work is done, and this phase goes on.
  void show(std::string_view phase, double done);
  /// Takes the bar away.
  void finish();

 private:
  bool is_quiet_, is_terminal_;
  bool is_shown_ = false;
  std::string phase_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace avow::app
