// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The prime of the base field, 2^64 - 2^32 + 1 (Goldilocks).
uint256 constant P = 0xffffffff00000001;

/// @dev Bytes of an encoded element.
uint256 constant ELEMENT = 24;

/// @dev Spacing of an element's limbs, in bits.
uint256 constant LIMB_BITS = 80;
uint256 constant LIMB = (1 << 80) - 1;
uint256 constant WORD = (1 << 64) - 1;
/// @dev 2^14 p in each limb: what a subtraction adds so that no limb becomes negative.
uint256 constant MULTIPLE_OF_P = (P << 14) * ((1 << 160) | (1 << 80) | 1);

/// @notice An element c0 + c1 X + c2 X^2 of F_p[X] / (X^3 - 2), c0 in the highest of three limbs of 80 bits.
/// @dev A limb stands for its residue and need not be below p: sums are single additions, `mul` takes limbs below 2^79, and
/// `reduce` limbs of up to 80 bits. Invariant, which callers keep: a limb is at most 2^14 p where it is subtracted, hence at
/// most 2^14 summands that `mul` or `reduce` has returned, and below 2^15 p < 2^79 but where `reduce` or `scale` takes it.
/// Comparisons need `reduce` first.
///
/// `signextend(9, ..)` in assembly is the lowest 80 bits, of which the highest is 0. A mask does the same, but is a constant,
/// which the compiler has computed each time, by five instructions, where a contract has many of them.
type Fp3 is uint256;

using {add as +, sub as -, mul as *, reduce, isZero, scale} for Fp3 global;

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

