// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, P} from "./Fp3.sol";

// What inner loops need of Fp3 in one piece: fewer reductions, no checks of indices.

/// @notice acc * (1 - a - b + 2 a b): a coordinate's factor of eq. Limbs of up to 80 bits; reduced.
/// @dev The inner product is not reduced: its limbs have at most 5 * 2^160, twice that with the linear part below 2^164,
/// which is made positive by 2^18 p > 2 * 2^80. Times limbs of 80 bits, five of these: below 2^247.
function mulEq(Fp3 acc, Fp3 a, Fp3 b) pure returns (Fp3 product) {
    assembly ("memory-safe") {
        let f0
        let f1
        let f2
        {
            let a0 := shr(160, a)
            let a1 := and(shr(80, a), 0xffffffffffffffffffff)
            let a2 := and(a, 0xffffffffffffffffffff)
            let b0 := shr(160, b)
            let b1 := and(shr(80, b), 0xffffffffffffffffffff)
            let b2 := and(b, 0xffffffffffffffffffff)
            // 2^18 p, and 1 more in the first limb.
            f0 := sub(
                add(0x3fffffffc000000040001, shl(1, add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1)))))),
                add(a0, b0)
            )
            f1 := sub(
                add(0x3fffffffc000000040000, shl(1, add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2))))),
                add(a1, b1)
            )
            f2 := sub(
                add(0x3fffffffc000000040000, shl(1, add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)))),
                add(a2, b2)
            )
        }
        let c0 := shr(160, acc)
        let c1 := and(shr(80, acc), 0xffffffffffffffffffff)
        let c2 := and(acc, 0xffffffffffffffffffff)
        product := or(
            or(
                shl(160, mod(add(mul(c0, f0), shl(1, add(mul(c1, f2), mul(c2, f1)))), 0xffffffff00000001)),
                shl(80, mod(add(add(mul(c0, f1), mul(c1, f0)), shl(1, mul(c2, f2))), 0xffffffff00000001))
            ),
            mod(add(add(mul(c0, f2), mul(c1, f1)), mul(c2, f0)), 0xffffffff00000001)
        )
    }
}

/// @notice Element i of a list, which has one.
function element(Fp3[] memory list, uint256 i) pure returns (Fp3 value) {
    assembly ("memory-safe") {
        value := mload(add(list, add(32, shl(5, i))))
    }
}

/// @notice Likewise of numbers.
function numberAt(uint256[] memory list, uint256 i) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := mload(add(list, add(32, shl(5, i))))
    }
}

/// @notice Sets number i of a list, which has one.
function setNumber(uint256[] memory list, uint256 i, uint256 value) pure {
    assembly ("memory-safe") {
        mstore(add(list, add(32, shl(5, i))), value)
    }
}

/// @notice Sets element i of a list, which has one.
function setElement(Fp3[] memory list, uint256 i, Fp3 value) pure {
    assembly ("memory-safe") {
        mstore(add(list, add(32, shl(5, i))), value)
    }
}

/// @notice 2^exponent modulo p.
function powerOfTwo(uint256 exponent) pure returns (uint256 power) {
    power = 1;
    for (; exponent >= 64; exponent -= 64) {
        power = mulmod(power, 2 ** 64, P);
    }
    return mulmod(power, 1 << exponent, P);
}
