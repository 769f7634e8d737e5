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
#include "lookup/verify.hpp"
#include "lookup_prover/prove.hpp"

namespace avow {
namespace {

using field::Fp;
using field::Fp3;

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
  /// Below `limit`, which is not 0.
  std::size_t below(std::size_t limit) {
    const std::size_t high = byte();
    return (high << 8 | byte()) % limit;
  }

 private:
  base::ByteView rest_;
};

void mutate(base::Bytes& proof, Input& input) {
  const std::uint8_t operation = input.byte() % 4;
  const std::size_t at = input.below(proof.size() + 1);
  const auto position = proof.begin() + static_cast<std::ptrdiff_t>(at);
  const std::size_t length = std::min(input.below(64), proof.size() - at);
  switch (operation) {
    case 0:
      if (at < proof.size()) *position ^= static_cast<std::uint8_t>(1u << (length % 8));
      break;
    case 1:
      proof.erase(position, position + static_cast<std::ptrdiff_t>(length));
      break;
    case 2: {  // a part over another
      const std::size_t to = input.below(proof.size() + 1);
      const base::Bytes part(position, position + static_cast<std::ptrdiff_t>(std::min(length, proof.size() - to)));
      std::copy(part.begin(), part.end(), proof.begin() + static_cast<std::ptrdiff_t>(to));
      break;
    }
    default: {  // a word that is no element
      constexpr std::uint64_t kWords[] = {field::kP, field::kP + 1, ~std::uint64_t{0}, field::kP - 1};
      if (at / 8 * 8 + 8 <= proof.size()) base::store_be64(&proof[at / 8 * 8], kWords[length % 4]);
      break;
    }
  }
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
  avow::run(avow::Input({data, size}));
  return 0;
}
