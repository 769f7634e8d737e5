// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "requester/names.hpp"
#include "requester/session.hpp"

namespace avow::requester {

/// Something that was looked at, and what to do about it.
struct Finding {
  enum class State : std::uint8_t {
    kGood,
    kNotice,  ///< works, or is needed for some things only
    kBad,     ///< keeps things from working
  };
  State state = State::kGood;
  std::string what;    ///< "memory"
  std::string found;   ///< "21.3 GiB of 23.4 GiB are free"
  std::string advice;  ///< empty if there is nothing to do
};

/// Each looks at a part, in the order in which parts need each other.
[[nodiscard]] std::vector<Finding> check_machine(const Folders& folders);
[[nodiscard]] std::vector<Finding> check_chain(const Session& session);
[[nodiscard]] std::vector<Finding> check_contracts(const Session& session);
[[nodiscard]] std::vector<Finding> check_account(const Session& session, const chain::Address& account);
[[nodiscard]] std::vector<Finding> check_models(const Session& session, const ModelNames& names);

/// What a difference between the latest block's timestamp and this machine's clock means.
[[nodiscard]] Finding judge_clock(std::uint64_t block_timestamp, std::uint64_t now, bool is_development_chain);

}  // namespace avow::requester
