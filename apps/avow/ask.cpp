// SPDX-License-Identifier: Apache-2.0
#include "requester/ask.hpp"

#include <fmt/format.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "network.hpp"
#include "request_options.hpp"
#include "requester/deployed.hpp"
#include "show_paid.hpp"

namespace avow::app {
namespace {

constexpr const char* kAsk = "avow ask";

struct AskCommandOptions {
  ChainOptions chain;
  KeyOptions key;
  std::string model, names, tokenizer, prompt, file;
  std::uint32_t tokens = 0;
  SamplingOptions sampling;
  PromptOptions chat;
  std::string max_price, min_price, bump, bond;
  requester::OfferTerms terms;
  std::uint64_t bump_after = requester::BumpPolicy().after_secs;
  bool no_wait = false, verify = false, json = false;
};

// What is asked, ready to be posted.
struct Prepared {
  requester::KnownModel model;
  model::Tokenizer tokenizer;
  requester::Question question;
};

base::Result<requester::AskOptions, int> offer_of(const AskCommandOptions& options) {
  requester::AskOptions asked;
  asked.terms = options.terms;
  const auto take = [](const char* option, const std::string& text, auto& into) {
    if (text.empty()) return static_cast<int>(kGood);
    const auto amount = tokens_of(kAsk, option, text);
    if (!amount) return amount.error();
    into = amount.value();
    return static_cast<int>(kGood);
  };
  for (const int code :
       {take("--max-price", options.max_price, asked.terms.max_price),
        take("--min-price", options.min_price, asked.terms.min_price), take("--bond", options.bond, asked.terms.bond),
        take("--bump", options.bump, asked.bump.ceiling)}) {
    if (code != kGood) return base::Err{code};
  }
  asked.bump.after_secs = options.bump_after;
  if (!options.bump.empty() && asked.bump.ceiling <= asked.terms.max_price) {
    return base::Err{refuse(kAsk, kWrongUse, "--bump is the price to stop at, above --max-price")};
  }
  return asked;
}

base::Result<Prepared, int> prepare(const AskCommandOptions& options, const Network& network) {
  const auto names = read_names(kAsk, network.folders, options.names);
  if (!names) return base::Err{names.error()};
  const auto named = names.value().resolve(options.model);
  if (!named) return base::Err{refuse(kAsk, named.error())};
  auto model = requester::known_model(*network.market, named.value().id);
  if (!model) return base::Err{refuse(kAsk, model.error())};
  const std::string path = options.tokenizer.empty() ? named.value().tokenizer.string() : options.tokenizer;
  if (path.empty()) {
    return base::Err{refuse(kAsk, kWrongUse,
                            "--tokenizer FILE is needed, which `avow model import` writes beside the model: it makes "
                            "tokens of the prompt")};
  }
  const auto& info = model.value().key.info();
  auto tokenizer = requester::open_tokenizer(path, info.tokenizer);
  if (!tokenizer) return base::Err{refuse(kAsk, tokenizer.error())};
  const auto text =
      options.file.empty() ? base::Result<std::string, std::string>(options.prompt) : read_text(options.file);
  if (!text) return base::Err{refuse(kAsk, kEnvironment, text.error())};
  const auto sampling = sampling_of(options.sampling, info.plan.vocabulary);
  if (!sampling) return base::Err{refuse(kAsk, kWrongUse, sampling.error())};
  auto input = encode_prompt(options.chat, text.value(), tokenizer.value());
  if (!input) return base::Err{refuse(kAsk, kWrongUse, input.error())};
  requester::Question question{std::move(input).value(),       options.tokens, sampling.value(),
                               stop_ids_of(tokenizer.value()), options.model,  text.value()};
  return Prepared{std::move(model).value(), std::move(tokenizer).value(), std::move(question)};
}

void warn_of_prompt(const AskCommandOptions& options, const Prepared& prepared) {
  if (options.chat.chat || is_plain(prepared.question.input, prepared.tokenizer)) return;
  fmt::print(stderr, "{}: the prompt's tokens are not those that its text has when it is read back\n", kAsk);
}

// What is left to do by hand where waiting has ended.
int leave(const AskCommandOptions& options, const requester::Error& error, const requester::Record* record) {
  const int code = refuse(kAsk, error);
  if (record == nullptr) return code;
  const std::string id = base::to_hex(record->id);
  if (options.json) print_json({{"request_id", id}, {"status", "left"}, {"reason", error.text}});
  fmt::print(stderr,
             "the request is on the chain, or on its way there: it may be answered, and is paid then\n"
             "  avow request show {0} --follow    waits on\n"
             "  avow request cancel {0}           takes it back\n",
             id);
  return code;
}

int post_only(const AskCommandOptions& options, const Network& network, const chain::PrivateKey& key,
              const Prepared& prepared, const requester::OfferTerms& terms) {
  requester::Poster poster(network.session, key);
  const auto posted = poster.post(prepared.model, prepared.question, terms);
  if (!posted) return leave(options, posted.error(), poster.record());
  const auto& [record, receipt] = posted.value();
  const std::string id = base::to_hex(record.id);
  if (options.json) {
    nlohmann::ordered_json json{{"request_id", id}, {"status", "open"}};
    if (receipt) {
      json["transaction"] = base::to_hex(receipt->transaction);
      json["gas"] = receipt->gas_used;
    }
    print_json(json);
    return kGood;
  }
  fmt::print("{}\n", id);
  fmt::print(stderr, "[posted; `avow request show {} --follow` waits for the answer]\n", id);
  return kGood;
}

std::uint64_t gas_of(const std::vector<chain::Receipt>& receipts) {
  std::uint64_t gas = 0;
  for (const auto& receipt : receipts) gas += receipt.gas_used;
  return gas;
}

const char* unanswered_status(requester::Ending::Kind kind) {
  if (kind == requester::Ending::Kind::kUnposted) return "unknown";
  return kind == requester::Ending::Kind::kRefunded ? "refunded" : "expired";
}

const char* unanswered_text(requester::Ending::Kind kind) {
  if (kind == requester::Ending::Kind::kUnposted) return "the request did not get onto the chain, and took no money";
  if (kind == requester::Ending::Kind::kExpired) return "nobody answered; `avow request refund` gets the money back";
  return "nobody answered, and the money came back; a higher --max-price may help: `avow price` says what others paid";
}

// What came of it, as the command's last words.
int report_outcome(const AskCommandOptions& options, const Network& network, const Prepared& prepared,
                   const requester::Outcome& outcome, const nlohmann::ordered_json& events) {
  const PaidView view{network.session, prepared.model, outcome.record.request, &prepared.tokenizer, Shown::kAnswer};
  nlohmann::ordered_json json{{"request_id", base::to_hex(outcome.record.id)},
                              {"model_id", base::to_hex(prepared.model.key.id())}};
  if (outcome.ending.kind != requester::Ending::Kind::kFulfilled) {
    if (!options.json) return refuse(kAsk, kNo, unanswered_text(outcome.ending.kind));
    json["status"] = unanswered_status(outcome.ending.kind);
    json["events"] = events;
    print_json(json);
    return kNo;
  }
  const auto shown =
      show_paid(kAsk, view, *outcome.ending.paid, options.verify ? PaidCheck::kVerify : PaidCheck::kBelieve,
                options.json ? &json : nullptr);
  if (options.json) {
    json["requester_gas"] = gas_of(outcome.receipts);
    json["events"] = events;
    print_json(json);
  } else {
    fmt::print(stderr, "[gas of this account: {}]\n", gas_of(outcome.receipts));
  }
  return shown;
}

int ask_command(const AskCommandOptions& options) {
  const auto offer = offer_of(options);
  if (!offer) return offer.error();
  auto opened = open_network(kAsk, options.chain);
  if (!opened) return opened.error();
  Network& network = *opened.value();
  if (const auto problem = requester::check_contracts_are_ours(network.session)) return refuse(kAsk, *problem);
  const auto prepared = prepare(options, network);
  if (!prepared) return prepared.error();
  warn_of_prompt(options, prepared.value());
  // A passphrase is asked for when all else is there.
  const auto key = unlock_key(kAsk, options.key);
  if (!key) return key.error();
  auto events = nlohmann::ordered_json::array();
  network.session.on_update = [&](const requester::Update& status) {
    events.push_back(json_of(status));
    if (!options.json) fmt::print(stderr, "[{}]\n", line_of(status));
  };
  if (options.no_wait) {
    return post_only(options, network, key.value(), prepared.value(), offer.value().terms);
  }
  auto nodes = each_node(options.chain, network.session.profile.chain_id);
  if (!nodes) return refuse(kAsk, kEnvironment, nodes.error());
  requester::AskOptions asked = offer.value();
  for (chain::Client& node : nodes.value()) asked.witnesses.push_back(&node);
  requester::Asker asker(network.session, key.value());
  const auto outcome = asker.ask(prepared.value().model, prepared.value().question, asked);
  if (!outcome) return leave(options, outcome.error(), asker.record());
  return report_outcome(options, network, prepared.value(), outcome.value(), events);
}

void add_offer_options(CLI::App& ask, AskCommandOptions& options) {
  ask.add_option("--max-price", options.max_price,
                 "Most tokens (AVOW) for a whole answer, in escrow until the end; of a shorter one a part comes back")
      ->required();
  ask.add_option("--min-price", options.min_price,
                 "Where the price starts, which rises to --max-price until a provider takes it (default: half of it)");
  ask.add_option("--ramp", options.terms.ramp_secs, "Seconds in which it rises; 0: --max-price from the start")
      ->capture_default_str();
  ask.add_option("--bump", options.bump,
                 "If nobody wants it at --max-price, take it back and post it again at half as much more, up to this "
                 "price; never is more than one of them paid. Every node of --rpc has to say that one is back before "
                 "the next is posted: name several, as a single one that lies could have more of them paid");
  ask.add_option("--bump-after", options.bump_after, "Seconds at --max-price until then")->capture_default_str();
  ask.add_option("--deadline", options.terms.lifetime_secs,
                 "Seconds until the request expires and its money comes back; of --bump, all of them together")
      ->capture_default_str();
  ask.add_option(
         "--lock-duration", options.terms.lock_duration_secs,
         "Seconds that a provider who locks the request has for it alone; too few for a proof, and nobody locks")
      ->capture_default_str();
  ask.add_option("--bond", options.bond, "Tokens that a locker loses who is late (default: --max-price, the least)");
  ask.add_option("--base-permille", options.terms.base_permille,
                 "Thousandths of the price that are paid however short the answer is")
      ->capture_default_str();
}

}  // namespace

void add_ask(CLI::App& app, int& exit_code) {
  static AskCommandOptions options;
  auto* ask = app.add_subcommand(
      "ask", "Ask a model on a chain: post a request, wait for the answer whose proof the contract checks, and pay");
  ask->add_option("-m,--model", options.model,
                  "A model id of 64 hexadecimal digits, or a name that this machine has for one (`avow model list`)")
      ->required();
  auto* source = ask->add_option_group("the prompt", "Where it comes from: one of");
  source->add_option("-p,--prompt", options.prompt, "The prompt itself; on the chain everybody can read it");
  source->add_option("--file", options.file, "A file that holds it");
  source->require_option(1);
  ask->add_option("-n,--tokens", options.tokens, "Tokens of the answer, fewer if the model ends it")
      ->required()
      ->check(CLI::Range(1, 65536));
  ask->add_option("--tokenizer", options.tokenizer,
                  "The model's tokenizer file, which `avow model import` wrote (default: the named model's)");
  add_names_option(*ask, options.names);
  add_sampling_options(*ask, options.sampling);
  add_chat_options(*ask, options.chat);
  add_offer_options(*ask, options);
  add_chain_options(*ask, options.chain);
  add_key_options(*ask, options.key);
  auto* no_wait = ask->add_flag("--no-wait", options.no_wait, "Print the request's id when it is posted, and end");
  no_wait->excludes(ask->get_option("--bump"));
  ask->add_flag("--verify", options.verify,
                "Do not trust even the contract: fetch the proof from the transactions, and check it here")
      ->excludes(no_wait);
  ask->add_flag("--json", options.json, "Print one JSON object when all is done");
  ask->footer(
      "The answer goes to stdout, what happens meanwhile to stderr. Ctrl-C ends the waiting, not the request.\n"
      "Exit codes: 0 answered, 1 nobody did or the proof does not hold, 2 wrong use, 3 the environment.\n\n"
      "Examples:\n"
      "  avow ask -m stories -p 'Once upon a time' -n 64 --max-price 5 --key me.json\n"
      "  avow ask -m stories -p 'One day' -n 64 --max-price 5 --bump 20 --verify --temperature 0.8 --key me.json");
  ask->callback([&exit_code] { exit_code = ask_command(options); });
}

}  // namespace avow::app
