// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "answer/delivery.hpp"
#include "answer/model_key.hpp"
#include "answer/proof_file.hpp"
#include "base/hex.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "model.hpp"
#include "model/tokenizer.hpp"
#include "model_file/model_file.hpp"
#include "pcs/security.hpp"
#include "prove.hpp"
#include "verifier/security.hpp"
#include "write_file.hpp"

namespace avow::app {
namespace {

using base::Err;

int refuse_verify(int code, const std::string& text) {
  fmt::print(stderr, "avow verify: {}\n", text);
  return code;
}

int does_not_hold(const std::string& reason) {
  fmt::print("does not hold: {}\n", reason);
  return kNo;
}

constexpr std::size_t kMostProofFileBytes = std::size_t{1} << 26;
constexpr std::size_t kMostTokenizerBytes = std::size_t{1} << 28;

// Of a file beside a model that `avow model import` wrote; what is wrong was said, and the exit code.
base::Result<model::Tokenizer, int> tokenizer_of(const std::string& path, const base::Digest& digest) {
  const auto bytes = read_file(path, kMostTokenizerBytes);
  if (!bytes) return Err{refuse_verify(kEnvironment, bytes.error())};
  auto data = model::tokenizer_from_canonical(bytes.value());
  if (!data) {
    return Err{refuse_verify(kWrongUse, path + " is no tokenizer file, which `avow model import` writes beside a model "
                                               "as <model>.tokenizer")};
  }
  if (model::tokenizer_digest(data.value()) != digest) {
    return Err{refuse_verify(kWrongUse, path + " is the tokenizer of another model than the proof's")};
  }
  auto tokenizer = model::Tokenizer::create(std::move(data).value());
  if (!tokenizer) return Err{refuse_verify(kNo, fmt::format("{}: {}", path, tokenizer.error().text))};
  return std::move(tokenizer).value();
}

// The check's name, then what whoever reads it may make of it.
std::string reason_of(const answer::Rejection& rejection) {
  const std::string text = to_string(rejection);
  switch (rejection.check) {
    case answer::Check::kFileMagic:
      return text + ": this is no proof file: `avow prove` makes one";
    case answer::Check::kFileVersion:
      return text + ": the file is of another version of avow";
    case answer::Check::kFileTruncated:
      return text + ": the file ends too soon: fetch it again";
    case answer::Check::kFileSize:
    case answer::Check::kFileTrailing:
      return text + ": the file was damaged or changed";
    case answer::Check::kKey:
    case answer::Check::kApplication:
    case answer::Check::kPlan:
    case answer::Check::kStatement:
      return text + ": the model's key in the file is none, or was changed";
    case answer::Check::kModel:
      return text + ": key and answers in the file are of two models";
    default:
      return text + ": nothing shows that these are the model's answers";
  }
}

std::string text_of(const std::vector<std::uint32_t>& ids, const model::Tokenizer* tokenizer, model::DecodeFrom from) {
  if (tokenizer == nullptr) return fmt::format("{}", fmt::join(ids, " "));
  model::StreamDecoder decoder(*tokenizer, from);
  std::string text;
  for (const std::uint32_t id : ids) {
    if (id >= tokenizer->token_count()) continue;  // a word of the model without a name
    if (const auto piece = decoder.feed(id)) text += piece.value();
  }
  return text + decoder.finish();
}

struct Checked {
  const answer::ModelKey& key;
  answer::Delivery delivery;
  answer::ProofFile file;
  std::uint32_t bits = 0;
  double verify_ms = 0;
};

void print_answers(const Checked& checked, const model::Tokenizer* tokenizer) {
  const auto& d = checked.delivery;
  fmt::print("holds: {} answer{} of model {}, {} bits of security\n", d.answers.size(),
             d.answers.size() == 1 ? "" : "s", base::to_hex(d.model_id), checked.bits);
  fmt::print("content {}\n", base::to_hex(checked.key.info().content));
  if (d.chain_id != base::Digest{} || d.market != decltype(d.market){} || d.payee != decltype(d.payee){}) {
    fmt::print("chain {}, market {}, payee {}\n", base::to_hex(d.chain_id), base::to_hex(d.market),
               base::to_hex(d.payee));
  }
  for (const auto& given : d.answers) {
    if (given.request.id != base::Digest{}) fmt::print("request {}\n", base::to_hex(given.request.id));
    const auto prompt = text_of(given.request.input, tokenizer, model::DecodeFrom::kStart);
    const auto output = text_of(given.output, tokenizer, model::DecodeFrom::kMiddle);
    fmt::print("prompt: {}\nanswer: {}\n", printable(prompt), printable(output));
    fmt::print("        {} tokens, ends {}\n", given.output.size(),
               given.end == answer::End::kStop ? "with a stop token" : "at the length asked for");
  }
}

nlohmann::ordered_json json_of_answers(const Checked& checked, const model::Tokenizer* tokenizer) {
  nlohmann::ordered_json out{{"holds", true},
                             {"model_id", base::to_hex(checked.delivery.model_id)},
                             {"content_id", base::to_hex(checked.key.info().content)},
                             {"security_bits", checked.bits},
                             {"verify_ms", checked.verify_ms},
                             {"proof_bytes", checked.file.proof.size()},
                             {"chain_id", base::to_hex(checked.delivery.chain_id)},
                             {"market", base::to_hex(checked.delivery.market)},
                             {"payee", base::to_hex(checked.delivery.payee)}};
  auto& answers = out["answers"] = nlohmann::ordered_json::array();
  for (const auto& given : checked.delivery.answers) {
    nlohmann::ordered_json item{{"request_id", base::to_hex(given.request.id)},
                                {"prompt_ids", given.request.input},
                                {"ids", given.output},
                                {"end", given.end == answer::End::kStop ? "stop" : "length"}};
    if (tokenizer != nullptr) {
      item["prompt"] = text_of(given.request.input, tokenizer, model::DecodeFrom::kStart);
      item["answer"] = text_of(given.output, tokenizer, model::DecodeFrom::kMiddle);
    }
    answers.push_back(std::move(item));
  }
  return out;
}

void explain(const verifier::Setting& setting) {
  fmt::print("\nthe argument (spec/proof.md, section 7; spec/lookup.md, section 5)\n");
  fmt::print("{:<34}{:>28}{:>8}\n", "round", "error", "bits");
  for (const auto& round : verifier::argument_rounds(setting)) {
    fmt::print("{:<34}{:>28}{:>8}\n", round.name, round.error, round.bits);
  }
  fmt::print("\nthe opening (spec/security.md)\n{}",
             pcs::format_security(pcs::analyse_security(setting.key->config, verifier::opening_shape(setting))));
}

}  // namespace

int verify_command(const VerifyOptions& options) {
  const auto bytes = read_file(options.path, kMostProofFileBytes);
  if (!bytes) return refuse_verify(kEnvironment, bytes.error());
  auto file = answer::parse_proof_file(bytes.value());
  if (!file) return does_not_hold(reason_of(file.error()));
  auto key = answer::ModelKey::parse(file.value().key);
  if (!key) return does_not_hold(reason_of(key.error()));
  if (!options.model_id.empty()) {
    const auto id = all_bytes_of(options.model_id, 32);
    if (!id) return refuse_verify(kWrongUse, "--model-id is 64 hexadecimal digits");
    if (!std::equal(id->begin(), id->end(), key.value().id().begin())) {
      return does_not_hold("it is of model " + base::to_hex(key.value().id()));
    }
  }
  std::optional<model::Tokenizer> tokenizer;
  if (!options.tokenizer.empty()) {
    auto read = tokenizer_of(options.tokenizer, key.value().info().tokenizer);
    if (!read) return read.error();
    tokenizer = std::move(read).value();
  }
  std::optional<answer::Rejection> rejection;
  const double seconds = seconds_of([&] { rejection = key.value().verify(file.value().delivery, file.value().proof); });
  if (rejection) return does_not_hold(reason_of(*rejection));

  const auto& plan = key.value().info().plan;
  auto delivery = answer::parse(file.value().delivery, answer::id_bytes(plan.vocabulary));
  const auto setting = verifier::Setting::make(key.value().key(), answer::instance_of(delivery.value(), plan));
  const Checked checked{key.value(), std::move(delivery).value(), std::move(file).value(),
                        verifier::security_bits(setting.value()), 1000 * seconds};
  const model::Tokenizer* names = tokenizer ? &*tokenizer : nullptr;
  if (options.json) {
    fmt::print("{}\n", json_of_answers(checked, names).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return kGood;
  }
  print_answers(checked, names);
  if (options.explain) explain(setting.value());
  return kGood;
}

}  // namespace avow::app
