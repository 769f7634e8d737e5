// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Fp3,
    ONE,
    ZERO,
    atBit,
    basePowerWeight,
    eqTable,
    equal,
    isCanonical,
    pack,
    pow,
    powerWeight,
    reduce,
    setLength,
    unpack
} from "./Fp3.sol";
import {MultiProof} from "./MultiProof.sol";
import {PcsConfig, PcsConfigs} from "./PcsConfig.sol";
import {Positions} from "./Positions.sol";
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
}

/// @title Opening of claims on committed columns (spec/pcs.md, section 6)
/// @notice Each function is a phase of section 12 and takes the next bytes of the proof. Errors carry the oracle that
/// they are about.
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

    uint256 private constant ELEMENT = 24;

    uint256 private constant ROOT = 0x0100;
    uint256 private constant OOD_POINT = 0x0101;
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

    /// @notice Phase `start`: absorbs what is opened, joins the claims' values and binds the column variables.
    function start(
        Transcript.State memory transcript,
        PcsConfig memory config,
        Commitment[] memory keys,
        Fp3[] memory values,
        uint256 next,
        uint256 end
    ) internal pure returns (OpeningState memory o) {
        transcript.absorbBytes(STATEMENT, encodeStatement(config.protocolId, keys, values));
        o.next = next;
        o.end = end;
        o.join = transcript.challenge(JOIN);
        uint256 logColumns = logJointColumns(keys);
        o.point = new Fp3[](logColumns + config.logRows);
        setLength(o.point, 0);
        o.added = new AddedWeight[](config.oracles.length - 1);
        Fp3 power = ONE;
        Fp3 sum = ZERO;
        for (uint256 k = 0; k < keys.length; ++k) {
            sum = sum + power * keys[k].oodValue;
            power = power * o.join;
        }
        for (uint256 a = 0; a < values.length; ++a) {
            // Reduced each time: claims may be more than an unreduced sum may have summands.
            sum = reduce(sum + power * values[a]);
            power = power * o.join;
        }
        o.claim = reduce(sum);
        sumcheck(transcript, o, logColumns, config.oracles[0].foldGrinding, 0, SUMCHECK, FOLD);
    }

    /// @notice All phases of round i >= 1.
    function round(
        Transcript.State memory transcript,
        PcsConfig memory config,
        Commitment[] memory keys,
        OpeningState memory o,
        uint256 i
    ) internal pure {
        openOracle(transcript, config, o, i);
        if (i > 1) {
            laterRows(config, o, i);
        } else {
            for (uint256 tree = 0; tree < keys.length; ++tree) {
                baseRows(config, keys, o, tree);
            }
        }
        oracleSumcheck(transcript, config, o, i);
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
        o.claim = reduce(o.claim + added.gamma * oodValue);
    }

    /// @notice Phase 2 of round 1 for one tree: the rows of one commitment.
    function baseRows(PcsConfig memory config, Commitment[] memory keys, OpeningState memory o, uint256 tree)
        internal
        pure
    {
        uint256[] memory weights = baseRowWeights(keys, o.point, tree);
        uint256 columns = weights.length / 3;
        AddedWeight memory added = o.added[0];
        Fp3[] memory folded =
            openTree(o, 0, config.logDomain(0), keys[tree].root, added.positions, columns * 8, weights, true);
        addRows(o, added.gamma, folded);
    }

    /// @notice Phase 2 of round i >= 2: the rows of oracle i - 1.
    function laterRows(PcsConfig memory config, OpeningState memory o, uint256 i) internal pure {
        AddedWeight memory added = o.added[i - 1];
        addRows(o, added.gamma, openLater(config, o, i - 1, o.previousRoot, added.positions));
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
        o.finalCoefficients = new Fp3[](count);
        for (uint256 x = 0; x < count; ++x) {
            o.finalCoefficients[x] = element(o, last);
        }
        transcript.absorbElements(FINAL, first, count);
        o.finalPositions = query(transcript, config, o, last);
    }

    /// @notice Phase 5: the rows of the last oracle, which the final polynomial has to explain.
    function finalRows(PcsConfig memory config, OpeningState memory o) internal pure {
        uint256 last = config.oracles.length - 1;
        Fp3[] memory folded = openLater(config, o, last, o.root, o.finalPositions);
        uint256 logDomain = config.logDomain(last);
        for (uint256 q = 0; q < folded.length; ++q) {
            uint256 x = Positions.domainPoint(logDomain, o.finalPositions[q]);
            if (!equal(horner(o.finalCoefficients, x), folded[q])) revert PcsFinalFold(last);
        }
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
    function check(PcsConfig memory config, Commitment[] memory keys, OpeningState memory o, Fp3 weight) internal pure {
        uint256 last = config.oracles.length - 1;
        Fp3[] memory eq = eqTable(o.point, o.point.length - config.logLen(last + 1), config.logLen(last + 1));
        Fp3 value = ZERO;
        for (uint256 x = 0; x < eq.length; ++x) {
            value = value + eq[x] * o.finalCoefficients[x];
        }
        Fp3 total = weight + oodWeights(keys, o) + addedWeights(config, o);
        if (!equal(value * total, o.claim)) revert PcsFinalClaim(last);
    }

    // What is opened, and how columns lie.

    function encodeStatement(bytes32 protocolId, Commitment[] memory keys, Fp3[] memory values)
        private
        pure
        returns (bytes memory)
    {
        bytes memory head = abi.encodePacked(protocolId, uint32(keys.length));
        for (uint256 k = 0; k < keys.length; ++k) {
            head = abi.encodePacked(
                head,
                uint32(columnsOf(keys[k].logGroups)),
                keys[k].root,
                uint192(pack(keys[k].oodPoint)),
                uint192(pack(keys[k].oodValue))
            );
        }
        bytes memory list = new bytes(values.length * ELEMENT);
        for (uint256 a = 0; a < values.length; ++a) {
            uint256 words = pack(values[a]);
            assembly ("memory-safe") {
                // The 8 bytes behind belong to the next element; behind the last one they are free memory.
                let place := add(add(list, 32), mul(a, 24))
                mstore(place, or(shl(64, words), and(mload(place), 0xffffffffffffffff)))
            }
        }
        return abi.encodePacked(head, uint32(values.length), list);
    }

    function columnsOf(uint256[] memory logGroups) internal pure returns (uint256 columns) {
        for (uint256 g = 0; g < logGroups.length; ++g) {
            columns += 1 << logGroups[g];
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
            for (uint256 g = 0; g < logGroups.length; ++g) {
                if (logGroups[g] > size || (logGroups[g] == size && k < tree)) offset += 1 << logGroups[g];
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

    /// @dev eq(column variables, joint column) of a commitment's columns, three words for each.
    function baseRowWeights(Commitment[] memory keys, Fp3[] memory point, uint256 tree)
        private
        pure
        returns (uint256[] memory weights)
    {
        uint256[] memory logGroups = keys[tree].logGroups;
        uint256 kappa = logJointColumns(keys);
        weights = new uint256[](3 * columnsOf(logGroups));
        uint256 place = 0;
        for (uint256 g = 0; g < logGroups.length; ++g) {
            Fp3 scale = atBits(point, logGroups[g], kappa, groupOffset(keys, tree, g));
            Fp3[] memory eq = eqTable(point, 0, logGroups[g]);
            for (uint256 c = 0; c < eq.length; ++c) {
                uint256 words = pack(scale * eq[c]);
                weights[place] = words >> 128;
                weights[place + 1] = (words >> 64) & (2 ** 64 - 1);
                weights[place + 2] = words & (2 ** 64 - 1);
                place += 3;
            }
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
            Fp3 linear = o.claim - (constant_ + constant_ + leading);
            o.claim = reduce(constant_ + r * (linear + r * leading));
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
        return Positions.sortedSet(drawn);
    }

    // Rows.

    /// @dev The folded rows of oracle i >= 1 at positions.
    function openLater(
        PcsConfig memory config,
        OpeningState memory o,
        uint256 oracle,
        bytes32 root,
        uint256[] memory positions
    ) private pure returns (Fp3[] memory) {
        // The challenges of the oracle's own rounds are the last ones so far.
        uint256 logFold = config.oracles[oracle].logFold;
        Fp3[] memory table = eqTable(o.point, o.point.length - logFold, logFold);
        uint256[] memory weights;
        assembly ("memory-safe") {
            weights := table
        }
        return openTree(o, oracle, config.logDomain(oracle), root, positions, ELEMENT << logFold, weights, false);
    }

    /// @dev Reads leaves and multi-proof, checks them against the root and folds the leaves.
    function openTree(
        OpeningState memory o,
        uint256 oracle,
        uint256 logLeaves,
        bytes32 root,
        uint256[] memory positions,
        uint256 leafBytes,
        uint256[] memory weights,
        bool ofBase
    ) private pure returns (Fp3[] memory folded) {
        uint256 count = positions.length;
        uint256 place = o.next;
        if (o.end - place < count * leafBytes) revert PcsTruncated(oracle);
        folded = new Fp3[](count);
        uint256[] memory nodes = new uint256[](2 * count);
        bool canonical = true;
        for (uint256 q = 0; q < count; ++q) {
            bytes32 digest;
            uint256 leaf;
            assembly ("memory-safe") {
                leaf := mload(0x40)
                calldatacopy(leaf, place, leafBytes)
                digest := keccak256(leaf, leafBytes)
            }
            (Fp3 value, bool good) = ofBase ? foldBase(leaf, weights) : foldExtension(leaf, weights);
            folded[q] = value;
            canonical = canonical && good;
            nodes[2 * q] = positions[q];
            nodes[2 * q + 1] = uint256(digest);
            place += leafBytes;
        }
        (bytes32 found, uint256 end) = MultiProof.rootOf(logLeaves, nodes, place);
        if (end > o.end) revert PcsTruncated(oracle);
        if (found != root) revert PcsMerkle(oracle);
        if (!canonical) revert PcsNonCanonical(oracle);
        o.next = end;
    }

    /// @dev Sum of weights times values of the base field, 8 bytes each, from `leaf` in memory on. Products have 128 bits
    /// and there are at most 2^16.
    function foldBase(uint256 leaf, uint256[] memory weights) private pure returns (Fp3 sum, bool canonical) {
        assembly ("memory-safe") {
            let a0 := 0
            let a1 := 0
            let a2 := 0
            let bad := 0
            let w := add(weights, 32)
            for { let end := add(w, shl(5, mload(weights))) } lt(w, end) { w := add(w, 96) } {
                let v := shr(192, mload(leaf))
                bad := or(bad, gt(v, 0xffffffff00000000))
                a0 := add(a0, mul(v, mload(w)))
                a1 := add(a1, mul(v, mload(add(w, 32))))
                a2 := add(a2, mul(v, mload(add(w, 64))))
                leaf := add(leaf, 8)
            }
            sum := or(
                or(shl(160, mod(a0, 0xffffffff00000001)), shl(80, mod(a1, 0xffffffff00000001))),
                mod(a2, 0xffffffff00000001)
            )
            canonical := iszero(bad)
        }
    }

    /// @dev Sum of weights times elements, 24 bytes each, from `leaf` in memory on.
    function foldExtension(uint256 leaf, uint256[] memory weights) private pure returns (Fp3 sum, bool canonical) {
        canonical = true;
        for (uint256 c = 0; c < weights.length; ++c) {
            uint256 words;
            assembly ("memory-safe") {
                words := shr(64, mload(add(leaf, mul(c, 24))))
            }
            canonical = canonical && isCanonical(words);
            sum = sum + Fp3.wrap(weights[c]) * unpack(words);
        }
        sum = reduce(sum);
    }

    /// @dev claim += sum over q of gamma^(q + 2) v_q.
    function addRows(OpeningState memory o, Fp3 gamma, Fp3[] memory folded) private pure {
        Fp3 power = gamma;
        Fp3 sum = o.claim;
        for (uint256 q = 0; q < folded.length; ++q) {
            power = power * gamma;
            sum = sum + power * folded[q];
        }
        o.claim = reduce(sum);
    }

    function horner(Fp3[] memory coefficients, uint256 x) private pure returns (Fp3 value) {
        for (uint256 i = coefficients.length; i > 0; --i) {
            value = value.scale(x) + coefficients[i - 1];
        }
    }

    // Weights at the point of all challenges.

    /// @dev Of the commitments' out-of-domain claims, joined.
    function oodWeights(Commitment[] memory keys, OpeningState memory o) private pure returns (Fp3 sum) {
        uint256 kappa = logJointColumns(keys);
        Fp3 power = ONE;
        for (uint256 k = 0; k < keys.length; ++k) {
            sum = sum + power * oodWeight(keys, o.point, k, kappa);
            power = power * o.join;
        }
    }

    function oodWeight(Commitment[] memory keys, Fp3[] memory point, uint256 k, uint256 kappa)
        private
        pure
        returns (Fp3 sum)
    {
        uint256[] memory logGroups = keys[k].logGroups;
        uint256 ownKappa = ceilLog2(columnsOf(logGroups));
        // z^(2^b), b in [ownKappa]; then the one that the rows begin with.
        Fp3[] memory squares = new Fp3[](ownKappa + 1);
        squares[0] = keys[k].oodPoint;
        for (uint256 b = 0; b < ownKappa; ++b) {
            squares[b + 1] = squares[b] * squares[b];
        }
        uint256 offset = 0;
        for (uint256 g = 0; g < logGroups.length; ++g) {
            Fp3 term = pow(keys[k].oodPoint, offset);
            for (uint256 b = 0; b < logGroups[g]; ++b) {
                term = term * (ONE + (squares[b] - ONE) * point[b]);
            }
            sum = sum + term * atBits(point, logGroups[g], kappa, groupOffset(keys, k, g));
            offset += 1 << logGroups[g];
        }
        return sum * powerWeight(squares[ownKappa], point, point.length - kappa);
    }

    /// @dev Of what the rounds added.
    function addedWeights(PcsConfig memory config, OpeningState memory o) private pure returns (Fp3 sum) {
        for (uint256 i = 0; i < o.added.length; ++i) {
            AddedWeight memory added = o.added[i];
            uint256 variables = config.logLen(i + 1);
            uint256 logDomain = config.logDomain(i);
            Fp3 power = added.gamma;
            sum = sum + power * powerWeight(added.oodPoint, o.point, variables);
            for (uint256 q = 0; q < added.positions.length; ++q) {
                power = power * added.gamma;
                uint256 z = Positions.domainPoint(logDomain, added.positions[q]);
                sum = sum + power * basePowerWeight(z, o.point, variables);
            }
        }
        sum = reduce(sum);
    }
}
