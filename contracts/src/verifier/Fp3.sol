// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The prime of the base field, 2^64 - 2^32 + 1 (Goldilocks).
uint256 constant P = 0xffffffff00000001;

/// @dev Spacing of an element's limbs, in bits.
uint256 constant LIMB_BITS = 80;
uint256 constant LIMB = (1 << 80) - 1;
uint256 constant WORD = (1 << 64) - 1;
/// @dev 2^14 p in each limb: what a subtraction adds so that no limb becomes negative.
uint256 constant MULTIPLE_OF_P = (P << 14) * ((1 << 160) | (1 << 80) | 1);

/// @notice An element c0 + c1 X + c2 X^2 of F_p[X] / (X^3 - 2), c0 in the highest of three limbs of 80 bits.
/// @dev A limb stands for its residue and need not be below p: sums are single additions, and `mul` and `reduce` take
/// limbs of up to 80 bits. Invariant, which callers keep: a limb is at most 2^14 p where it is subtracted, hence at most
/// 2^14 summands that `mul` or `reduce` has returned, and below 2^15 p everywhere. Comparisons need `reduce` first.
type Fp3 is uint256;

using {add as +, sub as -, mul as *, reduce, isZero, scale, neg} for Fp3 global;

Fp3 constant ZERO = Fp3.wrap(0);
Fp3 constant ONE = Fp3.wrap(1 << 160);

function add(Fp3 a, Fp3 b) pure returns (Fp3 c) {
    assembly ("memory-safe") {
        c := add(a, b)
    }
}

/// @dev Of b's limbs none is above 2^14 p; of the result none above 2^14 p plus a's.
function sub(Fp3 a, Fp3 b) pure returns (Fp3 c) {
    uint256 offset = MULTIPLE_OF_P;
    assembly ("memory-safe") {
        c := add(a, sub(offset, b))
    }
}

function neg(Fp3 a) pure returns (Fp3) {
    return sub(ZERO, a);
}

/// @dev Limbs of up to 80 bits; reduced. Products have at most 160 bits, and five of them are added.
function mul(Fp3 a, Fp3 b) pure returns (Fp3 c) {
    assembly ("memory-safe") {
        let a0 := shr(160, a)
        let a1 := and(shr(80, a), 0xffffffffffffffffffff)
        let a2 := and(a, 0xffffffffffffffffffff)
        let b0 := shr(160, b)
        let b1 := and(shr(80, b), 0xffffffffffffffffffff)
        let b2 := and(b, 0xffffffffffffffffffff)
        c := or(
            or(
                shl(160, mod(add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1)))), 0xffffffff00000001)),
                shl(80, mod(add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2))), 0xffffffff00000001))
            ),
            mod(add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)), 0xffffffff00000001)
        )
    }
}

/// @dev Times an element of the base field, given by any number of up to 128 bits; reduced.
function scale(Fp3 a, uint256 b) pure returns (Fp3 c) {
    assembly ("memory-safe") {
        c := or(
            or(
                shl(160, mod(mul(shr(160, a), b), 0xffffffff00000001)),
                shl(80, mod(mul(and(shr(80, a), 0xffffffffffffffffffff), b), 0xffffffff00000001))
            ),
            mod(mul(and(a, 0xffffffffffffffffffff), b), 0xffffffff00000001)
        )
    }
}

/// @dev The same element, each limb below p.
function reduce(Fp3 a) pure returns (Fp3) {
    return scale(a, 1);
}

function isZero(Fp3 a) pure returns (bool) {
    return Fp3.unwrap(reduce(a)) == 0;
}

function equal(Fp3 a, Fp3 b) pure returns (bool) {
    return Fp3.unwrap(reduce(a)) == Fp3.unwrap(reduce(b));
}

/// @dev An element of the base field in the extension.
function fromBase(uint256 a) pure returns (Fp3) {
    return Fp3.wrap((a % P) << 160);
}

/// @dev From three words of 64 bits in the low 192 bits, as elements are encoded; nothing is checked.
function unpack(uint256 words) pure returns (Fp3 a) {
    assembly ("memory-safe") {
        a := or(
            or(shl(160, shr(128, words)), shl(80, and(shr(64, words), 0xffffffffffffffff))),
            and(words, 0xffffffffffffffff)
        )
    }
}

/// @dev The encoding of an element whose limbs are below p, in the low 192 bits.
function pack(Fp3 a) pure returns (uint256 words) {
    assembly ("memory-safe") {
        words := or(or(shl(128, shr(160, a)), shl(64, and(shr(80, a), 0xffffffffffffffff))), and(a, 0xffffffffffffffff))
    }
}

/// @dev Whether each of the three words of 64 bits in the low 192 bits is below p.
function isCanonical(uint256 words) pure returns (bool good) {
    assembly ("memory-safe") {
        good := and(
            and(
                lt(shr(128, words), 0xffffffff00000001),
                lt(and(shr(64, words), 0xffffffffffffffff), 0xffffffff00000001)
            ),
            lt(and(words, 0xffffffffffffffff), 0xffffffff00000001)
        )
    }
}

/// @dev 1 - a and a: the factor of a point's coordinate at the bits 0 and 1.
function atBit(Fp3 a, uint256 bit) pure returns (Fp3) {
    return bit == 0 ? ONE - a : a;
}

/// @dev b to the power of an exponent; square and multiply.
function pow(Fp3 b, uint256 exponent) pure returns (Fp3 power) {
    power = ONE;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1 != 0) power = power * b;
        b = b * b;
    }
}

/// @dev sum over b of eq(a_b, b_b) of one coordinate: 1 - a - b + 2 a b.
function eqOf(Fp3 a, Fp3 b) pure returns (Fp3) {
    Fp3 product = a * b;
    return ONE + product + product - (a + b);
}

/// @dev Product over b of (1 - r_b + r_b z^(2^b)) for z of the base field: the extension of x -> z^x at r, which are the
/// last `count` of a list.
function basePowerWeight(uint256 z, Fp3[] memory point, uint256 count) pure returns (Fp3 product) {
    product = ONE;
    for (uint256 i = point.length - count; i < point.length; ++i) {
        // z - 1 is at least 0: no position of a domain has the point 0.
        product = product * (ONE + scale(point[i], z - 1));
        z = mulmod(z, z, P);
    }
}

/// @dev The same for z of the extension.
function powerWeight(Fp3 z, Fp3[] memory point, uint256 count) pure returns (Fp3 product) {
    product = ONE;
    for (uint256 i = point.length - count; i < point.length; ++i) {
        product = product * (ONE + (z - ONE) * point[i]);
        z = z * z;
    }
}

/// @dev The values eq(r, x), x in [2^count], r the `count` entries of a list from `first` on; variable 0 lowest.
function eqTable(Fp3[] memory point, uint256 first, uint256 count) pure returns (Fp3[] memory table) {
    table = new Fp3[](1 << count);
    table[0] = ONE;
    for (uint256 b = 0; b < count; ++b) {
        uint256 half = 1 << b;
        Fp3 r = point[first + b];
        for (uint256 x = 0; x < half; ++x) {
            Fp3 high = table[x] * r;
            table[half + x] = high;
            table[x] = reduce(table[x] - high);
        }
    }
}

/// @dev Changes the length of a list within what was allocated for it.
function setLength(Fp3[] memory list, uint256 length) pure {
    assembly ("memory-safe") {
        mstore(list, length)
    }
}
