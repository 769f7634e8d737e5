// SPDX-License-Identifier: Apache-2.0
//
// Stored proofs stay proofs, and are verified in transactions: each carries the delivery, the state that the one before
// left (of which a contract keeps the hash), and as many sections of the proof as it has room for.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "answer/delivery.hpp"
#include "answer/model_key.hpp"
#include "answer/proof_file.hpp"
#include "base/test_stride.hpp"
#include "hash/keccak.hpp"
#include "verifier/verify.hpp"

namespace avow::answer {
namespace {

base::Bytes stored_bytes(const std::string& name) {
  std::ifstream file(std::string(AVOW_SOURCE_DIR) + "/spec/vectors/proofs/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return base::Bytes((std::istreambuf_iterator<char>(file)), {});
}

constexpr const char* kStored[] = {"stories260k.proof", "stories260k_16.proof", "shape124m_100.proof",
                                   "shape124m_128.proof"};

TEST(StoredProofs, Hold) {
  for (const char* name : kStored) {
    SCOPED_TRACE(name);
    const auto file = parse_proof_file(stored_bytes(name));
    ASSERT_TRUE(file) << to_string(file.error());
    const auto key = ModelKey::parse(file.value().key);
    ASSERT_TRUE(key) << to_string(key.error());
    const auto rejection = key.value().verify(file.value().delivery, file.value().proof);
    EXPECT_FALSE(rejection) << to_string(*rejection);
    if (base::kTestStride > 1) break;
  }
}

// How large transactions become if none is to be above the limit; empty if one has to be. What is not calldata of the
// proof (the call's own fields, requests' offers) has kOther bytes.
constexpr std::size_t kOther = 2048;

std::vector<std::size_t> verify_in_transactions(const ProofFile& file, std::size_t most_bytes) {
  const auto key = ModelKey::parse(file.key);
  EXPECT_TRUE(key);
  const auto& plan = key.value().info().plan;
  const auto delivery = parse(file.delivery, id_bytes(plan.vocabulary)).value();
  EXPECT_FALSE(check(delivery, plan));
  const auto made = verifier::Verifier::make(key.value().key(), instance_of(delivery, plan));
  EXPECT_TRUE(made);
  const verifier::Verifier& verifier = made.value();

  std::vector<std::size_t> sizes;
  base::Bytes kept;  // the state between transactions
  verifier::State state;
  std::size_t at = verifier::kHeaderBytes;
  while (state.phase < verifier.phases()) {
    std::size_t size = kOther + file.delivery.size() + kept.size();
    const std::size_t first = at;
    if (state.phase != 0) {
      const auto digest = hash::keccak256(kept);
      auto decoded = verifier.decode(kept);
      EXPECT_TRUE(decoded);
      state = std::move(decoded).value();
      EXPECT_EQ(hash::keccak256(verifier.encode(state)), digest);
    }
    while (state.phase < verifier.phases()) {
      // The last section's length is what is left.
      const std::size_t bytes =
          state.phase + 1 == verifier.phases() ? file.proof.size() - at : verifier.section_bytes(state);
      if (size + bytes > most_bytes) break;
      auto next = verifier.advance(state, file.delivery, base::ByteView(file.proof).subspan(at, bytes));
      EXPECT_TRUE(next) << to_string(next.error());
      if (!next) return {};
      size += bytes;
      at += bytes;
      state = std::move(next).value();
    }
    if (at == first) return {};
    sizes.push_back(size);
    if (state.phase < verifier.phases()) kept = verifier.encode(state);
  }
  EXPECT_EQ(at, file.proof.size());
  return sizes;
}

// Bytes that nodes relay of a transaction: geth and others; Arbitrum.
TEST(Transactions, LargeProofsAreVerifiedInAFew) {
  const struct {
    const char* name;
    std::size_t most_bytes, transactions;
  } cases[] = {{"shape124m_100.proof", 131072, 2},
               {"shape124m_100.proof", 95000, 3},
               {"shape124m_128.proof", 131072, 3},
               {"shape124m_128.proof", 95000, 4},
               // The rows of the witness are as many bytes as a transaction has.
               {"stories260k_16.proof", 131072, 2},
               {"stories260k_16.proof", 95000, 3}};
  for (const auto& [name, most_bytes, transactions] : cases) {
    SCOPED_TRACE(std::string(name) + " in " + std::to_string(most_bytes));
    const auto file = parse_proof_file(stored_bytes(name));
    ASSERT_TRUE(file);
    const auto sizes = verify_in_transactions(file.value(), most_bytes);
    EXPECT_EQ(sizes.size(), transactions);
    for (const std::size_t size : sizes) EXPECT_LE(size, most_bytes);
    if (base::kTestStride > 1) break;
  }
}

// The delivery of a later transaction is the first one's, whatever is in it: after the stages no phase reads what was
// asked and answered, and the last transaction is the one that pays.
TEST(Transactions, GoOnWithTheDeliveryThatTheyBeganWith) {
  const auto file = parse_proof_file(stored_bytes("stories260k.proof")).value();
  const auto key = ModelKey::parse(file.key).value();
  const auto& plan = key.info().plan;
  const unsigned bytes_of_id = id_bytes(plan.vocabulary);
  const Delivery honest = parse(file.delivery, bytes_of_id).value();
  Delivery stolen = honest, other = honest;
  stolen.payee[0] ^= 1;
  other.answers[0].request.input[1] ^= 1;
  other.answers[0].output[0] ^= 1;
  const auto verifier_of = [&](const Delivery& delivery) {
    EXPECT_FALSE(check(delivery, plan));
    return verifier::Verifier::make(key.key(), instance_of(delivery, plan)).value();
  };
  const verifier::Verifier verifier = verifier_of(honest);
  for (const Delivery& exchanged : {stolen, other}) {
    const verifier::Verifier another = verifier_of(exchanged);
    const base::Bytes session = encode(exchanged, bytes_of_id);
    verifier::State state;
    std::size_t at = verifier::kHeaderBytes;
    while (state.phase + 1 < verifier.phases()) {
      const auto section = base::ByteView(file.proof).subspan(at, verifier.section_bytes(state));
      if (state.phase > 0) {
        const auto refused = another.advance(another.decode(verifier.encode(state)).value(), session, section);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().check, verifier::Check::kState) << state.phase;
      }
      state = verifier.advance(state, file.delivery, section).value();
      at += section.size();
    }
  }
}

// A proof of the bundled model goes in one.
TEST(Transactions, ASmallProofNeedsOne) {
  const auto file = parse_proof_file(stored_bytes("stories260k.proof"));
  ASSERT_TRUE(file);
  EXPECT_EQ(verify_in_transactions(file.value(), 131072).size(), 1U);
}

}  // namespace
}  // namespace avow::answer
