// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "network.hpp"
#include "requester/offer.hpp"
#include "requester/wallet.hpp"
#include "write_file.hpp"

namespace avow::app {
namespace {

constexpr unsigned kWeiDecimals = 18;
constexpr std::size_t kMostKeyFileBytes = std::size_t{1} << 16;

struct WalletOptions {
  ChainOptions chain;
  KeyOptions key;
  std::string output, from, to, amount, account;
  std::string coins = "10", tokens = "1000";
  bool send_coins = false, json = false;
};

std::string coins_text(const chain::U256& wei) { return chain::to_units(wei, kWeiDecimals); }

// Twice at a terminal: a slip of the finger would lose the account.
base::Result<chain::Secret, int> new_passphrase(const char* command, const KeyOptions& options) {
  auto first = passphrase_of(options, "New passphrase: ");
  if (!first) return base::Err{refuse(command, kEnvironment, first.error())};
  const bool was_typed = options.passphrase_file.empty() && std::getenv("AVOW_PASSPHRASE") == nullptr;
  if (was_typed) {
    const auto second = passphrase_of(options, "The same again: ");
    if (!second) return base::Err{refuse(command, kEnvironment, second.error())};
    if (second.value().text() != first.value().text()) {
      return base::Err{refuse(command, kWrongUse, "these were two passphrases")};
    }
  }
  return std::move(first).value();
}

int keep_key(const char* command, const WalletOptions& options, const chain::PrivateKey& key) {
  const auto passphrase = new_passphrase(command, options.key);
  if (!passphrase) return passphrase.error();
  const auto written = chain::write_key_file(options.output, key, passphrase.value());
  if (!written) return refuse(command, "the key file was not written", written.error());
  if (options.json) {
    print_json({{"address", to_string(key.address())}, {"file", written.value().string()}});
  } else {
    fmt::print("{}\n", to_string(key.address()));
    fmt::print(stderr, "[kept in {}; without the passphrase, or a copy of the file, the account is lost]\n",
               written.value().string());
  }
  return kGood;
}

int wallet_new(const WalletOptions& options) {
  const auto key = chain::PrivateKey::generate();
  if (!key) return refuse("avow wallet new", "there is no new key", key.error());
  return keep_key("avow wallet new", options, key.value());
}

// A key in hexadecimal, as foundry prints it.
base::Result<chain::PrivateKey, int> raw_key(const char* command, const chain::Secret& text) {
  std::string_view digits = text.text();
  while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
  auto bytes = base::from_hex(digits);
  if (!bytes) return base::Err{refuse(command, kWrongUse, "a private key is 64 hexadecimal digits")};
  auto key = chain::PrivateKey::from_bytes(*bytes);
  chain::wipe(bytes->data(), bytes->size());
  if (!key) return base::Err{refuse(command, kWrongUse, to_string(key.error()))};
  return std::move(key).value();
}

int wallet_import(const WalletOptions& options) {
  constexpr const char* kCommand = "avow wallet import";
  if (options.from.empty()) {
    const auto typed = chain::passphrase_from_terminal("Private key (64 hexadecimal digits, not shown): ");
    if (!typed) return refuse(kCommand, "no key was read", typed.error());
    const auto key = raw_key(kCommand, typed.value());
    return key ? keep_key(kCommand, options, key.value()) : key.error();
  }
  const auto bytes = read_file(options.from, kMostKeyFileBytes);
  if (!bytes) return refuse(kCommand, kEnvironment, bytes.error());
  const bool is_json = !bytes.value().empty() && bytes.value().front() == '{';
  if (!is_json) {
    const auto line = chain::passphrase_from_file(options.from);
    if (!line) return refuse(kCommand, "no key was read", line.error());
    const auto key = raw_key(kCommand, line.value());
    return key ? keep_key(kCommand, options, key.value()) : key.error();
  }
  KeyOptions old = options.key;
  old.key = options.from;
  const auto key = unlock_key(kCommand, old);
  return key ? keep_key(kCommand, options, key.value()) : key.error();
}

int wallet_address(const WalletOptions& options) {
  const auto key = unlock_key("avow wallet address", options.key);
  if (!key) return key.error();
  if (options.json) {
    print_json({{"address", to_string(key.value().address())}});
  } else {
    fmt::print("{}\n", to_string(key.value().address()));
  }
  return kGood;
}

// The account that is named, or the key's.
base::Result<chain::Address, int> account_of(const char* command, const WalletOptions& options) {
  if (options.account.empty()) {
    const auto key = unlock_key(command, options.key);
    if (!key) return base::Err{key.error()};
    return key.value().address();
  }
  const auto address = chain::parse_address(options.account);
  if (!address) return base::Err{refuse(command, kWrongUse, "no account: " + to_string(address.error()))};
  return address.value();
}

void print_holdings(const chain::Address& account, const requester::Holdings& has, bool json) {
  if (json) {
    print_json({{"address", to_string(account)},
                {"coins", coins_text(has.coins)},
                {"tokens", coins_text(has.tokens)},
                {"allowance", coins_text(has.allowance)},
                {"credit", coins_text(has.credit)},
                {"allocated", coins_text(has.allocated)},
                {"unclaimed_epochs", has.epochs},
                {"transactions", has.nonce}});
    return;
  }
  fmt::print("account    {}\ncoins      {}\ntokens     {}\n", to_string(account), coins_text(has.coins),
             requester::to_tokens(has.tokens));
  if (has.allowance != chain::U256()) fmt::print("allowance  {} for the market\n", requester::to_tokens(has.allowance));
  const bool can_claim = has.credit != chain::U256() || has.allocated != chain::U256() || !has.epochs.empty();
  if (has.credit != chain::U256()) fmt::print("credit     {}\n", requester::to_tokens(has.credit));
  if (has.allocated != chain::U256()) fmt::print("allocated  {}\n", requester::to_tokens(has.allocated));
  if (!has.epochs.empty()) fmt::print("emission   {} epochs with a share\n", has.epochs.size());
  if (can_claim) fmt::print("`avow wallet claim` gets what is not in the balance yet\n");
}

int wallet_balance(const WalletOptions& options) {
  constexpr const char* kCommand = "avow wallet balance";
  const auto account = account_of(kCommand, options);
  if (!account) return account.error();
  const auto network = open_network(kCommand, options.chain);
  if (!network) return network.error();
  const auto holdings = requester::holdings_of(network.value()->session, account.value());
  if (!holdings) return refuse(kCommand, holdings.error());
  print_holdings(account.value(), holdings.value(), options.json);
  return kGood;
}

void print_receipt(const std::string& what, const chain::Receipt& receipt, bool json) {
  if (json) return;
  fmt::print("{}: transaction 0x{} in block {}, {} gas\n", what, base::to_hex(receipt.transaction),
             receipt.block.number, receipt.gas_used);
}

nlohmann::ordered_json receipt_json(const std::string& what, const chain::Receipt& receipt) {
  return {{"what", what},
          {"transaction", base::to_hex(receipt.transaction)},
          {"block", receipt.block.number},
          {"gas", receipt.gas_used}};
}

// Before it is sent: whoever is interrupted has to look whether it got to the chain before sending it again.
void say_what_is_sent(Network& network) {
  network.session.on_update = [](const requester::Update& status) { fmt::print(stderr, "[{}]\n", line_of(status)); };
}

int wallet_send(const WalletOptions& options) {
  constexpr const char* kCommand = "avow wallet send";
  const auto to = chain::parse_address(options.to);
  if (!to) return refuse(kCommand, kWrongUse, "--to: " + to_string(to.error()));
  const auto amount = tokens_of(kCommand, "AMOUNT", options.amount);
  if (!amount) return amount.error();
  const auto key = unlock_key(kCommand, options.key);
  if (!key) return key.error();
  const auto network = open_network(kCommand, options.chain);
  if (!network) return network.error();
  const auto& session = network.value()->session;
  say_what_is_sent(*network.value());
  chain::CallRequest call = session.market->transfer(to.value(), amount.value());
  if (options.send_coins) {
    call = {};
    call.to = to.value();
    call.value = amount.value();
  }
  const auto receipt = requester::send_as(session, key.value(), call);
  if (!receipt) return refuse(kCommand, receipt.error());
  const std::string what = coins_text(amount.value()) + (options.send_coins ? " coins sent" : " AVOW sent");
  if (options.json) print_json(receipt_json(what, receipt.value()));
  print_receipt(what, receipt.value(), options.json);
  return kGood;
}

int wallet_claim(const WalletOptions& options) {
  constexpr const char* kCommand = "avow wallet claim";
  const auto key = unlock_key(kCommand, options.key);
  if (!key) return key.error();
  const auto network = open_network(kCommand, options.chain);
  if (!network) return network.error();
  say_what_is_sent(*network.value());
  const auto claimed = requester::claim_all(network.value()->session, key.value());
  if (!claimed) return refuse(kCommand, claimed.error());
  auto list = nlohmann::ordered_json::array();
  for (const auto& [what, receipt] : claimed.value()) {
    list.push_back(receipt_json(what, receipt));
    print_receipt("claimed " + what, receipt, options.json);
  }
  if (options.json) print_json({{"claimed", list}});
  if (!options.json && claimed.value().empty()) fmt::print("there is nothing to claim\n");
  return kGood;
}

int wallet_fund(const WalletOptions& options) {
  constexpr const char* kCommand = "avow wallet fund";
  const auto coins = tokens_of(kCommand, "--coins", options.coins);
  if (!coins) return coins.error();
  const auto tokens = tokens_of(kCommand, "--tokens", options.tokens);
  if (!tokens) return tokens.error();
  const auto account = account_of(kCommand, options);
  if (!account) return account.error();
  const auto network = open_network(kCommand, options.chain);
  if (!network) return network.error();
  const auto holdings = requester::fund(network.value()->session, account.value(), {coins.value(), tokens.value()});
  if (!holdings) return refuse(kCommand, holdings.error());
  print_holdings(account.value(), holdings.value(), options.json);
  return kGood;
}

// A subcommand of the wallet with what most have.
CLI::App* add_command(CLI::App& wallet, const char* name, const char* about, const char* example,
                      WalletOptions& options) {
  auto* command = wallet.add_subcommand(name, about);
  add_key_options(*command, options.key);
  command->add_flag("--json", options.json, "Print one JSON object");
  command->footer(std::string("Example:\n  ") + example);
  return command;
}

void add_account(CLI::App& command, WalletOptions& options) {
  command.add_option("account", options.account, "An address (default: that of --key)");
}

}  // namespace

void add_wallet(CLI::App& app, int& exit_code) {
  auto* wallet = app.add_subcommand("wallet", "Accounts: their keys, coins and tokens");
  wallet->require_subcommand(1);
  static WalletOptions options;
  auto* make = add_command(*wallet, "new", "Make an account: its key, encrypted, in a file",
                           "avow wallet new -o me.json", options);
  make->add_option("-o,--output", options.output, "The key file to write; one that is there is never replaced")
      ->required();
  make->callback([&exit_code] { exit_code = wallet_new(options); });

  auto* take = add_command(*wallet, "import", "Keep an account's key in a file of one's own, encrypted",
                           "avow wallet import --from old-keystore.json -o me.json", options);
  take->add_option("--from", options.from,
                   "A key file, or a file whose first line is a private key in hexadecimal (default: it is asked for, "
                   "and never on the command line, which others see)");
  take->add_option("-o,--output", options.output, "The key file to write; one that is there is never replaced")
      ->required();
  take->callback([&exit_code] { exit_code = wallet_import(options); });

  auto* address =
      add_command(*wallet, "address", "Print a key file's address", "avow wallet address --key me.json", options);
  address->callback([&exit_code] { exit_code = wallet_address(options); });

  auto* balance = add_command(*wallet, "balance", "Coins, which pay for gas, and tokens, which pay for answers",
                              "avow wallet balance --key me.json --rpc http://127.0.0.1:8545", options);
  add_chain_options(*balance, options.chain);
  add_account(*balance, options);
  balance->callback([&exit_code] { exit_code = wallet_balance(options); });

  auto* send =
      add_command(*wallet, "send", "Send tokens, or coins, to an account",
                  "avow wallet send 2.5 --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --key me.json", options);
  add_chain_options(*send, options.chain);
  send->add_option("amount", options.amount, "A decimal number")->required();
  send->add_option("--to", options.to, "The account that gets it")->required();
  send->add_flag("--coins", options.send_coins, "Coins instead of tokens");
  send->callback([&exit_code] { exit_code = wallet_send(options); });

  auto* claim = add_command(*wallet, "claim",
                            "Get what is an account's and not in its balance yet: its allocation from the genesis, its "
                            "shares of the emission, and what the market could not send",
                            "avow wallet claim --key me.json", options);
  add_chain_options(*claim, options.chain);
  claim->callback([&exit_code] { exit_code = wallet_claim(options); });

  auto* fund = add_command(*wallet, "fund",
                           "On a local development chain (31337): coins from its first well-known account and tokens "
                           "from the faucet; other chains have neither",
                           "avow wallet fund --key me.json --rpc http://127.0.0.1:8545", options);
  add_chain_options(*fund, options.chain);
  add_account(*fund, options);
  fund->add_option("--coins", options.coins, "Coins that the account has then, at least")->capture_default_str();
  fund->add_option("--tokens", options.tokens, "Tokens that the account has then, at least")->capture_default_str();
  fund->callback([&exit_code] { exit_code = wallet_fund(options); });
}

}  // namespace avow::app