/// @dev Limbs below 2^79; reduced. Products have at most 158 bits, and five of them are added.
function mul(Fp3 a, Fp3 b) pure returns (Fp3 c) {
    assembly ("memory-safe") {
        let a0 := shr(160, a)
        let a1 := signextend(9, shr(80, a))
        let a2 := signextend(9, a)
        let b0 := shr(160, b)
        let b1 := signextend(9, shr(80, b))
        let b2 := signextend(9, b)
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

/// @dev The same for z of the extension; limbs below 2^79.
function powerWeight(Fp3 z, Fp3[] memory point, uint256 count) pure returns (Fp3 product) {
    assembly ("memory-safe") {
        let place := add(point, shl(5, add(mload(point), 1)))
        let a0 := 1
        let a1 := 0
        let a2 := 0
        let z0 := shr(160, z)
        let z1 := and(shr(80, z), 0xffffffffffffffffffff)
        let z2 := and(z, 0xffffffffffffffffffff)
        for { count := shl(5, count) } count { count := sub(count, 32) } {
            let r2 := mload(sub(place, count))
            let r0 := shr(160, r2)
            let r1 := and(shr(80, r2), 0xffffffffffffffffffff)
            r2 := and(r2, 0xffffffffffffffffffff)
            // r (z - 1), z - 1 with limbs of up to 81 bits: sums of five products have less than 164 bits.
            let y0 := add(z0, 0xffffffff00000000)
            let t0 := add(mul(r0, y0), shl(1, add(mul(r1, z2), mul(r2, z1))))
            let t1 := add(add(mul(r0, z1), mul(r1, y0)), shl(1, mul(r2, z2)))
            let t2 := add(add(mul(r0, z2), mul(r1, z1)), mul(r2, y0))
            t0 := add(t0, 1)
            // Not reduced: times limbs below p, five times added, they have less than 231 bits.
            let s0 := add(mul(a0, t0), shl(1, add(mul(a1, t2), mul(a2, t1))))
            let s1 := add(add(mul(a0, t1), mul(a1, t0)), shl(1, mul(a2, t2)))
            a2 := mod(add(add(mul(a0, t2), mul(a1, t1)), mul(a2, t0)), 0xffffffff00000001)
            a0 := mod(s0, 0xffffffff00000001)
            a1 := mod(s1, 0xffffffff00000001)
            s0 := add(mul(z0, z0), shl(2, mul(z1, z2)))
            s1 := shl(1, add(mul(z0, z1), mul(z2, z2)))
            z2 := mod(add(shl(1, mul(z0, z2)), mul(z1, z1)), 0xffffffff00000001)
            z0 := mod(s0, 0xffffffff00000001)
            z1 := mod(s1, 0xffffffff00000001)
        }
        product := or(or(shl(160, a0), shl(80, a1)), a2)
    }
}

/// @dev Changes the length of a list within what was allocated for it.
function setLength(Fp3[] memory list, uint256 length) pure {
    assembly ("memory-safe") {
        mstore(list, length)
    }
}

/// @dev A list as bytes, 32 for each element, in its place: the list is none any more. Calls take bytes as they are, but of
/// a list one element after the other.
function toBytes(Fp3[] memory list) pure returns (bytes memory words) {
    assembly ("memory-safe") {
        mstore(list, shl(5, mload(list)))
        words := list
    }
}

/// @dev The list that some bytes, whole words, are, in their place.
function toList(bytes memory words) pure returns (Fp3[] memory list) {
    assembly ("memory-safe") {
        mstore(words, shr(5, mload(words)))
        list := words
    }
}

/// @dev 2^32 - 1 in each limb: what carries a word of 64 bits to bit 64 exactly if the word is p or more.
uint256 constant TO_CARRY = ((1 << 32) - 1) * ((1 << 160) | (1 << 80) | 1);
/// @dev Where the carries of a sum with TO_CARRY are.
uint256 constant CARRIES = ((1 << 160) | (1 << 80) | 1) << 64;

/// @dev The element whose encoding begins at `place` of the calldata. Nothing is checked: the word plus TO_CARRY has none
/// of the bits CARRIES exactly if the encoding is canonical.
function elementAt(uint256 place) pure returns (Fp3 a) {
    assembly ("memory-safe") {
        let words := calldataload(place)
        a := or(
            or(shl(160, shr(192, words)), shl(80, and(shr(128, words), 0xffffffffffffffff))),
            and(shr(64, words), 0xffffffffffffffff)
        )
    }
}

/// @dev a b + c; limbs below 2^79; reduced. Five products of 158 bits and one limb are added.
function mulAdd(Fp3 a, Fp3 b, Fp3 c) pure returns (Fp3 d) {
    assembly ("memory-safe") {
        let a0 := shr(160, a)
        let a1 := signextend(9, shr(80, a))
        let a2 := signextend(9, a)
        let b0 := shr(160, b)
        let b1 := signextend(9, shr(80, b))
        let b2 := signextend(9, b)
        d := shl(
            160,
            mod(add(add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1)))), shr(160, c)), 0xffffffff00000001)
        )
        d := or(
            d,
            shl(
                80,
                mod(
                    add(add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2))), signextend(9, shr(80, c))),
                    0xffffffff00000001
                )
            )
        )
        d := or(d, mod(add(add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)), signextend(9, c)), 0xffffffff00000001))
    }
}

