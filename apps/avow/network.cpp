// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "interrupt.hpp"
#include "model.hpp"
#include "requester/offer.hpp"
#include "requester/wallet.hpp"

namespace avow::app {
namespace {

using requester::UpdateKind;

// A chain of this machine makes blocks at once, or each second.
constexpr std::chrono::milliseconds kLocalPoll{200};
constexpr std::chrono::milliseconds kUsualPoll{1'000};
// A transaction that is in no block after two minutes is replaced by one with higher fees; Ctrl-C is seen sooner.
constexpr std::chrono::milliseconds kPatience{2'000};
constexpr unsigned kParts = 60;

int exit_code_of(const chain::Error& error) {
  switch (error.cause) {
    case chain::Cause::kReverted:
    case chain::Cause::kFailed:
      return kNo;
    default:
      return kEnvironment;
  }
}

int exit_code_of(const requester::Error& error) {
  using requester::Cause;
  switch (error.cause) {
    case Cause::kChain:
      return error.chain ? exit_code_of(*error.chain) : kEnvironment;
    case Cause::kFile:
    case Cause::kTokens:
    case Cause::kCancelled:
      return kEnvironment;
    case Cause::kName:
    case Cause::kNames:
    case Cause::kTokenizer:
    case Cause::kQuestion:
    case Cause::kOffer:
      return kWrongUse;
    case Cause::kRecord:
    case Cause::kModel:
    case Cause::kFrozen:
    case Cause::kUnknown:
    case Cause::kState:
    case Cause::kPayment:
    case Cause::kProof:
      break;
  }
  return kNo;
}

}  // namespace

int refuse(const char* command, int code, const std::string& text) {
  fmt::print(stderr, "{}: {}\n", command, printable(text));
  return code;
}

int refuse(const char* command, const requester::Error& error) {
  return refuse(command, exit_code_of(error), error.text);
}

int refuse(const char* command, const std::string& what, const chain::Error& error) {
  return refuse(command, exit_code_of(error), what + ": " + to_string(error));
}

base::Result<std::unique_ptr<Network>, int> open_network(const char* command, const ChainOptions& options) {
  auto network = std::make_unique<Network>();
  auto chain = connect(options);
  if (!chain) return base::Err{refuse(command, kEnvironment, chain.error())};
  network->chain = std::move(chain).value();
  const auto deployment = deployment_on(*network->chain, options);
  if (!deployment) return base::Err{refuse(command, kEnvironment, deployment.error())};
  network->market = std::make_unique<market::MarketClient>(network->chain->client, deployment.value());
  auto folders = requester::folders();
  if (!folders) return base::Err{refuse(command, folders.error())};
  network->folders = std::move(folders).value();
  network->book = std::make_unique<requester::RequestBook>(network->folders.data / "requests");
  catch_interrupts();
  auto& session = network->session;
  session.market = network->market.get();
  session.book = network->book.get();
  session.profile = network->chain->profile;
  session.cancelled = &cancelled_flag();
  session.poll = session.profile.chain_id == requester::kDevelopmentChain ? kLocalPoll : kUsualPoll;
  session.sending.poll = session.poll;
  session.sending.patience = kPatience;
  session.sending_parts = kParts;
  return network;
}

void add_names_option(CLI::App& command, std::string& path) {
  default_from_environment(path, "AVOW_MODELS");
  command.add_option("--models", path,
                     "File with the names of models that this machine knows (default: AVOW_MODELS, else models.json in "
                     "$AVOW_HOME or ~/.config/avow); names that a chain has are claims and are never looked up");
}

std::string names_path(const requester::Folders& folders, const std::string& path) {
  return path.empty() ? (folders.config / "models.json").string() : path;
}

base::Result<requester::ModelNames, int> read_names(const char* command, const requester::Folders& folders,
                                                    const std::string& path) {
  auto names = requester::ModelNames::read(names_path(folders, path));
  if (!names) return base::Err{refuse(command, names.error())};
  return std::move(names).value();
}

base::Result<chain::PrivateKey, int> unlock_key(const char* command, const KeyOptions& options) {
  auto key = unlock(options);
  if (!key) return base::Err{refuse(command, options.key.empty() ? kWrongUse : kEnvironment, key.error())};
  return std::move(key).value();
}

base::Result<chain::U256, int> tokens_of(const char* command, const char* option, const std::string& text) {
  const auto amount = requester::parse_tokens(text);
  if (!amount) return base::Err{refuse(command, kWrongUse, fmt::format("{}: {}", option, amount.error().text))};
  return amount.value();
}

std::string time_text(std::uint64_t timestamp) {
  constexpr std::uint64_t kLast = 253'402'300'799;  // of year 9999
  if (timestamp > kLast) return fmt::format("timestamp {}", timestamp);
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(timestamp)));
}

std::string line_of(const requester::Update& status) {
  const auto amount = [&] { return requester::to_tokens(status.amount); };
  switch (status.kind) {
    case UpdateKind::kAccountBusy:
      return fmt::format("another avow sends for {} on this machine: waiting for it", to_string(status.account));
    case UpdateKind::kApproving:
      return "approving " + amount() + " first, as the permit was not taken";
    case UpdateKind::kSending:
      return fmt::format("sending {} 0x{}", status.text, base::to_hex(status.transaction));
    case UpdateKind::kOpen:
      return fmt::format("request {} is open until {}", base::to_hex(status.id), time_text(status.until));
    case UpdateKind::kPrice:
      return "price now: " + amount();
    case UpdateKind::kLocked:
      return fmt::format("locked by {} at {}, until {}", to_string(status.account), amount(), time_text(status.until));
    case UpdateKind::kProving:
      return "the lock is effective: running and proving";
    case UpdateKind::kStep:
      return fmt::format("part {} of the proof is verified", status.number);
    case UpdateKind::kLockOver:
      return "the locker is late: now anybody may answer";
    case UpdateKind::kCancelling:
      return fmt::format("cancelling: effective from block {}", status.until);
    case UpdateKind::kFulfilled:
      return fmt::format("answered: {} was paid {}, and used {} gas in transaction 0x{}", to_string(status.account),
                         amount(), status.number, base::to_hex(status.transaction));
    case UpdateKind::kRefunded:
      return amount() + " came back";
    case UpdateKind::kExpired:
      return "the deadline has passed without an answer";
    case UpdateKind::kReorganised:
      return "the chain was reorganised: what was said before does not hold any more";
    case UpdateKind::kNodeLost:
      return "no node answers, trying on: " + printable(status.text);
    case UpdateKind::kNodeBack:
      return "a node answers again";
    case UpdateKind::kRaising:
      return "nobody wanted it: posting it again, for up to " + amount();
  }
  return {};
}

nlohmann::ordered_json json_of(const requester::Update& status) {
  nlohmann::ordered_json json{{"event", name(status.kind)}, {"request_id", base::to_hex(status.id)}};
  if (status.block != 0) json["block"] = status.block;
  if (status.timestamp != 0) json["timestamp"] = status.timestamp;
  if (status.amount != chain::U256()) json["amount"] = chain::to_units(status.amount, requester::kTokenDecimals);
  if (status.account != chain::Address()) json["account"] = to_string(status.account);
  if (status.until != 0) json["until"] = status.until;
  if (status.number != 0) json["number"] = status.number;
  if (status.transaction != base::Digest{}) json["transaction"] = base::to_hex(status.transaction);
  if (!status.text.empty()) json["text"] = status.text;
  return json;
}

void print_json(const nlohmann::ordered_json& json) {
  fmt::print("{}\n", json.dump(2, ' ', true, nlohmann::json::error_handler_t::replace));
}

}  // namespace avow::app
