// SPDX-License-Identifier: Apache-2.0
#include "requester/doctor.hpp"

#include <fmt/format.h>

#include <fstream>
#include <limits>

#include "base/hex.hpp"
#include "base/threads.hpp"
#include "requester/deployed.hpp"
#include "requester/known_model.hpp"
#include "requester/offer.hpp"
#include "requester/wallet.hpp"

namespace avow::requester {
namespace {

using State = Finding::State;

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;
constexpr std::uint64_t kUsualMemory = 2 * kGib;  // proofs of the bundled model
constexpr std::uint64_t kUsualDisk = kGib;        // commitments that are kept beside models
constexpr std::uint64_t kMostSkewSecs = 15;
constexpr std::uint64_t kMostBehindSecs = 600;
constexpr unsigned kCoinDecimals = 18;

// Tenths are enough for people.
std::string gib(std::uint64_t bytes) {
  const std::uint64_t tenths = bytes / (kGib / 10);
  return fmt::format("{}.{} GiB", tenths / 10, tenths % 10);
}

// Of /proc/meminfo, in bytes; 0 if the system does not say.
std::uint64_t memory_field(const std::string& wanted) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::uint64_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == wanted) return kibibytes << 10;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

Finding memory_finding() {
  const std::uint64_t free = memory_field("MemAvailable:"), all = memory_field("MemTotal:");
  Finding finding{State::kGood, "memory", fmt::format("{} of {} are free", gib(free), gib(all)), ""};
  if (free >= kUsualMemory) return finding;
  finding.state = State::kNotice;
  finding.advice = "asking and checking needs little; proving answers of the bundled model takes 2 GiB";
  return finding;
}

Finding disk_finding(const std::filesystem::path& folder) {
  std::filesystem::path there = std::filesystem::absolute(folder);
  std::error_code error;
  while (!there.empty() && !std::filesystem::exists(there, error) && there != there.root_path()) {
    there = there.parent_path();
  }
  const auto space = std::filesystem::space(there, error);
  if (error) return {State::kBad, "disk", there.string() + ": " + error.message(), "name another folder by AVOW_HOME"};
  Finding finding{State::kGood, "disk", fmt::format("{} are free at {}", gib(space.available), there.string()), ""};
  if (space.available >= kUsualDisk) return finding;
  finding.state = State::kNotice;
  finding.advice = "records of requests are small; commitments of models take up to 70 times their file";
  return finding;
}

Finding from_error(const char* what, const Error& error, std::string advice) {
  return {State::kBad, what, error.text, std::move(advice)};
}

}  // namespace

std::vector<Finding> check_machine(const Folders& folders) {
  std::vector<Finding> findings;
  findings.push_back({State::kGood, "threads", fmt::format("{} in use", base::thread_count()), ""});
  findings.push_back(memory_finding());
  findings.push_back(disk_finding(folders.data));
  return findings;
}

Finding judge_clock(std::uint64_t block_timestamp, std::uint64_t now, bool is_development_chain) {
  Finding finding{State::kGood, "clock", "", ""};
  if (block_timestamp > now + kMostSkewSecs) {
    finding.found = fmt::format("the chain is {} s ahead of this machine", block_timestamp - now);
    finding.state = is_development_chain ? State::kNotice : State::kBad;
    finding.advice = "set this machine's clock (ntpd, chrony): deadlines are moments of the chain";
    return finding;
  }
  const std::uint64_t behind = now > block_timestamp ? now - block_timestamp : 0;
  finding.found = fmt::format("the latest block is {} s old", behind);
  if (behind <= kMostBehindSecs) return finding;
  finding.state = State::kNotice;
  finding.advice = is_development_chain ? "a local chain without a block time makes blocks only for transactions"
                                        : "the node is behind, or this machine's clock is ahead: check both";
  return finding;
}

std::vector<Finding> check_chain(const Session& session) {
  std::vector<Finding> findings;
  const auto& profile = session.profile;
  findings.push_back(
      {State::kGood, "chain",
       fmt::format("{} ({}): {} bytes and {} gas a transaction, {} confirmation{}", profile.chain_id, profile.name,
                   profile.most_bytes, profile.most_gas, profile.confirmations, profile.confirmations == 1 ? "" : "s"),
       ""});
  const auto head = head_of(session);
  if (!head) {
    findings.push_back(from_error("blocks", head.error(), "ask another node: --rpc URL"));
    return findings;
  }
  findings.push_back(judge_clock(head.value().timestamp, session.now(), profile.chain_id == kDevelopmentChain));
  return findings;
}

std::vector<Finding> check_contracts(const Session& session) {
  if (const auto problem = check_contracts_are_ours(session)) {
    return {{State::kBad, "contracts", problem->text,
             "`avow market deploy` deploys on a new chain; --deployment FILE names other addresses"}};
  }
  const std::string at = to_string(session.market->address(market::Contract::kMarket));
  return {{State::kGood, "contracts", "those of this program, the market at " + at, ""},
          {State::kGood, "verifier",
           to_string(session.market->address(market::Contract::kAnswerVerifier)) + ", of this program", ""}};
}

std::vector<Finding> check_account(const Session& session, const chain::Address& account) {
  const auto holdings = holdings_of(session, account);
  if (!holdings) return {from_error("account", holdings.error(), "")};
  const auto& has = holdings.value();
  const bool is_local = session.profile.chain_id == kDevelopmentChain;
  const std::string fund = is_local ? "`avow wallet fund` gets some on a development chain"
                                    : "send some to it; `avow wallet claim` gets what is allocated to it";
  std::vector<Finding> findings;
  findings.push_back({State::kGood, "account", to_string(account), ""});
  const bool has_coins = has.coins != chain::U256(), has_tokens = has.tokens != chain::U256();
  findings.push_back({has_coins ? State::kGood : State::kBad, "coins",
                      chain::to_units(has.coins, kCoinDecimals) + ", for gas", has_coins ? "" : fund});
  findings.push_back(
      {has_tokens ? State::kGood : State::kBad, "tokens", to_tokens(has.tokens), has_tokens ? "" : fund});
  findings.push_back(
      {State::kGood, "allowance",
       has.allowance == chain::U256() ? "none, and none is needed: requests bring a permit" : to_tokens(has.allowance),
       ""});
  return findings;
}

std::vector<Finding> check_models(const Session& session, const ModelNames& names) {
  std::vector<Finding> findings;
  if (names.models().empty()) {
    findings.push_back({State::kNotice, "models", "none has a name here",
                        "`avow model register FILE --name NAME` registers one and names it; an id of 64 digits will do "
                        "without a name"});
  }
  for (const auto& [name, model] : names.models()) {
    Finding finding{State::kGood, "model " + name, base::to_hex(model.id), ""};
    const auto known = known_model(*session.market, model.id);
    if (!known) {
      finding = {State::kBad, "model " + name, known.error().text, "`avow model register FILE` registers it"};
    } else if (model.tokenizer.empty()) {
      finding.state = State::kNotice;
      finding.advice = "without a tokenizer file `avow ask` needs --tokenizer";
    } else if (const auto tokenizer = open_tokenizer(model.tokenizer, known.value().key.info().tokenizer); !tokenizer) {
      finding = {State::kBad, "model " + name, tokenizer.error().text,
                 "`avow model import` writes the tokenizer file beside the model"};
    }
    std::error_code none;
    if (finding.state == State::kGood && !model.file.empty() && !std::filesystem::exists(model.file, none)) {
      finding.state = State::kNotice;
      finding.advice =
          model.file.string() + " is not there any more: asking needs only the tokenizer, serving needs it";
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace avow::requester
