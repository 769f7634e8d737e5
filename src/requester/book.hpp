// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "chain/transaction.hpp"
#include "market/deployment.hpp"
#include "market/request.hpp"
#include "requester/files.hpp"

namespace avow::requester {

/// A transaction that was made of a request: its bytes, so that it can be sent again.
struct SentTransaction {
  std::string what;  ///< "request", "approve", "cancel", "refund", "expire"
  base::Digest hash{};
  base::Bytes bytes;
  friend bool operator==(const SentTransaction&, const SentTransaction&) = default;
};

/// What this machine keeps of a request that it posted: enough to find, check and take it back without the chain's
/// events.
struct Record {
  base::Digest id{};
  std::uint64_t chain_id = 0;
  chain::Address market;
  market::Request request;
  std::uint64_t posted_at = 0;   ///< a timestamp, of before it was sent
  std::uint64_t from_block = 0;  ///< the chain's head then: nothing about it is in an earlier block
  std::vector<SentTransaction> transactions;
  std::string model;                       ///< the name that it was asked by; may be empty
  std::string prompt;                      ///< the text; empty where ids were given
  std::optional<base::Digest> replaced{};  ///< the request that was taken back for this one, at a lower price
  friend bool operator==(const Record&, const Record&) = default;
};

[[nodiscard]] std::string to_text(const Record& record);
/// kRecord; also where the id is not that of the request on this chain and market: nothing that follows from a record
/// is about another request than its name says.
[[nodiscard]] Result<Record> parse_record(std::string_view text);

/// The records of a folder, a file each. Processes may use it at once: files are replaced whole, and who chooses a
/// nonce holds the account's lock.
class RequestBook {
 public:
  explicit RequestBook(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// On the disk when it returns; kFile, also of one that would be too long to be read again. A file in its place that
  /// cannot be read is kept beside it, as ID.json.unreadable.
  [[nodiscard]] std::optional<Error> write(const Record& record) const;
  /// kUnknown if there is none.
  [[nodiscard]] Result<Record> read(const base::Digest& id) const;
  /// Those whose ids begin with these digits of at least 4: what a person types. kUnknown if it is not exactly one.
  [[nodiscard]] Result<base::Digest> find(std::string_view digits) const;

  struct Listed {
    std::vector<Record> records;        ///< newest first
    std::vector<std::string> problems;  ///< of files that are no records
  };
  [[nodiscard]] Result<Listed> all() const;
  /// Of this account, on this chain and market: nonces that were given away, whether they reached the chain or not.
  [[nodiscard]] Result<std::optional<chain::U256>> highest_nonce(const chain::Address& requester,
                                                                 const market::Deployment& deployment) const;

  /// One process at a time chooses nonces, of requests and of transactions, for an account: nothing while another does.
  [[nodiscard]] Result<std::optional<FileLock>> try_lock_account(std::uint64_t chain_id,
                                                                 const chain::Address& account) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(const base::Digest& id) const;
  [[nodiscard]] std::optional<Error> keep_unreadable(const base::Digest& id) const;
  std::filesystem::path folder_;
};

}  // namespace avow::requester
