// SPDX-License-Identifier: Apache-2.0
#include "pcs/claim.hpp"

#include <gtest/gtest.h>

#include <random>

#include "field/random_testing.hpp"
#include "pcs/messages.hpp"
#include "transcript/transcript.hpp"

namespace avow::pcs {
namespace {

using field::Factor;
using field::Fp;
using field::Fp3;
using field::random_element;
using Groups = std::vector<std::uint8_t>;

std::vector<CommitmentKey> keys_of(std::span<const std::size_t> column_counts) {
  std::vector<CommitmentKey> keys;
  for (const std::size_t count : column_counts) keys.push_back({{}, groups_of(count), {}, {}});
  return keys;
}

// The weight of one cell by its definition: coefficient * product of the factors that the bits of the dense index pick.
Fp3 weight_of_cell(const Term& term, std::size_t index) {
  Fp3 weight = term.coefficient;
  for (std::size_t b = 0; b < term.factors.size(); ++b) {
    weight *= ((index >> b) & 1) != 0 ? term.factors[b].at1 : term.factors[b].at0;
  }
  return weight;
}

TEST(Groups, AreTheBinaryDigitsHighestFirst) {
  EXPECT_EQ(groups_of(1), Groups({0}));
  EXPECT_EQ(groups_of(8), Groups({3}));
  EXPECT_EQ(groups_of(11), Groups({3, 1, 0}));
  EXPECT_EQ(groups_of(1023), Groups({9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
  for (std::size_t count = 1; count < 300; ++count) EXPECT_EQ(columns(groups_of(count)), count);
}

TEST(JointLayout, PutsLargerGroupsFirstAndKeepsTheOrderOfCommitments) {
  const std::size_t counts[] = {5, 7, 1};
  const JointLayout layout = joint_layout(keys_of(counts));
  // Groups of 4, 1 | 4, 2, 1 | 1: both fours, the two, the three ones.
  struct Expected {
    std::uint32_t commitment, group, log_cols, offset;
  };
  const Expected expected[] = {{0, 0, 2, 0}, {1, 0, 2, 4}, {1, 1, 1, 8}, {0, 1, 0, 10}, {1, 2, 0, 11}, {2, 0, 0, 12}};
  ASSERT_EQ(layout.slots.size(), std::size(expected));
  for (std::size_t i = 0; i < layout.slots.size(); ++i) {
    const Slot& slot = layout.slots[i];
    EXPECT_EQ(slot.commitment, expected[i].commitment) << i;
    EXPECT_EQ(slot.group, expected[i].group) << i;
    EXPECT_EQ(slot.log_cols, expected[i].log_cols) << i;
    EXPECT_EQ(slot.offset, expected[i].offset) << i;
    EXPECT_EQ(&layout.slot(slot.commitment, slot.group), &slot);
  }
  EXPECT_EQ(layout.log_columns, 4u);
}

TEST(JointLayout, PacksWithoutGapsAndAlignsEveryGroup) {
  std::mt19937_64 rng(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::size_t> counts(1 + rng() % 4);
    std::size_t sum = 0;
    for (auto& count : counts) sum += count = 1 + rng() % 40;
    const JointLayout layout = joint_layout(keys_of(counts));
    std::size_t next = 0;
    for (const Slot& slot : layout.slots) {
      EXPECT_EQ(slot.offset, next);
      EXPECT_EQ(slot.offset % (1u << slot.log_cols), 0u);
      next += std::size_t{1} << slot.log_cols;
    }
    EXPECT_EQ(next, sum);
    EXPECT_GE(std::size_t{1} << layout.log_columns, sum);
    if (sum > 1) {
      EXPECT_LT(std::size_t{1} << (layout.log_columns - 1), sum);
    }
  }
}

TEST(JointLayout, OneColumnHasNoVariables) {
  const std::size_t one[] = {1};
  EXPECT_EQ(joint_layout(keys_of(one)).log_columns, 0u);
  const std::size_t two[] = {1, 1};
  EXPECT_EQ(joint_layout(keys_of(two)).log_columns, 1u);
}

TEST(JointLayoutDeathTest, AsksForGroupsThatExist) {
  const std::size_t counts[] = {3};
  const JointLayout layout = joint_layout(keys_of(counts));
  EXPECT_DEATH(static_cast<void>(layout.slot(0, 2)), "check failed");
  EXPECT_DEATH(static_cast<void>(layout.slot(1, 0)), "check failed");
}

// The weight as a table over the whole joint cube, zero outside the term's group, against the closed form: at the
// corners and at random points.
TEST(EvaluateWeight, EqualsTheMultilinearExtensionOverTheJointCube) {
  std::mt19937_64 rng(2);
  constexpr std::uint32_t kLogRows = 3;
  const std::vector<std::vector<std::size_t>> shapes = {{1}, {4}, {6}, {5, 7, 1}, {1, 2}};
  for (const auto& counts : shapes) {
    const auto keys = keys_of(counts);
    const JointLayout layout = joint_layout(keys);
    for (const Slot& slot : layout.slots) {
      Term term{slot.commitment, slot.group, random_element(rng), {}};
      for (std::size_t i = 0; i < slot.log_cols + kLogRows; ++i) {
        term.factors.push_back(rng() % 3 == 0 ? field::bit_factor(rng() % 2 == 0)
                                              : Factor{random_element(rng), random_element(rng)});
      }
      std::vector<Fp3> cube(std::size_t{1} << (layout.log_columns + kLogRows));
      for (std::size_t index = 0; index < std::size_t{1} << term.factors.size(); ++index) {
        const std::size_t row = index >> slot.log_cols;
        const std::size_t column = slot.offset + (index & ((std::size_t{1} << slot.log_cols) - 1));
        cube[(row << layout.log_columns) + column] = weight_of_cell(term, index);
      }
      std::vector<Fp3> point(layout.log_columns + kLogRows);
      for (std::size_t corner = 0; corner < cube.size(); ++corner) {
        for (std::size_t b = 0; b < point.size(); ++b) point[b] = Fp3(Fp((corner >> b) & 1));
        EXPECT_EQ(evaluate_weight(layout, term, point), cube[corner]) << corner;
      }
      for (auto& coordinate : point) coordinate = random_element(rng);
      const auto eq = field::eq_table(point);
      Fp3 expected;
      for (std::size_t corner = 0; corner < cube.size(); ++corner) expected += eq[corner] * cube[corner];
      EXPECT_EQ(evaluate_weight(layout, term, point), expected);
    }
  }
}

TEST(EvaluateWeightDeathTest, FactorsMatchTheGroup) {
  const std::size_t counts[] = {3};
  const JointLayout layout = joint_layout(keys_of(counts));
  Term term{0, 0, field::kOne3, std::vector<Factor>(3, field::eq_factor(field::kOne3))};
  const std::vector<Fp3> point(2 + 3);  // two column variables, three row variables: the group of two has 1 + 3
  EXPECT_DEATH(static_cast<void>(evaluate_weight(layout, term, point)), "check failed");
}

TEST(OodClaim, WeighsCellsByPowersOfThePoint) {
  std::mt19937_64 rng(3);
  constexpr std::uint32_t kLogRows = 2;
  for (const std::size_t count : {1u, 2u, 3u, 8u, 11u}) {
    const CommitmentKey key{{}, groups_of(count), random_element(rng), random_element(rng)};
    const Claim claim = ood_claim(key, 7, kLogRows);
    EXPECT_EQ(claim.value, key.ood_value);
    ASSERT_EQ(claim.terms.size(), key.log_groups.size());
    std::uint64_t padded = 1;  // 2^kappa of this commitment alone
    while (padded < count) padded *= 2;
    std::uint64_t before = 0;  // columns of earlier groups
    for (std::uint32_t g = 0; g < claim.terms.size(); ++g) {
      const Term& term = claim.terms[g];
      EXPECT_EQ(term.commitment, 7u);
      EXPECT_EQ(term.group, g);
      const std::uint64_t cols = std::uint64_t{1} << key.log_groups[g];
      ASSERT_EQ(term.factors.size(), key.log_groups[g] + kLogRows);
      for (std::uint64_t i = 0; i < cols << kLogRows; ++i) {
        const std::uint64_t exponent = before + i % cols + padded * (i / cols);
        EXPECT_EQ(weight_of_cell(term, i), key.ood_point.pow(exponent)) << count << " columns, group " << g;
      }
      before += cols;
    }
  }
}

TEST(FixedOodPoint, IsTheChallengeOfProtocolShapeAndRoot) {
  const base::Digest protocol{1};
  const base::Digest root{2};
  const Groups groups = {3, 1, 0};
  const std::string_view session = "avow/pcs/fixed-ood/1";
  transcript::Transcript t(protocol, base::Bytes(session.begin(), session.end()), base::Bytes{3, 1, 0});
  t.absorb_digest({0x0100, ""}, root);
  EXPECT_EQ(fixed_ood_point(protocol, groups, root), t.challenge({0x0101, ""}));
}

TEST(FixedOodPoint, DependsOnEachOfThem) {
  const base::Digest a{1};
  const base::Digest b{2};
  const Groups groups = {3, 1};
  const Fp3 point = fixed_ood_point(a, groups, a);
  EXPECT_EQ(fixed_ood_point(a, groups, a), point);
  EXPECT_NE(fixed_ood_point(b, groups, a), point);
  EXPECT_NE(fixed_ood_point(a, groups, b), point);
  EXPECT_NE(fixed_ood_point(a, Groups({3, 0}), a), point);
  EXPECT_NE(fixed_ood_point(a, Groups({3}), a), point);
}

}  // namespace
}  // namespace avow::pcs
