// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, reduce} from "../src/verifier/Fp3.sol";
import {Packing} from "../src/verifier/Packing.sol";
import {Program, Programs, SOURCES, SOURCE_LOOKUP} from "../src/verifier/Program.sol";
import {Weights} from "../src/verifier/Weights.sol";
import {Layout, cellsWeight, jointColumns, layOut, tensorWeight} from "./PlainPacking.sol";
import {Random} from "./Random.sol";
import {Limits, RandomProgram, Sketch, packingOf} from "./RandomProgram.sol";
import {vm} from "./Vm.sol";

/// @notice What claims on committed tensors weigh, compared with sums over pieces and over cells.
contract WeightsTest {
    using RandomProgram for Sketch;

    uint256 private constant MOST_LOG_COLUMNS = 20;

    /// @dev The point that a list of coordinates stands for.
    function pointOf(Sketch memory s, uint256[] memory coordinates) private pure returns (Fp3[][] memory point) {
        point = new Fp3[][](coordinates.length);
        for (uint256 k = 0; k < point.length; ++k) {
            point[k] = s.coordinates[coordinates[k]];
        }
    }

    function power(Fp3 base, uint256 exponent) private pure returns (Fp3 product) {
        product = ONE;
        for (; exponent > 0; --exponent) {
            product = product * base;
        }
    }

    /// @dev Each claim by itself, with the powers behind those of the two commitments.
    function expected(Sketch memory s, Layout memory laid, Fp3[] memory opened, Fp3 join, bool byCells)
        private
        pure
        returns (Fp3 sum)
    {
        for (uint256 i = 0; i < s.points.length; ++i) {
            Fp3[][] memory point = pointOf(s, s.points[i]);
            for (uint256 k = 0; k < s.claimed[i].length; ++k) {
                uint256 tensor = s.claimed[i][k];
                Fp3 weight =
                    byCells ? cellsWeight(laid, opened, tensor, point) : tensorWeight(laid, opened, tensor, point);
                sum = sum + power(join, 2 + s.numbers[i][k]) * weight;
            }
        }
    }

    function check(Random memory random, Sketch memory s, uint256 logRows, bool byCells) private pure {
        Program memory p = s.instantiate();
        Packing memory packing = packingOf(p, logRows, MOST_LOG_COLUMNS);
        Layout memory laid = layOut(s.shapes(), s.modelTensors, logRows);
        Fp3[] memory opened = random.elements(jointColumns(laid) + logRows);
        Fp3 join = random.element();
        Fp3 found = Weights.joined(p, packing, opened, logRows, join);
        vm.assertEq(Fp3.unwrap(found), Fp3.unwrap(reduce(expected(s, laid, opened, join, byCells))));
    }

    /// forge-config: long.fuzz.runs = 2000
    function testFuzz_weightsAreSumsOverPieces(uint256 seed) external pure {
        Random memory random = Random(seed);
        Sketch memory s = RandomProgram.sketch(random, Limits(0, 4, 4096, 24, 16, 0));
        check(random, s, random.below(10), false);
    }

    /// forge-config: long.fuzz.runs = 2000
    function testFuzz_weightsAreSumsOverCells(uint256 seed) external pure {
        Random memory random = Random(seed);
        Sketch memory s = RandomProgram.sketch(random, Limits(0, 4, 36, 12, 8, 0));
        check(random, s, random.below(5), true);
    }

    /// @dev Axes of points are compared as one word, up to 16 of them.
    /// forge-config: long.fuzz.runs = 2000
    function testFuzz_weightsOfManyAxes(uint256 seed) external pure {
        Random memory random = Random(seed);
        Sketch memory s = RandomProgram.sketch(random, Limits(15, 18, 256, 8, 8, 0));
        check(random, s, random.below(6), false);
    }

    /// @dev Nearly as large as the commitment may be: cells have numbers of up to 48 bits.
    /// forge-config: long.fuzz.runs = 2000
    function testFuzz_weightsOfLargeTensors(uint256 seed) external pure {
        Random memory random = Random(seed);
        Sketch memory s = RandomProgram.sketch(random, Limits(0, 4, 1 << 44, 8, 8, 29));
        check(random, s, 27 + random.below(4), false);
    }

    /// @dev Points of two axes of length 11, 8 + 2 + 1, each coordinates being used at one point, and some at one more: a
    /// dozen weights of an axis's piece at each, of which only some are kept.
    function test_moreWeightsOfAxesThanAreKept() external pure {
        uint256 points = 140;
        Random memory random = Random(11);
        Sketch memory s = squares(random, 11, 240, points);
        for (uint256 i = 0; i < points; ++i) {
            s.points[i] = pair(2 * i % 240, (2 * i + 1) % 240);
            s.numbers[i][0] = points - 1 - i;
            s.claimed[i][0] = i % 2;
        }
        check(random, s, 4, false);
    }

    /// @dev A tensor of model and witness each, of two axes of one length of at most 16, that many coordinates, and points
    /// with a claim on the first tensor at each, all at the same coordinates.
    function squares(Random memory random, uint256 length, uint256 coordinates, uint256 points)
        private
        pure
        returns (Sketch memory s)
    {
        (s.lengths, s.sources) = (pair(length, length), new uint256[](2));
        s.tensors = new uint256[][](2);
        (s.tensors[0], s.tensors[1]) = (pair(0, 1), pair(0, 1));
        s.modelTensors = 1;
        s.vectors = new Fp3[][](SOURCES);
        s.vectors[SOURCE_LOOKUP] = random.elements(256);
        runs(s, coordinates);
        s.claims = points;
        (s.points, s.numbers, s.claimed) = (new uint256[][](points), new uint256[][](points), new uint256[][](points));
        for (uint256 i = 0; i < points; ++i) {
            s.points[i] = pair(0, 1);
            (s.numbers[i], s.claimed[i]) = (new uint256[](1), new uint256[](1));
        }
    }

    function pair(uint256 a, uint256 b) private pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (a, b);
    }

    /// @dev Coordinates number c: four challenges of the lookup argument from number c on, of axis 0 and 1 in turn.
    function runs(Sketch memory s, uint256 count) private pure {
        s.axes = new uint256[](count);
        s.entries = new bytes8[](count);
        s.coordinates = new Fp3[][](count);
        for (uint256 c = 0; c < count; ++c) {
            s.axes[c] = c % 2;
            s.entries[c] = bytes8(uint64((SOURCE_LOOKUP << 56) | (s.axes[c] << 48) | (4 << 40) | (c << 24)));
            s.coordinates[c] = new Fp3[](4);
            for (uint256 b = 0; b < 4; ++b) {
                s.coordinates[c][b] = s.vectors[SOURCE_LOOKUP][c + b];
            }
        }
    }

    /// @dev The weights of a program at any point, outside, so that it may revert.
    function weigh(Sketch memory s, uint256 logRows, uint256 variables) external pure {
        Program memory p = s.instantiate();
        Packing memory packing = packingOf(p, logRows, MOST_LOG_COLUMNS);
        Weights.joined(p, packing, new Fp3[](variables), logRows, ONE);
    }

    function expectInvalid(Sketch memory s, uint256 logRows, uint256 variables) private {
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.weigh(s, logRows, variables);
    }

    /// @dev Coordinates 1 of four challenges: the last ones that there are, one more than there are, and more than the axis
    /// has coordinates.
    function test_coordinatesBeyondTheChallengesOrTheAxisAreRefused() external {
        Sketch memory s = squares(Random(1), 11, 2, 1);
        uint256 entry = (SOURCE_LOOKUP << 56) | (1 << 48);
        s.entries[1] = bytes8(uint64(entry | (4 << 40) | (252 << 24)));
        this.weigh(s, 4, 8);
        s.entries[1] = bytes8(uint64(entry | (4 << 40) | (253 << 24)));
        expectInvalid(s, 4, 8);
        s.entries[1] = bytes8(uint64(entry | (5 << 40)));
        expectInvalid(s, 4, 8);
    }

    /// @dev 9 pieces of the tensors that there are, and 27 of what has these axes and one of them once more.
    function test_pointsOfMorePiecesThanAnyTensorHasAreRefused() external {
        Sketch memory s = squares(Random(2), 11, 2, 1);
        this.weigh(s, 4, 8);
        s.points[0] = new uint256[](3);
        expectInvalid(s, 4, 8);
    }

    function test_coordinatesAndVariablesAreLimited() external {
        Sketch memory s = squares(Random(3), 16, 2, 1);
        this.weigh(s, 47, 48);
        expectInvalid(s, 47, 49);
        this.weighOf(s, 4096);
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.weighOf(s, 4097);
    }

    /// @dev As if the program had more coordinates behind those that its points name.
    function weighOf(Sketch memory s, uint256 coordinates) external pure {
        Program memory p = s.instantiate();
        p.points = new uint256[](coordinates);
        Weights.joined(p, packingOf(p, 0, MOST_LOG_COLUMNS), new Fp3[](9), 0, ONE);
    }
}
