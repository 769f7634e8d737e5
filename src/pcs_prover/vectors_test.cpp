// SPDX-License-Identifier: Apache-2.0
//
// Golden openings for other implementations, spec/vectors/pcs_openings.json, and the layout of a proof as spec/pcs.md
// states it, checked by a reader that shares no code with the verifier but the transcript.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "base/changes_testing.hpp"
#include "base/hex.hpp"
#include "hash/keccak.hpp"
#include "pcs/messages.hpp"
#include "pcs/parameters.hpp"
#include "pcs_prover/instance_testing.hpp"

namespace avow::pcs {
namespace {

using Json = nlohmann::ordered_json;
using field::Fp3;
using testing::Instance;
using transcript::Transcript;

// --- JSON: everything as the bytes of its encoding, in hexadecimal ---------------------------------------------------

std::string hex_of(const Fp3& x) {
  base::Bytes bytes(field::kFp3Bytes);
  field::encode(x, bytes.data());
  return base::to_hex(bytes);
}

base::Bytes bytes_of(const Json& text) { return base::from_hex(text.get<std::string>()).value(); }
Fp3 element_of(const Json& text) {
  const base::Bytes bytes = bytes_of(text);
  EXPECT_EQ(bytes.size(), field::kFp3Bytes);
  return field::decode_fp3(bytes.data()).value();
}
base::Digest digest_of(const Json& text) {
  const base::Bytes bytes = bytes_of(text);
  base::Digest digest{};
  EXPECT_EQ(bytes.size(), digest.size());
  std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
  return digest;
}

Json json_of(const Config& config) {
  Json json = {{"level", config.level},
               {"log_rows", config.log_rows},
               {"max_log_columns", config.max_log_columns},
               {"salt_bytes", config.salt_bytes},
               {"random_columns", config.random_columns},
               {"oracles", Json::array()}};
  for (const OracleConfig& oracle : config.oracles) {
    json["oracles"].push_back({{"log_inv_rate", oracle.log_inv_rate},
                               {"log_fold", oracle.log_fold},
                               {"queries", oracle.queries},
                               {"query_grinding_bits", oracle.query_grinding_bits},
                               {"fold_grinding_bits", oracle.fold_grinding_bits}});
  }
  return json;
}
Config config_of(const Json& json) {
  Config config{json.at("level"),      json.at("log_rows"),      json.at("max_log_columns"), {},
                json.at("salt_bytes"), json.at("random_columns")};
  for (const Json& oracle : json.at("oracles")) {
    config.oracles.push_back({oracle.at("log_inv_rate"), oracle.at("log_fold"), oracle.at("queries"),
                              oracle.at("query_grinding_bits"), oracle.at("fold_grinding_bits")});
  }
  return config;
}

Json json_of(const CommitmentKey& key) {
  return {{"root", base::to_hex(key.root)},
          {"log_groups", key.log_groups},
          {"ood_point", hex_of(key.ood_point)},
          {"ood_value", hex_of(key.ood_value)},
          {"made_once", key.made_once}};
}
CommitmentKey key_of(const Json& json) {
  return {digest_of(json.at("root")), json.at("log_groups").get<std::vector<std::uint8_t>>(),
          element_of(json.at("ood_point")), element_of(json.at("ood_value")), json.at("made_once")};
}

Json json_of(const Claim& claim) {
  Json json = {{"value", hex_of(claim.value)}, {"terms", Json::array()}};
  for (const Term& term : claim.terms) {
    Json factors = Json::array();
    for (const field::Factor& factor : term.factors) factors.push_back(hex_of(factor.at0) + hex_of(factor.at1));
    json["terms"].push_back({{"commitment", term.commitment},
                             {"group", term.group},
                             {"coefficient", hex_of(term.coefficient)},
                             {"factors", std::move(factors)}});
  }
  return json;
}
Claim claim_of(const Json& json) {
  Claim claim{{}, element_of(json.at("value"))};
  for (const Json& term : json.at("terms")) {
    Term& t =
        claim.terms.emplace_back(Term{term.at("commitment"), term.at("group"), element_of(term.at("coefficient")), {}});
    for (const Json& factor : term.at("factors")) {
      const auto text = factor.get<std::string>();
      t.factors.push_back({element_of(text.substr(0, text.size() / 2)), element_of(text.substr(text.size() / 2))});
    }
  }
  return claim;
}

Json json_of(const transcript::Manifest& manifest) {
  Json json = Json::array();
  for (const auto& entry : manifest) {
    json.push_back({entry.round, entry.label, static_cast<unsigned>(entry.kind), entry.size});
  }
  return json;
}

// --- the vectors -----------------------------------------------------------------------------------------------------

struct Inputs {
  const char* name;
  Config config;
  std::vector<std::size_t> columns;
  std::size_t claims;
  std::uint64_t seed;
};

std::vector<Inputs> vector_inputs() {
  // Every oracle grinds before its folds; the final polynomial is one coefficient.
  Config grinding;
  grinding.log_rows = 7;
  grinding.oracles = {
      {.log_inv_rate = 2, .log_fold = 0, .queries = 6, .query_grinding_bits = 3, .fold_grinding_bits = 5},
      {.log_inv_rate = 3, .log_fold = 3, .queries = 9, .query_grinding_bits = 0, .fold_grinding_bits = 4},
      {.log_inv_rate = 1, .log_fold = 1, .queries = 3, .query_grinding_bits = 7, .fold_grinding_bits = 1},
      {.log_inv_rate = 4, .log_fold = 3, .queries = 2, .query_grinding_bits = 1, .fold_grinding_bits = 6}};
  // No grinding, more queries than leaves: every leaf is opened and no sibling is sent.
  Config all_leaves;
  all_leaves.log_rows = 3;
  all_leaves.oracles = {{.log_inv_rate = 1, .log_fold = 0, .queries = 150},
                        {.log_inv_rate = 1, .log_fold = 2, .queries = 40}};
  return {{"one column", testing::small_config(5), {1}, 1, 101},
          {"two commitments, columns no power of two", testing::small_config(6), {11, 4}, 3, 102},
          {"three commitments, four oracles, fold grinding", grinding, {5, 1, 6}, 4, 103},
          {"no grinding, every leaf opened", all_leaves, {3}, 2, 104},
          {"spec/parameters.json, 100 bits", choose_parameters(10, 100, Profile::kWitness).value(), {3}, 2, 105}};
}

// How the same cells are committed within a proof: the point is a challenge instead of the key's.
Json in_proof_commitment(const Instance& instance) {
  Transcript t = instance.transcript();
  Json json = {{"state_before", base::to_hex(t.state())}};
  json["key"] = json_of(send_commitment(t, *instance.opened[0].oracle, instance.opened[0].groups));
  json["state_after"] = base::to_hex(t.state());
  return json;
}

// What becomes of the proof when a bit of a byte is flipped (kind 0), 8 bytes become ones, more than any element (1),
// it is cut (2), or a byte follows it (3), at places all over it: four lists of equal length.
Json rejections(const Instance& instance, const base::Bytes& proof) {
  Json json = {
      {"kinds", Json::array()}, {"offsets", Json::array()}, {"checks", Json::array()}, {"oracles", Json::array()}};
  const auto add = [&](int kind, std::size_t offset, const base::Bytes& bytes) {
    Transcript t = instance.transcript();
    const auto rejection = verify_opening(t, instance.config, instance.keys, instance.claims, bytes);
    if (!rejection) throw std::logic_error("accepted");
    json["kinds"].push_back(kind);
    json["offsets"].push_back(offset);
    json["checks"].push_back(name(rejection->check));
    json["oracles"].push_back(rejection->oracle);
  };
  for (const auto& change : base::testing::changes_of(proof)) add(change.kind, change.offset, change.bytes);
  base::Bytes longer = proof;
  longer.push_back(0);
  add(3, proof.size(), longer);
  return json;
}

Json make_vector(const Inputs& inputs) {
  const Instance instance(inputs.config, inputs.columns, inputs.claims, inputs.seed);
  Json json = {{"name", inputs.name},
               {"config", json_of(inputs.config)},
               {"config_bytes", base::to_hex(serialize(inputs.config))},
               {"protocol_id", base::to_hex(protocol_id(inputs.config))},
               {"in_proof_commitment", in_proof_commitment(instance)},
               {"keys", Json::array()},
               {"claims", Json::array()}};
  for (const CommitmentKey& key : instance.keys) json["keys"].push_back(json_of(key));
  for (const Claim& claim : instance.claims) json["claims"].push_back(json_of(claim));
  Transcript t = instance.transcript();
  transcript::Manifest manifest;
  t.record(&manifest);
  json["state_before"] = base::to_hex(t.state());
  const base::Bytes proof = open(t, instance.config, instance.opened, instance.claims);
  json["proof"] = base::to_hex(proof);
  json["state_after"] = base::to_hex(t.state());
  json["rejected"] = rejections(instance, proof);
  json["manifest"] = json_of(manifest);
  return json;
}

const std::string& path() {
  static const std::string kPath = std::string(AVOW_SOURCE_DIR) + "/spec/vectors/pcs_openings.json";
  return kPath;
}

Json load() {
  std::ifstream stream(path());
  EXPECT_TRUE(stream) << path() << ": write it with AVOW_WRITE_VECTORS=1";
  return Json::parse(stream);
}

TEST(OpeningVectors, FileEqualsTheComputation) {
  const auto inputs = vector_inputs();
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) {
    Json file = {
        {"about",
         "spec/pcs.md. Everything is the hexadecimal of its encoding; a factor is its values at 0 and at 1; a "
         "line of a manifest is round, label, kind, size; rejected: a bit flipped (0), 8 bytes of ones (1), cut "
         "(2), a byte more (3)."},
        {"written_by", "src/pcs_prover/vectors_test.cpp, AVOW_WRITE_VECTORS=1"},
        {"version", 2}};
    for (const Inputs& input : inputs) file["vectors"].push_back(make_vector(input));
    std::ofstream(path()) << file.dump(1) << '\n';
  }
  const Json file = load();
  ASSERT_EQ(file.at("version"), 2);
  ASSERT_EQ(file.at("vectors").size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Json expected = make_vector(inputs[i]);
    const Json& vector = file.at("vectors").at(i);
    ASSERT_EQ(vector.size(), expected.size()) << inputs[i].name;
    for (const auto& [key, value] : expected.items()) EXPECT_EQ(vector.at(key), value) << inputs[i].name << ": " << key;
  }
}

// From the recorded bytes alone.
TEST(OpeningVectors, RecordedProofsAreAccepted) {
  const Json file = load();
  for (const Json& vector : file.at("vectors")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const Config config = config_of(vector.at("config"));
    ASSERT_EQ(validate(config), ConfigError::kNone);
    EXPECT_EQ(serialize(config), bytes_of(vector.at("config_bytes")));
    EXPECT_EQ(protocol_id(config), digest_of(vector.at("protocol_id")));

    std::vector<CommitmentKey> keys;
    for (const Json& key : vector.at("keys")) {
      keys.push_back(key_of(key));
      EXPECT_EQ(keys.back().ood_point, fixed_ood_point(protocol_id(config), keys.back().log_groups, keys.back().root));
    }
    std::vector<Claim> claims;
    for (const Json& claim : vector.at("claims")) claims.push_back(claim_of(claim));
    const base::Bytes proof = bytes_of(vector.at("proof"));

    Transcript t = Transcript::resume(digest_of(vector.at("state_before")));
    transcript::Manifest manifest;
    t.record(&manifest);
    const auto rejection = verify_opening(t, config, keys, claims, proof);
    EXPECT_FALSE(rejection.has_value()) << to_string(*rejection);
    EXPECT_EQ(t.state(), digest_of(vector.at("state_after")));
    EXPECT_EQ(json_of(manifest), vector.at("manifest"));

    const Json& committed = vector.at("in_proof_commitment");
    const CommitmentKey key = key_of(committed.at("key"));
    Transcript c = Transcript::resume(digest_of(committed.at("state_before")));
    EXPECT_EQ(receive_commitment(c, key.root, key.log_groups, key.ood_value).ood_point, key.ood_point);
    EXPECT_EQ(c.state(), digest_of(committed.at("state_after")));
  }
}

// --- the layout of a proof -------------------------------------------------------------------------------------------

/// Walks through a proof as the tables of spec/pcs.md describe it. Sizes come from the tables, positions from the
/// transcript, and a tree's hashes are taken by a map of its nodes, not by the walk of src/merkle.
class LayoutReader {
 public:
  LayoutReader(const Instance& instance, base::ByteView proof)
      : instance_(instance), config_(instance.config), transcript_(instance.transcript()), proof_(proof) {}

