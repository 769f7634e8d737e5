// SPDX-License-Identifier: Apache-2.0
// The proof in spec/vectors/proofs.json, made again: a changed format is noticed here, and in the verifier's test that
// a proof which was once accepted still is. AVOW_WRITE_VECTORS=1 writes the file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "pcs/parameters.hpp"
#include "prover/session_testing.hpp"

namespace avow::prover {
namespace {

nlohmann::ordered_json make_vector(const statement::Example& example) {
  const testing::Session session(example, *pcs::choose_parameters(10, 100, pcs::Profile::kWitness));
  const auto& key = session.model().key();
  return {{"name", example.name},
          {"key", base::to_hex(verifier::serialize(key))},
          {"model_id", base::to_hex(verifier::model_id(key))},
          {"lengths", example.instance.lengths},
          {"values", example.instance.values},
          {"session", base::to_hex(session.session)},
          {"proof", base::to_hex(session.prove(example.assignment()).value().proof)}};
}

TEST(Vectors, ProofsAreMadeAgain) {
  const nlohmann::ordered_json made = {{"version", 1}, {"proofs", {make_vector(statement::softmax_example(6))}}};
  const std::string path = AVOW_SOURCE_DIR "/spec/vectors/proofs.json";
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) std::ofstream(path) << made.dump(1) << "\n";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  EXPECT_EQ(nlohmann::ordered_json::parse(file), made);
}

}  // namespace
}  // namespace avow::prover
