// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Key, Keys} from "../registry/Keys.sol";
import {ModelRegistry} from "../registry/ModelRegistry.sol";
import {Code} from "./Code.sol";
import {DeliveryReader, Instance, ModelLimits} from "./DeliveryReader.sol";
import {IProofVerifier} from "./IProofVerifier.sol";
import {IOpeningVerifier, IReductionVerifier, OpeningInput} from "./Parts.sol";
import {Reduction} from "./Reduction.sol";
import {StateBytes, StateHead} from "./StateBytes.sol";
import {StepHead, StepState} from "./StepState.sol";
import {Transcript} from "./Transcript.sol";

/// @title Verifies proofs of answers
/// @notice Accepts exactly what `avow verify` does (spec/answer.md, section 4; spec/proof.md, section 5), whole or in
/// steps. Reverts with the check that fails, by its name.
///
/// A step takes whole sections of a proof, in order: the first one begins with the proof's header, the others where the
/// one before ended. A state is the one of spec/proof.md, section 6, that the last section leads to, behind a head
/// (StepState). Steps of the opening alone read nothing of the delivery, which may be left out there.
contract AnswerVerifier is IProofVerifier {
    /// @notice A proof of another version.
    error ProofVersion();
    /// @notice The proof's header gives another length than it has.
    error ProofLength();

    uint256 private constant HEADER = 8;
    uint256 private constant VERSION = 3;
    /// @dev More than a key has before its statement.
    uint256 private constant KEY_HEAD = 1024;

    /// @notice Where models and their programs are.
    ModelRegistry public immutable REGISTRY;
    /// @notice What carries out the phases before the opening.
    IReductionVerifier public immutable REDUCTION;
    /// @notice What carries out those of the opening.
    IOpeningVerifier public immutable OPENING;

    /// @dev What follows from model and delivery.
    struct Setting {
        Key key;
        bytes config;
        address program;
        Instance instance;
        /// State of the transcript before the first phase.
        bytes32 start;
    }

    constructor(ModelRegistry registry, IReductionVerifier reduction, IOpeningVerifier opening) {
        REGISTRY = registry;
        REDUCTION = reduction;
        OPENING = opening;
    }

    /// @inheritdoc IProofVerifier
    function verify(bytes32 modelId, bytes calldata delivery, bytes calldata proof)
        external
        view
        returns (bool accepted)
    {
        Setting memory s = settingOf(modelId, delivery);
        checkHeader(proof);
        if (uint32(bytes4(proof[4:8])) != proof.length) revert ProofLength();
        bytes memory state = first(s);
        bytes calldata rest = proof[HEADER:];
        uint256 used;
        bool finished;
        uint256 logCells;
        // Where the bytes end before the last phase, it says so, and reverts.
        while (!finished) {
            (state, used, finished, logCells) = REDUCTION.advance(s.program, s.instance, state, rest);
            rest = rest[used:];
        }
        while (!accepted) {
            (state, accepted) = OPENING.advance(inputOf(s, s.instance.lengths, logCells), state, rest);
            rest = rest[rest.length:];
        }
    }

    /// @inheritdoc IProofVerifier
    function step(bytes32 modelId, bytes calldata delivery, bytes calldata state, bytes calldata part)
        external
        view
        returns (bytes memory nextState, bool done)
    {
        Setting memory s;
        StepHead memory head;
        if (state.length == 0) {
            checkHeader(part);
            part = part[HEADER:];
            s = settingOf(modelId, delivery);
            (head.modelId, head.delivery, head.lengths) = (modelId, keccak256(delivery), s.instance.lengths);
            nextState = first(s);
        } else {
            bytes calldata before;
            (head, before) = StepState.decode(state);
            if (head.modelId != modelId || (delivery.length != 0 && keccak256(delivery) != head.delivery)) {
                revert StateBytes.ProofState();
            }
            if (head.opening) {
                s = keyOf(REGISTRY.modelOf(modelId));
            } else {
                s = settingOf(modelId, delivery);
            }
            nextState = before;
            if (!head.opening) {
                (StateHead memory own,) = StateBytes.open(nextState);
                if (own.start != s.start || own.phase == 0) revert StateBytes.ProofState();
            }
        }
        if (!head.opening) {
            uint256 used;
            (nextState, used, head.opening, head.logCells) = REDUCTION.advance(s.program, s.instance, nextState, part);
            part = part[used:];
            if (!head.opening || (part.length == 0 && used != 0)) return (StepState.encode(head, nextState), false);
        }
        (nextState, done) = OPENING.advance(inputOf(s, head.lengths, head.logCells), nextState, part);
        if (!done) nextState = StepState.encode(head, nextState);
    }

    function checkHeader(bytes calldata proof) private pure {
        if (proof.length < HEADER) revert Reduction.ProofTruncated(0);
        if (uint32(bytes4(proof[:4])) != VERSION) revert ProofVersion();
    }

    function settingOf(bytes32 modelId, bytes calldata delivery) private view returns (Setting memory s) {
        ModelRegistry.Model memory model = REGISTRY.modelOf(modelId);
        s = keyOf(model);
        s.instance = DeliveryReader.read(delivery, ModelLimits(modelId, model.vocabulary, model.context, model.idBytes));
        s.start = Transcript.start(
            keccak256(abi.encodePacked("avow/proof/3", s.key.config.protocolId)),
            keccak256(delivery),
            DeliveryReader.statementHash(modelId, s.instance)
        );
    }

    /// @dev What follows from the model alone.
    function keyOf(ModelRegistry.Model memory model) private view returns (Setting memory s) {
        s.program = model.program;
        bytes memory head = Code.read(model.key, KEY_HEAD);
        s.key = Keys.parse(head);
        s.config = Keys.configOf(head);
    }

    /// @dev The state before the first phase.
    function first(Setting memory s) private pure returns (bytes memory state) {
        (state,) = StateBytes.create(StateHead({phase: 0, start: s.start, digest: s.start, root: 0}), 0);
    }

    function inputOf(Setting memory s, uint256[] memory lengths, uint256 logCells)
        private
        pure
        returns (OpeningInput memory)
    {
        return OpeningInput({
            program: s.program,
            lengths: lengths,
            logCells: logCells,
            config: s.config,
            modelRoot: s.key.root,
            modelValue: s.key.oodValue
        });
    }
}
