// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.hpp"

namespace avow::base {

/// Who may read a file.
enum class Readers : std::uint8_t { kAll, kOwner };

/// A file that gets its name when it is whole: until then it has a temporary one beside it, which no other process has,
/// and without take_name() nothing is left of it. A process that is killed leaves the temporary name behind; it starts
/// with a dot, so that nobody takes it for a file of the folder. Functions that return false say why in errno.
class NewFile {
 public:
  /// Opened for reading and writing. Not where something is that is no regular file: it could not be replaced (a
  /// folder), or should not (a device, a pipe).
  explicit NewFile(std::filesystem::path path, Readers readers = Readers::kAll);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool append(ByteView bytes) const;
  [[nodiscard]] bool write_at(ByteView bytes, std::uint64_t offset) const;
  /// What was written is on the disk, under the name; what had the name is gone.
  [[nodiscard]] bool take_name() const;
  /// The same, unless something has the name: then EEXIST.
  [[nodiscard]] bool take_free_name() const;
  /// After one of these failed: whether the file has its name all the same, but may lose it when the power fails.
  [[nodiscard]] bool has_name() const;

 private:
  // `take` gives the file its name.
  template <typename Take>
  [[nodiscard]] bool take_by(const Take& take) const;

  std::filesystem::path path_;
  std::string temporary_;
  int fd_ = -1;
};

}  // namespace avow::base
