// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>

#include "chain/abi.hpp"

namespace avow::market {

/// Reads the members of a struct in order. What is missing or of another type is remembered, and read as zero.
class FieldReader {
 public:
  explicit FieldReader(const chain::Value& value) : list_(value.as<chain::Value::List>()), good_(list_ != nullptr) {}
  explicit FieldReader(const chain::Value::List& list) : list_(&list) {}

  [[nodiscard]] chain::U256 number() { return take<chain::U256>(); }
  [[nodiscard]] chain::Address address() { return take<chain::Address>(); }
  [[nodiscard]] std::string text() { return take<std::string>(); }
  [[nodiscard]] base::Bytes bytes() { return take<base::Bytes>(); }
  [[nodiscard]] chain::Value::List list() { return take<chain::Value::List>(); }
  [[nodiscard]] base::Digest digest() {
    const auto all = take<base::Bytes>();
    base::Digest digest{};
    good_ = good_ && all.size() == digest.size();
    if (good_) std::copy(all.begin(), all.end(), digest.begin());
    return digest;
  }
  template <typename T>
  [[nodiscard]] T small() {
    const auto value = number().to_u64();
    good_ = good_ && value && *value <= std::numeric_limits<T>::max();
    return good_ ? static_cast<T>(*value) : T{};
  }
  [[nodiscard]] FieldReader nested() {
    static const chain::Value kNone(chain::Value::List{});
    const chain::Value* value = next();
    good_ = good_ && value != nullptr;
    return FieldReader(good_ ? *value : kNone);
  }
  /// What was found in a nested struct counts here.
  void join(const FieldReader& nested) { good_ = good_ && nested.is_done(); }
  /// All members were there, and no more.
  [[nodiscard]] bool is_done() const { return good_ && at_ == list_->size(); }

 private:
  const chain::Value* next() { return good_ && at_ < list_->size() ? &(*list_)[at_++] : nullptr; }
  template <typename T>
  T take() {
    const chain::Value* value = next();
    const T* typed = value == nullptr ? nullptr : value->as<T>();
    good_ = good_ && typed != nullptr;
    return typed == nullptr ? T{} : *typed;
  }

  const chain::Value::List* list_;
  std::size_t at_ = 0;
  bool good_ = true;
};

}  // namespace avow::market
