// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P, ZERO, eqOf, pack, reduce} from "../src/verifier/Fp3.sol";
import {Programs, SOURCE_LOOKUP} from "../src/verifier/Program.sol";
import {Reduction} from "../src/verifier/Reduction.sol";
import {Cursor, StateBytes} from "../src/verifier/StateBytes.sol";
import {Random} from "./Random.sol";
import {StageHarness, programOf} from "./StageHarness.sol";
import {vm} from "./Vm.sol";

/// @notice Stages: sums of products whose nodes are known or not, and rounds, compared with what they are by definition.
contract ReductionTest {
    /// @dev Not that of the gathering.
    uint8 private constant STAGE = 1;
    uint256 private constant NODES = 12;
    /// @dev Claims before the stage, and those that it defines.
    uint256 private constant GIVEN = 5;
    uint256 private constant DEFINED = 6;
    uint256 private constant POINT = 6;
    uint256 private constant MOST_PRODUCTS = 4;
    uint256 private constant MOST_FACTORS = 4;

    StageHarness private harness = new StageHarness();

    function encoded(Fp3 a) private pure returns (bytes memory) {
        return abi.encodePacked(uint192(pack(a)));
    }

    /// @dev One axis of two places, whose coordinates are the lookup argument's challenges, one after the other.
    function program(bytes memory constants, bytes memory nodes, bytes memory stage, uint256 claims)
        private
        pure
        returns (bytes memory)
    {
        bytes memory axes = abi.encodePacked(uint16(1), uint8(0), uint32(2));
        bytes memory coordinates = abi.encodePacked(uint16(POINT));
        for (uint256 i = 0; i < POINT; ++i) {
            coordinates =
                abi.encodePacked(coordinates, uint8(SOURCE_LOOKUP), uint8(0), uint8(1), uint8(0), uint8(i), uint24(0));
        }
        bytes[9] memory sections = [
            axes,
            constants,
            coordinates,
            nodes,
            abi.encodePacked(uint16(0)),
            abi.encodePacked(uint32(0), uint8(0)),
            abi.encodePacked(uint8(1), uint16(stage.length), stage),
            abi.encodePacked(uint16(0)),
            abi.encodePacked(uint16(claims), new bytes(claims))
        ];
        return programOf(sections);
    }

    /// @dev Node 0 is 1, those of the first half are products of later ones, the others eq of two coordinates.
    function drawNodes(Random memory random, Fp3[] memory point)
        private
        pure
        returns (bytes memory section, Fp3[] memory values)
    {
        values = new Fp3[](NODES);
        bytes memory offsets = "";
        bytes[] memory each = new bytes[](NODES);
        values[0] = ONE;
        each[0] = hex"00";
        for (uint256 i = NODES - 1; i > 0; --i) {
            bool product = i < NODES / 2;
            uint256 a = product ? i + 1 + random.below(NODES - 1 - i) : random.below(POINT);
            uint256 b = product ? i + 1 + random.below(NODES - 1 - i) : random.below(POINT);
            values[i] = product ? values[a] * values[b] : reduce(eqOf(point[a], point[b]));
            each[i] = abi.encodePacked(product ? uint8(1) : uint8(4), uint16(a), uint16(b));
        }
        bytes memory bodies = "";
        for (uint256 i = 0; i < NODES; ++i) {
            offsets = abi.encodePacked(offsets, uint16(bodies.length));
            bodies = bytes.concat(bodies, each[i]);
        }
        section = bytes.concat(abi.encodePacked(uint16(NODES)), offsets, bodies);
    }

    /// @dev A sum of products of a constant, a node and claims before this one, and its value.
    function drawSum(
        Random memory random,
        uint256[4] memory constants,
        Fp3[] memory nodes,
        Fp3[] memory claims,
        uint256 before
    ) private pure returns (bytes memory sum, Fp3 value) {
        uint256 count = random.below(MOST_PRODUCTS + 1);
        sum = abi.encodePacked(uint16(count));
        value = ZERO;
        for (; count > 0; --count) {
            uint256 factors = random.below(MOST_FACTORS + 1);
            uint256 constant_ = random.below(4);
            uint256 node = random.below(3) == 0 ? 0 : random.below(NODES);
            sum = abi.encodePacked(sum, uint8(factors), uint16(constant_), uint16(node));
            Fp3 product = nodes[node].scale(constants[constant_]);
            for (; factors > 0; --factors) {
                uint256 claim = random.below(before);
                sum = abi.encodePacked(sum, uint16(claim));
                product = product * claims[claim];
            }
            value = reduce(value + product);
        }
    }

    /// @dev The first sum finds no node known, later ones some: those that are not are computed, whatever comes before them
    /// in the sum.
    function testFuzz_definitionsHoldForTheirSums(uint256 seed) external view {
        Random memory random = Random(seed);
        Fp3[] memory point = random.elements(POINT);
        (bytes memory section, Fp3[] memory nodes) = drawNodes(random, point);
        uint256[4] memory constants = [uint256(1), P - 1, random.below(P), random.below(P)];
        Fp3[] memory claims = new Fp3[](GIVEN + DEFINED);
        bytes memory stage = abi.encodePacked(STAGE, uint16(GIVEN), uint16(DEFINED), uint16(0), uint8(0));
        stage = abi.encodePacked(stage, uint16(DEFINED));
        bytes memory part = "";
        for (uint256 i = 0; i < GIVEN; ++i) {
            claims[i] = random.element();
        }
        for (uint256 i = GIVEN; i < GIVEN + DEFINED; ++i) {
            bytes memory sum;
            (sum, claims[i]) = drawSum(random, constants, nodes, claims, i);
            stage = bytes.concat(stage, abi.encodePacked(uint16(i)), sum);
            part = bytes.concat(part, encoded(claims[i]));
        }
        stage = abi.encodePacked(stage, uint16(0));
        bytes memory list = abi.encodePacked(
            uint16(4), uint64(constants[0]), uint64(constants[1]), uint64(constants[2]), uint64(constants[3])
        );
        bytes memory code = program(list, section, stage, GIVEN + DEFINED);
        (Fp3[] memory found, uint256 used) = harness.run(code, point, firstOf(claims), part);
        vm.assertEq(used, part.length);
        vm.assertEq(keccak256(abi.encode(found)), keccak256(abi.encode(claims)));
        // Another value is not that of its definition, whichever word differs.
        uint256 place = random.below(part.length / 8) * 8 + 7;
        part[place] ^= 0x01;
        (bool accepted,) =
            address(harness).staticcall(abi.encodeCall(harness.run, (code, point, firstOf(claims), part)));
        vm.assertTrue(!accepted, "another value");
    }

    function firstOf(Fp3[] memory claims) private pure returns (Fp3[] memory first) {
        first = new Fp3[](GIVEN);
        for (uint256 i = 0; i < GIVEN; ++i) {
            first[i] = claims[i];
        }
    }

    /// @dev A sum whose last product names a node that there is not: of what lies behind the values in memory, zero is no
    /// value either.
    function test_sumsNameNodesThatThereAre() external {
        bytes memory stage = abi.encodePacked(STAGE, uint16(0), uint16(1), uint16(0), uint8(0), uint16(1), uint16(0));
        stage = abi.encodePacked(stage, uint16(2), uint40(0), uint8(0), uint16(0), uint16(0xffff), uint16(0));
        bytes memory code = program(hex"00010000000000000001", hex"0001000000", stage, 1);
        vm.expectRevert(Programs.ProgramInvalid.selector);
        harness.run(code, new Fp3[](POINT), new Fp3[](0), encoded(ONE));
    }

    /// @dev Coordinates name challenges that there are, and no more than their axis has.
    function test_coordinatesNameChallengesThatThereAre() external {
        bytes memory stage = abi.encodePacked(STAGE, uint16(0), uint16(1), uint16(0), uint8(0), uint16(1), uint16(0));
        stage = abi.encodePacked(stage, uint16(1), uint8(0), uint16(0), uint16(0), uint16(0));
        bytes memory node = abi.encodePacked(uint16(1), uint16(0), uint8(4), uint16(0), uint16(POINT - 1));
        bytes memory code = program(hex"00010000000000000001", node, stage, 1);
        // eq of zeros.
        harness.run(code, new Fp3[](POINT), new Fp3[](0), encoded(ONE));
        vm.expectRevert(Programs.ProgramInvalid.selector);
        harness.run(code, new Fp3[](POINT - 1), new Fp3[](0), encoded(ONE));
        // Behind head, axis, constants, and the number of coordinates: those of the first ones.
        vm.assertEq(uint8(code[43]), 1);
        code[43] = 0x02;
        vm.expectRevert(Programs.ProgramInvalid.selector);
        harness.run(code, new Fp3[](POINT), new Fp3[](0), encoded(ONE));
    }

    /// @dev What lies behind a list stays as it is, as memory behind a state is others'.
    function test_listsAreWrittenWithinTheirBytes() external pure {
        Cursor memory cursor;
        bytes memory to = abi.encodePacked(type(uint256).max, type(uint256).max);
        assembly ("memory-safe") {
            mstore(cursor, add(to, 32))
        }
        Fp3[] memory list = new Fp3[](1);
        StateBytes.writeList(cursor, list);
        vm.assertEq(keccak256(to), keccak256(abi.encodePacked(uint192(0), type(uint64).max, type(uint256).max)));
    }

    /// @dev A stage of one round, of which claim 0 is the sum and claim 1, twice, what is summed.
    function roundProgram(uint256 degree) private pure returns (bytes memory) {
        bytes memory stage = abi.encodePacked(STAGE, uint16(1), uint16(0), uint16(1));
        stage = abi.encodePacked(stage, uint8(1), uint8(0), uint8(degree), uint8(0), uint16(0));
        stage = abi.encodePacked(stage, uint16(1), uint16(0), uint16(1), uint8(1), uint16(1), uint16(0), uint16(1));
        bytes memory constants = abi.encodePacked(uint16(2), uint64(1), uint64(2));
        return program(constants, hex"0001000000", stage, 2);
    }

    /// @dev h(r) of h(0), the coefficients from X^2 on, and h(0) + h(1).
    function atPoint(Fp3[] memory sent, Fp3 sum, Fp3 r) private pure returns (Fp3 value) {
        Fp3 linear = sum;
        for (uint256 k = 0; k < sent.length; ++k) {
            linear = reduce(linear - (k == 0 ? sent[0] + sent[0] : sent[k]));
        }
        value = reduce(sent[0] + linear * r);
        Fp3 power = r;
        for (uint256 k = 1; k < sent.length; ++k) {
            power = power * r;
            value = reduce(value + sent[k] * power);
        }
    }

    function roundOf(Fp3[] memory sent) private pure returns (bytes memory part) {
        for (uint256 k = 0; k < sent.length; ++k) {
            part = bytes.concat(part, encoded(sent[k]));
        }
    }

    function checkRound(Random memory random, uint256 degree) private {
        Fp3[] memory sent = random.elements(degree);
        Fp3[] memory claims = new Fp3[](1);
        claims[0] = random.element();
        bytes memory part = roundOf(sent);
        Fp3 value = atPoint(sent, claims[0], harness.challengeOf(part, degree));
        bytes memory code = roundProgram(degree);
        (Fp3[] memory found, uint256 used) =
            harness.run(code, new Fp3[](POINT), claims, bytes.concat(part, encoded(value)));
        vm.assertEq(used, 24 * degree + 24);
        vm.assertEq(Fp3.unwrap(found[1]), Fp3.unwrap(value));
        vm.expectRevert(abi.encodeWithSelector(Reduction.ProofSum.selector, STAGE));
        harness.run(code, new Fp3[](POINT), claims, bytes.concat(part, encoded(reduce(value + ONE))));
        vm.expectRevert(abi.encodeWithSelector(Reduction.ProofTruncated.selector, STAGE));
        harness.run(code, new Fp3[](POINT), claims, part);
    }

    function testFuzz_roundsOfAnyDegree(uint256 seed) external {
        Random memory random = Random(seed);
        checkRound(random, 1 + random.below(8));
    }

    /// @dev The sums of a round stay within their limbs.
    function test_roundsOfTheLargestDegree() external {
        checkRound(Random(1), 255);
        bytes memory part = "";
        Fp3[] memory sent = new Fp3[](255);
        for (uint256 k = 0; k < 255; ++k) {
            sent[k] = Fp3.wrap((P - 1) * ((1 << 160) | (1 << 80) | 1));
        }
        part = roundOf(sent);
        Fp3[] memory claims = new Fp3[](1);
        Fp3 value = atPoint(sent, ZERO, harness.challengeOf(part, 255));
        harness.run(roundProgram(255), new Fp3[](POINT), claims, bytes.concat(part, encoded(value)));
    }

    /// @dev Each word of a round and of the value behind it: p and more stand for what smaller words do.
    function test_roundsAreCanonical() external {
        Fp3[] memory claims = new Fp3[](1);
        for (uint256 degree = 1; degree <= 5; ++degree) {
            bytes memory code = roundProgram(degree);
            for (uint256 word = 0; word < 3 * degree + 3; ++word) {
                vm.expectRevert(abi.encodeWithSelector(Reduction.ProofSum.selector, STAGE));
                harness.run(code, new Fp3[](POINT), claims, withWord(degree, word, uint64(P - 1)));
                vm.expectRevert(abi.encodeWithSelector(Reduction.ProofNonCanonical.selector, STAGE));
                harness.run(code, new Fp3[](POINT), claims, withWord(degree, word, uint64(P)));
                vm.expectRevert(abi.encodeWithSelector(Reduction.ProofNonCanonical.selector, STAGE));
                harness.run(code, new Fp3[](POINT), claims, withWord(degree, word, type(uint64).max));
            }
        }
    }

    /// @dev The bytes of such a stage, words of which all but one are their number.
    function withWord(uint256 degree, uint256 place, uint64 value) private pure returns (bytes memory part) {
        for (uint256 word = 0; word < 3 * degree + 3; ++word) {
            part = abi.encodePacked(part, word == place ? value : uint64(word + 1));
        }
    }

    function test_roundsHaveDegrees() external {
        vm.expectRevert(Programs.ProgramInvalid.selector);
        harness.run(roundProgram(0), new Fp3[](POINT), new Fp3[](1), new bytes(48));
    }
}
