// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/descriptor.hpp"

namespace avow::base {

Result<MappedFile, std::string> MappedFile::open(const std::string& path) {
  // Not blocking, so that a named pipe is refused instead of waited for.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return Err{std::string("cannot be opened: ") + std::strerror(errno)};
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return Err{std::string("cannot be examined: ") + std::strerror(errno)};
  if (!S_ISREG(status.st_mode)) return Err{std::string("is not a regular file")};
  if (status.st_size == 0) return MappedFile(ByteView());
  const auto size = static_cast<std::size_t>(status.st_size);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) return Err{std::string("cannot be mapped: ") + std::strerror(errno)};
  return MappedFile(ByteView(static_cast<const std::uint8_t*>(memory), size));
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  // munmap takes a pointer to what it may not write.
  if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

}  // namespace avow::base
