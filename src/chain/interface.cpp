// SPDX-License-Identifier: Apache-2.0
#include "chain/interface.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"
#include "chain/interface_parse.hpp"

namespace avow::chain {
namespace {

constexpr std::size_t kMostAbiDepth = 64;
constexpr std::size_t kMostEntries = 4096;

bool starts_with(base::ByteView data, const Selector& selector) {
  return data.size() >= selector.size() && std::equal(selector.begin(), selector.end(), data.begin());
}

Result<const Entry*> find_entry(const std::vector<Entry>& entries, std::string_view which, const char* what) {
  const Entry* found = nullptr;
  for (const Entry& entry : entries) {
    if (entry.signature == which) return &entry;
    if (entry.name != which) continue;
    if (found != nullptr) {
      return fail(Cause::kAbiName,
                  fmt::format("several {}s are called {}; name one as {}", what, which, entry.signature));
    }
    found = &entry;
  }
  if (found == nullptr) return fail(Cause::kAbiName, fmt::format("the contract has no {} {}", what, which));
  return found;
}

// Whether a topic holds the value itself.
bool is_word(const Type& type) { return type.parts.empty() && type.kind != Kind::kBytes && type.kind != Kind::kString; }

Result<Value> decode_topic(const Type& type, const base::Digest& topic) {
  if (!is_word(type)) return Value(topic);
  return decode_word(type, topic);
}

// The values of an event in the order of its fields.
Result<Decoded> decode_event(const Entry& event, const LogBody& log) {
  std::vector<Field> in_data;
  for (const Field& field : event.inputs) {
    if (!field.is_indexed) in_data.push_back(field);
  }
  auto data = decode_abi(in_data, log.data);
  if (!data) return base::Err{Error{data.error().cause, event.name + ": " + data.error().text}};
  Decoded decoded{event.name, event.inputs, {}};
  std::size_t topic = 1;
  std::size_t value = 0;
  for (const Field& field : event.inputs) {
    if (!field.is_indexed) {
      decoded.values.push_back(std::move(data.value()[value++]));
      continue;
    }
    auto indexed = decode_topic(field.type, log.topics[topic++]);
    if (!indexed) return base::Err{Error{indexed.error().cause, event.name + ": " + indexed.error().text}};
    decoded.values.push_back(std::move(indexed).value());
  }
  return decoded;
}

// An error that every contract may revert with.
std::optional<Decoded> decode_standard(base::ByteView data, const char* error_name, const char* field, Kind kind) {
  const Entry entry{error_name, "", {Field{field, Type(kind, kind == Kind::kUint ? 256 : 0)}}, {}};
  if (!starts_with(data, selector_of(error_name + to_string(entry.inputs)))) return std::nullopt;
  auto values = decode_abi(entry.inputs, data.subspan(4));
  if (!values) return std::nullopt;
  return Decoded{error_name, entry.inputs, std::move(values).value()};
}

}  // namespace

const Value* Decoded::value(std::string_view field) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == field) return &values[i];
  }
  return nullptr;
}

std::string to_string(const Decoded& decoded) {
  return decoded.name + '(' + to_string(decoded.fields, decoded.values) + ')';
}

Result<Interface> Interface::parse(std::string_view json) {
  const auto parsed = parse_json(json, kMostAbiDepth);
  if (!parsed) return base::Err{parsed.error()};
  const Json* list = parsed.value().is_array() ? &parsed.value() : member(parsed.value(), "abi");
  if (list == nullptr || !list->is_array() || list->size() > kMostEntries) {
    return fail(Cause::kAbiInterface, fmt::format("no list of up to {} functions, events and errors", kMostEntries));
  }
  Interface result;
  for (const Json& item : *list) {
    const std::string* type = string_member(item, "type");
    if (type == nullptr) return fail(Cause::kAbiInterface, "an entry without a type");
    const auto entry = parse_entry(item);
    if (!entry) return base::Err{entry.error()};
    const bool has_name = *type == "function" || *type == "event" || *type == "error";
    if (has_name && entry.value().name.empty()) return fail(Cause::kAbiInterface, "an entry without a name");
    if (*type == "function") result.functions_.push_back(entry.value());
    if (*type == "event") result.events_.push_back(entry.value());
    if (*type == "error") result.errors_.push_back(entry.value());
    if (*type == "constructor") result.constructor_ = entry.value().inputs;
  }
  if (const std::string* code = string_member(parsed.value(), "bytecode")) {
    auto bytes = base::from_hex(*code);
    if (!bytes) return fail(Cause::kHex, "the bytecode is no hexadecimal; are its libraries linked?");
    result.creation_code_ = std::move(*bytes);
  }
  return result;
}

