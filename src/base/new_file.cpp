// SPDX-License-Identifier: Apache-2.0
#include "base/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace avow::base {
namespace {

// `write` takes what is left, and returns how much of it was written.
template <typename Write>
bool write_all(ByteView bytes, const Write& write) {
  while (!bytes.empty()) {
    const ssize_t n = write(bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = EIO;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

NewFile::NewFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path_, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    errno = std::filesystem::is_directory(status) ? EISDIR : EEXIST;
    return;
  }
  constexpr char kSuffix[] = ".tmp";
  temporary_ = path_.string() + ".XXXXXX" + kSuffix;
  fd_ = ::mkostemps(temporary_.data(), sizeof kSuffix - 1, O_CLOEXEC);
  constexpr mode_t kReadableByAll = 0644;
  if (fd_ >= 0) ::fchmod(fd_, kReadableByAll);
}

NewFile::~NewFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());  // gone already once it was renamed
}

bool NewFile::append(ByteView bytes) const {
  return write_all(bytes, [&](ByteView rest) { return ::write(fd_, rest.data(), rest.size()); });
}

bool NewFile::write_at(ByteView bytes, std::uint64_t offset) const {
  return write_all(bytes, [&](ByteView rest) {
    return ::pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(offset + (bytes.size() - rest.size())));
  });
}

bool NewFile::take_name() const { return ::fsync(fd_) == 0 && ::rename(temporary_.c_str(), path_.c_str()) == 0; }

}  // namespace avow::base
