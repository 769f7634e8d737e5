// SPDX-License-Identifier: Apache-2.0
//
// lookup::verify against untrusted bytes. The first byte of an input chooses what the rest is:
//   0     a proof for the fixture
//   1, 2  mutations of the fixture's honest proof
//   3     a configuration, then a proof for it
// Nothing may crash, and no proof but the honest one may be accepted: every message but the first fixes what the later
// ones must be.

#include <algorithm>

#include "base/check.hpp"
#include "input.hpp"
#include "lookup/verify.hpp"
#include "lookup_prover/prove.hpp"

namespace avow {
namespace {

using field::Fp;
using field::Fp3;
using fuzz::Input;
using fuzz::mutate;

Fp3 evaluate_ones(std::size_t, std::span<const Fp3>) { return field::kOne3; }

transcript::Transcript start() { return {base::Digest{1}, {}, {}}; }

/// 2^4 + 2^3 lookups into four rows: 28 cells of 32.
struct Fixture {
  lookup::Config config{
      {{4, lookup::Numerators::kPublic}, {2, lookup::Numerators::kSent}, {3, lookup::Numerators::kSent}}};
  base::Bytes proof;

  [[nodiscard]] bool accepts(base::ByteView candidate) const {
    auto t = start();
    return lookup::verify(t, config, candidate, evaluate_ones).ok();
  }
};

const Fixture& fixture() {
  static const Fixture kFixture = [] {
    Fixture f;
    std::vector<Fp3> rows;
    for (std::uint64_t i = 0; i < 4; ++i) rows.push_back(Fp3(Fp(1000 + i), Fp(7), Fp(i * i)));
    std::vector<Fp3> cells;
    for (std::size_t i = 0; i < 24; ++i) cells.push_back(rows[i % 4]);
    const std::vector<std::int32_t> counts(4, -6);
    const lookup::ColumnData columns[] = {{std::span(cells).first(16), lookup::Ones{}},
                                          {rows, std::span<const std::int32_t>(counts)},
                                          {std::span(cells).subspan(16), lookup::Ones{}}};
    auto t = start();
    f.proof = lookup::prove(t, f.config, columns).proof;
    AVOW_CHECK(f.accepts(f.proof));
    return f;
  }();
  return kFixture;
}

void check_proof(base::ByteView proof) {
  const base::Bytes& honest = fixture().proof;
  AVOW_CHECK(fixture().accepts(proof) == std::equal(proof.begin(), proof.end(), honest.begin(), honest.end()));
}

void check_config(Input& input) {
  lookup::Config config;
  config.columns.resize(input.byte() % 20);
  const bool any = input.byte() % 4 == 0;
  for (lookup::Column& column : config.columns) {
    column.log_size = any ? input.byte() : input.byte() % 8;
    column.numerators = static_cast<lookup::Numerators>(any ? input.byte() : input.byte() % 2);
  }
  base::Bytes proof(input.rest().begin(), input.rest().end());
  const bool valid = lookup::is_valid(config);
  if (valid) proof.resize(lookup::proof_bytes(config));
  auto t = start();
  const auto result = lookup::verify(t, config, proof, evaluate_ones);
  if (!result.ok()) AVOW_CHECK((result.error().check == lookup::Check::kConfig) == !valid);
}

void run(Input input) {
  const std::uint8_t mode = input.byte() % 4;
  if (mode == 3) return check_config(input);
  if (mode == 0) return check_proof(input.rest());
  base::Bytes proof = fixture().proof;
  for (int i = 0; i < 8 && !input.empty(); ++i) mutate(proof, input);
  check_proof(proof);
}

}  // namespace
}  // namespace avow

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::run(avow::fuzz::Input({data, size}));
  return 0;
}
