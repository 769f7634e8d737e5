// SPDX-License-Identifier: Apache-2.0
#include "provider/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/hex.hpp"

namespace avow::provider {
namespace {

constexpr std::array<const char*, kSteps> kStepNames = {"seen",
                                                        "ran",
                                                        "approve-prepared",
                                                        "approve-sent",
                                                        "approve-included",
                                                        "lock-prepared",
                                                        "lock-sent",
                                                        "lock-included",
                                                        "proven",
                                                        "planned",
                                                        "settle-prepared",
                                                        "settle-sent",
                                                        "settle-included",
                                                        "paid",
                                                        "lost",
                                                        "refused"};

// Each brings a journal from the version of its place to the next one. What was released is not changed any more.
constexpr std::array kMigrations = {
    R"(CREATE TABLE identity(chain_id INTEGER NOT NULL, market BLOB NOT NULL, account BLOB NOT NULL);
       CREATE TABLE blocks(number INTEGER PRIMARY KEY, hash BLOB NOT NULL);
       CREATE TABLE jobs(
         id BLOB PRIMARY KEY, topics BLOB NOT NULL, data BLOB NOT NULL, block INTEGER NOT NULL, block_hash BLOB NOT NULL,
         stage INTEGER NOT NULL, status INTEGER NOT NULL, account BLOB NOT NULL, since_block INTEGER NOT NULL,
         price BLOB NOT NULL, until INTEGER NOT NULL, output BLOB, output_end INTEGER NOT NULL,
         proof INTEGER REFERENCES proofs(id), reason TEXT NOT NULL) WITHOUT ROWID;
       CREATE INDEX jobs_by_stage ON jobs(stage);
       CREATE TABLE proofs(
         id INTEGER PRIMARY KEY AUTOINCREMENT, model BLOB NOT NULL, delivery BLOB NOT NULL, proof BLOB NOT NULL,
         places INTEGER NOT NULL, run_millis INTEGER NOT NULL, prove_millis INTEGER NOT NULL);
       CREATE TABLE calls(
         id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, job BLOB NOT NULL,
         proof INTEGER REFERENCES proofs(id), number INTEGER NOT NULL, contract BLOB NOT NULL, data BLOB NOT NULL,
         state INTEGER NOT NULL, sent_at INTEGER NOT NULL, block INTEGER NOT NULL, block_hash BLOB NOT NULL,
         gas_used INTEGER NOT NULL);
       CREATE TABLE transactions(
         call INTEGER NOT NULL REFERENCES calls(id), number INTEGER NOT NULL, bytes BLOB NOT NULL,
         PRIMARY KEY(call, number)) WITHOUT ROWID;)",
    R"(CREATE TABLE measures(
         model BLOB NOT NULL, places INTEGER NOT NULL, run_millis INTEGER NOT NULL, prove_millis INTEGER NOT NULL,
         bytes INTEGER NOT NULL, gas INTEGER NOT NULL, PRIMARY KEY(model, places)) WITHOUT ROWID;)",
};
static_assert(kMigrations.size() == Journal::kVersion);

constexpr const char* kJobColumns =
    "SELECT topics, data, block, block_hash, stage, status, account, since_block, price, until, output, output_end, "
    "proof, reason, id FROM jobs ";

base::Bytes joined(const std::vector<base::Digest>& topics) {
  base::Bytes all;
  for (const base::Digest& topic : topics) base::append(all, topic);
  return all;
}

std::vector<base::Digest> split_topics(const base::Bytes& all) {
  std::vector<base::Digest> topics(all.size() / sizeof(base::Digest));
  for (std::size_t i = 0; i < topics.size(); ++i) {
    std::memcpy(topics[i].data(), all.data() + i * sizeof(base::Digest), sizeof(base::Digest));
  }
  return topics;
}

JournalError corrupt_row(std::string_view what) {
  return {JournalCause::kCorrupt,
          fmt::format("{} in the journal is none; move the file away, or bring it back from a copy", what)};
}

// Of jobs that may go on, the request is read from what the chain said.
std::optional<JournalError> read_request(Job& job) {
  if (job.stage == Stage::kRefused) return std::nullopt;
  const auto event = market::event_of({{}, job.log, {}, {}, 0});
  const auto* requested = event && event.value() ? std::get_if<market::Requested>(&*event.value()) : nullptr;
  if (requested == nullptr || requested->id != job.id) return corrupt_row("a request");
  job.request = requested->request;
  return std::nullopt;
}

