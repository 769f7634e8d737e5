// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, atBit, reduce} from "./Fp3.sol";
import {Commitment, Opening} from "./Opening.sol";
import {Packing, Packings} from "./Packing.sol";
import {HALF, Program, Programs, u8At, u16At} from "./Program.sol";

/// @title What the claims on committed tensors weigh at the point of an opening (spec/statement.md, section 7)
library Weights {
    using Programs for Program;

    /// @notice An opening's point and what was computed of it.
    struct At {
        /// Column variables, then those of rows.
        Fp3[] opened;
        uint256 kappa;
        /// By log2 of a group's columns: the point of its dense index, lowest bit first: columns, then rows.
        Fp3[][] dense;
        /// For each coordinates the address of the last of their weights: key, value, address of the one before.
        uint256[] lists;
        /// Of each piece: log2 of its group's columns, and what the bits above its size contribute.
        uint256[] groups;
        Fp3[] places;
    }

    /// @notice Claim number a, in the order of claims, times join^(number of commitments + a).
    /// @param opened The opening's point: column variables, then those of rows.
    function joined(
        Program memory p,
        Packing memory packing,
        Commitment[] memory keys,
        Fp3[] memory opened,
        uint256 logRows,
        Fp3 join
    ) internal pure returns (Fp3 total) {
        At memory at_ = pointOf(p, packing, keys, opened, logRows);
        uint256 place = skipTensors(p);
        Fp3[] memory powers = powersOf(join, keys.length, u16At(place));
        place += 2 + 2 * powers.length;
        uint256 points = u16At(place);
        place += 2;
        for (uint256 i = 0; i < points; ++i) {
            Fp3[][] memory inner = new Fp3[][](at_.dense.length);
            uint256 point = place;
            place += 1 + 2 * u8At(place);
            uint256 claims = u16At(place);
            place += 2;
            for (uint256 k = 0; k < claims; ++k) {
                uint256 tensor = u16At(place + 2);
                Fp3 weight = tensorWeight(p, at_, point, inner, packing.first[tensor], packing.first[tensor + 1]);
                total = reduce(total + powers[u16At(place)] * weight);
                place += 4;
            }
        }
    }

    /// @dev Sum over the pieces of a tensor of the weight within it times that of its place. inner: the former by group,
    /// as far as they are known; they are the same for all tensors at the point.
    function tensorWeight(
        Program memory p,
        At memory at_,
        uint256 point,
        Fp3[][] memory inner,
        uint256 first,
        uint256 end
    ) private pure returns (Fp3 sum) {
        for (uint256 piece = first; piece < end; ++piece) {
            uint256 group = at_.groups[piece];
            if (inner[group].length == 0) inner[group] = innerWeights(p, at_, point, group);
            sum = reduce(sum + inner[group][piece - first] * at_.places[piece]);
        }
    }

    function pointOf(
        Program memory p,
        Packing memory packing,
        Commitment[] memory keys,
        Fp3[] memory opened,
        uint256 logRows
    ) private pure returns (At memory at_) {
        at_.opened = opened;
        at_.kappa = opened.length - logRows;
        at_.dense = new Fp3[][](at_.kappa + 1);
        at_.lists = new uint256[](p.points.length);
        at_.groups = new uint256[](packing.order.length);
        at_.places = new Fp3[](packing.order.length);
        uint256 from = 0;
        for (uint256 tree = 0; tree < keys.length; ++tree) {
            uint256 to = tree == 0 ? packing.modelPieces : packing.order.length;
            uint256 start = 0;
            for (uint256 g = 0; g < keys[tree].logGroups.length; ++g) {
                uint256 size = 1 << (keys[tree].logGroups[g] + logRows);
                from = placeGroup(at_, packing, keys, tree, g, from, to, start);
                start += size;
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
        Commitment[] memory keys,
        uint256 tree,
        uint256 group,
        uint256 from,
        uint256 to,
        uint256 start
    ) private pure returns (uint256) {
        uint256 logGroup = keys[tree].logGroups[group];
        Fp3[] memory point = densePoint(at_, logGroup);
        // prefix[b]: what the bits from b on contribute, of `last`; true from `valid` on.
        Fp3[] memory prefix = new Fp3[](point.length + 1);
        prefix[point.length] = columnPlace(at_, logGroup, Opening.groupOffset(keys, tree, group));
        uint256 last = 0;
        uint256 valid = point.length;
        for (; from < to; ++from) {
            uint256 piece = packing.order[from];
            uint256 index = packing.offsets[piece] - start;
            if (index >> point.length != 0) break;
            for (uint256 changed = (index ^ last) >> valid; changed != 0; changed >>= 1) {
                ++valid;
            }
            for (uint256 low = packing.logSizes[piece]; valid > low; --valid) {
                prefix[valid - 1] = prefix[valid] * atBit(point[valid - 1], (index >> (valid - 1)) & 1);
            }
            last = index;
            at_.groups[piece] = logGroup;
            at_.places[piece] = prefix[packing.logSizes[piece]];
        }
        return from;
    }

    /// @dev What the joint column's bits contribute that are the same in a group.
    function columnPlace(At memory at_, uint256 logGroup, uint256 offset) private pure returns (Fp3 product) {
        product = ONE;
        for (uint256 b = logGroup; b < at_.kappa; ++b) {
            product = product * atBit(at_.opened[b], (offset >> b) & 1);
        }
    }

    /// @notice Numbers of the claims on committed tensors, in order.
    function committedClaims(Program memory p) internal pure returns (uint256[] memory claims) {
        uint256 place = skipTensors(p);
        claims = new uint256[](u16At(place));
        for (uint256 i = 0; i < claims.length; ++i) {
            claims[i] = u16At(place + 2 + 2 * i);
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

    /// @dev For each product of pieces of the axes that a point has, the first axis slowest: the weight within it, if it
    /// lies in a group of 2^logGroup columns. Place: number of axes, then coordinates of each.
    function innerWeights(Program memory p, At memory at_, uint256 place, uint256 logGroup)
        private
        pure
        returns (Fp3[] memory inner)
    {
        inner = new Fp3[](1);
        inner[0] = ONE;
        uint256[] memory windows = new uint256[](1);
        for (uint256 i = u8At(place); i > 0; --i) {
            (inner, windows) = prepend(p, at_, u16At(place + 2 * i - 1), logGroup, inner, windows);
        }
    }

    /// @dev windows: how many bits of the dense index the axes behind take.
    function prepend(
        Program memory p,
        At memory at_,
        uint256 coordinates,
        uint256 logGroup,
        Fp3[] memory inner,
        uint256[] memory windows
    ) private pure returns (Fp3[] memory longer, uint256[] memory wider) {
        uint256[] memory digits = Packings.binaryDigits(p.lengthOf(coordinates));
        uint256 count = inner.length;
        longer = new Fp3[](count * digits.length);
        wider = new uint256[](count * digits.length);
        uint256 offset = 0;
        for (uint256 d = 0; d < digits.length; ++d) {
            for (uint256 k = 0; k < count; ++k) {
                uint256 end = windows[k] + digits[d];
                wider[d * count + k] = end;
                // A piece that is larger than the group lies in another one, and what stands here is not used.
                if (end > logGroup + at_.opened.length - at_.kappa) continue;
                longer[d * count + k] =
                    inner[k] * axisWeight(p, at_, coordinates, digits[d], offset, windows[k], logGroup);
            }
            offset += 1 << digits[d];
        }
    }

    /// @dev The weight of an axis's piece of 2^size places from `offset` on, at the bits of the dense index from `window`
    /// on. Computed once: within columns it is the same for all groups, within rows for windows as far from the first.
    function axisWeight(
        Program memory p,
        At memory at_,
        uint256 coordinates,
        uint256 size,
        uint256 offset,
        uint256 window,
        uint256 logGroup
    ) private pure returns (Fp3 weight) {
        uint256 key = window + size <= logGroup
            ? (size << 8) | window
            : window >= logGroup
                ? (1 << 24) | (size << 8) | (window - logGroup)
                : (2 << 24) | (logGroup << 16) | (size << 8) | window;
        uint256 entry = at_.lists[coordinates];
        while (entry != 0) {
            uint256 found;
            uint256 next;
            assembly ("memory-safe") {
                found := mload(entry)
                weight := mload(add(entry, 32))
                next := mload(add(entry, 64))
            }
            if (found == key) return weight;
            entry = next;
        }
        weight = freshWeight(p, densePoint(at_, logGroup), coordinates, size, offset, window);
        uint256 before = at_.lists[coordinates];
        assembly ("memory-safe") {
            entry := mload(0x40)
            mstore(0x40, add(entry, 96))
            mstore(entry, key)
            mstore(add(entry, 32), weight)
            mstore(add(entry, 64), before)
        }
        at_.lists[coordinates] = entry;
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
        for (uint256 b = 0; b < size; ++b) {
            uint256 zb = Fp3.unwrap(z[b]);
            Fp3 r = point[window + b];
            if (zb == 0) {
                weight = weight * (ONE - r);
            } else if (zb == 1 << 160) {
                weight = weight * r;
            } else if (zb == Fp3.unwrap(HALF)) {
                weight = weight.scale(zb >> 160);
            } else {
                Fp3 both = z[b] * r;
                weight = weight * (ONE + both + both - (z[b] + r));
            }
        }
        for (uint256 b = size; b < z.length; ++b) {
            weight = weight * atBit(z[b], (offset >> b) & 1);
        }
    }
}
