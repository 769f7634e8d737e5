// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_metadata_testing.hpp"

#include <array>
#include <cstring>
#include <string_view>

#include "base/check.hpp"

namespace avow::model {
namespace {

enum : std::uint32_t { kFloat32 = 6, kBool = 7, kString = 8, kArray = 9 };
constexpr std::array<std::size_t, 13> kSize{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

class File {
 public:
  explicit File(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(std::size_t size) {
    AVOW_CHECK(size <= bytes_.size());
    const std::string_view out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }
  std::uint64_t number(std::uint32_t type) {
    std::uint64_t value = 0;
    const std::string_view raw = take(kSize.at(type));
    std::memcpy(&value, raw.data(), raw.size());
    const bool is_signed = type == 1 || type == 3 || type == 5;
    const unsigned bits = static_cast<unsigned>(raw.size()) * 8;
    if (is_signed && (value >> (bits - 1)) != 0) value |= ~std::uint64_t{0} << bits;
    return value;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(10); }
  std::string string() { return std::string(take(u64())); }

 private:
  std::string_view bytes_;
};

TestMetadata::Value array(File& file) {
  const std::uint32_t type = file.u32();
  const std::uint64_t count = file.u64();
  std::vector<std::string> strings;
  std::vector<std::uint64_t> numbers;
  TestMetadata::Floats floats;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (type == kString) {
      strings.push_back(file.string());
    } else if (type == kFloat32) {
      floats.bits.push_back(file.u32());
    } else {
      numbers.push_back(file.number(type));
    }
  }
  if (type == kString) return strings;
  if (type == kFloat32) return floats;
  return numbers;
}

TestMetadata::Value value(File& file) {
  const std::uint32_t type = file.u32();
  if (type == kString) return file.string();
  if (type == kArray) return array(file);
  if (type == kBool) return file.number(type) != 0;
  if (type == kFloat32) return TestMetadata::Floats{{file.u32()}};
  return file.number(type);
}

}  // namespace

TestMetadata::TestMetadata(const std::string& file) {
  File in(file);
  AVOW_CHECK(in.take(4) == "GGUF");
  AVOW_CHECK(in.u32() >= 2);
  in.u64();
  const std::uint64_t count = in.u64();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string key = in.string();
    values_[key] = value(in);
  }
}

std::optional<std::string_view> TestMetadata::string(std::string_view key) const {
  const auto* value = get<std::string>(key);
  return value != nullptr ? std::optional<std::string_view>(*value) : std::nullopt;
}
std::optional<std::uint64_t> TestMetadata::integer(std::string_view key) const {
  const auto* value = get<std::uint64_t>(key);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}
std::optional<bool> TestMetadata::boolean(std::string_view key) const {
  const auto* value = get<bool>(key);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}
std::optional<std::vector<std::string_view>> TestMetadata::strings(std::string_view key) const {
  const auto* value = get<std::vector<std::string>>(key);
  if (value == nullptr) return std::nullopt;
  return std::vector<std::string_view>(value->begin(), value->end());
}
std::optional<std::vector<std::uint64_t>> TestMetadata::integers(std::string_view key) const {
  const auto* value = get<std::vector<std::uint64_t>>(key);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}
std::optional<std::vector<std::uint32_t>> TestMetadata::float_bits(std::string_view key) const {
  const auto* value = get<Floats>(key);
  return value != nullptr ? std::optional(value->bits) : std::nullopt;
}

}  // namespace avow::model
