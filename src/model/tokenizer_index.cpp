// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_index.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace avow::model {
namespace {

// FNV-1a, and a multiplication that brings the entropy of short strings into the top bits.
std::uint64_t hash_of(std::string_view bytes) noexcept {
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const char c : bytes) h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ull;
  return (h ^ (h >> 32)) * 0x9e3779b97f4a7c15ull;
}

}  // namespace

TokenIndex::TokenIndex(std::span<const std::string> tokens, std::span<const TokenId> ids) : tokens_(tokens) {
  for (const TokenId id : ids) {
    entries_.push_back({hash_of(tokens[id]), id});
    longest_ = std::max(longest_, tokens[id].size());
  }
  std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
    return a.hash != b.hash ? a.hash < b.hash : std::tuple(bytes_of(a), a.id) < std::tuple(bytes_of(b), b.id);
  });
  const unsigned log_buckets = std::max(1u, static_cast<unsigned>(std::bit_width(entries_.size())));
  shift_ = 64 - log_buckets;
  bucket_.assign((std::size_t{1} << log_buckets) + 1, 0);
  for (const Entry& entry : entries_) ++bucket_[(entry.hash >> shift_) + 1];
  for (std::size_t i = 1; i < bucket_.size(); ++i) bucket_[i] += bucket_[i - 1];
}

std::optional<TokenId> TokenIndex::find(std::string_view bytes) const noexcept {
  if (bytes.size() > longest_ || entries_.empty()) return std::nullopt;
  const std::uint64_t hash = hash_of(bytes);
  const std::size_t bucket = hash >> shift_;
  const auto end = entries_.begin() + bucket_[bucket + 1];
  const auto at = std::partition_point(entries_.begin() + bucket_[bucket], end, [&](const Entry& entry) {
    return entry.hash != hash ? entry.hash < hash : bytes_of(entry) < bytes;
  });
  if (at == end || at->hash != hash || bytes_of(*at) != bytes) return std::nullopt;
  return at->id;
}

std::optional<std::pair<TokenId, TokenId>> TokenIndex::repeated() const {
  for (std::size_t i = 0; i + 1 < entries_.size(); ++i) {
    if (entries_[i].hash == entries_[i + 1].hash && bytes_of(entries_[i]) == bytes_of(entries_[i + 1])) {
      return std::pair(entries_[i].id, entries_[i + 1].id);
    }
  }
  return std::nullopt;
}

}  // namespace avow::model
