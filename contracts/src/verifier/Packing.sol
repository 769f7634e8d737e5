// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {numberAt} from "./Fused.sol";
import {Program, Programs, binaryDigits, u8At, u16At} from "./Program.sol";

/// @notice How committed tensors lie in the columns of the two commitments, model and witness (spec/statement.md,
/// section 7).
struct Packing {
    /// Of each tensor its first piece; then the number of pieces.
    uint256[] first;
    /// Of each piece log2 of its cells, and its first cell.
    uint256[] logSizes;
    uint256[] offsets;
    /// Pieces as they lie, the model's first.
    uint256[] order;
    /// Pieces of the model.
    uint256 modelPieces;
    /// Most pieces of a tensor.
    uint256 mostPieces;
    /// log2 of the columns of each group, of model and witness.
    uint256[][2] logGroups;
}

/// @title Packs tensors without padding
library Packings {
    /// @dev As src/reduction/dense.hpp: pieces of one kind, and weights of an opening.
    uint256 private constant MAX_PIECES = 4096;
    uint256 private constant MAX_WEIGHTS = 4096;
    uint256 private constant SIZES = 48;

    /// @notice The packing of a program's committed tensors. Refused are more cells or columns than the commitment may
    /// have, and more pieces.
    function pack(Program memory p, uint256 logRows, uint256 maxLogColumns)
        internal
        pure
        returns (Packing memory packing)
    {
        uint256 tensors = u16At(p.opening);
        packing.first = new uint256[](tensors + 1);
        uint256 modelTensors = countPieces(p, packing, tensors);
        uint256 pieces = packing.first[tensors];
        packing.modelPieces = packing.first[modelTensors];
        if (packing.modelPieces > MAX_PIECES || pieces - packing.modelPieces > MAX_PIECES) {
            revert Programs.ProofInstance();
        }
        packing.logSizes = new uint256[](pieces);
        uint256 place = p.opening + 2;
        for (uint256 t = 0; t < tensors; ++t) {
            place = cut(p, packing.logSizes, packing.first[t], place + 1);
        }
        packing.offsets = new uint256[](pieces);
        packing.order = new uint256[](pieces);
        uint256 columns = 0;
        for (uint256 kind = 0; kind < 2; ++kind) {
            uint256 cells = kind == 0 ? lay(packing, 0, packing.modelPieces) : lay(packing, packing.modelPieces, pieces);
            uint256 own = (cells + (1 << logRows) - 1) >> logRows;
            columns += own;
            // Before anything of this size is made.
            if (columns > 1 << maxLogColumns) revert Programs.ProofInstance();
            packing.logGroups[kind] = groupsOf(own);
        }
        checkWeights(packing, place);
    }

    /// @dev Fills `first`; returns the number of model tensors, which come before the others.
    function countPieces(Program memory p, Packing memory packing, uint256 tensors)
        private
        pure
        returns (uint256 modelTensors)
    {
        unchecked {
            // Addresses in memory; at most 2^16 tensors of at most MAX_PIECES pieces, and 32 times that in between.
            uint256 place = p.opening + 2;
            uint256 total = 0;
            for (uint256 t = 0; t < tensors; ++t) {
                if (u8At(place) == 0) ++modelTensors;
                uint256 end = place + 2 + u8At(place + 1);
                uint256 pieces = 1;
                for (place += 2; place < end; ++place) {
                    pieces *= numberAt(p.digits, u8At(place)) >> 248;
                    if (pieces > MAX_PIECES) revert Programs.ProofInstance();
                }
                if (pieces > packing.mostPieces) packing.mostPieces = pieces;
                total += pieces;
                packing.first[t + 1] = total;
            }
        }
    }

    /// @dev A claim has a weight for each piece of its tensor.
    function checkWeights(Packing memory packing, uint256 place) private pure {
        uint256 weights = 0;
        unchecked {
            // Addresses in memory and numbers of 16 bits.
            place += 2 + 2 * u16At(place);
            uint256 points = u16At(place);
            place += 2;
            for (; points > 0; --points) {
                place += 1 + 2 * u8At(place);
                uint256 end = place + 2 + 4 * u16At(place);
                for (place += 2; place < end; place += 4) {
                    uint256 tensor = u16At(place + 2);
                    weights += packing.first[tensor + 1] - packing.first[tensor];
                }
            }
        }
        if (weights > MAX_WEIGHTS) revert Programs.ProofInstance();
    }

    /// @notice log2 of the columns of each group: binary digits, the highest first.
    function groupsOf(uint256 columns) internal pure returns (uint256[] memory groups) {
        uint256 digits = binaryDigits(columns);
        groups = new uint256[](digits >> 248);
        for (uint256 g = 0; g < groups.length; ++g) {
            groups[g] = (digits >> (240 - 8 * g)) & 255;
        }
    }

    /// @dev Sizes of the products of the axes' pieces, those of the first axis slowest. Place: number of axes, these.
    /// Returns the address behind them.
    function cut(Program memory p, uint256[] memory logSizes, uint256 first, uint256 place)
        private
        pure
        returns (uint256 end)
    {
        unchecked {
            // Addresses in memory; numbers of pieces, and logarithms of their sizes.
            end = place + 1 + u8At(place);
            uint256 to;
            assembly ("memory-safe") {
                to := add(logSizes, add(32, shl(5, first)))
            }
            uint256 count = 1;
            uint256 common = 0;
            for (++place; place < end; ++place) {
                uint256 digits = numberAt(p.digits, u8At(place));
                if (digits >> 248 == 1) {
                    common += (digits >> 240) & 255;
                } else {
                    count = cutAxis(to, count, digits);
                }
            }
            assembly ("memory-safe") {
                for { let last := add(to, shl(5, count)) } lt(to, last) { to := add(to, 32) } {
                    mstore(to, add(mload(to), common))
                }
            }
        }
    }

    /// @dev Each of the sizes at an address once more for each piece of an axis, plus that one's.
    function cutAxis(uint256 to, uint256 count, uint256 digits) private pure returns (uint256) {
        unchecked {
            uint256 own = digits >> 248;
            // Backwards: what is overwritten has been used.
            for (uint256 k = count; k > 0; --k) {
                assembly ("memory-safe") {
                    let size := mload(add(to, shl(5, sub(k, 1))))
                    for { let d := own } d { d := sub(d, 1) } {
                        let place := add(to, shl(5, sub(add(mul(sub(k, 1), own), d), 1)))
                        mstore(place, add(size, and(shr(sub(248, shl(3, d)), digits), 255)))
                    }
                }
            }
            return count * own;
        }
    }

    /// @dev Lays the pieces [from, to) one behind the other, larger ones first, of one size in their order.
    function lay(Packing memory packing, uint256 from, uint256 to) private pure returns (uint256 cells) {
        // How many pieces of a size there are, then the place of the next one in the order.
        uint256[SIZES] memory counts;
        uint256[SIZES] memory nextOffset;
        uint256[] memory logSizes = packing.logSizes;
        uint256 sizes = 0;
        for (uint256 i = from; i < to; ++i) {
            // A size beyond the list panics: no such tensor can be committed.
            uint256 size = numberAt(logSizes, i);
            ++counts[size];
            sizes |= 1 << size;
        }
        unchecked {
            // At most MAX_PIECES pieces of less than 2^48 cells.
            uint256 rank = from;
            for (uint256 size = SIZES; size > 0; --size) {
                if ((sizes >> (size - 1)) & 1 == 0) continue;
                uint256 count = counts[size - 1];
                nextOffset[size - 1] = cells;
                counts[size - 1] = rank;
                cells += count << (size - 1);
                rank += count;
            }
            (uint256[] memory offsets, uint256[] memory order) = (packing.offsets, packing.order);
            for (uint256 i = from; i < to; ++i) {
                uint256 size = numberAt(logSizes, i);
                offsets[i] = nextOffset[size];
                nextOffset[size] += 1 << size;
                order[counts[size]++] = i;
            }
        }
    }
}
