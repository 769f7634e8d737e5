// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, ZERO, atBit} from "../src/verifier/Fp3.sol";

// Where the cells of committed tensors lie and what claims on them weigh, as spec/statement.md, section 7, and spec/pcs.md,
// section 5, have it: nothing shared, nothing left out.

/// @dev A product of pieces of a tensor's axes.
struct Piece {
    uint256 tensor;
    /// Of each axis where its piece begins, and log2 of its length.
    uint256[] offsets;
    uint256[] sizes;
    /// log2 of the cells, and the first of them.
    uint256 logSize;
    uint256 cell;
}

/// @dev Model and witness.
struct Layout {
    uint256 logRows;
    /// In the order of tensors, and the model's as they lie, then the witness's.
    Piece[] pieces;
    uint256[] order;
    uint256 modelPieces;
    uint256[2] columns;
}

function digitsOf(uint256 n) pure returns (uint256 count) {
    for (; n > 0; n >>= 1) {
        count += n & 1;
    }
}

/// @dev ceil(log2 n).
function logOf(uint256 n) pure returns (uint256 log) {
    while (1 << log < n) ++log;
}

/// @dev Where the piece of binary digit number `digit` of a length begins, the highest being number 0, and its log2.
function axisPiece(uint256 length, uint256 digit) pure returns (uint256 offset, uint256 size) {
    size = 64;
    while (true) {
        --size;
        if ((length >> size) & 1 == 0) continue;
        if (digit == 0) return (offset, size);
        offset += 1 << size;
        --digit;
    }
}

/// @dev Number of pieces of a tensor with these lengths.
function pieceCount(uint256[] memory lengths) pure returns (uint256 count) {
    count = 1;
    for (uint256 i = 0; i < lengths.length; ++i) {
        count *= digitsOf(lengths[i]);
    }
}

/// @dev One of these, those of the first axis slowest.
function pieceAt(uint256 tensor, uint256[] memory lengths, uint256 number) pure returns (Piece memory piece) {
    piece.tensor = tensor;
    piece.offsets = new uint256[](lengths.length);
    piece.sizes = new uint256[](lengths.length);
    for (uint256 i = lengths.length; i > 0; --i) {
        uint256 own = digitsOf(lengths[i - 1]);
        (piece.offsets[i - 1], piece.sizes[i - 1]) = axisPiece(lengths[i - 1], number % own);
        piece.logSize += piece.sizes[i - 1];
        number /= own;
    }
}

/// @param shapes Lengths of the axes of each tensor, the model's first.
function layOut(uint256[][] memory shapes, uint256 modelTensors, uint256 logRows) pure returns (Layout memory laid) {
    laid.logRows = logRows;
    uint256 total = 0;
    for (uint256 t = 0; t < shapes.length; ++t) {
        if (t == modelTensors) laid.modelPieces = total;
        total += pieceCount(shapes[t]);
    }
    if (modelTensors == shapes.length) laid.modelPieces = total;
    laid.pieces = new Piece[](total);
    total = 0;
    for (uint256 t = 0; t < shapes.length; ++t) {
        uint256 count = pieceCount(shapes[t]);
        for (uint256 k = 0; k < count; ++k) {
            laid.pieces[total++] = pieceAt(t, shapes[t], k);
        }
    }
    laid.order = new uint256[](total);
    laid.columns[0] = layPieces(laid, 0, laid.modelPieces);
    laid.columns[1] = layPieces(laid, laid.modelPieces, total);
}

/// @dev Larger pieces first, of one size in their order. Returns how many columns they take.
function layPieces(Layout memory laid, uint256 from, uint256 to) pure returns (uint256) {
    uint256 next = from;
    uint256 cell = 0;
    for (uint256 size = 48; size > 0;) {
        --size;
        for (uint256 i = from; i < to; ++i) {
            Piece memory piece = laid.pieces[i];
            if (piece.logSize != size) continue;
            laid.order[next++] = i;
            piece.cell = cell;
            cell += 1 << size;
        }
    }
    return (cell + (1 << laid.logRows) - 1) >> laid.logRows;
}

/// @dev log2 of the joint columns.
function jointColumns(Layout memory laid) pure returns (uint256) {
    return logOf(laid.columns[0] + laid.columns[1]);
}

/// @dev The group of a cell, by log2 of its columns, and which cell of the group it is.
function groupOf(Layout memory laid, uint256 kind, uint256 cell) pure returns (uint256 group, uint256 inside) {
    inside = cell;
    group = 64;
    while (true) {
        --group;
        if ((laid.columns[kind] >> group) & 1 == 0) continue;
        if (inside < 1 << (group + laid.logRows)) return (group, inside);
        inside -= 1 << (group + laid.logRows);
    }
}

