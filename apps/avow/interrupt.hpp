// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace avow::app {

/// From now on the first interrupt (Ctrl-C) or termination is for the command to see, which ends in order; a second one
/// ends the process at once.
void catch_interrupts();
/// Whether there was one.
[[nodiscard]] bool cancelled() noexcept;
[[nodiscard]] const std::atomic<bool>& cancelled_flag() noexcept;

}  // namespace avow::app
