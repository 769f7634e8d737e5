// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "base/printable.hpp"

namespace avow::base {
namespace {

using Json = nlohmann::json;

JsonError no_object() { return {JsonFault::kSyntax, 0, "is not an object of JSON"}; }

// Looks at the text once before the tree is built: the library neither limits depth nor minds repeated keys.
class JsonChecker : public nlohmann::json_sax<Json> {
 public:
  JsonChecker(std::size_t depth, JsonTop top, std::size_t most_values)
      : depth_(depth), top_(top), most_values_(most_values) {}

  [[nodiscard]] const JsonError& error() const { return error_; }

  bool null() override { return count(); }
  bool boolean(bool /*value*/) override { return count(); }
  bool number_integer(number_integer_t /*value*/) override { return count(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return count(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return count(); }
  bool string(string_t& /*value*/) override { return count(); }
  bool binary(binary_t& /*value*/) override { return count(); }

  bool start_object(std::size_t /*elements*/) override { return enter(); }
  bool start_array(std::size_t /*elements*/) override {
    if (keys_.empty() && top_ == JsonTop::kObject) return refuse(no_object());
    return enter();
  }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    // Keys are shown up to a length that an error message bears.
    return refuse({JsonFault::kDuplicate, 0, fmt::format("key '{}' is there twice", printable(name, 80))});
  }
  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& error) override {
    // What was read last is part of the text, however long it is.
    return refuse({JsonFault::kSyntax, position, fmt::format("is not JSON: {}", printable(error.what(), 160))});
  }

 private:
  bool refuse(JsonError error) {
    error_ = std::move(error);
    return false;
  }
  bool count() {
    if (values_ == most_values_) {
      return refuse({JsonFault::kValues, 0, fmt::format("has more than {} values", most_values_)});
    }
    ++values_;
    return true;
  }
  bool enter() {
    if (keys_.size() == depth_) {
      return refuse({JsonFault::kDepth, 0, fmt::format("is nested more than {} deep", depth_)});
    }
    keys_.emplace_back();
    return count();
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  std::size_t depth_;
  JsonTop top_;
  std::size_t most_values_;
  std::size_t values_ = 0;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open; empty sets for arrays
  JsonError error_{};
};

}  // namespace

Result<nlohmann::json, JsonError> parse_json(std::string_view text, std::size_t depth, JsonTop top,
                                             std::size_t most_values) {
  JsonChecker checker(depth, top, most_values);
  if (!Json::sax_parse(text.begin(), text.end(), &checker)) return Err{checker.error()};
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return Err{JsonError{JsonFault::kSyntax, 0, "is not JSON"}};
  if (top == JsonTop::kObject && !json.is_object()) return Err{no_object()};
  return json;
}

}  // namespace avow::base