  // The number of bytes that the proof must have.
  std::size_t read() {
    absorb_statement(transcript_, config_, instance_.keys, instance_.claims);
    static_cast<void>(transcript_.challenge(messages::kJoin));
    std::size_t all_columns = 0;
    for (const CommitmentKey& key : instance_.keys) all_columns += columns(key.log_groups);
    std::size_t kappa = 0;
    while (std::size_t{1} << kappa < all_columns) ++kappa;
    sumcheck(kappa, config_.oracles[0].fold_grinding_bits, messages::kSumcheck, messages::kFold);

    std::uint32_t log_len = config_.log_rows;  // of the polynomial that is committed next
    std::uint32_t log_leaves = config_.log_rows + config_.oracles[0].log_inv_rate;
    for (std::size_t i = 1; i < config_.oracles.size(); ++i) {
      base::Digest root{};
      std::copy_n(take(32).begin(), 32, root.begin());
      transcript_.absorb_digest(messages::kOracleRoot, root);
      static_cast<void>(transcript_.challenge(messages::kOracleOodPoint));
      absorb_elements(messages::kOracleOodValue, 1);
      query(i - 1, log_leaves);
      static_cast<void>(transcript_.challenge(messages::kCombine));
      roots_.push_back(root);
      sumcheck(config_.oracles[i].log_fold, config_.oracles[i].fold_grinding_bits, messages::kSumcheck,
               messages::kFold);
      log_len -= config_.oracles[i].log_fold;
      log_leaves = log_len + config_.oracles[i].log_inv_rate;
    }
    absorb_elements(messages::kFinal, std::size_t{1} << log_len);
    query(config_.oracles.size() - 1, log_leaves);
    sumcheck(log_len, 0, messages::kFinalSumcheck, messages::kFinalFold);
    return used_;
  }

