// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace avow::provider {

/// Why a journal cannot be used or written.
enum class JournalCause : std::uint8_t {
  kInUse,     ///< another process has it
  kOpen,      ///< a file that cannot be opened or made
  kNone,      ///< a file that is no journal
  kCorrupt,   ///< a journal whose contents contradict themselves
  kVersion,   ///< a journal of a later program
  kIdentity,  ///< a journal of another chain, market or account
  kFull,      ///< no space on the disk
  kWrite,     ///< the disk or the system refuses
};
struct JournalError {
  JournalCause cause;
  std::string text;
};
/// "journal.full".
[[nodiscard]] const char* name(JournalCause cause) noexcept;

template <typename T>
using JournalResult = base::Result<T, JournalError>;
using JournalProblem = std::optional<JournalError>;

/// A prepared statement of SQLite. What fails is remembered: run() and next() say it.
class Query {
 public:
  Query(sqlite3* database, const char* sql);

  // Values for the question marks, in order. Bytes have to live until the query is done.
  Query& bind(std::uint64_t value);
  Query& bind(std::optional<std::int64_t> value);
  Query& bind(base::ByteView bytes);
  Query& bind(const std::string& text);
  Query& bind_null();

  /// Whether there is a row; then columns may be read, in order.
  [[nodiscard]] JournalResult<bool> next();
  [[nodiscard]] std::uint64_t number();
  [[nodiscard]] std::optional<std::int64_t> maybe_id();
  [[nodiscard]] base::Bytes bytes();
  [[nodiscard]] std::string text();
  template <typename T>
  [[nodiscard]] T array() {
    T result{};
    const base::Bytes read = bytes();
    is_odd_ = is_odd_ || read.size() != result.size();
    if (read.size() == result.size()) std::copy(read.begin(), read.end(), result.begin());
    return result;
  }
  /// Whether a column had another size than it has to.
  [[nodiscard]] bool is_odd() const { return is_odd_; }

  /// Of statements without rows.
  [[nodiscard]] JournalProblem run();

 private:
  struct Finish {
    void operator()(sqlite3_stmt* statement) const;
  };
  void note(int code);

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finish> statement_;
  int code_ = 0;
  int bound_ = 0, column_ = 0;
  bool is_odd_ = false;
};

/// A database of SQLite in WAL mode, every transaction of which is on the disk when it is done. One thread at a time.
class Database {
 public:
  /// ":memory:" is none on the disk. kOpen, kNone, kCorrupt, kFull, kWrite.
  [[nodiscard]] static JournalResult<Database> open(const std::string& path);

  [[nodiscard]] Query query(const char* sql) const { return {handle_.get(), sql}; }
  [[nodiscard]] JournalProblem execute(const char* sql) const;
  [[nodiscard]] std::int64_t last_id() const;

  /// All that `change` does, or nothing of it.
  template <typename Change>
  [[nodiscard]] JournalProblem transact(const Change& change) const {
    if (auto problem = execute("BEGIN IMMEDIATE")) return problem;
    JournalProblem problem = change();
    if (!problem) problem = execute("COMMIT");
    // A transaction that failed may be over already.
    if (problem) (void)execute("ROLLBACK");
    return problem;
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace avow::provider
