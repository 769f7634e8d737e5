// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "requester/session.hpp"

namespace avow::requester {

/// What the contract paid for. Its word: requester/paid.hpp checks it.
struct PaidAnswer {
  chain::Address payee;
  chain::U256 payment, fee;
  std::uint8_t end = 0;
  base::Bytes output;
  base::Digest transaction{};
  chain::BlockRef block;
  std::uint64_t gas_used = 0;  ///< of the transaction that paid
};

/// How a request ended.
struct Ending {
  enum class Kind : std::uint8_t {
    kFulfilled,
    kRefunded,
    kExpired,   ///< the deadline has passed, and the money has not come back yet
    kUnposted,  ///< likewise, and the request never was on the chain: it took no money
  };
  Kind kind = Kind::kExpired;
  std::optional<PaidAnswer> paid{};  ///< of kFulfilled
  chain::U256 refunded{};            ///< of kRefunded
};

/// Looks at a request time and again, and tells what happened. What it tells follows from where the request stands at a
/// block, so that a chain that takes blocks back, or a node that was away, does not confuse it.
class RequestWatch {
 public:
  /// The session outlives it.
  RequestWatch(const Session& session, const market::Request& request, std::uint64_t delay_blocks);

  /// Looks once. An ending is one when it has the chain's confirmations. Errors of nodes: look again.
  [[nodiscard]] Result<std::optional<Ending>> look();
  /// The same, but errors are told (kNodeLost) and taken for nothing new, as long as the session bears them.
  /// kCancelled.
  [[nodiscard]] Result<std::optional<Ending>> look_patiently();
  /// Until it ends. kCancelled.
  [[nodiscard]] Result<Ending> wait();

  [[nodiscard]] const base::Digest& id() const { return id_; }
  /// Of the last look.
  [[nodiscard]] const market::RequestState& state() const { return state_; }
  [[nodiscard]] const chain::Block& head() const { return head_; }
  [[nodiscard]] std::uint64_t delay_blocks() const { return delay_blocks_; }
  /// Whether a lock or cancellation is so old that it counts; of the last look.
  [[nodiscard]] bool is_effective() const { return counted_ >= state_.since_block + delay_blocks_; }

 private:
  [[nodiscard]] Update update(UpdateKind kind) const;
  void tell_change(const market::RequestState& before);
  void tell_price();
  void tell_lock();
  [[nodiscard]] std::optional<Error> tell_steps();
  [[nodiscard]] bool is_ours(const chain::Log& first_step);
  [[nodiscard]] Result<std::optional<Ending>> ending();
  [[nodiscard]] Result<std::optional<Ending>> fulfilled();
  [[nodiscard]] Result<std::optional<Ending>> refunded();
  [[nodiscard]] bool is_confirmed(std::uint64_t block) const;

  const Session* session_;
  market::Request request_;
  std::uint64_t delay_blocks_;
  base::Digest id_{};
  chain::Block head_;
  std::uint64_t counted_ = 0;  // the head's number in contracts, where it matters
  market::RequestState state_;
  bool is_known_ = false;  // to the chain, once
  bool told_proving_ = false, told_late_ = false, told_expired_ = false, told_ending_ = false;
  std::optional<chain::U256> told_price_;
  std::uint64_t told_price_at_ = 0;
  std::uint64_t steps_from_ = 0;               // the next block whose steps were not read
  std::set<base::Digest> sessions_;            // proofs that are about this request
  std::optional<std::uint64_t> lost_since_{};  // when nodes were last heard
};

}  // namespace avow::requester
