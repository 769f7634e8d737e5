// SPDX-License-Identifier: Apache-2.0
// Recorded proofs, verified without anything of the prover linked.
#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "verifier/key.hpp"
#include "verifier/verify.hpp"

namespace avow::verifier {
namespace {

base::Bytes bytes_of(const nlohmann::json& hex) {
  auto bytes = base::from_hex(hex.get<std::string>());
  EXPECT_TRUE(bytes.has_value());
  return bytes.value_or(base::Bytes());
}

TEST(Vectors, RecordedProofsVerify) {
  std::ifstream file(AVOW_SOURCE_DIR "/spec/vectors/proofs.json");
  ASSERT_TRUE(file);
  const auto json = nlohmann::json::parse(file);
  ASSERT_EQ(json.at("version"), 1);
  ASSERT_FALSE(json.at("proofs").empty());
  for (const auto& vector : json.at("proofs")) {
    ASSERT_EQ(vector.size(), 7u) << "an entry that nothing checks";
    const auto key = parse_key(bytes_of(vector.at("key")));
    ASSERT_TRUE(key) << to_string(key.error());
    EXPECT_EQ(base::to_hex(model_id(key.value())), vector.at("model_id"));
    statement::Instance instance;
    vector.at("lengths").get_to(instance.lengths);
    vector.at("values").get_to(instance.values);
    const auto verifier = Verifier::make(key.value(), instance);
    ASSERT_TRUE(verifier) << to_string(verifier.error());
    const auto session = bytes_of(vector.at("session"));
    const auto rejection = verifier.value().verify(session, bytes_of(vector.at("proof")));
    EXPECT_FALSE(rejection) << vector.at("name") << ": " << to_string(*rejection);
    EXPECT_TRUE(verifier.value().verify({}, bytes_of(vector.at("proof"))));
  }
}

}  // namespace
}  // namespace avow::verifier
