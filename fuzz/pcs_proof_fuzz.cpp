// SPDX-License-Identifier: Apache-2.0
//
// verify_opening and validate against untrusted bytes. The first byte of an input chooses what the rest is:
//   0     a fixture, then a proof
//   1, 2  a fixture, then mutations of its honest proof: random bytes alone never get past the first Merkle tree
//   3     a configuration, then a proof for it
//   4     a fixture, a boundary between two phases, then the state that is kept there
//   5     the same, then mutations of the honest state
// Nothing may crash, and no proof but the honest one may be accepted. Another accepted proof exists (other nonces, and
// what follows from them), but nobody finds one without computing it: the final polynomial of a fixture has two
// variables, so its last message depends on a challenge that depends on every byte before. With the honest proof and
// another state than the honest one, an equation over the extension would have to hold by chance.

#include <algorithm>
#include <array>
#include <memory>

#include "base/check.hpp"
#include "pcs/verify_phases.hpp"
#include "pcs_prover/open.hpp"

namespace avow {
namespace {

using field::Fp;
using field::Fp3;

/// What an honest verifier keeps before a phase, and where the phase's section begins.
struct Boundary {
  base::Bytes state;
  base::Digest transcript{};
  std::size_t offset = 0;
};

/// Statement, honest proof, and the transcript's state before it.
struct Fixture {
  pcs::Config config;
  std::vector<pcs::CommitmentKey> keys;
  std::vector<pcs::Claim> claims;
  base::Digest state{};
  base::Bytes proof;
  std::vector<Boundary> boundaries;

