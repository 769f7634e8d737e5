// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "network.hpp"
#include "requester/offer.hpp"
#include "requester/posting.hpp"
#include "requester/request_json.hpp"
#include "requester/take_back.hpp"
#include "show_paid.hpp"

namespace avow::app {
namespace {

using requester::Record;

struct RequestOptions {
  ChainOptions chain;
  KeyOptions key;
  std::string id, names, tokenizer;
  bool follow = false, json = false;
};

// The request that is meant, and the network that it is on.
struct FoundRequest {
  std::unique_ptr<Network> network;
  Record record;
};

base::Result<FoundRequest, int> find(const char* command, const RequestOptions& options) {
  auto network = open_network(command, options.chain);
  if (!network) return base::Err{network.error()};
  const auto id = network.value()->book->find(options.id);
  if (!id) return base::Err{refuse(command, id.error())};
  auto record = requester::find_request(network.value()->session, id.value());
  if (!record) return base::Err{refuse(command, record.error())};
  return FoundRequest{std::move(network).value(), std::move(record).value()};
}

// That of --tokenizer or of the model's name; none if there is neither.
base::Result<std::optional<model::Tokenizer>, int> tokenizer_for(const char* command, const RequestOptions& options,
                                                                 const Network& network,
                                                                 const requester::KnownModel& model) {
  std::string path = options.tokenizer;
  if (path.empty()) {
    const auto names = read_names(command, network.folders, options.names);
    if (!names) return base::Err{names.error()};
    const auto named = names.value().resolve(base::to_hex(model.key.id()));
    if (named) path = named.value().tokenizer.string();
  }
  if (path.empty()) return std::optional<model::Tokenizer>();
  auto tokenizer = requester::open_tokenizer(path, model.key.info().tokenizer);
  if (tokenizer) return std::optional<model::Tokenizer>(std::move(tokenizer).value());
  if (!options.tokenizer.empty()) return base::Err{refuse(command, tokenizer.error())};
  return std::optional<model::Tokenizer>();
}

struct Listed {
  const Record* record = nullptr;
  std::string status;   ///< empty where the record is of another chain or market
  bool is_due = false;  ///< whether its money waits to be taken back
};

// Whether nobody sends the money back but who asks for it: the deadline has passed, or it was cancelled.
bool is_due(const market::RequestState& state, const Record& record, const chain::Block& head) {
  using market::Status;
  if (state.status == Status::kCancelling) return true;
  const bool is_pending = state.status == Status::kOpen || state.status == Status::kLocked;
  return is_pending && head.timestamp > record.request.offer.deadline;
}

void print_listed(const Listed& one) {
  constexpr std::size_t kShownPrompt = 32;
  const Record& record = *one.record;
  const std::string status = one.status.empty() ? fmt::format("on chain {}", record.chain_id) : one.status;
  fmt::print("{}  {}  {:<11}  {:>10}  {}  {}\n", base::to_hex(record.id).substr(0, 16), time_text(record.posted_at),
             status, chain::to_units(record.request.offer.max_price, requester::kTokenDecimals),
             printable(record.model.empty() ? base::to_hex(record.request.model_id).substr(0, 16) : record.model),
             printable(record.prompt.substr(0, kShownPrompt)));
  if (one.is_due)
    fmt::print("    `avow request refund {}` gets its money back\n", base::to_hex(record.id).substr(0, 16));
}

nlohmann::ordered_json listed_json(const Listed& one) {
  const Record& record = *one.record;
  return {
      {"id", base::to_hex(record.id)}, {"chain_id", record.chain_id}, {"market", to_string(record.market)},
      {"status", one.status},          {"refund_is_due", one.is_due}, {"posted_at", record.posted_at},
      {"model", record.model},         {"prompt", record.prompt},     {"request", requester::to_json(record.request)}};
}

int request_list(const RequestOptions& options) {
  constexpr const char* kCommand = "avow request list";
  const auto network = open_network(kCommand, options.chain);
  if (!network) return network.error();
  const auto& session = network.value()->session;
  const auto listed = network.value()->book->all();
  if (!listed) return refuse(kCommand, listed.error());
  const auto head = requester::head_of(session);
  if (!head) return refuse(kCommand, head.error());
  auto list = nlohmann::ordered_json::array();
  for (const Record& record : listed.value().records) {
    Listed one{&record, ""};
    if (record.chain_id == session.profile.chain_id &&
        record.market == session.market->address(market::Contract::kMarket)) {
      const auto state = session.market->state_of(record.id);
      if (!state) return refuse(kCommand, "the market does not say where requests stand", state.error());
      one.status = name(state.value().status);
      one.is_due = is_due(state.value(), record, head.value());
    }
    if (!options.json) print_listed(one);
    list.push_back(listed_json(one));
  }
  for (const std::string& problem : listed.value().problems) refuse(kCommand, kNo, problem);
  if (options.json) print_json({{"requests", list}});
  if (!options.json && list.empty()) fmt::print("nothing was asked from here yet; `avow ask` does\n");
  return listed.value().problems.empty() ? kGood : kNo;
}

// What the tokens on the chain say, which is what is answered, whatever a record has.
void print_prompt(const Record& record, const model::Tokenizer* tokenizer, unsigned id_bytes) {
  const auto asked = market::asked(record.request, record.id, id_bytes);
  if (!asked) return;
  if (tokenizer == nullptr) {
    fmt::print("prompt     {}\n", fmt::join(asked->input, " "));
    return;
  }
  fmt::print("prompt     {}\n", prompt_text(*asked, *tokenizer));
  if (!has_marks(asked->input, *tokenizer) && !is_plain(asked->input, *tokenizer)) {
    fmt::print("           in other tokens than this text has: {}\n", fmt::join(asked->input, " "));
  }
}

void print_request(const Network& network, const Record& record, const market::RequestState& state,
                   const requester::Possible& possible) {
  const market::Request& request = record.request;
  const market::Offer& offer = request.offer;
  fmt::print("request    {}\nmodel      {}{}\n", base::to_hex(record.id), base::to_hex(request.model_id),
             record.model.empty() ? "" : " (" + printable(record.model) + ")");
  fmt::print("requester  {}, nonce {}\n", to_string(request.requester), to_decimal(request.nonce));
  fmt::print("asked      at most {} tokens\n", request.max_new_tokens);
  fmt::print("offer      {} to {}, {} thousandths of it however short the answer is\n",
             chain::to_units(offer.min_price, requester::kTokenDecimals), requester::to_tokens(offer.max_price),
             offer.base_permille);
  fmt::print("deadline   {}\n", time_text(offer.deadline));
  const bool is_owned = state.status == market::Status::kLocked || state.status == market::Status::kFulfilled;
  fmt::print("status     {}{}{}\n", name(state.status), is_owned ? " by " + to_string(state.account) : "",
             state.since == 0 ? "" : ", since " + time_text(state.since));
  if (state.status == market::Status::kOpen) {
    const auto head = requester::head_of(network.session);
    if (head) fmt::print("price now  {}\n", requester::to_tokens(market::price_at(offer, head.value().timestamp)));
  }
  fmt::print("money      {}\n", possible.text);
  for (const auto& sent : record.transactions) fmt::print("sent       {} 0x{}\n", sent.what, base::to_hex(sent.hash));
}

// What the market has of the request, and what was paid if it was answered.
struct Standing {
  market::RequestState state;
  std::optional<requester::Ending> ending;
};

base::Result<Standing, int> standing_of(const char* command, const RequestOptions& options, const Network& network,
                                        const Record& record) {
  const auto terms = network.market->terms();
  if (!terms) return base::Err{refuse(command, "the market does not say its terms", terms.error())};
  requester::Session session = network.session;
  // An ending is shown as it stands; who follows waits for its confirmations.
  if (!options.follow) session.sending.confirmations = 1;
  requester::RequestWatch watch(session, record.request, terms.value().delay_blocks);
  if (options.follow) {
    if (watch.look() && watch.state().status == market::Status::kUnknown) requester::post_again(session, record);
    auto ending = watch.wait();
    if (!ending) return base::Err{refuse(command, ending.error())};
    return Standing{watch.state(), std::move(ending).value()};
  }
  auto ending = watch.look();
  if (!ending) return base::Err{refuse(command, ending.error())};
  return Standing{watch.state(), std::move(ending).value()};
}

int show_found(const char* command, const RequestOptions& options, FoundRequest& found, PaidCheck check) {
  Network& network = *found.network;
  auto events = nlohmann::ordered_json::array();
  if (options.follow) {
    network.session.on_update = [&](const requester::Update& status) {
      events.push_back(json_of(status));
      if (!options.json) fmt::print(stderr, "[{}]\n", line_of(status));
    };
  }
  const auto standing = standing_of(command, options, network, found.record);
  if (!standing) return standing.error();
  const auto possible = requester::what_is_possible(network.session, found.record.request);
  if (!possible) return refuse(command, possible.error());
  const auto model = requester::known_model(*network.market, found.record.request.model_id);
  if (!model) return refuse(command, model.error());
  const auto tokenizer = tokenizer_for(command, options, network, model.value());
  if (!tokenizer) return tokenizer.error();
  const model::Tokenizer* names = tokenizer.value() ? &*tokenizer.value() : nullptr;
  const bool is_check = check == PaidCheck::kVerify;
  const auto& ending = standing.value().ending;
  const bool is_paid = ending && ending->paid;
  if (!options.json && !is_check) {
    print_request(network, found.record, standing.value().state, possible.value());
    if (!is_paid) print_prompt(found.record, names, model.value().id_bytes);
  }
  nlohmann::ordered_json json{{"request_id", base::to_hex(found.record.id)},
                              {"status", name(standing.value().state.status)},
                              {"money", possible.value().text},
                              {"request", requester::to_json(found.record.request)}};
  if (options.follow) json["events"] = events;
  int code = kGood;
  if (is_paid) {
    const PaidView view{network.session, model.value(), found.record.request, names, Shown::kAll};
    code = show_paid(command, view, *ending->paid, check, options.json ? &json : nullptr);
  } else if (is_check) {
    code = refuse(command, kNo,
                  fmt::format("the request was not answered: it is {}", name(standing.value().state.status)));
    if (options.json) json["holds"] = false;
  }
  if (options.json) print_json(json);
  return code;
}

int request_show(const RequestOptions& options) {
  constexpr const char* kCommand = "avow request show";
  auto found = find(kCommand, options);
  if (!found) return found.error();
  return show_found(kCommand, options, found.value(), PaidCheck::kBelieve);
}

int request_verify(const RequestOptions& options) {
  constexpr const char* kCommand = "avow request verify";
  auto found = find(kCommand, options);
  if (!found) return found.error();
  return show_found(kCommand, options, found.value(), PaidCheck::kVerify);
}

int report_sent(const char* what, const chain::Receipt& receipt, const std::string& next, bool json) {
  if (json) {
    print_json({{"what", what},
                {"transaction", base::to_hex(receipt.transaction)},
                {"block", receipt.block.number},
                {"gas", receipt.gas_used}});
    return kGood;
  }
  fmt::print("{}: transaction 0x{} in block {}, {} gas\n{}", what, base::to_hex(receipt.transaction),
             receipt.block.number, receipt.gas_used, next);
  return kGood;
}

int request_cancel(const RequestOptions& options) {
  constexpr const char* kCommand = "avow request cancel";
  const auto key = unlock_key(kCommand, options.key);
  if (!key) return key.error();
  auto found = find(kCommand, options);
  if (!found) return found.error();
  const auto& session = found.value().network->session;
  const auto terms = session.market->terms();
  if (!terms) return refuse(kCommand, "the market does not say its terms", terms.error());
  const auto receipt = requester::cancel(session, key.value(), found.value().record);
  if (!receipt) return refuse(kCommand, receipt.error());
  const std::string next = fmt::format(
      "an answer that comes before block {} is paid all the same; from then on `avow request refund {}` "
      "gets the money back\n",
      receipt.value().block.number + terms.value().delay_blocks, base::to_hex(found.value().record.id));
  return report_sent("cancelled", receipt.value(), next, options.json);
}

int request_refund(const RequestOptions& options) {
  constexpr const char* kCommand = "avow request refund";
  const auto key = unlock_key(kCommand, options.key);
  if (!key) return key.error();
  auto found = find(kCommand, options);
  if (!found) return found.error();
  const auto receipt = requester::refund(found.value().network->session, key.value(), found.value().record);
  if (!receipt) return refuse(kCommand, receipt.error());
  return report_sent("refunded", receipt.value(), "", options.json);
}

CLI::App* add_one(CLI::App& request, const char* name, const char* about, RequestOptions& options) {
  auto* command = request.add_subcommand(name, about);
  command->add_option("id", options.id, "The request's id, or its first digits if it was posted from here")->required();
  add_chain_options(*command, options.chain);
  command->add_flag("--json", options.json, "Print one JSON object");
  command->footer(fmt::format("Example:\n  avow request {} 3f2a77c0", name));
  return command;
}

void add_text_options(CLI::App& command, RequestOptions& options) {
  command.add_option("--tokenizer", options.tokenizer,
                     "The model's tokenizer file: show text, not ids (default: the named model's)");
  add_names_option(command, options.names);
}

}  // namespace

void add_request(CLI::App& app, int& exit_code) {
  auto* request = app.add_subcommand("request", "Requests that were posted: follow, check, take back");
  request->require_subcommand(1);
  static RequestOptions options;
  auto* list = request->add_subcommand("list", "What was asked from this machine, newest first");
  add_chain_options(*list, options.chain);
  list->add_flag("--json", options.json, "Print one JSON object");
  list->footer("Example:\n  avow request list");
  list->callback([&exit_code] { exit_code = request_list(options); });

  auto* show =
      add_one(*request, "show", "Where a request stands, what was asked and answered, and what can be done", options);
  show->add_flag("--follow", options.follow,
                 "Wait until it ends, and say what happens; sends it again if it never got onto the chain");
  add_text_options(*show, options);
  show->callback([&exit_code] { exit_code = request_show(options); });

  auto* verify = add_one(*request, "verify",
                         "Fetch the proof of a paid answer from its transactions and check it here, trusting neither "
                         "node nor contract; exit code 1 and the reason if it does not hold",
                         options);
  add_text_options(*verify, options);
  verify->callback([&exit_code] { exit_code = request_verify(options); });

  auto* cancel = add_one(*request, "cancel",
                         "Take back a request that nobody has locked; takes effect some blocks later, when `refund` "
                         "gets its money back",
                         options);
  add_key_options(*cancel, options.key);
  cancel->callback([&exit_code] { exit_code = request_cancel(options); });

  auto* refund = add_one(*request, "refund",
                         "Get the money back of a request that was cancelled, or whose deadline has passed; says what "
                         "to wait for where that is not possible yet",
                         options);
  add_key_options(*refund, options.key);
  refund->callback([&exit_code] { exit_code = request_refund(options); });
}

}  // namespace avow::app
