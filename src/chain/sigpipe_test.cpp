// SPDX-License-Identifier: Apache-2.0
#include "chain/sigpipe.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace avow::chain {
namespace {

// Writes to a pipe that nobody reads.
void write_to_nobody() {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "a", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

bool is_waiting() {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

bool is_blocked() {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, SIGPIPE) == 1;
}

TEST(SigpipeGuard, TurnsTheSignalIntoAnError) {
  {
    const SigpipeGuard guard;
    write_to_nobody();
    EXPECT_TRUE(is_waiting());
  }
  EXPECT_FALSE(is_waiting());
  EXPECT_FALSE(is_blocked());
}

TEST(SigpipeGuard, LeavesASignalThatWaitedAlready) {
  const SigpipeGuard outer;
  write_to_nobody();
  {
    const SigpipeGuard inner;
    write_to_nobody();
  }
  EXPECT_TRUE(is_waiting());
  EXPECT_TRUE(is_blocked());
}

}  // namespace
}  // namespace avow::chain
