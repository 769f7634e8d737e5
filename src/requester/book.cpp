// SPDX-License-Identifier: Apache-2.0
#include "requester/book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/json.hpp"
#include "base/printable.hpp"
#include "requester/json_fields.hpp"
#include "requester/request_json.hpp"

namespace avow::requester {
namespace {

constexpr std::uint64_t kRecordVersion = 1;
constexpr std::size_t kMostRecordBytes = std::size_t{1} << 22;  // a prompt of 2^16 tokens, and transactions with it
constexpr std::size_t kRecordDepth = 5;
constexpr std::size_t kLeastDigits = 4;
constexpr std::size_t kShownText = 200;
constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();

std::vector<SentTransaction> parse_transactions(JsonFields& fields) {
  std::vector<SentTransaction> transactions;
  const auto& list = fields.object("transactions");
  if (!list.is_array()) {
    fields.refuse("transactions");
    return transactions;
  }
  for (const auto& item : list) {
    JsonFields own(item);
    transactions.push_back({own.text("what"), own.digest("hash"), own.bytes("bytes")});
    own.expect_nothing_else();
    if (!own.bad().empty()) fields.refuse("transactions: " + own.bad());
  }
  return transactions;
}

Result<Record> read_record(JsonFields& fields) {
  Record record;
  if (fields.number("version", kAnyNumber) != kRecordVersion) fields.refuse("version");
  record.id = fields.digest("id");
  record.chain_id = fields.number("chain_id", kAnyNumber);
  record.market = fields.address("market");
  record.posted_at = fields.number("posted_at", kAnyNumber);
  record.from_block = fields.number("from_block", kAnyNumber);
  record.model = fields.text("model");
  record.prompt = fields.text("prompt");
  if (fields.has("replaced")) record.replaced = fields.digest("replaced");
  record.transactions = parse_transactions(fields);
  auto request = parse_request(fields.object("request"));
  fields.expect_nothing_else();
  if (!request) return base::Err{request.error()};
  record.request = std::move(request).value();
  if (!fields.bad().empty()) return fail(Cause::kRecord, "the record of a request is wrong at " + fields.bad());
  if (market::id_of(record.request, record.chain_id, record.market) == record.id) return record;
  return fail(Cause::kRecord, "the record of a request is of another request than it says");
}

}  // namespace

std::string to_text(const Record& record) {
  auto transactions = nlohmann::ordered_json::array();
  for (const SentTransaction& sent : record.transactions) {
    transactions.push_back(
        {{"what", sent.what}, {"hash", base::to_hex(sent.hash)}, {"bytes", base::to_hex(sent.bytes)}});
  }
  nlohmann::ordered_json json{{"version", kRecordVersion},
                              {"id", base::to_hex(record.id)},
                              {"chain_id", record.chain_id},
                              {"market", to_string(record.market)},
                              {"posted_at", record.posted_at},
                              {"from_block", record.from_block},
                              {"model", record.model},
                              {"prompt", record.prompt},
                              {"request", to_json(record.request)},
                              {"transactions", transactions}};
  if (record.replaced) json["replaced"] = base::to_hex(*record.replaced);
  // A prompt may be cut within a character by whoever gives it.
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<Record> parse_record(std::string_view text) {
  const auto json = base::parse_json(text, kRecordDepth, base::JsonTop::kObject);
  if (!json) return fail(Cause::kRecord, "the record of a request " + json.error().reason);
  JsonFields fields(json.value());
  return read_record(fields);
}

std::filesystem::path RequestBook::path_of(const base::Digest& id) const {
  return folder_ / (base::to_hex(id) + ".json");
}

std::optional<Error> RequestBook::write(const Record& record) const {
  const std::string text = to_text(record);
  const std::filesystem::path path = path_of(record.id);
  if (text.size() > kMostRecordBytes) {
    return Error{Cause::kFile,
                 fmt::format("{} would have {} bytes, and no more than {} are read again: ask with a shorter text",
                             path.string(), text.size(), kMostRecordBytes),
                 {}};
  }
  if (auto error = keep_unreadable(record.id)) return error;
  return write_own_file(path, text);
}

// What is no record has the prompt nevertheless, or is of a later version of this program.
std::optional<Error> RequestBook::keep_unreadable(const base::Digest& id) const {
  const auto there = read(id);
  if (there || there.error().cause == Cause::kUnknown) return std::nullopt;
  const std::filesystem::path path = path_of(id), aside = path.string() + ".unreadable";
  std::error_code error;
  std::filesystem::rename(path, aside, error);
  if (!error) return std::nullopt;
  return Error{Cause::kFile, fmt::format("{} cannot be renamed: {}", path.string(), error.message()), {}};
}

Result<Record> RequestBook::read(const base::Digest& id) const {
  std::error_code none;
  if (!std::filesystem::exists(path_of(id), none)) {
    return fail(Cause::kUnknown, fmt::format("{} has no record of request {}", folder_.string(), base::to_hex(id)));
  }
  const auto text = read_text_file(path_of(id), kMostRecordBytes);
  if (!text) return base::Err{text.error()};
  auto record = parse_record(text.value());
  if (!record) return fail(record.error().cause, path_of(id).string() + ": " + record.error().text);
  if (record.value().id == id) return record;
  return fail(Cause::kRecord, path_of(id).string() + " is the record of another request");
}

Result<base::Digest> RequestBook::find(std::string_view digits) const {
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  const auto unknown = [&](const char* what) {
    return fail(Cause::kUnknown, fmt::format("{} {}", base::printable(digits, 2 * sizeof(base::Digest)), what));
  };
  if (digits.size() < kLeastDigits) return unknown("is too short for a request's id: give 4 digits at least");
  std::string lower(digits);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  if (lower.size() == 2 * sizeof(base::Digest)) {
    const auto bytes = base::from_hex(lower);
    if (!bytes) return unknown("is no request's id: those have 64 hexadecimal digits");
    base::Digest id{};
    std::copy(bytes->begin(), bytes->end(), id.begin());
    return id;
  }
  const auto listed = all();
  if (!listed) return base::Err{listed.error()};
  std::optional<base::Digest> found;
  for (const Record& record : listed.value().records) {
    if (!base::to_hex(record.id).starts_with(lower)) continue;
    if (found) return unknown("is the beginning of several requests' ids: give more digits");
    found = record.id;
  }
  if (!found) return unknown("is the beginning of no id of a request that was posted from here: give all 64 digits");
  return *found;
}

Result<RequestBook::Listed> RequestBook::all() const {
  Listed listed;
  std::error_code error;
  if (!std::filesystem::exists(folder_, error)) return listed;
  auto entry = std::filesystem::directory_iterator(folder_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    if (path.extension() != ".json" || path.filename().string().starts_with('.')) continue;
    const auto text = read_text_file(path, kMostRecordBytes);
    auto record = text ? parse_record(text.value()) : Result<Record>(base::Err{text.error()});
    if (record) {
      listed.records.push_back(std::move(record).value());
    } else {
      listed.problems.push_back(base::printable(path.string() + ": " + record.error().text, kShownText));
    }
  }
  if (error) return fail(Cause::kFile, fmt::format("{} cannot be read: {}", folder_.string(), error.message()));
  std::sort(listed.records.begin(), listed.records.end(), [](const Record& a, const Record& b) {
    return a.posted_at != b.posted_at ? a.posted_at > b.posted_at : b.request.nonce < a.request.nonce;
  });
  return listed;
}

Result<std::optional<chain::U256>> RequestBook::highest_nonce(const chain::Address& requester,
                                                              const market::Deployment& deployment) const {
  const auto listed = all();
  if (!listed) return base::Err{listed.error()};
  std::optional<chain::U256> highest;
  for (const Record& record : listed.value().records) {
    const bool is_of_account = record.request.requester == requester && record.chain_id == deployment.chain_id &&
                               record.market == deployment.at(market::Contract::kMarket);
    if (is_of_account && (!highest || *highest < record.request.nonce)) highest = record.request.nonce;
  }
  return highest;
}

Result<std::optional<FileLock>> RequestBook::try_lock_account(std::uint64_t chain_id,
                                                              const chain::Address& account) const {
  return FileLock::try_take(folder_ / fmt::format(".{}-{}.lock", chain_id, to_string(account)));
}

}  // namespace avow::requester
