// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pruned Merkle multi-proofs (spec/pcs.md, section 3)
library MultiProof {
    /// @notice Bytes that `count` nodes take: a pair of words for each, and one more for a mark behind the last.
    function sizeOf(uint256 count) internal pure returns (uint256) {
        return 64 * count + 32;
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
        uint256 apart = separateLevels(logLeaves, nodes, count);
        if (apart != 0) siblings = climb(apart, nodes, count, siblings);
        return join(logLeaves - apart, nodes, count, siblings);
    }

    /// @dev Levels, from the leaves on, at which no node's sibling is a node: two positions are siblings at the level of
    /// the highest bit that they differ in, and of all pairs neighbours have the lowest.
    function separateLevels(uint256 logLeaves, uint256 nodes, uint256 count) private pure returns (uint256 levels) {
        assembly ("memory-safe") {
            let least := shl(add(logLeaves, 5), 1)
            let last := add(nodes, shl(6, sub(count, 1)))
            for { let node := nodes } lt(node, last) {} {
                let position := mload(node)
                node := add(node, 64)
                let difference := xor(position, mload(node))
                if lt(difference, least) { least := difference }
            }
            for { least := shr(6, least) } least { least := shr(1, least) } { levels := add(levels, 1) }
        }
    }

    /// @dev Levels at which all siblings are read, one node after the other: the siblings of a level lie together, so
    /// those of a node are as far apart as there are nodes. Bit 5 of a node's first word tells its side of the pair; the
    /// bits below are those of the levels done, and mean nothing.
    /// @return next Offset behind the siblings.
    function climb(uint256 levels, uint256 nodes, uint256 count, uint256 siblings) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            let stride := shl(5, count)
            next := add(siblings, mul(stride, levels))
            for { let end := add(nodes, shl(6, count)) } lt(nodes, end) { nodes := add(nodes, 64) } {
                let index := mload(nodes)
                let side := and(index, 32)
                mstore(side, mload(add(nodes, 32)))
                for { let sibling := siblings } 1 {} {
                    mstore(xor(side, 32), calldataload(sibling))
                    sibling := add(sibling, stride)
                    index := shr(1, index)
                    if iszero(lt(sibling, next)) { break }
                    side := and(index, 32)
                    mstore(side, keccak256(0, 64))
                }
                mstore(nodes, index)
                mstore(add(nodes, 32), keccak256(0, 64))
                siblings := add(siblings, 32)
            }
        }
    }

    /// @dev The levels left, one after the other.
    function join(uint256 levels, uint256 nodes, uint256 count, uint256 siblings)
        private
        pure
        returns (bytes32 root, uint256 end)
    {
        assembly ("memory-safe") {
            let last := add(nodes, shl(6, count))
            for {} levels { levels := sub(levels, 1) } {
                // No node's sibling.
                mstore(last, not(0))
                // Parents so far, in place: `to` never overtakes `from`.
                let to := nodes
                for { let from := nodes } lt(from, last) {} {
                    let index := mload(from)
                    // The node on its own side of the pair, its sibling on the other.
                    let side := and(index, 32)
                    mstore(side, mload(add(from, 32)))
                    from := add(from, 64)
                    // The next node is another one, so it is the sibling if no bit above the lowest differs.
                    switch lt(xor(mload(from), index), 64)
                    case 0 {
                        mstore(xor(side, 32), calldataload(siblings))
                        siblings := add(siblings, 32)
                    }
                    default {
                        mstore(32, mload(add(from, 32)))
                        from := add(from, 64)
                    }
                    mstore(to, shr(1, index))
                    mstore(add(to, 32), keccak256(0, 64))
                    to := add(to, 64)
                }
                last := to
            }
            root := mload(add(nodes, 32))
            end := siblings
        }
    }
}