/// @dev a b + c d + e; limbs below 2^79; reduced. Ten products of 158 bits and one limb are added.
function mulAdd2(Fp3 a, Fp3 b, Fp3 c, Fp3 d, Fp3 e) pure returns (Fp3 f) {
    assembly ("memory-safe") {
        let f0 := shr(160, e)
        let f1 := and(shr(80, e), 0xffffffffffffffffffff)
        let f2 := and(e, 0xffffffffffffffffffff)
        {
            let a0 := shr(160, a)
            let a1 := and(shr(80, a), 0xffffffffffffffffffff)
            let a2 := and(a, 0xffffffffffffffffffff)
            let b0 := shr(160, b)
            let b1 := and(shr(80, b), 0xffffffffffffffffffff)
            let b2 := and(b, 0xffffffffffffffffffff)
            f0 := add(f0, add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1)))))
            f1 := add(f1, add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2))))
            f2 := add(f2, add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)))
        }
        {
            let c0 := shr(160, c)
            let c1 := and(shr(80, c), 0xffffffffffffffffffff)
            let c2 := and(c, 0xffffffffffffffffffff)
            let d0 := shr(160, d)
            let d1 := and(shr(80, d), 0xffffffffffffffffffff)
            let d2 := and(d, 0xffffffffffffffffffff)
            f0 := add(f0, add(mul(c0, d0), shl(1, add(mul(c1, d2), mul(c2, d1)))))
            f1 := add(f1, add(add(mul(c0, d1), mul(c1, d0)), shl(1, mul(c2, d2))))
            f2 := add(f2, add(add(mul(c0, d2), mul(c1, d1)), mul(c2, d0)))
        }
        f := or(
            or(shl(160, mod(f0, 0xffffffff00000001)), shl(80, mod(f1, 0xffffffff00000001))),
            mod(f2, 0xffffffff00000001)
        )
    }
}

/// @dev a + r (b - a) and c + r (d - c), reduced; limbs of a and c at most 2^14 p, of b and d below 2^15 p, of r below
/// 2^79: those of the differences are below 2^80, and five products of 159 bits and one limb are added.
function bindTwo(Fp3 r, Fp3 a, Fp3 b, Fp3 c, Fp3 d) pure returns (Fp3 e, Fp3 f) {
    uint256 offset = MULTIPLE_OF_P;
    assembly ("memory-safe") {
        let r0 := shr(160, r)
        let r1 := and(shr(80, r), 0xffffffffffffffffffff)
        let r2 := and(r, 0xffffffffffffffffffff)
        {
            b := add(b, sub(offset, a))
            let b0 := shr(160, b)
            let b1 := and(shr(80, b), 0xffffffffffffffffffff)
            let b2 := and(b, 0xffffffffffffffffffff)
            e := or(
                or(
                    shl(
                        160,
                        mod(
                            add(add(mul(r0, b0), shl(1, add(mul(r1, b2), mul(r2, b1)))), shr(160, a)),
                            0xffffffff00000001
                        )
                    ),
                    shl(
                        80,
                        mod(
                            add(
                                add(add(mul(r0, b1), mul(r1, b0)), shl(1, mul(r2, b2))),
                                and(shr(80, a), 0xffffffffffffffffffff)
                            ),
                            0xffffffff00000001
                        )
                    )
                ),
                mod(
                    add(add(add(mul(r0, b2), mul(r1, b1)), mul(r2, b0)), and(a, 0xffffffffffffffffffff)),
                    0xffffffff00000001
                )
            )
        }
        {
            d := add(d, sub(offset, c))
            let d0 := shr(160, d)
            let d1 := and(shr(80, d), 0xffffffffffffffffffff)
            let d2 := and(d, 0xffffffffffffffffffff)
            f := or(
                or(
                    shl(
                        160,
                        mod(
                            add(add(mul(r0, d0), shl(1, add(mul(r1, d2), mul(r2, d1)))), shr(160, c)),
                            0xffffffff00000001
                        )
                    ),
                    shl(
                        80,
                        mod(
                            add(
                                add(add(mul(r0, d1), mul(r1, d0)), shl(1, mul(r2, d2))),
                                and(shr(80, c), 0xffffffffffffffffffff)
                            ),
                            0xffffffff00000001
                        )
                    )
                ),
                mod(
                    add(add(add(mul(r0, d2), mul(r1, d1)), mul(r2, d0)), and(c, 0xffffffffffffffffffff)),
                    0xffffffff00000001
                )
            )
        }
    }
}

