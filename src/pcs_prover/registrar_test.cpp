// SPDX-License-Identifier: Apache-2.0
// A registrar who commits to a word half way between the codewords of two models, so that neither is nearer: the key's
// out-of-domain claim binds it to one of them, and openings of neither verify.
#include <gtest/gtest.h>

#include <random>

#include "base/buffer.hpp"
#include "hash/keccak.hpp"
#include "merkle/tree.hpp"
#include "pcs_prover/instance_testing.hpp"

namespace avow::pcs {
namespace {

// Rows of one oracle at even positions, of another at odd ones, under one tree.
class MixedOracle final : public Oracle {
 public:
  MixedOracle(const Oracle& even, const Oracle& odd, std::size_t leaves, std::size_t cols)
      : even_(even), odd_(odd), heap_(2 * leaves) {
    std::vector<std::uint32_t> positions;
    for (std::uint32_t i = 0; i < leaves; ++i) positions.push_back(i);
    const auto words = rows(positions);
    for (std::size_t i = 0; i < leaves; ++i) {
      base::Bytes row;
      for (std::size_t c = 0; c < cols; ++c) base::append_be64(row, words[i * cols + c]);
      heap_[leaves + i] = hash::keccak256(row);
    }
    merkle::build(heap_);
  }
  [[nodiscard]] std::span<const base::Digest> heap() const override { return heap_; }
  [[nodiscard]] std::vector<std::uint64_t> rows(std::span<const std::uint32_t> positions) const override {
    const auto a = even_.rows(positions);
    auto words = odd_.rows(positions);
    const std::size_t cols = words.size() / positions.size();
    for (std::size_t q = 0; q < positions.size(); ++q) {
      if (positions[q] % 2 == 0)
        std::copy_n(a.begin() + static_cast<std::ptrdiff_t>(q * cols), cols,
                    words.begin() + static_cast<std::ptrdiff_t>(q * cols));
    }
    return words;
  }

 private:
  const Oracle& even_;
  const Oracle& odd_;
  base::Buffer<base::Digest> heap_;
};

TEST(Registrar, ARootHalfWayBetweenTwoModelsOpensNeither) {
  const Config config = testing::small_config(7);
  constexpr std::size_t kModelCols = 4;
  std::mt19937_64 rng(1);
  std::vector<std::int16_t> cells[2];
  std::unique_ptr<TreeOracle> oracles[2];
  std::vector<field::MatrixView> groups[2];
  for (int side = 0; side < 2; ++side) {
    cells[side].resize(kModelCols << config.log_rows);
    for (auto& x : cells[side]) x = static_cast<std::int16_t>(rng());
    groups[side] = {field::MatrixView::of(std::span<const std::int16_t>(cells[side]), kModelCols)};
    oracles[side] = std::make_unique<TreeOracle>(config.log_rows, config.oracles[0].log_inv_rate, groups[side]);
  }
  const MixedOracle mixed(*oracles[0], *oracles[1], std::size_t{1} << config.log_domain(0), kModelCols);
  const auto protocol = protocol_id(config);
  const std::uint8_t log_groups[] = {2};
  for (int named = 0; named < 2; ++named) {
    CommitmentKey key = fixed_key(protocol, mixed.root(), log_groups, {});
    key.ood_value = ood_value(groups[named], key.ood_point);
    for (int proven = 0; proven < 2; ++proven) {
      const Opened opened{key, groups[proven], &mixed};
      transcript::Transcript prover(protocol, {}, {});
      const auto proof = open(prover, config, std::span(&opened, 1), {});
      transcript::Transcript verifier(protocol, {}, {});
      const auto rejection = verify_opening(verifier, config, std::span(&key, 1), {}, proof);
      ASSERT_TRUE(rejection);
      EXPECT_STREQ(name(rejection->check), "pcs.final_claim") << named << proven;
    }
  }
}

}  // namespace
}  // namespace avow::pcs
