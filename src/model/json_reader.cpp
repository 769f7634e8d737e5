// SPDX-License-Identifier: Apache-2.0
#include "model/json_reader.hpp"

#include <fmt/format.h>

#include <set>

namespace avow::model {
namespace {

using Json = nlohmann::json;

// Looks at the text once before the tree is built: the library neither limits depth nor minds repeated keys.
class Checker : public nlohmann::json_sax<Json> {
 public:
  explicit Checker(std::size_t depth) : depth_(depth) {}

  [[nodiscard]] Cause cause() const { return cause_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] std::size_t position() const { return position_; }

  bool null() override { return scalar(); }
  bool boolean(bool /*value*/) override { return scalar(); }
  bool number_integer(number_integer_t /*value*/) override { return scalar(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return scalar(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return scalar(); }
  bool string(string_t& /*value*/) override { return scalar(); }
  bool binary(binary_t& /*value*/) override { return scalar(); }

  bool start_object(std::size_t /*elements*/) override { return enter(); }
  bool start_array(std::size_t /*elements*/) override {
    if (keys_.empty()) return fail(Cause::kJson, "is not an object of JSON");
    return enter();
  }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    // Keys are shown up to a length that an error message bears.
    return fail(Cause::kDuplicate, fmt::format("key '{}' is there twice", name.substr(0, 80)));
  }
  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& error) override {
    position_ = position;
    // What was read last is part of the text, however long it is.
    return fail(Cause::kJson, fmt::format("is not JSON: {}", std::string_view(error.what()).substr(0, 160)));
  }

 private:
  bool fail(Cause cause, std::string reason) {
    cause_ = cause;
    reason_ = std::move(reason);
    return false;
  }
  bool scalar() { return !keys_.empty() || fail(Cause::kJson, "is not an object of JSON"); }
  bool enter() {
    if (keys_.size() == depth_) return fail(Cause::kDepth, fmt::format("is nested more than {} deep", depth_));
    keys_.emplace_back();
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  std::size_t depth_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open; empty sets for arrays
  Cause cause_ = Cause::kJson;
  std::string reason_;
  std::size_t position_ = 0;
};

}  // namespace

base::Result<Json, ReadError> parse_json(base::ByteView text, std::string_view file, std::uint64_t offset,
                                         std::size_t depth) {
  const auto refuse = [&](Cause cause, std::size_t position, std::string reason) {
    return base::Err{ReadError{cause, std::string(file), offset + position, std::move(reason)}};
  };
  Checker checker(depth);
  if (!Json::sax_parse(text.begin(), text.end(), &checker)) {
    return refuse(checker.cause(), checker.position(), checker.reason());
  }
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_object()) return refuse(Cause::kJson, 0, "is not an object of JSON");
  return json;
}

}  // namespace avow::model
