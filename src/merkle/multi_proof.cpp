// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "hash/keccak.hpp"
#include "merkle/tree.hpp"

namespace avow::merkle {
namespace {

/// Walks from the leaves to the root over the known nodes of each level. `take_sibling(level, index)` is called for
/// every sibling that is not known, `combine(to, left, right)` for every parent: slot numbers, kOutside for the sibling
/// taken.
constexpr std::size_t kOutside = ~std::size_t{0};

template <typename TakeSibling, typename Combine>
void walk(unsigned log_leaves, std::span<const std::uint32_t> positions, TakeSibling take_sibling, Combine combine) {
  std::vector<std::uint32_t> known(positions.begin(), positions.end());
  for (unsigned level = 0; level < log_leaves; ++level) {
    std::size_t parents = 0;
    for (std::size_t i = 0; i < known.size();) {
      const std::uint32_t index = known[i];
      const bool pair = (index & 1) == 0 && i + 1 < known.size() && known[i + 1] == index + 1;
      if (!pair) take_sibling(level, index ^ 1u);
      const std::size_t left = pair || (index & 1) == 0 ? i : kOutside;
      const std::size_t right = pair ? i + 1 : ((index & 1) == 0 ? kOutside : i);
      combine(parents, left, right);
      known[parents++] = index >> 1;
      i += pair ? 2 : 1;
    }
    known.resize(parents);
  }
}

}  // namespace

std::vector<base::Digest> open(std::span<const base::Digest> heap, std::span<const std::uint32_t> positions) {
  const std::size_t leaves = heap.size() / 2;
  unsigned log_leaves = 0;
  while (std::size_t{1} << log_leaves < leaves) ++log_leaves;
  std::vector<base::Digest> siblings;
  walk(
      log_leaves, positions,
      [&](unsigned level, std::uint32_t index) { siblings.push_back(heap[(leaves >> level) + index]); },
      [](std::size_t, std::size_t, std::size_t) {});
  return siblings;
}

std::size_t proof_length(unsigned log_leaves, std::span<const std::uint32_t> positions) {
  std::size_t count = 0;
  walk(
      log_leaves, positions, [&](unsigned, std::uint32_t) { ++count; }, [](std::size_t, std::size_t, std::size_t) {});
  return count;
}

std::optional<base::Digest> root_of(unsigned log_leaves, std::span<const std::uint32_t> positions,
                                    std::span<const base::Digest> leaves, std::span<const base::Digest> siblings) {
  if (positions.empty() || leaves.size() != positions.size()) return std::nullopt;
  if (siblings.size() != proof_length(log_leaves, positions)) return std::nullopt;
  std::vector<base::Digest> nodes(leaves.begin(), leaves.end());
  std::size_t next = 0;
  walk(
      log_leaves, positions, [](unsigned, std::uint32_t) {},
      [&](std::size_t to, std::size_t left, std::size_t right) {
        std::array<std::uint8_t, 64> both;
        const base::Digest& l = left == kOutside ? siblings[next++] : nodes[left];
        const base::Digest& r = right == kOutside ? siblings[next++] : nodes[right];
        std::copy(l.begin(), l.end(), both.begin());
        std::copy(r.begin(), r.end(), both.begin() + 32);
        nodes[to] = hash::keccak256(both);
      });
  return nodes[0];
}

}  // namespace avow::merkle
