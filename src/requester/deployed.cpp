// SPDX-License-Identifier: Apache-2.0
#include "requester/deployed.hpp"

namespace avow::requester {
namespace {

Result<chain::U256> number_of(const Session& session, market::Contract contract, std::string_view view,
                              const chain::Value::List& arguments = {}) {
  const auto result = session.market->view(contract, view, arguments);
  if (!result) return fail("a contract does not answer", result.error());
  const auto* number = result.value().size() == 1 ? result.value()[0].as<chain::U256>() : nullptr;
  if (number == nullptr) return fail("a contract does not answer", {chain::Cause::kReply, "no number"});
  return *number;
}

std::optional<Error> read_numbers(const Session& session, MarketStatus& status) {
  using market::Contract;
  const auto terms = session.market->terms();
  if (!terms) return fail("the market does not say its terms", terms.error()).error;
  status.terms = terms.value();
  const auto supply = number_of(session, Contract::kToken, "totalSupply");
  if (!supply) return supply.error();
  status.supply = supply.value();
  const auto cap = number_of(session, Contract::kToken, "CAP");
  if (!cap) return cap.error();
  status.burned = subtract(cap.value(), supply.value()).value_or(chain::U256());
  const auto escrow = session.market->escrow_of(session.market->address(Contract::kAnswerVerifier));
  if (!escrow) return fail("the market does not say its escrow", escrow.error()).error;
  status.escrow = escrow.value();
  const auto head = head_of(session);
  if (!head) return head.error();
  const auto epoch = number_of(session, Contract::kEmission, "epochAt", {head.value().timestamp});
  if (!epoch) return epoch.error();
  status.epoch = epoch.value().to_u64().value_or(0);
  const auto amount = number_of(session, Contract::kEmission, "amountOf", {epoch.value()});
  if (!amount) return amount.error();
  status.epoch_amount = amount.value();
  return std::nullopt;
}

}  // namespace

std::optional<Error> check_contracts_are_ours(const Session& session) {
  const auto problem = market::check_deployment(session.chain(), session.market->deployment());
  if (!problem) return std::nullopt;
  if (problem->cause != chain::Cause::kReply) return fail("the contracts are not known", *problem).error;
  return Error{Cause::kChain, problem->text, *problem};
}

Result<MarketStatus> market_status(const Session& session) {
  MarketStatus status;
  bool is_complete = true;
  for (std::size_t i = 0; i < market::kContracts; ++i) {
    const auto contract = static_cast<market::Contract>(i);
    const auto state = market::code_state(session.chain(), session.market->deployment(), contract);
    if (!state) return fail("the code of contracts is not known", state.error());
    status.contracts.push_back({contract, session.market->address(contract), state.value()});
    is_complete = is_complete && state.value() != market::CodeState::kNone;
  }
  if (const auto problem = market::check_deployment(session.chain(), session.market->deployment())) {
    // What nodes do not answer is no matter of the contracts.
    if (is_complete && problem->cause != chain::Cause::kReply) return fail("the contracts are not known", *problem);
    status.problem = problem->text;
  }
  if (!is_complete) return status;
  if (auto error = read_numbers(session, status)) {
    if (!status.problem) return base::Err{std::move(*error)};
  }
  return status;
}

}  // namespace avow::requester
