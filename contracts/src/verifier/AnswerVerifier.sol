// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Key, Keys} from "../registry/Keys.sol";
import {ModelRegistry} from "../registry/ModelRegistry.sol";
import {Deliveries, Instance, ModelLimits} from "./Deliveries.sol";
import {Fp3, isCanonical, unpack} from "./Fp3.sol";
import {IProofVerifier} from "./IProofVerifier.sol";
import {LookupArgument, LookupConfig, LookupLayout, LookupState} from "./LookupArgument.sol";
import {Commitment, Opening, OpeningState} from "./Opening.sol";
import {Packing, Packings} from "./Packing.sol";
import {PcsConfig, PcsConfigs} from "./PcsConfig.sol";
import {Program, Programs, SOURCE_LOOKUP} from "./Program.sol";
import {Reduction, Section} from "./Reduction.sol";
import {Transcript} from "./Transcript.sol";
import {Weights} from "./Weights.sol";

/// @title Verifies proofs of answers
/// @notice Accepts exactly what `avow verify` does (spec/answer.md, section 4; spec/proof.md, section 5). Reverts with the
/// check that fails, by its name.
contract AnswerVerifier is IProofVerifier {
    using PcsConfigs for PcsConfig;
    using Transcript for Transcript.State;

    /// @notice A proof of another version.
    error ProofVersion();
    /// @notice The proof's header gives another length than it has.
    error ProofLength();

    uint256 private constant HEADER = 8;
    uint256 private constant VERSION = 1;
    uint256 private constant COMMITMENT = 56;
    /// @dev More than a key has before its statement.
    uint256 private constant KEY_HEAD = 1024;

    uint256 private constant ROOT = 0x0100;
    uint256 private constant OOD_POINT = 0x0101;
    uint256 private constant OOD_VALUE = 0x0102;
    uint256 private constant ALPHA = 0x0300;
    uint256 private constant BETA = 0x0301;

    /// @notice Where models and their programs are.
    ModelRegistry public immutable REGISTRY;

    /// @dev Everything that follows from model and delivery, before the first message.
    struct Setting {
        PcsConfig config;
        Program program;
        Packing packing;
        Commitment[] keys;
        LookupConfig lookups;
        LookupLayout cube;
        Transcript.State transcript;
    }

    constructor(ModelRegistry registry) {
        REGISTRY = registry;
    }

    /// @inheritdoc IProofVerifier
    function verify(bytes32 modelId, bytes calldata delivery, bytes calldata proof) external view {
        Setting memory s = settingOf(modelId, delivery);
        Section memory section = openProof(proof);
        Fp3[2] memory alphaBeta = commitment(s, section);
        lookups(s, section, alphaBeta);
        (uint256 place, uint256 stages) = Reduction.firstStage(s.program);
        for (uint256 i = 0; i < stages; ++i) {
            place = Reduction.stage(s.program, s.transcript, section, place);
        }
        opening(s, section);
    }

    function openProof(bytes calldata proof) private pure returns (Section memory section) {
        if (proof.length < HEADER) revert Reduction.ProofTruncated(0);
        if (uint32(bytes4(proof[:4])) != VERSION) revert ProofVersion();
        if (uint32(bytes4(proof[4:8])) != proof.length) revert ProofLength();
        uint256 start;
        assembly ("memory-safe") {
            start := proof.offset
        }
        section.next = start + HEADER;
        section.end = start + proof.length;
    }

    function settingOf(bytes32 modelId, bytes calldata delivery) private view returns (Setting memory s) {
        ModelRegistry.Model memory model = REGISTRY.modelOf(modelId);
        Instance memory instance =
            Deliveries.read(delivery, ModelLimits(modelId, model.vocabulary, model.context, model.idBytes));
        Key memory key = Keys.parse(codeOf(model.key, KEY_HEAD));
        s.config = key.config;
        s.program = Programs.instantiate(codeOf(model.program, type(uint256).max), instance.lengths, instance.values);
        s.packing = Packings.pack(s.program, s.config.logRows, s.config.maxLogColumns);
        s.keys = new Commitment[](2);
        s.keys[0] = Commitment({
            root: key.root,
            logGroups: s.packing.logGroups[0],
            oodPoint: Opening.fixedOodPoint(s.config.protocolId, s.packing.logGroups[0], key.root),
            oodValue: key.oodValue
        });
        s.keys[1].logGroups = s.packing.logGroups[1];
        s.lookups = Reduction.lookupConfig(s.program);
        s.cube = LookupArgument.layoutOf(s.lookups);
        s.transcript.digest = Transcript.start(
            keccak256(abi.encodePacked("avow/proof/1", s.config.protocolId)),
            keccak256(delivery),
            Deliveries.statementHash(modelId, instance)
        );
    }

    /// @dev What a contract stores behind its first byte, at most `most` bytes of it.
    function codeOf(address pointer, uint256 most) private view returns (bytes memory data) {
        uint256 size = pointer.code.length - 1;
        data = new bytes(size < most ? size : most);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(data, 32), 1, mload(data))
        }
    }

    function commitment(Setting memory s, Section memory section) private pure returns (Fp3[2] memory alphaBeta) {
        uint256 place = section.next;
        if (section.end - place < COMMITMENT) revert Reduction.ProofTruncated(0);
        uint256 root;
        uint256 value;
        assembly ("memory-safe") {
            root := calldataload(place)
            value := shr(64, calldataload(add(place, 32)))
        }
        if (!isCanonical(value)) revert Reduction.ProofNonCanonical(0);
        s.keys[1].root = bytes32(root);
        s.keys[1].oodValue = unpack(value);
        s.transcript.absorbDigest(ROOT, place);
        s.keys[1].oodPoint = s.transcript.challenge(OOD_POINT);
        s.transcript.absorbElements(OOD_VALUE, place + 32, 1);
        alphaBeta[0] = s.transcript.challenge(ALPHA);
        alphaBeta[1] = s.transcript.challenge(BETA);
        section.next = place + COMMITMENT;
    }

    function lookups(Setting memory s, Section memory section, Fp3[2] memory alphaBeta) private pure {
        LookupState memory state = LookupArgument.top(s.transcript, s.lookups, s.cube, section.next, section.end);
        while (state.point.length < s.cube.logCells) {
            LookupArgument.layer(s.transcript, state);
        }
        uint256 columns = s.lookups.logSizes.length;
        uint256 values = columns + Reduction.lookupValueCount(s.program);
        for (uint256 j = 0; j < columns; ++j) {
            if (s.lookups.sent[j]) ++values;
        }
        if (state.end - state.next < 24 * values) revert Reduction.ProofTruncated(s.cube.logCells);
        (Fp3[] memory numerators, Fp3[] memory denominators) = LookupArgument.columns(s.transcript, s.lookups, state);
        s.program.vectors[SOURCE_LOOKUP] = state.point;
        Reduction.publicNumerators(s.program, numerators);
        LookupArgument.checkColumns(s.lookups, s.cube, state, numerators, denominators);
        section.next = state.next;
        Reduction.columns(s.program, s.transcript, section, s.cube.logCells, alphaBeta, numerators, denominators);
        Reduction.drawZeroPoint(s.program, s.transcript);
    }

    function opening(Setting memory s, Section memory section) private pure {
        uint256[] memory committed = Weights.committedClaims(s.program);
        Fp3[] memory values = new Fp3[](committed.length);
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] = s.program.claims[committed[i]];
        }
        OpeningState memory o = Opening.start(s.transcript, s.config, s.keys, values, section.next, section.end);
        for (uint256 i = 1; i < s.config.oracles.length; ++i) {
            Opening.round(s.transcript, s.config, s.keys, o, i);
        }
        Opening.finalCoefficients(s.transcript, s.config, o);
        Opening.finalRows(s.config, o);
        Opening.finalSumcheck(s.transcript, s.config, o);
        Opening.check(
            s.config, s.keys, o, Weights.joined(s.program, s.packing, s.keys, o.point, s.config.logRows, o.join)
        );
    }
}
