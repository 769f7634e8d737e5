// SPDX-License-Identifier: Apache-2.0
#include "provider/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/hex.hpp"
#include "base/printable.hpp"

namespace avow::provider {
namespace {

constexpr std::size_t kMostText = 400;  // of a value
constexpr unsigned kDecimals = 18;

// Gives lines to a test.
class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(const std::string&)> take) : take_(std::move(take)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    take_(std::string(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  std::function<void(const std::string&)> take_;
};

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// As logfmt has it: quoted where there is more than a word.
std::string quoted_word(const std::string& text) {
  const auto is_plain = [](char c) { return c > ' ' && c != '"' && c != '=' && c != '\\'; };
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string text_line(std::string_view code, std::initializer_list<LogField> fields, std::string_view message) {
  std::string line = fmt::format("code={}", code);
  for (const LogField& field : fields) {
    line += fmt::format(" {}={}", field.name, quoted_word(base::printable(field.value, kMostText)));
  }
  if (!message.empty()) line += " msg=" + quoted_word(base::printable(message, kMostText));
  return line;
}

// Members of an object, without its braces: time and level come before them.
std::string json_line(std::string_view code, std::initializer_list<LogField> fields, std::string_view message) {
  nlohmann::ordered_json object = {{"code", code}};
  for (const LogField& field : fields) {
    std::string value = base::printable(field.value, kMostText);
    if (field.is_text) {
      object[field.name] = std::move(value);
    } else {
      object[field.name] = std::stoull(value);
    }
  }
  if (!message.empty()) object["msg"] = base::printable(message, kMostText);
  const std::string text = object.dump();
  return text.substr(1, text.size() - 2);
}

}  // namespace

LogField::LogField(std::string_view field, const base::Digest& id)
    : name(field), value("0x" + base::to_hex(id)), is_text(true) {}
LogField::LogField(std::string_view field, const chain::U256& amount)
    : name(field), value(chain::to_units(amount, kDecimals)), is_text(true) {}

Log::Log(LogFormat format, Level least)
    : format_(format),
      logger_(std::make_shared<spdlog::logger>("avow", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  const char* pattern = format == LogFormat::kJson ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                                   : "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v";
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  logger_->set_level(level_of(least));
  logger_->flush_on(spdlog::level::debug);
}

Log::Log(LogFormat format, std::function<void(const std::string&)> sink)
    : format_(format),
      logger_(std::make_shared<spdlog::logger>("avow", std::make_shared<FunctionSink>(std::move(sink)))) {
  logger_->set_level(spdlog::level::debug);
}

Log::~Log() = default;

void Log::write(Level level, std::string_view code, std::initializer_list<LogField> fields,
                std::string_view message) const {
  const std::string line =
      format_ == LogFormat::kJson ? json_line(code, fields, message) : text_line(code, fields, message);
  logger_->log(level_of(level), line);
}

}  // namespace avow::provider
