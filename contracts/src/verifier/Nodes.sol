// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, ZERO, fromBase, mulAdd, reduce, scale} from "./Fp3.sol";
import {element, mulEq, numberAt, powerOfTwo, setNumber} from "./Fused.sol";
import {LookupArgument} from "./LookupArgument.sol";
import {Program, Programs, u8At, u16At, u32At} from "./Program.sol";

/// @title Values that depend on challenges alone (spec/program.md, section 3)
library Nodes {
    using Programs for Program;

    uint256 private constant ONE_NODE = 0;
    uint256 private constant PRODUCT = 1;
    uint256 private constant SCALE = 2;
    uint256 private constant EXTENT = 3;
    uint256 private constant EQ = 4;
    uint256 private constant INDEX = 5;
    uint256 private constant EQUAL = 6;
    uint256 private constant LESS = 7;
    uint256 private constant LESS_EQUAL = 8;
    uint256 private constant PIECES = 9;

    /// @dev Set in what is kept of a node: elements do not reach it.
    uint256 private constant KNOWN = 1 << 255;

    /// @notice The value of a node, reduced; computed once.
    function nodeOf(Program memory p, uint256 number) internal pure returns (Fp3 value) {
        uint256[] memory values = p.nodeValues;
        if (number >= values.length) revert Programs.ProgramInvalid();
        uint256 known = numberAt(values, number);
        if (known != 0) return Fp3.wrap(known ^ KNOWN);
        unchecked {
            // Addresses in memory, and a number that there is.
            uint256 place = p.nodeBodies + u16At(p.nodes + 2 * number) + 1;
            uint256 kind = u8At(place - 1);
            if (kind == PRODUCT) value = nodeOf(p, u16At(place)) * nodeOf(p, u16At(place + 2));
            else if (kind == ONE_NODE) value = ONE;
            else if (kind == SCALE) value = scaleOf(p, place);
            else if (kind == EXTENT) value = extentOf(p, place);
            else if (kind == EQ) value = eqOf(p.pointOf(u16At(place)), p.pointOf(u16At(place + 2)));
            else if (kind == INDEX) value = indexOf(p, place);
            else if (kind <= LESS_EQUAL) value = comparisonOf(p, place, kind);
            else if (kind == PIECES) value = piecesOf(p, place);
            else revert Programs.ProgramInvalid();
        }
        setNumber(values, number, Fp3.unwrap(value) | KNOWN);
    }

    /// @dev 2 to the coordinates of parameters.
    function scaleOf(Program memory p, uint256 place) private pure returns (Fp3) {
        uint256 exponent = 0;
        for (uint256 i = 0; i < 3; ++i) {
            exponent += u8At(place + i) * p.parameterBits[i];
        }
        return Fp3.wrap(powerOfTwo(exponent) << 160);
    }

    function extentOf(Program memory p, uint256 place) private pure returns (Fp3) {
        return LookupArgument.prefixValue(p.lengths[u8At(place)], p.pointOf(u16At(place + 1)));
    }

    /// @dev Product over b of eq(a_b, b_b). Limbs of points are below p, so that 1 - a - b + 2 a b + 2 p has limbs that are
    /// not negative and below 2^133; times limbs below p, five times, that is below 2^200.
    function eqOf(Fp3[] memory place, Fp3[] memory other) private pure returns (Fp3 product) {
        if (place.length != other.length) revert Programs.ProgramInvalid();
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (place.length == 0) return ONE;
        uint256 end;
        uint256 gap;
        assembly ("memory-safe") {
            end := add(add(place, 32), shl(5, mload(place)))
            gap := sub(other, place)
            place := add(place, 32)
        }
        assembly ("memory-safe") {
            let c0 := 1
            let c1 := 0
            let c2 := 0
            for {} lt(place, end) { place := add(place, 32) } {
                let f0
                let f1
                let f2
                {
                    let a2 := mload(place)
                    let a0 := shr(160, a2)
                    let a1 := signextend(9, shr(80, a2))
                    a2 := signextend(9, a2)
                    let b := mload(add(place, gap))
                    let d := shr(160, b)
                    // 2 p + 1, and 2 p.
                    f0 := sub(add(0x1fffffffe00000003, mul(shl(1, a0), d)), add(a0, d))
                    f1 := mul(a1, d)
                    f2 := mul(a2, d)
                    d := signextend(9, shr(80, b))
                    f0 := add(f0, shl(2, mul(a2, d)))
                    f1 := add(f1, mul(a0, d))
                    f1 := sub(add(0x1fffffffe00000002, shl(1, f1)), add(a1, d))
                    f2 := add(f2, mul(a1, d))
                    d := signextend(9, b)
                    f0 := add(f0, shl(2, mul(a1, d)))
                    f1 := add(f1, shl(2, mul(a2, d)))
                    f2 := sub(add(0x1fffffffe00000002, shl(1, add(f2, mul(a0, d)))), add(a2, d))
                }
                let t0 := add(mul(c0, f0), shl(1, add(mul(c1, f2), mul(c2, f1))))
                let t1 := add(add(mul(c0, f1), mul(c1, f0)), shl(1, mul(c2, f2)))
                c2 := mod(add(add(mul(c0, f2), mul(c1, f1)), mul(c2, f0)), 0xffffffff00000001)
                c0 := mod(t0, 0xffffffff00000001)
                c1 := mod(t1, 0xffffffff00000001)
            }
            product := or(or(shl(160, c0), shl(80, c1)), c2)
        }
    }

    /// @dev index + constant.
    function indexOf(Program memory p, uint256 place) private pure returns (Fp3) {
        Fp3[] memory point = p.pointOf(u16At(place + 1));
        uint256 length = p.lengths[u8At(place)];
        uint256 constant_ = p.constantAt(u16At(place + 3));
        if (length == 1 << point.length) return reduce(wholeSum(point) + fromBase(constant_));
        (Fp3 count, Fp3 sum) = momentsBelow(point, length);
        return reduce(sum + scale(count, constant_));
    }

    /// @dev Sum over all x of x eq(r, x): that of 2^b r_b. Not reduced, of at most 32 summands.
    function wholeSum(Fp3[] memory point) private pure returns (Fp3 sum) {
        for (uint256 b = 0; b < point.length; ++b) {
            sum = sum + scale(element(point, b), 1 << b);
        }
    }

    /// @dev Sums over x < n of eq(r, x), and of x eq(r, x) (spec/statement.md, section 3).
    function momentsBelow(Fp3[] memory point, uint256 n) private pure returns (Fp3 count, Fp3 sum) {
        if (n >> point.length != 0) return (ONE, reduce(wholeSum(point)));
        Fp3 all = ZERO;
        for (uint256 b = 0; b < point.length; ++b) {
            Fp3 r = element(point, b);
            if ((n >> b) & 1 == 1) {
                sum = mulAdd(r, sum + scale(count, 1 << b), (ONE - r) * all);
                count = mulAdd(r, count, ONE - r);
            } else if (Fp3.unwrap(count) != 0) {
                sum = (ONE - r) * sum;
                count = (ONE - r) * count;
            }
            all = all + scale(r, 1 << b);
        }
    }

    /// @dev first + step * (index - start of its piece).
    function piecesOf(Program memory p, uint256 place) private pure returns (Fp3 value) {
        Fp3[] memory point = p.pointOf(u16At(place + 1));
        uint256 pieces = u8At(place + 3);
        place += 4;
        uint256 start = 0;
        Fp3 count = ZERO;
        Fp3 sum = ZERO;
        for (uint256 i = 0; i < pieces; ++i) {
            uint256 length = u32At(place);
            (Fp3 nextCount, Fp3 nextSum) = momentsBelow(point, start + length);
            Fp3 inside = nextCount - count;
            Fp3 offsets = nextSum - sum - scale(inside, start);
            value =
                value + scale(inside, p.constantAt(u16At(place + 4))) + scale(offsets, p.constantAt(u16At(place + 6)));
            start += length;
            (count, sum) = (nextCount, nextSum);
            place += 8;
        }
        value = reduce(value);
    }

    /// @dev [a = b], [a < b] or [a <= b] of two indices (spec/statement.md, section 3): a reader of both, lowest bits
    /// first. Its state: whether a, with the low bits so far, is below b (or not above it), and for each whether its low
    /// bits exceed those of its length less 1. After equal bits nothing changes in the first.
    function comparisonOf(Program memory p, uint256 place, uint256 kind) private pure returns (Fp3) {
        Fp3[] memory a = p.pointOf(u16At(place + 1));
        Fp3[] memory b = p.pointOf(u16At(place + 4));
        uint256 lastA = p.lengths[u8At(place)] - 1;
        uint256 lastB = p.lengths[u8At(place + 3)] - 1;
        if (lastA + 1 == 1 << a.length && lastB + 1 == 1 << b.length) return compareAll(a, b, kind);
        // State 4 s + 2 y + x: s the comparison so far, x and y whether a and b exceed.
        Fp3[8] memory states;
        Fp3[8] memory next;
        states[kind == LESS ? 0 : 4] = ONE;
        uint256 bits = a.length > b.length ? a.length : b.length;
        for (uint256 i = 0; i < bits; ++i) {
            uint256 lasts = ((lastA >> i) & 1) | (((lastB >> i) & 1) << 1);
            for (uint256 choice = 0; choice < 4; ++choice) {
                if (kind == EQUAL && (choice == 1 || choice == 2)) continue;
                // An index without this bit has a zero there.
                if ((choice & 1 == 1 && i >= a.length) || (choice >> 1 == 1 && i >= b.length)) continue;
                addChoice(states, next, choice, lasts, bitOf(a, i, choice & 1) * bitOf(b, i, choice >> 1));
            }
            for (uint256 state = 0; state < 8; ++state) {
                states[state] = reduce(next[state]);
                next[state] = ZERO;
            }
        }
        return states[4];
    }

    /// @dev The comparison where no index exceeds its axis. With the low bits' comparison s that of one bit more is
    /// eq(a, b) s, plus (1 - a) b where less is asked. An index without this bit has a zero there.
    function compareAll(Fp3[] memory a, Fp3[] memory b, uint256 kind) private pure returns (Fp3 value) {
        if (kind != LESS) value = ONE;
        uint256 bits = a.length > b.length ? a.length : b.length;
        for (uint256 i = 0; i < bits; ++i) {
            Fp3 x = i < a.length ? a[i] : ZERO;
            Fp3 y = i < b.length ? b[i] : ZERO;
            value = mulEq(value, x, y);
            if (kind != EQUAL) value = mulAdd(ONE - x, y, value);
        }
    }

    /// @dev What the states that are there become by a choice of bits.
    function addChoice(Fp3[8] memory states, Fp3[8] memory next, uint256 choice, uint256 lasts, Fp3 weight)
        private
        pure
    {
        for (uint256 state = 0; state < 8; ++state) {
            Fp3 from = states[state];
            if (Fp3.unwrap(from) == 0) continue;
            uint256 to = after_(state, choice, lasts);
            next[to] = next[to] + from * weight;
        }
    }

    function bitOf(Fp3[] memory point, uint256 i, uint256 bit) private pure returns (Fp3) {
        if (i >= point.length) return ONE;
        return bit == 1 ? point[i] : ONE - point[i];
    }

    /// @dev The state after a bit of each index: where it differs from the last index's bit, it decides.
    function after_(uint256 state, uint256 choice, uint256 lasts) private pure returns (uint256) {
        uint256 differs = choice ^ lasts;
        uint256 exceeds = (differs & choice) | (~differs & state & 3);
        uint256 comparison = choice == 1 ? 0 : choice == 2 ? 4 : state & 4;
        return comparison | exceeds;
    }
}
