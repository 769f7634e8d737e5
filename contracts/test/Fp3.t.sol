// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Fp3,
    ONE,
    P,
    ZERO,
    eqOf,
    eqTable,
    equal,
    fromBase,
    isCanonical,
    pack,
    pow,
    powerWeight,
    basePowerWeight,
    unpack
} from "../src/verifier/Fp3.sol";
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
        vm.assertTrue(equal(a.neg() + a, ZERO), "negative");
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
}
