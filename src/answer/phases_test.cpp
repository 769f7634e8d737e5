// SPDX-License-Identifier: Apache-2.0
//
// spec/vectors/phases.json: for each stored proof the phases of its verification, with the bytes that each takes and
// the hash of the state that it leaves, for verifiers elsewhere. AVOW_WRITE_VECTORS=1 writes the file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "answer/delivery.hpp"
#include "answer/model_key.hpp"
#include "answer/proof_file.hpp"
#include "base/hex.hpp"
#include "hash/keccak.hpp"
#include "verifier/verify.hpp"

namespace avow::answer {
namespace {

using Json = nlohmann::ordered_json;

// After the last phase there is no state.
Json phases_of(const std::string& name) {
  std::ifstream stored(std::string(AVOW_SOURCE_DIR) + "/spec/vectors/proofs/" + name + ".proof", std::ios::binary);
  const base::Bytes bytes((std::istreambuf_iterator<char>(stored)), {});
  const auto file = parse_proof_file(bytes).value();
  const auto key = ModelKey::parse(file.key).value();
  const auto& plan = key.info().plan;
  const auto delivery = parse(file.delivery, id_bytes(plan.vocabulary)).value();
  const auto verifier = verifier::Verifier::make(key.key(), instance_of(delivery, plan)).value();
  Json sizes = Json::array(), states = Json::array();
  verifier::State state;
  std::size_t at = verifier::kHeaderBytes;
  while (state.phase < verifier.phases()) {
    const bool is_last = state.phase + 1 == verifier.phases();
    const std::size_t size = is_last ? file.proof.size() - at : verifier.section_bytes(state);
    auto next = verifier.advance(std::move(state), file.delivery, base::ByteView(file.proof).subspan(at, size));
    EXPECT_TRUE(next) << to_string(next.error());
    state = std::move(next).value();
    at += size;
    sizes.push_back(size);
    if (!is_last) states.push_back(base::to_hex(hash::keccak256(verifier.encode(state))));
  }
  EXPECT_EQ(at, file.proof.size());
  EXPECT_EQ(Json(verifier.section_sizes(file.delivery, file.proof)), sizes);
  return {{"name", name}, {"bytes", sizes}, {"states", states}};
}

TEST(Phases, AreTheRecordedOnes) {
  Json made = {{"version", 1}, {"proofs", Json::array()}};
  for (const char* name : {"stories260k", "shape124m_100", "shape124m_128"}) {
    made["proofs"].push_back(phases_of(name));
  }
  const std::string path = AVOW_SOURCE_DIR "/spec/vectors/phases.json";
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) std::ofstream(path) << made.dump(1) << "\n";
  std::ifstream stored(path);
  ASSERT_TRUE(stored) << path;
  EXPECT_EQ(Json::parse(stored), made);
}

}  // namespace
}  // namespace avow::answer
