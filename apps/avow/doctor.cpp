// SPDX-License-Identifier: Apache-2.0
#include "requester/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "model.hpp"
#include "network.hpp"

namespace avow::app {
namespace {

using requester::Finding;
using State = Finding::State;

struct DoctorOptions {
  ChainOptions chain;
  KeyOptions key;
  std::string names;
  bool json = false;
};

void append_all(std::vector<Finding>& findings, std::vector<Finding> more) {
  std::move(more.begin(), more.end(), std::back_inserter(findings));
}

// The chain and what is on it; ends where the rest would only say the same again.
void look_at_chain(const DoctorOptions& options, const requester::Folders& folders, std::vector<Finding>& findings) {
  const auto connected = connect(options.chain);
  if (!connected) {
    findings.push_back({State::kBad, "node", connected.error(),
                        "start a node, or name one by --rpc URL; several, for when one fails"});
    return;
  }
  ChainSession& chain = *connected.value();
  findings.push_back({State::kGood, "node", "answers", ""});
  const auto deployment = deployment_on(chain, options.chain);
  market::MarketClient market(chain.client, deployment ? deployment.value() : market::Deployment());
  const requester::RequestBook book(folders.data / "requests");
  requester::Session session;
  session.market = &market;
  session.book = &book;
  session.profile = chain.profile;
  append_all(findings, requester::check_chain(session));
  if (!deployment) {
    findings.push_back({State::kBad, "contracts", deployment.error(), ""});
    return;
  }
  append_all(findings, requester::check_contracts(session));
  const bool has_contracts = findings.back().state == State::kGood;
  if (options.key.key.empty()) {
    findings.push_back(
        {State::kNotice, "key file", "none is named", "--key FILE; `avow wallet new -o FILE` makes one"});
  } else if (const auto key = unlock(options.key); !key) {
    findings.push_back({State::kBad, "key file", key.error(), "`avow wallet import` keeps a key in a new file"});
  } else {
    findings.push_back({State::kGood, "key file", options.key.key + " can be read", ""});
    if (has_contracts) append_all(findings, requester::check_account(session, key.value().address()));
  }
  if (!has_contracts) return;
  const auto names = requester::ModelNames::read(names_path(folders, options.names));
  if (!names) {
    findings.push_back({State::kBad, "models", names.error().text, "mend the file, or name another by --models"});
    return;
  }
  append_all(findings, requester::check_models(session, names.value()));
}

const char* state_text(State state) {
  switch (state) {
    case State::kGood:
      return "ok";
    case State::kNotice:
      return "note";
    case State::kBad:
      return "BAD";
  }
  return "";
}

void print_findings(const std::vector<Finding>& findings, bool json) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [state, what, found, advice] : findings) {
    list.push_back({{"state", state_text(state)}, {"what", what}, {"found", found}, {"advice", advice}});
    if (json) continue;
    fmt::print("{:<4}  {:<10}  {}\n", state_text(state), printable(what), printable(found));
    if (!advice.empty()) fmt::print("                  {}\n", advice);
  }
  if (json) print_json({{"findings", list}});
}

int doctor_command(const DoctorOptions& options) {
  std::vector<Finding> findings;
  findings.push_back({State::kGood, "program", "avow " AVOW_VERSION, ""});
  const auto folders = requester::folders();
  if (!folders) {
    findings.push_back({State::kBad, "folders", folders.error().text, ""});
  } else {
    append_all(findings, requester::check_machine(folders.value()));
    look_at_chain(options, folders.value(), findings);
  }
  print_findings(findings, options.json);
  const bool is_good = std::none_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.state == State::kBad; });
  if (!options.json) fmt::print("{}\n", is_good ? "all is well" : "not all is well: see BAD above");
  return is_good ? kGood : kNo;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  static DoctorOptions options;
  auto* doctor = app.add_subcommand(
      "doctor", "Look at everything that asking takes, in order, and say what to do about what is missing");
  add_chain_options(*doctor, options.chain);
  add_key_options(*doctor, options.key);
  add_names_option(*doctor, options.names);
  doctor->add_flag("--json", options.json, "Print one JSON object");
  doctor->footer(
      "Exit code 1 if something keeps things from working.\n\nExample:\n  avow doctor --key me.json --rpc "
      "http://127.0.0.1:8545");
  doctor->callback([&exit_code] { exit_code = doctor_command(options); });
}

}  // namespace avow::app
