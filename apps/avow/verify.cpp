// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "answer/delivery.hpp"
#include "answer/model_key.hpp"
#include "answer/proof_file.hpp"
#include "base/hex.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "model.hpp"
#include "model/tokenizer.hpp"
#include "model_file/model_file.hpp"
#include "network.hpp"
#include "pcs/security.hpp"
#include "prove.hpp"
#include "show_answers.hpp"
#include "verifier/security.hpp"
#include "verifier/verify.hpp"
#include "write_file.hpp"

namespace avow::app {
namespace {

using base::Err;

int refuse_verify(int code, const std::string& text) {
  fmt::print(stderr, "avow verify: {}\n", text);
  return code;
}

int does_not_hold(const std::string& reason, bool json) {
  if (json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"holds", false}, {"reason", reason}}.dump(
                           2, ' ', true, nlohmann::json::error_handler_t::replace));
    return kNo;
  }
  // Of texts that are anybody's nothing may look like what this command says.
  fmt::print("does not hold: {}\n", printable(reason));
  return kNo;
}

constexpr std::size_t kMostProofFileBytes = std::size_t{1} << 26;

// Of a file beside a model that `avow model import` wrote; what is wrong was said, and the exit code.
base::Result<model::Tokenizer, int> tokenizer_of(const std::string& path, const base::Digest& digest) {
  auto tokenizer = requester::open_tokenizer(path, digest);
  if (!tokenizer) return Err{refuse("avow verify", tokenizer.error())};
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

void explain(const answer::ModelKey& key, const verifier::Setting& setting) {
  fmt::print("\nwhat the key's maker says, and no proof shows\n");
  fmt::print("content id {}\ntokenizer  {}\n", base::to_hex(key.info().content), base::to_hex(key.info().tokenizer));
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
  if (!file) return does_not_hold(reason_of(file.error()), options.json);
  auto key = answer::ModelKey::parse(file.value().key);
  if (!key) return does_not_hold(reason_of(key.error()), options.json);
  if (!options.model_id.empty()) {
    const auto id = all_bytes_of(options.model_id, 32);
    if (!id) return refuse_verify(kWrongUse, "--model-id is 64 hexadecimal digits");
    if (!std::equal(id->begin(), id->end(), key.value().id().begin())) {
      return does_not_hold("it is of model " + base::to_hex(key.value().id()), options.json);
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
  if (rejection) return does_not_hold(reason_of(*rejection), options.json);

  const auto& plan = key.value().info().plan;
  const auto delivery = answer::parse(file.value().delivery, answer::id_bytes(plan.vocabulary));
  const auto verifier =
      verifier::Verifier::make(key.value().key(), key.value().id(), answer::instance_of(delivery.value(), plan));
  const auto& setting = verifier.value().setting();
  const CheckedAnswers checked{key.value(), delivery.value(), file.value().proof.size(),
                               verifier::security_bits(setting), 1000 * seconds};
  const model::Tokenizer* names = tokenizer ? &*tokenizer : nullptr;
  if (options.json) {
    auto json = json_of(checked, names);
    // Where the proof may be cut for a contract that checks it in steps.
    json["sections"] = verifier.value().section_sizes(file.value().delivery, file.value().proof);
    fmt::print("{}\n", json.dump(2, ' ', true, nlohmann::json::error_handler_t::replace));
    return kGood;
  }
  print(checked, names);
  if (options.explain) explain(key.value(), setting);
  return kGood;
}

}  // namespace avow::app
