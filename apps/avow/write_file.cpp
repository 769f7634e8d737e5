// SPDX-License-Identifier: Apache-2.0
#include "write_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/new_file.hpp"

namespace avow::app {
namespace {

std::string cannot_write(const std::string& path) {
  const int error = errno;
  if (error == EEXIST) return path + " cannot be written: it is no regular file, and is not replaced";
  return fmt::format("{} cannot be written: {}", path, std::strerror(error));
}

}  // namespace

std::optional<std::string> check_writable(const std::string& path) {
  if (base::NewFile(path).is_open()) return std::nullopt;
  return cannot_write(path);
}

std::optional<std::string> write_file(const std::string& path, base::ByteView bytes) {
  const base::NewFile file(path);
  if (file.is_open() && file.append(bytes) && file.take_name()) return std::nullopt;
  return cannot_write(path);
}

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code none;
  return std::filesystem::equivalent(a, b, none);
}

base::Result<base::Bytes, std::string> read_file(const std::string& path, std::size_t most_bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::Err{fmt::format("{} cannot be read", path)};
  constexpr std::size_t kPiece = std::size_t{1} << 18;  // it may be a pipe, whose size nobody knows
  base::Bytes bytes;
  while (file && bytes.size() <= most_bytes) {
    const std::size_t have = bytes.size();
    bytes.resize(have + kPiece);
    file.read(reinterpret_cast<char*>(&bytes[have]), kPiece);
    bytes.resize(have + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return base::Err{fmt::format("{} cannot be read", path)};
  if (bytes.size() > most_bytes) return base::Err{fmt::format("{} is longer than {} bytes", path, most_bytes)};
  return bytes;
}

}  // namespace avow::app
