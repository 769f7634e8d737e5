// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Fp3,
    ONE,
    ZERO,
    CARRIES,
    TO_CARRY,
    atBit,
    elementAt,
    equal,
    horner,
    isCanonical,
    mulAdd,
    reduce,
    pack,
    powerTable,
    powerTableSize,
    powerWeight,
    scaledEqTable,
    pow,
    setLength,
    spread,
    tablePowerWeight,
    unpack,
    ELEMENT
} from "./Fp3.sol";
import {numberAt} from "./Fused.sol";
import {MultiProof} from "./MultiProof.sol";
import {PcsConfig, PcsConfigs} from "./PcsConfig.sol";
import {Positions} from "./Positions.sol";
import {Scratch} from "./Scratch.sol";
import {StateBytes} from "./StateBytes.sol";
import {Transcript} from "./Transcript.sol";

/// @notice What a verifier knows of a commitment (spec/pcs.md, section 4). Limbs are below p.
struct Commitment {
    bytes32 root;
    /// log2 of the columns of each group, strictly decreasing.
    uint256[] logGroups;
    Fp3 oodPoint;
    Fp3 oodValue;
}

/// @notice What an oracle's round adds to the weight: gamma, and the points whose powers gamma's powers multiply.
struct AddedWeight {
    Fp3 gamma;
    Fp3 oodPoint;
    uint256[] positions;
}

/// @notice An opening under way.
struct OpeningState {
    /// The next byte of the proof, and the one behind the last, as offsets in calldata.
    uint256 next;
    uint256 end;
    /// alpha.
    Fp3 join;
    Fp3 claim;
    /// Challenges of the sumchecks so far.
    Fp3[] point;
    /// Of the oracle whose rows are opened next, if it is not oracle 0.
    bytes32 previousRoot;
    bytes32 root;
    AddedWeight[] added;
    Fp3[] finalCoefficients;
    uint256[] finalPositions;
    Rows rows;
}

/// @notice The tree whose rows are being read.
/// @dev Of each value of a row the weight, three words, lies in memory from `weights` to `weightsEnd`, and is made when
/// `weights` is 0. From `nodes` on lies what a multi-proof needs of each row.
struct Rows {
    /// Rows that were read.
    uint256 read;
    uint256 nodes;
    /// Where the free memory began before the tree.
    uint256 mark;
    uint256 logLeaves;
    bytes32 root;
    uint256 leafBytes;
    uint256 weights;
    uint256 weightsEnd;
}

