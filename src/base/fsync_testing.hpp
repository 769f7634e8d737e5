// SPDX-License-Identifier: Apache-2.0
//
// For one file of a test's executable, whose fsync() comes before the C library's.
#pragma once

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace avow::base::testing {

/// For as long as it lives, folders are not written to the disk.
struct FailingFolders {
  FailingFolders() { ++count(); }
  ~FailingFolders() { --count(); }
  FailingFolders(const FailingFolders&) = delete;
  FailingFolders& operator=(const FailingFolders&) = delete;
  static int& count() {
    static int alive = 0;
    return alive;
  }
};

}  // namespace avow::base::testing

extern "C" int fsync(int fd) {  // NOLINT(misc-definitions-in-headers): as the head says
  struct stat status {};
  if (avow::base::testing::FailingFolders::count() > 0 && ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
