// SPDX-License-Identifier: Apache-2.0
#include "chain/rlp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace avow::chain {
namespace {

constexpr std::uint8_t kStringPrefix = 0x80;
constexpr std::uint8_t kListPrefix = 0xc0;
constexpr std::size_t kMostShort = 55;  // a longer payload has a length of its own

void append_prefix(base::Bytes& out, std::uint8_t prefix, std::size_t length) {
  if (length <= kMostShort) {
    out.push_back(static_cast<std::uint8_t>(prefix + length));
    return;
  }
  const base::Bytes number = U256(length).to_short_bytes();
  out.push_back(static_cast<std::uint8_t>(prefix + kMostShort + number.size()));
  base::append(out, number);
}

class RlpDecoder {
 public:
  explicit RlpDecoder(base::ByteView bytes) : rest_(bytes), total_(bytes.size()) {}

  [[nodiscard]] base::ByteView rest() const { return rest_; }

  Result<Rlp> item(std::size_t depth) {
    if (++items_ > kMostRlpItems) return refuse(Cause::kRlpLimit, fmt::format("more than {} items", kMostRlpItems));
    if (rest_.empty()) return refuse(Cause::kRlpTruncated, "an item is expected");
    const std::uint8_t first = rest_[0];
    if (first < kStringPrefix) return Rlp::string(take(1));
    const bool is_list = first >= kListPrefix;
    auto payload = take_payload(static_cast<std::uint8_t>(first - (is_list ? kListPrefix : kStringPrefix)));
    if (!payload) return base::Err{payload.error()};
    if (is_list) return list(payload.value(), depth);
    if (payload.value().size() == 1 && payload.value()[0] < kStringPrefix) {
      return refuse(Cause::kRlpNonCanonical, "a byte that is its own encoding has a prefix");
    }
    return Rlp::string(payload.value());
  }

 private:
  base::Err<Error> refuse(Cause cause, std::string_view text) const {
    return fail(cause, fmt::format("at byte {}: {}", total_ - rest_.size(), text));
  }

  base::ByteView take(std::size_t count) {
    const base::ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  // `code`: the first byte without its prefix, below 64; the payload that follows, taken.
  Result<base::ByteView> take_payload(std::uint8_t code) {
    std::uint64_t length = code;
    std::size_t length_bytes = 0;
    if (code > kMostShort) {
      length_bytes = code - kMostShort;
      if (rest_.size() - 1 < length_bytes) return refuse(Cause::kRlpTruncated, "its length is cut off");
      const base::ByteView number = rest_.subspan(1, length_bytes);
      length = *U256::from_bytes(number)->to_u64();  // not more than 8 bytes
      if (number[0] == 0 || length <= kMostShort) {
        return refuse(Cause::kRlpNonCanonical, "a length is longer than it needs to be");
      }
    }
    if (rest_.size() - 1 - length_bytes < length) {
      return refuse(Cause::kRlpTruncated, fmt::format("{} bytes are announced, which are not there", length));
    }
    take(1 + length_bytes);
    return take(static_cast<std::size_t>(length));
  }

  // The items of a list whose payload was just taken.
  Result<Rlp> list(base::ByteView payload, std::size_t depth) {
    if (depth == kMostRlpDepth) return refuse(Cause::kRlpLimit, fmt::format("more than {} levels", kMostRlpDepth));
    RlpDecoder inner(payload);
    inner.items_ = items_;
    std::vector<Rlp> items;
    while (!inner.rest_.empty()) {
      auto next = inner.item(depth + 1);
      if (!next) return next;
      items.push_back(std::move(next).value());
    }
    items_ = inner.items_;
    return Rlp::list(std::move(items));
  }

  base::ByteView rest_;
  std::size_t total_;
  std::size_t items_ = 0;
};

}  // namespace

Rlp Rlp::string(base::ByteView bytes) { return {false, {bytes.begin(), bytes.end()}, {}}; }

Rlp Rlp::number(const U256& value) { return {false, value.to_short_bytes(), {}}; }

Rlp Rlp::list(std::vector<Rlp> items) { return {true, {}, std::move(items)}; }

base::Bytes encode(const Rlp& item) {
  base::Bytes payload = item.bytes;
  for (const Rlp& inner : item.items) base::append(payload, encode(inner));
  if (!item.is_list && payload.size() == 1 && payload[0] < kStringPrefix) return payload;
  base::Bytes out;
  append_prefix(out, item.is_list ? kListPrefix : kStringPrefix, payload.size());
  base::append(out, payload);
  return out;
}

Result<Rlp> decode_rlp(base::ByteView bytes) {
  RlpDecoder decoder(bytes);
  auto item = decoder.item(0);
  if (item && !decoder.rest().empty()) {
    return fail(Cause::kRlpTrailing, fmt::format("{} bytes after the item", decoder.rest().size()));
  }
  return item;
}

Result<U256> number_of(const Rlp& item) {
  if (item.is_list) return fail(Cause::kRlpNonCanonical, "a list where a number is expected");
  if (!item.bytes.empty() && item.bytes[0] == 0) {
    return fail(Cause::kRlpNonCanonical, "a number with leading zeros");
  }
  const auto value = U256::from_bytes(item.bytes);
  if (!value) return fail(Cause::kRlpNonCanonical, "a number of more than 32 bytes");
  return *value;
}

}  // namespace avow::chain
