// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "field/extension.hpp"

namespace avow::transcript {

/// Names one message or challenge of a protocol. Each protocol defines its labels once, as constants that prover and
/// verifier share; the id, not the name, is hashed.
struct Label {
  std::uint16_t id;
  const char* name;
};

/// What a frame carries. The numbers are hashed: never change one.
enum class Kind : std::uint8_t {
  kBytes = 1,        ///< opaque bytes
  kBase = 2,         ///< base field elements, 8 bytes each
  kExtension = 3,    ///< extension field elements, 24 bytes each
  kDigest = 4,       ///< 32-byte digests (Merkle roots)
  kNonce = 5,        ///< proof-of-work nonce, 8 bytes
  kChallenge = 129,  ///< extension challenge squeezed
  kPositions = 130,  ///< query positions squeezed
};

/// One line of a manifest: what was absorbed or squeezed, in order. `round` counts the changes from absorbing to
/// squeezing up to and including this operation (messages before the first challenge have round 0); `size` is in bytes
/// for messages, in elements for challenges and positions.
struct ManifestEntry {
  std::uint32_t round;
  std::string label;
  Kind kind;
  std::uint64_t size;
  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};
using Manifest = std::vector<ManifestEntry>;

/// Fiat-Shamir transcript over Keccak-256. The whole state is one 32-byte digest; every operation is one keccak256 call
/// (spec/transcript.md):
///
///   start:     state = keccak256("avow/transcript/1" zero-padded to 32 bytes || protocol id || keccak256(session) ||
///                                keccak256(statement))
///   absorb:    state = keccak256(state || frame || payload)
///   challenge: state = keccak256(state || frame);  value = f(state)
///
/// where frame = label id (2 bytes) || kind (1) || zero (1) || payload bytes or squeezed count (4), all big-endian.
/// It cannot exist without protocol, session and statement, and it aborts (our bug) if a challenge is asked for before
/// a message was absorbed. Copies are made by fork() only.
class Transcript {
 public:
  /// protocol_id: hash of the whole configuration, field and version included. session: where the proof is used
  /// (chain, market, request). statement: what is proven.
  Transcript(const base::Digest& protocol_id, base::ByteView session, base::ByteView statement);
  /// Continues from a state that an earlier transcript had after at least one message (verification in steps).
  [[nodiscard]] static Transcript resume(const base::Digest& state);
  [[nodiscard]] Transcript fork() const { return *this; }
  Transcript(Transcript&&) = default;
  Transcript& operator=(Transcript&&) = default;

  void absorb_bytes(Label label, base::ByteView bytes);
  void absorb_digest(Label label, const base::Digest& digest);
  void absorb(Label label, std::span<const field::Fp> elements);
  void absorb(Label label, std::span<const field::Fp3> elements);

  /// A uniform extension element: the 32-byte state is cut into three 80-bit numbers (bytes 2..11, 12..21, 22..31,
  /// big-endian), each reduced modulo p; no coefficient's value is more than 1 + 2^-16 times as likely as 1/p.
  [[nodiscard]] field::Fp3 challenge(Label label);
  /// `count` positions in [0, 2^log_domain), with repetitions, in the order drawn; log_domain <= 32. A state yields
  /// eight: its 4-byte big-endian words, reduced to their low log_domain bits; ceil(count / 8) squeezes, all with the
  /// same frame.
  [[nodiscard]] std::vector<std::uint32_t> positions(Label label, unsigned log_domain, std::size_t count);

  /// Absorbs a proof-of-work nonce and says whether the new state starts with `bits` zero bits.
  [[nodiscard]] bool absorb_nonce(Label label, unsigned bits, std::uint64_t nonce);
  /// The bytes that a nonce (8 bytes big-endian) is appended to before hashing: state || frame. For the prover's
  /// search.
  [[nodiscard]] base::Bytes nonce_prefix(Label label) const;

  [[nodiscard]] const base::Digest& state() const noexcept { return state_; }
  /// Appends every later operation to *manifest (nullptr: stop). The manifest must outlive the transcript.
  void record(Manifest* manifest) noexcept { manifest_ = manifest; }

 private:
  Transcript() = default;
  Transcript(const Transcript&) = default;
  Transcript& operator=(const Transcript&) = default;
  // note() and advance(): one whole operation.
  void step(Label label, Kind kind, std::uint64_t size, base::ByteView payload);
  // Bookkeeping and manifest of one operation, before it changes the state.
  void note(Label label, Kind kind, std::uint64_t size);
  // state = keccak256(state || frame || payload).
  void advance(Label label, Kind kind, std::uint64_t size, base::ByteView payload);

  base::Digest state_{};
  Manifest* manifest_ = nullptr;
  std::uint32_t round_ = 0;
  bool absorbed_ = false;   // a message came since the start
  bool squeezing_ = false;  // the last operation was a challenge or positions
};

}  // namespace avow::transcript
