// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pruned Merkle multi-proofs (spec/pcs.md, section 3)
library MultiProof {
    /// @notice The root that leaves and siblings lead to.
    /// @dev `nodes` is overwritten. The siblings are read one after the other, so whoever calls compares `end` with the
    /// end of what may be read: beyond it lies what is not part of the proof, and such a root is worth nothing.
    /// @param logLeaves Depth of the tree.
    /// @param nodes For each position, strictly increasing, itself in the even and its leaf's digest in the odd place.
    /// @param siblings Offset in calldata of the digests that are missing.
    /// @return root The digest of depth 0.
    /// @return end Offset behind the last sibling.
    function rootOf(uint256 logLeaves, uint256[] memory nodes, uint256 siblings)
        internal
        pure
        returns (bytes32 root, uint256 end)
    {
        assembly ("memory-safe") {
            let first := add(nodes, 32)
            let last := add(first, shl(5, mload(nodes)))
            for {} logLeaves { logLeaves := sub(logLeaves, 1) } {
                // Parents so far, in place: `to` never overtakes `from`.
                let to := first
                for { let from := first } lt(from, last) {} {
                    let index := mload(from)
                    // The node on its own side of the pair, its sibling on the other.
                    let side := shl(5, and(index, 1))
                    mstore(side, mload(add(from, 32)))
                    from := add(from, 64)
                    switch and(lt(from, last), and(iszero(side), eq(mload(from), add(index, 1))))
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
            root := mload(add(first, 32))
            end := siblings
        }
    }
}
