// SPDX-License-Identifier: Apache-2.0
#include "registry.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/hex.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "network.hpp"
#include "prove.hpp"
#include "reduction/program.hpp"
#include "requester/wallet.hpp"
#include "verifier/key.hpp"

namespace avow::app {
namespace {

constexpr const char* kRegister = "avow model register";
constexpr std::size_t kShownImporter = 64;

struct RegisterOptions {
  ChainOptions chain;
  KeyOptions key;
  CommitmentOptions commitment;
  std::string path, name, names, source_sha256;
  bool json = false;
};

struct RegistryOptions {
  ChainOptions chain;
  std::string names;
  std::uint64_t blocks = 200'000;
  bool json = false;
};

// The local list with the name of what is registered, and the files that are beside each other.
base::Result<requester::ModelNames, int> names_with(const RegisterOptions& options, const Network& network,
                                                    const base::Digest& id) {
  auto names = read_names(kRegister, network.folders, options.names);
  if (!names) return names;
  const std::filesystem::path file = std::filesystem::absolute(options.path);
  std::filesystem::path tokenizer = file.string() + ".tokenizer";
  std::error_code none;
  if (!std::filesystem::exists(tokenizer, none)) tokenizer.clear();
  if (const auto error = names.value().add(options.name, {id, tokenizer, file})) {
    return base::Err{refuse(kRegister, *error)};
  }
  return names;
}

// Read once more: others may have changed it meanwhile.
int keep_name(const RegisterOptions& options, const Network& network, const base::Digest& id) {
  const auto names = names_with(options, network, id);
  if (!names) return names.error();
  const std::string path = names_path(network.folders, options.names);
  if (const auto error = names.value().write(path)) return refuse(kRegister, *error);
  return kGood;
}

struct Registered {
  bool was_there = false;
  std::optional<chain::Receipt> receipt;
};

base::Result<Registered, int> put_on_chain(const Network& network, const chain::PrivateKey& key,
                                           const answer::ModelKey& model, const base::Digest& source_sha256) {
  const auto& session = network.session;
  const auto there = session.market->model_of(model.id());
  if (!there) return base::Err{refuse(kRegister, "the registry does not answer", there.error())};
  if (there.value()) return Registered{true, {}};
  const auto program = reduction::make_program(model.key().statement);
  if (!program) return base::Err{refuse(kRegister, kNo, "contracts cannot check its proofs: " + program.error())};
  const auto call =
      session.market->register_model(serialize(model.key()), program.value(), source_sha256, "avow " AVOW_VERSION);
  auto receipt = requester::send_as(session, key, call);
  if (receipt) return Registered{false, std::move(receipt).value()};
  // Somebody may have been faster.
  const auto now = session.market->model_of(model.id());
  if (now && now.value()) return Registered{true, {}};
  return base::Err{refuse(kRegister, receipt.error())};
}

void report(const RegisterOptions& options, const answer::ModelKey& model, const Registered& registered) {
  const std::string id = base::to_hex(model.id());
  if (options.json) {
    nlohmann::ordered_json json{{"model_id", id},
                                {"content_id", base::to_hex(model.info().content)},
                                {"level", model.key().config.level},
                                {"was_registered", registered.was_there},
                                {"name", options.name}};
    if (registered.receipt) {
      json["transaction"] = base::to_hex(registered.receipt->transaction);
      json["gas"] = registered.receipt->gas_used;
    }
    print_json(json);
    return;
  }
  fmt::print("model id   {}\n", id);
  if (registered.receipt) {
    fmt::print("registered in transaction 0x{}, {} gas\n", base::to_hex(registered.receipt->transaction),
               registered.receipt->gas_used);
  } else {
    fmt::print("registered already\n");
  }
  if (!options.name.empty()) fmt::print("name       {}, on this machine\n", options.name);
}

int register_model(const RegisterOptions& options) {
  base::Digest source{};
  if (!options.source_sha256.empty()) {
    const auto bytes = all_bytes_of(options.source_sha256, source.size());
    if (!bytes) return refuse(kRegister, kWrongUse, "--source-sha256 is 64 hexadecimal digits");
    std::copy(bytes->begin(), bytes->end(), source.begin());
  }
  const auto key = unlock_key(kRegister, options.key);
  if (!key) return key.error();
  const auto network = open_network(kRegister, options.chain);
  if (!network) return network.error();
  const auto loaded = load_model(kRegister, options.path);
  if (!loaded) return loaded.error();
  // The id is for others: it rests on the cells, and on no file that may lie beside the model.
  CommitmentOptions commitment = options.commitment;
  commitment.rebuild = true;
  const auto model = commit_model(kRegister, loaded.value(), options.path, commitment, options.json);
  if (!model) return model.error();
  const answer::ModelKey& own = model.value()->key();
  // A name that another model has is found before anything is paid for.
  if (!options.name.empty()) {
    if (const auto names = names_with(options, *network.value(), own.id()); !names) return names.error();
  }
  const auto registered = put_on_chain(*network.value(), key.value(), own, source);
  if (!registered) return registered.error();
  if (!options.name.empty()) {
    if (const int code = keep_name(options, *network.value(), own.id()); code != kGood) return code;
  }
  report(options, own, registered.value());
  return kGood;
}

void print_registration(const market::Registration& one, const std::string& name) {
  fmt::print("{}  {:<16}  block {}, by {}\n", base::to_hex(one.model_id), name.empty() ? "-" : name, one.block,
             to_string(one.registrar));
}

int list_models(const RegistryOptions& options) {
  constexpr const char* kCommand = "avow model list";
  const auto network = open_network(kCommand, options.chain);
  if (!network) return network.error();
  const auto names = read_names(kCommand, network.value()->folders, options.names);
  if (!names) return names.error();
  const auto& session = network.value()->session;
  const auto head = requester::head_of(session);
  if (!head) return refuse(kCommand, head.error());
  const std::uint64_t last = head.value().ref.number;
  const std::uint64_t first = last >= options.blocks ? last - options.blocks + 1 : 0;
  const auto registrations = session.market->registrations(first, last);
  if (!registrations) return refuse(kCommand, "the registry's events are not known", registrations.error());
  auto list = nlohmann::ordered_json::array();
  for (const market::Registration& one : registrations.value()) {
    const std::string name = names.value().name_of(one.model_id);
    if (!options.json) print_registration(one, name);
    list.push_back({{"model_id", base::to_hex(one.model_id)},
                    {"name", name},
                    {"claimed_content_id", base::to_hex(one.content_id)},
                    {"claimed_source_sha256", base::to_hex(one.source_sha256)},
                    {"claimed_importer", printable(one.importer.substr(0, kShownImporter))},
                    {"registrar", to_string(one.registrar)},
                    {"block", one.block}});
  }
  if (options.json) print_json({{"from_block", first}, {"models", list}});
  if (!options.json && list.empty()) fmt::print("no model was registered since block {}\n", first);
  return kGood;
}

}  // namespace

void add_model_registry(CLI::App& model, int& exit_code) {
  static RegisterOptions register_options;
  auto* add = model.add_subcommand(
      "register",
      "Register a .avow model on a chain, so that answers of it can be asked for: its key and what contracts check "
      "its proofs by. Says so, with exit code 0, where it is registered already");
  add->add_option("path", register_options.path, "The .avow file")->required();
  add_chain_options(*add, register_options.chain);
  add_key_options(*add, register_options.key);
  add_commitment_options(*add, register_options.commitment);
  add->add_option("--name", register_options.name,
                  "Give the model this name on this machine, for `avow ask -m`; the chain does not hear of it");
  add_names_option(*add, register_options.names);
  add->add_option("--source-sha256", register_options.source_sha256,
                  "SHA-256 of the file that it was imported from, as a claim for others");
  add->add_flag("--json", register_options.json, "Print one JSON object");
  add->footer("Example:\n  avow model register stories.avow --level 100 --name stories --key me.json");
  add->callback([&exit_code] { exit_code = register_model(register_options); });

  static RegistryOptions list_options;
  auto* list = model.add_subcommand(
      "list",
      "The models that are registered on a chain, with the names that this machine has for them. What else the chain "
      "says of them is their registrars' word: `avow model verify ID FILE` tells which model an id is");
  add_chain_options(*list, list_options.chain);
  add_names_option(*list, list_options.names);
  list->add_option("--blocks", list_options.blocks, "Look so many blocks back")->capture_default_str();
  list->add_flag("--json", list_options.json, "Print one JSON object, with the registrars' claims");
  list->footer("Example:\n  avow model list --rpc http://127.0.0.1:8545");
  list->callback([&exit_code] { exit_code = list_models(list_options); });
}

}  // namespace avow::app
