// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, ZERO, atBit, equal, isCanonical, reduce, setLength, unpack} from "./Fp3.sol";
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

    uint256 private constant ELEMENT = 24;
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

    /// @notice How columns follow each other: larger ones first, without gaps.
    function layoutOf(LookupConfig memory config) internal pure returns (LookupLayout memory cube) {
        uint256 count = config.logSizes.length;
        if (count == 0 || count > MAX_COLUMNS || config.sent.length != count) revert LookupConfigInvalid();
        cube.order = new uint256[](count);
        cube.offsets = new uint256[](count);
        uint256 placed = 0;
        for (uint256 size = MAX_LOG_SIZE + 1; size > 0; --size) {
            for (uint256 j = 0; j < count; ++j) {
                if (config.logSizes[j] != size - 1) continue;
                cube.order[placed++] = j;
                cube.offsets[j] = cube.cells;
                cube.cells += 1 << (size - 1);
            }
        }
        if (placed != count || cube.cells > MAX_CELLS) revert LookupConfigInvalid();
        while (1 << cube.logCells < cube.cells) ++cube.logCells;
    }

    /// @notice The layer that is sent in the clear, its fractions added up, reduced to a claim at a random point.
    function top(
        Transcript.State memory transcript,
        LookupConfig memory config,
        LookupLayout memory cube,
        uint256 next,
        uint256 end
    ) internal pure returns (LookupState memory s) {
        uint256 logTop = cube.logCells < TOP_LOG ? cube.logCells : TOP_LOG;
        s.next = next;
        s.end = end;
        Fp3[] memory sent = elements(s, 2 << logTop, logTop);
        transcript.absorbBytes(STATEMENT, encode(config));
        transcript.absorbElements(TOP, next, 2 << logTop);

        (Fp3 n, Fp3 d) = (ZERO, ONE);
        for (uint256 x = 0; x < sent.length; x += 2) {
            n = n * sent[x + 1] + sent[x] * d;
            d = d * sent[x + 1];
        }
        if (!n.isZero()) revert LookupRootNumerator(logTop);
        if (d.isZero()) revert LookupRootDenominator(logTop);

        s.point = new Fp3[](cube.logCells);
        for (uint256 b = 0; b < logTop; ++b) {
            Fp3 r = transcript.challenge(TOP_POINT);
            s.point[b] = r;
            for (uint256 x = 0; x < 1 << (logTop - b - 1); ++x) {
                sent[2 * x] = reduce(sent[4 * x] + r * (sent[4 * x + 2] - sent[4 * x]));
                sent[2 * x + 1] = reduce(sent[4 * x + 1] + r * (sent[4 * x + 3] - sent[4 * x + 1]));
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
        Fp3 expected = reduce(s.numerator + join * s.denominator);
        setLength(s.point, k + 1);
        // Coordinate b of the next point is b - 1 of the sumcheck: a place behind the one it replaces.
        Fp3 z = s.point[0];
        for (uint256 b = 0; b < k; ++b) {
            Fp3 linear = element(s, k);
            Fp3 leading = element(s, k);
            transcript.absorbElements(ROUND, s.next - 2 * ELEMENT, 2);
            Fp3 r = transcript.challenge(BIND);
            expected = reduce(expected + (r - z) * linear + (r * r - z) * leading);
            (z, s.point[b + 1]) = (s.point[b + 1], r);
        }
        (Fp3 p0, Fp3 p1, Fp3 q0, Fp3 q1) = (element(s, k), element(s, k), element(s, k), element(s, k));
        transcript.absorbElements(LAYER, s.next - 4 * ELEMENT, 4);
        if (!equal(p0 * q1 + q0 * (p1 + join * q1), expected)) revert LookupLayer(k);
        Fp3 merge = transcript.challenge(MERGE);
        s.point[0] = merge;
        s.numerator = reduce(p0 + merge * (p1 - p0));
        s.denominator = reduce(q0 + merge * (q1 - q0));
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
        Fp3[] memory sent = elements(s, total, logCells);
        transcript.absorbElements(COLUMNS, first, total);
        numerators = new Fp3[](count);
        denominators = new Fp3[](count);
        uint256 i = 0;
        for (uint256 j = 0; j < count; ++j) {
            if (config.sent[j]) numerators[j] = sent[i++];
            denominators[j] = sent[i++];
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
        (Fp3 n, Fp3 d) = joinColumns(config, cube, s.point, numerators, denominators);
        if (!equal(n, s.numerator)) revert LookupColumnNumerators(cube.logCells);
        if (!equal(d, s.denominator)) revert LookupColumnDenominators(cube.logCells);
    }

    /// @dev P~ and Q~ of section 1 at the point.
    function joinColumns(
        LookupConfig memory config,
        LookupLayout memory cube,
        Fp3[] memory point,
        Fp3[] memory numerators,
        Fp3[] memory denominators
    ) private pure returns (Fp3 n, Fp3 d) {
        // weights[b]: product of what the bits from b on contribute, of the column before; neighbours share most of it.
        Fp3[] memory weights = new Fp3[](point.length + 1);
        weights[point.length] = ONE;
        uint256 last = 0;
        for (uint256 i = 0; i < cube.order.length; ++i) {
            uint256 j = cube.order[i];
            uint256 low = config.logSizes[j];
            uint256 from = point.length;
            if (i > 0) {
                uint256 changed = cube.offsets[j] ^ last;
                for (from = 0; changed >> from != 0;) {
                    ++from;
                }
            }
            for (; from > low; --from) {
                weights[from - 1] = weights[from] * atBit(point[from - 1], (cube.offsets[j] >> (from - 1)) & 1);
            }
            // More columns are allowed than sums that are not reduced may have summands.
            n = reduce(n + weights[low] * numerators[j]);
            d = reduce(d + weights[low] * denominators[j]);
            last = cube.offsets[j];
        }
        d = d + (ONE - prefixValue(cube.cells, point));
    }

    /// @notice Sum over x < extent of eq(r, x), extent at most 2^(number of coordinates).
    function prefixValue(uint256 extent, Fp3[] memory point) internal pure returns (Fp3 value) {
        if (extent >= 1 << point.length) return ONE;
        for (uint256 b = 0; b < point.length; ++b) {
            Fp3 high = point[b] * value;
            value = (extent >> b) & 1 == 1 ? reduce(ONE + high - point[b]) : reduce(value - high);
        }
    }

    /// @dev Version, number of columns, then log size and kind of each.
    function encode(LookupConfig memory config) private pure returns (bytes memory encoded) {
        uint256 count = config.logSizes.length;
        encoded = abi.encodePacked(uint32(VERSION), uint32(count), new bytes(2 * count));
        for (uint256 j = 0; j < count; ++j) {
            encoded[8 + 2 * j] = bytes1(uint8(config.logSizes[j]));
            encoded[9 + 2 * j] = config.sent[j] ? bytes1(0) : bytes1(uint8(1));
        }
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