Result<const Entry*> Interface::function(std::string_view which) const {
  return find_entry(functions_, which, "function");
}

Result<const Entry*> Interface::event(std::string_view which) const { return find_entry(events_, which, "event"); }

Result<base::Bytes> Interface::encode_call(std::string_view which, const Value::List& arguments) const {
  const auto entry = function(which);
  if (!entry) return base::Err{entry.error()};
  const auto encoded = encode_abi(entry.value()->inputs, arguments);
  if (!encoded) return base::Err{Error{encoded.error().cause, entry.value()->name + ": " + encoded.error().text}};
  const Selector selector = selector_of(entry.value()->signature);
  base::Bytes data(selector.begin(), selector.end());
  base::append(data, encoded.value());
  return data;
}

Result<Value::List> Interface::decode_result(std::string_view which, base::ByteView bytes) const {
  const auto entry = function(which);
  if (!entry) return base::Err{entry.error()};
  auto values = decode_abi(entry.value()->outputs, bytes);
  if (values) return values;
  std::string text = fmt::format("{} returned {} bytes: {}", entry.value()->name, bytes.size(), values.error().text);
  if (bytes.empty()) text += "; is there a contract at this address?";
  return base::Err{Error{values.error().cause, std::move(text)}};
}

Result<base::Bytes> Interface::encode_creation(const Value::List& arguments) const {
  if (creation_code_.empty()) return fail(Cause::kAbiInterface, "the interface came without bytecode");
  const auto encoded = encode_abi(constructor_, arguments);
  if (!encoded) return base::Err{Error{encoded.error().cause, "constructor: " + encoded.error().text}};
  base::Bytes data = creation_code_;
  base::append(data, encoded.value());
  return data;
}

std::optional<Decoded> Interface::decode_error(base::ByteView data) const {
  for (const Entry& entry : errors_) {
    if (!starts_with(data, selector_of(entry.signature))) continue;
    auto values = decode_abi(entry.inputs, data.subspan(4));
    if (values) return Decoded{entry.name, entry.inputs, std::move(values).value()};
  }
  return std::nullopt;
}

Result<Decoded> Interface::decode_log(const LogBody& log) const {
  if (log.topics.empty()) return fail(Cause::kAbiName, "a log of an anonymous event");
  for (const Entry& entry : events_) {
    if (entry.is_anonymous || topic_of(entry.signature) != log.topics[0]) continue;
    const auto indexed =
        std::count_if(entry.inputs.begin(), entry.inputs.end(), [](const Field& field) { return field.is_indexed; });
    if (log.topics.size() != static_cast<std::size_t>(indexed) + 1) {
      return fail(Cause::kAbiTopics, fmt::format("{} with {} topics", entry.name, log.topics.size()));
    }
    return decode_event(entry, log);
  }
  return fail(Cause::kAbiName, "the contract has no event of topic 0x" + base::to_hex(log.topics[0]));
}

std::string describe_revert(base::ByteView data, std::span<const Interface* const> contracts) {
  if (data.empty()) return "reverted without a reason";
  for (const Interface* contract : contracts) {
    if (const auto error = contract->decode_error(data)) return to_string(*error);
  }
  if (const auto error = decode_standard(data, "Error", "", Kind::kString)) return to_string(*error);
  if (const auto panic = decode_standard(data, "Panic", "code", Kind::kUint)) return to_string(*panic);
  return "reverted with " + to_string(Type(Kind::kBytes), base::Bytes(data.begin(), data.end()));
}

}  // namespace avow::chain
