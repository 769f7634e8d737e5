// SPDX-License-Identifier: Apache-2.0
#include "chain/json.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

namespace avow::chain {
namespace {

// Looks at the text once before the tree is built: the library neither limits depth nor minds repeated keys.
class JsonChecker : public nlohmann::json_sax<Json> {
 public:
  explicit JsonChecker(std::size_t depth) : depth_(depth) {}

  [[nodiscard]] const std::string& reason() const { return reason_; }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }

  bool start_object(std::size_t /*elements*/) override { return enter(); }
  bool start_array(std::size_t /*elements*/) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    return refuse(fmt::format("key '{}' is there twice", name.substr(0, 80)));
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const Json::exception& error) override {
    // What was read last is part of the text, however long it is.
    return refuse(fmt::format("not JSON: {}", std::string_view(error.what()).substr(0, 160)));
  }

 private:
  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }
  bool enter() {
    if (keys_.size() == depth_) return refuse(fmt::format("nested more than {} deep", depth_));
    keys_.emplace_back();
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  std::size_t depth_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open; empty sets for arrays
  std::string reason_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t depth) {
  JsonChecker checker(depth);
  if (!Json::sax_parse(text.begin(), text.end(), &checker)) return fail(Cause::kJson, checker.reason());
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return fail(Cause::kJson, "not JSON");
  return json;
}

const Json* member(const Json& json, const char* key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

const std::string* string_member(const Json& json, const char* key) {
  const Json* found = member(json, key);
  return found == nullptr ? nullptr : found->get_ptr<const std::string*>();
}

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace avow::chain
