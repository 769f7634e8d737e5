// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3} from "../src/verifier/Fp3.sol";
import {Placement, Program, Programs, SOURCES, SOURCE_ZERO} from "../src/verifier/Program.sol";
import {Reduction} from "../src/verifier/Reduction.sol";
import {Cursor, StateBytes} from "../src/verifier/StateBytes.sol";
import {Random} from "./Random.sol";
import {vm} from "./Vm.sol";

/// @notice Where axes lie in vectors of challenges, compared with the rule of spec/proof.md, section 3, as it is written.
contract ProgramTest {
    uint256 private constant MOST_AXES = 24;

    /// @dev Axis i has bits[i] coordinates, and occurs together with those whose bit is set in together[i].
    function placement(uint256[] memory bits, uint256[] memory together) private pure returns (Placement memory found) {
        bytes memory list = abi.encodePacked(uint8(bits.length));
        for (uint256 i = 0; i < bits.length; ++i) {
            bytes memory others;
            for (uint256 j = 0; j < bits.length; ++j) {
                if ((together[i] >> j) & 1 == 1) others = abi.encodePacked(others, uint8(j));
            }
            list = abi.encodePacked(list, uint8(i), uint8(2 + i % 3), uint8(others.length), others);
        }
        Program memory p;
        p.bits = bits;
        uint256 place;
        assembly ("memory-safe") {
            place := add(list, 32)
        }
        uint256 end;
        (found, end) = Programs.placementAt(p, place);
        vm.assertEq(end - place, list.length);
        (uint256[] memory firsts, uint256 total) = Programs.placesAt(p, place);
        vm.assertEq(total, found.degrees.length);
        for (uint256 i = 0; i < bits.length; ++i) {
            vm.assertEq(firsts[i], found.firsts[i]);
        }
    }

    /// @dev Outside, so that it may revert.
    function placed(uint256[] memory bits, uint256[] memory together) external pure returns (uint256) {
        return placement(bits, together).degrees.length;
    }

    /// @dev Whether an axis at a place overlaps one that occurs together with it and is placed.
    function overlaps(
        uint256[] memory bits,
        uint256[] memory firsts,
        bool[] memory done,
        uint256 others,
        uint256 axis,
        uint256 first
    ) private pure returns (bool) {
        for (uint256 j = 0; j < bits.length; ++j) {
            if (!done[j] || (others >> j) & 1 == 0) continue;
            if (first < firsts[j] + bits[j] && firsts[j] < first + bits[axis]) return true;
        }
        return false;
    }

    function testFuzz_axesLieAtTheLowestPlaceThatIsFree(uint256 seed) external pure {
        uint256 count = 1 + seed % MOST_AXES;
        uint256[] memory bits = new uint256[](count);
        uint256[] memory together = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            bits[i] = random % 11;
            together[i] |= (random >> 128) & ((1 << i) - 1) & ~(seed >> 64);
            for (uint256 j = 0; j < i; ++j) {
                together[j] |= ((together[i] >> j) & 1) << i;
            }
        }
        Placement memory found = placement(bits, together);
        uint256[] memory firsts = new uint256[](count);
        uint256[] memory degrees = new uint256[](256);
        bool[] memory done = new bool[](count);
        uint256 total = 0;
        for (uint256 n = 0; n < count; ++n) {
            uint256 axis = count;
            for (uint256 i = 0; i < count; ++i) {
                if (!done[i] && (axis == count || bits[i] > bits[axis])) axis = i;
            }
            while (overlaps(bits, firsts, done, together[axis], axis, firsts[axis])) ++firsts[axis];
            done[axis] = true;
            vm.assertEq(found.firsts[axis], firsts[axis]);
            for (uint256 b = firsts[axis]; b < firsts[axis] + bits[axis]; ++b) {
                if (degrees[b] < 2 + axis % 3) degrees[b] = 2 + axis % 3;
            }
            if (firsts[axis] + bits[axis] > total) total = firsts[axis] + bits[axis];
        }
        vm.assertEq(found.degrees.length, total);
        for (uint256 b = 0; b < total; ++b) {
            vm.assertEq(found.degrees[b], degrees[b]);
        }
    }

    function test_vectorsHaveAtMost256Challenges() external {
        uint256[] memory bits = new uint256[](9);
        uint256[] memory together = new uint256[](9);
        for (uint256 i = 0; i < 9; ++i) {
            bits[i] = i < 8 ? 31 : 8;
            together[i] = 511 ^ (1 << i);
        }
        vm.assertEq(this.placed(bits, together), 256);
        bits[8] = 9;
        vm.expectRevert(Programs.ProofInstance.selector);
        this.placed(bits, together);
    }

    /// @dev Of a program whose stages `present` has a bit for.
    function packedPlacement(uint256 seed, uint256 present)
        private
        pure
        returns (Program memory p, bytes memory packed)
    {
        Random memory random = Random(seed);
        p.bits = new uint256[](random.below(12));
        p.vectors = new Fp3[][](SOURCES);
        p.firsts = new uint256[][](SOURCES);
        uint256[] memory sizes = new uint256[](SOURCES);
        for (uint256 source = SOURCE_ZERO; source < SOURCES; ++source) {
            if ((present >> source) & 1 == 0) continue;
            sizes[source] = random.below(257);
            p.firsts[source] = new uint256[](p.bits.length);
            for (uint256 i = 0; i < p.bits.length; ++i) {
                p.firsts[source][i] = random.below(256);
            }
        }
        packed = Reduction.packPlacement(p, sizes);
        // All of it is said again.
        Program memory again;
        again.vectors = new Fp3[][](SOURCES);
        again.firsts = new uint256[][](SOURCES);
        vm.assertEq(keccak256(abi.encode(Reduction.unpackPlacement(again, packed))), keccak256(abi.encode(sizes)));
        vm.assertEq(keccak256(abi.encode(again.firsts)), keccak256(abi.encode(p.firsts)));
    }

    function placedAgain(bytes memory packed) external pure {
        Program memory p;
        p.vectors = new Fp3[][](SOURCES);
        p.firsts = new uint256[][](SOURCES);
        Reduction.unpackPlacement(p, packed);
    }

    function testFuzz_placementsArePlacedAgain(uint256 seed, uint256 present) external pure {
        packedPlacement(seed, present);
    }

    /// @dev Cut or longer, or with a list that is said to be longer than all.
    function test_otherPlacementsAreRefused() external {
        (, bytes memory packed) = packedPlacement(7, type(uint256).max);
        uint256 whole = packed.length;
        for (uint256 size = 0; size < whole; ++size) {
            assembly ("memory-safe") {
                mstore(packed, size)
            }
            vm.expectRevert(Programs.ProgramInvalid.selector);
            this.placedAgain(packed);
        }
        assembly ("memory-safe") {
            mstore(packed, whole)
        }
        this.placedAgain(packed);
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.placedAgain(abi.encodePacked(packed, uint8(0)));
        uint256[3] memory lengths = [uint256(1 << 20), 1 << 251, type(uint256).max];
        for (uint256 i = 0; i < lengths.length; ++i) {
            uint256 length = lengths[i];
            assembly ("memory-safe") {
                mstore(add(packed, 64), length)
            }
            vm.expectRevert(Programs.ProgramInvalid.selector);
            this.placedAgain(packed);
        }
    }

    /// @dev Claims that are used last in these stages, when so many have passed: as many as are listed, and written in order.
    function checkCarried(bytes memory uses, uint256 passed) private pure {
        bytes memory section = abi.encodePacked(uint16(uses.length), uses, type(uint256).max);
        bytes memory noStages = new bytes(64);
        Program memory p;
        uint256 place;
        assembly ("memory-safe") {
            place := add(section, 32)
        }
        p.uses = place;
        assembly ("memory-safe") {
            place := add(noStages, 32)
        }
        p.stages = place;
        p.claims = new Fp3[](uses.length);
        for (uint256 i = 0; i < uses.length; ++i) {
            p.claims[i] = Fp3.wrap((i << 160) | ((i + 1) << 80) | (i + 2));
        }
        uint256[] memory listed = Reduction.carried(p, passed);
        bytes memory written = new bytes(24 * listed.length);
        Cursor memory cursor;
        assembly ("memory-safe") {
            mstore(cursor, add(written, 32))
        }
        Reduction.writeClaims(p, cursor, listed);
        StateBytes.expectEnd(written, cursor);
        bytes memory expected = "";
        uint256 count = 0;
        for (uint256 i = 0; i < uses.length; ++i) {
            if (uint8(uses[i]) < passed) continue;
            vm.assertEq(listed[count++], i);
            expected = abi.encodePacked(expected, uint64(i), uint64(i + 1), uint64(i + 2));
        }
        vm.assertEq(count, listed.length);
        vm.assertEq(keccak256(written), keccak256(expected));
    }

    function testFuzz_claimsThatAreUsedLaterAreCarried(bytes memory uses, uint8 passed) external pure {
        checkCarried(uses, passed % 8);
        for (uint256 i = 0; i < uses.length; ++i) {
            uses[i] = bytes1(uint8(uses[i]) % 8);
        }
        checkCarried(uses, passed % 8);
        // Lengths around whole words.
        for (uint256 size = 30; size <= 66; ++size) {
            bytes memory some = new bytes(size);
            for (uint256 i = 0; i < size; ++i) {
                some[i] = bytes1(uint8(uint256(keccak256(abi.encode(uses, i))) % 8));
            }
            checkCarried(some, passed % 8);
        }
    }
}
