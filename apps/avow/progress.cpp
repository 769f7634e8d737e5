// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace avow::app {
namespace {

constexpr int kBarWidth = 24;
// Below this, how long the rest takes is a guess.
constexpr double kLeastDone = 0.05;

}  // namespace

Progress::Progress(bool is_quiet) : is_quiet_(is_quiet), is_terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(std::string_view phase, double done) {
  if (is_quiet_) return;
  done = std::clamp(done, 0.0, 1.0);
  if (!is_terminal_) {
    if (phase != phase_) fmt::print(stderr, "{} ..\n", phase);
    phase_ = phase;
    return;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  std::string left;
  if (done >= kLeastDone) left = fmt::format(", about {:.0f} s left", seconds * (1 - done) / done);
  const int full = static_cast<int>(done * kBarWidth);
  fmt::print(stderr, "\r\033[K[{:#<{}}{: <{}}] {:3.0f}% {}{}", "", full, "", kBarWidth - full, 100 * done, phase, left);
  std::fflush(stderr);
  is_shown_ = true;
}

void Progress::finish() {
  if (is_shown_) fmt::print(stderr, "\r\033[K");
  is_shown_ = false;
}

}  // namespace avow::app
