// SPDX-License-Identifier: Apache-2.0
#include "requester/session.hpp"

#include <algorithm>

namespace avow::requester {

std::uint64_t Session::system_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
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
