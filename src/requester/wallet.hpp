// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "requester/session.hpp"

namespace avow::requester {

/// What an account has.
struct Holdings {
  chain::U256 coins, tokens, allowance;  ///< the allowance is the market's
  chain::U256 credit;                    ///< what the market could not send
  chain::U256 allocated;                 ///< of the genesis, not released yet
  std::vector<std::uint64_t> epochs;     ///< with an unclaimed share of the emission
  std::uint64_t nonce = 0;               ///< transactions so far
};
inline constexpr std::uint64_t kMostEpochs = 64;  ///< looked back
[[nodiscard]] Result<Holdings> holdings_of(const Session& session, const chain::Address& account);

/// Sends a call from the key's account, while no other process of this machine sends from it, and waits for it. Which
/// transaction it is, is told before (kSending): nothing else is left of it where this process ends.
[[nodiscard]] Result<chain::Receipt> send_as(const Session& session, const chain::PrivateKey& key,
                                             const chain::CallRequest& call);

/// Claims everything that is the key's account's: its genesis allocation, its shares of the emission, its credit. Each
/// receipt is told of. Nothing to claim is no error.
struct Claimed {
  std::string what;  ///< "genesis", "epoch 3", "credit"
  chain::Receipt receipt;
};
[[nodiscard]] Result<std::vector<Claimed>> claim_all(const Session& session, const chain::PrivateKey& key);

/// The chain id of local development chains, which alone have a faucet and accounts whose keys everybody knows.
inline constexpr std::uint64_t kDevelopmentChain = 31337;
/// On a development chain: coins from the node's first well-known account, and tokens of the faucet, so that the
/// account has at least so many; kState on any other chain.
struct FundOptions {
  chain::U256 coins, tokens;
};
[[nodiscard]] Result<Holdings> fund(const Session& session, const chain::Address& account, const FundOptions& options);

}  // namespace avow::requester
