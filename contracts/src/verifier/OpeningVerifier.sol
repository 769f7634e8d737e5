// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, setLength, ELEMENT} from "./Fp3.sol";
import {AddedWeight, Commitment, Opening, OpeningState} from "./Opening.sol";
import {IOpeningVerifier, IWeightVerifier, OpeningInput, OpeningShape, ProgramInput} from "./Parts.sol";
import {PcsConfig, PcsConfigs} from "./PcsConfig.sol";
import {Cursor, StateBytes, StateHead} from "./StateBytes.sol";
import {Transcript} from "./Transcript.sol";

/// @title The phases of a proof's opening, with the last check (spec/proof.md, section 6; spec/pcs.md, section 12)
/// @notice A part of a verifier, for any model, as ReductionVerifier is.
contract OpeningVerifier is IOpeningVerifier {
    using PcsConfigs for PcsConfig;
    using StateBytes for Cursor;
    using Transcript for Transcript.State;

    uint256 private constant STATE_VERSION = 2;

    /// @dev Phases of an opening; before the first one there is no state of its own.
    uint256 private constant ORACLE = 1;
    uint256 private constant ROWS = 2;
    uint256 private constant SUMCHECK = 3;
    uint256 private constant FINAL = 4;
    uint256 private constant FINAL_ROWS = 5;
    uint256 private constant FINISH = 6;

    /// @dev A verification under way.
    struct Run {
        StateHead head;
        ProgramInput program;
        PcsConfig config;
        Commitment[] keys;
        Transcript.State transcript;
        OpeningState opening;
        /// The opening's phase, oracle and tree; phase 0 before it begins.
        uint256 phase;
        uint256 oracle;
        uint256 tree;
        /// Claimed values, as the state has them, before it begins.
        bytes values;
        /// Challenges of the phases before, as the state has them.
        bytes challenges;
        /// How tensors are packed, and where axes lie in challenges.
        bytes packing;
        bytes placement;
    }

    /// @notice What says where committed tensors lie, and what claims on them weigh.
    IWeightVerifier public immutable WEIGHTS;

    constructor(IWeightVerifier weights) {
        WEIGHTS = weights;
    }

    /// @inheritdoc IOpeningVerifier
    function advance(OpeningInput calldata input, bytes calldata state, bytes calldata part)
        external
        view
        returns (bytes memory next, bool done)
    {
        Run memory r;
        bytes memory current = state;
        uint256 own = prepare(r, input, current);
        uint256 start;
        assembly ("memory-safe") {
            start := part.offset
        }
        (r.opening.next, r.opening.end) = (start, start + part.length);
        do {
            if (r.phase == FINISH) {
                finish(r);
                return ("", true);
            }
            if (phase(r)) ++r.head.phase;
        } while (r.opening.next < r.opening.end);
        r.head.digest = r.transcript.digest;
        return (encode(r, current, own), false);
    }

    /// @dev Reads the state. Returns how many bytes of it stay as they are: those before the opening's own.
    function prepare(Run memory r, OpeningInput calldata input, bytes memory state) private view returns (uint256 own) {
        Cursor memory cursor;
        (r.head, cursor) = StateBytes.open(state);
        uint256 first = cursor.place;
        r.transcript.digest = r.head.digest;
        r.config = PcsConfigs.parse(input.config);
        r.program = ProgramInput(input.program, input.lengths, input.logCells, r.config.logRows, r.config.maxLogColumns);
        OpeningShape memory shape = WEIGHTS.shapeOf(r.program);
        r.keys = new Commitment[](2);
        r.keys[0] = Commitment({
            root: input.modelRoot,
            logGroups: shape.modelGroups,
            oodPoint: Opening.fixedOodPoint(r.config.protocolId, shape.modelGroups, input.modelRoot),
            oodValue: input.modelValue
        });
        r.keys[1].root = r.head.root;
        r.keys[1].logGroups = shape.witnessGroups;
        r.keys[1].oodPoint = cursor.read();
        r.keys[1].oodValue = cursor.read();
        (r.packing, r.placement) = (shape.packing, shape.placement);
        if (r.head.phase < shape.firstPhase) revert StateBytes.ProofState();
        r.challenges = cursor.slice(ELEMENT * shape.challenges);
        own = StateBytes.HEAD + cursor.place - first;
        // Of the claims on committed tensors, which alone are used later.
        if (r.head.phase == shape.firstPhase) r.values = cursor.slice(ELEMENT * shape.claims);
        else decode(r, cursor);
        StateBytes.expectEnd(state, cursor);
    }

    // Phases.

    /// @dev The next phase, or the next part of one that reads rows. Returns whether the phase is done.
    function phase(Run memory r) private pure returns (bool) {
        OpeningState memory o = r.opening;
        if (r.phase == 0) {
            r.opening = Opening.start(r.transcript, r.config, r.keys, r.values, o.next, o.end);
            (r.phase, r.oracle) = (ORACLE, 1);
        } else if (r.phase == ORACLE) {
            Opening.openOracle(r.transcript, r.config, o, r.oracle);
            (r.phase, r.tree) = (ROWS, 0);
        } else if (r.phase == ROWS) {
            bool done =
                r.oracle > 1 ? Opening.laterRows(r.config, o, r.oracle) : Opening.baseRows(r.config, r.keys, o, r.tree);
            if (!done) return false;
            ++r.tree;
            if (r.oracle > 1 || r.tree == r.keys.length) (r.phase, r.tree) = (SUMCHECK, 0);
        } else if (r.phase == SUMCHECK) {
            Opening.oracleSumcheck(r.transcript, r.config, o, r.oracle);
            if (r.oracle + 1 < r.config.oracles.length) (r.phase, r.oracle) = (ORACLE, r.oracle + 1);
            else r.phase = FINAL;
        } else if (r.phase == FINAL) {
            Opening.finalCoefficients(r.transcript, r.config, o);
            r.phase = FINAL_ROWS;
        } else {
            if (!Opening.finalRows(r.config, o)) return false;
            r.phase = FINISH;
        }
        return true;
    }

    function finish(Run memory r) private view {
        OpeningState memory o = r.opening;
        Opening.finalSumcheck(r.transcript, r.config, o);
        Fp3 weight = WEIGHTS.weigh(r.program, r.packing, r.placement, r.challenges, o.point, o.join);
        Opening.check(r.config, r.keys, o, weight);
    }

    // The opening's own state (spec/pcs.md, section 12).

    /// @dev How many roots there are: of the oracle before, if its rows are opened, and of this one.
    function rootCount(Run memory r) private pure returns (uint256 count) {
        if (r.oracle > 1 && (r.phase == ORACLE || r.phase == ROWS)) ++count;
        if (r.phase >= ROWS && r.phase <= FINAL_ROWS) ++count;
    }

    function addedCount(Run memory r) private pure returns (uint256) {
        return r.phase == ORACLE ? r.oracle - 1 : r.oracle;
    }

    /// @dev Challenges so far: of the column variables and of the rounds of all oracles before the phase.
    function pointLength(Run memory r) private pure returns (uint256) {
        uint256 i = r.phase >= FINAL ? r.config.oracles.length : r.oracle;
        return Opening.logJointColumns(r.keys) + r.config.logRows - r.config.logLen(i);
    }

    function decode(Run memory r, Cursor memory cursor) private pure {
        OpeningState memory o = r.opening;
        if (cursor.readNumber() != STATE_VERSION) revert StateBytes.ProofState();
        (r.phase, r.oracle, r.tree) = (cursor.readNumber(), cursor.readNumber(), cursor.readNumber());
        if (r.phase == 0 || r.phase > FINISH || r.oracle == 0 || r.oracle >= r.config.oracles.length) {
            revert StateBytes.ProofState();
        }
        o.join = cursor.read();
        o.claim = cursor.read();
        uint256 length = pointLength(r);
        o.point = new Fp3[](Opening.logJointColumns(r.keys) + r.config.logRows);
        for (uint256 i = 0; i < length; ++i) {
            o.point[i] = cursor.read();
        }
        setLength(o.point, length);
        uint256 roots = rootCount(r);
        // Before a phase that reads a new root, the last one is that of the oracle before.
        if (roots == 2) o.previousRoot = cursor.readDigest();
        if (roots > 0) o.root = cursor.readDigest();
        o.added = new AddedWeight[](r.config.oracles.length - 1);
        uint256 added = addedCount(r);
        for (uint256 j = 0; j < added; ++j) {
            o.added[j] = AddedWeight(cursor.read(), cursor.read(), readPositions(cursor));
        }
        if (r.phase >= FINAL_ROWS) {
            o.finalCoefficients = cursor.readList(1 << r.config.logLen(r.config.oracles.length));
        }
        if (r.phase == FINAL_ROWS) o.finalPositions = readPositions(cursor);
        if (readsRows(r)) readRows(r, cursor);
    }

    /// @dev The state before the next phase: what came before the opening's own, and that.
    function encode(Run memory r, bytes memory before, uint256 own) private pure returns (bytes memory state) {
        Cursor memory cursor;
        OpeningState memory o = r.opening;
        (state, cursor) = StateBytes.create(r.head, own - StateBytes.HEAD + ownSize(r));
        assembly ("memory-safe") {
            let place := mload(cursor)
            let size := sub(own, 104)
            mcopy(place, add(add(before, 32), 104), size)
            mstore(cursor, add(place, size))
        }
        cursor.writeNumber(STATE_VERSION);
        cursor.writeNumber(r.phase);
        cursor.writeNumber(r.oracle);
        cursor.writeNumber(r.tree);
        cursor.write(o.join);
        cursor.write(o.claim);
        cursor.writeList(o.point);
        uint256 roots = rootCount(r);
        if (roots == 2) cursor.writeDigest(o.previousRoot);
        if (roots > 0) cursor.writeDigest(o.root);
        uint256 added = addedCount(r);
        for (uint256 j = 0; j < added; ++j) {
            cursor.write(o.added[j].gamma);
            cursor.write(o.added[j].oodPoint);
            writePositions(cursor, o.added[j].positions);
        }
        if (r.phase >= FINAL_ROWS) cursor.writeList(o.finalCoefficients);
        if (r.phase == FINAL_ROWS) writePositions(cursor, o.finalPositions);
        if (!readsRows(r)) return state;
        cursor.writeNumber(o.rows.read);
        for (uint256 q = 0; q < o.rows.read; ++q) {
            cursor.writeDigest(Opening.digestOf(o.rows, q));
        }
    }

    function ownSize(Run memory r) private pure returns (uint256 size) {
        OpeningState memory o = r.opening;
        size = 16 + ELEMENT * (2 + o.point.length) + 32 * rootCount(r);
        uint256 added = addedCount(r);
        for (uint256 j = 0; j < added; ++j) {
            size += 2 * ELEMENT + 4 + 4 * o.added[j].positions.length;
        }
        if (r.phase >= FINAL_ROWS) size += ELEMENT * o.finalCoefficients.length;
        if (r.phase == FINAL_ROWS) size += 4 + 4 * o.finalPositions.length;
        if (readsRows(r)) size += 4 + 32 * o.rows.read;
    }

    function readsRows(Run memory r) private pure returns (bool) {
        return r.phase == ROWS || r.phase == FINAL_ROWS;
    }

    /// @dev The digests of the rows that were read.
    function readRows(Run memory r, Cursor memory cursor) private pure {
        OpeningState memory o = r.opening;
        uint256 count = cursor.readNumber();
        if (count == 0) return;
        uint256[] memory positions = r.phase == ROWS ? o.added[r.oracle - 1].positions : o.finalPositions;
        if (count >= positions.length) revert StateBytes.ProofState();
        bytes32[] memory digests = new bytes32[](count);
        for (uint256 q = 0; q < count; ++q) {
            digests[q] = cursor.readDigest();
        }
        Opening.resumeRows(o, positions, digests);
    }

    function readPositions(Cursor memory cursor) private pure returns (uint256[] memory positions) {
        positions = new uint256[](cursor.readNumber());
        for (uint256 i = 0; i < positions.length; ++i) {
            positions[i] = cursor.readNumber();
        }
    }

    function writePositions(Cursor memory cursor, uint256[] memory positions) private pure {
        cursor.writeNumber(positions.length);
        for (uint256 i = 0; i < positions.length; ++i) {
            cursor.writeNumber(positions[i]);
        }
    }
}
