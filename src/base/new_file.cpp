// SPDX-License-Identifier: Apache-2.0
#include "base/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/descriptor.hpp"

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

NewFile::NewFile(std::filesystem::path path, Readers readers) : path_(std::move(path)) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path_, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    errno = std::filesystem::is_directory(status) ? EISDIR : EEXIST;
    return;
  }
  constexpr char kSuffix[] = ".tmp";
  temporary_ = path_.parent_path() / fmt::format(".{}.XXXXXX{}", path_.filename().string(), kSuffix);
  fd_ = ::mkostemps(temporary_.data(), sizeof kSuffix - 1, O_CLOEXEC);
  constexpr mode_t kReadableByAll = 0644;
  if (fd_ >= 0 && readers == Readers::kAll) ::fchmod(fd_, kReadableByAll);
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

bool NewFile::take_name() const {
  return take_by([&] { return ::rename(temporary_.c_str(), path_.c_str()); });
}

// link() does not replace, as rename() would; the temporary name goes at the end.
bool NewFile::take_free_name() const {
  return take_by([&] { return ::link(temporary_.c_str(), path_.c_str()); });
}

// A name is on the disk once its folder is, where the file system can do that for a folder. The folder is opened first:
// one that cannot be is found out while there is no name yet.
template <typename Take>
bool NewFile::take_by(const Take& take) const {
  const auto folder = path_.parent_path().empty() ? std::filesystem::path(".") : path_.parent_path();
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory.get() >= 0 && ::fsync(fd_) == 0 && take() == 0 && (::fsync(directory.get()) == 0 || errno == EINVAL);
}

bool NewFile::has_name() const {
  struct stat here {};
  struct stat named {};
  return fd_ >= 0 && ::fstat(fd_, &here) == 0 && ::stat(path_.c_str(), &named) == 0 && here.st_dev == named.st_dev &&
         here.st_ino == named.st_ino;
}

}  // namespace avow::base
