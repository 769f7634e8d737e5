// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "requester/error.hpp"

namespace avow::requester {

/// Where a person's files lie: $AVOW_HOME for all, or by the rules of the XDG folders.
struct Folders {
  std::filesystem::path data;    ///< requests: ~/.local/share/avow
  std::filesystem::path config;  ///< models.json, and an address list: ~/.config/avow
};
/// Of the environment; kFile if it has neither AVOW_HOME nor HOME.
[[nodiscard]] Result<Folders> folders();

/// The whole file, of at most so many bytes. kFile.
[[nodiscard]] Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t most_bytes);
/// Whole from the moment it has its name, on the disk, for its owner alone; makes its folder. kFile.
[[nodiscard]] std::optional<Error> write_own_file(const std::filesystem::path& path, std::string_view text);

/// Keeps other processes of this machine from what is done under the same lock until it ends. Processes that die leave
/// nothing behind.
class FileLock {
 public:
  /// Nothing if another process, or another lock of this one, has it; kFile.
  [[nodiscard]] static Result<std::optional<FileLock>> try_take(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace avow::requester
