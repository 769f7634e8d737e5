// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P, ZERO, equal, fromBase} from "../src/verifier/Fp3.sol";
import {Nodes} from "../src/verifier/Nodes.sol";
import {Program, Programs, SOURCE_LOOKUP} from "../src/verifier/Program.sol";
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
        bytes memory head = abi.encodePacked(uint16(1), uint8(0), uint8(0), uint16(at0), uint16(at1), uint16(at2));
        head = abi.encodePacked(head, uint16(at3), uint16(rest), uint16(rest), uint16(rest), uint16(rest), uint16(rest));
        p = Programs.instantiate(abi.encodePacked(head, sections), new uint256[](0), new uint256[][](0));
        Fp3[] memory point = new Fp3[](bits);
        for (uint256 b = 0; b < bits; ++b) {
            point[b] = (x >> b) & 1 == 1 ? ONE : ZERO;
        }
        p.vectors[SOURCE_LOOKUP] = point;
    }

    function expectNode(uint256 length, bytes memory node, uint256 x, uint256 expected) private pure {
        Program memory p = program(length, node, x);
        vm.assertTrue(equal(Nodes.nodeOf(p, 0), fromBase(expected)), vm.toString(x));
        vm.assertTrue(equal(Nodes.nodeOf(p, 0), fromBase(expected)), "kept");
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
        bytes memory node = abi.encodePacked(uint8(13), uint8(0), uint16(0), uint8(2));
        node = abi.encodePacked(node, uint32(3), uint16(1), uint16(2), uint32(4), uint16(3), uint16(4));
        for (uint256 x = 0; x < 8; ++x) {
            expectNode(7, node, x, x < 3 ? P + 7 - 3 * x : x < 7 ? 100 + 2 * (x - 3) : 0);
        }
    }
}
