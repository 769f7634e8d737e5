// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/hex.hpp"
#include "chain/address.hpp"

namespace avow::requester {

/// Takes the members of an object, all of which must be there and nothing else; the first one that is not as it should
/// be is remembered.
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& json) : json_(&json) {
    if (!json.is_object()) bad_ = "the object";
  }

  /// The name of what is wrong; empty if nothing is.
  [[nodiscard]] const std::string& bad() const { return bad_; }
  /// To be called at the end.
  void expect_nothing_else() {
    if (bad_.empty() && taken_ != json_->size()) bad_ = "another member than are known";
  }
  [[nodiscard]] bool has(const char* key) const { return json_->is_object() && json_->contains(key); }

  const nlohmann::json& object(const char* key) {
    static const nlohmann::json kNothing;
    if (!has(key)) {
      refuse(key);
      return kNothing;
    }
    ++taken_;
    return (*json_)[key];
  }
  std::string text(const char* key) {
    const auto& value = object(key);
    if (!value.is_string()) return refused<std::string>(key);
    return value.get<std::string>();
  }
  /// Decimal, in text.
  chain::U256 amount(const char* key) {
    auto value = chain::parse_decimal(text(key));
    return value ? value.value() : refused<chain::U256>(key);
  }
  /// A number of at most `most`.
  std::uint64_t number(const char* key, std::uint64_t most) {
    const auto& value = object(key);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) return refused<std::uint64_t>(key);
    return value.get<std::uint64_t>();
  }
  base::Bytes bytes(const char* key) {
    auto value = base::from_hex(text(key));
    return value ? std::move(*value) : refused<base::Bytes>(key);
  }
  base::Digest digest(const char* key) {
    const base::Bytes value = bytes(key);
    base::Digest digest{};
    if (value.size() != digest.size()) return refused<base::Digest>(key);
    std::copy(value.begin(), value.end(), digest.begin());
    return digest;
  }
  chain::Address address(const char* key) {
    const auto value = chain::parse_address(text(key));
    return value ? value.value() : refused<chain::Address>(key);
  }
  void refuse(const std::string& key) {
    if (bad_.empty()) bad_ = key;
  }

 private:
  template <typename T>
  T refused(const char* key) {
    refuse(key);
    return T{};
  }

  const nlohmann::json* json_;
  std::size_t taken_ = 0;
  std::string bad_;
};

}  // namespace avow::requester
