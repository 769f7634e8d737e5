// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProofVerifier} from "../verifier/IProofVerifier.sol";
import {IMarket} from "./IMarket.sol";
import {Step} from "./Types.sol";

/// @title Checks proofs, whole or in steps
/// @notice Between the steps of a proof one hash is kept: of verifier, model, delivery (with it chain, market, payee, request
/// ids) and proof, the next step's number, the verifier's state and the parts that are left. It is kept by sender and lane,
/// so nobody can disturb the steps of another, and a lane that was abandoned is used again.
abstract contract ProofSteps is IMarket {
    /// @dev Kept in a lane without a proof under way: a slot that stays in use costs less to write again.
    bytes32 private constant IDLE = bytes32(uint256(1));
    /// @dev The state of a proof that is accepted. The verifier's own states are never empty.
    bytes32 private constant ACCEPTED = keccak256("");

    /// @inheritdoc IMarket
    mapping(address sender => mapping(uint256 lane => bytes32 continuation)) public override continuationOf;

    /// @inheritdoc IMarket
    function verifyStep(
        uint256 lane,
        address verifier,
        bytes32 modelId,
        bytes32 deliveryHash,
        bytes calldata delivery,
        Step calldata step
    ) external override returns (bytes memory nextState) {
        // The first step has the delivery: no verifier is asked to take its hash alone.
        if (delivery.length == 0 ? step.number == 0 : keccak256(delivery) != deliveryHash) {
            revert WrongDelivery();
        }
        bytes32 session = sessionOf(verifier, modelId, deliveryHash, step);
        bool done;
        (nextState, done) = advance(lane, session, verifier, modelId, delivery, step);
        bytes32 stateHash = done ? ACCEPTED : keccak256(nextState);
        continuationOf[msg.sender][lane] = continuation(session, step.number + 1, stateHash, step.rest);
    }

    /// @dev Checks a whole proof.
    function verifyWhole(address verifier, bytes32 modelId, bytes memory delivery, bytes calldata proof) internal view {
        if (!IProofVerifier(verifier).verify(modelId, delivery, proof)) revert ProofRefused();
    }

    /// @dev Makes the last step of a proof, or finds that the sender has made it, and frees the lane.
    function verifyLast(uint256 lane, address verifier, bytes32 modelId, bytes memory delivery, Step calldata step)
        internal
    {
        bytes32 session = sessionOf(verifier, modelId, keccak256(delivery), step);
        if (step.number != 0 && step.state.length == 0) {
            bytes32 accepted = continuation(session, step.number, ACCEPTED, 0);
            if (step.part.length != 0 || continuationOf[msg.sender][lane] != accepted) revert WrongContinuation(lane);
        } else {
            (, bool done) = advance(lane, session, verifier, modelId, delivery, step);
            if (!done) revert WrongEnd();
        }
        continuationOf[msg.sender][lane] = IDLE;
    }

    /// @dev Makes a step of the sender's proof. What it leaves is for the caller to keep.
    function advance(
        uint256 lane,
        bytes32 session,
        address verifier,
        bytes32 modelId,
        bytes memory delivery,
        Step calldata step
    ) private returns (bytes memory nextState, bool done) {
        // What is left of the proof from this part on. It is never zero, which an accepted proof has in its place.
        bytes32 remaining = keccak256(abi.encode(keccak256(step.part), step.rest));
        if (step.number == 0) {
            if (step.state.length != 0 || remaining != step.proofHash) revert WrongProofHash();
        } else {
            bytes32 expected = continuation(session, step.number, keccak256(step.state), remaining);
            if (continuationOf[msg.sender][lane] != expected) revert WrongContinuation(lane);
        }
        (nextState, done) = IProofVerifier(verifier).step(modelId, delivery, step.state, step.part);
        if (done != (step.rest == 0)) revert WrongEnd();
        if (!done && nextState.length == 0) revert EmptyState();
        emit StepVerified(msg.sender, session, lane, step.number, done);
    }

    function sessionOf(address verifier, bytes32 modelId, bytes32 deliveryHash, Step calldata step)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(verifier, modelId, deliveryHash, step.proofHash));
    }

    function continuation(bytes32 session, uint256 number, bytes32 stateHash, bytes32 remaining)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(session, number, stateHash, remaining));
    }
}
