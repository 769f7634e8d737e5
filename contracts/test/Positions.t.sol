// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {P} from "../src/verifier/Fp3.sol";
import {MultiProof} from "../src/verifier/MultiProof.sol";
import {Positions} from "../src/verifier/Positions.sol";
import {Scratch} from "../src/verifier/Scratch.sol";
import {vm} from "./Vm.sol";

/// @dev Positions, their points and their paths, against the plainest way to compute them.
contract PositionsTest {
    function drawn(uint256 seed, uint256 bits, uint256 count) private pure returns (uint256[] memory list) {
        list = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = uint256(keccak256(abi.encode(seed, i))) & ((1 << bits) - 1);
        }
    }

    function testFuzz_sortedSet(uint256 seed) external pure {
        uint256 bits = seed % 33;
        uint256 count = 1 + ((seed >> 8) % 40);
        checkSorted(drawn(seed, bits, count), bits);
        // All in one bucket.
        uint256[] memory close = drawn(seed, bits < 3 ? bits : 3, count);
        checkSorted(close, bits);
    }

    function checkSorted(uint256[] memory list, uint256 bits) private pure {
        uint256[] memory all = new uint256[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            all[i] = list[i];
        }
        uint256[] memory sorted = Positions.sortedSet(list, bits);
        for (uint256 i = 1; i < sorted.length; ++i) {
            vm.assertTrue(sorted[i - 1] < sorted[i], "order");
        }
        uint256 distinct = 0;
        for (uint256 i = 0; i < all.length; ++i) {
            bool first = true;
            for (uint256 k = 0; k < i; ++k) {
                if (all[k] == all[i]) first = false;
            }
            if (first) ++distinct;
            bool found = false;
            for (uint256 k = 0; k < sorted.length; ++k) {
                if (sorted[k] == all[i]) found = true;
            }
            vm.assertTrue(found, "value");
        }
        vm.assertEq(sorted.length, distinct, "length");
    }

    function testFuzz_domainPoint(uint256 seed) external pure {
        uint256 bits = 1 + (seed % 32);
        uint256 position = (seed >> 8) & ((1 << bits) - 1);
        uint256 point = 1;
        for (uint256 b = 0; b < bits; ++b) {
            uint256 root = 1753635133440165772;
            for (uint256 i = b + 1; i < 32; ++i) {
                root = mulmod(root, root, P);
            }
            if ((position >> b) & 1 == 1) point = mulmod(point, root, P);
        }
        vm.assertEq(Positions.domainPoint(Positions.pointTable(bits), position), point);
    }

    /// @dev Trees of up to 32 leaves, of any set of them; the siblings are those that section 3 lists.
    function testFuzz_multiProof(uint256 seed) external view {
        uint256 depth = 1 + (seed % 5);
        uint256[] memory positions = Positions.sortedSet(drawn(seed, depth, 1 + ((seed >> 8) % 12)), depth);
        bytes32[] memory level = new bytes32[](1 << depth);
        bool[] memory known = new bool[](1 << depth);
        for (uint256 x = 0; x < level.length; ++x) {
            level[x] = keccak256(abi.encode(seed, "leaf", x));
        }
        for (uint256 q = 0; q < positions.length; ++q) {
            known[positions[q]] = true;
        }
        bytes memory leaves;
        for (uint256 q = 0; q < positions.length; ++q) {
            leaves = abi.encodePacked(leaves, level[positions[q]]);
        }
        bytes memory siblings;
        for (uint256 size = level.length; size > 1; size >>= 1) {
            for (uint256 x = 0; x < size; x += 2) {
                if (known[x] != known[x + 1]) siblings = abi.encodePacked(siblings, level[known[x] ? x + 1 : x]);
                known[x / 2] = known[x] || known[x + 1];
                level[x / 2] = keccak256(abi.encodePacked(level[x], level[x + 1]));
            }
        }
        (bytes32 root, uint256 size_) = this.rootOf(depth, positions, leaves, siblings);
        vm.assertEq(root, level[0], "root");
        vm.assertEq(size_, siblings.length, "siblings");
    }

    function rootOf(uint256 depth, uint256[] calldata positions, bytes calldata leaves, bytes calldata siblings)
        external
        pure
        returns (bytes32 root, uint256 size)
    {
        uint256 count = positions.length;
        uint256 nodes = Scratch.take(MultiProof.sizeOf(count));
        for (uint256 q = 0; q < count; ++q) {
            uint256 position = positions[q];
            bytes32 digest = bytes32(leaves[32 * q:32 * q + 32]);
            assembly ("memory-safe") {
                mstore(add(nodes, shl(6, q)), shl(5, position))
                mstore(add(nodes, add(shl(6, q), 32)), digest)
            }
        }
        uint256 start;
        assembly ("memory-safe") {
            start := siblings.offset
        }
        (root, size) = MultiProof.rootOf(depth, nodes, count, start);
        size -= start;
    }
}
