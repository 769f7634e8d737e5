// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P, ZERO, atBit, fromBase, reduce} from "../src/verifier/Fp3.sol";
import {Program, Programs, SOURCE_LOOKUP} from "../src/verifier/Program.sol";
import {PublicValues} from "../src/verifier/PublicValues.sol";
import {Random} from "./Random.sol";
import {programOf} from "./StageHarness.sol";
import {encodeValues} from "./Values.sol";
import {vm} from "./Vm.sol";

/// @notice What claims on tensors of public values are worth, compared with what they are by definition.
contract PublicValuesTest {
    uint256 private constant NEVER = 0;
    uint256 private constant LENGTH = 1;
    uint256 private constant POWER = 2;
    uint256 private constant LISTS = 3;
    uint256 private constant CLAIMS = 4;

    /// @dev Of a claim: whether it is a sum, the numbers of its power and weight, and which point of the last axis it has.
    struct Claim {
        bool below;
        uint256 power;
        uint256 weight;
        uint256 point;
    }

    struct Reading {
        uint256 list;
        uint256 digits;
        uint256 beyond;
        uint256 constant_;
        Claim[] claims;
    }

    struct World {
        uint256 rows;
        uint256 columns;
        uint256 length;
        uint256[][] values;
        uint256 points;
        /// The gathering's point, then `points` ones of the last axis.
        Fp3[] point;
        Fp3[] weights;
        Fp3[] powers;
        Reading[] readings;
    }

    function bitsOf(uint256 length) private pure returns (uint256 bits) {
        while (1 << bits < length) ++bits;
    }

    /// @dev Coordinates of the places.
    function ownBits(World memory w) private pure returns (uint256) {
        return bitsOf(w.columns) + bitsOf(w.rows);
    }

    function axesOf(World memory w) private pure returns (bytes memory) {
        return
            abi.encodePacked(
                uint16(3), uint8(0), uint32(w.rows), uint8(0), uint32(w.length), uint8(0), uint32(w.columns)
            );
    }

    /// @dev An axis' coordinates, so many from one of the vector on.
    function entry(uint256 axis, uint256 count, uint256 first) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(SOURCE_LOOKUP), uint8(axis), uint8(count), uint8(0), uint8(first), uint24(0));
    }

    function coordinatesOf(World memory w) private pure returns (bytes memory coordinates) {
        uint256 own = ownBits(w);
        uint256 last = bitsOf(w.length);
        uint256 inRow = bitsOf(w.columns);
        coordinates = abi.encodePacked(uint16(2 + w.points), entry(0, own - inRow, inRow));
        for (uint256 i = 0; i < w.points; ++i) {
            coordinates = abi.encodePacked(coordinates, entry(1, last, own + i * last));
        }
        return abi.encodePacked(coordinates, entry(2, inRow, 0));
    }

    /// @dev Axis 0 is the rows of the places, axis 1 the last one, axis 2 the columns. The first coordinates and
    /// the last ones are the gathering's, those between points of the last axis; all lie in the lookup argument's vector.
    function program(World memory w) private pure returns (Program memory p) {
        bytes[9] memory sections = [
            axesOf(w),
            abi.encodePacked(uint16(2), uint64(1), uint64(1000)),
            coordinatesOf(w),
            abi.encodePacked(uint16(1), uint16(0), uint8(0)),
            abi.encodePacked(uint16(0)),
            abi.encodePacked(uint32(0), uint8(0)),
            abi.encodePacked(uint8(0)),
            abi.encodePacked(uint16(0)),
            abi.encodePacked(uint16(CLAIMS * LISTS), new bytes(CLAIMS * LISTS))
        ];
        p = Programs.instantiate(programOf(sections), new uint256[](0), encodeValues(w.values));
        p.vectors[SOURCE_LOOKUP] = w.point;
    }

    function encode(World memory w) private pure returns (bytes memory code) {
        uint256 count = 0;
        for (uint256 i = 0; i < w.readings.length; ++i) {
            Reading memory r = w.readings[i];
            code = abi.encodePacked(code, uint8(2), uint8(0), uint16(0), uint8(2), uint16(1 + w.points));
            code = abi.encodePacked(code, uint16(r.constant_), uint16(0));
            code = abi.encodePacked(code, uint8(r.list), uint8(r.digits), uint8(1), uint8(r.beyond));
            code = abi.encodePacked(code, uint16(r.claims.length));
            for (uint256 k = 0; k < r.claims.length; ++k) {
                Claim memory c = r.claims[k];
                code = abi.encodePacked(code, uint16(count++), uint16(c.power), uint16(c.weight));
                code = abi.encodePacked(code, uint16(1 + c.point), uint8(c.below ? 1 : 0));
            }
        }
        code = abi.encodePacked(uint16(count), uint16(w.readings.length), code);
    }

    function found(World memory w) private pure returns (Fp3) {
        Program memory p = program(w);
        bytes memory code = encode(w);
        uint256 place;
        assembly ("memory-safe") {
            place := add(code, 32)
        }
        return reduce(PublicValues.joinedSums(p, place, w.weights, w.powers));
    }

    /// @dev eq(r, x) of some coordinates.
    function eqAt(Fp3[] memory point, uint256 first, uint256 count, uint256 x) private pure returns (Fp3 product) {
        product = ONE;
        for (uint256 b = 0; b < count; ++b) {
            product = product * atBit(point[first + b], (x >> b) & 1);
        }
    }

    /// @dev eq of a place, row by row.
    function eqOfPlace(World memory w, uint256 place) private pure returns (Fp3) {
        uint256 inRow = bitsOf(w.columns);
        return eqAt(w.point, 0, inRow, place % w.columns) * eqAt(w.point, inRow, bitsOf(w.rows), place / w.columns);
    }

    /// @dev eq and the sum of smaller ones at a digit, which may be the number behind all others.
    function digitAt(World memory w, uint256 first, uint256 bits, uint256 digit)
        private
        pure
        returns (Fp3 equal, Fp3 smaller)
    {
        if (digit < 1 << bits) equal = eqAt(w.point, first, bits, digit);
        for (uint256 e = 0; e < digit; ++e) {
            smaller = reduce(smaller + eqAt(w.point, first, bits, e));
        }
    }

    /// @dev What a claim is worth: digit by digit the extensions of eq and of sums at the gathering's point.
    function worth(World memory w, Reading memory r, Claim memory c) private pure returns (Fp3 value) {
        uint256 own = ownBits(w);
        uint256[] memory list = w.values[r.list];
        if (r.digits == 0) {
            for (uint256 i = 0; i < list.length; ++i) {
                value = reduce(value + eqOfPlace(w, i) * fromBase(list[i]));
            }
            return value;
        }
        uint256 bits = bitsOf(w.length);
        uint256 width = (bits + r.digits - 1) / r.digits;
        value = c.below ? ZERO : ONE;
        uint256 low = 0;
        for (uint256 d = 0; d < r.digits; ++d) {
            uint256 digitBits = d + 1 == r.digits || bits - low < width ? bits - low : width;
            Fp3 equal;
            Fp3 smaller;
            for (uint256 i = 0; i < list.length; ++i) {
                uint256 x = list[i];
                if (r.beyond != NEVER && x >= w.length) x = r.beyond == LENGTH ? w.length : 1 << bits;
                x >>= low;
                if (d + 1 < r.digits) x &= (1 << digitBits) - 1;
                (Fp3 e, Fp3 s) = digitAt(w, own + c.point * bits + low, digitBits, x);
                Fp3 eq = eqOfPlace(w, i);
                equal = reduce(equal + eq * e);
                smaller = reduce(smaller + eq * s);
            }
            value = c.below ? reduce(equal * value + smaller) : equal * value;
            low += digitBits;
        }
    }

    function expected(World memory w) private pure returns (Fp3 total) {
        for (uint256 i = 0; i < w.readings.length; ++i) {
            Reading memory r = w.readings[i];
            for (uint256 k = 0; k < r.claims.length; ++k) {
                Claim memory c = r.claims[k];
                Fp3 weight = w.weights[c.weight] * w.powers[c.power];
                if (r.constant_ == 1) weight = weight * fromBase(1000);
                total = reduce(total + weight * worth(w, r, c));
            }
        }
    }

    function draw(Random memory random, uint256 rows, uint256 columns, uint256 length)
        private
        pure
        returns (World memory w)
    {
        (w.rows, w.columns, w.length) = (rows, columns, length);
        w.points = 2;
        w.point = random.elements(ownBits(w) + 2 * bitsOf(length));
        w.weights = random.elements(CLAIMS);
        w.powers = random.elements(CLAIMS);
        w.values = new uint256[][](LISTS);
        w.readings = new Reading[](LISTS);
        // Values over one axis have as many digits.
        uint256 digits = 1 + random.below(3);
        for (uint256 i = 0; i < LISTS; ++i) {
            drawReading(random, w, i, digits);
        }
    }

    function drawReading(Random memory random, World memory w, uint256 i, uint256 digits) private pure {
        Reading memory r = w.readings[i];
        r.beyond = random.below(3);
        r.list = i;
        r.digits = random.below(4) == 0 ? 0 : digits;
        r.constant_ = random.below(2);
        drawValues(random, w, i);
        // As in the list before, but perhaps for one of them or for what it is that is beyond.
        if (i > 0 && random.below(3) == 0) repeat(random, w, i);
        r.claims = new Claim[](1 + random.below(CLAIMS));
        for (uint256 k = 0; k < r.claims.length; ++k) {
            r.claims[k] = Claim(random.below(2) == 1, random.below(CLAIMS), random.below(CLAIMS), random.below(2));
        }
    }

    function drawValues(Random memory random, World memory w, uint256 i) private pure {
        Reading memory r = w.readings[i];
        // Some of them beyond the axis.
        uint256 most = w.length + 3;
        if (r.beyond == NEVER) {
            // Of a fixed axis, whose digits follow from its coordinates: no digit is without one but the only one.
            uint256 bits = bitsOf(w.length);
            uint256 width = r.digits == 0 ? 0 : (bits + r.digits - 1) / r.digits;
            most = r.digits == 0 || (r.digits - 1) * width <= bits ? (1 << bits) + 1 : 1 << bits;
        }
        uint256[] memory values = new uint256[](w.rows * w.columns);
        w.values[i] = values;
        // All the same, or many equal ones in a row.
        uint256 rarely = [uint256(1), 1, 8, 1 << 32][random.below(4)];
        for (uint256 k = 0; k < values.length; ++k) {
            values[k] = k == 0 || random.below(rarely) == 0 ? random.below(most) : values[k - 1];
        }
    }

    function repeat(Random memory random, World memory w, uint256 i) private pure {
        (Reading memory r, Reading memory before) = (w.readings[i], w.readings[i - 1]);
        uint256[] memory values = w.values[i];
        uint256 other = random.below(2 * values.length);
        for (uint256 k = 0; k < values.length; ++k) {
            if (k != other) values[k] = w.values[i - 1][k];
        }
        r.digits = before.digits;
        if (before.beyond == NEVER || r.beyond == NEVER || random.below(2) == 0) r.beyond = before.beyond;
        if (r.beyond == NEVER && other < values.length) values[other] = w.values[i - 1][0];
    }

    /// forge-config: default.fuzz.runs = 64
    /// forge-config: long.fuzz.runs = 2000
    function testFuzz_claimsAreWorthWhatTheyAreByDefinition(uint256 seed) external pure {
        Random memory random = Random(seed);
        uint256 places = 1 << random.below(6);
        if (places >= 2 && random.below(2) == 0) places = places / 2 * 3;
        uint256 rows = 1 + random.below(4);
        uint256 most = [uint256(3), 20, 300][random.below(3)];
        World memory w = draw(random, rows, places, 1 + random.below(most));
        vm.assertEq(Fp3.unwrap(found(w)), Fp3.unwrap(expected(w)));
    }

    /// @dev More values than a block has: blocks are parts of an axis, a few rows, parts of a row, or as many as there are
    /// places, where rows are of lengths that nothing divides.
    function test_manyValues() external view {
        uint256[2][9] memory shapes = [
            [uint256(1), 1536],
            [uint256(1536), 1],
            [uint256(16), 48],
            [uint256(12), 64],
            [uint256(3), 512],
            [uint256(2), 1024],
            [uint256(96), 16],
            [uint256(5), 350],
            [uint256(350), 3]
        ];
        for (uint256 n = 0; n < shapes.length; ++n) {
            this.checkShape(shapes[n][0], shapes[n][1], n);
        }
    }

    /// @dev Outside, so that one's memory is not the next one's.
    function checkShape(uint256 rows, uint256 columns, uint256 seed) external pure {
        World memory w = draw(Random(seed), rows, columns, 5);
        for (uint256 i = 0; i < LISTS; ++i) {
            w.readings[i].digits = 2 * ((i + seed) % 2);
        }
        vm.assertEq(Fp3.unwrap(found(w)), Fp3.unwrap(expected(w)));
    }

    /// @dev Each claim at another point of the last axis, and again.
    function test_manyPoints() external pure {
        Random memory random = Random(13);
        World memory w = draw(random, 2, 3, 12);
        w.points = 50;
        w.point = random.elements(ownBits(w) + 50 * bitsOf(12));
        w.readings[0].digits = 2;
        w.readings[0].claims = new Claim[](100);
        for (uint256 i = 0; i < 100; ++i) {
            w.readings[0].claims[i] = Claim(i % 3 == 0, i % CLAIMS, i % 2, i % 50);
        }
        vm.assertEq(Fp3.unwrap(found(w)), Fp3.unwrap(expected(w)));
    }

    /// @dev More digits than coordinates: those without a bit are 0, whatever lies beyond the axis.
    function test_moreDigitsThanCoordinates() external pure {
        Random memory random = Random(5);
        for (uint256 length = 1; length <= 4; ++length) {
            for (uint256 digits = 1; digits <= 3; ++digits) {
                World memory w = draw(random, 1, 3, length);
                for (uint256 i = 0; i < LISTS; ++i) {
                    (w.readings[i].digits, w.readings[i].beyond) = (digits, 1 + random.below(2));
                    (w.values[i][0], w.values[i][1], w.values[i][2]) = (random.below(length), length, length + 7);
                    w.readings[i].claims[0].below = true;
                }
                vm.assertEq(Fp3.unwrap(found(w)), Fp3.unwrap(expected(w)));
            }
        }
    }

    /// @dev At a place itself a claim is the function of its value: one-hot and below, also where this is at the edges of
    /// digits and of the axis, or beyond.
    function test_atAPlaceItIsTheFunctionOfTheValue() external pure {
        uint256[14] memory lengths = [uint256(1), 2, 3, 15, 16, 17, 32, 33, 64, 65, 100, 128, 129, 256];
        Random memory random = Random(11);
        for (uint256 n = 0; n < lengths.length; ++n) {
            uint256 length = lengths[n];
            uint256 bits = bitsOf(length);
            for (uint256 digits = 1; digits <= 3; ++digits) {
                World memory w = draw(random, 1, 16, length);
                uint256 most = 1 << bits;
                uint256[16] memory edges = [
                    uint256(0),
                    length - 1,
                    length,
                    length + 1,
                    most - 1,
                    most,
                    most + 1,
                    2 * most,
                    type(uint64).max,
                    length / 2,
                    most / 2,
                    7,
                    8,
                    15,
                    16,
                    1 << 32
                ];
                for (uint256 i = 0; i < 16; ++i) {
                    w.values[0][i] = edges[i];
                }
                for (uint256 i = 0; i < 16; ++i) {
                    for (uint256 b = 0; b < 4; ++b) {
                        w.point[b] = (i >> b) & 1 == 1 ? ONE : ZERO;
                    }
                    expectFunction(w, digits, edges[i], bits);
                }
            }
        }
    }

    function expectFunction(World memory w, uint256 digits, uint256 value, uint256 bits) private pure {
        (w.weights[0], w.powers[0]) = (ONE, ONE);
        w.readings = new Reading[](1);
        for (uint256 kind = 0; kind < 2; ++kind) {
            Claim[] memory claims = new Claim[](1);
            claims[0] = Claim(kind == 1, 0, 0, 1);
            w.readings[0] = Reading(0, digits, kind == 1 ? LENGTH : POWER, 0, claims);
            Fp3 sum;
            for (uint256 u = 0; u < w.length; ++u) {
                if (kind == 1 ? u < value : u == value) sum = reduce(sum + eqAt(w.point, 4 + bits, bits, u));
            }
            vm.assertEq(Fp3.unwrap(found(w)), Fp3.unwrap(sum));
        }
    }

    function foundIn(World memory w) external pure returns (Fp3) {
        return found(w);
    }

    /// @dev A list that has not a value for each place; four digits.
    function test_readingsOfOtherListsAreRefused() external {
        World memory w = draw(Random(3), 2, 4, 20);
        w.readings[0].digits = 4;
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.foundIn(w);
        w.readings[0].digits = 2;
        w.values[0] = new uint256[](7);
        vm.expectRevert(Programs.ProgramInvalid.selector);
        this.foundIn(w);
    }
}
