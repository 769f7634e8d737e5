// SPDX-License-Identifier: Apache-2.0
#include "requester/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/new_file.hpp"

namespace avow::requester {
namespace {

base::Err<Error> file_error(const std::filesystem::path& path, const char* what) {
  return fail(Cause::kFile, fmt::format("{} cannot be {}: {}", path.string(), what, std::strerror(errno)));
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Of the XDG folders only absolute ones count.
std::filesystem::path base_folder(const char* name, const std::filesystem::path& usual) {
  const std::filesystem::path given = variable(name);
  return given.is_absolute() ? given : usual;
}

// Its parents as usual, itself for its owner alone: prompts are nobody else's matter.
std::optional<Error> make_own_folder(const std::filesystem::path& folder) {
  std::error_code error;
  // Of a file's name alone it is the present one.
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return std::nullopt;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (!error) return std::nullopt;
  return Error{Cause::kFile, fmt::format("{} cannot be made: {}", folder.string(), error.message()), {}};
}

}  // namespace

Result<Folders> folders() {
  if (const std::string home = variable("AVOW_HOME"); !home.empty()) return Folders{home, home};
  const std::filesystem::path home = variable("HOME");
  if (home.empty()) {
    return fail(Cause::kFile, "neither AVOW_HOME nor HOME says where requests are kept: set one of them");
  }
  return Folders{base_folder("XDG_DATA_HOME", home / ".local/share") / "avow",
                 base_folder("XDG_CONFIG_HOME", home / ".config") / "avow"};
}

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t most_bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return file_error(path, "read");
  constexpr std::size_t kPiece = std::size_t{1} << 16;  // it may be a pipe, whose size nobody knows
  std::string text;
  while (file && text.size() <= most_bytes) {
    const std::size_t have = text.size();
    text.resize(have + kPiece);
    file.read(&text[have], kPiece);
    text.resize(have + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return file_error(path, "read");
  if (text.size() <= most_bytes) return text;
  return fail(Cause::kFile, fmt::format("{} is longer than {} bytes", path.string(), most_bytes));
}

std::optional<Error> write_own_file(const std::filesystem::path& path, std::string_view text) {
  if (auto error = make_own_folder(path.parent_path())) return error;
  const base::NewFile file(path, base::Readers::kOwner);
  const base::ByteView bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  if (file.is_open() && file.append(bytes) && file.take_name()) return std::nullopt;
  return file_error(path, "written").error;
}

Result<std::optional<FileLock>> FileLock::try_take(const std::filesystem::path& path) {
  if (auto error = make_own_folder(path.parent_path())) return base::Err{std::move(*error)};
  constexpr mode_t kOwn = 0600;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwn);
  if (fd < 0) return file_error(path, "opened");
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return std::optional(std::move(lock));
  if (errno == EWOULDBLOCK) return std::optional<FileLock>();
  return file_error(path, "locked");
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace avow::requester
