// SPDX-License-Identifier: Apache-2.0
#include "market/client.hpp"

#include "base/check.hpp"
#include "chain/typed_data.hpp"
#include "hash/keccak.hpp"
#include "market/fields.hpp"

namespace avow::market {
namespace {

using chain::Address;
using chain::U256;
using chain::Value;

base::Err<chain::Error> unexpected(std::string_view function) {
  return chain::fail(chain::Cause::kReply, std::string(function) + " returned something else than it does");
}

// The one value that a view returns.
template <typename T>
chain::Result<T> single(const chain::Result<Value::List>& result, std::string_view function) {
  if (!result) return base::Err{result.error()};
  const T* value = result.value().size() == 1 ? result.value()[0].as<T>() : nullptr;
  if (value == nullptr) return unexpected(function);
  return *value;
}

chain::Result<std::uint64_t> single_small(const chain::Result<Value::List>& result, std::string_view function) {
  const auto value = single<U256>(result, function);
  if (!value) return base::Err{value.error()};
  const auto small = value.value().to_u64();
  if (!small) return unexpected(function);
  return *small;
}

// OpenZeppelin's ERC20Permit, as EIP-2612 says it.
constexpr const char* kPermitType =
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";

Value permit_value(const std::optional<Permit>& permit) {
  if (!permit) return Value::List{0, 0, 0, base::Digest{}, base::Digest{}};
  constexpr std::uint64_t kFirstV = 27;
  return Value::List{permit->value, permit->deadline, kFirstV + permit->signature.y_parity, permit->signature.r,
                     permit->signature.s};
}

}  // namespace

MarketClient::MarketClient(chain::Client& client, const Deployment& deployment)
    : client_(&client), deployment_(deployment) {
  client.name_errors_of(all_interfaces());
}

chain::Result<Value::List> MarketClient::view(Contract contract, std::string_view function,
                                              const Value::List& arguments, const chain::BlockId& block) {
  const auto bytes = client_->call(call(contract, function, arguments), block);
  if (!bytes) return base::Err{bytes.error()};
  return interface_of(contract).decode_result(function, bytes.value());
}

chain::CallRequest MarketClient::call(Contract contract, std::string_view function,
                                      const Value::List& arguments) const {
  auto data = interface_of(contract).encode_call(function, arguments);
  AVOW_CHECK(data.ok());  // functions and arguments are ours
  chain::CallRequest request;
  request.to = address(contract);
  request.data = std::move(data).value();
  return request;
}

chain::Result<MarketTerms> MarketClient::terms() {
  const auto fee = single_small(view(Contract::kMarket, "FEE_BASIS_POINTS", {}), "FEE_BASIS_POINTS");
  if (!fee) return base::Err{fee.error()};
  const auto delay = single_small(view(Contract::kMarket, "DELAY_BLOCKS", {}), "DELAY_BLOCKS");
  if (!delay) return base::Err{delay.error()};
  const auto cap = single<U256>(view(Contract::kMarket, "ESCROW_CAP", {}), "ESCROW_CAP");
  if (!cap) return base::Err{cap.error()};
  return MarketTerms{fee.value(), delay.value(), cap.value()};
}

chain::Result<RequestState> MarketClient::state_of(const base::Digest& id, const chain::BlockId& block) {
  const auto result = view(Contract::kMarket, "stateOf", {id}, block);
  if (!result) return base::Err{result.error()};
  FieldReader outer(result.value());
  FieldReader fields = outer.nested();
  const auto status = fields.small<std::uint8_t>();
  RequestState state{Status{status}, fields.address(), fields.small<std::uint64_t>(), fields.small<std::uint64_t>()};
  if (!fields.is_done() || Status{status} > Status::kRefunded) return unexpected("stateOf");
  return state;
}

chain::Result<std::uint64_t> MarketClient::number_in_contracts(const chain::BlockId& block) {
  // Creates a contract whose code is the number: NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN.
  chain::CallRequest request;
  request.data = {0x43, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3};
  const auto word = client_->call(request, block);
  if (!word) return base::Err{word.error()};
  const auto number = U256::from_bytes(word.value());
  if (word.value().size() != sizeof(base::Digest) || !number || !number->to_u64()) return unexpected("block.number");
  return *number->to_u64();
}

chain::Result<bool> MarketClient::is_frozen(const Address& verifier, const base::Digest& model_id) {
  return single<bool>(view(Contract::kMarket, "isFrozen", {verifier, model_id}), "isFrozen");
}

chain::Result<bool> MarketClient::is_nonce_used(const Address& requester, const U256& nonce) {
  return single<bool>(view(Contract::kMarket, "isNonceUsed", {requester, nonce}), "isNonceUsed");
}

chain::Result<U256> MarketClient::credit_of(const Address& account) {
  return single<U256>(view(Contract::kMarket, "creditOf", {account}), "creditOf");
}

chain::Result<U256> MarketClient::escrow_of(const Address& verifier) {
  return single<U256>(view(Contract::kMarket, "escrowOf", {verifier}), "escrowOf");
}

chain::Result<std::optional<RegisteredModel>> MarketClient::model_of(const base::Digest& id) {
  const auto is_there = single<bool>(view(Contract::kRegistry, "isRegistered", {id}), "isRegistered");
  if (!is_there) return base::Err{is_there.error()};
  if (!is_there.value()) return std::optional<RegisteredModel>();
  const auto result = view(Contract::kRegistry, "modelOf", {id});
  if (!result) return base::Err{result.error()};
  FieldReader outer(result.value());
  FieldReader fields = outer.nested();
  (void)fields.address();
  (void)fields.address();
  RegisteredModel model{fields.small<std::uint32_t>(), fields.small<std::uint32_t>(), fields.small<std::uint8_t>()};
  if (!fields.is_done() || model.id_bytes != answer::id_bytes(model.vocabulary)) return unexpected("modelOf");
  return std::optional<RegisteredModel>(model);
}

chain::Result<base::Bytes> MarketClient::key_of(const base::Digest& id) {
  auto key = single<base::Bytes>(view(Contract::kRegistry, "keyOf", {id}), "keyOf");
  if (key && hash::keccak256(key.value()) != id) return unexpected("keyOf");
  return key;
}

chain::Result<std::vector<Registration>> MarketClient::registrations(std::uint64_t first, std::uint64_t last) {
  const auto event = interface_of(Contract::kRegistry).event("ModelRegistered");
  AVOW_CHECK(event.ok());
  const chain::LogFilter filter{{address(Contract::kRegistry)}, {chain::topic_of(event.value()->signature)}};
  std::vector<Registration> all;
  for (std::uint64_t next = first; next <= last;) {
    const auto range = client_->logs(filter, next, last);
    if (!range) return base::Err{range.error()};
    for (const chain::Log& log : range.value().logs) {
      const auto decoded = interface_of(Contract::kRegistry).decode_log(log.body);
      if (!decoded) return base::Err{decoded.error()};
      FieldReader fields(decoded.value().values);
      Registration one{fields.digest(), fields.digest(), fields.address(),
                       fields.digest(), fields.text(),   log.block.number};
      if (!fields.is_done()) return unexpected("ModelRegistered");
      all.push_back(std::move(one));
    }
    next = range.value().upto + 1;
  }
  return all;
}

chain::Result<U256> MarketClient::balance_of(const Address& account) {
  return single<U256>(view(Contract::kToken, "balanceOf", {account}), "balanceOf");
}

chain::Result<U256> MarketClient::allowance_of(const Address& owner) {
  return single<U256>(view(Contract::kToken, "allowance", {owner, address(Contract::kMarket)}), "allowance");
}

chain::CallRequest MarketClient::register_model(base::ByteView key, base::ByteView program,
                                                const base::Digest& source_sha256, const std::string& importer) const {
  return call(
      Contract::kRegistry, "register",
      {base::Bytes(key.begin(), key.end()), base::Bytes(program.begin(), program.end()), source_sha256, importer});
}

chain::CallRequest MarketClient::approve(const U256& amount) const {
  return call(Contract::kToken, "approve", {address(Contract::kMarket), amount});
}
chain::CallRequest MarketClient::transfer(const Address& to, const U256& amount) const {
  return call(Contract::kToken, "transfer", {to, amount});
}
chain::CallRequest MarketClient::release(const Address& recipient) const {
  return call(Contract::kGenesis, "release", {recipient});
}
chain::CallRequest MarketClient::drip(const Address& to) const { return call(Contract::kGenesis, "drip", {to}); }
chain::CallRequest MarketClient::claim(std::uint64_t epoch, const Address& payee) const {
  return call(Contract::kEmission, "claim", {epoch, payee});
}
chain::CallRequest MarketClient::request(const Request& request) const {
  return call(Contract::kMarket, "request", {to_value(request)});
}
chain::CallRequest MarketClient::request_for(const Request& request, base::ByteView signature,
                                             const std::optional<Permit>& permit) const {
  return call(Contract::kMarket, "requestFor",
              {to_value(request), base::Bytes(signature.begin(), signature.end()), permit_value(permit)});
}
chain::CallRequest MarketClient::cancel(const Request& request) const {
  return call(Contract::kMarket, "cancel", {terms_of(request)});
}
chain::CallRequest MarketClient::refund(const Request& request) const {
  return call(Contract::kMarket, "refund", {terms_of(request)});
}
chain::CallRequest MarketClient::expire(const Request& request) const {
  return call(Contract::kMarket, "expire", {terms_of(request)});
}
chain::CallRequest MarketClient::lock(const Request& request, std::uint64_t latest) const {
  return call(Contract::kMarket, "lock", {terms_of(request), latest});
}
chain::CallRequest MarketClient::withdraw(const Address& to) const { return call(Contract::kMarket, "withdraw", {to}); }

chain::Result<Permit> MarketClient::sign_permit(const chain::PrivateKey& owner, const U256& value,
                                                std::uint64_t deadline) {
  const auto nonce = single<U256>(view(Contract::kToken, "nonces", {owner.address()}), "nonces");
  if (!nonce) return base::Err{nonce.error()};
  // Not the node's word: a signature for another domain would be good for another token.
  const chain::Domain domain{"Avow", "1", deployment_.chain_id, address(Contract::kToken), {}};
  const auto type = chain::parse_typed(kPermitType);
  AVOW_CHECK(type.ok());
  const auto hash = chain::hash_struct(
      type.value(), Value::List{owner.address(), address(Contract::kMarket), value, nonce.value(), deadline});
  AVOW_CHECK(hash.ok());
  return Permit{value, deadline, owner.sign(chain::typed_data_digest(chain::domain_separator(domain), hash.value()))};
}

chain::Result<std::vector<std::uint64_t>> MarketClient::claimable(const Address& payee, std::uint64_t most) {
  const auto head = client_->block(chain::BlockId::latest());
  if (!head) return base::Err{head.error()};
  if (!head.value()) return unexpected("the latest block");
  const auto epoch = single_small(view(Contract::kEmission, "epochAt", {head.value()->timestamp}), "epochAt");
  if (!epoch) return base::Err{epoch.error()};
  std::vector<std::uint64_t> epochs;
  for (std::uint64_t back = 1; back <= std::min(most, epoch.value()); ++back) {
    const std::uint64_t one = epoch.value() - back;
    const auto burned = single<U256>(view(Contract::kEmission, "burnedBy", {one, payee}), "burnedBy");
    if (!burned) return base::Err{burned.error()};
    if (burned.value() != U256()) epochs.push_back(one);
  }
  return epochs;
}

}  // namespace avow::market
