// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, atBit, fromBase} from "./Fp3.sol";
import {element, mulAdd, mulEq, numberAt, powerOfTwo, setElement} from "./Fused.sol";
import {Packing} from "./Packing.sol";
import {Program, Programs, u8At, u16At} from "./Program.sol";

/// @title What the claims on committed tensors weigh at the point of an opening (spec/statement.md, section 7)
library Weights {
    using Programs for Program;

    /// @dev The model's and the witness's.
    uint256 private constant COMMITMENTS = 2;

    /// @notice An opening's point and what was computed of it.
    struct At {
        /// Column variables, then those of rows.
        Fp3[] opened;
        uint256 kappa;
        /// By log2 of a group's columns: the point of its dense index, lowest bit first: columns, then rows.
        Fp3[][] dense;
        /// For each coordinates the address of the last of their weights: key, value, address of the one before.
        uint256[] lists;
        /// For each group, weights within the pieces of a tensor at `point`, with the bits of the dense index behind each; of
        /// which groups they are known. They are the same for all tensors at the point.
        uint256 scratch;
        uint256 mostPieces;
        uint256 point;
        uint256 known;
        /// Of each piece: log2 of its group's columns, and what the bits above its size contribute.
        uint256[] groups;
        Fp3[] places;
    }

    /// @notice Claim number a, in the order of claims, times join^(number of commitments + a).
    /// @param opened The opening's point: column variables, then those of rows.
    function joined(Program memory p, Packing memory packing, Fp3[] memory opened, uint256 logRows, Fp3 join)
        internal
        pure
        returns (Fp3 total)
    {
        At memory at_ = pointOf(p, packing, opened, logRows);
        uint256 place = skipTensors(p);
        Fp3[] memory powers = powersOf(join, COMMITMENTS, u16At(place));
        place += 2 + 2 * powers.length;
        unchecked {
            // Addresses in memory and numbers of 16 bits.
            uint256 points = u16At(place);
            place += 2;
            for (; points > 0; --points) {
                at_.point = place;
                at_.known = 0;
                place += 1 + 2 * u8At(place);
                uint256 end = place + 2 + 4 * u16At(place);
                for (place += 2; place < end; place += 4) {
                    uint256 tensor = u16At(place + 2);
                    Fp3 weight = tensorWeight(p, at_, packing.first[tensor], packing.first[tensor + 1]);
                    total = mulAdd(total, powers[u16At(place)], weight);
                }
            }
        }
    }

    /// @dev Sum over the pieces of a tensor of the weight within it times that of its place.
    function tensorWeight(Program memory p, At memory at_, uint256 first, uint256 end) private pure returns (Fp3 sum) {
        unchecked {
            // Numbers of pieces, and addresses.
            uint256 stride = 64 * at_.mostPieces;
            uint256 offset = 0;
            for (uint256 piece = first; piece < end; ++piece) {
                uint256 group = numberAt(at_.groups, piece);
                uint256 scratch = at_.scratch + group * stride;
                if ((at_.known >> group) & 1 == 0) innerWeights(p, at_, scratch, group);
                Fp3 inner;
                assembly ("memory-safe") {
                    inner := mload(add(scratch, offset))
                }
                sum = mulAdd(sum, inner, element(at_.places, piece));
                offset += 64;
            }
        }
    }

    function pointOf(Program memory p, Packing memory packing, Fp3[] memory opened, uint256 logRows)
        private
        pure
        returns (At memory at_)
    {
        at_.opened = opened;
        at_.kappa = opened.length - logRows;
        at_.dense = new Fp3[][](at_.kappa + 1);
        at_.lists = new uint256[](p.points.length);
        at_.groups = new uint256[](packing.order.length);
        at_.places = new Fp3[](packing.order.length);
        at_.mostPieces = packing.mostPieces;
        uint256[] memory scratch = new uint256[](2 * packing.mostPieces * (at_.kappa + 1));
        uint256 scratchPlace;
        assembly ("memory-safe") {
            scratchPlace := add(scratch, 32)
        }
        at_.scratch = scratchPlace;
        uint256 from = 0;
        for (uint256 tree = 0; tree < COMMITMENTS; ++tree) {
            uint256 to = tree == 0 ? packing.modelPieces : packing.order.length;
            uint256 start = 0;
            for (uint256 g = 0; g < packing.logGroups[tree].length; ++g) {
                from = placeGroup(at_, packing, tree, g, from, to, start);
                start += 1 << (packing.logGroups[tree][g] + logRows);
            }
        }
    }

    /// @dev The point of the dense index of a group.
    function densePoint(At memory at_, uint256 logGroup) private pure returns (Fp3[] memory point) {
        if (at_.dense[logGroup].length != 0) return at_.dense[logGroup];
        uint256 logRows = at_.opened.length - at_.kappa;
        point = new Fp3[](logGroup + logRows);
        for (uint256 b = 0; b < point.length; ++b) {
            point[b] = at_.opened[b < logGroup ? b : at_.kappa + b - logGroup];
        }
        at_.dense[logGroup] = point;
    }

    /// @dev Places of the pieces of one group, which begins at the cell `start`: those in order from `from` on that lie in
    /// it. Each shares most of its high bits with the one before. Returns the first that does not lie in it.
    function placeGroup(
        At memory at_,
        Packing memory packing,
        uint256 tree,
        uint256 group,
        uint256 from,
        uint256 to,
        uint256 start
    ) private pure returns (uint256) {
        uint256 logGroup = packing.logGroups[tree][group];
        Fp3[] memory point = densePoint(at_, logGroup);
        // prefix[b]: what the bits from b on contribute, of `last`; true from `valid` on.
        Fp3[] memory prefix = new Fp3[](point.length + 1);
        prefix[point.length] = columnPlace(at_, logGroup, groupOffset(packing, tree, logGroup));
        unchecked {
            // Numbers of pieces and of bits. Offsets do not fall, and `start` is not above the first one.
            uint256 last = 0;
            uint256 valid = point.length;
            for (; from < to; ++from) {
                uint256 piece = numberAt(packing.order, from);
                uint256 index = numberAt(packing.offsets, piece) - start;
                if (index >> point.length != 0) break;
                for (uint256 changed = (index ^ last) >> valid; changed != 0; changed >>= 1) {
                    ++valid;
                }
                uint256 low = numberAt(packing.logSizes, piece);
                for (; valid > low; --valid) {
                    Fp3 factor = atBit(element(point, valid - 1), (index >> (valid - 1)) & 1);
                    setElement(prefix, valid - 1, element(prefix, valid) * factor);
                }
                last = index;
                at_.groups[piece] = logGroup;
                at_.places[piece] = element(prefix, low);
            }
        }
        return from;
    }

    /// @dev First joint column of a group: groups lie by falling size, of one size the model's first.
    function groupOffset(Packing memory packing, uint256 tree, uint256 logGroup) private pure returns (uint256 offset) {
        for (uint256 k = 0; k < COMMITMENTS; ++k) {
            uint256[] memory logGroups = packing.logGroups[k];
            for (uint256 g = 0; g < logGroups.length; ++g) {
                if (logGroups[g] > logGroup || (logGroups[g] == logGroup && k < tree)) offset += 1 << logGroups[g];
            }
        }
    }

    /// @dev What the joint column's bits contribute that are the same in a group.
    function columnPlace(At memory at_, uint256 logGroup, uint256 offset) private pure returns (Fp3 product) {
        product = ONE;
        for (uint256 b = logGroup; b < at_.kappa; ++b) {
            product = product * atBit(at_.opened[b], (offset >> b) & 1);
        }
    }

    function skipTensors(Program memory p) private pure returns (uint256 place) {
        uint256 tensors = u16At(p.opening);
        place = p.opening + 2;
        for (uint256 t = 0; t < tensors; ++t) {
            place += 2 + u8At(place + 1);
        }
    }

    function powersOf(Fp3 base, uint256 skipped, uint256 count) private pure returns (Fp3[] memory powers) {
        powers = new Fp3[](count);
        Fp3 power = ONE;
        for (uint256 i = 0; i < skipped; ++i) {
            power = power * base;
        }
        for (uint256 i = 0; i < count; ++i) {
            powers[i] = power;
            power = power * base;
        }
    }

    /// @dev For each product of pieces of the axes that the point has, the first axis slowest: the weight within it, if it
    /// lies in a group of 2^logGroup columns. Entries are a weight and how many bits of the dense index the axes take that
    /// it is made of: these from the last one on.
    function innerWeights(Program memory p, At memory at_, uint256 scratch, uint256 logGroup) private pure {
        unchecked {
            // Numbers of 16 bits, addresses, and counts that are below mostPieces.
            at_.known |= 1 << logGroup;
            assembly ("memory-safe") {
                mstore(scratch, shl(160, 1))
                mstore(add(scratch, 32), 0)
            }
            uint256 count = 1;
            for (uint256 place = at_.point + 2 * u8At(at_.point) - 1; place > at_.point; place -= 2) {
                uint256 coordinates = u16At(place);
                uint256 axis = p.axisOf(coordinates);
                uint256 digits = numberAt(p.digits, axis);
                uint256 longer = count * (digits >> 248);
                if (longer > at_.mostPieces) revert Programs.ProgramInvalid();
                if (longer == 1) {
                    Fp3 weight;
                    uint256 window;
                    assembly ("memory-safe") {
                        weight := mload(scratch)
                        window := mload(add(scratch, 32))
                    }
                    extend(p, at_, coordinates, (digits >> 240) & 255, 0, weight, window, logGroup, scratch);
                } else {
                    prepend(p, at_, coordinates, digits, numberAt(p.lengths, axis), logGroup, scratch, count);
                }
                count = longer;
            }
        }
    }

    /// @dev An axis of several pieces. The first one's entries are written last, over those that all are made of.
    function prepend(
        Program memory p,
        At memory at_,
        uint256 coordinates,
        uint256 digits,
        uint256 rest,
        uint256 logGroup,
        uint256 scratch,
        uint256 count
    ) private pure {
        unchecked {
            // As innerWeights.
            for (uint256 d = digits >> 248; d > 0; --d) {
                uint256 size = (digits >> (248 - 8 * d)) & 255;
                // What is left are the pieces before this one.
                rest -= 1 << size;
                for (uint256 k = 0; k < count; ++k) {
                    Fp3 weight;
                    uint256 window;
                    assembly ("memory-safe") {
                        weight := mload(add(scratch, shl(6, k)))
                        window := mload(add(scratch, add(32, shl(6, k))))
                    }
                    extend(
                        p, at_, coordinates, size, rest, weight, window, logGroup, scratch + 64 * ((d - 1) * count + k)
                    );
                }
            }
        }
    }

    /// @dev Writes an entry that is another one and an axis's piece of 2^size places from `offset` on.
    function extend(
        Program memory p,
        At memory at_,
        uint256 coordinates,
        uint256 size,
        uint256 offset,
        Fp3 weight,
        uint256 window,
        uint256 logGroup,
        uint256 to
    ) private pure {
        unchecked {
            // Logarithms of sizes.
            // A piece that is larger than the group lies in another one, and what stands here is not used.
            if (window + size <= logGroup + at_.opened.length - at_.kappa) {
                Fp3 own = axisWeight(p, at_, coordinates, size, offset, window, logGroup);
                weight = window == 0 && Fp3.unwrap(weight) == Fp3.unwrap(ONE) ? own : weight * own;
            }
            window += size;
        }
        assembly ("memory-safe") {
            mstore(to, weight)
            mstore(add(to, 32), window)
        }
    }

    /// @dev The weight of an axis's piece at the bits of the dense index from `window` on. Computed once: within columns it
    /// is the same for all groups, within rows for windows as far from the first.
    function axisWeight(
        Program memory p,
        At memory at_,
        uint256 coordinates,
        uint256 size,
        uint256 offset,
        uint256 window,
        uint256 logGroup
    ) private pure returns (Fp3 weight) {
        unchecked {
            // Logarithms of sizes, none above 48, and not more than the point has coordinates.
            uint256 key = window + size <= logGroup
                ? (1 << 32) | (size << 8) | window
                : window >= logGroup
                    ? (1 << 24) | (size << 8) | (window - logGroup)
                    : (2 << 24) | (logGroup << 16) | (size << 8) | window;
            uint256 list = numberAt(at_.lists, coordinates);
            uint256 entry;
            assembly ("memory-safe") {
                for { entry := list } and(iszero(iszero(entry)), iszero(eq(mload(entry), key))) {} {
                    entry := mload(add(entry, 64))
                }
                if entry { weight := mload(add(entry, 32)) }
            }
            if (entry != 0) return weight;
            weight = freshWeight(p, densePoint(at_, logGroup), coordinates, size, offset, window);
            uint256 lists;
            uint256[] memory all = at_.lists;
            assembly ("memory-safe") {
                entry := mload(0x40)
                mstore(0x40, add(entry, 96))
                mstore(entry, key)
                mstore(add(entry, 32), weight)
                mstore(add(entry, 64), list)
                lists := add(all, add(32, shl(5, coordinates)))
                mstore(lists, entry)
            }
        }
    }

    function freshWeight(
        Program memory p,
        Fp3[] memory point,
        uint256 coordinates,
        uint256 size,
        uint256 offset,
        uint256 window
    ) private pure returns (Fp3 weight) {
        Fp3[] memory z = p.pointOf(coordinates);
        weight = ONE;
        if (size > z.length || window + size > point.length) revert Programs.ProgramInvalid();
        // 1/2 for each coordinate, whatever the other point. 2 has the order 192 modulo p.
        if (p.isHalf(coordinates)) return fromBase(powerOfTwo(192 - z.length));
        unchecked {
            // Within both lists.
            for (uint256 b = 0; b < size; ++b) {
                weight = mulEq(weight, element(z, b), element(point, window + b));
            }
            for (uint256 b = size; b < z.length; ++b) {
                weight = weight * atBit(element(z, b), (offset >> b) & 1);
            }
        }
    }
}