// The descriptor of the file that keeps others away, locked.
JournalResult<int> take_lock(const std::string& path) {
  const std::string lock = path + ".lock";
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return base::Err{JournalError{JournalCause::kOpen, lock + ": " + std::strerror(errno)}};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  const bool in_use = errno == EWOULDBLOCK;
  const std::string why =
      in_use ? "another process works with this journal; stop it, or name another --journal" : std::strerror(errno);
  ::close(fd);
  return base::Err{JournalError{in_use ? JournalCause::kInUse : JournalCause::kOpen, path + ": " + why}};
}

}  // namespace

const char* name(Step step) noexcept { return kStepNames[static_cast<std::size_t>(step)]; }

std::optional<Step> step_named(std::string_view text) {
  for (std::size_t i = 0; i < kSteps; ++i) {
    if (kStepNames[i] == text) return static_cast<Step>(i);
  }
  return std::nullopt;
}

Journal::Journal(Database database, int lock, OnStep on_step)
    : database_(std::move(database)), lock_(lock), on_step_(std::move(on_step)) {}

Journal::~Journal() {
  if (lock_ >= 0) ::close(lock_);
}

JournalResult<std::unique_ptr<Journal>> Journal::open(const std::string& path, const Identity& identity,
                                                      OnStep on_step) {
  int lock = -1;
  if (path != ":memory:") {
    const auto taken = take_lock(path);
    if (!taken) return base::Err{taken.error()};
    lock = taken.value();
  }
  auto database = Database::open(path);
  if (!database) {
    if (lock >= 0) ::close(lock);
    return base::Err{database.error()};
  }
  std::unique_ptr<Journal> journal(new Journal(std::move(database).value(), lock, std::move(on_step)));
  auto problem = journal->migrate();
  if (!problem) problem = journal->check_identity(identity);
  if (problem) return base::Err{JournalError{problem->cause, path + ": " + problem->text}};
  return journal;
}

JournalProblem Journal::migrate() {
  Query check = database_.query("PRAGMA quick_check(1)");
  const auto checked = check.next();
  if (!checked) return checked.error();
  if (!checked.value() || check.text() != "ok") return corrupt_row("a page");
  Query query = database_.query("PRAGMA user_version");
  const auto row = query.next();
  if (!row) return row.error();
  const std::uint64_t version = row.value() ? query.number() : 0;
  (void)query.next();  // a statement under way would hold up what follows
  if (version > kVersion) {
    return JournalError{
        JournalCause::kVersion,
        fmt::format("a journal of version {}, where this program knows {}; use a later program", version, kVersion)};
  }
  for (std::uint64_t next = version; next < kVersion; ++next) {
    const std::string mark = fmt::format("PRAGMA user_version={}", next + 1);
    auto problem = database_.transact([&]() -> JournalProblem {
      if (auto failed = database_.execute(kMigrations[next])) return failed;
      return database_.execute(mark.c_str());
    });
    if (problem) return problem;
  }
  return std::nullopt;
}

JournalProblem Journal::check_identity(const Identity& identity) {
  Query query = database_.query("SELECT chain_id, market, account FROM identity");
  const auto row = query.next();
  if (!row) return row.error();
  if (!row.value()) {
    Query insert = database_.query("INSERT INTO identity VALUES(?, ?, ?)");
    return insert.bind(identity.chain_id).bind(identity.market.bytes).bind(identity.account.bytes).run();
  }
  const std::uint64_t chain_id = query.number();
  const chain::Address market{query.array<decltype(chain::Address::bytes)>()};
  const chain::Address account{query.array<decltype(chain::Address::bytes)>()};
  if (chain_id == identity.chain_id && market == identity.market && account == identity.account) return std::nullopt;
  return JournalError{JournalCause::kIdentity,
                      fmt::format("the journal of {} for the market {} on chain {}; name another --journal",
                                  to_string(account), to_string(market), chain_id)};
}

JournalResult<std::vector<chain::BlockRef>> Journal::blocks() {
  std::vector<chain::BlockRef> all;
  Query query = database_.query("SELECT number, hash FROM blocks ORDER BY number");
  for (;;) {
    const auto row = query.next();
    if (!row) return base::Err{row.error()};
    if (!row.value()) break;
    chain::BlockRef block;
    block.number = query.number();
    block.hash = query.array<base::Digest>();
    all.push_back(block);
  }
  if (query.is_odd()) return base::Err{corrupt_row("a block")};
  return all;
}

JournalProblem Journal::save_blocks(const std::deque<chain::BlockRef>& blocks, const std::vector<Job>& changed,
                                    const std::vector<Step>& steps) {
  auto problem = database_.transact([&]() -> JournalProblem {
    if (auto failed = database_.execute("DELETE FROM blocks")) return failed;
    for (const chain::BlockRef& block : blocks) {
      Query insert = database_.query("INSERT INTO blocks VALUES(?, ?)");
      if (auto failed = insert.bind(block.number).bind(block.hash).run()) return failed;
    }
    for (const Job& job : changed) {
      if (auto failed = write(job)) return failed;
    }
    return std::nullopt;
  });
  if (problem) return problem;
  for (const Step step : steps) tell(step);
  return std::nullopt;
}

