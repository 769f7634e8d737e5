// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "answer/delivery.hpp"
#include "answer/reader.hpp"
#include "base/check.hpp"

namespace avow::answer {

using base::Bytes;
using base::ByteView;
using base::Err;

namespace {

using Ids = std::vector<std::uint32_t>;

// Of bytes that are whole ids.
Ids ids_in(ByteView bytes, unsigned id_bytes) {
  Ids ids(bytes.size() / id_bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    ids[i / id_bytes] |= static_cast<std::uint32_t>(bytes[i]) << (8 * (i % id_bytes));
  }
  return ids;
}

void append_ids(Bytes& out, const Ids& ids, unsigned id_bytes) { base::append(out, encode_ids(ids, id_bytes)); }

void append_be16(Bytes& out, std::uint32_t value) {
  AVOW_CHECK(value >> 16 == 0);
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void append_count(Bytes& out, std::size_t count, std::size_t most) {
  AVOW_CHECK(count <= most);
  base::append_be32(out, static_cast<std::uint32_t>(count));
}

void append_answer(Bytes& out, const Answer& answer, unsigned id_bytes) {
  const Request& request = answer.request;
  AVOW_CHECK(answer.shown.size() == answer.output.size());
  base::append(out, request.id);
  base::append_be32(out, request.max_new_tokens);
  base::append_be32(out, request.sampling.tau);
  base::append_be32(out, request.sampling.top_k);
  base::append_be32(out, request.sampling.portion);
  base::append(out, request.sampling.seed);
  out.push_back(static_cast<std::uint8_t>(answer.end));
  append_count(out, request.stop_ids.size(), kMostStopIds);
  append_count(out, request.input.size(), kMostIds);
  append_count(out, answer.output.size(), kMostIds);
  append_ids(out, request.stop_ids, id_bytes);
  append_ids(out, request.input, id_bytes);
  append_ids(out, answer.output, id_bytes);
  for (const Shown& shown : answer.shown) {
    append_be16(out, shown.last_k);
    append_be16(out, shown.last_p);
    append_ids(out, {shown.likeliest}, id_bytes);
  }
}

// Nothing if the bytes are too few: then nothing is allocated either.
Ids read_ids(ByteReader& reader, std::size_t count, unsigned id_bytes) {
  return ids_in(reader.bytes(count * id_bytes), id_bytes);
}

base::Result<Answer, Rejection> read_answer(ByteReader& reader, std::uint32_t where, unsigned id_bytes) {
  const auto fail = [&](Check check, std::string text) { return Err{Rejection{check, where, std::move(text)}}; };
  const auto truncated = [] { return Err{Rejection{Check::kTruncated}}; };
  Answer answer;
  Request& request = answer.request;
  request.id = reader.array<32>();
  request.max_new_tokens = reader.number();
  request.sampling.tau = reader.number();
  request.sampling.top_k = reader.number();
  request.sampling.portion = reader.number();
  request.sampling.seed = reader.array<32>();
  const std::uint8_t end = reader.byte();
  const std::size_t stop_ids = reader.number(), inputs = reader.number(), outputs = reader.number();
  if (reader.is_short()) return truncated();
  if (end > static_cast<std::uint8_t>(End::kStop)) return fail(Check::kFlag, fmt::format("{}", end));
  answer.end = End{end};
  if (stop_ids > kMostStopIds) return fail(Check::kIds, fmt::format("{} stop ids", stop_ids));
  if (inputs > kMostIds || outputs > kMostIds) {
    return fail(Check::kIds, fmt::format("{} tokens in, {} out", inputs, outputs));
  }
  request.stop_ids = read_ids(reader, stop_ids, id_bytes);
  request.input = read_ids(reader, inputs, id_bytes);
  answer.output = read_ids(reader, outputs, id_bytes);
  const std::size_t size = 4 + id_bytes;
  ByteReader shown(reader.bytes(size * outputs));
  if (reader.is_short()) return truncated();
  for (std::size_t i = 0; i < outputs; ++i) {
    const std::uint32_t both = shown.number();
    answer.shown.push_back({both >> 16, both & 0xffff, read_ids(shown, 1, id_bytes)[0]});
  }
  return answer;
}

}  // namespace

unsigned id_bytes(std::uint64_t vocabulary) { return vocabulary <= std::uint64_t{1} << 16 ? 2 : 3; }

Bytes encode_ids(std::span<const std::uint32_t> ids, unsigned id_bytes) {
  AVOW_CHECK(id_bytes == 2 || id_bytes == 3);
  Bytes out;
  out.reserve(ids.size() * id_bytes);
  for (const std::uint32_t id : ids) {
    AVOW_CHECK(id >> (8 * id_bytes) == 0);
    for (unsigned i = 0; i < id_bytes; ++i) out.push_back(static_cast<std::uint8_t>(id >> (8 * i)));
  }
  return out;
}

std::optional<std::vector<std::uint32_t>> decode_ids(ByteView bytes, unsigned id_bytes) {
  AVOW_CHECK(id_bytes == 2 || id_bytes == 3);
  if (bytes.size() % id_bytes != 0 || bytes.size() / id_bytes > kMostIds) return std::nullopt;
  return ids_in(bytes, id_bytes);
}

Bytes encode(const Delivery& delivery, unsigned id_bytes) {
  AVOW_CHECK(id_bytes == 2 || id_bytes == 3);
  Bytes out(4);
  base::store_be32(out.data(), kDeliveryVersion);
  base::append(out, delivery.model_id);
  base::append(out, delivery.chain_id);
  base::append(out, delivery.market);
  base::append(out, delivery.payee);
  append_count(out, delivery.answers.size(), compile::kMostRequests);
  for (const Answer& answer : delivery.answers) append_answer(out, answer, id_bytes);
  return out;
}

base::Result<Delivery, Rejection> parse(ByteView bytes, unsigned id_bytes) {
  AVOW_CHECK(id_bytes == 2 || id_bytes == 3);
  ByteReader reader(bytes);
  const std::uint32_t version = reader.number();
  if (!reader.is_short() && version != kDeliveryVersion) {
    return Err{Rejection{Check::kVersion, 0, fmt::format("version {}", version)}};
  }
  Delivery delivery;
  delivery.model_id = reader.array<32>();
  delivery.chain_id = reader.array<32>();
  delivery.market = reader.array<20>();
  delivery.payee = reader.array<20>();
  const std::uint32_t count = reader.number();
  if (reader.is_short()) return Err{Rejection{Check::kTruncated}};
  if (count == 0 || count > compile::kMostRequests) {
    return Err{Rejection{Check::kCount, 0, fmt::format("{} answers", count)}};
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    auto answer = read_answer(reader, i, id_bytes);
    if (!answer) return Err{answer.error()};
    delivery.answers.push_back(std::move(answer).value());
  }
  if (!reader.rest().empty()) {
    return Err{Rejection{Check::kTrailing, 0, fmt::format("{} bytes", reader.rest().size())}};
  }
  return delivery;
}

}  // namespace avow::answer
