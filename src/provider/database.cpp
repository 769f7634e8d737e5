// SPDX-License-Identifier: Apache-2.0
#include "provider/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <bit>

namespace avow::provider {
namespace {

constexpr int kBusyMillis = 5'000;  // for whoever looks at the journal meanwhile

JournalCause cause_of_code(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return JournalCause::kFull;
    case SQLITE_CORRUPT:
      return JournalCause::kCorrupt;
    case SQLITE_NOTADB:
      return JournalCause::kNone;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return JournalCause::kOpen;
    default:
      return JournalCause::kWrite;
  }
}

JournalError error_of(sqlite3* database, int code) {
  const char* words = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const JournalCause cause = cause_of_code(code);
  std::string text = words;
  if (cause == JournalCause::kFull) text += "; make room and start again, nothing that was written is lost";
  if (cause == JournalCause::kCorrupt || cause == JournalCause::kNone) {
    text += "; move the file away to start with a new journal, or bring it back from a copy";
  }
  return {cause, std::move(text)};
}

}  // namespace

const char* name(JournalCause cause) noexcept {
  switch (cause) {
    case JournalCause::kInUse:
      return "journal.in_use";
    case JournalCause::kOpen:
      return "journal.open";
    case JournalCause::kNone:
      return "journal.none";
    case JournalCause::kCorrupt:
      return "journal.corrupt";
    case JournalCause::kVersion:
      return "journal.version";
    case JournalCause::kIdentity:
      return "journal.identity";
    case JournalCause::kFull:
      return "journal.full";
    case JournalCause::kWrite:
      return "journal.write";
  }
  return "?";
}

void Query::Finish::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Query::Query(sqlite3* database, const char* sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  code_ = sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
  statement_.reset(statement);
}

void Query::note(int code) {
  if (code_ == SQLITE_OK) code_ = code;
}

// SQLite's integers have a sign; what is above keeps its bits.
Query& Query::bind(std::uint64_t value) {
  note(sqlite3_bind_int64(statement_.get(), ++bound_, std::bit_cast<std::int64_t>(value)));
  return *this;
}
Query& Query::bind(std::optional<std::int64_t> value) {
  if (!value) return bind_null();
  note(sqlite3_bind_int64(statement_.get(), ++bound_, *value));
  return *this;
}
Query& Query::bind(base::ByteView bytes) {
  // Of no bytes a null pointer would be NULL.
  const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  note(sqlite3_bind_blob64(statement_.get(), ++bound_, data, bytes.size(), SQLITE_STATIC));
  return *this;
}
Query& Query::bind(const std::string& text) {
  note(sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}
Query& Query::bind_null() {
  note(sqlite3_bind_null(statement_.get(), ++bound_));
  return *this;
}

JournalResult<bool> Query::next() {
  if (code_ != SQLITE_OK) return base::Err{error_of(database_, code_)};
  const int code = sqlite3_step(statement_.get());
  column_ = 0;
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return base::Err{error_of(database_, code)};
}

std::uint64_t Query::number() {
  return std::bit_cast<std::uint64_t>(std::int64_t{sqlite3_column_int64(statement_.get(), column_++)});
}
std::optional<std::int64_t> Query::maybe_id() {
  const int column = column_++;
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_int64(statement_.get(), column);
}
base::Bytes Query::bytes() {
  const int column = column_++;
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? base::Bytes() : base::Bytes(data, data + size);
}
std::string Query::text() {
  const base::Bytes all = bytes();
  return {all.begin(), all.end()};
}

JournalProblem Query::run() {
  auto row = next();
  if (!row) return row.error();
  return std::nullopt;
}

JournalResult<Database> Database::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  Database database(handle);
  if (code != SQLITE_OK) {
    JournalError error = error_of(handle, code);
    error.text = path + ": " + error.text;
    return base::Err{std::move(error)};
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMillis);
  // FULL: a transaction of the chain is only sent when the disk has what is to be known of it.
  for (const char* setting : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"}) {
    Query query = database.query(setting);
    const auto row = query.next();
    if (row) continue;
    JournalError error = row.error();
    error.text = path + ": " + error.text;
    return base::Err{std::move(error)};
  }
  return database;
}

JournalProblem Database::execute(const char* sql) const {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return std::nullopt;
  return error_of(handle_.get(), code);
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_.get()); }

}  // namespace avow::provider
