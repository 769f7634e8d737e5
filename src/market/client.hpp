// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "market/events.hpp"

namespace avow::market {

/// All that the market keeps of a request.
struct RequestState {
  Status status = Status::kUnknown;
  chain::Address account{};       ///< locked: who locked it; fulfilled: who was paid
  std::uint64_t since = 0;        ///< when it came to stand here, a timestamp
  std::uint64_t since_block = 0;  ///< likewise a block, by its number_in_contracts()
};

/// What the registry knows of a model.
struct RegisteredModel {
  std::uint32_t vocabulary = 0, context = 0;
  unsigned id_bytes = 0;
};

/// Numbers that a market was deployed with.
struct MarketTerms {
  std::uint64_t fee_basis_points = 0;
  std::uint64_t delay_blocks = 0;
  chain::U256 escrow_cap;
};

/// A model that was registered, as its event says: nothing of it but the id and the content id, which is the key's
/// word, means anything.
struct Registration {
  base::Digest model_id{}, content_id{};
  chain::Address registrar;
  base::Digest source_sha256{};
  std::string importer;
  std::uint64_t block = 0;
};

/// An allowance by signature (EIP-2612) for the market.
struct Permit {
  chain::U256 value;
  std::uint64_t deadline = 0;
  chain::Signature signature;
};

/// What is asked of the contracts. Errors are chain::Client's.
class MarketClient {
 public:
  /// The client must outlive it; it is told whose errors it may name.
  MarketClient(chain::Client& client, const Deployment& deployment);

  [[nodiscard]] const Deployment& deployment() const { return deployment_; }
  [[nodiscard]] const chain::Address& address(Contract contract) const { return deployment_.at(contract); }
  [[nodiscard]] chain::Client& chain() const { return *client_; }
  [[nodiscard]] base::Digest id_of(const Request& request) const {
    return market::id_of(request, deployment_.chain_id, address(Contract::kMarket));
  }

  [[nodiscard]] chain::Result<MarketTerms> terms();
  [[nodiscard]] chain::Result<RequestState> state_of(const base::Digest& id,
                                                     const chain::BlockId& block = chain::BlockId::latest());
  /// A block's number as contracts see it (`block.number`), which they count delays in and `since_block` is: on some
  /// chains another chain's (Arbitrum: Ethereum's).
  [[nodiscard]] chain::Result<std::uint64_t> number_in_contracts(const chain::BlockId& block);
  [[nodiscard]] chain::Result<bool> is_frozen(const chain::Address& verifier, const base::Digest& model_id);
  [[nodiscard]] chain::Result<bool> is_nonce_used(const chain::Address& requester, const chain::U256& nonce);
  [[nodiscard]] chain::Result<chain::U256> credit_of(const chain::Address& account);
  [[nodiscard]] chain::Result<chain::U256> escrow_of(const chain::Address& verifier);

  /// Nothing if there is no such model.
  [[nodiscard]] chain::Result<std::optional<RegisteredModel>> model_of(const base::Digest& id);
  /// The verifying key: bytes whose Keccak-256 is the id.
  [[nodiscard]] chain::Result<base::Bytes> key_of(const base::Digest& id);
  [[nodiscard]] chain::Result<std::vector<Registration>> registrations(std::uint64_t first, std::uint64_t last);

  [[nodiscard]] chain::Result<chain::U256> balance_of(const chain::Address& account);
  [[nodiscard]] chain::Result<chain::U256> allowance_of(const chain::Address& owner);  ///< for the market

  // Calls to be sent, from nobody yet.
  [[nodiscard]] chain::CallRequest register_model(base::ByteView key, base::ByteView program,
                                                  const base::Digest& source_sha256, const std::string& importer) const;
  [[nodiscard]] chain::CallRequest approve(const chain::U256& amount) const;  ///< the market
  [[nodiscard]] chain::CallRequest transfer(const chain::Address& to, const chain::U256& amount) const;
  [[nodiscard]] chain::CallRequest release(const chain::Address& recipient) const;  ///< from Genesis
  [[nodiscard]] chain::CallRequest drip(const chain::Address& to) const;            ///< of development chains
  [[nodiscard]] chain::CallRequest claim(std::uint64_t epoch, const chain::Address& payee) const;
  [[nodiscard]] chain::CallRequest request(const Request& request) const;
  [[nodiscard]] chain::CallRequest request_for(const Request& request, base::ByteView signature,
                                               const std::optional<Permit>& permit) const;
  [[nodiscard]] chain::CallRequest cancel(const Request& request) const;
  [[nodiscard]] chain::CallRequest refund(const Request& request) const;
  [[nodiscard]] chain::CallRequest expire(const Request& request) const;
  [[nodiscard]] chain::CallRequest lock(const Request& request, std::uint64_t latest) const;
  [[nodiscard]] chain::CallRequest withdraw(const chain::Address& to) const;

  /// The owner's permit for the market, at its present nonce.
  [[nodiscard]] chain::Result<Permit> sign_permit(const chain::PrivateKey& owner, const chain::U256& value,
                                                  std::uint64_t deadline);
  /// Epochs before the present one in which the payee has a share that nobody has claimed; of the last `most`.
  [[nodiscard]] chain::Result<std::vector<std::uint64_t>> claimable(const chain::Address& payee, std::uint64_t most);

  /// A view function of a contract.
  [[nodiscard]] chain::Result<chain::Value::List> view(Contract contract, std::string_view function,
                                                       const chain::Value::List& arguments,
                                                       const chain::BlockId& block = chain::BlockId::latest());
  /// A call of a contract's function, for what has no name above.
  [[nodiscard]] chain::CallRequest call(Contract contract, std::string_view function,
                                        const chain::Value::List& arguments) const;

 private:
  chain::Client* client_;
  Deployment deployment_;
};

}  // namespace avow::market