  [[nodiscard]] bool accepts(base::ByteView candidate) const {
    auto t = transcript::Transcript::resume(state);
    return !pcs::verify_opening(t, config, keys, claims, candidate).has_value();
  }
};

// One claim a column group: a sub-cube of the highest row variable.
pcs::Claim claim_on(std::uint32_t commitment, std::uint32_t group, std::size_t variables) {
  pcs::Term term{commitment, group, Fp3(Fp(3), Fp(), Fp(5)), {}};
  for (std::size_t i = 0; i + 1 < variables; ++i)
    term.factors.push_back(field::eq_factor(Fp3(Fp(i), Fp(7), Fp(i * i))));
  term.factors.push_back(field::bit_factor(true));
  return {{std::move(term)}, {}};
}

// Verifies `proof` from a boundary on; `visit` sees every state before its phase. Whether the proof is accepted.
template <typename Visit>
bool accepts_from(const Fixture& fixture, base::Result<pcs::OpeningState, pcs::Rejection> state,
                  transcript::Transcript& t, base::ByteView proof, const Visit& visit) {
  while (state) {
    visit(state.value(), proof);
    if (state.value().phase == pcs::Phase::kFinish) {
      return !pcs::finish_opening(t, fixture.config, fixture.keys, fixture.claims, std::move(state).value(), proof);
    }
    const std::size_t size = std::min(proof.size(), pcs::section_bytes(fixture.config, fixture.keys, state.value()));
    state = pcs::continue_opening(t, fixture.config, fixture.keys, std::move(state).value(), proof.first(size));
    proof = proof.subspan(size);
  }
  return false;
}

void find_boundaries(Fixture& fixture) {
  auto t = transcript::Transcript::resume(fixture.state);
  const base::ByteView proof = fixture.proof;
  const std::size_t size = pcs::start_bytes(fixture.config, fixture.keys);
  auto state = pcs::start_opening(t, fixture.config, fixture.keys, pcs::values_of(fixture.claims), proof.first(size));
  const auto keep = [&](const pcs::OpeningState& at, base::ByteView rest) {
    fixture.boundaries.push_back({pcs::encode_state(at), t.state(), proof.size() - rest.size()});
  };
  AVOW_CHECK(accepts_from(fixture, std::move(state), t, proof.subspan(size), keep));
}

Fixture make_fixture(const pcs::Config& config, std::span<const std::size_t> column_counts) {
  Fixture fixture{config, {}, {}, {}, {}, {}};
  std::vector<std::vector<std::int16_t>> cells;  // a vector's cells stay where they are when it is moved
  std::vector<std::unique_ptr<pcs::TreeOracle>> oracles;
  std::vector<pcs::Opened> opened;
  transcript::Transcript t(pcs::protocol_id(config), {}, {});
  for (const std::size_t count : column_counts) {
    pcs::Opened o;
    for (const std::uint8_t log_cols : pcs::groups_of(count)) {
      auto& group = cells.emplace_back(std::size_t{1} << (log_cols + config.log_rows));
      for (std::size_t i = 0; i < group.size(); ++i) group[i] = static_cast<std::int16_t>(i * i * 40503 + count);
      o.groups.push_back(field::MatrixView::of(std::span<const std::int16_t>(group), std::size_t{1} << log_cols));
    }
    oracles.push_back(std::make_unique<pcs::TreeOracle>(config.log_rows, config.oracles[0].log_inv_rate, o.groups));
    o.oracle = oracles.back().get();
    o.key = pcs::send_commitment(t, *o.oracle, o.groups);
    fixture.keys.push_back(o.key);
    opened.push_back(std::move(o));
  }
  for (std::uint32_t k = 0; k < opened.size(); ++k) {
    for (std::uint32_t g = 0; g < opened[k].groups.size(); ++g) {
      auto claim = claim_on(k, g, opened[k].key.log_groups[g] + config.log_rows);
      claim.value = pcs::evaluate_claim(opened, claim);
      t.absorb({1, "fuzz.value"}, std::span(&claim.value, 1));
      fixture.claims.push_back(std::move(claim));
    }
  }
  fixture.state = t.state();
  fixture.proof = pcs::open(t, config, opened, fixture.claims);
  AVOW_CHECK(config.final_log_len() >= 2 && fixture.accepts(fixture.proof));
  find_boundaries(fixture);
  return fixture;
}

const std::array<Fixture, 2>& fixtures() {
  static const std::array<Fixture, 2> kAll = [] {
    pcs::Config plain;  // without grinding, so that a changed message only fails where it is checked
    plain.log_rows = 5;
    plain.oracles = {{.log_inv_rate = 3, .log_fold = 0, .queries = 6},
                     {.log_inv_rate = 4, .log_fold = 2, .queries = 5},
                     {.log_inv_rate = 5, .log_fold = 1, .queries = 3}};
    pcs::Config grinding = plain;
    grinding.oracles[0].fold_grinding_bits = 3;
    grinding.oracles[0].query_grinding_bits = 4;
    grinding.oracles[1].query_grinding_bits = 2;
    grinding.oracles[2].fold_grinding_bits = 2;
    constexpr std::size_t kOneColumn[] = {1};
    constexpr std::size_t kTwoCommitments[] = {5, 2};
    return std::array{make_fixture(plain, kOneColumn), make_fixture(grinding, kTwoCommitments)};
  }();
  return kAll;
}

/// Takes values from the front of an input; zeros after its end.
class Input {
 public:
  explicit Input(base::ByteView bytes) : rest_(bytes) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] base::ByteView rest() const { return rest_; }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  std::uint32_t number(int bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | byte();
    return value;
  }
  /// Below `limit`, which is not 0.
  std::size_t below(std::size_t limit) { return number(2) % limit; }

