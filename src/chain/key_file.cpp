// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/descriptor.hpp"
#include "base/new_file.hpp"
#include "chain/keystore.hpp"

namespace avow::chain {
namespace {

constexpr std::size_t kMostFileBytes = std::size_t{1} << 16;
constexpr std::size_t kMostPassphraseBytes = 1024;

base::Err<Error> file_error(const std::filesystem::path& path, std::string_view what) {
  return fail(Cause::kFile, fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)));
}

// Up to the buffer's end, the file's end or, where asked for, the end of a line; negative if it failed.
ssize_t read_some(int fd, Secret& buffer, bool to_line_end) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t n = ::read(fd, buffer.data() + filled, buffer.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return n;
    filled += static_cast<std::size_t>(n);
    if (n == 0 || (to_line_end && buffer.data()[filled - 1] == '\n')) break;
  }
  return static_cast<ssize_t>(filled);
}

// The first line of what was read.
Result<Secret> first_line(const Secret& buffer, std::size_t size, std::string_view from) {
  std::string_view line = buffer.text().substr(0, size);
  if (line.find('\n') == std::string_view::npos && line.size() > kMostPassphraseBytes) {
    return fail(Cause::kPassphrase, fmt::format("{}: a passphrase has at most {} bytes", from, kMostPassphraseBytes));
  }
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return fail(Cause::kPassphrase, fmt::format("{}: the passphrase is empty", from));
  return Secret(line);
}

bool write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Shows nothing of what is typed, for as long as it lives. Ctrl-C and the like wait until the terminal is as it was.
class HiddenTyping {
 public:
  explicit HiddenTyping(int terminal) : terminal_(terminal) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, &mask_);
    if (::tcgetattr(terminal_, &before_) != 0) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_hidden_ = ::tcsetattr(terminal_, TCSAFLUSH, &hidden) == 0;
  }
  ~HiddenTyping() {
    if (is_hidden_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  HiddenTyping(const HiddenTyping&) = delete;
  HiddenTyping& operator=(const HiddenTyping&) = delete;
  [[nodiscard]] bool is_hidden() const { return is_hidden_; }

 private:
  int terminal_;
  sigset_t mask_{};
  termios before_{};
  bool is_hidden_ = false;
};

}  // namespace

Result<std::filesystem::path> write_key_file(const std::filesystem::path& path, const PrivateKey& key,
                                             const Secret& passphrase, const ScryptCost& cost) {
  const auto text = encrypt_key(key, passphrase, cost);
  if (!text) return base::Err{text.error()};
  const std::string line = text.value() + "\n";
  const base::NewFile file(path, base::Readers::kOwner);
  if (file.is_open() && file.append({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()}) &&
      file.take_free_name()) {
    return path;
  }
  const int why = errno;
  if (file.has_name()) {
    return fail(Cause::kFile,
                fmt::format("{}: the key file is there, but may be gone after a power failure: {}; copy it "
                            "before the key is used",
                            path.string(), std::strerror(why)));
  }
  errno = why;
  if (errno == EEXIST) {
    return fail(Cause::kFile, path.string() + ": there is a file already; key files are not replaced, name another");
  }
  return file_error(path, "cannot be written");
}

Result<PrivateKey> read_key_file(const std::filesystem::path& path, const Secret& passphrase) {
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return file_error(path, "cannot be opened");
  Secret buffer(kMostFileBytes + 1);
  const ssize_t size = read_some(file.get(), buffer, false);
  if (size < 0) return file_error(path, "cannot be read");
  if (static_cast<std::size_t>(size) > kMostFileBytes) return fail(Cause::kKeystore, path.string() + ": no key file");
  auto key = decrypt_key(buffer.text().substr(0, static_cast<std::size_t>(size)), passphrase);
  if (!key) return base::Err{Error{key.error().cause, path.string() + ": " + key.error().text}};
  return key;
}

Result<Secret> passphrase_from_file(const std::filesystem::path& path) {
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return file_error(path, "cannot be opened");
  Secret buffer(kMostPassphraseBytes + 2);
  const ssize_t size = read_some(file.get(), buffer, true);
  if (size < 0) return file_error(path, "cannot be read");
  return first_line(buffer, static_cast<std::size_t>(size), path.string());
}

Result<Secret> passphrase_from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') {
    return fail(Cause::kPassphrase, fmt::format("the environment variable {} is not set", variable));
  }
  return Secret(std::string_view(value));
}

Result<Secret> passphrase_from_terminal(std::string_view prompt) {
  const base::Descriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (terminal.get() < 0) {
    return fail(Cause::kPassphrase,
                "there is no terminal to type a passphrase at; use a file or an environment variable");
  }
  Secret buffer(kMostPassphraseBytes + 2);
  ssize_t size = 0;
  {
    const HiddenTyping hidden(terminal.get());
    if (!hidden.is_hidden() || !write_whole(terminal.get(), prompt)) {
      return fail(Cause::kPassphrase, "the terminal would show the passphrase; use a file or an environment variable");
    }
    size = read_some(terminal.get(), buffer, true);
    (void)write_whole(terminal.get(), "\n");
  }
  if (size < 0) return fail(Cause::kPassphrase, "the terminal cannot be read");
  return first_line(buffer, static_cast<std::size_t>(size), "terminal");
}

}  // namespace avow::chain
