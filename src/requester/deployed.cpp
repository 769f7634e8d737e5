// SPDX-License-Identifier: Apache-2.0
#include "requester/deployed.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace avow::requester {
namespace {

constexpr std::uint8_t kPush32 = 0x7f;
constexpr std::size_t kPushedBytes = 32;

// Whether `code` is here, but for pushed words that are zero here. A wrong word is found wherever it differs, as places
// are taken by this side alone.
bool is_equal_but_immutables(base::ByteView here, base::ByteView code) {
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (here[i] != code[i]) return false;
    if (here[i] != kPush32 || i + kPushedBytes >= code.size()) continue;
    const auto word = here.subspan(i + 1, kPushedBytes);
    if (std::all_of(word.begin(), word.end(), [](std::uint8_t byte) { return byte == 0; })) i += kPushedBytes;
  }
  return true;
}

Result<chain::U256> number_of(const Session& session, market::Contract contract, std::string_view view,
                              const chain::Value::List& arguments = {}) {
  const auto result = session.market->view(contract, view, arguments);
  if (!result) return fail("a contract does not answer", result.error());
  const auto* number = result.value().size() == 1 ? result.value()[0].as<chain::U256>() : nullptr;
  if (number == nullptr) return fail("a contract does not answer", {chain::Cause::kReply, "no number"});
  return *number;
}

Result<CodeState> code_state(const Session& session, market::Contract contract) {
  const auto code = session.chain().code(session.market->address(contract));
  if (!code) return fail("the code of contracts is not known", code.error());
  if (code.value().empty()) return CodeState::kNone;
  const bool is_same = is_code_of(market::interface_of(contract).creation_code(), code.value());
  return is_same ? CodeState::kSame : CodeState::kOther;
}

Error other_code(market::Contract contract, const Session& session) {
  std::string text = fmt::format("{} at {} has other code than this program's; check --deployment",
                                 market::name(contract), to_string(session.market->address(contract)));
  return {Cause::kChain, text, chain::Error{chain::Cause::kReply, text}};
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

// The compiler puts what a contract consists of last, after an invalid instruction. What is only the end of it, as
// short as one byte, is another contract.
bool is_code_of(base::ByteView creation, base::ByteView code) {
  constexpr std::uint8_t kInvalid = 0xfe;
  if (code.size() >= creation.size() || 2 * code.size() < creation.size()) return false;
  const std::size_t begin = creation.size() - code.size();
  return creation[begin - 1] == kInvalid && is_equal_but_immutables(creation.subspan(begin), code);
}

std::optional<Error> check_contracts_are_ours(const Session& session) {
  if (const auto problem = market::check_deployment(session.chain(), session.market->deployment())) {
    if (problem->cause != chain::Cause::kReply) return fail("the contracts are not known", *problem).error;
    return Error{Cause::kChain, problem->text, *problem};
  }
  for (std::size_t i = 0; i < market::kContracts; ++i) {
    const auto contract = static_cast<market::Contract>(i);
    const auto state = code_state(session, contract);
    if (!state) return state.error();
    if (state.value() != CodeState::kSame) return other_code(contract, session);
  }
  return std::nullopt;
}

Result<MarketStatus> market_status(const Session& session) {
  MarketStatus status;
  bool is_complete = true;
  for (std::size_t i = 0; i < market::kContracts; ++i) {
    const auto contract = static_cast<market::Contract>(i);
    const auto state = code_state(session, contract);
    if (!state) return base::Err{state.error()};
    status.contracts.push_back({contract, session.market->address(contract), state.value()});
    is_complete = is_complete && state.value() != CodeState::kNone;
  }
  if (const auto problem = market::check_deployment(session.chain(), session.market->deployment())) {
    // What nodes do not answer is no matter of the contracts.
    if (is_complete && problem->cause != chain::Cause::kReply) return fail("the contracts are not known", *problem);
    status.problem = problem->text;
  }
  for (const DeployedContract& one : status.contracts) {
    if (one.state == CodeState::kOther && !status.problem) status.problem = other_code(one.contract, session).text;
  }
  if (!is_complete) return status;
  if (auto error = read_numbers(session, status)) {
    if (!status.problem) return base::Err{std::move(*error)};
  }
  return status;
}

}  // namespace avow::requester
