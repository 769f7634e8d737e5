// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P, ZERO, pack, reduce} from "../src/verifier/Fp3.sol";
import {Programs} from "../src/verifier/Program.sol";
import {Reduction} from "../src/verifier/Reduction.sol";
import {Random} from "./Random.sol";
import {StageHarness, programOf} from "./StageHarness.sol";
import {vm} from "./Vm.sol";

/// @notice The gathering of claims on tensors over two axes of two places, or over the first of them, by an honest prover
/// that knows the cells.
contract GatheringTest {
    uint256 private constant POINT = 6;
    uint256 private constant MOST_TENSORS = 4;
    uint256 private constant MOST_CLAIMS = 5;

    struct Tensor {
        bool both;
        /// The cell of places x and y is number 2 y + x.
        Fp3[4] cells;
        /// Of each claim the challenges that are its coordinates.
        uint256[2][] points;
    }

    StageHarness private harness = new StageHarness();

    function encoded(Fp3 a) private pure returns (bytes memory) {
        return abi.encodePacked(uint192(pack(a)));
    }

    /// @dev Along a line, and eq of a coordinate and a point.
    function between(Fp3 a, Fp3 b, Fp3 x) private pure returns (Fp3) {
        return reduce(a + x * reduce(b - a));
    }

    function eq(Fp3 z, Fp3 x) private pure returns (Fp3) {
        return between(reduce(ONE - z), z, x);
    }

    function valueAt(Tensor memory t, Fp3 x, Fp3 y) private pure returns (Fp3) {
        Fp3 low = between(t.cells[0], t.cells[1], x);
        return t.both ? between(low, between(t.cells[2], t.cells[3], x), y) : low;
    }

    function draw(Random memory random) private pure returns (Tensor[] memory tensors) {
        tensors = new Tensor[](1 + random.below(MOST_TENSORS));
        for (uint256 i = 0; i < tensors.length; ++i) {
            tensors[i].both = random.below(2) == 1;
            for (uint256 k = 0; k < 4; ++k) {
                tensors[i].cells[k] = random.element();
            }
            tensors[i].points = new uint256[2][](1 + random.below(MOST_CLAIMS));
            for (uint256 k = 0; k < tensors[i].points.length; ++k) {
                tensors[i].points[k] = [random.below(POINT), random.below(POINT)];
            }
        }
    }

    function claimsOn(Tensor[] memory tensors) private pure returns (uint256 count) {
        for (uint256 i = 0; i < tensors.length; ++i) {
            count += tensors[i].points.length;
        }
    }

    /// @dev Node 0 is 1, node 1 + 6 a + k is eq of the gathering's coordinate of axis a and challenge k.
    function nodes() private pure returns (bytes memory section) {
        bytes memory bodies = hex"00";
        section = abi.encodePacked(uint16(1 + 2 * POINT), uint16(0));
        for (uint256 i = 0; i < 2 * POINT; ++i) {
            section = abi.encodePacked(section, uint16(bodies.length));
            bodies = abi.encodePacked(bodies, uint8(4), uint16(POINT + i / POINT), uint16(i % POINT));
        }
        section = bytes.concat(section, bodies);
    }

    /// @dev Weights number 1 to 6 are those of the first axis, 7 + 6 a + b of its coordinate a and the other one's b.
    function weights() private pure returns (bytes memory list) {
        list = abi.encodePacked(uint16(POINT + POINT * POINT));
        for (uint256 a = 0; a < POINT; ++a) {
            list = abi.encodePacked(list, uint16(0), uint16(1 + a));
        }
        for (uint256 i = 0; i < POINT * POINT; ++i) {
            list = abi.encodePacked(list, uint16(1 + i / POINT), uint16(1 + POINT + i % POINT));
        }
    }

    function stage(Tensor[] memory tensors) private pure returns (bytes memory code) {
        uint256 given = claimsOn(tensors);
        code = abi.encodePacked(uint8(0), uint16(given), uint16(0), uint16(tensors.length));
        // The axes occur together: the second lies behind the first.
        code = abi.encodePacked(code, uint8(2), uint32(0x00020101), uint32(0x01020100), uint16(0), weights());
        code = abi.encodePacked(code, uint16(tensors.length));
        uint256 claim = 0;
        for (uint256 i = 0; i < tensors.length; ++i) {
            Tensor memory t = tensors[i];
            // The constants are 1, 2 and 4.
            code = abi.encodePacked(
                code, uint16(given + i), t.both ? uint16(2) : uint16(1), uint16(0), uint16(t.points.length)
            );
            for (uint256 k = 0; k < t.points.length; ++k) {
                uint256 weight = t.both ? 1 + POINT + POINT * t.points[k][0] + t.points[k][1] : 1 + t.points[k][0];
                code = abi.encodePacked(code, uint16(claim++), uint16(weight));
            }
        }
        // Nothing of public values.
        code = abi.encodePacked(code, uint32(0));
    }

    function program(Tensor[] memory tensors) private pure returns (bytes memory) {
        bytes memory coordinates = abi.encodePacked(uint16(POINT + 2));
        for (uint256 i = 0; i < POINT; ++i) {
            coordinates = abi.encodePacked(coordinates, uint64(0x0200010000000000) | uint64(i << 24));
        }
        coordinates = abi.encodePacked(coordinates, uint64(0x0400010000000000), uint64(0x0401010001000000));
        uint256 claims = claimsOn(tensors) + tensors.length;
        bytes memory only = stage(tensors);
        bytes[9] memory sections = [
            abi.encodePacked(uint16(2), uint40(2), uint40(2)),
            abi.encodePacked(uint16(3), uint64(1), uint64(2), uint64(4)),
            coordinates,
            nodes(),
            abi.encodePacked(uint16(0)),
            abi.encodePacked(uint32(0), uint8(0)),
            abi.encodePacked(uint8(1), uint16(only.length), only),
            abi.encodePacked(uint16(0)),
            abi.encodePacked(uint16(claims), new bytes(claims))
        ];
        return programOf(sections);
    }

    function valuesOf(Tensor[] memory tensors, Fp3[] memory point) private pure returns (Fp3[] memory values) {
        values = new Fp3[](claimsOn(tensors));
        uint256 next = 0;
        for (uint256 i = 0; i < tensors.length; ++i) {
            for (uint256 k = 0; k < tensors[i].points.length; ++k) {
                uint256[2] memory at_ = tensors[i].points[k];
                values[next++] = valueAt(tensors[i], point[at_[0]], point[at_[1]]);
            }
        }
    }

    /// @dev A round's message: of the product of eq(z, X) and a line the constant and the coefficient of X^2.
    function addRound(Fp3[2] memory sent, Fp3 weight, Fp3 z, Fp3 at0, Fp3 at1) private pure {
        sent[0] = reduce(sent[0] + weight * reduce((ONE - z) * at0));
        sent[1] = reduce(sent[1] + weight * reduce(reduce(z + z - ONE) * reduce(at1 - at0)));
    }

    function firstRound(Tensor[] memory tensors, Fp3[] memory point, Fp3 join)
        private
        pure
        returns (Fp3[2] memory sent)
    {
        Fp3 power = ONE;
        for (uint256 i = 0; i < tensors.length; ++i) {
            for (uint256 k = 0; k < tensors[i].points.length; ++k) {
                (Fp3 z, Fp3 y) = (point[tensors[i].points[k][0]], point[tensors[i].points[k][1]]);
                addRound(sent, power, z, valueAt(tensors[i], ZERO, y), valueAt(tensors[i], ONE, y));
                power = power * join;
            }
        }
    }

    function secondRound(Tensor[] memory tensors, Fp3[] memory point, Fp3 join, Fp3 r)
        private
        pure
        returns (Fp3[2] memory sent)
    {
        Fp3 half = Fp3.wrap(((P + 1) / 2) << 160);
        Fp3 power = ONE;
        for (uint256 i = 0; i < tensors.length; ++i) {
            for (uint256 k = 0; k < tensors[i].points.length; ++k) {
                Fp3 weight = power * eq(point[tensors[i].points[k][0]], r);
                // A tensor without the second axis has the same at both of its places: half of it.
                if (!tensors[i].both) {
                    sent[0] = reduce(sent[0] + weight * (half * valueAt(tensors[i], r, ZERO)));
                } else {
                    addRound(
                        sent,
                        weight,
                        point[tensors[i].points[k][1]],
                        valueAt(tensors[i], r, ZERO),
                        valueAt(tensors[i], r, ONE)
                    );
                }
                power = power * join;
            }
        }
    }

    function check(Tensor[] memory tensors, Random memory random) private {
        Fp3[] memory point = random.elements(POINT);
        bytes memory code = program(tensors);
        Fp3[] memory given = valuesOf(tensors, point);
        (Fp3 join,) = harness.challenges("");
        Fp3[2] memory sent = firstRound(tensors, point, join);
        bytes memory part = bytes.concat(encoded(sent[0]), encoded(sent[1]));
        (, Fp3[] memory r) = harness.challenges(part);
        sent = secondRound(tensors, point, join, r[0]);
        part = bytes.concat(part, encoded(sent[0]), encoded(sent[1]));
        (, r) = harness.challenges(part);
        for (uint256 i = 0; i < tensors.length; ++i) {
            part = bytes.concat(part, encoded(valueAt(tensors[i], r[0], r[1])));
        }
        (Fp3[] memory found, uint256 used) = harness.run(code, point, given, part);
        vm.assertEq(used, part.length);
        for (uint256 i = 0; i < tensors.length; ++i) {
            vm.assertEq(Fp3.unwrap(found[given.length + i]), Fp3.unwrap(valueAt(tensors[i], r[0], r[1])));
        }
        // Another claim, another round, another value, and none.
        uint256 other = random.below(given.length);
        given[other] = reduce(given[other] + ONE);
        expectSum(code, point, given, part);
        given[other] = reduce(given[other] - ONE);
        uint256 word = 8 * random.below(part.length / 8) + 7;
        part[word] ^= 0x01;
        expectSum(code, point, given, part);
        vm.expectRevert(abi.encodeWithSelector(Reduction.ProofTruncated.selector, 0));
        harness.run(code, point, given, new bytes(part.length - 1));
    }

    function expectSum(bytes memory code, Fp3[] memory point, Fp3[] memory given, bytes memory part) private {
        vm.expectRevert(abi.encodeWithSelector(Reduction.ProofSum.selector, 0));
        harness.run(code, point, given, part);
    }

    /// forge-config: long.fuzz.runs = 2000
    function testFuzz_oneClaimIsMadeOfAllOnATensor(uint256 seed) external {
        Random memory random = Random(seed);
        check(draw(random), random);
    }

    /// @dev A weight is made of earlier ones, and of nodes that there are.
    function test_weightsAreMadeOfEarlierOnes() external {
        Random memory random = Random(1);
        Tensor[] memory tensors = draw(random);
        bytes memory code = program(tensors);
        // Behind the stage's head, places and equations: the first weight.
        bytes memory list = weights();
        uint256 place = 0;
        bytes32 wanted = keccak256(list);
        while (hashAt(code, place, list.length) != wanted) ++place;
        code[place + 3] = 0x01;
        bytes memory part = new bytes(96 + 24 * tensors.length);
        vm.expectRevert(Programs.ProgramInvalid.selector);
        harness.run(code, new Fp3[](POINT), new Fp3[](claimsOn(tensors)), part);
        code[place + 3] = 0x00;
        code[place + 5] = bytes1(uint8(1 + 2 * POINT));
        vm.expectRevert(Programs.ProgramInvalid.selector);
        harness.run(code, new Fp3[](POINT), new Fp3[](claimsOn(tensors)), part);
    }

    function hashAt(bytes memory code, uint256 place, uint256 length) private pure returns (bytes32 hash) {
        require(place + length <= code.length, "not found");
        assembly ("memory-safe") {
            hash := keccak256(add(add(code, 32), place), length)
        }
    }
}