 private:
  base::ByteView rest_;
};

void check_proof(const Fixture& fixture, base::ByteView proof) {
  AVOW_CHECK(fixture.accepts(proof) ==
             std::equal(proof.begin(), proof.end(), fixture.proof.begin(), fixture.proof.end()));
}

void mutate(base::Bytes& proof, Input& input) {
  const std::uint8_t operation = input.byte();
  const std::size_t at = input.below(proof.size() + 1);
  const auto position = proof.begin() + static_cast<std::ptrdiff_t>(at);
  const std::size_t length = std::min(input.below(256), proof.size() - at);
  switch (operation % 7) {
    case 0:
      if (at < proof.size()) *position ^= static_cast<std::uint8_t>(1u << (length % 8));
      break;
    case 1:
      proof.resize(at);
      break;
    case 2:
      proof.insert(position, length, input.byte());
      break;
    case 3:
      proof.erase(position, position + static_cast<std::ptrdiff_t>(length));
      break;
    case 4: {  // a word that is no element; all sections are multiples of 8 bytes
      constexpr std::uint64_t kWords[] = {field::kP, field::kP + 1, ~std::uint64_t{0}, field::kP - 1};
      if (at / 8 * 8 + 8 <= proof.size()) base::store_be64(&proof[at / 8 * 8], kWords[length % 4]);
      break;
    }
    case 5: {  // a section once more, behind itself
      const base::Bytes section(position, position + static_cast<std::ptrdiff_t>(length));
      proof.insert(position + static_cast<std::ptrdiff_t>(length), section.begin(), section.end());
      break;
    }
    case 6: {  // a section over another
      const std::size_t to = input.below(proof.size() + 1);
      const base::Bytes section(position, position + static_cast<std::ptrdiff_t>(std::min(length, proof.size() - to)));
      std::copy(section.begin(), section.end(), proof.begin() + static_cast<std::ptrdiff_t>(to));
      break;
    }
    default:
      break;
  }
}

// A number up to a little above the largest that is allowed, so that many configurations are valid, or any.
std::uint32_t parameter(Input& input, bool any, std::uint32_t largest) {
  return any ? input.number(4) : input.byte() % (largest + 2);
}

void check_config(Input& input) {
  const bool any = input.byte() % 4 == 0;
  pcs::Config config;
  config.level = input.byte();
  config.log_rows = parameter(input, any, 30);
  config.salt_bytes = parameter(input, any, 0);
  config.random_columns = parameter(input, any, 0);
  config.oracles.resize(input.byte() % 18);
  for (pcs::OracleConfig& oracle : config.oracles) {
    oracle.log_inv_rate = parameter(input, any, 20);
    oracle.log_fold = parameter(input, any, 8);
    oracle.queries = any ? input.number(4) : input.number(2) % 1026;
    oracle.query_grinding_bits = parameter(input, any, 24);
    oracle.fold_grinding_bits = parameter(input, any, 24);
  }
  static_cast<void>(pcs::protocol_id(config));
  const bool valid = pcs::validate(config) == pcs::ConfigError::kNone;
  if (valid) {
    AVOW_CHECK(config.final_log_len() <= 10);
    for (std::size_t i = 0; i < config.oracles.size(); ++i) AVOW_CHECK(config.log_domain(i) <= 30);
  }
  // The keys do not depend on the configuration; claims of the caller do, so there are none. Zeros after the input get
  // through the column sumcheck where nothing is ground.
  for (const Fixture& fixture : fixtures()) {
    base::Bytes proof(input.rest().begin(), input.rest().end());
    proof.resize(proof.size() + 2048);
    auto t = transcript::Transcript::resume(fixture.state);
    const auto rejection = pcs::verify_opening(t, config, fixture.keys, {}, proof);
    AVOW_CHECK(rejection.has_value() && (rejection->check == pcs::Check::kConfig) == !valid);
  }
}

void check_state(const Fixture& fixture, const Boundary& boundary, base::ByteView bytes) {
  auto state = pcs::decode_state(fixture.config, fixture.keys, bytes);
  const bool honest = std::equal(bytes.begin(), bytes.end(), boundary.state.begin(), boundary.state.end());
  AVOW_CHECK(state.ok() || !honest);
  if (!state) return;
  const base::Bytes again = pcs::encode_state(state.value());
  AVOW_CHECK(std::equal(bytes.begin(), bytes.end(), again.begin(), again.end()));
  AVOW_CHECK(again.size() <= pcs::max_state_bytes(fixture.config));
  auto t = transcript::Transcript::resume(boundary.transcript);
  const base::ByteView rest = base::ByteView(fixture.proof).subspan(boundary.offset);
  const auto ignore = [](const pcs::OpeningState&, base::ByteView) {};
  AVOW_CHECK(accepts_from(fixture, std::move(state).value(), t, rest, ignore) == honest);
}

void run(Input input) {
  const std::uint8_t mode = input.byte() % 6;
  if (mode == 3) {
    check_config(input);
    return;
  }
  const Fixture& fixture = fixtures()[input.byte() % 2];
  if (mode == 0) {
    check_proof(fixture, input.rest());
    return;
  }
  if (mode >= 4) {
    const Boundary& boundary = fixture.boundaries[input.byte() % fixture.boundaries.size()];
    base::Bytes state = boundary.state;
    if (mode == 4) state.assign(input.rest().begin(), input.rest().end());
    for (int i = 0; mode == 5 && i < 8 && !input.empty(); ++i) mutate(state, input);
    check_state(fixture, boundary, state);
    return;
  }
  base::Bytes proof = fixture.proof;
  for (int i = 0; i < 8 && !input.empty(); ++i) mutate(proof, input);
  check_proof(fixture, proof);
}

}  // namespace
}  // namespace avow

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::run(avow::Input({data, size}));
  return 0;
}
