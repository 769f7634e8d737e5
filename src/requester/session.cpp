// SPDX-License-Identifier: Apache-2.0
#include "requester/session.hpp"

#include <algorithm>
#include <thread>

namespace avow::requester {

std::uint64_t Session::system_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

Result<FileLock> lock_account(const Session& session, std::uint64_t chain_id, const chain::Address& account) {
  constexpr std::chrono::milliseconds kTry{50};
  for (bool is_told = false;; is_told = true) {
    auto lock = session.book->try_lock_account(chain_id, account);
    if (!lock) return base::Err{std::move(lock).error()};
    if (lock.value()) return *std::move(lock).value();
    if (!is_told) session.tell({.kind = UpdateKind::kAccountBusy, .account = account});
    if (is_set(session.cancelled))
      return fail(Cause::kCancelled, "waiting for the account was ended, nothing was sent");
    std::this_thread::sleep_for(kTry);
  }
}

Result<chain::Block> head_of(const Session& session) {
  const auto head = session.chain().block(chain::BlockId::latest());
  if (!head) return fail("the latest block is not known", head.error());
  if (!head.value()) return fail("the latest block", {chain::Cause::kBehind, "the node has no block"});
  return *head.value();
}

std::uint64_t next_moment(const Session& session, const chain::Block& head) {
  return std::max(session.now(), head.timestamp);
}

}  // namespace avow::requester
