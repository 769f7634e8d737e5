// SPDX-License-Identifier: Apache-2.0
#include "merkle/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "hash/keccak.hpp"

namespace avow::merkle {
namespace {

using base::Digest;

std::vector<Digest> random_heap(unsigned log_leaves, std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::vector<Digest> heap(std::size_t{2} << log_leaves);
  for (std::size_t i = heap.size() / 2; i < heap.size(); ++i) {
    for (auto& b : heap[i]) b = static_cast<std::uint8_t>(rng());
  }
  build(heap);
  return heap;
}

std::vector<std::uint32_t> random_positions(unsigned log_leaves, std::size_t draws, std::mt19937_64& rng) {
  std::set<std::uint32_t> set;
  for (std::size_t i = 0; i < draws; ++i) set.insert(static_cast<std::uint32_t>(rng() % (1ull << log_leaves)));
  return {set.begin(), set.end()};
}

std::vector<Digest> leaves_at(const std::vector<Digest>& heap, const std::vector<std::uint32_t>& positions) {
  std::vector<Digest> out;
  for (const auto p : positions) out.push_back(heap[heap.size() / 2 + p]);
  return out;
}

TEST(Tree, NodesAreHashesOfTheirChildren) {
  const auto heap = random_heap(6, 1);
  for (std::size_t i = 1; i < heap.size() / 2; ++i) {
    base::Bytes both(heap[2 * i].begin(), heap[2 * i].end());
    base::append(both, heap[2 * i + 1]);
    EXPECT_EQ(heap[i], hash::keccak256(both)) << i;
  }
}

TEST(Tree, SubtreesAddUpToTheTree) {
  auto heap = random_heap(7, 2);
  const auto whole = heap;
  std::fill(heap.begin(), heap.begin() + 128, Digest{});
  for (std::size_t top = 4; top < 8; ++top) build_subtree(heap, top);
  EXPECT_TRUE(std::equal(heap.begin() + 4, heap.end(), whole.begin() + 4));
}

TEST(MultiProof, OpensEverySetOfPositions) {
  std::mt19937_64 rng(3);
  for (unsigned log_leaves = 0; log_leaves <= 8; ++log_leaves) {
    const auto heap = random_heap(log_leaves, log_leaves);
    for (int round = 0; round < 20; ++round) {
      const auto positions = random_positions(log_leaves, 1 + rng() % 20, rng);
      const auto siblings = open(heap, positions);
      EXPECT_EQ(siblings.size(), proof_length(log_leaves, positions));
      EXPECT_EQ(root_of(log_leaves, positions, leaves_at(heap, positions), siblings), heap[1]);
    }
  }
}

TEST(MultiProof, AllLeavesNeedNoSiblings) {
  const auto heap = random_heap(5, 4);
  std::vector<std::uint32_t> positions(32);
  for (std::uint32_t i = 0; i < 32; ++i) positions[i] = i;
  EXPECT_TRUE(open(heap, positions).empty());
  EXPECT_EQ(root_of(5, positions, leaves_at(heap, positions), {}), heap[1]);
}

TEST(MultiProof, AnyOtherLeafPositionOrSiblingGivesAnotherRoot) {
  std::mt19937_64 rng(5);
  const auto heap = random_heap(6, 5);
  const auto positions = random_positions(6, 9, rng);
  const auto leaves = leaves_at(heap, positions);
  const auto siblings = open(heap, positions);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    auto bad = leaves;
    bad[i][i % 32] ^= 1;
    EXPECT_NE(root_of(6, positions, bad, siblings), heap[1]);
  }
  for (std::size_t i = 0; i < siblings.size(); ++i) {
    auto bad = siblings;
    bad[i][31] ^= 0x80;
    EXPECT_NE(root_of(6, positions, leaves, bad), heap[1]);
  }
  auto shifted = positions;
  shifted.back() ^= 1;
  if (shifted.size() < 2 || shifted[shifted.size() - 2] != shifted.back()) {
    EXPECT_NE(root_of(6, shifted, leaves, siblings), heap[1]);
  }
}

TEST(MultiProof, RefusesWrongCounts) {
  std::mt19937_64 rng(6);
  const auto heap = random_heap(6, 6);
  const auto positions = random_positions(6, 9, rng);
  const auto leaves = leaves_at(heap, positions);
  auto siblings = open(heap, positions);
  siblings.push_back(Digest{});
  EXPECT_EQ(root_of(6, positions, leaves, siblings), std::nullopt);
  siblings.resize(siblings.size() - 2);
  EXPECT_EQ(root_of(6, positions, leaves, siblings), std::nullopt);
  EXPECT_EQ(root_of(6, {}, {}, {}), std::nullopt);
}

}  // namespace
}  // namespace avow::merkle
