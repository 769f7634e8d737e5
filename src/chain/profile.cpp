// SPDX-License-Identifier: Apache-2.0
#include "chain/profile.hpp"

#include <fmt/format.h>

namespace avow::chain {
namespace {

constexpr std::size_t kEthereumBytes = 131'072;                    // geth, reth, nethermind: 4 x 32 KiB
constexpr std::size_t kArbitrumBytes = 95'000;                     // its sequencer
constexpr std::uint64_t kTransactionGas = std::uint64_t{1} << 24;  // EIP-7825

constexpr std::uint64_t kEthereumTip = 5'000'000'000;
constexpr std::uint64_t kArbitrumTip = 1'000'000'000;  // its sequencer takes transactions as they come

constexpr ChainProfile kProfiles[] = {
    {1, "Ethereum", kEthereumBytes, kTransactionGas, 12, kEthereumTip},
    {11155111, "Sepolia", kEthereumBytes, kTransactionGas, 6, kEthereumTip},
    {42161, "Arbitrum One", kArbitrumBytes, kTransactionGas, 20, kArbitrumTip},
    {421614, "Arbitrum Sepolia", kArbitrumBytes, kTransactionGas, 20, kArbitrumTip},
    {31337, "a local development chain", kEthereumBytes, kTransactionGas, 1, kEthereumTip},
};

}  // namespace

ChainProfile profile_of(std::uint64_t chain_id) {
  for (const ChainProfile& profile : kProfiles) {
    if (profile.chain_id == chain_id) return profile;
  }
  return {chain_id, "a chain without profile", kEthereumBytes, kTransactionGas, 12, kEthereumTip};
}

std::optional<Error> check_limits(const SignedTransaction& transaction, const ChainProfile& profile) {
  if (transaction.bytes.size() > profile.most_bytes) {
    return Error{
        Cause::kTooManyBytes,
        fmt::format("the transaction has {} bytes, and nodes of {} relay {}; verify in steps, or of fewer answers "
                    "at once",
                    transaction.bytes.size(), profile.name, profile.most_bytes)};
  }
  if (transaction.transaction.gas_limit > profile.most_gas) {
    return Error{
        Cause::kTooMuchGas,
        fmt::format("the transaction needs {} gas, and one on {} may have {}; verify in steps, or of fewer answers "
                    "at once",
                    transaction.transaction.gas_limit, profile.name, profile.most_gas)};
  }
  return std::nullopt;
}

}  // namespace avow::chain
