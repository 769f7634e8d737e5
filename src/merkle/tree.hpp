// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"

// Binary Merkle trees over 2^k leaves, k fixed by the configuration. A leaf's digest is keccak256 of its bytes, an
// inner node's keccak256 of its two children. No tag separates leaves from nodes: the depth and the leaf's length are
// fixed before the root is read, so two different openings of one position give a Keccak-256 collision between inputs
// of the same kind at some level.

namespace avow::merkle {

/// Heap layout, in memory or in a mapped file: node 1 is the root, node i has children 2i and 2i+1, the leaves of a
/// tree with n of them lie at [n, 2n); node 0 is unused.
///
/// Fills nodes [1, n) from the leaf digests at [n, 2n) on all threads. heap.size() = 2n, n a power of two.
void build(std::span<base::Digest> heap);
/// The same for one subtree: fills all nodes below and including `top`, given its leaves.
void build_subtree(std::span<base::Digest> heap, std::size_t top);

/// The hashes that a verifier lacks to compute the root from the leaves at `positions` (strictly increasing): for each
/// level from the leaves upwards, from left to right, the sibling of every known node that is not known itself. Both
/// sides walk the same way, so the proof has exactly one form and needs no counts.
[[nodiscard]] std::vector<base::Digest> open(std::span<const base::Digest> heap,
                                             std::span<const std::uint32_t> positions);

/// Number of hashes in the multi-proof of these positions (strictly increasing, below 2^log_leaves).
[[nodiscard]] std::size_t proof_length(unsigned log_leaves, std::span<const std::uint32_t> positions);

/// The root that leaf digests and multi-proof lead to; leaves[i] belongs to positions[i] (strictly increasing, not
/// empty). siblings.size() must be proof_length(...); otherwise nothing.
[[nodiscard]] std::optional<base::Digest> root_of(unsigned log_leaves, std::span<const std::uint32_t> positions,
                                                  std::span<const base::Digest> leaves,
                                                  std::span<const base::Digest> siblings);

}  // namespace avow::merkle
