// SPDX-License-Identifier: Apache-2.0
#include "serve.hpp"

#include <fmt/format.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "compile/check.hpp"
#include "interrupt.hpp"

namespace avow::app {
namespace {

constexpr const char* kServe = "avow serve";

int refuse_serve(int code, const std::string& text) {
  fmt::print(stderr, "{}: {}\n", kServe, text);
  return code;
}

int exit_code_of(const provider::ServiceError& error) {
  switch (error.kind) {
    case provider::ServiceError::Kind::kModel:
      return kNo;
    case provider::ServiceError::Kind::kUse:
      return kWrongUse;
    case provider::ServiceError::Kind::kEnvironment:
      break;
  }
  return kEnvironment;
}

// Models stay where they are: what proves refers to them.
struct CommittedModel {
  LoadedModel loaded;
  std::unique_ptr<answer_prover::ProvingModel> proving;
};
using Models = std::vector<std::unique_ptr<CommittedModel>>;

// Each with its id derived from its file, whose cells were checked: every prompt that has an answer can be proven.
base::Result<Models, int> commit_models(const ServeOptions& options) {
  Models models;
  for (const std::string& path : options.models) {
    auto loaded = load_model(kServe, path);
    if (!loaded) return base::Err{loaded.error()};
    auto model = std::make_unique<CommittedModel>(CommittedModel{std::move(loaded).value(), nullptr});
    if (const auto problem = compile::check_no_wrap(model->loaded.file.contents.model)) {
      return base::Err{refuse_serve(kNo, path + ": integers could wrap: " + problem->text)};
    }
    CommitmentOptions commitment;
    commitment.level = options.level;
    commitment.usual = options.usual;
    commitment.tree_only = options.tree_only;
    auto proving = commit_model(kServe, model->loaded, path, commitment, false);
    if (!proving) return base::Err{proving.error()};
    model->proving = std::move(proving).value();
    models.push_back(std::move(model));
  }
  return models;
}

std::optional<std::string> missing_option(const ServeOptions& options) {
  if (options.models.empty()) return "name a model to answer with: a .avow file";
  if (options.key.key.empty()) return "name the provider's key file: --key FILE (`avow wallet new` makes one)";
  return std::nullopt;
}

}  // namespace

int serve_command(const ServeOptions& options) {
  if (const auto missing = missing_option(options)) return refuse_serve(kWrongUse, *missing);
  auto service_options = service_options_of(options);
  if (!service_options) return refuse_serve(kWrongUse, service_options.error());
  const auto key = unlock(options.key);
  if (!key) return refuse_serve(kEnvironment, key.error());
  const auto session = connect(options.chain, Patience::kService);
  if (!session) return refuse_serve(kEnvironment, session.error());
  const auto deployment = deployment_on(*session.value(), options.chain);
  if (!deployment) return refuse_serve(kEnvironment, deployment.error());
  std::unique_ptr<provider::Monitor> monitor;
  if (options.listen != "-") {
    auto listening = provider::Monitor::listen(options.listen);
    if (!listening) return refuse_serve(kEnvironment, listening.error());
    monitor = std::move(listening).value();
  }
  catch_interrupts();
  const auto models = commit_models(options);
  if (!models) return models.error();
  std::vector<provider::ServedModel> served;
  for (std::size_t i = 0; i < models.value().size(); ++i) {
    served.push_back({options.models[i], models.value()[i]->proving.get(), options.usual});
  }
  const provider::Log log(options.log_json ? provider::LogFormat::kJson : provider::LogFormat::kLogfmt,
                          options.verbose ? provider::Level::kDebug : provider::Level::kInfo);
  if (monitor) log.info("monitor.listening", {{"address", options.listen}, {"port", std::uint64_t{monitor->port()}}});
  market::MarketClient market(session.value()->client, deployment.value());
  service_options.value().stop = &cancelled_flag();
  const auto service = provider::Service::create(market, key.value(), session.value()->profile, std::move(served),
                                                 std::move(service_options).value(), log, monitor.get());
  if (!service) return refuse_serve(exit_code_of(service.error()), service.error().text);
  if (const auto error = service.value()->run()) return refuse_serve(exit_code_of(*error), error->text);
  return kGood;
}

void add_serve(CLI::App& app, int& exit_code) {
  static ServeOptions options;
  auto* serve = app.add_subcommand(
      "serve", "Answer requests on a chain with proofs, and be paid for it: the service of a provider");
  add_serve_options(*serve, options);
  serve->callback([serve, &exit_code] {
    const auto problem = apply_config(*serve);
    exit_code = problem ? refuse_serve(kWrongUse, *problem) : serve_command(options);
  });
}

}  // namespace avow::app