JournalProblem Journal::write(const Job& job) {
  // Of what is refused the id is enough: whoever pays for many requests does not fill the disk.
  const bool is_refused = job.stage == Stage::kRefused;
  const base::Bytes topics = is_refused ? base::Bytes() : joined(job.log.topics);
  const base::Bytes data = is_refused ? base::Bytes() : job.log.data;
  const base::Digest price = job.standing.price.to_bytes();
  Query query = database_.query(
      "INSERT INTO jobs(id, topics, data, block, block_hash, stage, status, account, since_block, price, until, "
      "output, "
      "output_end, proof, reason) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET "
      "topics=excluded.topics, data=excluded.data, block=excluded.block, block_hash=excluded.block_hash, "
      "stage=excluded.stage, status=excluded.status, account=excluded.account, since_block=excluded.since_block, "
      "price=excluded.price, until=excluded.until, output=excluded.output, output_end=excluded.output_end, "
      "proof=excluded.proof, reason=excluded.reason");
  query.bind(job.id).bind(topics).bind(data).bind(job.block.number).bind(job.block.hash);
  query.bind(static_cast<std::uint64_t>(job.stage)).bind(static_cast<std::uint64_t>(job.standing.status));
  query.bind(job.standing.account.bytes).bind(job.standing.since_block).bind(price).bind(job.standing.until);
  if (job.output) {
    query.bind(job.output->ids).bind(std::uint64_t{job.output->end});
  } else {
    query.bind_null().bind(std::uint64_t{0});
  }
  return query.bind(job.proof).bind(job.reason).run();
}

JournalProblem Journal::save(const Job& job, std::optional<Step> step) {
  auto problem = write(job);
  if (!problem) tell(step);
  return problem;
}

JournalResult<std::vector<Job>> Journal::read_jobs(Query query) {
  std::vector<Job> all;
  for (;;) {
    const auto row = query.next();
    if (!row) return base::Err{row.error()};
    if (!row.value()) break;
    Job job;
    job.log.topics = split_topics(query.bytes());
    job.log.data = query.bytes();
    job.block.number = query.number();
    job.block.hash = query.array<base::Digest>();
    const std::uint64_t stage = query.number();
    const std::uint64_t status = query.number();
    if (stage >= kStages || status > static_cast<std::uint64_t>(market::Status::kRefunded)) {
      return base::Err{corrupt_row("a stage")};
    }
    job.stage = static_cast<Stage>(stage);
    job.standing.status = static_cast<market::Status>(status);
    job.standing.account.bytes = query.array<decltype(chain::Address::bytes)>();
    job.standing.since_block = query.number();
    job.standing.price = *chain::U256::from_bytes(query.array<base::Digest>());
    job.standing.until = query.number();
    base::Bytes output = query.bytes();
    const std::uint64_t end = query.number();
    // An answer has a token at least.
    if (!output.empty()) job.output = Output{std::move(output), static_cast<std::uint8_t>(end & 1)};
    job.proof = query.maybe_id();
    job.reason = query.text();
    job.id = query.array<base::Digest>();
    if (query.is_odd()) return base::Err{corrupt_row("a job")};
    if (auto problem = read_request(job)) return base::Err{std::move(*problem)};
    all.push_back(std::move(job));
  }
  return all;
}

// Oldest first: what came together is taken on in one order, whoever reads it.
JournalResult<std::vector<Job>> Journal::jobs(Which which) {
  const std::string order = "ORDER BY block, id";
  const std::string open = fmt::format("WHERE stage < {} ", static_cast<unsigned>(Stage::kPaid));
  const std::string sql = kJobColumns + (which == Which::kOpen ? open : "") + order;
  return read_jobs(database_.query(sql.c_str()));
}

JournalResult<std::vector<Job>> Journal::jobs_since(std::uint64_t block) {
  const std::string sql = kJobColumns + std::string("WHERE since_block >= ? OR block >= ? ORDER BY block, id");
  Query query = database_.query(sql.c_str());
  query.bind(block).bind(block);
  return read_jobs(std::move(query));
}

JournalResult<std::optional<Job>> Journal::job(const base::Digest& id) {
  const std::string sql = kJobColumns + std::string("WHERE id = ?");
  Query query = database_.query(sql.c_str());
  query.bind(id);
  auto found = read_jobs(std::move(query));
  if (!found) return base::Err{found.error()};
  if (found.value().empty()) return std::optional<Job>();
  return std::optional<Job>(std::move(found.value().front()));
}

}  // namespace avow::provider
