// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CARRIES,
    Fp3,
    LIMB,
    ONE,
    P,
    TO_CARRY,
    ZERO,
    bindTwo,
    elementAt,
    eqOf,
    equal,
    fromBase,
    horner,
    isCanonical,
    mulAdd,
    mulAdd2,
    pack,
    pow,
    powerTable,
    powerTableSize,
    powerWeight,
    scaledEqTable,
    spread,
    tablePowerWeight,
    unpack
} from "../src/verifier/Fp3.sol";
import {Scratch} from "../src/verifier/Scratch.sol";
import {basePowerWeight, eqTable} from "./PlainFp3.sol";
import {vm} from "./Vm.sol";

/// @dev Against schoolbook arithmetic on three residues.
contract Fp3Test {
    struct Ref {
        uint256 c0;
        uint256 c1;
        uint256 c2;
    }

    function toRef(Fp3 a) private pure returns (Ref memory) {
        uint256 words = pack(a.reduce());
        return Ref(words >> 128, (words >> 64) % 2 ** 64, words % 2 ** 64);
    }

    function refMul(Ref memory a, Ref memory b) private pure returns (Ref memory) {
        return Ref(
            (a.c0 * b.c0 + 2 * (a.c1 * b.c2 + a.c2 * b.c1)) % P,
            (a.c0 * b.c1 + a.c1 * b.c0 + 2 * a.c2 * b.c2) % P,
            (a.c0 * b.c2 + a.c1 * b.c1 + a.c2 * b.c0) % P
        );
    }

    function same(Fp3 a, Ref memory b) private pure {
        Ref memory r = toRef(a);
        vm.assertEq(r.c0, b.c0, "c0");
        vm.assertEq(r.c1, b.c1, "c1");
        vm.assertEq(r.c2, b.c2, "c2");
    }

    /// @dev Edge values as often as random ones.
    function sample(uint256 seed) private pure returns (Fp3) {
        uint256 words = 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 h = uint256(keccak256(abi.encode(seed, i)));
            uint256 kind = h % 8;
            uint256 value = kind == 0 ? 0 : kind == 1 ? 1 : kind == 2 ? P - 1 : kind == 3 ? 2 ** 32 : (h >> 8) % P;
            words = (words << 64) | value;
        }
        return unpack(words);
    }

    function testFuzz_arithmetic(uint256 s, uint256 t) external pure {
        Fp3 a = sample(s);
        Fp3 b = sample(t);
        Ref memory x = toRef(a);
        Ref memory y = toRef(b);
        same(a + b, Ref((x.c0 + y.c0) % P, (x.c1 + y.c1) % P, (x.c2 + y.c2) % P));
        same(a - b, Ref((x.c0 + P - y.c0) % P, (x.c1 + P - y.c1) % P, (x.c2 + P - y.c2) % P));
        same(a * b, refMul(x, y));
        // Operands that are sums and differences.
        same((a + b) * (a - b), refMul(toRef(a + b), toRef(a - b)));
        uint256 k = uint256(keccak256(abi.encode(s, t))) % P;
        same(a.scale(k), refMul(x, Ref(k, 0, 0)));
        vm.assertTrue(equal(ZERO - a + a, ZERO), "negative");
        vm.assertTrue(isCanonical(pack(a)), "canonical");
        vm.assertEq(pack(unpack(pack(a))), pack(a));
    }

    /// @dev At the end of what may be added and subtracted.
    function test_sumsUpToTheirLimit() external pure {
        Fp3 most = unpack(((P - 1) << 128) | ((P - 1) << 64) | (P - 1));
        Fp3 sum = ZERO;
        for (uint256 i = 0; i < 2 ** 14; ++i) {
            sum = sum + most;
        }
        // -1 times 2^14.
        uint256 expected = P - 2 ** 14;
        same(sum, Ref(expected, expected, expected));
        same(ZERO - sum, Ref(2 ** 14, 2 ** 14, 2 ** 14));
        same((most - sum) * (most + sum), refMul(toRef(most - sum), toRef(most + sum)));
    }

    function test_canonicalIsBelowP() external pure {
        for (uint256 limb = 0; limb < 3; ++limb) {
            vm.assertTrue(isCanonical((P - 1) << (64 * limb)), "p - 1");
            vm.assertTrue(!isCanonical(P << (64 * limb)), "p");
            vm.assertTrue(!isCanonical((P + 1) << (64 * limb)), "p + 1");
            vm.assertTrue(!isCanonical((2 ** 64 - 1) << (64 * limb)), "2^64 - 1");
        }
    }

    function testFuzz_tablesAndPowers(uint256 s) external pure {
        Fp3[] memory point = new Fp3[](5);
        for (uint256 b = 0; b < 5; ++b) {
            point[b] = sample(s ^ (b + 1));
        }
        Fp3[] memory table = eqTable(point, 1, 3);
        for (uint256 x = 0; x < 8; ++x) {
            Fp3 product = ONE;
            for (uint256 b = 0; b < 3; ++b) {
                product = product * eqOf(point[1 + b], (x >> b) & 1 == 1 ? ONE : ZERO);
            }
            vm.assertTrue(equal(product, table[x]), "eq");
        }
        // sum over x of eq(r, x) z^x
        Fp3 z = sample(~s);
        uint256 k = (uint256(keccak256(abi.encode(s))) % (P - 1)) + 1;
        Fp3 sum = ZERO;
        Fp3 baseSum = ZERO;
        Fp3[] memory eq = eqTable(point, 3, 2);
        for (uint256 x = 0; x < 4; ++x) {
            sum = sum + eq[x] * pow(z, x);
            baseSum = baseSum + eq[x] * pow(fromBase(k), x);
        }
        vm.assertTrue(equal(sum, powerWeight(z, point, 2)), "power");
        vm.assertTrue(equal(baseSum, basePowerWeight(k, point, 2)), "power of the base field");
    }

    /// @dev The largest limb that `mul` takes.
    uint256 private constant WIDE = LIMB >> 1;

    /// @dev Limbs of up to 79 bits, the largest as often as others.
    function wide(uint256 seed) private pure returns (Fp3 a) {
        uint256 word = 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 h = uint256(keccak256(abi.encode("wide", seed, i)));
            word = (word << 80) | (h % 4 == 0 ? WIDE : (h >> 8) & WIDE);
        }
        return Fp3.wrap(word);
    }

    /// @dev Limbs as large as they may be as often as others.
    function testFuzz_bindTwo(uint256 s) external pure {
        Fp3 r = wide(s);
        Fp3 a = upTo(s ^ 1, P << 14);
        Fp3 b = upTo(s ^ 2, (P << 15) - 1);
        Fp3 c = upTo(s ^ 3, P << 14);
        Fp3 d = upTo(s ^ 4, (P << 15) - 1);
        (Fp3 e, Fp3 f) = bindTwo(r, a, b, c, d);
        reduced(e);
        reduced(f);
        vm.assertTrue(equal(e, a.reduce() + r * (b.reduce() - a.reduce())), "first");
        vm.assertTrue(equal(f, c.reduce() + r * (d.reduce() - c.reduce())), "second");
    }

    function upTo(uint256 seed, uint256 most) private pure returns (Fp3 a) {
        uint256 word = 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 h = uint256(keccak256(abi.encode("up to", seed, i)));
            word = (word << 80) | (h % 3 == 0 ? most : h % 3 == 1 ? 0 : (h >> 8) % most);
        }
        return Fp3.wrap(word);
    }

    /// @dev powerWeight on limbs of any 79 bits against plain operations.
    function testFuzz_powerWeightOfWideLimbs(uint256 s) external pure {
        Fp3[] memory point = new Fp3[](3);
        for (uint256 b = 0; b < 3; ++b) {
            point[b] = s == 0 ? Fp3.wrap((WIDE << 160) | (WIDE << 80) | WIDE) : wide(s ^ (b + 1));
        }
        Fp3 z = s == 0 ? point[0] : wide(~s);
        Fp3 expected = ONE;
        Fp3 power = z.reduce();
        for (uint256 b = 0; b < 3; ++b) {
            expected = expected * (ONE + (power - ONE) * point[b]);
            power = power * power;
        }
        Fp3 weight = powerWeight(z, point, 3);
        reduced(weight);
        vm.assertTrue(equal(weight, expected), "weight");
        vm.assertTrue(equal(powerWeight(z, point, 0), ONE), "no coordinate");
    }

    function reduced(Fp3 a) private pure {
        vm.assertEq(Fp3.unwrap(a), Fp3.unwrap(a.reduce()), "reduced");
    }

    /// @dev Fused operations on limbs of any 79 bits against the plain ones.
    function testFuzz_fused(uint256 s) external pure {
        checkFused(wide(s), wide(s ^ 1), wide(s ^ 2), wide(s ^ 3), wide(s ^ 4));
    }

    function test_fusedAtTheirLimit() external pure {
        Fp3 most = Fp3.wrap((WIDE << 160) | (WIDE << 80) | WIDE);
        checkFused(most, most, most, most, most);
        checkFused(ZERO, ZERO, ZERO, ZERO, most);
        checkFused(most, ZERO, ONE, most, ZERO);
    }

    function checkFused(Fp3 a, Fp3 b, Fp3 c, Fp3 d, Fp3 e) private pure {
        Fp3 one = mulAdd(a, b, e);
        reduced(one);
        vm.assertTrue(equal(one, a * b + e.reduce()), "one product");
        Fp3 two = mulAdd2(a, b, c, d, e);
        reduced(two);
        vm.assertTrue(equal(two, a * b + c * d + e.reduce()), "two products");
        Fp3[] memory list = new Fp3[](3);
        (list[0], list[1], list[2]) = (a, b, c);
        Fp3 value = horner(list, d, e);
        reduced(value);
        vm.assertTrue(equal(value, a.reduce() + b.reduce() * d + c * d * d + e * d * d * d), "polynomial");
        vm.assertTrue(equal(horner(new Fp3[](0), d, e), e), "no coefficient");
    }

    function testFuzz_scaledEqTable(uint256 s) external pure {
        Fp3[] memory point = new Fp3[](6);
        for (uint256 b = 0; b < 6; ++b) {
            point[b] = s == 0 ? (ZERO - ONE).reduce() : sample(s ^ (b + 1));
        }
        Fp3 factor = sample(~s);
        checkScaledEqTable(point, factor, 1, 5);
        checkScaledEqTable(point, factor, 6, 0);
    }

    function checkScaledEqTable(Fp3[] memory point, Fp3 factor, uint256 first, uint256 count) private pure {
        Fp3[] memory plain = eqTable(point, first, count);
        uint256 table = Scratch.take(32 << count);
        uint256 limbs = Scratch.take(96 << count);
        scaledEqTable(table, factor, point, first, count);
        spread(table, 1 << count, limbs);
        for (uint256 x = 0; x < 1 << count; ++x) {
            Fp3 entry = Fp3.wrap(wordAt(table + 32 * x));
            vm.assertTrue(equal(entry, plain[x] * factor), "entry");
            uint256 a = wordAt(limbs + 96 * x);
            uint256 b = wordAt(limbs + 96 * x + 32);
            uint256 c = wordAt(limbs + 96 * x + 64);
            vm.assertEq((a << 160) | (b << 80) | c, Fp3.unwrap(entry), "limbs");
            vm.assertTrue(a <= (count + 1) * P && b <= (count + 1) * P && c <= (count + 1) * P, "bound");
        }
    }

    function wordAt(uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    /// @dev Seed 0 has the largest limbs and the largest point.
    function testFuzz_tablePowerWeight(uint256 s) external pure {
        Fp3[] memory point = new Fp3[](7);
        for (uint256 b = 0; b < 7; ++b) {
            point[b] = s == 0 ? unpack(((P - 1) << 128) | ((P - 1) << 64) | (P - 1)) : sample(s ^ (b + 1));
        }
        uint256 z = s == 0 ? P - 1 : (uint256(keccak256(abi.encode(s))) % (P - 1)) + 1;
        for (uint256 count = 0; count <= 7; ++count) {
            uint256 table = Scratch.take(powerTableSize(count));
            powerTable(table, point, count);
            Fp3 weight = tablePowerWeight(table, table + powerTableSize(count), z);
            reduced(weight);
            vm.assertTrue(equal(weight, basePowerWeight(z, point, count)), "weight");
            vm.assertTrue(
                equal(tablePowerWeight(table, table + powerTableSize(count), 1), ONE), "weight of the powers of 1"
            );
        }
    }

    function test_carriesAreThoseOfWordsFromP() external view {
        for (uint256 limb = 0; limb < 3; ++limb) {
            for (uint256 i = 0; i < 5; ++i) {
                uint256 word = [uint256(0), P - 1, P, P + 1, 2 ** 64 - 1][i];
                // The other words are as large as they may be.
                uint256 words = ((P - 1) << 128) | ((P - 1) << 64) | (P - 1);
                words = (words & ~((2 ** 64 - 1) << (64 * limb))) | (word << (64 * limb));
                Fp3 a = this.readElement(abi.encodePacked(uint192(words), uint64(2 ** 64 - 1)));
                vm.assertEq(Fp3.unwrap(a), Fp3.unwrap(unpack(words)), "element");
                vm.assertTrue(((Fp3.unwrap(a) + TO_CARRY) & CARRIES == 0) == isCanonical(words), "carries");
            }
        }
    }

    function readElement(bytes calldata encoded) external pure returns (Fp3) {
        uint256 place;
        assembly ("memory-safe") {
            place := encoded.offset
        }
        return elementAt(place);
    }
}
