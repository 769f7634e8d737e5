// SPDX-License-Identifier: Apache-2.0
#include "requester/names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/printable.hpp"
#include "requester/files.hpp"
#include "requester/json_fields.hpp"

namespace avow::requester {
namespace {

constexpr std::uint64_t kNamesVersion = 1;
constexpr std::size_t kMostNamesBytes = std::size_t{1} << 20;
constexpr std::size_t kNamesDepth = 3;
constexpr std::size_t kMostNameBytes = 64;
constexpr std::size_t kIdDigits = 2 * sizeof(base::Digest);
constexpr std::size_t kMostTokenizerBytes = std::size_t{1} << 28;

std::optional<base::Digest> id_of_digits(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  const auto bytes = text.size() == kIdDigits ? base::from_hex(text) : std::nullopt;
  if (!bytes) return std::nullopt;
  base::Digest id{};
  std::copy(bytes->begin(), bytes->end(), id.begin());
  return id;
}

bool is_name(const std::string& name) {
  const auto is_sign = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= kMostNameBytes && std::all_of(name.begin(), name.end(), is_sign) &&
         !id_of_digits(name);
}

NamedModel read_model(JsonFields& parent, const std::string& name, const nlohmann::json& json) {
  JsonFields fields(json);
  NamedModel model;
  model.id = fields.digest("id");
  if (fields.has("tokenizer")) model.tokenizer = fields.text("tokenizer");
  if (fields.has("file")) model.file = fields.text("file");
  fields.expect_nothing_else();
  if (!fields.bad().empty()) parent.refuse(fmt::format("{}: {}", name, fields.bad()));
  if (!is_name(name)) parent.refuse("the name " + name);
  return model;
}

}  // namespace

Result<ModelNames> ModelNames::read(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return ModelNames();
  const auto text = read_text_file(path, kMostNamesBytes);
  if (!text) return base::Err{text.error()};
  auto names = parse(text.value());
  if (!names) return fail(names.error().cause, path.string() + ": " + names.error().text);
  return names;
}

Result<ModelNames> ModelNames::parse(std::string_view text) {
  const auto json = base::parse_json(text, kNamesDepth, base::JsonTop::kObject);
  if (!json) return fail(Cause::kNames, "the list of models " + json.error().reason);
  JsonFields fields(json.value());
  if (fields.number("version", kNamesVersion) != kNamesVersion) fields.refuse("version");
  const auto& models = fields.object("models");
  if (!models.is_object()) fields.refuse("models");
  fields.expect_nothing_else();
  ModelNames names;
  if (models.is_object()) {
    for (const auto& [name, model] : models.items()) names.models_[name] = read_model(fields, name, model);
  }
  if (fields.bad().empty()) return names;
  return fail(Cause::kNames, "the list of models is wrong at " + base::printable(fields.bad(), 2 * kMostNameBytes));
}

std::string ModelNames::to_text() const {
  auto models = nlohmann::ordered_json::object();
  for (const auto& [name, model] : models_) {
    auto& json = models[name] = {{"id", base::to_hex(model.id)}};
    if (!model.tokenizer.empty()) json["tokenizer"] = model.tokenizer.string();
    if (!model.file.empty()) json["file"] = model.file.string();
  }
  const nlohmann::ordered_json json{{"version", kNamesVersion}, {"models", models}};
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::optional<Error> ModelNames::write(const std::filesystem::path& path) const {
  return write_own_file(path, to_text());
}

Result<NamedModel> ModelNames::resolve(const std::string& name_or_id) const {
  if (const auto found = models_.find(name_or_id); found != models_.end()) return found->second;
  const auto id = id_of_digits(name_or_id);
  if (!id) {
    return fail(Cause::kName,
                fmt::format("no model of this machine's list has the name {}: give an id of 64 digits, or "
                            "name one with `avow model register FILE --name NAME`",
                            base::printable(name_or_id, kMostNameBytes)));
  }
  for (const auto& [name, model] : models_) {
    if (model.id == *id) return model;
  }
  return NamedModel{*id, {}, {}};
}

std::string ModelNames::name_of(const base::Digest& id) const {
  for (const auto& [name, model] : models_) {
    if (model.id == id) return name;
  }
  return {};
}

std::optional<Error> ModelNames::add(const std::string& name, const NamedModel& model) {
  if (!is_name(name)) {
    return Error{Cause::kName, "a model's name has letters, digits, '-', '_' and '.', 64 at most, and is no id", {}};
  }
  const auto found = models_.find(name);
  if (found != models_.end() && found->second.id != model.id) {
    return Error{
        Cause::kName, fmt::format("{} is the name of model {} already", name, base::to_hex(found->second.id)), {}};
  }
  models_[name] = model;
  return std::nullopt;
}

Result<model::Tokenizer> open_tokenizer(const std::filesystem::path& path, const std::optional<base::Digest>& digest) {
  const auto text = read_text_file(path, kMostTokenizerBytes);
  if (!text) return base::Err{text.error()};
  const base::ByteView bytes(reinterpret_cast<const std::uint8_t*>(text.value().data()), text.value().size());
  auto data = model::tokenizer_from_canonical(bytes);
  if (!data) {
    return fail(Cause::kTokenizer, path.string() +
                                       " is no tokenizer file, which `avow model import` writes beside a "
                                       "model as <model>.tokenizer");
  }
  if (digest && model::tokenizer_digest(data.value()) != *digest) {
    return fail(Cause::kTokenizer, path.string() + " is the tokenizer of another model");
  }
  auto tokenizer = model::Tokenizer::create(std::move(data).value());
  if (!tokenizer) return fail(Cause::kTokenizer, fmt::format("{}: {}", path.string(), tokenizer.error().text));
  return std::move(tokenizer).value();
}

}  // namespace avow::requester
