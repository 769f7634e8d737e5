// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

namespace avow::base {

/// Closes a file descriptor at the end of a scope; a negative one is none.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace avow::base
