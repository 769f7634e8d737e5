// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/tokenizer_gguf.hpp"

namespace avow::model {

/// Metadata in memory, and a reader of the metadata of well-formed GGUF files: for tests alone.
class TestMetadata final : public TokenizerMetadata {
 public:
  struct Floats {
    std::vector<std::uint32_t> bits;
  };
  using Value =
      std::variant<std::string, std::uint64_t, bool, std::vector<std::string>, std::vector<std::uint64_t>, Floats>;

  TestMetadata() = default;
  /// Everything that the file says; aborts if it is not well-formed.
  explicit TestMetadata(const std::string& file);

  void set(const std::string& key, Value value) { values_[key] = std::move(value); }
  void remove(const std::string& key) { values_.erase(key); }

  [[nodiscard]] bool has(std::string_view key) const override { return values_.count(std::string(key)) != 0; }
  [[nodiscard]] std::optional<std::string_view> string(std::string_view key) const override;
  [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view key) const override;
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const override;
  [[nodiscard]] std::optional<std::vector<std::string_view>> strings(std::string_view key) const override;
  [[nodiscard]] std::optional<std::vector<std::uint64_t>> integers(std::string_view key) const override;
  [[nodiscard]] std::optional<std::vector<std::uint32_t>> float_bits(std::string_view key) const override;

 private:
  template <typename T>
  [[nodiscard]] const T* get(std::string_view key) const {
    const auto at = values_.find(std::string(key));
    return at == values_.end() ? nullptr : std::get_if<T>(&at->second);
  }
  std::map<std::string, Value> values_;
};

}  // namespace avow::model
