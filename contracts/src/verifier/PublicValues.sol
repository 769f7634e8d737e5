// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, eqTable, reduce} from "./Fp3.sol";
import {element, mulAdd, setElement} from "./Fused.sol";
import {Program, Programs, u8At, u16At} from "./Program.sol";

/// @notice Tables of a point, a few of its coordinates at a time, lowest first: eq(r, x) for every x of a digit, and if
/// `below` is there the sum of those of all smaller ones.
struct DigitTables {
    uint256 digitBits;
    uint256 bits;
    Fp3[][] eq;
    Fp3[][] below;
}

/// @title Tensors that are made of public values: a sum over these, each times a function of the last axis
/// @dev A node: number of the values, of lower bounds if it has such, number of axes, then for each its axis and
/// coordinates. All but the last one are those of the values; of a value itself all are.
library PublicValues {
    using Programs for Program;

    /// @notice More different points than a program may have.
    error TooManyPoints();

    /// @dev Gas of an entry of a table, and of a value for each digit, about.
    uint256 private constant ENTRY_GAS = 500;
    uint256 private constant DIGIT_GAS = 350;
    uint256 private constant MOST_DIGITS = 8;
    /// @dev Nodes that share tables, about.
    uint256 private constant NODES = 4;

    /// @notice [index = value].
    function oneHot(Program memory p, uint256 place) internal pure returns (Fp3 sum) {
        uint256[] memory values = p.values[u8At(place)];
        uint256 axes = u8At(place + 1);
        Fp3[] memory weights = weightsOf(p, place + 2, axes - 1, values.length);
        uint256 last = place + 2 + 3 * (axes - 1);
        uint256 length = p.lengths[u8At(last)];
        DigitTables memory tables = tablesOf(p, u16At(last + 1), values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            if (values[i] < length) sum = mulAdd(sum, element(weights, i), eqAt(tables, values[i]));
        }
    }

    /// @notice [index < value], or [lower <= index < value].
    function below(Program memory p, uint256 place, bool between) internal pure returns (Fp3 sum) {
        uint256[] memory values = p.values[u8At(place)];
        uint256[] memory lower;
        if (between) {
            ++place;
            lower = p.values[u8At(place)];
        }
        uint256 axes = u8At(place + 1);
        Fp3[] memory weights = weightsOf(p, place + 2, axes - 1, values.length);
        uint256 last = place + 2 + 3 * (axes - 1);
        uint256 length = p.lengths[u8At(last)];
        DigitTables memory tables = tablesOf(p, u16At(last + 1), values.length);
        addBelow(tables);
        for (uint256 i = 0; i < values.length; ++i) {
            uint256 upper = values[i] < length ? values[i] : length;
            Fp3 inside = belowAt(tables, upper);
            if (between) inside = inside - belowAt(tables, lower[i] < upper ? lower[i] : upper);
            sum = mulAdd(sum, element(weights, i), inside);
        }
    }

    /// @notice The value itself.
    function sumOf(Program memory p, uint256 place) internal pure returns (Fp3 sum) {
        uint256[] memory values = p.values[u8At(place)];
        Fp3[] memory weights = weightsOf(p, place + 2, u8At(place + 1), values.length);
        // Of at most 2^18 products of 64 and 32 bits each: no limb has more than 128.
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            let from := add(values, 32)
            for { let end := add(from, shl(5, mload(values))) } lt(from, end) { from := add(from, 32) } {
                weights := add(weights, 32)
                let w := mload(weights)
                let v := mload(from)
                s0 := add(s0, mul(shr(160, w), v))
                s1 := add(s1, mul(and(shr(80, w), 0xffffffffffffffffffff), v))
                s2 := add(s2, mul(and(w, 0xffffffffffffffffffff), v))
            }
            sum := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev eq(points, x) for every index x of some axes, row-major without padding.
    function weightsOf(Program memory p, uint256 place, uint256 rank, uint256 count)
        private
        pure
        returns (Fp3[] memory weights)
    {
        // Not zero: axes have numbers, and there is one at least.
        uint256 key = rank;
        for (uint256 i = 0; i < rank; ++i) {
            key = (key << 16) | u16At(place + 3 * i + 1);
        }
        if (rank == 0 || rank > 8) revert Programs.ProgramInvalid();
        (uint256 slot, bool found) = slotOf(p.weightKeys, key);
        uint256 list = p.weightLists[slot];
        if (found) {
            assembly ("memory-safe") {
                weights := list
            }
        } else {
            weights = new Fp3[](1);
            weights[0] = ONE;
            for (uint256 i = 0; i < rank; ++i) {
                weights = outer(weights, p.pointOf(u16At(place + 3 * i + 1)), p.lengths[u8At(place + 3 * i)]);
            }
            assembly ("memory-safe") {
                list := weights
            }
            p.weightKeys[slot] = key;
            p.weightLists[slot] = list;
        }
        if (weights.length != count) revert Programs.ProgramInvalid();
    }

    function outer(Fp3[] memory weights, Fp3[] memory point, uint256 length)
        private
        pure
        returns (Fp3[] memory product)
    {
        if (length == 1) return weights;
        Fp3[] memory eq = eqTable(point, 0, point.length);
        if (weights.length == 1 && length == eq.length) return eq;
        product = new Fp3[](weights.length * length);
        uint256 next = 0;
        for (uint256 i = 0; i < weights.length; ++i) {
            for (uint256 x = 0; x < length; ++x) {
                product[next++] = weights[i] * eq[x];
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
        tables.bits = point.length;
        tables.digitBits = digitBitsOf(point.length, count);
        uint256 digits = point.length == 0 ? 0 : (point.length + tables.digitBits - 1) / tables.digitBits;
        tables.eq = new Fp3[][](digits);
        for (uint256 d = 0; d < digits; ++d) {
            uint256 first = d * tables.digitBits;
            uint256 width = point.length - first < tables.digitBits ? point.length - first : tables.digitBits;
            tables.eq[d] = eqTable(point, first, width);
        }
        assembly ("memory-safe") {
            kept := tables
        }
        p.tableKeys[slot] = (1 << 16) | coordinates;
        p.tableLists[slot] = kept;
    }

    /// @dev The width of digits that costs least for this many values.
    function digitBitsOf(uint256 bits, uint256 count) private pure returns (uint256 best) {
        uint256 least = type(uint256).max;
        for (uint256 digits = 1; digits <= MOST_DIGITS; ++digits) {
            uint256 width = (bits + digits - 1) / digits;
            uint256 gas_ = digits * (ENTRY_GAS << width) + NODES * count * digits * DIGIT_GAS;
            if (gas_ < least) (least, best) = (gas_, width);
        }
        if (best == 0) best = 1;
    }

    function addBelow(DigitTables memory tables) private pure {
        if (tables.below.length == tables.eq.length) return;
        tables.below = new Fp3[][](tables.eq.length);
        for (uint256 d = 0; d < tables.eq.length; ++d) {
            Fp3[] memory eq = tables.eq[d];
            Fp3[] memory sums = new Fp3[](eq.length);
            for (uint256 x = 1; x < eq.length; ++x) {
                setElement(sums, x, element(sums, x - 1) + element(eq, x - 1));
            }
            tables.below[d] = sums;
        }
    }

    /// @dev eq(r, x), x below 2^(number of coordinates).
    function eqAt(DigitTables memory tables, uint256 x) private pure returns (Fp3 product) {
        product = ONE;
        uint256 mask = (1 << tables.digitBits) - 1;
        for (uint256 d = 0; d < tables.eq.length; ++d) {
            Fp3 factor = element(tables.eq[d], x & mask);
            product = d == 0 ? factor : product * factor;
            x >>= tables.digitBits;
        }
    }

    /// @dev Sum over y < x of eq(r, y), x at most 2^(number of coordinates).
    function belowAt(DigitTables memory tables, uint256 x) private pure returns (Fp3 sum) {
        if (x >> tables.bits != 0) return ONE;
        uint256 mask = (1 << tables.digitBits) - 1;
        Fp3 product = ONE;
        for (uint256 d = tables.eq.length; d > 0; --d) {
            uint256 digit = (x >> ((d - 1) * tables.digitBits)) & mask;
            sum = sum + product * element(tables.below[d - 1], digit);
            if (d > 1) product = product * element(tables.eq[d - 1], digit);
        }
        sum = reduce(sum);
    }
}
