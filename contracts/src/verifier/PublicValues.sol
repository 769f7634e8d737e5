// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, mulAdd, reduce, scaledEqTable} from "./Fp3.sol";
import {element, numberAt, setElement} from "./Fused.sol";
import {Program, Programs, u8At, u16At, u32At, u64At} from "./Program.sol";
import {Scratch} from "./Scratch.sol";

/// @notice Tables of a point, a few of its coordinates at a time, lowest first: eq(r, x) for every x of a digit, and behind
/// them all likewise the sums of those of all smaller ones. Of one digit the sums have one entry more, and what is behind
/// the table of eq, the sum of none, is 0.
struct DigitTables {
    uint256 digitBits;
    uint256 bits;
    /// 64: where the tables of eq lie; 96: their end, where those of sums begin.
    uint256 first;
    uint256 end;
}

/// @notice eq of the places of values: those of blocks, times those within a block.
struct PlaceWeights {
    Fp3[] blocks;
    Fp3[] within;
    /// Sum of those within.
    Fp3 sum;
    /// Those within once more, in two words each: the first two limbs, 128 bits apart, and the third.
    uint256 spread;
}

/// @title Tensors that are made of public values: a sum over these, each times a function of the last axis
/// @dev A node: number of the values, of lower bounds if it has such, number of axes, then for each its axis and
/// coordinates. All but the last one are those of the values; of a value itself all are.
///
/// Bounds: eq of k coordinates has limbs of at most (k + 1) p, hence below 2^70, and sums of 2^MOST_BITS of them below 2^80.
library PublicValues {
    using Programs for Program;

    /// @notice More different points than a program may have.
    error TooManyPoints();

    /// @dev Gas of an entry of both tables, and of a value for each digit, about.
    uint256 private constant ENTRY_GAS = 400;
    uint256 private constant DIGIT_GAS = 330;
    uint256 private constant MOST_DIGITS = 16;
    uint256 private constant MOST_BITS = 10;
    /// @dev Nodes that share tables, about.
    uint256 private constant NODES = 2;
    /// @dev log2 of the most values of a block.
    uint256 private constant LOG_BLOCK = 5;
    /// @dev Bytes of a value.
    uint256 private constant VALUE_BYTES = 8;

    uint256 private constant ONE_HOT = 0;
    uint256 private constant BELOW = 1;

    /// @notice [index = value].
    function oneHot(Program memory p, uint256 place) internal pure returns (Fp3) {
        return functionSum(p, p.values[u8At(place)], place, ONE_HOT);
    }

    /// @notice [index < value], or [lower <= index < value].
    function below(Program memory p, uint256 place, bool between) internal pure returns (Fp3 sum) {
        uint256 values = p.values[u8At(place)];
        if (!between) return functionSum(p, values, place, BELOW);
        ++place;
        uint256 starts = lesser(values, p.values[u8At(place)]);
        // Reduced, as all nodes: who takes it as a subtrahend relies on it.
        return reduce(functionSum(p, values, place, BELOW) - functionSum(p, starts, place, BELOW));
    }

    /// @dev A list of the lesser ones of the values of two lists.
    function lesser(uint256 values, uint256 others) private pure returns (uint256 list) {
        uint256 count = u32At(values);
        if (u32At(others) != count) revert Programs.ProgramInvalid();
        list = Scratch.take(36 + VALUE_BYTES * count);
        assembly ("memory-safe") {
            // Rising: what is behind a value is overwritten by the next one.
            mstore(list, shl(224, count))
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let at_ := add(4, shl(3, i))
                let a := shr(192, mload(add(values, at_)))
                let b := shr(192, mload(add(others, at_)))
                if lt(b, a) { a := b }
                mstore(add(list, at_), shl(192, a))
            }
        }
    }

    /// @notice The value itself.
    function sumOf(Program memory p, uint256 place) internal pure returns (Fp3 sum) {
        uint256 values = p.values[u8At(place)];
        PlaceWeights memory weights = weightsOf(p, place + 2, u8At(place + 1), u32At(values));
        uint256 from = values + 4;
        unchecked {
            // Addresses, and numbers of values.
            uint256 size = VALUE_BYTES * weights.within.length;
            uint256 count = weights.within.length;
            for (uint256 i = 0; i < weights.blocks.length; ++i) {
                sum = mulAdd(valueBlock(weights.spread, count, from), element(weights.blocks, i), sum);
                from += size;
            }
        }
    }

    /// @dev Sum over values of the weight of the place times the function of the last axis. Reduced.
    function functionSum(Program memory p, uint256 values, uint256 place, uint256 kind) private pure returns (Fp3 sum) {
        unchecked {
            // Addresses, and numbers of values.
            uint256 last = place + 3 * u8At(place + 1) - 1;
            PlaceWeights memory weights = weightsOf(p, place + 2, u8At(place + 1) - 1, u32At(values));
            uint256 length = p.lengths[u8At(last)];
            DigitTables memory tables = tablesOf(p, u16At(last + 1), u32At(values));
            uint256 from = values + 4;
            uint256 count = weights.within.length;
            for (uint256 i = 0; i < weights.blocks.length; ++i) {
                Fp3 inside = isConstant(from, count)
                    ? Fp3.wrap(functionAt(tables, u64At(from), length, kind)) * weights.sum
                    : block_(tables, weights.within, from, length, kind);
                sum = mulAdd(inside, element(weights.blocks, i), sum);
                from += VALUE_BYTES * count;
            }
        }
    }

    /// @dev Whether some values, four at least, are all the same: words of four of them are that of four times the first.
    function isConstant(uint256 from, uint256 count) private pure returns (bool same) {
        if (count < 4) return false;
        assembly ("memory-safe") {
            let first := mul(shr(192, mload(from)), 0x1000000000000000100000000000000010000000000000001)
            let end := add(from, shl(3, count))
            for {} lt(from, end) { from := add(from, 32) } {
                if iszero(eq(mload(from), first)) { break }
            }
            same := eq(from, end)
        }
    }

    /// @dev Sum of weights times the function at the values of a block.
    function block_(DigitTables memory tables, Fp3[] memory weights, uint256 from, uint256 length, uint256 kind)
        private
        pure
        returns (Fp3 sum)
    {
        if (tables.bits <= tables.digitBits) {
            (uint256 table, uint256 beyond) = kind == ONE_HOT ? (tables.first, 1 << tables.bits) : (tables.end, length);
            return tableBlock(table, weights, from, length, beyond);
        }
        if (tables.bits <= 2 * tables.digitBits) {
            uint256 most = 1 << tables.bits;
            return pairBlock(tables, weights, from, length < most ? length : most, kind);
        }
        unchecked {
            // Numbers of values.
            for (uint256 i = 0; i < weights.length; ++i) {
                Fp3 entry = Fp3.wrap(functionAt(tables, u64At(from + VALUE_BYTES * i), length, kind));
                sum = mulAdd(entry, element(weights, i), sum);
            }
        }
    }

    /// @dev Sum of weights times values, which have at most 32 bits in deliveries: at most 2^LOG_BLOCK products of 70 and 32
    /// bits each.
    function valueBlock(uint256 weights, uint256 count, uint256 from) private pure returns (Fp3 sum) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (count == 0) return sum;
        assembly ("memory-safe") {
            let both := 0
            let s2 := 0
            // Two at a time, where there are two.
            let end := add(weights, shl(6, count))
            if and(count, 1) {
                let v := shr(192, mload(from))
                both := mul(mload(weights), v)
                s2 := mul(mload(add(weights, 32)), v)
                weights := end
            }
            for {} lt(weights, end) { weights := add(weights, 128) } {
                let v := mload(from)
                let second := and(shr(128, v), 0xffffffffffffffff)
                v := shr(192, v)
                both := add(both, add(mul(mload(weights), v), mul(mload(add(weights, 64)), second)))
                s2 := add(s2, add(mul(mload(add(weights, 32)), v), mul(mload(add(weights, 96)), second)))
                from := add(from, 16)
            }
            sum := or(
                or(
                    shl(160, mod(shr(128, both), 0xffffffff00000001)),
                    shl(80, mod(and(both, 0xffffffffffffffffffffffffffffffff), 0xffffffff00000001))
                ),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev Sum of weights times entries of a table, by values, that of `beyond` for those from `length` on. Five products
    /// of limbs below 2^80 and 2^70 have less than 2^153, and 2^LOG_BLOCK of them less than 2^158.
    function tableBlock(uint256 table, Fp3[] memory weights, uint256 from, uint256 length, uint256 beyond)
        private
        pure
        returns (Fp3 sum)
    {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (from == 0) return sum;
        uint256 weight;
        uint256 end;
        assembly ("memory-safe") {
            weight := add(weights, 32)
            end := add(weight, shl(5, mload(weights)))
        }
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            for {} lt(weight, end) { weight := add(weight, 32) } {
                let a2 := shr(192, mload(from))
                from := add(from, 8)
                if iszero(lt(a2, length)) { a2 := beyond }
                a2 := mload(add(table, shl(5, a2)))
                let a0 := shr(160, a2)
                let a1 := and(shr(80, a2), 0xffffffffffffffffffff)
                a2 := and(a2, 0xffffffffffffffffffff)
                let c := mload(weight)
                let b := shr(160, c)
                s0 := add(s0, mul(a0, b))
                s1 := add(s1, mul(a1, b))
                s2 := add(s2, mul(a2, b))
                b := and(shr(80, c), 0xffffffffffffffffffff)
                s0 := add(s0, shl(1, mul(a2, b)))
                s1 := add(s1, mul(a0, b))
                s2 := add(s2, mul(a1, b))
                b := and(c, 0xffffffffffffffffffff)
                s0 := add(s0, shl(1, mul(a1, b)))
                s1 := add(s1, shl(1, mul(a2, b)))
                s2 := add(s2, mul(a0, b))
            }
            sum := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev Sum of weights times the function at values of two digits, as `functionAt` has it: that of a value from `length`
    /// on, which is at most 2^bits, is 0, or of sums that at `length`. At 2^bits the high digit's sum is that of all its
    /// entries, and what its eq would be is times the sum of none.
    ///
    /// Not reduced the function has limbs below 2^153. Five products of these and 2^70 have less than 2^226, and 2^LOG_BLOCK
    /// of them less than 2^231.
    function pairBlock(DigitTables memory tables, Fp3[] memory weights, uint256 from, uint256 length, uint256 kind)
        private
        pure
        returns (Fp3 sum)
    {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (from == 0) return sum;
        uint256 weight;
        uint256 end;
        // Three limbs, in memory: the stack has what products are made of.
        uint256 sums;
        assembly ("memory-safe") {
            weight := add(weights, 32)
            end := add(weight, shl(5, mload(weights)))
            sums := mload(0x40)
            calldatacopy(sums, calldatasize(), 96)
        }
        assembly ("memory-safe") {
            for {} lt(weight, end) { weight := add(weight, 32) } {
                let t0
                let t1
                let t2
                {
                    let x := shr(192, mload(from))
                    from := add(from, 8)
                    let known := 1
                    if iszero(lt(x, length)) {
                        x := length
                        known := kind
                    }
                    let bits := mload(tables)
                    let table := mload(add(tables, 64))
                    // What the sums are behind eq.
                    let gap := sub(mload(add(tables, 96)), table)
                    let v2 := add(add(table, mul(gap, kind)), shl(5, and(x, sub(shl(bits, 1), 1))))
                    v2 := mul(known, mload(v2))
                    let v0 := shr(160, v2)
                    let v1 := and(shr(80, v2), 0xffffffffffffffffffff)
                    v2 := and(v2, 0xffffffffffffffffffff)
                    let c := add(add(table, shl(bits, 32)), shl(5, shr(bits, x)))
                    let d := mul(mload(add(c, gap)), kind)
                    c := mload(c)
                    let b := shr(160, c)
                    t0 := add(shr(160, d), mul(v0, b))
                    t1 := add(and(shr(80, d), 0xffffffffffffffffffff), mul(v1, b))
                    t2 := add(and(d, 0xffffffffffffffffffff), mul(v2, b))
                    b := and(shr(80, c), 0xffffffffffffffffffff)
                    t0 := add(t0, shl(1, mul(v2, b)))
                    t1 := add(t1, mul(v0, b))
                    t2 := add(t2, mul(v1, b))
                    b := and(c, 0xffffffffffffffffffff)
                    t0 := add(t0, shl(1, mul(v1, b)))
                    t1 := add(t1, shl(1, mul(v2, b)))
                    t2 := add(t2, mul(v0, b))
                }
                let w := mload(weight)
                let w0 := shr(160, w)
                let w1 := and(shr(80, w), 0xffffffffffffffffffff)
                w := and(w, 0xffffffffffffffffffff)
                mstore(sums, add(mload(sums), add(mul(t0, w0), shl(1, add(mul(t1, w), mul(t2, w1))))))
                mstore(add(sums, 32), add(mload(add(sums, 32)), add(add(mul(t0, w1), mul(t1, w0)), shl(1, mul(t2, w)))))
                mstore(add(sums, 64), add(mload(add(sums, 64)), add(add(mul(t0, w), mul(t1, w1)), mul(t2, w0))))
            }
            sum := or(
                or(
                    shl(160, mod(mload(sums), 0xffffffff00000001)),
                    shl(80, mod(mload(add(sums, 32)), 0xffffffff00000001))
                ),
                mod(mload(add(sums, 64)), 0xffffffff00000001)
            )
        }
    }

    /// @dev The function of the last axis at a value, in limbs below 2^80. With what the low digits v give, one digit more
    /// gives its eq times v, and of sums its own sum in addition: five products of limbs below 2^80 and 2^70 and one limb more
    /// are below 2^153.
    function functionAt(DigitTables memory tables, uint256 x, uint256 length, uint256 kind)
        private
        pure
        returns (uint256 v2)
    {
        uint256 bits = tables.digitBits;
        if (x >= length) {
            if (kind == ONE_HOT) return 0;
            x = length;
        }
        if (x >> tables.bits != 0) return Fp3.unwrap(ONE);
        uint256 table = tables.first;
        uint256 end = tables.end;
        assembly ("memory-safe") {
            // What the sums are behind eq, as `end` is the end of one and the beginning of the other.
            let gap := sub(end, table)
            v2 := mload(add(add(table, mul(gap, kind)), shl(5, and(x, sub(shl(bits, 1), 1)))))
            for { table := add(table, shl(bits, 32)) } lt(table, end) { table := add(table, shl(bits, 32)) } {
                let v0 := shr(160, v2)
                let v1 := and(shr(80, v2), 0xffffffffffffffffffff)
                v2 := and(v2, 0xffffffffffffffffffff)
                x := shr(bits, x)
                let c := add(table, shl(5, and(x, sub(shl(bits, 1), 1))))
                let d := mul(mload(add(c, gap)), kind)
                c := mload(c)
                let b := shr(160, c)
                let t0 := add(shr(160, d), mul(v0, b))
                let t1 := add(and(shr(80, d), 0xffffffffffffffffffff), mul(v1, b))
                let t2 := add(and(d, 0xffffffffffffffffffff), mul(v2, b))
                b := and(shr(80, c), 0xffffffffffffffffffff)
                t0 := add(t0, shl(1, mul(v2, b)))
                t1 := add(t1, mul(v0, b))
                t2 := add(t2, mul(v1, b))
                b := and(c, 0xffffffffffffffffffff)
                t0 := mod(add(t0, shl(1, mul(v1, b))), 0xffffffff00000001)
                t1 := mod(add(t1, shl(1, mul(v2, b))), 0xffffffff00000001)
                v2 := or(or(shl(160, t0), shl(80, t1)), mod(add(t2, mul(v0, b)), 0xffffffff00000001))
            }
        }
    }

    /// @dev eq(points, x) for every index x of some axes, row-major without padding: of blocks of the last axis, and of the
    /// places within one.
    function weightsOf(Program memory p, uint256 place, uint256 rank, uint256 count)
        private
        pure
        returns (PlaceWeights memory weights)
    {
        if (rank == 0 || rank > 8) revert Programs.ProgramInvalid();
        // Not zero: axes have numbers, and there is one at least.
        uint256 key = rank;
        for (uint256 i = 0; i < rank; ++i) {
            key = (key << 16) | u16At(place + 3 * i + 1);
        }
        (uint256 slot, bool found) = slotOf(p.weightKeys, key);
        uint256 list = p.weightLists[slot];
        if (found) {
            assembly ("memory-safe") {
                weights := list
            }
        } else {
            uint256 length = p.lengths[u8At(place + 3 * rank - 3)];
            uint256 logBlock = 0;
            while (logBlock < LOG_BLOCK && length & 1 == 0) {
                length >>= 1;
                ++logBlock;
            }
            Fp3[] memory last = p.pointOf(u16At(place + 3 * rank - 2));
            weights.within = tableOf(last, 0, logBlock, 1 << logBlock);
            Fp3[] memory blocks = tableOf(last, logBlock, last.length - logBlock, length);
            for (uint256 i = rank - 1; i > 0; --i) {
                uint256 own = p.lengths[u8At(place + 3 * i - 3)];
                Fp3[] memory point = p.pointOf(u16At(place + 3 * i - 2));
                if (own > 1) blocks = outer(tableOf(point, 0, point.length, own), blocks);
            }
            weights.blocks = blocks;
            fillWithin(weights);
            assembly ("memory-safe") {
                list := weights
            }
            p.weightKeys[slot] = key;
            p.weightLists[slot] = list;
        }
        if (weights.blocks.length * weights.within.length != count) revert Programs.ProgramInvalid();
    }

    /// @dev What sums take of the weights within a block besides these.
    function fillWithin(PlaceWeights memory weights) private pure {
        Fp3[] memory within = weights.within;
        uint256 to = Scratch.take(64 * within.length);
        weights.spread = to;
        Fp3 sum;
        assembly ("memory-safe") {
            let end := add(within, shl(5, mload(within)))
            for {} lt(within, end) {} {
                within := add(within, 32)
                let w := mload(within)
                sum := add(sum, w)
                mstore(to, or(shl(128, shr(160, w)), and(shr(80, w), 0xffffffffffffffffffff)))
                mstore(add(to, 32), and(w, 0xffffffffffffffffffff))
                to := add(to, 64)
            }
        }
        weights.sum = sum;
    }

    /// @dev The first `length` values of eq at some coordinates of a point.
    function tableOf(Fp3[] memory point, uint256 first, uint256 count, uint256 length)
        private
        pure
        returns (Fp3[] memory table)
    {
        if (length > 1 << count) revert Programs.ProgramInvalid();
        table = new Fp3[](1 << count);
        uint256 place;
        assembly ("memory-safe") {
            place := add(table, 32)
            mstore(table, length)
        }
        scaledEqTable(place, ONE, point, first, count);
    }

    function outer(Fp3[] memory a, Fp3[] memory b) private pure returns (Fp3[] memory product) {
        product = new Fp3[](a.length * b.length);
        unchecked {
            // Numbers of values.
            uint256 next = 0;
            for (uint256 i = 0; i < a.length; ++i) {
                for (uint256 x = 0; x < b.length; ++x) {
                    setElement(product, next++, element(a, i) * element(b, x));
                }
            }
        }
    }

    /// @dev The slot of a key, or the first free one.
    function slotOf(uint256[] memory keys, uint256 key) private pure returns (uint256 slot, bool found) {
        uint256 count = keys.length;
        unchecked {
            // Numbers of a few entries.
            for (; slot < count; ++slot) {
                uint256 own = numberAt(keys, slot);
                if (own == key) return (slot, true);
                if (own == 0) return (slot, false);
            }
        }
        revert TooManyPoints();
    }

    function tablesOf(Program memory p, uint256 coordinates, uint256 count)
        private
        pure
        returns (DigitTables memory tables)
    {
        (uint256 slot, bool found) = slotOf(p.tableKeys, (1 << 16) | coordinates);
        uint256 kept = p.tableLists[slot];
        if (found) {
            assembly ("memory-safe") {
                tables := kept
            }
            return tables;
        }
        Fp3[] memory point = p.pointOf(coordinates);
        uint256 width = digitBitsOf(point.length, count);
        tables.bits = point.length;
        tables.digitBits = width;
        // A point without coordinates has one digit.
        uint256 digits = point.length == 0 ? 1 : (point.length + width - 1) / width;
        uint256 size = digits << (width + 5);
        tables.first = Scratch.take(2 * size + 32);
        tables.end = tables.first + size;
        for (uint256 d = 0; d < digits; ++d) {
            uint256 own = point.length - d * width < width ? point.length - d * width : width;
            uint256 table = tables.first + (d << (width + 5));
            scaledEqTable(table, ONE, point, d * width, own);
            addUp(table, table + size, 32 << own);
        }
        assembly ("memory-safe") {
            kept := tables
        }
        p.tableKeys[slot] = (1 << 16) | coordinates;
        p.tableLists[slot] = kept;
    }

    /// @dev Sums of all entries before each, in a table of `size` bytes, and of all.
    function addUp(uint256 from, uint256 to, uint256 size) private pure {
        assembly ("memory-safe") {
            let sum := 0
            for { let end := add(from, size) } lt(from, end) { from := add(from, 32) } {
                mstore(to, sum)
                sum := add(sum, mload(from))
                to := add(to, 32)
            }
            mstore(to, sum)
        }
    }

    /// @dev The width of digits that costs least for this many values.
    function digitBitsOf(uint256 bits, uint256 count) private pure returns (uint256 best) {
        uint256 least = type(uint256).max;
        unchecked {
            // Points have at most 32 coordinates, and there are at most 2^18 values.
            for (uint256 digits = 1; digits <= MOST_DIGITS; ++digits) {
                uint256 width = (bits + digits - 1) / digits;
                if (width > MOST_BITS) continue;
                uint256 gas_ = digits * (ENTRY_GAS << width) + NODES * count * digits * DIGIT_GAS;
                if (gas_ < least) (least, best) = (gas_, width);
            }
        }
    }
}
