// SPDX-License-Identifier: Apache-2.0
#include "transcript/transcript.hpp"

#include <cstring>
#include <limits>
#include <string_view>

#include "base/check.hpp"
#include "hash/keccak.hpp"

namespace avow::transcript {
namespace {

constexpr std::string_view kStartTag = "avow/transcript/1";
constexpr std::size_t kFrameBytes = 8;
constexpr std::size_t kWordsPerState = 8;

bool is_squeeze(Kind kind) { return kind == Kind::kChallenge || kind == Kind::kPositions; }

// state || frame || room for the payload: what one step hashes.
base::Bytes step_input(const base::Digest& state, Label label, Kind kind, std::uint64_t size,
                       std::size_t payload_bytes) {
  AVOW_CHECK(size <= std::numeric_limits<std::uint32_t>::max());
  base::Bytes input(state.size() + kFrameBytes + payload_bytes);
  std::memcpy(input.data(), state.data(), state.size());
  std::uint8_t* frame = input.data() + state.size();
  frame[0] = static_cast<std::uint8_t>(label.id >> 8);
  frame[1] = static_cast<std::uint8_t>(label.id);
  frame[2] = static_cast<std::uint8_t>(kind);
  frame[3] = 0;
  base::store_be32(frame + 4, static_cast<std::uint32_t>(size));
  return input;
}

// The 80-bit big-endian number at `bytes`, modulo p.
field::Fp reduce80(const std::uint8_t* bytes) {
  const std::uint64_t high = std::uint64_t{bytes[0]} << 8 | bytes[1];
  const field::Uint128 number = static_cast<field::Uint128>(high) << 64 | base::load_be64(bytes + 2);
  return field::Fp::from_canonical_unchecked(field::reduce128(number));
}

}  // namespace

Transcript::Transcript(const base::Digest& protocol_id, base::ByteView session, base::ByteView statement) {
  base::Bytes input(kStartTag.begin(), kStartTag.end());
  input.resize(32);
  base::append(input, protocol_id);
  base::append(input, hash::keccak256(session));
  base::append(input, hash::keccak256(statement));
  state_ = hash::keccak256(input);
}

Transcript Transcript::resume(const base::Digest& state) {
  Transcript transcript;
  transcript.state_ = state;
  transcript.absorbed_ = true;
  return transcript;
}

void Transcript::absorb_bytes(Label label, base::ByteView bytes) { step(label, Kind::kBytes, bytes.size(), bytes); }

void Transcript::absorb_digest(Label label, const base::Digest& digest) {
  step(label, Kind::kDigest, digest.size(), digest);
}

void Transcript::absorb(Label label, std::span<const field::Fp> elements) {
  base::Bytes payload(8 * elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) field::encode(elements[i], payload.data() + 8 * i);
  step(label, Kind::kBase, payload.size(), payload);
}

void Transcript::absorb(Label label, std::span<const field::Fp3> elements) {
  base::Bytes payload(field::kFp3Bytes * elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    field::encode(elements[i], payload.data() + field::kFp3Bytes * i);
  }
  step(label, Kind::kExtension, payload.size(), payload);
}

field::Fp3 Transcript::challenge(Label label) {
  step(label, Kind::kChallenge, 1, {});
  return {reduce80(&state_[2]), reduce80(&state_[12]), reduce80(&state_[22])};
}

std::vector<std::uint32_t> Transcript::positions(Label label, unsigned log_domain, std::size_t count) {
  AVOW_CHECK(log_domain <= 32);
  const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << log_domain) - 1);
  note(label, Kind::kPositions, count);
  std::vector<std::uint32_t> result;
  result.reserve(count);
  while (result.size() < count) {
    advance(label, Kind::kPositions, count, {});
    for (std::size_t word = 0; word < kWordsPerState && result.size() < count; ++word) {
      result.push_back(base::load_be32(&state_[4 * word]) & mask);
    }
  }
  return result;
}

bool Transcript::absorb_nonce(Label label, unsigned bits, std::uint64_t nonce) {
  std::uint8_t payload[8];
  base::store_be64(payload, nonce);
  step(label, Kind::kNonce, sizeof payload, payload);
  return hash::has_leading_zeros(state_, bits);
}

base::Bytes Transcript::nonce_prefix(Label label) const { return step_input(state_, label, Kind::kNonce, 8, 0); }

void Transcript::step(Label label, Kind kind, std::uint64_t size, base::ByteView payload) {
  note(label, kind, size);
  advance(label, kind, size, payload);
}

void Transcript::advance(Label label, Kind kind, std::uint64_t size, base::ByteView payload) {
  base::Bytes input = step_input(state_, label, kind, size, payload.size());
  if (!payload.empty()) std::memcpy(input.data() + input.size() - payload.size(), payload.data(), payload.size());
  state_ = hash::keccak256(input);
}

void Transcript::note(Label label, Kind kind, std::uint64_t size) {
  if (is_squeeze(kind)) {
    // A value drawn now would depend on nothing that the prover sent: a missing message, that is a bug of the protocol.
    AVOW_CHECK(absorbed_);
    if (!squeezing_) ++round_;
    squeezing_ = true;
  } else {
    absorbed_ = true;
    squeezing_ = false;
  }
  if (manifest_ != nullptr) manifest_->push_back({round_, label.name, kind, size});
}

}  // namespace avow::transcript