  [[nodiscard]] const base::Digest& state() const { return transcript_.state(); }

 private:
  base::ByteView take(std::size_t count) {
    if (used_ + count > proof_.size()) {
      ADD_FAILURE() << "the proof ends before its layout does";
      used_ = proof_.size();
      static const base::Bytes kZeros(std::size_t{1} << 16);
      return base::ByteView(kZeros).first(count);
    }
    used_ += count;
    return proof_.subspan(used_ - count, count);
  }

  void absorb_elements(transcript::Label label, std::size_t count) {
    std::vector<Fp3> elements(count);
    for (Fp3& x : elements) x = field::decode_fp3(take(24).data()).value();
    transcript_.absorb(label, elements);
  }

  void sumcheck(std::size_t rounds, unsigned grinding_bits, transcript::Label message, transcript::Label challenge) {
    for (std::size_t i = 0; i < rounds; ++i) {
      absorb_elements(message, 2);
      if (grinding_bits > 0) nonce(messages::kFoldNonce, grinding_bits);
      static_cast<void>(transcript_.challenge(challenge));
    }
  }

  void nonce(transcript::Label label, unsigned bits) {
    EXPECT_TRUE(transcript_.absorb_nonce(label, bits, base::load_be64(take(8).data())));
  }

  void query(std::size_t oracle, std::uint32_t log_leaves) {
    const OracleConfig& o = config_.oracles[oracle];
    if (o.query_grinding_bits > 0) nonce(messages::kQueryNonce, o.query_grinding_bits);
    const auto drawn = transcript_.positions(messages::kQueryPositions, log_leaves, o.queries);
    const std::set<std::uint32_t> positions(drawn.begin(), drawn.end());
    if (oracle > 0) {
      tree(roots_[oracle - 1], positions, log_leaves, std::size_t{24} << o.log_fold);
      return;
    }
    for (const CommitmentKey& key : instance_.keys) tree(key.root, positions, log_leaves, 8 * columns(key.log_groups));
  }

