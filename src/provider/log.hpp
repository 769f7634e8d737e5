// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "chain/uint256.hpp"

namespace spdlog {
class logger;
}

namespace avow::provider {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kLogfmt, kJson };

/// A name and a value of a line.
struct LogField {
  LogField(std::string_view field, std::string_view text) : name(field), value(text), is_text(true) {}
  LogField(std::string_view field, const char* text) : LogField(field, std::string_view(text)) {}
  LogField(std::string_view field, std::uint64_t number) : name(field), value(std::to_string(number)) {}
  /// An id: all of its digits.
  LogField(std::string_view field, const base::Digest& id);
  /// An amount in units of 10^-18, written as tokens or coins.
  LogField(std::string_view field, const chain::U256& amount);

  std::string name, value;
  bool is_text = false;
};

/// What a service says while it works, one line each: what it is about as a code ("job.locked") that does not change
/// from version to version, and fields. Texts from outside are shown as printable ASCII. Thread-safe.
class Log {
 public:
  /// Writes to standard error.
  Log(LogFormat format, Level least);
  /// Writes what tests read: lines without time.
  Log(LogFormat format, std::function<void(const std::string&)> sink);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view code, std::initializer_list<LogField> fields,
             std::string_view message = {}) const;
  void debug(std::string_view code, std::initializer_list<LogField> fields, std::string_view message = {}) const {
    write(Level::kDebug, code, fields, message);
  }
  void info(std::string_view code, std::initializer_list<LogField> fields, std::string_view message = {}) const {
    write(Level::kInfo, code, fields, message);
  }
  void warning(std::string_view code, std::initializer_list<LogField> fields, std::string_view message = {}) const {
    write(Level::kWarning, code, fields, message);
  }
  void error(std::string_view code, std::initializer_list<LogField> fields, std::string_view message = {}) const {
    write(Level::kError, code, fields, message);
  }

 private:
  LogFormat format_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace avow::provider
