// SPDX-License-Identifier: Apache-2.0
#include "transcript/transcript.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "base/hex.hpp"
#include "hash/keccak.hpp"

namespace avow::transcript {
namespace {

using field::Fp;
using field::Fp3;

constexpr Label kCommitment = {1, "commitment"};
constexpr Label kAnswer = {2, "answer"};
constexpr Label kGamma = {3, "gamma"};
constexpr Label kQueries = {4, "queries"};
constexpr Label kGrinding = {5, "grinding"};
constexpr Label kHighId = {0xab12, "high id"};

base::Digest digest_of(std::uint8_t fill) {
  base::Digest digest;
  digest.fill(fill);
  return digest;
}

base::Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

Transcript start() { return {digest_of(7), bytes_of("session"), bytes_of("statement")}; }

// A transcript that a challenge may be drawn from.
Transcript after_message() {
  Transcript transcript = start();
  transcript.absorb_bytes(kCommitment, bytes_of("message"));
  return transcript;
}

// ---- Independent recomputation: the bytes written out by hand

base::Digest hash_hex(const std::string& hex) {
  const auto bytes = base::from_hex(hex);
  EXPECT_TRUE(bytes) << hex;
  return hash::keccak256(*bytes);
}

TEST(Transcript, StartIsOneHashOfFourWords) {
  const std::string tag = "61766f772f7472616e7363726970742f31000000000000000000000000000000";
  const base::Digest expected =
      hash_hex(tag + base::to_hex(digest_of(7)) + base::to_hex(hash::keccak256(bytes_of("session"))) +
               base::to_hex(hash::keccak256(bytes_of("statement"))));
  EXPECT_EQ(start().state(), expected);
}

TEST(Transcript, StepsAreStateFramePayload) {
  Transcript transcript = start();
  base::Digest state = transcript.state();
  const auto expect_step = [&](const std::string& frame, const std::string& payload) {
    state = hash_hex(base::to_hex(state) + frame + payload);
    EXPECT_EQ(transcript.state(), state) << frame;
  };
  transcript.absorb_bytes(kHighId, bytes_of("abc"));
  expect_step("ab12010000000003", "616263");
  const std::array<Fp, 2> base_elements = {Fp(1), Fp::from_int(-1)};
  transcript.absorb(kAnswer, base_elements);
  expect_step("0002020000000010", "0000000000000001ffffffff00000000");
  const std::array<Fp3, 1> elements = {Fp3(Fp(2), Fp(3), Fp(0x0102030405060708))};
  transcript.absorb(kAnswer, elements);
  expect_step("0002030000000018", "000000000000000200000000000000030102030405060708");
  transcript.absorb_digest(kCommitment, digest_of(0x2a));
  expect_step("0001040000000020", base::to_hex(digest_of(0x2a)));
  static_cast<void>(transcript.absorb_nonce(kGrinding, 0, 0x0102030405060708));
  expect_step("0005050000000008", "0102030405060708");
  static_cast<void>(transcript.challenge(kGamma));
  expect_step("0003810000000001", "");
  static_cast<void>(transcript.positions(kQueries, 20, 300));
  for (int squeeze = 0; squeeze < 37; ++squeeze) state = hash_hex(base::to_hex(state) + "000482000000012c");
  expect_step("000482000000012c", "");
  transcript.absorb_bytes(kCommitment, {});
  expect_step("0001010000000000", "");
}

// The decimal schoolbook way: byte by byte, reducing each time.
Fp reduce_bytes(base::ByteView bytes) {
  Fp result;
  for (const std::uint8_t byte : bytes) result = result * Fp(256) + Fp(byte);
  return result;
}

TEST(Transcript, ChallengeIsThreeEightyBitNumbersOfTheNewState) {
  Transcript transcript = after_message();
  for (int i = 0; i < 100; ++i) {
    const Fp3 challenge = transcript.challenge(kGamma);
    const base::ByteView state = transcript.state();
    const Fp3 expected(reduce_bytes(state.subspan(2, 10)), reduce_bytes(state.subspan(12, 10)),
                       reduce_bytes(state.subspan(22, 10)));
    ASSERT_EQ(challenge, expected);
    for (const Fp coefficient : challenge.c) ASSERT_LT(coefficient.value(), field::kP);
  }
}

// ---- Positions

TEST(Transcript, PositionsAreTheWordsOfTheStates) {
  Transcript transcript = after_message();
  const base::Digest before = transcript.state();
  const auto positions = transcript.positions(kQueries, 13, 20);
  base::Digest state = before;
  std::vector<std::uint32_t> expected;
  for (int squeeze = 0; squeeze < 3; ++squeeze) {
    state = hash_hex(base::to_hex(state) + "0004820000000014");
    for (std::size_t word = 0; word < 8; ++word) {
      expected.push_back((state[4 * word + 2] * 256u + state[4 * word + 3]) % (1u << 13));
    }
  }
  expected.resize(20);
  EXPECT_EQ(positions, expected);
  EXPECT_EQ(transcript.state(), state);
}

TEST(Transcript, PositionsOfEveryDomainSizeLieInIt) {
  for (unsigned log_domain = 0; log_domain <= 32; ++log_domain) {
    Transcript transcript = after_message();
    const auto positions = transcript.positions(kQueries, log_domain, 200);
    ASSERT_EQ(positions.size(), 200u);
    std::uint32_t zeros_seen = ~0u;
    std::uint32_t ones_seen = 0;
    for (const std::uint32_t position : positions) {
      ASSERT_LT(position, std::uint64_t{1} << log_domain);
      zeros_seen &= position;
      ones_seen |= position;
    }
    // Each bit of the domain took both values, no other was ever set.
    EXPECT_EQ(ones_seen, (std::uint64_t{1} << log_domain) - 1);
    EXPECT_EQ(zeros_seen, 0u);
  }
}

TEST(Transcript, PositionsAreSpreadEvenly) {
  Transcript transcript = after_message();
  constexpr std::size_t kCount = 16384;
  std::array<std::size_t, 16> bins{};
  for (const std::uint32_t position : transcript.positions(kQueries, 20, kCount)) ++bins[position >> 16];
  // 1024 expected in each bin, standard deviation 31: six of them.
  for (const std::size_t bin : bins) EXPECT_THAT(bin, testing::AllOf(testing::Gt(838u), testing::Lt(1210u)));
}

TEST(Transcript, NoPositionsLeaveTheState) {
  Transcript transcript = after_message();
  const base::Digest before = transcript.state();
  EXPECT_TRUE(transcript.positions(kQueries, 10, 0).empty());
  EXPECT_EQ(transcript.state(), before);
}

// ---- What every later challenge depends on

struct Variation {
  const char* name;
  std::function<Transcript()> make;
};

TEST(Transcript, EveryInputChangesEveryLaterChallenge) {
  const auto with_step = [](auto step) {
    return [step] {
      Transcript transcript = start();
      step(transcript);
      return transcript;
    };
  };
  const std::array<Fp, 3> base_zeros{};
  const std::array<Fp3, 1> extension_zero{};
  const base::Bytes zeros24(24);
  const base::Bytes zeros25(25);
  const base::Bytes zeros32(32);
  const base::Bytes zeros8(8);
  base::Bytes one_bit(24);
  one_bit[23] = 1;
  const auto from = [&](const base::Digest& id, std::string_view session, std::string_view statement) {
    return [=] {
      Transcript transcript(id, bytes_of(session), bytes_of(statement));
      transcript.absorb_bytes(kCommitment, zeros24);
      return transcript;
    };
  };
  const std::vector<Variation> variations = {
      {"original", from(digest_of(7), "session", "statement")},
      {"protocol id", from(digest_of(8), "session", "statement")},
      {"session", from(digest_of(7), "Session", "statement")},
      {"statement", from(digest_of(7), "session", "Statement")},
      {"border of session and statement", from(digest_of(7), "sessions", "tatement")},
      {"session and statement swapped", from(digest_of(7), "statement", "session")},
      {"label id", with_step([=](Transcript& t) { t.absorb_bytes(kAnswer, zeros24); })},
      {"kind base", with_step([=](Transcript& t) { t.absorb(kCommitment, base_zeros); })},
      {"kind extension", with_step([=](Transcript& t) { t.absorb(kCommitment, extension_zero); })},
      {"length", with_step([=](Transcript& t) { t.absorb_bytes(kCommitment, zeros25); })},
      {"length 32", with_step([=](Transcript& t) { t.absorb_bytes(kCommitment, zeros32); })},
      {"length 32, kind digest", with_step([=](Transcript& t) { t.absorb_digest(kCommitment, {}); })},
      {"length 8", with_step([=](Transcript& t) { t.absorb_bytes(kCommitment, zeros8); })},
      {"length 8, kind nonce", with_step([=](Transcript& t) { static_cast<void>(t.absorb_nonce(kCommitment, 0, 0)); })},
      {"payload", with_step([=](Transcript& t) { t.absorb_bytes(kCommitment, one_bit); })},
      {"two messages", with_step([=](Transcript& t) {
         t.absorb_bytes(kCommitment, zeros24);
         t.absorb_bytes(kCommitment, zeros24);
       })},
      {"challenge between", with_step([=](Transcript& t) {
         t.absorb_bytes(kCommitment, zeros24);
         static_cast<void>(t.challenge(kGamma));
       })},
      {"positions between", with_step([=](Transcript& t) {
         t.absorb_bytes(kCommitment, zeros24);
         static_cast<void>(t.positions(kGamma, 8, 1));
       })},
      {"more positions between", with_step([=](Transcript& t) {
         t.absorb_bytes(kCommitment, zeros24);
         static_cast<void>(t.positions(kGamma, 8, 2));
       })},
  };
  std::set<std::array<std::uint64_t, 3>> seen;
  std::size_t drawn = 0;
  for (const Variation& variation : variations) {
    Transcript transcript = variation.make();
    // Not only the next challenge: also those after more messages, equal for all.
    for (int later = 0; later < 3; ++later) {
      const Fp3 challenge = transcript.challenge(kGamma);
      ++drawn;
      EXPECT_TRUE(seen.insert({challenge.c[0].value(), challenge.c[1].value(), challenge.c[2].value()}).second)
          << variation.name << ", challenge " << later;
      transcript.absorb_bytes(kAnswer, zeros8);
    }
  }
  EXPECT_EQ(seen.size(), drawn);
}

TEST(Transcript, ChallengeLabelSeparates) {
  Transcript transcript = after_message();
  Transcript other = transcript.fork();
  EXPECT_NE(transcript.challenge(kGamma), other.challenge(kAnswer));
}

TEST(Transcript, LabelNameIsNotHashed) {
  Transcript transcript = start();
  Transcript renamed = start();
  transcript.absorb_bytes({9, "name"}, bytes_of("x"));
  renamed.absorb_bytes({9, "other name"}, bytes_of("x"));
  EXPECT_EQ(transcript.state(), renamed.state());
}

TEST(Transcript, BordersOfMessagesMatter) {
  const auto state_after = [](std::initializer_list<std::string_view> messages) {
    Transcript transcript = start();
    for (const auto message : messages) transcript.absorb_bytes(kCommitment, bytes_of(message));
    return transcript.state();
  };
  const std::set<base::Digest> states = {state_after({"ab", "c"}), state_after({"a", "bc"}), state_after({"abc"}),
                                         state_after({"", "abc"}), state_after({"abc", ""}), state_after({"c", "ab"})};
  EXPECT_EQ(states.size(), 6u);
}

// ---- Resuming and forking

TEST(Transcript, ResumeContinuesIdentically) {
  Transcript transcript = after_message();
  static_cast<void>(transcript.challenge(kGamma));
  Transcript resumed = Transcript::resume(transcript.state());
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(resumed.challenge(kGamma), transcript.challenge(kGamma));
    EXPECT_EQ(resumed.positions(kQueries, 17, 11), transcript.positions(kQueries, 17, 11));
    resumed.absorb_digest(kCommitment, digest_of(1));
    transcript.absorb_digest(kCommitment, digest_of(1));
    EXPECT_EQ(resumed.absorb_nonce(kGrinding, 1, 5), transcript.absorb_nonce(kGrinding, 1, 5));
    EXPECT_EQ(resumed.state(), transcript.state());
  }
}

TEST(Transcript, ForkIsIndependent) {
  Transcript transcript = after_message();
  const base::Digest before = transcript.state();
  Transcript fork = transcript.fork();
  fork.absorb_bytes(kAnswer, bytes_of("only here"));
  EXPECT_EQ(transcript.state(), before);
  EXPECT_NE(fork.challenge(kGamma), transcript.challenge(kGamma));
}

// ---- Proof of work

TEST(Transcript, NonceFoundByTheSearchIsAccepted) {
  constexpr unsigned kBits = 10;
  Transcript transcript = after_message();
  const auto nonce = hash::find_nonce(transcript.nonce_prefix(kGrinding), kBits, 0, 1 << 20);
  ASSERT_TRUE(nonce);
  for (std::uint64_t candidate = 0; candidate <= *nonce; ++candidate) {
    Transcript verifier = transcript.fork();
    ASSERT_EQ(verifier.absorb_nonce(kGrinding, kBits, candidate), candidate == *nonce) << candidate;
    ASSERT_TRUE(hash::has_leading_zeros(verifier.state(), kBits) || candidate != *nonce);
  }
}

TEST(Transcript, RejectedNonceIsAbsorbedAllTheSame) {
  Transcript transcript = after_message();
  const base::Digest before = transcript.state();
  EXPECT_FALSE(transcript.absorb_nonce(kGrinding, 64, 1));
  EXPECT_NE(transcript.state(), before);
  EXPECT_TRUE(transcript.absorb_nonce(kGrinding, 0, 1));
}

TEST(Transcript, NoncePrefixIsStateAndFrame) {
  const Transcript transcript = after_message();
  EXPECT_EQ(base::to_hex(transcript.nonce_prefix(kGrinding)), base::to_hex(transcript.state()) + "0005050000000008");
}

// ---- Manifest

TEST(Transcript, ManifestListsEveryOperationInOrder) {
  Transcript transcript = start();
  Manifest manifest;
  transcript.record(&manifest);
  const std::array<Fp, 4> base_elements{};
  const std::array<Fp3, 2> elements{};
  transcript.absorb_digest(kCommitment, {});
  transcript.absorb(kAnswer, base_elements);
  static_cast<void>(transcript.challenge(kGamma));
  static_cast<void>(transcript.challenge(kGamma));
  transcript.absorb(kAnswer, elements);
  transcript.absorb_bytes(kAnswer, bytes_of("abc"));
  static_cast<void>(transcript.absorb_nonce(kGrinding, 0, 1));
  static_cast<void>(transcript.positions(kQueries, 4, 30));
  transcript.record(nullptr);
  static_cast<void>(transcript.challenge(kGamma));
  const Manifest expected = {{0, "commitment", Kind::kDigest, 32}, {0, "answer", Kind::kBase, 32},
                             {1, "gamma", Kind::kChallenge, 1},    {1, "gamma", Kind::kChallenge, 1},
                             {1, "answer", Kind::kExtension, 48},  {1, "answer", Kind::kBytes, 3},
                             {1, "grinding", Kind::kNonce, 8},     {2, "queries", Kind::kPositions, 30}};
  EXPECT_EQ(manifest, expected);
}

TEST(Transcript, RecordingChangesNoState) {
  Transcript recorded = start();
  Transcript plain = start();
  Manifest manifest;
  recorded.record(&manifest);
  for (Transcript* transcript : {&recorded, &plain}) transcript->absorb_bytes(kAnswer, bytes_of("x"));
  EXPECT_EQ(recorded.challenge(kGamma), plain.challenge(kGamma));
  EXPECT_EQ(manifest.size(), 2u);
}

// ---- Our own bugs abort

TEST(TranscriptDeathTest, ChallengeBeforeAnyMessage) {
  EXPECT_DEATH(static_cast<void>(start().challenge(kGamma)), "check failed");
  EXPECT_DEATH(static_cast<void>(start().positions(kQueries, 4, 1)), "check failed");
  EXPECT_DEATH(static_cast<void>(start().positions(kQueries, 4, 0)), "check failed");
}

TEST(TranscriptDeathTest, DomainTooLarge) {
  EXPECT_DEATH(static_cast<void>(after_message().positions(kQueries, 33, 1)), "check failed");
}

// ---- Vectors for other implementations: spec/vectors/transcript.json

using Json = nlohmann::ordered_json;

// 64-bit integers do not survive all JSON readers: field elements and nonces are decimal strings.
Fp fp_of(const Json& text) { return Fp(std::stoull(text.get<std::string>())); }
Fp3 fp3_of(const Json& c) { return {fp_of(c.at(0)), fp_of(c.at(1)), fp_of(c.at(2))}; }
Json json_of(const Fp3& x) {
  Json c = Json::array();
  for (const Fp coefficient : x.c) c.push_back(std::to_string(coefficient.value()));
  return c;
}
base::Bytes hex_of(const Json& text) { return base::from_hex(text.get<std::string>()).value(); }
base::Digest digest_of(const Json& text) {
  const base::Bytes bytes = hex_of(text);
  base::Digest digest{};
  EXPECT_EQ(bytes.size(), digest.size());
  std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
  return digest;
}

// Runs the operation that the step's inputs describe and writes its outputs into the step.
void run_step(Transcript& transcript, Json& step) {
  const Label label = {step.at("label").get<std::uint16_t>(), "vector"};
  const auto op = step.at("op").get<std::string>();
  if (op == "absorb_bytes") {
    transcript.absorb_bytes(label, hex_of(step.at("bytes")));
  } else if (op == "absorb_digest") {
    transcript.absorb_digest(label, digest_of(step.at("digest")));
  } else if (op == "absorb_base") {
    std::vector<Fp> elements;
    for (const Json& element : step.at("elements")) elements.push_back(fp_of(element));
    transcript.absorb(label, elements);
  } else if (op == "absorb_extension") {
    std::vector<Fp3> elements;
    for (const Json& element : step.at("elements")) elements.push_back(fp3_of(element));
    transcript.absorb(label, elements);
  } else if (op == "challenge") {
    step["value"] = json_of(transcript.challenge(label));
  } else if (op == "positions") {
    step["value"] =
        transcript.positions(label, step.at("log_domain").get<unsigned>(), step.at("count").get<std::size_t>());
  } else if (op == "absorb_nonce") {
    step["value"] = transcript.absorb_nonce(label, step.at("bits").get<unsigned>(),
                                            std::stoull(step.at("nonce").get<std::string>()));
  } else {
    FAIL() << "unknown operation " << op;
  }
  step["state"] = base::to_hex(transcript.state());
}

// The same vector with its outputs computed anew from its inputs.
Json run_vector(Json vector) {
  Transcript transcript(digest_of(vector.at("protocol_id")), hex_of(vector.at("session")),
                        hex_of(vector.at("statement")));
  vector["start"] = base::to_hex(transcript.state());
  Json steps = vector.at("steps");
  for (Json& step : steps) run_step(transcript, step);
  vector.erase("steps");
  vector["steps"] = std::move(steps);
  return vector;
}

// Inputs only. Texts: the chain id and addresses of a session, statements of 0, 32 and 200 bytes.
std::vector<Json> vector_inputs() {
  const std::string id(64, 'a');
  Json smallest = {{"name", "smallest"}, {"protocol_id", std::string(64, '0')}, {"session", ""}, {"statement", ""}};
  smallest["steps"] = {{{"op", "absorb_bytes"}, {"label", 0}, {"bytes", ""}}, {{"op", "challenge"}, {"label", 0}}};

  Json kinds = {{"name", "every operation"},
                {"protocol_id", id},
                {"session", "0000000000000001" + std::string(40, '5')},
                {"statement", std::string(400, '7')}};
  kinds["steps"] = {
      {{"op", "absorb_digest"}, {"label", 1}, {"digest", std::string(64, 'd')}},
      {{"op", "challenge"}, {"label", 2}},
      {{"op", "challenge"}, {"label", 2}},
      {{"op", "absorb_base"}, {"label", 3}, {"elements", {"0", "1", "18446744069414584320", "4294967296"}}},
      {{"op", "absorb_extension"},
       {"label", 65535},
       {"elements", {{"1", "2", "3"}, {"18446744069414584320", "0", "81985529216486895"}}}},
      {{"op", "challenge"}, {"label", 258}},
      {{"op", "absorb_bytes"}, {"label", 4}, {"bytes", "616263"}},
      {{"op", "absorb_nonce"}, {"label", 5}, {"bits", 64}, {"nonce", "72623859790382856"}},
      {{"op", "absorb_nonce"}, {"label", 5}, {"bits", 0}, {"nonce", "18446744073709551615"}},
      {{"op", "positions"}, {"label", 6}, {"log_domain", 23}, {"count", 19}},
      {{"op", "positions"}, {"label", 6}, {"log_domain", 0}, {"count", 1}},
      {{"op", "positions"}, {"label", 7}, {"log_domain", 32}, {"count", 8}},
      {{"op", "challenge"}, {"label", 8}}};

  // Payloads around the hash's block of 136 bytes: 40 bytes of state and frame come before.
  Json lengths = {
      {"name", "payload lengths"}, {"protocol_id", id}, {"session", "01"}, {"statement", std::string(64, '3')}};
  lengths["steps"] = Json::array();
  for (const std::size_t length : {1u, 31u, 32u, 95u, 96u, 97u, 231u, 232u, 1000u}) {
    lengths["steps"].push_back(
        {{"op", "absorb_bytes"}, {"label", 9}, {"bytes", base::to_hex(base::Bytes(length, 0xc3))}});
  }
  lengths["steps"].push_back({{"op", "challenge"}, {"label", 10}});
  return {smallest, kinds, lengths};
}

TEST(TranscriptVectors, FileEqualsTheComputation) {
  const std::string path = std::string(AVOW_SOURCE_DIR) + "/spec/vectors/transcript.json";
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) {
    Json file = {{"about", "spec/transcript.md. Bytes are hexadecimal, field elements and nonces decimal strings."},
                 {"written_by", "src/transcript/transcript_test.cpp, AVOW_WRITE_VECTORS=1"},
                 {"version", 1}};
    for (const Json& inputs : vector_inputs()) file["vectors"].push_back(run_vector(inputs));
    std::ofstream(path) << file.dump(1) << '\n';
  }
  std::ifstream stream(path);
  ASSERT_TRUE(stream) << path << ": write it with AVOW_WRITE_VECTORS=1";
  const Json file = Json::parse(stream);
  ASSERT_EQ(file.at("version"), 1);
  ASSERT_EQ(file.at("vectors").size(), vector_inputs().size());
  for (const Json& vector : file.at("vectors")) EXPECT_EQ(run_vector(vector), vector) << vector.at("name");
}

}  // namespace
}  // namespace avow::transcript
