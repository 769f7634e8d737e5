// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CARRIES,
    Fp3,
    ONE,
    TO_CARRY,
    ZERO,
    bindTwo,
    elementAt,
    equal,
    isCanonical,
    mulAdd,
    mulAdd2,
    setLength,
    unpack,
    ELEMENT
} from "./Fp3.sol";
import {Scratch} from "./Scratch.sol";
import {Transcript} from "./Transcript.sol";

/// @notice Columns of a lookup argument (spec/lookup.md, section 1): each with log2 of its cells, and whether the prover
/// sends its numerators.
struct LookupConfig {
    uint256[] logSizes;
    bool[] sent;
}

/// @notice Where columns lie in the cube.
struct LookupLayout {
    /// Columns by falling size, equal ones in their order.
    uint256[] order;
    /// First cell of each column.
    uint256[] offsets;
    uint256 cells;
    uint256 logCells;
}

/// @notice An argument under way: a claim on numerators and denominators of one layer.
struct LookupState {
    /// The next byte of the proof, and the one behind the last, as offsets in calldata.
    uint256 next;
    uint256 end;
    /// Lowest coordinate first.
    Fp3[] point;
    Fp3 numerator;
    Fp3 denominator;
}

/// @title LogUp-GKR: columns of fractions add up to zero (spec/lookup.md)
/// @notice It authenticates nothing: what it ends in are claims on the columns' numerators and denominators, which the
/// caller discharges. Errors carry the layer that they are about.
library LookupArgument {
    using Transcript for Transcript.State;

    /// @notice The columns are none that an argument can have.
    error LookupConfigInvalid();
    /// @notice Fewer bytes are left than the next message takes.
    error LookupTruncated(uint256 layer);
    /// @notice A word of an element is p or more.
    error LookupNonCanonical(uint256 layer);
    /// @notice The fractions do not add up to zero.
    error LookupRootNumerator(uint256 layer);
    /// @notice A denominator is zero.
    error LookupRootDenominator(uint256 layer);
    /// @notice The four values sent are not what the layer's sumcheck has come to.
    error LookupLayer(uint256 layer);
    /// @notice The columns' numerators are not what the claim says.
    error LookupColumnNumerators(uint256 layer);
    /// @notice The columns' denominators are not what the claim says.
    error LookupColumnDenominators(uint256 layer);

    uint256 private constant VERSION = 1;
    uint256 private constant TOP_LOG = 3;
    uint256 private constant MAX_COLUMNS = 1 << 16;
    uint256 private constant MAX_LOG_SIZE = 30;
    uint256 private constant MAX_CELLS = 1 << 32;

    uint256 private constant STATEMENT = 0x0200;
    uint256 private constant TOP = 0x0201;
    uint256 private constant TOP_POINT = 0x0202;
    uint256 private constant JOIN = 0x0203;
    uint256 private constant ROUND = 0x0204;
    uint256 private constant BIND = 0x0205;
    uint256 private constant LAYER = 0x0206;
    uint256 private constant MERGE = 0x0207;
    uint256 private constant COLUMNS = 0x0208;

    /// @notice Columns in two bytes each, as a transcript has them: log2 of the cells, which is below 256, and whether
    /// numerators are public.
    function packColumns(LookupConfig memory config) internal pure returns (bytes memory columns_) {
        uint256[] memory logSizes = config.logSizes;
        bool[] memory sent = config.sent;
        columns_ = new bytes(2 * logSizes.length);
        putColumns(logSizes, sent, columns_);
    }

    /// @dev Writes two bytes for each column behind the length of `to`. The two bytes are the last
    /// ones of the word that is written.
    function putColumns(uint256[] memory logSizes, bool[] memory sent, bytes memory to) private pure {
        assembly ("memory-safe") {
            let place := add(to, 2)
            let last := shl(5, mload(logSizes))
            for { let at := 32 } iszero(gt(at, last)) { at := add(at, 32) } {
                // What lies before the two bytes stays as it is.
                let column := or(shl(8, mload(add(logSizes, at))), iszero(mload(add(sent, at))))
                mstore(place, or(and(mload(place), not(0xffff)), column))
                place := add(place, 2)
            }
        }
    }

    /// @notice The columns of such bytes.
    function unpackColumns(bytes calldata columns_) internal pure returns (LookupConfig memory config) {
        uint256 count = columns_.length / 2;
        uint256[] memory logSizes = new uint256[](count);
        bool[] memory sent = new bool[](count);
        (config.logSizes, config.sent) = (logSizes, sent);
        assembly ("memory-safe") {
            let place := columns_.offset
            let last := shl(5, count)
            for { let at := 32 } iszero(gt(at, last)) { at := add(at, 32) } {
                let column := calldataload(place)
                mstore(add(logSizes, at), byte(0, column))
                mstore(add(sent, at), iszero(byte(1, column)))
                place := add(place, 2)
            }
        }
    }

    /// @notice How columns follow each other: larger ones first, without gaps.
    function layoutOf(LookupConfig memory config) internal pure returns (LookupLayout memory cube) {
        uint256 count = config.logSizes.length;
        cube.order = new uint256[](count);
        cube.offsets = new uint256[](count);
        uint256 sizes;
        (sizes, cube.cells) = measure(config);
        placeColumns(config.logSizes, sizes, cube.order, cube.offsets);
        cube.logCells = logOf(cube.cells);
    }

    /// @notice log2 of the cells of all columns, rounded up.
    function logCellsOf(LookupConfig memory config) internal pure returns (uint256) {
        (, uint256 cells) = measure(config);
        return logOf(cells);
    }

    function logOf(uint256 cells) private pure returns (uint256 log) {
        while (1 << log < cells) ++log;
    }

    /// @dev The first cell of each size, words in the free memory, and the number of cells.
    function measure(LookupConfig memory config) private pure returns (uint256 sizes, uint256 cells) {
        uint256 count = config.logSizes.length;
        if (count == 0 || count > MAX_COLUMNS || config.sent.length != count) revert LookupConfigInvalid();
        sizes = countSizes(config.logSizes);
        cells = startSizes(sizes);
        if (cells > MAX_CELLS) revert LookupConfigInvalid();
    }

    /// @dev How many columns each size has: words in the free memory, by size.
    function countSizes(uint256[] memory logSizes) private pure returns (uint256 sizes) {
        uint256 largest = 0;
        assembly ("memory-safe") {
            sizes := mload(0x40)
            calldatacopy(sizes, calldatasize(), shl(5, add(MAX_LOG_SIZE, 1)))
            let end := add(add(logSizes, 32), shl(5, mload(logSizes)))
            for { let column := add(logSizes, 32) } lt(column, end) { column := add(column, 32) } {
                let size := mload(column)
                if gt(size, largest) { largest := size }
                // Of sizes that are too large only that there is one counts.
                if iszero(gt(size, MAX_LOG_SIZE)) {
                    let place := add(sizes, shl(5, size))
                    mstore(place, add(mload(place), 1))
                }
            }
        }
        if (largest > MAX_LOG_SIZE) revert LookupConfigInvalid();
    }

    /// @dev Puts in place of each number of columns where the first of them comes: its cell, and its rank in the order
    /// times 32 in the 32 bits below. There are at most 2^16 columns and 2^46 cells. Returns the cells of all.
    function startSizes(uint256 sizes) private pure returns (uint256 cells) {
        assembly ("memory-safe") {
            let rank := 0
            let size := MAX_LOG_SIZE
            for { let place := add(sizes, shl(5, size)) } iszero(lt(place, sizes)) { place := sub(place, 32) } {
                let columns_ := mload(place)
                mstore(place, or(shl(32, cells), shl(5, rank)))
                rank := add(rank, columns_)
                cells := add(cells, shl(size, columns_))
                size := sub(size, 1)
            }
        }
    }

    function placeColumns(uint256[] memory logSizes, uint256 sizes, uint256[] memory order, uint256[] memory offsets)
        private
        pure
    {
        assembly ("memory-safe") {
            let count := mload(logSizes)
            for { let j := 0 } lt(j, count) {} {
                let at := shl(5, add(j, 1))
                let size := mload(add(logSizes, at))
                let place := add(sizes, shl(5, size))
                let start := mload(place)
                mstore(add(add(order, 32), and(start, 0xffffffff)), j)
                mstore(add(offsets, at), shr(32, start))
                mstore(place, add(start, add(shl(add(size, 32), 1), 32)))
                j := add(j, 1)
            }
        }
    }

    /// @notice log2 of the entries of the layer that is sent in the clear.
    function topLog(uint256 logCells) internal pure returns (uint256) {
        return logCells < TOP_LOG ? logCells : TOP_LOG;
    }

    /// @notice How many phases an argument has: that layer, those that follow, the columns.
    function phases(uint256 logCells) internal pure returns (uint256) {
        return 2 + logCells - topLog(logCells);
    }

    /// @notice How many elements the phases but the last one take, all together.
    function layerElements(uint256 logCells) internal pure returns (uint256 count) {
        uint256 k = topLog(logCells);
        count = 2 << k;
        for (; k < logCells; ++k) {
            count += 2 * k + 4;
        }
    }

    /// @notice The layer that is sent in the clear, its fractions added up, reduced to a claim at a random point.
    function top(
        Transcript.State memory transcript,
        LookupConfig memory config,
        uint256 logCells,
        uint256 next,
        uint256 end
    ) internal pure returns (LookupState memory s) {
        uint256 logTop = topLog(logCells);
        s.next = next;
        s.end = end;
        Fp3[] memory sent = elements(s, 2 << logTop, logTop);
        absorbConfig(transcript, config);
        transcript.absorbElements(TOP, next, 2 << logTop);

        (Fp3 n, Fp3 d) = (ZERO, ONE);
        for (uint256 x = 0; x < sent.length; x += 2) {
            n = n * sent[x + 1] + sent[x] * d;
            d = d * sent[x + 1];
        }
        if (!n.isZero()) revert LookupRootNumerator(logTop);
        if (d.isZero()) revert LookupRootDenominator(logTop);

        s.point = new Fp3[](logCells);
        for (uint256 b = 0; b < logTop; ++b) {
            Fp3 r = transcript.challenge(TOP_POINT);
            s.point[b] = r;
            for (uint256 x = 0; x < 1 << (logTop - b - 1); ++x) {
                sent[2 * x] = mulAdd(r, sent[4 * x + 2] - sent[4 * x], sent[4 * x]);
                sent[2 * x + 1] = mulAdd(r, sent[4 * x + 3] - sent[4 * x + 1], sent[4 * x + 1]);
            }
        }
        (s.numerator, s.denominator) = (sent[0], sent[1]);
        setLength(s.point, logTop);
    }

    /// @notice From the claim on layer k, k the coordinates of the point so far, to one on layer k + 1.
    function layer(Transcript.State memory transcript, LookupState memory s) internal pure {
        uint256 k = s.point.length;
        if (s.end - s.next < (2 * k + 4) * ELEMENT) revert LookupTruncated(k);
        Fp3 join = transcript.challenge(JOIN);
        Fp3 expected = mulAdd(join, s.denominator, s.numerator);
        setLength(s.point, k + 1);
        uint256 place = s.next;
        uint256 carries;
        (expected, carries) = rounds(transcript, s.point, place, expected);
        place += 2 * ELEMENT * k;
        s.next = place + 4 * ELEMENT;
        Fp3 p0 = elementAt(place);
        Fp3 p1 = elementAt(place + ELEMENT);
        Fp3 q0 = elementAt(place + 2 * ELEMENT);
        Fp3 q1 = elementAt(place + 3 * ELEMENT);
        carries |= carriesOf(p0) | carriesOf(p1) | carriesOf(q0) | carriesOf(q1);
        if (carries & CARRIES != 0) revert LookupNonCanonical(k);
        transcript.absorbElements(LAYER, place, 4);
        // Both are reduced.
        Fp3 found = mulAdd2(p0, q1, q0, mulAdd(join, q1, p1), ZERO);
        if (Fp3.unwrap(found) != Fp3.unwrap(expected)) revert LookupLayer(k);
        Fp3 merge = transcript.challenge(MERGE);
        s.point[0] = merge;
        s.numerator = mulAdd(merge, p1 - p0, p0);
        s.denominator = mulAdd(merge, q1 - q0, q0);
    }

    /// @dev The rounds of a layer's sumcheck, their messages from `place` on in calldata: what is expected of the values
    /// behind them, and whether words were not canonical. The point has its new length; its entries but the last are the
    /// layer's. Coordinate b of the next point is challenge b - 1: a place behind the one it replaces.
    function rounds(Transcript.State memory transcript, Fp3[] memory point, uint256 place, Fp3 expected)
        private
        pure
        returns (Fp3, uint256 carries)
    {
        Fp3 z = point[0];
        uint256 end;
        uint256 coordinate;
        assembly ("memory-safe") {
            coordinate := add(point, 64)
            end := add(add(point, 32), shl(5, mload(point)))
        }
        // Addresses are far below 2^256.
        unchecked {
            for (; coordinate < end; coordinate += 32) {
                Fp3 linear = elementAt(place);
                Fp3 leading = elementAt(place + ELEMENT);
                carries |= carriesOf(linear) | carriesOf(leading);
                Fp3 r = transcript.roundChallenge(ROUND, BIND, place);
                expected = mulAdd2(r - z, linear, r * r - z, leading, expected);
                assembly ("memory-safe") {
                    z := mload(coordinate)
                    mstore(coordinate, r)
                }
                place += 2 * ELEMENT;
            }
        }
        return (expected, carries);
    }

    /// @dev Has one of the bits CARRIES exactly if a word of an element as it was read is p or more.
    function carriesOf(Fp3 a) private pure returns (uint256) {
        unchecked {
            return Fp3.unwrap(a) + TO_CARRY;
        }
    }

    /// @notice Absorbs what the prover says of the columns at the point.
    /// @return numerators Of each column; zero where it is not sent: the caller's own.
    /// @return denominators Of each column.
    function columns(Transcript.State memory transcript, LookupConfig memory config, LookupState memory s)
        internal
        pure
        returns (Fp3[] memory numerators, Fp3[] memory denominators)
    {
        uint256 first = s.next;
        uint256 count = config.logSizes.length;
        uint256 logCells = s.point.length;
        uint256 total = count;
        for (uint256 j = 0; j < count; ++j) {
            if (config.sent[j]) ++total;
        }
        if (s.end - first < total * ELEMENT) revert LookupTruncated(logCells);
        s.next = first + total * ELEMENT;
        numerators = new Fp3[](count);
        denominators = new Fp3[](count);
        if (readColumns(config.sent, first, numerators, denominators) & CARRIES != 0) {
            revert LookupNonCanonical(logCells);
        }
        transcript.absorbElements(COLUMNS, first, total);
    }

    /// @dev Reads the columns' elements from `place` on in calldata. Of the carries that it returns none is in CARRIES
    /// exactly if all words are canonical.
    function readColumns(bool[] memory sent, uint256 place, Fp3[] memory numerators, Fp3[] memory denominators)
        private
        pure
        returns (uint256 carries)
    {
        // Offsets and addresses are far below 2^256.
        unchecked {
            for (uint256 entry = 32; entry <= 32 * sent.length; entry += 32) {
                bool both;
                assembly ("memory-safe") {
                    both := mload(add(sent, entry))
                }
                if (both) {
                    Fp3 numerator = elementAt(place);
                    assembly ("memory-safe") {
                        mstore(add(numerators, entry), numerator)
                    }
                    carries |= carriesOf(numerator);
                    place += ELEMENT;
                }
                Fp3 denominator = elementAt(place);
                assembly ("memory-safe") {
                    mstore(add(denominators, entry), denominator)
                }
                carries |= carriesOf(denominator);
                place += ELEMENT;
            }
        }
    }

    /// @notice Whether the columns have the values that the claim is about.
    function checkColumns(
        LookupConfig memory config,
        LookupLayout memory cube,
        LookupState memory s,
        Fp3[] memory numerators,
        Fp3[] memory denominators
    ) internal pure {
        uint256 mark = Scratch.mark();
        (Fp3 n, Fp3 d) = joinColumns(config, cube, s.point, numerators, denominators);
        Scratch.release(mark);
        if (!equal(n, s.numerator)) revert LookupColumnNumerators(cube.logCells);
        if (!equal(d, s.denominator)) revert LookupColumnDenominators(cube.logCells);
    }

    /// @dev P~ and Q~ of section 1 at the point. A node of level b is a run of 2^b cells from a multiple of 2^b on. Columns
    /// are nodes and come by falling size, so the first halves that wait for their second ones are as many as the bits of
    /// the next cell's number; they lie in memory, numerator and denominator, by level.
    function joinColumns(
        LookupConfig memory config,
        LookupLayout memory cube,
        Fp3[] memory point,
        Fp3[] memory numerators,
        Fp3[] memory denominators
    ) private pure returns (Fp3, Fp3) {
        uint256 halves = Scratch.take(64 * (point.length + 1));
        uint256 cell = 0;
        uint256[] memory order = cube.order;
        uint256[] memory logSizes = config.logSizes;
        uint256 end = 32 * order.length;
        if (numerators.length != order.length || denominators.length != order.length) revert LookupConfigInvalid();
        // Addresses are far below 2^256; there are at most 2^32 cells.
        unchecked {
            for (uint256 i = 32; i <= end; i += 32) {
                uint256 level;
                Fp3 n;
                Fp3 d;
                assembly ("memory-safe") {
                    // The layout's order names columns, of which there are as many as the lists have entries.
                    let column := shl(5, add(mload(add(order, i)), 1))
                    level := mload(add(logSizes, column))
                    n := mload(add(numerators, column))
                    d := mload(add(denominators, column))
                }
                putColumn(halves, point, cell >> level, level, n, d);
                cell += 1 << level;
            }
        }
        return cubeEnd(halves, point, cell);
    }

    /// @dev A node of a level, by its number within it: joined with the first halves that it completes, and left where the
    /// second half of what it then is will find it. Limbs of what was left are at most 2^14 p, the caller's.
    function putColumn(uint256 halves, Fp3[] memory point, uint256 number, uint256 level, Fp3 n, Fp3 d) private pure {
        uint256 place = halves + 64 * level;
        uint256 coordinate;
        assembly ("memory-safe") {
            coordinate := add(add(point, 32), shl(5, level))
        }
        // Addresses are far below 2^256, and levels at most the point's coordinates.
        unchecked {
            for (; number & 1 == 1; number >>= 1) {
                (n, d) = joined(place, coordinate, n, d);
                place += 64;
                coordinate += 32;
            }
        }
        assembly ("memory-safe") {
            mstore(place, n)
            mstore(add(place, 32), d)
        }
    }

    /// @dev The node whose first half lies in memory, and whose second is n / d.
    function joined(uint256 place, uint256 coordinate, Fp3 n, Fp3 d) private pure returns (Fp3, Fp3) {
        Fp3 n0;
        Fp3 d0;
        Fp3 r;
        assembly ("memory-safe") {
            n0 := mload(place)
            d0 := mload(add(place, 32))
            r := mload(coordinate)
        }
        return bindTwo(r, n0, n, d0, d);
    }

    /// @dev The root, once all columns are placed: of each level the node that the first cell behind them lies in. Cells
    /// behind them are 0/1.
    function cubeEnd(uint256 halves, Fp3[] memory point, uint256 cells) private pure returns (Fp3 n, Fp3 d) {
        d = ONE;
        uint256 place = halves;
        uint256 coordinate;
        assembly ("memory-safe") {
            coordinate := add(point, 32)
        }
        // Addresses are far below 2^256.
        unchecked {
            for (uint256 left = point.length; left > 0; --left) {
                if (cells & 1 == 1) {
                    (n, d) = joined(place, coordinate, n, d);
                } else if (Fp3.unwrap(n) != 0 || Fp3.unwrap(d) != Fp3.unwrap(ONE)) {
                    Fp3 r;
                    assembly ("memory-safe") {
                        r := mload(coordinate)
                    }
                    // The second half is 0/1.
                    n = n * (ONE - r);
                    d = mulAdd(r, ONE - d, d);
                }
                cells >>= 1;
                place += 64;
                coordinate += 32;
            }
        }
        // The columns fill the cube: it is a node itself.
        if (cells == 1) {
            assembly ("memory-safe") {
                n := mload(place)
                d := mload(add(place, 32))
            }
        }
    }

    /// @notice Sum over x < extent of eq(r, x), extent at most 2^(number of coordinates).
    function prefixValue(uint256 extent, Fp3[] memory point) internal pure returns (Fp3 value) {
        if (extent >= 1 << point.length) return ONE;
        for (uint256 b = 0; b < point.length; ++b) {
            // (1 - r) value, and r in addition where the bit is set: then all cells of the first half are below.
            if ((extent >> b) & 1 == 1) value = mulAdd(point[b], value, ONE - point[b]);
            else if (Fp3.unwrap(value) != 0) value = value * (ONE - point[b]);
        }
    }

    /// @dev Version, number of columns, then log size and kind of each: laid out in free memory, behind what the transcript
    /// puts before it.
    function absorbConfig(Transcript.State memory transcript, LookupConfig memory config) private pure {
        uint256[] memory logSizes = config.logSizes;
        bool[] memory sent = config.sent;
        uint256 scratch = Scratch.mark();
        uint256 head = Transcript.HEAD;
        assembly ("memory-safe") {
            let count := mload(logSizes)
            let place := add(scratch, head)
            mstore(place, or(shl(224, VERSION), shl(192, count)))
            place := add(place, 8)
            let last := shl(5, count)
            for { let at := 32 } iszero(gt(at, last)) { at := add(at, 32) } {
                // 32 bytes of which the next column overwrites all but two; behind the last one is free memory.
                mstore(place, or(shl(248, mload(add(logSizes, at))), shl(240, iszero(mload(add(sent, at))))))
                place := add(place, 2)
            }
        }
        transcript.absorbScratch(STATEMENT, scratch, 8 + 2 * logSizes.length);
    }

    /// @dev The next element, which whoever calls knows to be there.
    function element(LookupState memory s, uint256 layer_) private pure returns (Fp3) {
        uint256 place = s.next;
        s.next = place + ELEMENT;
        uint256 words;
        assembly ("memory-safe") {
            words := shr(64, calldataload(place))
        }
        if (!isCanonical(words)) revert LookupNonCanonical(layer_);
        return unpack(words);
    }

    function elements(LookupState memory s, uint256 count, uint256 layer_) private pure returns (Fp3[] memory list) {
        if (s.end - s.next < count * ELEMENT) revert LookupTruncated(layer_);
        list = new Fp3[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = element(s, layer_);
        }
    }
}
