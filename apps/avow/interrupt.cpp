// SPDX-License-Identifier: Apache-2.0
#include "interrupt.hpp"

#include <csignal>

namespace avow::app {
namespace {

std::atomic<bool> is_cancelled = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal's handler");

}  // namespace

void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int number) {
      is_cancelled = true;
      std::signal(number, SIG_DFL);
    });
  }
}

bool cancelled() noexcept { return is_cancelled; }
const std::atomic<bool>& cancelled_flag() noexcept { return is_cancelled; }

}  // namespace avow::app