/// @dev list[0] + list[1] x + list[2] x^2 + .. + rest x^(length); limbs below 2^79; reduced, unless the list is
/// empty. Five products of at most 160 bits and one limb are added.
function horner(Fp3[] memory list, Fp3 x, Fp3 rest) pure returns (Fp3 value) {
    assembly ("memory-safe") {
        let x0 := shr(160, x)
        let x1 := and(shr(80, x), 0xffffffffffffffffffff)
        let x2 := and(x, 0xffffffffffffffffffff)
        let v0 := shr(160, rest)
        let v1 := and(shr(80, rest), 0xffffffffffffffffffff)
        let v2 := and(rest, 0xffffffffffffffffffff)
        for { let place := add(list, shl(5, mload(list))) } gt(place, list) { place := sub(place, 32) } {
            let c := mload(place)
            let t0 := add(add(mul(v0, x0), shl(1, add(mul(v1, x2), mul(v2, x1)))), shr(160, c))
            let t1 :=
                add(add(add(mul(v0, x1), mul(v1, x0)), shl(1, mul(v2, x2))), and(shr(80, c), 0xffffffffffffffffffff))
            v2 := mod(
                add(add(add(mul(v0, x2), mul(v1, x1)), mul(v2, x0)), and(c, 0xffffffffffffffffffff)),
                0xffffffff00000001
            )
            v0 := mod(t0, 0xffffffff00000001)
            v1 := mod(t1, 0xffffffff00000001)
        }
        value := or(or(shl(160, v0), shl(80, v1)), v2)
    }
}

/// @dev base^skipped and so on, reduced.
function powersOf(Fp3 base, uint256 skipped, uint256 count) pure returns (Fp3[] memory powers) {
    powers = new Fp3[](count);
    if (count == 0) return powers;
    Fp3 first = ONE;
    for (uint256 i = 0; i < skipped; ++i) {
        first = first * base;
    }
    assembly ("memory-safe") {
        let a0 := shr(160, first)
        let a1 := and(shr(80, first), 0xffffffffffffffffffff)
        let a2 := and(first, 0xffffffffffffffffffff)
        let b0 := shr(160, base)
        let b1 := and(shr(80, base), 0xffffffffffffffffffff)
        let b2 := and(base, 0xffffffffffffffffffff)
        let place := add(powers, 32)
        for { let end := add(place, shl(5, count)) } lt(place, end) { place := add(place, 32) } {
            mstore(place, or(or(shl(160, a0), shl(80, a1)), a2))
            let t0 := add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1))))
            let t1 := add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2)))
            a2 := mod(add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)), 0xffffffff00000001)
            a0 := mod(t0, 0xffffffff00000001)
            a1 := mod(t1, 0xffffffff00000001)
        }
    }
}

/// @dev Writes scale eq(r, x), x in [2^count], to the 2^count words of memory from `table` on, r the `count` entries of a
/// list from `first` on; variable 0 lowest. `scale` is reduced. Limbs are at most (count + 1) p: that of a product is
/// below p, and so what is left of the factor is at most p more than it.
function scaledEqTable(uint256 table, Fp3 scale_, Fp3[] memory point, uint256 first, uint256 count) pure {
    assembly ("memory-safe") {
        mstore(table, scale_)
        let size := 32
        let end := add(add(point, 32), shl(5, add(first, count)))
        for { let place := add(add(point, 32), shl(5, first)) } lt(place, end) { place := add(place, 32) } {
            let b0 := mload(place)
            let b2 := and(b0, 0xffffffffffffffffffff)
            let b1 := and(shr(80, b0), 0xffffffffffffffffffff)
            b0 := shr(160, b0)
            for { let low := table } lt(low, add(table, size)) { low := add(low, 32) } {
                let a := mload(low)
                let a0 := shr(160, a)
                let a1 := and(shr(80, a), 0xffffffffffffffffffff)
                let a2 := and(a, 0xffffffffffffffffffff)
                let high :=
                    or(
                        or(
                            shl(160, mod(add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1)))), 0xffffffff00000001)),
                            shl(80, mod(add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2))), 0xffffffff00000001))
                        ),
                        mod(add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)), 0xffffffff00000001)
                    )
                mstore(add(low, size), high)
                // p in each limb.
                mstore(low, add(a, sub(0xffffffff000000010000ffffffff000000010000ffffffff00000001, high)))
            }
            size := shl(1, size)
        }
    }
}

