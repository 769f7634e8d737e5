// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "chain/sender.hpp"
#include "market/contracts.hpp"

namespace avow::market {

inline constexpr std::uint64_t kDeploymentVersion = 1;

/// Where the contracts lie on a chain: contracts/deployments/CHAIN.json.
struct Deployment {
  std::uint64_t chain_id = 0;
  std::array<chain::Address, kContracts> contracts{};

  [[nodiscard]] const chain::Address& at(Contract contract) const {
    return contracts[static_cast<std::size_t>(contract)];
  }
  friend bool operator==(const Deployment&, const Deployment&) = default;
};

/// The text of such a file; kJson, kAddress. What this program does not know in it is an error.
[[nodiscard]] chain::Result<Deployment> parse_deployment(std::string_view json);
[[nodiscard]] std::string to_json(const Deployment& deployment);

/// What is deployed with (contracts/script/parameters/CHAIN.json): the constructors' arguments.
struct DeployParameters {
  struct Allocation {
    chain::Address recipient;
    chain::U256 amount;
  };
  chain::U256 emitted;
  std::uint64_t start = 0;  ///< timestamp
  std::uint64_t epoch_seconds = 0;
  std::uint64_t halving_epochs = 0;
  std::uint64_t fee_basis_points = 0;
  std::uint64_t delay_blocks = 0;
  chain::U256 escrow_cap;
  std::vector<Allocation> allocations;
};
[[nodiscard]] chain::Result<DeployParameters> parse_parameters(std::string_view json);

/// Known from the start, as they are part of this program: the addresses and parameters of local development chains
/// (31337), on which the first account of a fresh chain deploys to the same addresses. Nothing for other chains.
[[nodiscard]] std::optional<Deployment> known_deployment(std::uint64_t chain_id);
[[nodiscard]] std::optional<DeployParameters> known_parameters(std::uint64_t chain_id);

/// Deploys everything from the sender's account; `on_contract` is told of each.
[[nodiscard]] chain::Result<Deployment> deploy(chain::Client& client, chain::Sender& sender, std::uint64_t chain_id,
                                               const DeployParameters& parameters,
                                               const std::function<void(Contract, const chain::Receipt&)>& on_contract);

/// Why these are not the contracts of this program (kReply), or are not known. Of all of them the code is compared with
/// the committed artifacts; of registry and verifiers with what creating them would leave, which a node is asked
/// without doing it; the others have to name each other.
[[nodiscard]] std::optional<chain::Error> check_deployment(chain::Client& client, const Deployment& deployment);

}  // namespace avow::market