/// @title Opening of claims on committed columns (spec/pcs.md, section 6)
/// @notice Each function is a phase of section 12 and takes the next bytes of the proof; those that read rows are a part of
/// a phase, and return whether it was the last one. Errors carry the oracle that they are about.
library Opening {
    using PcsConfigs for PcsConfig;
    using Transcript for Transcript.State;

    /// @notice Fewer bytes are left than the next value takes.
    error PcsTruncated(uint256 oracle);
    /// @notice A word of an element is p or more.
    error PcsNonCanonical(uint256 oracle);
    /// @notice A nonce of a sumcheck round is not accepted.
    error PcsFoldGrinding(uint256 oracle);
    /// @notice A nonce of a query is not accepted.
    error PcsQueryGrinding(uint256 oracle);
    /// @notice Leaves and multi-proof do not lead to the root.
    error PcsMerkle(uint256 oracle);
    /// @notice A folded row is not the value of the final polynomial.
    error PcsFinalFold(uint256 oracle);
    /// @notice Bytes are left.
    error PcsTrailingBytes(uint256 oracle);
    /// @notice The claims do not hold.
    error PcsFinalClaim(uint256 oracle);

    /// @dev Bytes of a part of a tree's rows.
    uint256 private constant PART = 16_384;

    uint256 private constant ROOT = 0x0100;
    uint256 private constant OOD_POINT = 0x0101;
    uint256 private constant OOD_VALUE = 0x0102;
    uint256 private constant STATEMENT = 0x010f;
    uint256 private constant JOIN = 0x0110;
    uint256 private constant SUMCHECK = 0x0111;
    uint256 private constant FOLD_NONCE = 0x0112;
    uint256 private constant FOLD = 0x0113;
    uint256 private constant ORACLE_ROOT = 0x0114;
    uint256 private constant ORACLE_OOD_POINT = 0x0115;
    uint256 private constant ORACLE_OOD_VALUE = 0x0116;
    uint256 private constant QUERY_NONCE = 0x0117;
    uint256 private constant QUERY_POSITIONS = 0x0118;
    uint256 private constant COMBINE = 0x0119;
    uint256 private constant FINAL = 0x011a;
    uint256 private constant FINAL_SUMCHECK = 0x011b;
    uint256 private constant FINAL_FOLD = 0x011c;

    /// @notice The out-of-domain point of a commitment that is made once (section 4).
    function fixedOodPoint(bytes32 protocolId, uint256[] memory logGroups, bytes32 root) internal pure returns (Fp3) {
        bytes memory statement = new bytes(logGroups.length);
        for (uint256 g = 0; g < logGroups.length; ++g) {
            statement[g] = bytes1(uint8(logGroups[g]));
        }
        bytes32 digest = Transcript.start(protocolId, keccak256("avow/pcs/fixed-ood/1"), keccak256(statement));
        Transcript.State memory state =
            Transcript.State(keccak256(abi.encodePacked(digest, uint16(ROOT), uint8(4), uint8(0), uint32(32), root)));
        return state.challenge(OOD_POINT);
    }

    /// @notice A commitment that comes with a proof, 56 bytes of calldata from `place` on: absorbs root and out-of-domain
    /// answer, and draws the point of that (section 4).
    function receiveCommitment(Transcript.State memory transcript, uint256 place)
        internal
        pure
        returns (bytes32 root, Fp3 oodPoint, Fp3 oodValue, bool canonical)
    {
        uint256 words;
        assembly ("memory-safe") {
            root := calldataload(place)
            words := shr(64, calldataload(add(place, 32)))
        }
        (oodValue, canonical) = (unpack(words), isCanonical(words));
        transcript.absorbDigest(ROOT, place);
        oodPoint = transcript.challenge(OOD_POINT);
        transcript.absorbElements(OOD_VALUE, place + 32, 1);
    }

    /// @notice Phase `start`: absorbs what is opened, joins the claims' values and binds the column variables.
    /// @param values The claims' values as they are encoded.
    function start(
        Transcript.State memory transcript,
        PcsConfig memory config,
        Commitment[] memory keys,
        bytes memory values,
        uint256 next,
        uint256 end
    ) internal pure returns (OpeningState memory o) {
        absorbStatement(transcript, config.protocolId, keys, values);
        o.next = next;
        o.end = end;
        o.join = transcript.challenge(JOIN);
        uint256 logColumns = logJointColumns(keys);
        o.point = new Fp3[](logColumns + config.logRows);
        setLength(o.point, 0);
        o.added = new AddedWeight[](config.oracles.length - 1);
        o.claim = encodedHorner(values, o.join);
        for (uint256 k = keys.length; k > 0; --k) {
            o.claim = mulAdd(o.claim, o.join, keys[k - 1].oodValue);
        }
        sumcheck(transcript, o, logColumns, config.oracles[0].foldGrinding, 0, SUMCHECK, FOLD);
    }

    /// @notice Phase 1 of round i.
    function openOracle(Transcript.State memory transcript, PcsConfig memory config, OpeningState memory o, uint256 i)
        internal
        pure
    {
        o.previousRoot = o.root;
        o.root = bytes32(take(o, 32, i));
        transcript.absorbDigest(ORACLE_ROOT, o.next - 32);
        AddedWeight memory added = o.added[i - 1];
        added.oodPoint = transcript.challenge(ORACLE_OOD_POINT);
        Fp3 oodValue = element(o, i);
        transcript.absorbElements(ORACLE_OOD_VALUE, o.next - ELEMENT, 1);
        added.positions = query(transcript, config, o, i - 1);
        added.gamma = transcript.challenge(COMBINE);
        o.claim = mulAdd(added.gamma, oodValue, o.claim);
    }

    /// @notice Phase 2 of round 1 for one tree: the rows of one commitment.
    function baseRows(PcsConfig memory config, Commitment[] memory keys, OpeningState memory o, uint256 tree)
        internal
        pure
        returns (bool done)
    {
        Rows memory rows = o.rows;
        AddedWeight memory added = o.added[0];
        if (rows.weights == 0) {
            begin(rows, added.positions.length);
            (rows.weights, rows.weightsEnd) = baseRowWeights(keys, o.point, tree);
            rows.logLeaves = config.logDomain(0);
            rows.root = keys[tree].root;
            rows.leafBytes = columnsOf(keys[tree].logGroups) * 8;
        }
        return addRows(o, 0, added);
    }

    /// @notice Phase 2 of round i >= 2: the rows of oracle i - 1.
    function laterRows(PcsConfig memory config, OpeningState memory o, uint256 i) internal pure returns (bool done) {
        AddedWeight memory added = o.added[i - 1];
        if (o.rows.weights == 0) beginLater(config, o, i - 1, o.previousRoot, added.positions.length);
        return addRows(o, i - 1, added);
    }

    /// @notice Phase 3 of round i.
    function oracleSumcheck(
        Transcript.State memory transcript,
        PcsConfig memory config,
        OpeningState memory o,
        uint256 i
    ) internal pure {
        sumcheck(transcript, o, config.oracles[i].logFold, config.oracles[i].foldGrinding, i, SUMCHECK, FOLD);
    }

    /// @notice Phase 4: the final polynomial, and the query of the last oracle.
    function finalCoefficients(Transcript.State memory transcript, PcsConfig memory config, OpeningState memory o)
        internal
        pure
    {
        uint256 last = config.oracles.length - 1;
        uint256 count = 1 << config.logLen(last + 1);
        if (o.end - o.next < count * ELEMENT) revert PcsTruncated(last);
        uint256 first = o.next;
        o.finalCoefficients = elementsAt(first, count, last);
        o.next = first + count * ELEMENT;
        transcript.absorbElements(FINAL, first, count);
        o.finalPositions = query(transcript, config, o, last);
    }

    /// @notice Phase 5: the rows of the last oracle, which the final polynomial has to explain.
    function finalRows(PcsConfig memory config, OpeningState memory o) internal pure returns (bool done) {
        uint256 last = config.oracles.length - 1;
        if (o.rows.weights == 0) beginLater(config, o, last, o.root, o.finalPositions.length);
        uint256 mark = Scratch.mark();
        uint256 first = o.rows.read;
        Fp3[] memory folded;
        (folded, done) = openRows(o, last, o.finalPositions);
        checkFolded(o, folded, first, Positions.pointTable(config.logDomain(last)), last);
        endPart(o.rows, mark, done);
    }

    /// @notice Phase 6 up to the last check: the final sumcheck. Then the point is complete.
    function finalSumcheck(Transcript.State memory transcript, PcsConfig memory config, OpeningState memory o)
        internal
        pure
    {
        uint256 last = config.oracles.length - 1;
        sumcheck(transcript, o, config.logLen(last + 1), 0, last, FINAL_SUMCHECK, FINAL_FOLD);
        if (o.next != o.end) revert PcsTrailingBytes(last);
    }

    /// @notice The last check: the claim left is the final polynomial's value times the weight's.
    /// @param weight What the caller's claims have at the point of all challenges, claim number a, counted from 0 behind
    /// the commitments' own, times join^(number of commitments + a).
    /// @dev The final coefficients are overwritten.
    function check(PcsConfig memory config, Commitment[] memory keys, OpeningState memory o, Fp3 weight) internal pure {
        uint256 last = config.oracles.length - 1;
        Fp3 value = finalValue(o);
        Fp3 total = weight + oodWeights(keys, o) + addedWeights(config, o);
        if (!equal(value * total, o.claim)) revert PcsFinalClaim(last);
    }

    // What is opened, and how columns lie.

    /// @dev The statement's bytes lie in free memory, from `place` on, behind what the transcript puts before them.
    function absorbStatement(
        Transcript.State memory transcript,
        bytes32 protocolId,
        Commitment[] memory keys,
        bytes memory values
    ) private pure {
        uint256 scratch = Scratch.mark();
        uint256 place = scratch + Transcript.HEAD;
        putWord(place, uint256(protocolId));
        putWord(place + 32, keys.length << 224);
        place += 36;
        for (uint256 k = 0; k < keys.length; ++k) {
            putWord(place, columnsOf(keys[k].logGroups) << 224);
            putWord(place + 4, uint256(keys[k].root));
            putWord(place + 36, pack(keys[k].oodPoint) << 64);
            putWord(place + 60, pack(keys[k].oodValue) << 64);
            place += 84;
        }
        putWord(place, (values.length / ELEMENT) << 224);
        place += 4;
        assembly ("memory-safe") {
            mcopy(place, add(values, 32), mload(values))
            place := add(place, mload(values))
        }
        transcript.absorbScratch(STATEMENT, scratch, place - scratch - Transcript.HEAD);
    }

    /// @dev A word of free memory. The words of a message are written in rising order: of each, what the next one covers
    /// does not count, and behind the last one nothing is.
    function putWord(uint256 place, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(place, word)
        }
    }

    /// @dev a_0 + a_1 x + a_2 x^2 + .. for encoded elements a, whose words have 64 bits, and an x whose limbs are below p;
    /// reduced. Five products of 128 bits and one word are added.
    function encodedHorner(bytes memory encoded, Fp3 x) private pure returns (Fp3 value) {
        assembly ("memory-safe") {
            let x0 := shr(160, x)
            let x1 := and(shr(80, x), 0xffffffffffffffffffff)
            let x2 := and(x, 0xffffffffffffffffffff)
            let v0 := 0
            let v1 := 0
            let v2 := 0
            let first := add(encoded, 32)
            for { let place := add(first, mload(encoded)) } gt(place, first) {} {
                place := sub(place, ELEMENT)
                let words := mload(place)
                let t0 := add(add(mul(v0, x0), shl(1, add(mul(v1, x2), mul(v2, x1)))), shr(192, words))
                let t1 :=
                    add(
                        add(add(mul(v0, x1), mul(v1, x0)), shl(1, mul(v2, x2))),
                        and(shr(128, words), 0xffffffffffffffff)
                    )
                v2 := mod(
                    add(add(add(mul(v0, x2), mul(v1, x1)), mul(v2, x0)), and(shr(64, words), 0xffffffffffffffff)),
                    0xffffffff00000001
                )
                v0 := mod(t0, 0xffffffff00000001)
                v1 := mod(t1, 0xffffffff00000001)
            }
            value := or(or(shl(160, v0), shl(80, v1)), v2)
        }
    }

    function columnsOf(uint256[] memory logGroups) internal pure returns (uint256 columns) {
        unchecked {
            // Powers of two, with exponents of 8 bits, of which the sum is below 2^32.
            for (uint256 g = 0; g < logGroups.length; ++g) {
                columns += 1 << numberAt(logGroups, g);
            }
        }
    }

    /// @dev ceil(log2 n), n >= 1.
    function ceilLog2(uint256 n) internal pure returns (uint256 log) {
        while (1 << log < n) ++log;
    }

    /// @dev kappa.
    function logJointColumns(Commitment[] memory keys) internal pure returns (uint256) {
        uint256 columns = 0;
        for (uint256 k = 0; k < keys.length; ++k) {
            columns += columnsOf(keys[k].logGroups);
        }
        return ceilLog2(columns);
    }

    /// @notice First joint column of a group: groups lie by falling size, of one size by commitment.
    function groupOffset(Commitment[] memory keys, uint256 tree, uint256 group) internal pure returns (uint256 offset) {
        uint256 size = keys[tree].logGroups[group];
        for (uint256 k = 0; k < keys.length; ++k) {
            uint256[] memory logGroups = keys[k].logGroups;
            unchecked {
                // As the number of columns.
                for (uint256 g = 0; g < logGroups.length; ++g) {
                    uint256 own = numberAt(logGroups, g);
                    if (own > size || (own == size && k < tree)) offset += 1 << own;
                }
            }
        }
    }

    /// @dev Product of what coordinates [from, to) contribute at the bits of an index.
    function atBits(Fp3[] memory point, uint256 from, uint256 to, uint256 index) private pure returns (Fp3 product) {
        product = ONE;
        for (uint256 b = from; b < to; ++b) {
            product = product * atBit(point[b], (index >> b) & 1);
        }
    }

    /// @dev eq(column variables, joint column) of a commitment's columns, three words for each, in scratch memory.
    function baseRowWeights(Commitment[] memory keys, Fp3[] memory point, uint256 tree)
        private
        pure
        returns (uint256 weights, uint256 end)
    {
        uint256[] memory logGroups = keys[tree].logGroups;
        uint256 kappa = logJointColumns(keys);
        weights = Scratch.take(96 * columnsOf(logGroups));
        // Groups become smaller, so the first one's table has room for all.
        uint256 table = Scratch.take(32 << logGroups[0]);
        end = weights;
        for (uint256 g = 0; g < logGroups.length; ++g) {
            Fp3 high = atBits(point, logGroups[g], kappa, groupOffset(keys, tree, g));
            scaledEqTable(table, high, point, 0, logGroups[g]);
            spread(table, 1 << logGroups[g], end);
            end += 96 << logGroups[g];
        }
    }

    // Reading.

    /// @dev The next `size` <= 32 bytes, in the high bytes of a word.
    function take(OpeningState memory o, uint256 size, uint256 oracle) private pure returns (uint256 word) {
        uint256 place = o.next;
        if (o.end - place < size) revert PcsTruncated(oracle);
        o.next = place + size;
        assembly ("memory-safe") {
            word := calldataload(place)
        }
    }

    function element(OpeningState memory o, uint256 oracle) private pure returns (Fp3) {
        uint256 words = take(o, ELEMENT, oracle) >> 64;
        if (!isCanonical(words)) revert PcsNonCanonical(oracle);
        return unpack(words);
    }

    /// @dev The elements from `place` on in calldata, which whoever calls knows to be there.
    function elementsAt(uint256 place, uint256 count, uint256 oracle) private pure returns (Fp3[] memory list) {
        list = new Fp3[](count);
        uint256 carries = 0;
        // Offsets and addresses are far below 2^256, and so are elements as they are read and what carries them.
        unchecked {
            for (uint256 entry = 32; entry <= 32 * count; entry += 32) {
                Fp3 value = elementAt(place);
                carries |= Fp3.unwrap(value) + TO_CARRY;
                assembly ("memory-safe") {
                    mstore(add(list, entry), value)
                }
                place += ELEMENT;
            }
        }
        if (carries & CARRIES != 0) revert PcsNonCanonical(oracle);
    }

    /// @dev `rounds` variables: h(0) and the leading coefficient of h are sent.
    function sumcheck(
        Transcript.State memory transcript,
        OpeningState memory o,
        uint256 rounds,
        uint256 grinding,
        uint256 oracle,
        uint256 message,
        uint256 challenge
    ) private pure {
        uint256 bound = o.point.length;
        setLength(o.point, bound + rounds);
        for (uint256 b = 0; b < rounds; ++b) {
            Fp3 constant_ = element(o, oracle);
            Fp3 leading = element(o, oracle);
            transcript.absorbElements(message, o.next - 2 * ELEMENT, 2);
            if (grinding > 0) {
                take(o, 8, oracle);
                if (!transcript.absorbNonce(FOLD_NONCE, grinding, o.next - 8)) revert PcsFoldGrinding(oracle);
            }
            Fp3 r = transcript.challenge(challenge);
            // Limbs of what is subtracted: at most 3 p.
            Fp3 linear = o.claim - (constant_ + constant_ + leading);
            o.claim = mulAdd(r, mulAdd(r, leading, linear), constant_);
            o.point[bound + b] = r;
        }
    }

    /// @dev Checks the nonce before an oracle's positions and draws these: sorted, each once.
    function query(Transcript.State memory transcript, PcsConfig memory config, OpeningState memory o, uint256 oracle)
        private
        pure
        returns (uint256[] memory)
    {
        uint256 bits = config.oracles[oracle].queryGrinding;
        if (bits > 0) {
            take(o, 8, oracle);
            if (!transcript.absorbNonce(QUERY_NONCE, bits, o.next - 8)) revert PcsQueryGrinding(oracle);
        }
        uint256[] memory drawn =
            transcript.positions(QUERY_POSITIONS, config.logDomain(oracle), config.oracles[oracle].queries);
        return Positions.sortedSet(drawn, config.logDomain(oracle));
    }

    // Rows.

    /// @notice Goes on with a tree of which rows at the first positions were read, with these digests.
    function resumeRows(OpeningState memory o, uint256[] memory positions, bytes32[] memory digests) internal pure {
        uint256 node = Scratch.take(MultiProof.sizeOf(positions.length));
        o.rows.nodes = node;
        o.rows.read = digests.length;
        for (uint256 q = 0; q < digests.length; ++q) {
            uint256 position = positions[q];
            bytes32 digest = digests[q];
            assembly ("memory-safe") {
                mstore(node, shl(5, position))
                mstore(add(node, 32), digest)
            }
            node += 64;
        }
    }

    /// @notice Digest number q of the rows that were read.
    function digestOf(Rows memory rows, uint256 q) internal pure returns (bytes32 digest) {
        uint256 node = rows.nodes + 64 * q;
        assembly ("memory-safe") {
            digest := mload(add(node, 32))
        }
    }

    /// @dev What is the tree's lies in scratch memory until its last row was read.
    function begin(Rows memory rows, uint256 count) private pure {
        rows.mark = Scratch.mark();
        if (rows.nodes == 0) rows.nodes = Scratch.take(MultiProof.sizeOf(count));
    }

    /// @dev Gives back memory: what a part took from `mark` on, after the last one all of the tree's.
    function endPart(Rows memory rows, uint256 mark, bool done) private pure {
        Scratch.release(done ? rows.mark : mark);
        if (done) (rows.read, rows.nodes, rows.weights) = (0, 0, 0);
    }

    /// @dev The tree of oracle i >= 1.
    function beginLater(PcsConfig memory config, OpeningState memory o, uint256 oracle, bytes32 root, uint256 count)
        private
        pure
    {
        Rows memory rows = o.rows;
        begin(rows, count);
        // The challenges of the oracle's own rounds are the last ones so far.
        uint256 logFold = config.oracles[oracle].logFold;
        rows.weights = Scratch.take(96 << logFold);
        rows.weightsEnd = rows.weights + (96 << logFold);
        uint256 table = Scratch.take(32 << logFold);
        scaledEqTable(table, ONE, o.point, o.point.length - logFold, logFold);
        spread(table, 1 << logFold, rows.weights);
        rows.logLeaves = config.logDomain(oracle);
        rows.root = root;
        rows.leafBytes = ELEMENT << logFold;
    }

    /// @dev Reads the leaves of the next part and folds them; behind the last ones it reads the multi-proof, and checks
    /// all leaves against the root. Allocates in scratch memory.
    function openRows(OpeningState memory o, uint256 oracle, uint256[] memory positions)
        private
        pure
        returns (Fp3[] memory folded, bool done)
    {
        Rows memory rows = o.rows;
        uint256 count = PART / rows.leafBytes;
        if (count == 0) count = 1;
        if (rows.read % count != 0) revert StateBytes.ProofState();
        done = count >= positions.length - rows.read;
        if (done) count = positions.length - rows.read;
        uint256 end = o.next + count * rows.leafBytes;
        if (end > o.end) revert PcsTruncated(oracle);
        folded = new Fp3[](count);
        uint256 carries = foldLeaves(oracle == 0, rows, o.next, positions, folded);
        if (done) {
            bytes32 found;
            (found, end) = MultiProof.rootOf(rows.logLeaves, rows.nodes, positions.length, end);
            if (end > o.end) revert PcsTruncated(oracle);
            if (found != rows.root) revert PcsMerkle(oracle);
        }
        if (carries & CARRIES != 0) revert PcsNonCanonical(oracle);
        o.next = end;
        rows.read += count;
    }

    /// @dev Folds leaves, which lie in calldata from `place` on, to the elements of a list, and writes what a multi-proof
    /// needs of them. Of the carries that it returns none is in CARRIES exactly if all words are canonical.
    function foldLeaves(bool ofBase, Rows memory rows, uint256 place, uint256[] memory positions, Fp3[] memory folded)
        private
        pure
        returns (uint256 carries)
    {
        uint256 leafBytes = rows.leafBytes;
        uint256 leaf = Scratch.mark();
        uint256 count = folded.length;
        uint256 nodes = rows.nodes + 64 * rows.read;
        // The list's first position is the first one that was not read.
        uint256 list = 32 * rows.read;
        assembly ("memory-safe") {
            list := add(positions, list)
        }
        // Offsets and addresses are far below 2^256.
        unchecked {
            for (uint256 entry = 32; entry <= 32 * count; entry += 32) {
                assembly ("memory-safe") {
                    calldatacopy(leaf, place, leafBytes)
                    mstore(nodes, shl(5, mload(add(list, entry))))
                    mstore(add(nodes, 32), keccak256(leaf, leafBytes))
                }
                (Fp3 sum, uint256 more) = ofBase
                    ? foldBase(leaf, rows.weights, rows.weightsEnd)
                    : foldExtension(leaf, rows.weights, rows.weightsEnd);
                assembly ("memory-safe") {
                    mstore(add(folded, entry), sum)
                }
                carries |= more;
                nodes += 64;
                place += leafBytes;
            }
        }
    }

    /// @dev Sum of weights times values of the base field, 8 bytes each, from `leaf` in memory on. A weight has limbs of
    /// at most 17 p and a value 64 bits, so products have at most 133 bits, and there are at most 2^16.
    function foldBase(uint256 leaf, uint256 weight, uint256 end) private pure returns (Fp3 sum, uint256 carries) {
        assembly ("memory-safe") {
            let a0 := 0
            let a1 := 0
            let a2 := 0
            // Four at a time, then one at a time.
            for { let last := sub(end, 288) } lt(weight, last) { weight := add(weight, 384) } {
                let v := mload(leaf)
                let v0 := shr(192, v)
                let v1 := and(shr(128, v), 0xffffffffffffffff)
                let v2 := and(shr(64, v), 0xffffffffffffffff)
                v := and(v, 0xffffffffffffffff)
                carries := or(
                    or(carries, add(v, 0xffffffff)),
                    or(add(v0, 0xffffffff), or(add(v1, 0xffffffff), add(v2, 0xffffffff)))
                )
                a0 := add(
                    add(a0, mul(v0, mload(weight))),
                    add(
                        mul(v1, mload(add(weight, 96))),
                        add(mul(v2, mload(add(weight, 192))), mul(v, mload(add(weight, 288))))
                    )
                )
                a1 := add(
                    add(a1, mul(v0, mload(add(weight, 32)))),
                    add(
                        mul(v1, mload(add(weight, 128))),
                        add(mul(v2, mload(add(weight, 224))), mul(v, mload(add(weight, 320))))
                    )
                )
                a2 := add(
                    add(a2, mul(v0, mload(add(weight, 64)))),
                    add(
                        mul(v1, mload(add(weight, 160))),
                        add(mul(v2, mload(add(weight, 256))), mul(v, mload(add(weight, 352))))
                    )
                )
                leaf := add(leaf, 32)
            }
            for {} lt(weight, end) { weight := add(weight, 96) } {
                let v := shr(192, mload(leaf))
                carries := or(carries, add(v, 0xffffffff))
                a0 := add(a0, mul(v, mload(weight)))
                a1 := add(a1, mul(v, mload(add(weight, 32))))
                a2 := add(a2, mul(v, mload(add(weight, 64))))
                leaf := add(leaf, 8)
            }
            sum := or(
                or(shl(160, mod(a0, 0xffffffff00000001)), shl(80, mod(a1, 0xffffffff00000001))),
                mod(a2, 0xffffffff00000001)
            )
        }
    }

    /// @dev Sum of weights times elements, 24 bytes each, from `leaf` in memory on. A weight has limbs of at most 9 p and
    /// an element words of 64 bits, so the sum of five products has less than 136 bits, and there are at most 2^8.
    function foldExtension(uint256 leaf, uint256 weight, uint256 end) private pure returns (Fp3 sum, uint256 carries) {
        assembly ("memory-safe") {
            let a0 := 0
            let a1 := 0
            let a2 := 0
            for {} lt(weight, end) { weight := add(weight, 96) } {
                let v0 := mload(leaf)
                let v2 := and(shr(64, v0), 0xffffffffffffffff)
                let v1 := and(shr(128, v0), 0xffffffffffffffff)
                v0 := shr(192, v0)
                carries := or(carries, or(add(v0, 0xffffffff), or(add(v1, 0xffffffff), add(v2, 0xffffffff))))
                let w0 := mload(weight)
                let w1 := mload(add(weight, 32))
                let w2 := mload(add(weight, 64))
                a0 := add(a0, add(mul(v0, w0), shl(1, add(mul(v1, w2), mul(v2, w1)))))
                a1 := add(a1, add(add(mul(v0, w1), mul(v1, w0)), shl(1, mul(v2, w2))))
                a2 := add(a2, add(add(mul(v0, w2), mul(v1, w1)), mul(v2, w0)))
                leaf := add(leaf, 24)
            }
            sum := or(
                or(shl(160, mod(a0, 0xffffffff00000001)), shl(80, mod(a1, 0xffffffff00000001))),
                mod(a2, 0xffffffff00000001)
            )
        }
    }

    /// @dev The next part of a tree: claim += sum over its q of gamma^(q + 2) v_q.
    function addRows(OpeningState memory o, uint256 oracle, AddedWeight memory added) private pure returns (bool done) {
        uint256 mark = Scratch.mark();
        Fp3 gamma = added.gamma;
        Fp3 power = gamma * gamma;
        if (o.rows.read > 0) power = power * pow(gamma, o.rows.read);
        Fp3[] memory folded;
        (folded, done) = openRows(o, oracle, added.positions);
        o.claim = mulAdd(power, horner(folded, gamma, ZERO), o.claim);
        endPart(o.rows, mark, done);
    }

    /// @dev Whether the folded rows, of the positions from number `first` on, are the final polynomial's values. table: of
    /// the positions' points.
    function checkFolded(OpeningState memory o, Fp3[] memory folded, uint256 first, uint256 table, uint256 oracle)
        private
        pure
    {
        uint256 count = o.finalCoefficients.length;
        uint256 limbs = Scratch.take(96 * count);
        uint256 list;
        Fp3[] memory coefficients = o.finalCoefficients;
        assembly ("memory-safe") {
            list := add(coefficients, 32)
        }
        spread(list, count, limbs);
        for (uint256 q = 0; q < folded.length; ++q) {
            uint256 x = Positions.domainPoint(table, o.finalPositions[first + q]);
            // Both are reduced.
            if (Fp3.unwrap(valueAt(limbs, count, x)) != Fp3.unwrap(folded[q])) revert PcsFinalFold(oracle);
        }
    }

    /// @dev Value at x < p of a polynomial whose coefficients, reduced and a power of two of them, have their limbs from
    /// `first` in memory on; reduced. From the highest on, two at a time: what is reduced then is below p^3.
    function valueAt(uint256 first, uint256 count, uint256 x) private pure returns (Fp3 value) {
        assembly ("memory-safe") {
            let v0 := 0
            let v1 := 0
            let v2 := 0
            let place := add(first, mul(count, 96))
            if eq(count, 1) {
                place := first
                v0 := mload(first)
                v1 := mload(add(first, 32))
                v2 := mload(add(first, 64))
            }
            for {} gt(place, first) {} {
                place := sub(place, 192)
                v0 := mod(add(mul(add(mul(v0, x), mload(add(place, 96))), x), mload(place)), 0xffffffff00000001)
                v1 := mod(
                    add(mul(add(mul(v1, x), mload(add(place, 128))), x), mload(add(place, 32))),
                    0xffffffff00000001
                )
                v2 := mod(
                    add(mul(add(mul(v2, x), mload(add(place, 160))), x), mload(add(place, 64))),
                    0xffffffff00000001
                )
            }
            value := or(or(shl(160, v0), shl(80, v1)), v2)
        }
    }

    // Weights at the point of all challenges.

    /// @dev Of the commitments' out-of-domain claims, joined.
    function oodWeights(Commitment[] memory keys, OpeningState memory o) private pure returns (Fp3 sum) {
        uint256 kappa = logJointColumns(keys);
        uint256 mark = Scratch.mark();
        for (uint256 k = keys.length; k > 0; --k) {
            sum = mulAdd(sum, o.join, oodWeight(keys, o.point, k - 1, kappa));
        }
        Scratch.release(mark);
    }

    function oodWeight(Commitment[] memory keys, Fp3[] memory point, uint256 k, uint256 kappa)
        private
        pure
        returns (Fp3 sum)
    {
        uint256[] memory logGroups = keys[k].logGroups;
        uint256 ownKappa = ceilLog2(columnsOf(logGroups));
        // z^(2^b), of which the last is the one that the rows begin with; products of what column variables contribute.
        Fp3[] memory squares = new Fp3[](ownKappa + 1);
        Fp3[] memory products = new Fp3[](ownKappa + 1);
        squares[0] = keys[k].oodPoint;
        products[0] = ONE;
        for (uint256 b = 0; b < ownKappa; ++b) {
            squares[b + 1] = squares[b] * squares[b];
            products[b + 1] = mulAdd(products[b], (squares[b] - ONE) * point[b], products[b]);
        }
        // z to the power of the number of columns before the group.
        Fp3 power = ONE;
        for (uint256 g = 0; g < logGroups.length; ++g) {
            uint256 size = logGroups[g];
            sum = sum + power * products[size] * atBits(point, size, kappa, groupOffset(keys, k, g));
            power = power * squares[size];
        }
        return sum * powerWeight(squares[ownKappa], point, point.length - kappa);
    }

    /// @dev Of what the rounds added.
    function addedWeights(PcsConfig memory config, OpeningState memory o) private pure returns (Fp3 sum) {
        uint256 mark = Scratch.mark();
        uint256 bits = 0;
        for (uint256 i = 0; i < o.added.length; ++i) {
            if (config.logDomain(i) > bits) bits = config.logDomain(i);
        }
        uint256 points = Positions.pointTable(bits);
        uint256 powers = Scratch.take(powerTableSize(config.logRows));
        for (uint256 i = 0; i < o.added.length; ++i) {
            sum = reduce(sum + roundWeight(o.added[i], o.point, config.logLen(i + 1), points, powers));
        }
        Scratch.release(mark);
    }

    /// @dev Of one round, on the last `variables` of the point. powers: room for a table of these.
    function roundWeight(
        AddedWeight memory added,
        Fp3[] memory point,
        uint256 variables,
        uint256 points,
        uint256 powers
    ) private pure returns (Fp3) {
        powerTable(powers, point, variables);
        Fp3 ofRows = positionWeights(added, points, powers, powers + powerTableSize(variables));
        return added.gamma * (powerWeight(added.oodPoint, point, variables) + ofRows);
    }

    /// @dev Sum over the positions of gamma^(q + 1) times what the powers of their points weigh.
    function positionWeights(AddedWeight memory added, uint256 points, uint256 powers, uint256 powersEnd)
        private
        pure
        returns (Fp3 sum)
    {
        Fp3 gamma = added.gamma;
        uint256[] memory positions = added.positions;
        for (uint256 q = positions.length; q > 0; --q) {
            uint256 position;
            unchecked {
                // q is at least 1.
                position = numberAt(positions, q - 1);
            }
            uint256 z = Positions.domainPoint(points, position);
            sum = gamma * (sum + tablePowerWeight(powers, powersEnd, z));
        }
    }

    /// @dev The final polynomial's value at the last coordinates, in place of its first coefficient: each coordinate, the
    /// lowest first, halves the list.
    function finalValue(OpeningState memory o) private pure returns (Fp3) {
        Fp3[] memory list = o.finalCoefficients;
        uint256 place = o.point.length;
        for (uint256 size = list.length; size > 1; size >>= 1) {
            --place;
        }
        for (uint256 half = list.length >> 1; half > 0; half >>= 1) {
            bindLowest(list, half, o.point[place++]);
        }
        return list[0];
    }

    /// @dev list[x] = list[2 x] + r (list[2 x + 1] - list[2 x]) for x < half, of a list of at least 2 half reduced elements.
    function bindLowest(Fp3[] memory list, uint256 half, Fp3 r) private pure {
        // Addresses are far below 2^256.
        unchecked {
            for (uint256 entry = 32; entry <= 32 * half; entry += 32) {
                Fp3 low;
                Fp3 high;
                assembly ("memory-safe") {
                    let pair := add(list, shl(1, entry))
                    low := mload(sub(pair, 32))
                    high := mload(pair)
                }
                low = mulAdd(r, high - low, low);
                assembly ("memory-safe") {
                    mstore(add(list, entry), low)
                }
            }
        }
    }
}
