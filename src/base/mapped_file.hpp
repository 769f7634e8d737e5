// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace avow::base {

/// A regular file mapped into memory, read only. Views of bytes() stay valid while the object, or what it was moved to,
/// lives. Whoever can shorten the file meanwhile can end the process (SIGBUS): map only files that nobody else writes.
class MappedFile {
 public:
  /// Maps the whole file; the error is a sentence without the path.
  static Result<MappedFile, std::string> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] ByteView bytes() const noexcept { return bytes_; }

 private:
  explicit MappedFile(ByteView bytes) noexcept : bytes_(bytes) {}

  ByteView bytes_;
};

}  // namespace avow::base
