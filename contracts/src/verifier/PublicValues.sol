// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, mulAdd, reduce, scaledEqTable} from "./Fp3.sol";
import {element, setElement} from "./Fused.sol";
import {Program, Programs, u8At, u16At} from "./Program.sol";
import {Scratch} from "./Scratch.sol";

/// @notice Tables of a point, a few of its coordinates at a time, lowest first: eq(r, x) for every x of a digit, and behind
/// them all likewise the sums of those of all smaller ones.
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
    uint256 private constant LOG_BLOCK = 4;

    uint256 private constant ONE_HOT = 0;
    uint256 private constant BELOW = 1;

    /// @notice [index = value].
    function oneHot(Program memory p, uint256 place) internal pure returns (Fp3) {
        return functionSum(p, p.values[u8At(place)], place, ONE_HOT);
    }

    /// @notice [index < value], or [lower <= index < value].
    function below(Program memory p, uint256 place, bool between) internal pure returns (Fp3 sum) {
        uint256[] memory values = p.values[u8At(place)];
        if (!between) return functionSum(p, values, place, BELOW);
        ++place;
        uint256[] memory lower = p.values[u8At(place)];
        uint256[] memory starts = new uint256[](values.length);
        for (uint256 i = 0; i < starts.length; ++i) {
            starts[i] = lower[i] < values[i] ? lower[i] : values[i];
        }
        // Reduced, as all nodes: who takes it as a subtrahend relies on it.
        return reduce(functionSum(p, values, place, BELOW) - functionSum(p, starts, place, BELOW));
    }

    /// @notice The value itself.
    function sumOf(Program memory p, uint256 place) internal pure returns (Fp3 sum) {
        uint256[] memory values = p.values[u8At(place)];
        PlaceWeights memory weights = weightsOf(p, place + 2, u8At(place + 1), values.length);
        uint256 from = firstOf(values);
        unchecked {
            // Addresses, and numbers of values.
            for (uint256 i = 0; i < weights.blocks.length; ++i) {
                sum = mulAdd(valueBlock(weights.within, from), element(weights.blocks, i), sum);
                from += 32 * weights.within.length;
            }
        }
    }

    /// @dev Sum over values of the weight of the place times the function of the last axis. Reduced.
    function functionSum(Program memory p, uint256[] memory values, uint256 place, uint256 kind)
        private
        pure
        returns (Fp3 sum)
    {
        unchecked {
            // Addresses, and numbers of values.
            uint256 last = place + 3 * u8At(place + 1) - 1;
            PlaceWeights memory weights = weightsOf(p, place + 2, u8At(place + 1) - 1, values.length);
            uint256 length = p.lengths[u8At(last)];
            DigitTables memory tables = tablesOf(p, u16At(last + 1), values.length);
            uint256 from = firstOf(values);
            for (uint256 i = 0; i < weights.blocks.length; ++i) {
                Fp3 inside = kind == ONE_HOT
                    ? hotBlock(tables, weights.within, from, length)
                    : belowBlock(tables, weights.within, from, length);
                sum = mulAdd(inside, element(weights.blocks, i), sum);
                from += 32 * weights.within.length;
            }
        }
    }

    function firstOf(uint256[] memory values) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(values, 32)
        }
    }

    /// @dev Sum of weights times values. Of at most 2^LOG_BLOCK products of 70 and 32 bits each.
    function valueBlock(Fp3[] memory weights, uint256 from) private pure returns (Fp3 sum) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (from == 0) return sum;
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            let end := add(weights, shl(5, mload(weights)))
            for {} lt(weights, end) {} {
                weights := add(weights, 32)
                let w := mload(weights)
                let v := mload(from)
                s0 := add(s0, mul(shr(160, w), v))
                s1 := add(s1, mul(and(shr(80, w), 0xffffffffffffffffffff), v))
                s2 := add(s2, mul(and(w, 0xffffffffffffffffffff), v))
                from := add(from, 32)
            }
            sum := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev Sum of weights times [index = value] of values that are indices. A product of two entries has limbs below
    /// 2^143, and is reduced before another one; times a weight it is below 2^216, and 2^LOG_BLOCK of them below 2^220.
    function hotBlock(DigitTables memory tables, Fp3[] memory weights, uint256 from, uint256 length)
        private
        pure
        returns (Fp3 sum)
    {
        if (from == 0) return sum;
        assembly ("memory-safe") {
            // Three limbs, in memory: the stack has what products are made of.
            calldatacopy(mload(0x40), calldatasize(), 96)
            for { let left := mload(weights) } left { left := sub(left, 1) } {
                weights := add(weights, 32)
                let x := mload(from)
                from := add(from, 32)
                if lt(x, length) {
                    let table := mload(add(tables, 64))
                    let mask := sub(shl(mload(tables), 1), 1)
                    let v2 := mload(add(table, shl(5, and(x, mask))))
                    let v0 := shr(160, v2)
                    let v1 := and(shr(80, v2), 0xffffffffffffffffffff)
                    v2 := and(v2, 0xffffffffffffffffffff)
                    for {} 1 {} {
                        x := shr(mload(tables), x)
                        table := add(table, shl(5, add(mask, 1)))
                        let end := lt(table, mload(add(tables, 96)))
                        let c
                        switch end
                        case 0 { c := mload(weights) }
                        default { c := mload(add(table, shl(5, and(x, mask)))) }
                        let b := shr(160, c)
                        let t0 := mul(v0, b)
                        let t1 := mul(v1, b)
                        let t2 := mul(v2, b)
                        b := and(shr(80, c), 0xffffffffffffffffffff)
                        t0 := add(t0, shl(1, mul(v2, b)))
                        t1 := add(t1, mul(v0, b))
                        t2 := add(t2, mul(v1, b))
                        b := and(c, 0xffffffffffffffffffff)
                        t0 := add(t0, shl(1, mul(v1, b)))
                        t1 := add(t1, shl(1, mul(v2, b)))
                        t2 := add(t2, mul(v0, b))
                        if iszero(end) {
                            let sums := mload(0x40)
                            mstore(sums, add(mload(sums), t0))
                            mstore(add(sums, 32), add(mload(add(sums, 32)), t1))
                            mstore(add(sums, 64), add(mload(add(sums, 64)), t2))
                            break
                        }
                        v0 := mod(t0, 0xffffffff00000001)
                        v1 := mod(t1, 0xffffffff00000001)
                        v2 := mod(t2, 0xffffffff00000001)
                    }
                }
            }
            let sums := mload(0x40)
            sum := or(
                or(
                    shl(160, mod(mload(sums), 0xffffffff00000001)),
                    shl(80, mod(mload(add(sums, 32)), 0xffffffff00000001))
                ),
                mod(mload(add(sums, 64)), 0xffffffff00000001)
            )
        }
    }

    /// @dev Sum of weights times the sum of eq below a value, or the length if it is less. Five products of limbs below
    /// 2^80 and 2^70 have less than 2^153, and 2^LOG_BLOCK of them less than 2^157.
    function belowBlock(DigitTables memory tables, Fp3[] memory weights, uint256 from, uint256 length)
        private
        pure
        returns (Fp3 sum)
    {
        uint256 s0 = 0;
        uint256 s1 = 0;
        uint256 s2 = 0;
        for (uint256 left = weights.length; left > 0; --left) {
            uint256 x;
            assembly ("memory-safe") {
                weights := add(weights, 32)
                x := mload(from)
                from := add(from, 32)
                if gt(x, length) { x := length }
            }
            uint256 v = belowAt(tables, x);
            assembly ("memory-safe") {
                let c := mload(weights)
                let v0 := shr(160, v)
                let v1 := and(shr(80, v), 0xffffffffffffffffffff)
                v := and(v, 0xffffffffffffffffffff)
                let b := shr(160, c)
                s0 := add(s0, mul(v0, b))
                s1 := add(s1, mul(v1, b))
                s2 := add(s2, mul(v, b))
                b := and(shr(80, c), 0xffffffffffffffffffff)
                s0 := add(s0, shl(1, mul(v, b)))
                s1 := add(s1, mul(v0, b))
                s2 := add(s2, mul(v1, b))
                b := and(c, 0xffffffffffffffffffff)
                s0 := add(s0, shl(1, mul(v1, b)))
                s1 := add(s1, shl(1, mul(v, b)))
                s2 := add(s2, mul(v0, b))
            }
        }
        assembly ("memory-safe") {
            sum := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev Sum of eq below x, in limbs below 2^80. With the low digits' sum v that of one digit more is its sum below plus
    /// its eq times v: five products of limbs below 2^80 and 2^70 and one limb more are below 2^153.
    function belowAt(DigitTables memory tables, uint256 x) private pure returns (uint256) {
        uint256 bits = tables.digitBits;
        if (x >> tables.bits != 0) return Fp3.unwrap(ONE);
        uint256 table = tables.first;
        uint256 end = tables.end;
        uint256 v2;
        assembly ("memory-safe") {
            // What the sums are behind eq, as `end` is the end of one and the beginning of the other.
            let gap := sub(end, table)
            v2 := mload(add(add(table, gap), shl(5, and(x, sub(shl(bits, 1), 1)))))
            let v0 := shr(160, v2)
            let v1 := and(shr(80, v2), 0xffffffffffffffffffff)
            v2 := and(v2, 0xffffffffffffffffffff)
            for { table := add(table, shl(bits, 32)) } lt(table, end) { table := add(table, shl(bits, 32)) } {
                x := shr(bits, x)
                let c := add(table, shl(5, and(x, sub(shl(bits, 1), 1))))
                let d := mload(add(c, gap))
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
                t0 := add(t0, shl(1, mul(v1, b)))
                t1 := add(t1, shl(1, mul(v2, b)))
                v2 := mod(add(t2, mul(v0, b)), 0xffffffff00000001)
                v0 := mod(t0, 0xffffffff00000001)
                v1 := mod(t1, 0xffffffff00000001)
            }
            v2 := or(or(shl(160, v0), shl(80, v1)), v2)
        }
        return v2;
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
            assembly ("memory-safe") {
                list := weights
            }
            p.weightKeys[slot] = key;
            p.weightLists[slot] = list;
        }
        if (weights.blocks.length * weights.within.length != count) revert Programs.ProgramInvalid();
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
        for (; slot < keys.length; ++slot) {
            if (keys[slot] == key) return (slot, true);
            if (keys[slot] == 0) return (slot, false);
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
        tables.first = Scratch.take(2 * size);
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

    /// @dev Sums of all entries before each, in a table of `size` bytes.
    function addUp(uint256 from, uint256 to, uint256 size) private pure {
        assembly ("memory-safe") {
            let sum := 0
            for { let end := add(from, size) } lt(from, end) { from := add(from, 32) } {
                mstore(to, sum)
                sum := add(sum, mload(from))
                to := add(to, 32)
            }
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
        if (best == 0) best = 1;
    }
}
