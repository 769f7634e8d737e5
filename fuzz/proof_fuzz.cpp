// SPDX-License-Identifier: Apache-2.0
//
// The verifier of whole proofs against untrusted bytes. The first byte of an input chooses what the rest is:
//   0     a proof for the fixture
//   1, 2  mutations of the fixture's honest proof
//   3     a key, which is parsed and, if it is one, set up for an instance
//   4     a phase, then mutations of the state before it, with which the honest proof is continued
// Nothing may crash; no proof but the honest one may be accepted; and a key has one form.

#include "base/check.hpp"
#include "input.hpp"
#include "pcs/parameters.hpp"
#include "prover/prove.hpp"
#include "statement/builder.hpp"

namespace avow {
namespace {

using fuzz::Input;
using fuzz::mutate;
using Cells = std::vector<std::int64_t>;

// Squares by a table, a product, a sum with a public place, under a mask.
statement::Statement make_statement() {
  statement::Builder b;
  const auto t = b.parameter("token", 8);
  const auto k = b.alias("key", t);
  const auto row = b.axis("row", 8);
  const auto X = b.input("x", {t}, statement::signed_bits(8));
  const auto Y = b.witness("y", {t}, statement::signed_bits(8));
  const auto S = b.witness("s", {t}, statement::signed_bits(16));
  const auto F = b.model("squares", {row}, statement::signed_bits(8));
  const auto table = b.table("square", {row}, {b.index(row), F(row)});
  b.lookup("squared", {t}, {X(t), Y(t)}, table);
  const auto P = b.define("p", {t, k}, X(t) * Y(k));
  b.zero("sum", {t}, sum({k}, P(t, k) * b.less_equal(k, t)) - S(t));
  return b.build().value();
}

struct Fixture {
  std::unique_ptr<prover::Model> model;
  statement::Instance instance{{6}, {}};
  std::unique_ptr<verifier::Verifier> verifier;
  base::Bytes proof;

  [[nodiscard]] bool accepts(base::ByteView candidate) const { return !verifier->verify({}, candidate).has_value(); }
};

Fixture make_fixture() {
  Fixture f;
  pcs::Config config;  // without grinding, so that a changed message only fails where it is checked
  config.log_rows = 5;
  config.oracles = {{.log_inv_rate = 3, .log_fold = 0, .queries = 6},
                    {.log_inv_rate = 4, .log_fold = 2, .queries = 5},
                    {.log_inv_rate = 5, .log_fold = 1, .queries = 3}};
  const auto statement = make_statement();
  Cells x = {0, 3, 7, 1, 2, 3}, y, s, squares;
  std::int64_t sum = 0;
  for (const auto v : x) {
    y.push_back(v * v);
    sum += v * v;
    s.push_back(v * sum);
  }
  for (std::int64_t v = 0; v < 8; ++v) squares.push_back(v * v);
  const auto arrays = [&] {
    std::vector<prover::Array> list(statement.tensors.size());
    for (statement::TensorId id = 0; id < list.size(); ++id) {
      for (const auto& [name, cells] : {std::pair{"x", &x}, {"y", &y}, {"s", &s}, {"squares", &squares}}) {
        if (statement.tensors[id].name == name) list[id] = prover::Array::of(std::span<const std::int64_t>(*cells));
      }
    }
    return list;
  };
  f.model = prover::Model::commit(statement, config, arrays()).value();
  f.verifier = std::make_unique<verifier::Verifier>(verifier::Verifier::make(f.model->key(), f.instance).value());
  f.proof = prover::prove(*f.model, f.instance, arrays()).value().proof;
  AVOW_CHECK(f.accepts(f.proof));
  return f;
}

const Fixture& fixture() {
  static const Fixture kFixture = make_fixture();
  return kFixture;
}

void check_proof(base::ByteView proof) {
  const base::Bytes& honest = fixture().proof;
  AVOW_CHECK(fixture().accepts(proof) == std::equal(proof.begin(), proof.end(), honest.begin(), honest.end()));
}

void check_key(Input& input) {
  // The fixture's statement under parameters that reach their level.
  static const verifier::VerifyingKey kKey = [] {
    verifier::VerifyingKey key = fixture().model->key();
    key.config = *pcs::choose_parameters(10, 100, pcs::Profile::kModel);
    AVOW_CHECK(verifier::parse_key(verifier::serialize(key)).ok());
    return key;
  }();
  base::Bytes bytes = verifier::serialize(kKey);
  const bool mutated = input.byte() % 2 == 0;
  if (mutated) {
    for (int i = 0; i < 6 && !input.empty(); ++i) mutate(bytes, input);
  } else {
    bytes.assign(input.rest().begin(), input.rest().end());
  }
  const auto key = verifier::parse_key(bytes);
  if (!key) return;
  AVOW_CHECK(verifier::serialize(key.value()) == bytes);
  const auto verifier = verifier::Verifier::make(key.value(), fixture().instance);
  if (verifier) (void)verifier.value().verify({}, fixture().proof);
}

// The state may hold challenges of no further use, so a changed one need not be refused: it must not crash.
void check_state(Input& input) {
  const auto& verifier = *fixture().verifier;
  const std::uint32_t changed = 1 + static_cast<std::uint32_t>(input.below(verifier.phases() - 1));
  auto rest = base::ByteView(fixture().proof).subspan(verifier::kHeaderBytes);
  verifier::State state;
  while (state.phase < verifier.phases()) {
    const std::uint32_t phase = state.phase;
    if (phase == changed) {
      base::Bytes bytes = verifier.encode(state);
      for (int i = 0; i < 4 && !input.empty(); ++i) mutate(bytes, input);
      auto decoded = verifier.decode(bytes);
      if (!decoded) return;
      AVOW_CHECK(verifier.encode(decoded.value()) == bytes);
      if (decoded.value().phase != phase) return;
      state = std::move(decoded).value();
    }
    const std::size_t size = std::min(verifier.section_bytes(state), rest.size());
    auto next = verifier.advance(std::move(state), {}, rest.first(size));
    if (!next) return;
    state = std::move(next).value();
    rest = rest.subspan(size);
  }
}

void run(Input input) {
  const std::uint8_t mode = input.byte() % 5;
  if (mode == 4) return check_state(input);
  if (mode == 3) return check_key(input);
  if (mode == 0) return check_proof(input.rest());
  base::Bytes proof = fixture().proof;
  for (int i = 0; i < 8 && !input.empty(); ++i) mutate(proof, input);
  if (proof.size() >= verifier::kHeaderBytes) {
    base::store_be32(proof.data() + 4, static_cast<std::uint32_t>(proof.size()));
  }
  check_proof(proof);
}

}  // namespace
}  // namespace avow

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::run(avow::fuzz::Input({data, size}));
  return 0;
}
