// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P, ZERO, eqTable, reduce} from "./Fp3.sol";
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

    /// @dev Digits are this wide for at most FEW values, else wider: tables cost by digits, sums by values.
    uint256 private constant FEW = 128;
    uint256 private constant NARROW = 4;
    uint256 private constant WIDE = 8;

    /// @notice [index = value].
    function oneHot(Program memory p, uint256 place) internal pure returns (Fp3 sum) {
        uint256[] memory values = p.values[u8At(place)];
        uint256 axes = u8At(place + 1);
        Fp3[] memory weights = weightsOf(p, place + 2, axes - 1, values.length);
        uint256 last = place + 2 + 3 * (axes - 1);
        uint256 length = p.lengths[u8At(last)];
        DigitTables memory tables = tablesOf(p, u16At(last + 1), values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            if (values[i] < length) sum = reduce(sum + weights[i] * eqAt(tables, values[i]));
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
            sum = reduce(sum + weights[i] * inside);
        }
    }

    /// @notice The value itself.
    function sumOf(Program memory p, uint256 place) internal pure returns (Fp3 sum) {
        uint256[] memory values = p.values[u8At(place)];
        Fp3[] memory weights = weightsOf(p, place + 2, u8At(place + 1), values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            sum = reduce(sum + weights[i].scale(values[i]));
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
        tables.digitBits = count > FEW ? WIDE : NARROW;
        tables.bits = point.length;
        uint256 digits = (point.length + tables.digitBits - 1) / tables.digitBits;
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

    function addBelow(DigitTables memory tables) private pure {
        if (tables.below.length == tables.eq.length) return;
        tables.below = new Fp3[][](tables.eq.length);
        for (uint256 d = 0; d < tables.eq.length; ++d) {
            Fp3[] memory eq = tables.eq[d];
            Fp3[] memory sums = new Fp3[](eq.length);
            for (uint256 x = 1; x < eq.length; ++x) {
                sums[x] = sums[x - 1] + eq[x - 1];
            }
            tables.below[d] = sums;
        }
    }

    /// @dev eq(r, x), x below 2^(number of coordinates).
    function eqAt(DigitTables memory tables, uint256 x) private pure returns (Fp3 product) {
        product = ONE;
        uint256 mask = (1 << tables.digitBits) - 1;
        for (uint256 d = 0; d < tables.eq.length; ++d) {
            Fp3 factor = tables.eq[d][x & mask];
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
            sum = sum + product * tables.below[d - 1][digit];
            product = product * tables.eq[d - 1][digit];
        }
        sum = reduce(sum);
    }
}
