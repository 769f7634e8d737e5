// SPDX-License-Identifier: Apache-2.0
//
// Golden lookup arguments for other implementations, spec/vectors/lookups.json.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/changes_testing.hpp"
#include "base/hex.hpp"
#include "lookup_prover/instance_testing.hpp"

namespace avow::lookup {
namespace {

using Json = nlohmann::ordered_json;
using field::Fp3;
using testing::Instance;

std::string hex_of(const Fp3& x) {
  base::Bytes bytes(field::kFp3Bytes);
  field::encode(x, bytes.data());
  return base::to_hex(bytes);
}

struct Inputs {
  const char* name;
  std::vector<unsigned> log_sizes;
  std::uint64_t seed;
};

const std::vector<Inputs>& vector_inputs() {
  static const std::vector<Inputs> kInputs = {
      {"one cell", {0}, 301},
      {"two cells", {0, 0}, 302},
      {"equal columns", {3, 3, 3}, 303},
      {"columns of many sizes, out of order", {2, 6, 0, 4, 6, 1, 3}, 304},
      {"one large column and small ones", {9, 0, 2, 2, 1}, 305},
  };
  return kInputs;
}

// What a verifier says that takes the proof section by section, with these numerators of its own.
struct Outcome {
  base::Result<ColumnClaims, Rejection> claims;
  base::Digest state;
};
Outcome verify_sections(const Instance& instance, base::ByteView proof, const PublicNumerators& numerators) {
  auto transcript = Instance::start();
  const auto section = [&](std::size_t size) {
    const auto result = proof.first(std::min(size, proof.size()));
    proof = proof.subspan(result.size());
    return result;
  };
  const unsigned log_cells = make_layout(instance.config).log_cells;
  auto claim = verify_top(transcript, instance.config, section(top_bytes(log_cells)));
  while (claim && claim.value().point.size() < log_cells) {
    const auto k = static_cast<unsigned>(claim.value().point.size());
    claim = verify_layer(transcript, claim.value(), section(layer_bytes(k)));
  }
  if (!claim) return {base::Err{claim.error()}, transcript.state()};
  auto columns =
      verify_columns(transcript, instance.config, claim.value(), section(columns_bytes(instance.config)), numerators);
  return {std::move(columns), transcript.state()};
}

// A bit of a byte is flipped (kind 0), 8 bytes become ones, more than any element (1), the proof is cut (2).
Json rejections(const Instance& instance, const base::Bytes& proof, const PublicNumerators& numerators) {
  Json json = {
      {"kinds", Json::array()}, {"offsets", Json::array()}, {"checks", Json::array()}, {"layers", Json::array()}};
  const auto add = [&](int kind, std::size_t offset, const base::Bytes& bytes) {
    const auto outcome = verify_sections(instance, bytes, numerators);
    if (outcome.claims) return;  // what is sent of a column without weight
    json["kinds"].push_back(kind);
    json["offsets"].push_back(offset);
    json["checks"].push_back(name(outcome.claims.error().check));
    json["layers"].push_back(outcome.claims.error().layer);
  };
  for (const auto& change : base::testing::changes_of(proof)) add(change.kind, change.offset, change.bytes);
  return json;
}

Json make_vector(const Inputs& inputs) {
  std::mt19937_64 rng(inputs.seed);
  const Instance instance = testing::random_instance(inputs.log_sizes, rng);
  const Proved proved = instance.prove();
  // Whatever point a changed proof leads to, these are the verifier's numerators.
  const PublicNumerators numerators = [&](std::size_t column, std::span<const Fp3>) {
    return proved.claims.columns[column].numerator;
  };
  const auto outcome = verify_sections(instance, proved.proof, numerators);
  EXPECT_TRUE(outcome.claims) << inputs.name;
  Json json = {{"name", inputs.name},
               {"log_sizes", Json::array()},
               {"sent", Json::array()},
               {"state_before", base::to_hex(Instance::start().state())},
               {"proof", base::to_hex(proved.proof)},
               {"numerators", Json::array()},
               {"denominators", Json::array()},
               {"point", Json::array()},
               {"state_after", base::to_hex(outcome.state)},
               {"rejected", rejections(instance, proved.proof, numerators)}};
  for (const Column& column : instance.config.columns) {
    json["log_sizes"].push_back(column.log_size);
    json["sent"].push_back(column.numerators == Numerators::kSent);
  }
  for (const ColumnClaim& claim : proved.claims.columns) {
    json["numerators"].push_back(hex_of(claim.numerator));
    json["denominators"].push_back(hex_of(claim.denominator));
  }
  for (const Fp3& r : proved.claims.point) json["point"].push_back(hex_of(r));
  return json;
}

TEST(LookupVectors, FileEqualsTheComputation) {
  const std::string path = std::string(AVOW_SOURCE_DIR) + "/spec/vectors/lookups.json";
  Json expected = {{"about",
                    "spec/lookup.md. Everything is the hexadecimal of its encoding; sent: whose numerators the prover "
                    "sends; numerators, denominators: of each column at the point; rejected, with these numerators: a "
                    "bit flipped (0), 8 bytes of ones (1), cut (2)."},
                   {"written_by", "src/lookup_prover/vectors_test.cpp, AVOW_WRITE_VECTORS=1"},
                   {"version", 1},
                   {"vectors", Json::array()}};
  for (const Inputs& inputs : vector_inputs()) expected["vectors"].push_back(make_vector(inputs));
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) std::ofstream(path) << expected.dump(1) << '\n';
  std::ifstream stream(path);
  ASSERT_TRUE(stream) << path << ": write it with AVOW_WRITE_VECTORS=1";
  EXPECT_EQ(Json::parse(stream), expected);
}

}  // namespace
}  // namespace avow::lookup
