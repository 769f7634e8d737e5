// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Program, Programs, u8At, u16At} from "./Program.sol";

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
    /// log2 of the columns of each group, of model and witness.
    uint256[][2] logGroups;
}

/// @title Packs tensors without padding
library Packings {
    /// @dev As src/reduction/dense.hpp: pieces of one kind, and weights of an opening.
    uint256 private constant MAX_PIECES = 4096;
    uint256 private constant MAX_WEIGHTS = 4096;
    uint256 private constant MAX_LOG_SIZE = 48;

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
            uint256 rank = u8At(place + 1);
            cut(p, packing.logSizes, packing.first[t], place + 2, rank);
            place += 2 + rank;
        }
        packing.offsets = new uint256[](pieces);
        packing.order = new uint256[](pieces);
        uint256 columns = 0;
        for (uint256 kind = 0; kind < 2; ++kind) {
            uint256 cells = kind == 0 ? lay(packing, 0, packing.modelPieces) : lay(packing, packing.modelPieces, pieces);
            uint256 own = (cells + (1 << logRows) - 1) >> logRows;
            columns += own;
            packing.logGroups[kind] = binaryDigits(own);
        }
        if (columns > 1 << maxLogColumns) revert Programs.ProofInstance();
        checkWeights(p, packing, place);
    }

    /// @dev Fills `first`; returns the number of model tensors, which come before the others.
    function countPieces(Program memory p, Packing memory packing, uint256 tensors)
        private
        pure
        returns (uint256 modelTensors)
    {
        uint256 place = p.opening + 2;
        for (uint256 t = 0; t < tensors; ++t) {
            if (u8At(place) == 0) ++modelTensors;
            uint256 rank = u8At(place + 1);
            uint256 pieces = 1;
            for (uint256 i = 0; i < rank; ++i) {
                pieces *= digitCount(p.lengths[u8At(place + 2 + i)]);
            }
            packing.first[t + 1] = packing.first[t] + pieces;
            place += 2 + rank;
        }
    }

    /// @dev A claim has a weight for each piece of its tensor.
    function checkWeights(Program memory p, Packing memory packing, uint256 place) private pure {
        uint256 weights = 0;
        place += 2 + 2 * u16At(place);
        uint256 points = u16At(place);
        place += 2;
        for (uint256 i = 0; i < points; ++i) {
            place += 1 + 2 * u8At(place);
            uint256 claims = u16At(place);
            place += 2;
            for (uint256 k = 0; k < claims; ++k) {
                uint256 tensor = u16At(place + 2);
                weights += packing.first[tensor + 1] - packing.first[tensor];
                place += 4;
            }
        }
        if (weights > MAX_WEIGHTS || p.lengths.length == 0) revert Programs.ProofInstance();
    }

    /// @notice How many pieces an axis is cut into: its length's binary digits that are 1.
    function digitCount(uint256 length) internal pure returns (uint256 count) {
        for (; length != 0; length &= length - 1) {
            ++count;
        }
    }

    /// @notice The places of the binary digits that are 1, the highest first.
    function binaryDigits(uint256 n) internal pure returns (uint256[] memory digits) {
        digits = new uint256[](digitCount(n));
        uint256 next = digits.length;
        for (uint256 b = 0; n != 0; ++b) {
            if (n & 1 == 1) digits[--next] = b;
            n >>= 1;
        }
    }

    /// @dev Sizes of the products of the axes' pieces, those of the first axis slowest.
    function cut(Program memory p, uint256[] memory logSizes, uint256 first, uint256 axes, uint256 rank) private pure {
        uint256 count = 1;
        for (uint256 i = 0; i < rank; ++i) {
            uint256[] memory digits = binaryDigits(p.lengths[u8At(axes + i)]);
            // Backwards: what is overwritten has been used.
            for (uint256 k = count; k > 0; --k) {
                uint256 size = logSizes[first + k - 1];
                for (uint256 d = digits.length; d > 0; --d) {
                    logSizes[first + (k - 1) * digits.length + d - 1] = size + digits[d - 1];
                }
            }
            count *= digits.length;
        }
    }

    /// @dev Lays the pieces [from, to) one behind the other, larger ones first, of one size in their order.
    function lay(Packing memory packing, uint256 from, uint256 to) private pure returns (uint256 cells) {
        uint256[] memory counts = new uint256[](MAX_LOG_SIZE);
        for (uint256 i = from; i < to; ++i) {
            if (packing.logSizes[i] >= MAX_LOG_SIZE) revert Programs.ProofInstance();
            ++counts[packing.logSizes[i]];
        }
        uint256[] memory nextOffset = new uint256[](MAX_LOG_SIZE);
        uint256 rank = from;
        for (uint256 size = MAX_LOG_SIZE; size > 0; --size) {
            uint256 count = counts[size - 1];
            nextOffset[size - 1] = cells;
            counts[size - 1] = rank;
            cells += count << (size - 1);
            rank += count;
        }
        for (uint256 i = from; i < to; ++i) {
            uint256 size = packing.logSizes[i];
            packing.offsets[i] = nextOffset[size];
            nextOffset[size] += 1 << size;
            packing.order[counts[size]++] = i;
        }
    }
}
