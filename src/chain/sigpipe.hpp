// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace avow::chain {

/// As long as it lives, writing to a connection that the other side has closed ends in an error and not the process:
/// libraries of TLS write without asking for that. For the calling thread alone; other threads keep their ways.
class SigpipeGuard {
 public:
  SigpipeGuard();
  ~SigpipeGuard();
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t mask_before_{};
  bool was_pending_ = false;
};

}  // namespace avow::chain
