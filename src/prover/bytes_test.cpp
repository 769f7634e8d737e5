// SPDX-License-Identifier: Apache-2.0
// A proof and a verifier's state as untrusted bytes.
#include <gtest/gtest.h>

#include <random>

#include "base/test_stride.hpp"
#include "prover/session_testing.hpp"
#include "verifier/sections.hpp"

namespace avow::prover {
namespace {

using testing::Session;

class Bytes : public ::testing::Test {
 protected:
  Bytes() : example(statement::softmax_example(6)), session(example) {
    proof = session.prove(example.assignment()).value().proof;
  }
  // With the header's length set to what the proof now has.
  static base::Bytes with_length(base::Bytes bytes) {
    base::store_be32(bytes.data() + 4, static_cast<std::uint32_t>(bytes.size()));
    return bytes;
  }

  statement::Example example;
  Session session;
  base::Bytes proof;
};

TEST_F(Bytes, HonestProofIsAccepted) { EXPECT_EQ(session.verdict(proof), "accepted"); }

TEST_F(Bytes, CutAtEveryLength) {
  for (std::size_t size = 0; size < proof.size(); size += base::kTestStride) {
    base::Bytes cut(proof.begin(), proof.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(session.verdict(cut), size < verifier::kHeaderBytes ? "proof.truncated" : "proof.length");
    if (size < verifier::kHeaderBytes) continue;
    const std::string verdict = session.verdict(with_length(cut));
    EXPECT_TRUE(verdict == "proof.truncated" || verdict == "lookup.truncated" || verdict == "pcs.truncated")
        << size << ": " << verdict;
  }
}

TEST_F(Bytes, TrailingBytes) {
  base::Bytes longer = proof;
  longer.push_back(0);
  EXPECT_EQ(session.verdict(longer), "proof.length");
  EXPECT_EQ(session.verdict(with_length(longer)), "pcs.trailing_bytes");
}

TEST_F(Bytes, AnotherVersion) {
  base::Bytes other = proof;
  other[3] = 1;
  EXPECT_EQ(session.verdict(other), "proof.version");
}

TEST_F(Bytes, EveryByteMatters) {
  std::mt19937_64 rng(3);
  for (std::size_t i = 0; i < proof.size(); i += base::kTestStride) {
    base::Bytes changed = proof;
    changed[i] ^= static_cast<std::uint8_t>(1u << rng() % 8);
    EXPECT_NE(session.verdict(changed), "accepted") << i;
  }
}

TEST_F(Bytes, ElementsAreCanonical) {
  const std::size_t head = verifier::head_bytes(session.verifier().setting().plan);
  const std::size_t first = verifier::kHeaderBytes + 32;
  for (std::size_t at = first; at < head; at += 8) {
    for (const std::uint64_t value : {field::kP, field::kP + 1, ~std::uint64_t{0}}) {
      base::Bytes changed = proof;
      base::store_be64(changed.data() + at, value);
      const std::string verdict = session.verdict(changed);
      EXPECT_TRUE(verdict == "proof.non_canonical" || verdict == "lookup.non_canonical") << at << ": " << verdict;
    }
  }
}

class Phases : public Bytes {
 protected:
  // Start, three for each later oracle (one more with a model, for its tree), three at the end.
  static std::uint32_t opening_phases(const verifier::VerifyingKey& key) {
    return 1 + 3 * (static_cast<std::uint32_t>(key.config.oracles.size()) - 1) + (key.model ? 1 : 0) + 3;
  }
  // Runs all phases, each from the bytes of the state before it, which `change` may touch.
  std::string run(const std::function<void(std::uint32_t phase, base::Bytes& state)>& change = {}) {
    const auto verifier = session.verifier();
    auto rest = base::ByteView(proof).subspan(verifier::kHeaderBytes);
    verifier::State state;
    while (state.phase < verifier.phases()) {
      const std::uint32_t phase = state.phase;
      if (phase > 0) {
        base::Bytes bytes = verifier.encode(state);
        largest = std::max(largest, bytes.size());
        if (change) change(phase, bytes);
        auto decoded = verifier.decode(bytes);
        if (!decoded) return verifier::name(decoded.error().check);
        EXPECT_EQ(verifier.encode(decoded.value()), bytes);
        state = std::move(decoded).value();
      }
      const std::size_t size = verifier.section_bytes(state);
      auto next = verifier.advance(std::move(state), session.session, rest.first(size));
      if (!next) return verifier::name(next.error().check);
      rest = rest.subspan(size);
      state = std::move(next).value();
    }
    return "accepted";
  }
  std::size_t largest = 0;
};

TEST_F(Phases, StopAndResumeAtEveryBoundary) {
  EXPECT_EQ(run(), "accepted");
  EXPECT_LE(largest, verifier::kMaxStateBytes);
}

TEST_F(Phases, AStateThatWasChangedIsRefusedOrLeadsToRejection) {
  std::mt19937_64 rng(5);
  const std::uint32_t phases = session.verifier().phases();
  // Version, phase, transcript's start and state; root, out-of-domain point and answer until the opening has begun; and
  // what is last. Between them are challenges, some of which are of no further use.
  constexpr std::size_t kTranscript = 4 + 4 + 32 + 32;
  constexpr std::size_t kCommitment = 32 + 24 + 24;
  constexpr std::size_t kTail = 24;
  for (std::uint32_t phase = 1; phase < phases; ++phase) {
    const bool begun = phase > phases - opening_phases(session.model().key());
    const std::size_t head = kTranscript + (begun ? 0 : kCommitment);
    for (std::size_t i = 0; i < head + kTail; i += base::kTestStride) {
      EXPECT_NE(run([&](std::uint32_t at, base::Bytes& state) {
                  if (at != phase) return;
                  const std::size_t byte = i < head ? i : state.size() - kTail + (i - head);
                  state[byte] ^= static_cast<std::uint8_t>(1u << rng() % 8);
                }),
                "accepted")
          << "phase " << phase << " byte " << i;
    }
  }
}

TEST_F(Phases, AStateCutOrExtendedIsRefused) {
  const std::uint32_t last = session.verifier().phases() - 1;
  std::size_t size = 0;
  run([&](std::uint32_t at, base::Bytes& state) { size = at == last ? state.size() : size; });
  for (std::size_t cut = 0; cut < size; ++cut) {
    EXPECT_EQ(run([&](std::uint32_t at, base::Bytes& state) {
                if (at == last) state.resize(cut);
              }),
              "proof.state");
    if (cut > 64) cut += 22;
  }
  EXPECT_EQ(run([&](std::uint32_t at, base::Bytes& state) {
              if (at == last) state.push_back(0);
            }),
            "proof.state");
}

}  // namespace
}  // namespace avow::prover
