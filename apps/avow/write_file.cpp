// SPDX-License-Identifier: Apache-2.0
#include "write_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace avow::app {
namespace {

std::string temporary_of(const std::string& path) { return fmt::format("{}.{}.tmp", path, getpid()); }

std::string cannot_write(const std::string& path) {
  return fmt::format("{} cannot be written: is there such a folder, and space on the disk?", path);
}

}  // namespace

std::optional<std::string> check_writable(const std::string& path) {
  const std::string temporary = temporary_of(path);
  const bool is_open = std::ofstream(temporary, std::ios::binary).is_open();
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  if (is_open && !std::filesystem::is_directory(path, ignored)) return std::nullopt;
  return cannot_write(path);
}

std::optional<std::string> write_file(const std::string& path, base::ByteView bytes) {
  const std::string temporary = temporary_of(path);
  std::ofstream file(temporary, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code error;
  if (file) {
    std::filesystem::rename(temporary, path, error);
    if (!error) return std::nullopt;
  }
  std::filesystem::remove(temporary, error);
  return cannot_write(path);
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
