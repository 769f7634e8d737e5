// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pruned Merkle multi-proofs (spec/pcs.md, section 3)
library MultiProof {
    /// @dev Levels of a tree at most.
    uint256 private constant MAX_LEVELS = 32;

    /// @notice Bytes of memory that a multi-proof of `count` leaves takes: a pair of words for each leaf, then a word for
    /// each level.
    function sizeOf(uint256 count) internal pure returns (uint256) {
        return 64 * count + 32 * MAX_LEVELS;
    }

    /// @notice The root that leaves and siblings lead to.
    /// @dev `nodes` is overwritten. The siblings are read one after the other, so whoever calls compares `end` with the
    /// end of what may be read: beyond it lies what is not part of the proof, and such a root is worth nothing.
    /// @param logLeaves Depth of the tree, at most 32.
    /// @param nodes Where in memory for each position, strictly increasing, itself times 32 and its leaf's digest lie.
    /// @param count Positions, at least 1.
    /// @param siblings Offset in calldata of the digests that are missing.
    /// @return root The digest of depth 0.
    /// @return end Offset behind the last sibling.
    function rootOf(uint256 logLeaves, uint256 nodes, uint256 count, uint256 siblings)
        internal
        pure
        returns (bytes32 root, uint256 end)
    {
        end = startLevels(logLeaves, nodes, count, siblings);
        climb(logLeaves, nodes, count);
        assembly ("memory-safe") {
            root := mload(add(nodes, 32))
        }
    }

    /// @dev Writes for each level where its siblings begin. Two neighbours meet, as siblings, at the level of the highest
    /// bit that they differ in; of the nodes of a level those that do not meet there have a sibling in the proof.
    /// @return end Offset behind the last sibling.
    function startLevels(uint256 logLeaves, uint256 nodes, uint256 count, uint256 siblings)
        private
        pure
        returns (uint256 end)
    {
        assembly ("memory-safe") {
            let levels := add(nodes, shl(6, count))
            let levelsEnd := add(levels, shl(5, logLeaves))
            calldatacopy(levels, calldatasize(), shl(5, logLeaves))
            let position := mload(nodes)
            for { let node := add(nodes, 64) } lt(node, levels) { node := add(node, 64) } {
                let next := mload(node)
                // A position is given times 32.
                let level := add(levels, shl(5, sub(250, clz(xor(position, next)))))
                mstore(level, add(mload(level), 1))
                position := next
            }
            end := siblings
            for { let level := levels } lt(level, levelsEnd) { level := add(level, 32) } {
                let meetings := mload(level)
                mstore(level, end)
                end := add(end, shl(5, sub(count, shl(1, meetings))))
                count := sub(count, meetings)
            }
        }
    }

    /// @dev Leaf by leaf, from left to right, so that each level's siblings are read in their order. A node climbs until it
    /// meets its left neighbour, which waits there, with which it goes on, or comes to where it has to wait for its right
    /// one. A node that waits has its digest in the second word of a pair, the pairs from `nodes` on, in the place of
    /// leaves that were read; in the first one is the level where the one before it waits. Levels are named by their
    /// words' addresses. The root ends up in the first pair.
    function climb(uint256 logLeaves, uint256 nodes, uint256 count) private pure {
        assembly ("memory-safe") {
            // From a level to another one, with a sibling of the proof at each. A digest lies on its node's side of the pair
            // that is hashed next: bit 5 of the index, of which the bits below are those of the levels done.
            function run(level, stop_, index) -> i {
                // Two levels at a time, and the one that is left over.
                for {} lt(add(level, 32), stop_) { level := add(level, 64) } {
                    let sibling := mload(level)
                    mstore(level, add(sibling, 32))
                    mstore(and(not(index), 32), calldataload(sibling))
                    index := shr(1, index)
                    mstore(and(index, 32), keccak256(0, 64))
                    sibling := mload(add(level, 32))
                    mstore(add(level, 32), add(sibling, 32))
                    mstore(and(not(index), 32), calldataload(sibling))
                    index := shr(1, index)
                    mstore(and(index, 32), keccak256(0, 64))
                }
                if lt(level, stop_) {
                    let sibling := mload(level)
                    mstore(level, add(sibling, 32))
                    mstore(and(not(index), 32), calldataload(sibling))
                    index := shr(1, index)
                    mstore(and(index, 32), keccak256(0, 64))
                }
                i := index
            }

            let levels := add(nodes, shl(6, count))
            let waiting := nodes
            // Where the last node that waits does so: nowhere.
            let left := not(0)
            for { let node := nodes } lt(node, levels) {} {
                let index := mload(node)
                mstore(and(index, 32), mload(add(node, 32)))
                node := add(node, 64)
                let right := add(levels, shl(5, logLeaves))
                if lt(node, levels) { right := add(levels, shl(5, sub(250, clz(xor(index, mload(node)))))) }
                let level := levels
                for {} lt(left, right) {} {
                    index := shr(1, run(level, left, index))
                    // The one that waits is the left one of the pair.
                    waiting := sub(waiting, 64)
                    mstore(0, mload(add(waiting, 32)))
                    mstore(and(index, 32), keccak256(0, 64))
                    level := add(left, 32)
                    left := mload(waiting)
                }
                index := run(level, right, index)
                mstore(waiting, left)
                mstore(add(waiting, 32), mload(and(index, 32)))
                waiting := add(waiting, 64)
                left := right
            }
        }
    }
}