  void tree(const base::Digest& root, const std::set<std::uint32_t>& positions, std::uint32_t log_leaves,
            std::size_t leaf_bytes) {
    std::map<std::uint32_t, base::Digest> level;
    for (const std::uint32_t position : positions) level[position] = hash::keccak256(take(leaf_bytes));
    for (std::uint32_t height = 0; height < log_leaves; ++height) {
      auto complete = level;
      for (const auto& [index, unused] : level) {
        if (level.count(index ^ 1) == 0) std::copy_n(take(32).begin(), 32, complete[index ^ 1].begin());
      }
      level.clear();
      for (const auto& [index, node] : complete) {
        if ((index & 1) != 0) continue;
        base::Bytes both(node.begin(), node.end());
        base::append(both, complete.at(index + 1));
        level[index / 2] = hash::keccak256(both);
      }
    }
    ASSERT_EQ(level.size(), 1u);
    EXPECT_EQ(level.begin()->second, root);
  }

  const Instance& instance_;
  const Config& config_;
  Transcript transcript_;
  base::ByteView proof_;
  std::size_t used_ = 0;
  std::vector<base::Digest> roots_;
};

TEST(OpeningLayout, IsThatOfTheSpecification) {
  std::mt19937_64 rng(110);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::size_t> counts(1 + rng() % 3);
    for (auto& count : counts) count = 1 + rng() % 20;
    const Instance instance(testing::random_config(rng), counts, rng() % 4, rng());
    Transcript t = instance.transcript();
    const base::Bytes proof = open(t, instance.config, instance.opened, instance.claims);
    LayoutReader reader(instance, proof);
    ASSERT_EQ(reader.read(), proof.size()) << "round " << round;
    EXPECT_EQ(reader.state(), t.state()) << "round " << round;
  }
}

}  // namespace
}  // namespace avow::pcs
