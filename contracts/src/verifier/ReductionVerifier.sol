// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Code} from "./Code.sol";
import {Instance} from "./DeliveryReader.sol";
import {Fp3, ELEMENT, toBytes, toList} from "./Fp3.sol";
import {LookupArgument, LookupConfig} from "./LookupArgument.sol";
import {Opening} from "./Opening.sol";
import {ILookupVerifier, IReductionVerifier, LookupProgress} from "./Parts.sol";
import {Program, Programs, SOURCE_LOOKUP, SOURCE_STAGE, SOURCE_ZERO} from "./Program.sol";
import {Reduction, Section} from "./Reduction.sol";
import {Cursor, StateBytes, StateHead} from "./StateBytes.sol";
import {Transcript} from "./Transcript.sol";

/// @title The phases of a proof up to its opening: commitment, lookup argument, stages (spec/proof.md, section 6)
/// @notice A part of a verifier, for any model: it knows nothing of keys and deliveries, and says nothing alone.
contract ReductionVerifier is IReductionVerifier {
    using Programs for Program;
    using StateBytes for Cursor;
    using Transcript for Transcript.State;

    uint256 private constant COMMITMENT = 56;
    /// @dev Of a statement's lookup argument (spec/proof.md, section 3): its error grows with the square of the cells.
    uint256 private constant MAX_LOG_CELLS = 30;

    uint256 private constant ALPHA = 0x0300;
    uint256 private constant BETA = 0x0301;

    /// @dev A verification under way.
    struct Run {
        StateHead head;
        Program program;
        LookupConfig lookups;
        uint256 logCells;
        uint256 lookupPhases;
        uint256 stages;
        Transcript.State transcript;
        Section section;
        Fp3 oodPoint;
        Fp3 oodValue;
        Fp3[2] alphaBeta;
        LookupProgress lookup;
    }

    /// @notice What carries out the lookup argument.
    ILookupVerifier public immutable LOOKUP;

    constructor(ILookupVerifier lookup) {
        LOOKUP = lookup;
    }

    /// @inheritdoc IReductionVerifier
    function advance(address program, Instance calldata instance, bytes calldata state, bytes calldata part)
        external
        view
        returns (bytes memory next, uint256 used, bool finished, uint256 logCells)
    {
        Run memory r;
        bytes memory current = state;
        Cursor memory cursor;
        (r.head, cursor) = StateBytes.open(current);
        r.program = Programs.instantiate(Code.read(program), instance.lengths, instance.values);
        r.lookups = Reduction.lookupConfig(r.program);
        r.logCells = LookupArgument.logCellsOf(r.lookups);
        logCells = r.logCells;
        if (logCells > MAX_LOG_CELLS) revert Programs.ProofInstance();
        (, r.stages) = Reduction.firstStage(r.program);
        r.lookupPhases = LookupArgument.phases(r.logCells);
        uint256 phases = 1 + r.lookupPhases + r.stages;
        if (r.head.phase >= phases) return (current, 0, true, logCells);
        uint256 start;
        assembly ("memory-safe") {
            start := part.offset
        }
        (r.section.next, r.section.end) = (start, start + part.length);
        r.transcript.digest = r.head.digest;
        decode(r, current, cursor);
        do {
            r.head.phase = phase(r, part[r.section.next - start:]);
        } while (r.section.next < r.section.end && r.head.phase < phases);
        r.head.digest = r.transcript.digest;
        return (encode(r), r.section.next - start, r.head.phase == phases, logCells);
    }

    /// @dev Coordinates of the claim on the cube before a phase of the lookup argument.
    function cubeBits(Run memory r) private pure returns (uint256) {
        return r.head.phase == 1 ? 0 : LookupArgument.topLog(r.logCells) + r.head.phase - 2;
    }

    function isLookup(Run memory r) private pure returns (bool) {
        return r.head.phase >= 1 && r.head.phase <= r.lookupPhases;
    }

    // Phases.

    /// @dev Carries out the next phase, or several. Returns which one follows.
    function phase(Run memory r, bytes calldata rest) private view returns (uint256 number) {
        number = r.head.phase;
        if (number == 0) {
            commitment(r);
        } else if (number < r.lookupPhases) {
            return layers(r, rest);
        } else if (number == r.lookupPhases) {
            columns(r, rest);
        } else {
            uint256 place = stagePlace(r, number - 1 - r.lookupPhases);
            Reduction.stage(r.program, r.transcript, r.section, place);
        }
        return number + 1;
    }

    function layers(Run memory r, bytes calldata rest) private view returns (uint256) {
        (r.lookup.phase, r.lookup.digest) = (r.head.phase - 1, r.transcript.digest);
        // The rest may be all of an opening: memory has no room for what the phases do not read.
        uint256 most = ELEMENT * LookupArgument.layerElements(r.logCells);
        if (rest.length > most) rest = rest[:most];
        uint256 used;
        (r.lookup, used) = LOOKUP.layers(LookupArgument.packColumns(r.lookups), r.logCells, r.lookup, rest);
        r.transcript.digest = r.lookup.digest;
        r.section.next += used;
        return r.lookup.phase + 1;
    }

    function stagePlace(Run memory r, uint256 index) private pure returns (uint256 place) {
        (place,) = Reduction.firstStage(r.program);
        for (; index > 0; --index) {
            place = Reduction.nextStage(place);
        }
    }

    function commitment(Run memory r) private pure {
        uint256 place = r.section.next;
        if (r.section.end - place < COMMITMENT) revert Reduction.ProofTruncated(0);
        bool canonical;
        (r.head.root, r.oodPoint, r.oodValue, canonical) = Opening.receiveCommitment(r.transcript, place);
        if (!canonical) revert Reduction.ProofNonCanonical(0);
        r.alphaBeta[0] = r.transcript.challenge(ALPHA);
        r.alphaBeta[1] = r.transcript.challenge(BETA);
        r.section.next = place + COMMITMENT;
    }

    function columns(Run memory r, bytes calldata rest) private view {
        uint256 count = r.lookups.logSizes.length;
        uint256 values = count + r.program.multiplicities + Reduction.lookupValueCount(r.program);
        if (rest.length < ELEMENT * values) revert Reduction.ProofTruncated(r.logCells);
        r.program.vectors[SOURCE_LOOKUP] = r.lookup.point;
        Fp3[] memory known = new Fp3[](count);
        Reduction.publicNumerators(r.program, known);
        r.lookup.digest = r.transcript.digest;
        uint256 used;
        bytes memory numerators;
        bytes memory denominators;
        (r.transcript.digest, used, numerators, denominators) = LOOKUP.columns(
            LookupArgument.packColumns(r.lookups),
            r.lookup,
            toBytes(known),
            rest[:ELEMENT * (count + r.program.multiplicities)]
        );
        r.section.next += used;
        Reduction.columns(
            r.program, r.transcript, r.section, r.logCells, r.alphaBeta, toList(numerators), toList(denominators)
        );
        Reduction.drawZeroPoint(r.program, r.transcript);
    }

    // States.

    /// @dev What follows the head, in the order of spec/proof.md, section 6.
    function decode(Run memory r, bytes memory state, Cursor memory cursor) private pure {
        if (r.head.phase == 0) return;
        r.oodPoint = cursor.read();
        r.oodValue = cursor.read();
        if (isLookup(r)) {
            (r.alphaBeta[0], r.alphaBeta[1]) = (cursor.read(), cursor.read());
            uint256 bits = cubeBits(r);
            if (bits > 0) {
                r.lookup.point = cursor.readList(bits);
                (r.lookup.numerator, r.lookup.denominator) = (cursor.read(), cursor.read());
            }
        } else {
            uint256 passed = r.head.phase - 1 - r.lookupPhases;
            r.program.vectors[SOURCE_LOOKUP] = cursor.readList(r.logCells);
            (uint256[] memory sizes,) = Reduction.placeChallenges(r.program, passed);
            Reduction.readChallenges(r.program, cursor, sizes);
            uint256[] memory carried = Reduction.carried(r.program, passed);
            for (uint256 i = 0; i < carried.length; ++i) {
                r.program.claims[carried[i]] = cursor.read();
            }
        }
        StateBytes.expectEnd(state, cursor);
    }

    function encode(Run memory r) private pure returns (bytes memory state) {
        Cursor memory cursor;
        if (isLookup(r)) {
            uint256 bits = cubeBits(r);
            uint256 count = 4 + (bits > 0 ? bits + 2 : 0);
            (state, cursor) = StateBytes.create(r.head, ELEMENT * count);
            writeHead(r, cursor);
            cursor.write(r.alphaBeta[0]);
            cursor.write(r.alphaBeta[1]);
            if (bits > 0) {
                cursor.writeList(r.lookup.point);
                cursor.write(r.lookup.numerator);
                cursor.write(r.lookup.denominator);
            }
            return state;
        }
        Program memory p = r.program;
        uint256 passed = r.head.phase - 1 - r.lookupPhases;
        uint256[] memory carried = Reduction.carried(p, passed);
        uint256 elements = 2 + carried.length;
        for (uint256 source = SOURCE_LOOKUP; source < p.vectors.length; ++source) {
            elements += p.vectors[source].length;
        }
        (state, cursor) = StateBytes.create(r.head, ELEMENT * elements);
        writeHead(r, cursor);
        cursor.writeList(p.vectors[SOURCE_LOOKUP]);
        cursor.writeList(p.vectors[SOURCE_ZERO]);
        for (uint256 source = SOURCE_STAGE; source < p.vectors.length; ++source) {
            cursor.writeList(p.vectors[source]);
        }
        Reduction.writeClaims(p, cursor, carried);
    }

    function writeHead(Run memory r, Cursor memory cursor) private pure {
        cursor.write(r.oodPoint);
        cursor.write(r.oodValue);
    }
}