/// @dev First joint column of a group.
function firstColumn(Layout memory laid, uint256 kind, uint256 group) pure returns (uint256 first) {
    for (uint256 k = 0; k < 2; ++k) {
        first += laid.columns[k] >> (group + 1) << (group + 1);
    }
    if (kind == 1) first += laid.columns[0] & (1 << group);
}

/// @dev The variable of bit b of the cells of a group: those of rows, then column variables.
function variableOf(Layout memory laid, Fp3[] memory opened, uint256 b) pure returns (Fp3) {
    return opened[b < laid.logRows ? jointColumns(laid) + b : b - laid.logRows];
}

function plainEq(Fp3 a, Fp3 b) pure returns (Fp3) {
    return a * b + atBit(a, 0) * atBit(b, 0);
}

/// @dev What one piece contributes to the weight of the evaluation at a point, a list of coordinates for each axis.
function pieceWeight(Layout memory laid, Fp3[] memory opened, uint256 number, Fp3[][] memory point)
    pure
    returns (Fp3 weight)
{
    Piece memory piece = laid.pieces[number];
    uint256 kind = number < laid.modelPieces ? 0 : 1;
    (uint256 group, uint256 inside) = groupOf(laid, kind, piece.cell);
    weight = ONE;
    uint256 bit = 0;
    for (uint256 i = point.length; i > 0;) {
        --i;
        for (uint256 b = 0; b < point[i].length; ++b) {
            weight = weight
                * (b < piece.sizes[i]
                        ? plainEq(point[i][b], variableOf(laid, opened, bit++))
                        : atBit(point[i][b], (piece.offsets[i] >> b) & 1));
        }
    }
    for (; bit < group + laid.logRows; ++bit) {
        weight = weight * atBit(variableOf(laid, opened, bit), (inside >> bit) & 1);
    }
    uint256 first = firstColumn(laid, kind, group);
    for (uint256 b = group; b < jointColumns(laid); ++b) {
        weight = weight * atBit(opened[b], (first >> b) & 1);
    }
}

/// @dev The weight of the evaluation of a tensor.
function tensorWeight(Layout memory laid, Fp3[] memory opened, uint256 tensor, Fp3[][] memory point)
    pure
    returns (Fp3 weight)
{
    for (uint256 i = 0; i < laid.pieces.length; ++i) {
        if (laid.pieces[i].tensor == tensor) weight = weight + pieceWeight(laid, opened, i, point);
    }
}

/// @dev eq of a list of coordinates and the bits of an index.
function eqAtIndex(Fp3[] memory point, uint256 index) pure returns (Fp3 product) {
    product = ONE;
    for (uint256 b = 0; b < point.length; ++b) {
        product = product * atBit(point[b], (index >> b) & 1);
    }
}

/// @dev The weight of the evaluation of a tensor once more, by what an evaluation is: a sum over all cells of eq of their
/// index and the point, times eq of the place in the joint vector and the opening's point.
function cellsWeight(Layout memory laid, Fp3[] memory opened, uint256 tensor, Fp3[][] memory point)
    pure
    returns (Fp3 weight)
{
    for (uint256 i = 0; i < laid.pieces.length; ++i) {
        Piece memory piece = laid.pieces[i];
        if (piece.tensor != tensor) continue;
        for (uint256 cell = 0; cell < 1 << piece.logSize; ++cell) {
            uint256 place = jointPlace(laid, i < laid.modelPieces ? 0 : 1, piece.cell + cell);
            weight = weight + cellEq(piece, cell, point) * eqAtIndex(opened, place);
        }
    }
}

function cellEq(Piece memory piece, uint256 cell, Fp3[][] memory point) pure returns (Fp3 product) {
    product = ONE;
    for (uint256 axis = point.length; axis > 0;) {
        --axis;
        uint256 length = 1 << piece.sizes[axis];
        product = product * eqAtIndex(point[axis], piece.offsets[axis] + cell % length);
        cell /= length;
    }
}

/// @dev The index of a cell in the joint vector: column, then row.
function jointPlace(Layout memory laid, uint256 kind, uint256 cell) pure returns (uint256) {
    (uint256 group, uint256 inside) = groupOf(laid, kind, cell);
    uint256 column = firstColumn(laid, kind, group) + (inside >> laid.logRows);
    return column + (inside % (1 << laid.logRows) << jointColumns(laid));
}
