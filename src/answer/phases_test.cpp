// SPDX-License-Identifier: Apache-2.0
//
// spec/vectors/phases.json: for each stored proof the phases of its verification, with the bytes that each takes and
// the hash of the state that it leaves (of a phase that reads rows in parts, those of each part), and changed proofs
// with the check that each fails, for verifiers elsewhere. AVOW_WRITE_VECTORS=1 writes the file.
#include <gtest/gtest.h>

#include <algorithm>
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

// In each section a bit flipped of three of its words, and one of them all ones, with what the verifier says: its
// check, and the layer, stage, column or oracle that this is about.
Json changes_of(const verifier::Verifier& verifier, const ProofFile& file, const std::vector<std::size_t>& sizes) {
  Json kinds = Json::array(), offsets = Json::array(), checks = Json::array(), places = Json::array();
  const auto add = [&](int kind, std::size_t offset, const base::Bytes& proof) {
    const auto rejection = verifier.verify(file.delivery, proof);
    ASSERT_TRUE(rejection) << offset;
    kinds.push_back(kind);
    offsets.push_back(offset);
    checks.push_back(verifier::name(rejection->check));
    places.push_back(rejection->where);
  };
  std::size_t at = verifier::kHeaderBytes;
  for (const std::size_t size : sizes) {
    const std::size_t words = size / 8;
    for (const std::size_t word : {std::size_t{0}, words / 2, words - 1}) {
      if (words == 0) continue;
      auto changed = file.proof;
      changed[at + 8 * word + 7] ^= 1;
      add(0, at + 8 * word + 7, changed);
    }
    if (words > 0) {
      auto changed = file.proof;
      std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(at + words / 2 * 8), 8, 0xff);
      add(1, at + words / 2 * 8, changed);
    }
    at += size;
  }
  return {{"kinds", kinds}, {"offsets", offsets}, {"checks", checks}, {"places", places}};
}

// After the last phase there is no state.
Json phases_of(const std::string& name, bool with_changes) {
  std::ifstream stored(std::string(AVOW_SOURCE_DIR) + "/spec/vectors/proofs/" + name + ".proof", std::ios::binary);
  const base::Bytes bytes((std::istreambuf_iterator<char>(stored)), {});
  const auto file = parse_proof_file(bytes).value();
  const auto key = ModelKey::parse(file.key).value();
  const auto& plan = key.info().plan;
  const auto delivery = parse(file.delivery, id_bytes(plan.vocabulary)).value();
  const auto verifier = verifier::Verifier::make(key.key(), instance_of(delivery, plan)).value();
  const auto sizes = verifier.section_sizes(file.delivery, file.proof);
  Json states = Json::array();
  verifier::State state;
  std::size_t at = verifier::kHeaderBytes;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto next = verifier.advance(std::move(state), file.delivery, base::ByteView(file.proof).subspan(at, sizes[i]));
    EXPECT_TRUE(next) << to_string(next.error());
    state = std::move(next).value();
    at += sizes[i];
    if (i + 1 < sizes.size()) states.push_back(base::to_hex(hash::keccak256(verifier.encode(state))));
  }
  EXPECT_EQ(at, file.proof.size());
  Json made = {{"name", name}, {"bytes", sizes}, {"states", states}};
  if (with_changes) made["rejected"] = changes_of(verifier, file, sizes);
  return made;
}

TEST(Phases, AreTheRecordedOnes) {
  Json made = {{"version", 3}, {"proofs", Json::array()}};
  for (const char* name : {"stories260k", "shape124m_100", "shape124m_128", "stories260k_batch", "stories260k_16"}) {
    made["proofs"].push_back(phases_of(name, std::string(name).starts_with("stories260k")));
  }
  const std::string path = AVOW_SOURCE_DIR "/spec/vectors/phases.json";
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) std::ofstream(path) << made.dump(1) << "\n";
  std::ifstream stored(path);
  ASSERT_TRUE(stored) << path;
  EXPECT_EQ(Json::parse(stored), made);
}

}  // namespace
}  // namespace avow::answer
