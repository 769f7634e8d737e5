// SPDX-License-Identifier: Apache-2.0
#include "chain/sigpipe.hpp"

#include <cerrno>
#include <ctime>

namespace avow::chain {
namespace {

sigset_t only_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

}  // namespace

SigpipeGuard::SigpipeGuard() {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  const sigset_t set = only_sigpipe();
  pthread_sigmask(SIG_BLOCK, &set, &mask_before_);
}

// A signal that came meanwhile is taken away before it could be delivered; one that waited already is not ours.
SigpipeGuard::~SigpipeGuard() {
  const sigset_t set = only_sigpipe();
  const timespec at_once{};
  while (!was_pending_ && sigtimedwait(&set, nullptr, &at_once) < 0 && errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

}  // namespace avow::chain
