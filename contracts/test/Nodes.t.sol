// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, LIMB, ONE, P, ZERO, atBit, eqOf, fromBase, reduce} from "../src/verifier/Fp3.sol";
import {Nodes} from "../src/verifier/Nodes.sol";
import {Program, Programs, SOURCE_LOOKUP} from "../src/verifier/Program.sol";
import {encodeValues} from "./Values.sol";
import {vm} from "./Vm.sol";

/// @notice Nodes at points whose coordinates are bits, where they are what they stand for.
contract NodesTest {
    /// @dev Constants 1, 7, -3, 100, 2; coordinates 0: the lookup point's first ones, as many as axis 0 has.
    function program(uint256 length, bytes memory node, uint256 x) private pure returns (Program memory p) {
        bytes memory axes = abi.encodePacked(uint16(1), uint8(0), uint32(length));
        bytes memory constants =
            abi.encodePacked(uint16(5), uint64(1), uint64(7), uint64(P - 3), uint64(100), uint64(2));
        uint256 bits = 0;
        while (1 << bits < length) ++bits;
        bytes memory coordinates = abi.encodePacked(uint16(1), uint8(2), uint8(0), uint8(bits), uint8(0), uint32(0));
        bytes memory nodes = abi.encodePacked(uint16(1), uint16(0), node);
        bytes memory sections = abi.encodePacked(axes, constants, coordinates, nodes, uint16(0), uint32(0));
        uint256 at0 = 22;
        uint256 at1 = at0 + axes.length;
        uint256 at2 = at1 + constants.length;
        uint256 at3 = at2 + coordinates.length;
        uint256 rest = at3 + nodes.length;
        bytes memory head = abi.encodePacked(uint16(3), uint8(0), uint8(0), uint16(at0), uint16(at1), uint16(at2));
        head = abi.encodePacked(head, uint16(at3), uint16(rest), uint16(rest), uint16(rest), uint16(rest), uint16(rest));
        p = Programs.instantiate(abi.encodePacked(head, sections), new uint256[](0), "");
        Fp3[] memory point = new Fp3[](bits);
        for (uint256 b = 0; b < bits; ++b) {
            point[b] = (x >> b) & 1 == 1 ? ONE : ZERO;
        }
        p.vectors[SOURCE_LOOKUP] = point;
    }

    /// @dev Axes 0 and 1; the lookup point has the coordinates of the first, then of the second. Constants: 1.
    function pairProgram(bytes memory node, uint256 places, uint256 length) private pure returns (Program memory p) {
        bytes memory axes = abi.encodePacked(uint16(2), uint8(0), uint32(places), uint8(0), uint32(length));
        bytes memory constants = abi.encodePacked(uint16(1), uint64(1));
        uint8 own = uint8(bitsOf(places));
        bytes memory coordinates = abi.encodePacked(
            uint16(2), uint8(2), uint8(0), own, uint8(0), uint32(0), uint8(2), uint8(1), uint8(bitsOf(length))
        );
        coordinates = abi.encodePacked(coordinates, uint8(0), own, uint24(0));
        bytes memory nodes = abi.encodePacked(uint16(1), uint16(0), node);
        bytes memory sections = abi.encodePacked(axes, constants, coordinates, nodes, uint16(0), uint32(0));
        uint256 at1 = 22 + axes.length;
        uint256 at2 = at1 + constants.length;
        uint256 at3 = at2 + coordinates.length;
        uint256 rest = at3 + nodes.length;
        bytes memory head = abi.encodePacked(uint16(3), uint8(0), uint8(0), uint16(22), uint16(at1), uint16(at2));
        head = abi.encodePacked(head, uint16(at3), uint16(rest), uint16(rest), uint16(rest), uint16(rest), uint16(rest));
        p = Programs.instantiate(abi.encodePacked(head, sections), new uint256[](0), "");
    }

    function bitsOf(uint256 length) private pure returns (uint256 bits) {
        while (1 << bits < length) ++bits;
    }

    function randomPoint(uint256 count, uint256 seed) private pure returns (Fp3[] memory point) {
        point = new Fp3[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 s = uint256(keccak256(abi.encode(seed, i)));
            point[i] = Fp3.wrap((((s >> 160) & LIMB) % P << 160) | (((s >> 80) & LIMB) % P << 80) | ((s & LIMB) % P));
        }
    }

    /// @dev eq(r, x) of the coordinates from `first` on.
    function eqAt(Fp3[] memory point, uint256 first, uint256 count, uint256 x) private pure returns (Fp3 product) {
        product = ONE;
        for (uint256 b = 0; b < count; ++b) {
            product = product * atBit(point[first + b], (x >> b) & 1);
        }
    }

    /// @dev eq of two points is the product of that of their coordinates.
    function testFuzz_eq(uint256 seed, uint8 bits_) external pure {
        uint256 bits = bits_ % 9;
        Program memory p = pairProgram(abi.encodePacked(uint8(4), uint16(0), uint16(1)), 1 << bits, 1 << bits);
        Fp3[] memory point = randomPoint(2 * bits, seed);
        p.vectors[SOURCE_LOOKUP] = point;
        Fp3 expected = ONE;
        for (uint256 b = 0; b < bits; ++b) {
            expected = expected * eqOf(point[b], point[bits + b]);
        }
        vm.assertTrue(same(Nodes.nodeOf(p, 0), expected), vm.toString(bits));
    }

    /// @dev Equal, less, and less or equal.
    function testFuzz_comparisons(uint256 seed, uint8 first_, uint8 second_) external pure {
        uint256 first = 1 + first_ % 17;
        uint256 second = 1 + second_ % 17;
        uint256 bits = bitsOf(first);
        Fp3[] memory point = randomPoint(bits + bitsOf(second), seed);
        for (uint256 kind = 6; kind <= 8; ++kind) {
            bytes memory node = abi.encodePacked(uint8(kind), uint8(0), uint16(0), uint8(1), uint16(1));
            Program memory p = pairProgram(node, first, second);
            p.vectors[SOURCE_LOOKUP] = point;
            Fp3 expected = ZERO;
            for (uint256 x = 0; x < first; ++x) {
                for (uint256 y = 0; y < second; ++y) {
                    if (kind == 6 ? x != y : kind == 7 ? x >= y : x > y) continue;
                    expected = expected + eqAt(point, 0, bits, x) * eqAt(point, bits, point.length - bits, y);
                }
            }
            vm.assertTrue(same(Nodes.nodeOf(p, 0), expected), vm.toString(kind));
        }
    }

    /// @dev The value, reduced: others rely on it.
    function same(Fp3 value, Fp3 expected) private pure returns (bool) {
        return Fp3.unwrap(value) == Fp3.unwrap(reduce(expected));
    }

    function expectNode(uint256 length, bytes memory node, uint256 x, uint256 expected) private pure {
        Program memory p = program(length, node, x);
        vm.assertTrue(same(Nodes.nodeOf(p, 0), fromBase(expected)), vm.toString(x));
        vm.assertTrue(same(Nodes.nodeOf(p, 0), fromBase(expected)), "kept");
    }

    function test_index() external pure {
        for (uint256 x = 0; x < 8; ++x) {
            expectNode(8, abi.encodePacked(uint8(5), uint8(0), uint16(0), uint16(1)), x, x + 7);
            expectNode(5, abi.encodePacked(uint8(5), uint8(0), uint16(0), uint16(1)), x, x < 5 ? x + 7 : 0);
        }
    }

    function test_extent() external pure {
        for (uint256 x = 0; x < 8; ++x) {
            expectNode(5, abi.encodePacked(uint8(3), uint8(0), uint16(0)), x, x < 5 ? 1 : 0);
        }
    }

    function test_pieces() external pure {
        bytes memory node = abi.encodePacked(uint8(9), uint8(0), uint16(0), uint8(2));
        node = abi.encodePacked(node, uint32(3), uint16(1), uint16(2), uint32(4), uint16(3), uint16(4));
        for (uint256 x = 0; x < 8; ++x) {
            expectNode(7, node, x, x < 3 ? P + 7 - 3 * x : x < 7 ? 100 + 2 * (x - 3) : 0);
        }
    }

    /// @dev A parameter of at most 8 places.
    function instantiate(uint256[] memory lengths) external pure {
        bytes memory head = abi.encodePacked(uint16(3), uint8(1), uint8(0), uint16(22), uint16(29), uint16(29));
        head = abi.encodePacked(head, uint16(29), uint16(29), uint16(29), uint16(29), uint16(29), uint16(29));
        bytes memory axes = abi.encodePacked(uint16(1), uint8(1), uint32(8));
        Programs.instantiate(abi.encodePacked(head, axes, uint32(0)), lengths, "");
    }

    function test_lengthsAreAtMostThoseOfTheirAxes() external {
        uint256[] memory lengths = new uint256[](1);
        lengths[0] = 8;
        this.instantiate(lengths);
        lengths[0] = 12;
        vm.expectRevert(Programs.ProofInstance.selector);
        this.instantiate(lengths);
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.instantiate(new uint256[](0));
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.instantiate(new uint256[](2));
    }

    function withValues(bytes memory values) external pure returns (uint256) {
        bytes memory head = abi.encodePacked(uint16(3), uint8(0), uint8(0), uint16(22), uint16(22), uint16(22));
        head = abi.encodePacked(head, uint16(22), uint16(22), uint16(22), uint16(22), uint16(22), uint16(22));
        return Programs.instantiate(abi.encodePacked(head, uint64(0)), new uint256[](0), values).values.length;
    }

    /// @dev Cut anywhere but at both ends, with a byte more, or with a count that nothing is behind: no lists.
    function test_listsOfValuesAreWhole() external {
        uint256[][] memory lists = new uint256[][](3);
        (lists[0], lists[2]) = (new uint256[](2), new uint256[](1));
        bytes memory whole = encodeValues(lists);
        vm.assertEq(this.withValues(whole), 3);
        vm.assertEq(this.withValues(""), 0);
        for (uint256 size = 1; size < whole.length; ++size) {
            bytes memory less = bytes.concat(whole);
            assembly ("memory-safe") {
                mstore(less, size)
            }
            vm.expectRevert(Programs.ProgramInvalid.selector);
            this.withValues(less);
        }
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.withValues(abi.encodePacked(whole, uint8(0)));
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.withValues(abi.encodePacked(type(uint32).max));
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.withValues(abi.encodePacked(uint32(1), type(uint32).max));
    }
}
