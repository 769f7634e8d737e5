// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Program, Programs, binaryDigits, u16At} from "./Program.sol";
import {Scratch} from "./Scratch.sol";

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
    /// @dev Bytes of an outline before the first pieces.
    uint256 private constant OUTLINE = 128;
    /// @dev No piece has 2^48 cells.
    uint256 private constant SIZES = 48;

    /// @dev How many cells model and witness have, how many tensors the model, and log2 of the largest piece of each.
    struct Counts {
        uint256[2] cells;
        uint256[2] largest;
        uint256[2] tensors;
    }

    /// @notice The packing of a program's committed tensors.
    /// @param outlined What `measure` says of the program.
    function pack(Program memory p, bytes memory outlined) internal pure returns (Packing memory packing) {
        readOutline(packing, outlined);
        uint256 pieces = packing.first[packing.first.length - 1];
        // One more: of a tensor without pieces a word is written, too.
        packing.logSizes = new uint256[](pieces + 1);
        cut(p, packing.logSizes);
        packing.offsets = new uint256[](pieces);
        packing.order = new uint256[](pieces);
        lay(packing, 0, packing.modelPieces);
        lay(packing, packing.modelPieces, pieces);
    }

    /// @notice Of the packing what does not depend on where pieces lie: pieces of tensors, and groups of columns. Refused are
    /// more cells or columns than the commitment may have, more pieces, and claims with more weights.
    /// @return outlined The same as `pack` takes it: words, the columns of model and witness, the model's pieces, most pieces
    /// of a tensor, and first pieces.
    function measure(Program memory p, Packing memory packing, uint256 logRows, uint256 maxLogColumns)
        internal
        pure
        returns (bytes memory outlined)
    {
        uint256 tensors = u16At(p.opening);
        packing.first = new uint256[](tensors + 1);
        Counts memory counts;
        uint256 place = countPieces(p, packing, counts);
        packing.modelPieces = packing.first[counts.tensors[0]];
        if (packing.modelPieces > MAX_PIECES || packing.first[tensors] - packing.modelPieces > MAX_PIECES) {
            revert Programs.ProofInstance();
        }
        uint256[2] memory columns;
        for (uint256 kind = 0; kind < 2; ++kind) {
            if (counts.largest[kind] >= SIZES) revert Programs.ProofInstance();
            columns[kind] = (counts.cells[kind] + (1 << logRows) - 1) >> logRows;
            if (columns[0] + columns[1] > 1 << maxLogColumns) revert Programs.ProofInstance();
            packing.logGroups[kind] = groupsOf(columns[kind]);
        }
        checkWeights(packing, place);
        return outlineOf(packing, columns);
    }

    /// @dev In a list of words the length counts words, in bytes it counts bytes.
    function outlineOf(Packing memory packing, uint256[2] memory columns) private pure returns (bytes memory outlined) {
        uint256[] memory first = packing.first;
        (uint256 model, uint256 most) = (packing.modelPieces, packing.mostPieces);
        outlined = new bytes(OUTLINE + 32 * first.length);
        assembly ("memory-safe") {
            mstore(add(outlined, 32), mload(columns))
            mstore(add(outlined, 64), mload(add(columns, 32)))
            mstore(add(outlined, 96), model)
            mstore(add(outlined, 128), most)
            mcopy(add(outlined, 160), add(first, 32), shl(5, mload(first)))
        }
    }

    function readOutline(Packing memory packing, bytes memory outlined) private pure {
        if (outlined.length < OUTLINE + 32) revert Programs.ProgramInvalid();
        uint256[] memory first = new uint256[]((outlined.length - OUTLINE) / 32);
        packing.first = first;
        uint256 ofModel;
        uint256 ofWitness;
        uint256 modelPieces;
        uint256 mostPieces;
        assembly ("memory-safe") {
            ofModel := mload(add(outlined, 32))
            ofWitness := mload(add(outlined, 64))
            modelPieces := mload(add(outlined, 96))
            mostPieces := mload(add(outlined, 128))
            mcopy(add(first, 32), add(outlined, 160), shl(5, mload(first)))
        }
        (packing.logGroups[0], packing.logGroups[1]) = (groupsOf(ofModel), groupsOf(ofWitness));
        (packing.modelPieces, packing.mostPieces) = (modelPieces, mostPieces);
    }

    /// @dev Fills `first`, `mostPieces` and the counts; model tensors come before the others. Returns the address behind
    /// the tensors. The cells of a tensor are the product of its axes' lengths, below 2^96 where its largest piece has
    /// less than 2^48; where one has more they are not used.
    function countPieces(Program memory p, Packing memory packing, Counts memory counts)
        private
        pure
        returns (uint256 place)
    {
        uint256 tensors = packing.first.length - 1;
        place = p.opening + 2;
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (tensors == 0) return place;
        uint256 to;
        uint256 most = 0;
        bool tooMany = false;
        {
            uint256[] memory first = packing.first;
            uint256[] memory digits = p.digits;
            uint256[] memory lengths = p.lengths;
            assembly ("memory-safe") {
                to := add(first, 64)
                let total := 0
                let last := not(0)
                let pieces := 1
                let cells := 1
                let log := 0
                for {} tensors { tensors := sub(tensors, 1) } {
                    let head := mload(place)
                    // How many axes there are, and which: often those of the tensor before.
                    let axes := shr(sub(248, shl(3, byte(1, head))), shl(8, head))
                    place := add(place, 2)
                    switch eq(axes, last)
                    case 1 { place := add(place, byte(1, head)) }
                    default {
                        last := axes
                        pieces := 1
                        cells := 1
                        log := 0
                        for { let end := add(place, byte(1, head)) } lt(place, end) { place := add(place, 1) } {
                            let at := shl(5, add(byte(0, mload(place)), 1))
                            let d := mload(add(digits, at))
                            log := add(log, byte(1, d))
                            cells := mul(cells, mload(add(lengths, at)))
                            pieces := mul(pieces, shr(248, d))
                            if gt(pieces, MAX_PIECES) {
                                tooMany := 1
                                pieces := 1
                            }
                        }
                    }
                    if gt(pieces, most) { most := pieces }
                    total := add(total, pieces)
                    mstore(to, total)
                    to := add(to, 32)
                    // Of three lists of two, one behind the other in memory.
                    let kind := shl(5, iszero(iszero(byte(0, head))))
                    let sum := add(mload(counts), kind)
                    mstore(sum, add(mload(sum), cells))
                    let largest := add(mload(add(counts, 32)), kind)
                    if gt(log, mload(largest)) { mstore(largest, log) }
                    let tensor := add(mload(add(counts, 64)), kind)
                    mstore(tensor, add(mload(tensor), 1))
                }
            }
        }
        if (tooMany) revert Programs.ProofInstance();
        packing.mostPieces = most;
    }

    /// @dev A claim has a weight for each piece of its tensor.
    function checkWeights(Packing memory packing, uint256 place) private pure {
        uint256[] memory first = packing.first;
        if (first.length == 1) return;
        uint256 weights = 0;
        assembly ("memory-safe") {
            first := add(first, 32)
            place := add(place, add(2, shl(1, shr(240, mload(place)))))
            let points := shr(240, mload(place))
            place := add(place, 2)
            for {} points { points := sub(points, 1) } {
                place := add(place, add(1, shl(1, byte(0, mload(place)))))
                let claims := shr(240, mload(place))
                // The tensor is the second number of four bytes.
                place := add(place, 4)
                for { let end := add(place, shl(2, claims)) } lt(place, end) { place := add(place, 4) } {
                    let tensor := add(first, shl(5, shr(240, mload(place))))
                    weights := add(weights, sub(mload(add(tensor, 32)), mload(tensor)))
                }
                place := sub(place, 2)
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

    /// @dev Sizes of the products of the axes' pieces, those of the first axis slowest.
    function cut(Program memory p, uint256[] memory logSizes) private pure {
        uint256 place = p.opening;
        uint256[] memory digits = p.digits;
        if (logSizes.length == 1) return;
        assembly ("memory-safe") {
            let tensors := shr(240, mload(place))
            place := add(place, 2)
            let to := add(logSizes, 32)
            let last := not(0)
            let size := 0
            for {} tensors { tensors := sub(tensors, 1) } {
                let axes := mload(place)
                let rank := byte(1, axes)
                place := add(place, 2)
                // The same as those of the tensor before are cut alike.
                axes := shr(sub(248, shl(3, rank)), shl(8, axes))
                if eq(axes, last) {
                    mcopy(to, sub(to, size), size)
                    to := add(to, size)
                    place := add(place, rank)
                    continue
                }
                last := axes
                let count := 1
                let common := 0
                mstore(to, 0)
                for { let end := add(place, rank) } lt(place, end) { place := add(place, 1) } {
                    let d := mload(add(digits, shl(5, add(byte(0, mload(place)), 1))))
                    let own := shr(248, d)
                    switch own
                    case 1 { common := add(common, byte(1, d)) }
                    default {
                        // Each size once more for each piece of the axis, plus that one's. Backwards: what is
                        // overwritten has been used.
                        let next := add(to, shl(5, mul(count, own)))
                        for { let from := add(to, shl(5, count)) } gt(from, to) {} {
                            from := sub(from, 32)
                            let log := mload(from)
                            for { let k := own } k { k := sub(k, 1) } {
                                next := sub(next, 32)
                                mstore(next, add(log, byte(k, d)))
                            }
                        }
                        count := mul(count, own)
                    }
                }
                size := shl(5, count)
                for { let end := add(to, size) } lt(to, end) { to := add(to, 32) } {
                    mstore(to, add(mload(to), common))
                }
            }
        }
    }

    /// @dev Lays the pieces [from, to) one behind the other, larger ones first, of one size in their order. By size there
    /// are first the number of pieces, then the next one's cell and, in 32 bits below it, its place in the order.
    function lay(Packing memory packing, uint256 from, uint256 to) private pure {
        if (from == to) return;
        uint256[] memory logSizes = packing.logSizes;
        uint256[] memory offsets = packing.offsets;
        uint256[] memory order = packing.order;
        uint256 sizes = Scratch.mark();
        assembly ("memory-safe") {
            calldatacopy(sizes, calldatasize(), shl(5, SIZES))
            let end := add(add(logSizes, 32), shl(5, to))
            for { let at := add(add(logSizes, 32), shl(5, from)) } lt(at, end) { at := add(at, 32) } {
                let place := add(sizes, shl(5, mload(at)))
                mstore(place, add(mload(place), 1))
            }
            let rank := from
            let cell := 0
            for { let size := SIZES } size {} {
                size := sub(size, 1)
                let place := add(sizes, shl(5, size))
                let count := mload(place)
                mstore(place, or(shl(32, cell), rank))
                rank := add(rank, count)
                cell := add(cell, shl(size, count))
            }
            for { let i := from } lt(i, to) { i := add(i, 1) } {
                let at := shl(5, add(i, 1))
                let size := mload(add(logSizes, at))
                let place := add(sizes, shl(5, size))
                let next := mload(place)
                mstore(add(offsets, at), shr(32, next))
                mstore(add(order, shl(5, add(and(next, 0xffffffff), 1))), i)
                mstore(place, add(next, add(shl(add(size, 32), 1), 1)))
            }
        }
    }
}