/// @dev Writes the limbs of the elements that are the `count` words of memory from `from` on to three words each from
/// `to` on, which are others.
function spread(uint256 from, uint256 count, uint256 to) pure {
    assembly ("memory-safe") {
        for { let end := add(from, shl(5, count)) } lt(from, end) { from := add(from, 32) } {
            let a := mload(from)
            mstore(to, shr(160, a))
            mstore(add(to, 32), and(shr(80, a), 0xffffffffffffffffffff))
            mstore(add(to, 64), and(a, 0xffffffffffffffffffff))
            to := add(to, 96)
        }
    }
}

/// @dev Bytes that the table of `powerTable` takes.
function powerTableSize(uint256 count) pure returns (uint256) {
    return ((count + 1) >> 1) * 288;
}

/// @dev For each two coordinates r, s of the last `count` of a list the limbs of r, s and r s, nine words, from `table` in
/// memory on. A coordinate that is left over has s = 0. Limbs of the list are below p.
function powerTable(uint256 table, Fp3[] memory point, uint256 count) pure {
    uint256 end = point.length;
    for (uint256 i = end - count; i < end; i += 2) {
        Fp3 r = point[i];
        Fp3 s = i + 1 < end ? point[i + 1] : ZERO;
        uint256 product = Fp3.unwrap(r * s);
        assembly ("memory-safe") {
            mstore(table, shr(160, r))
            mstore(add(table, 32), and(shr(80, r), 0xffffffffffffffffffff))
            mstore(add(table, 64), and(r, 0xffffffffffffffffffff))
            mstore(add(table, 96), shr(160, s))
            mstore(add(table, 128), and(shr(80, s), 0xffffffffffffffffffff))
            mstore(add(table, 160), and(s, 0xffffffffffffffffffff))
            mstore(add(table, 192), shr(160, product))
            mstore(add(table, 224), and(shr(80, product), 0xffffffffffffffffffff))
            mstore(add(table, 256), and(product, 0xffffffffffffffffffff))
            table := add(table, 288)
        }
    }
}

/// @dev Product over b of (1 - r_b + r_b z^(2^b)) over the coordinates r that a table from `table` to `end` was made of: the
/// extension of x -> z^x; 0 < z < p. With y = z - 1 and
/// x = z^2 - 1 the factors of r and s are 1 + r y + s x + r s x y, whose limbs are three products of 128 bits and 1: at
/// most 130 bits. They are not reduced: times a limb below p, five times added, they have less than 200 bits.
function tablePowerWeight(uint256 table, uint256 end, uint256 z) pure returns (Fp3 product) {
    assembly ("memory-safe") {
        let a0 := 1
        let a1 := 0
        let a2 := 0
        for {} lt(table, end) { table := add(table, 288) } {
            let y := sub(z, 1)
            z := mulmod(z, z, 0xffffffff00000001)
            let x := sub(z, 1)
            z := mulmod(z, z, 0xffffffff00000001)
            let xy := mulmod(x, y, 0xffffffff00000001)
            let b0 :=
                add(add(mul(y, mload(table)), mul(x, mload(add(table, 96)))), add(mul(xy, mload(add(table, 192))), 1))
            let b1 :=
                add(add(mul(y, mload(add(table, 32))), mul(x, mload(add(table, 128)))), mul(xy, mload(add(table, 224))))
            let b2 :=
                add(add(mul(y, mload(add(table, 64))), mul(x, mload(add(table, 160)))), mul(xy, mload(add(table, 256))))
            let t0 := add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1))))
            let t1 := add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2)))
            a2 := mod(add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)), 0xffffffff00000001)
            a0 := mod(t0, 0xffffffff00000001)
            a1 := mod(t1, 0xffffffff00000001)
        }
        product := or(or(shl(160, a0), shl(80, a1)), a2)
    }
}
