// SPDX-License-Identifier: Apache-2.0
#include "chain/transaction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

constexpr std::uint8_t kType = 2;  // EIP-1559
constexpr std::size_t kUnsignedItems = 9;

base::Bytes with_type(std::vector<Rlp> items) {
  base::Bytes bytes{kType};
  base::append(bytes, encode(Rlp::list(std::move(items))));
  return bytes;
}

Rlp access_list_item(const std::vector<AccessListEntry>& list) {
  std::vector<Rlp> entries;
  for (const AccessListEntry& entry : list) {
    std::vector<Rlp> slots;
    for (const base::Digest& slot : entry.slots) slots.push_back(Rlp::string(slot));
    entries.push_back(Rlp::list({Rlp::string(entry.address.bytes), Rlp::list(std::move(slots))}));
  }
  return Rlp::list(std::move(entries));
}

std::vector<Rlp> unsigned_items(const Transaction& t) {
  return {Rlp::number(t.chain_id), Rlp::number(t.nonce),     Rlp::number(t.max_priority_fee),
          Rlp::number(t.max_fee),  Rlp::number(t.gas_limit), t.to ? Rlp::string(t.to->bytes) : Rlp::string({}),
          Rlp::number(t.value),    Rlp::string(t.data),      access_list_item(t.access_list)};
}

// Takes the fields of a list one after the other; what is not as it should be is remembered.
class FieldReader {
 public:
  explicit FieldReader(const std::vector<Rlp>& items) : items_(&items) {}

  [[nodiscard]] bool good() const { return good_; }

  U256 number() {
    const auto value = number_of(next());
    good_ = good_ && value.ok();
    return value ? value.value() : U256(0);
  }
  std::uint64_t small_number() {
    const auto value = number().to_u64();
    good_ = good_ && value.has_value();
    return value.value_or(0);
  }
  base::Bytes bytes() {
    good_ = good_ && !next_is_list();
    return next().bytes;
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> result{};
    const base::Bytes taken = bytes();
    good_ = good_ && taken.size() == N;
    if (good_) std::copy(taken.begin(), taken.end(), result.begin());
    return result;
  }
  const std::vector<Rlp>& list() {
    good_ = good_ && next_is_list();
    return next().items;
  }
  [[nodiscard]] bool next_is_empty() const { return at_ < items_->size() && (*items_)[at_].bytes.empty(); }

 private:
  [[nodiscard]] bool next_is_list() const { return at_ < items_->size() && (*items_)[at_].is_list; }
  const Rlp& next() {
    static const Rlp kNone;
    good_ = good_ && at_ < items_->size();
    return good_ ? (*items_)[at_++] : kNone;
  }

  const std::vector<Rlp>* items_;
  std::size_t at_ = 0;
  bool good_ = true;
};

// Nothing if it is malformed.
std::optional<std::vector<AccessListEntry>> access_list_of(const std::vector<Rlp>& items) {
  std::vector<AccessListEntry> list;
  for (const Rlp& item : items) {
    if (item.items.size() != 2) return std::nullopt;
    FieldReader reader(item.items);
    AccessListEntry entry{{reader.array<20>()}, {}};
    const std::vector<Rlp>& slots = reader.list();
    FieldReader slot_reader(slots);
    for (std::size_t i = 0; i < slots.size(); ++i) entry.slots.push_back(slot_reader.array<32>());
    if (!reader.good() || !slot_reader.good()) return std::nullopt;
    list.push_back(std::move(entry));
  }
  return list;
}

// Nothing if a field is not as it should be.
std::optional<SignedTransaction> read_fields(const std::vector<Rlp>& items) {
  FieldReader reader(items);
  SignedTransaction result;
  Transaction& t = result.transaction;
  t.chain_id = reader.small_number();
  t.nonce = reader.small_number();
  t.max_priority_fee = reader.number();
  t.max_fee = reader.number();
  t.gas_limit = reader.small_number();
  if (reader.next_is_empty()) {
    (void)reader.bytes();
  } else {
    t.to = Address{reader.array<20>()};
  }
  t.value = reader.number();
  t.data = reader.bytes();
  auto list = access_list_of(reader.list());
  const std::uint64_t parity = reader.small_number();
  result.signature = {reader.number().to_bytes(), reader.number().to_bytes(), static_cast<std::uint8_t>(parity)};
  if (!reader.good() || !list || parity > 1) return std::nullopt;
  t.access_list = std::move(*list);
  return result;
}

}  // namespace

std::string to_string(const SignedTransaction& transaction) {
  return fmt::format("transaction 0x{} of nonce {}", base::to_hex(transaction.hash), transaction.transaction.nonce);
}

base::Digest signing_hash(const Transaction& transaction) {
  return hash::keccak256(with_type(unsigned_items(transaction)));
}

SignedTransaction sign(const Transaction& transaction, const PrivateKey& key) {
  const Signature signature = key.sign(signing_hash(transaction));
  std::vector<Rlp> items = unsigned_items(transaction);
  items.push_back(Rlp::number(signature.y_parity));
  items.push_back(Rlp::number(*U256::from_bytes(signature.r)));
  items.push_back(Rlp::number(*U256::from_bytes(signature.s)));
  base::Bytes bytes = with_type(std::move(items));
  const base::Digest hash = hash::keccak256(bytes);
  return {transaction, signature, key.address(), std::move(bytes), hash};
}

Result<SignedTransaction> parse_transaction(base::ByteView bytes) {
  if (bytes.empty() || bytes[0] != kType) return fail(Cause::kTransaction, "no transaction of EIP-1559 (type 2)");
  const auto item = decode_rlp(bytes.subspan(1));
  if (!item) return base::Err{item.error()};
  if (!item.value().is_list || item.value().items.size() != kUnsignedItems + 3) {
    return fail(Cause::kTransaction, "a transaction is a list of 12 fields");
  }
  auto read = read_fields(item.value().items);
  if (!read) return fail(Cause::kTransaction, "a field is not as transactions have it");
  const auto sender = recover(signing_hash(read->transaction), read->signature);
  if (!sender) return base::Err{sender.error()};
  read->sender = sender.value();
  read->bytes.assign(bytes.begin(), bytes.end());
  read->hash = hash::keccak256(bytes);
  return std::move(*read);
}

}  // namespace avow::chain
