// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Checks proofs of answers
/// @notice Of one version of the proofs, for ever: no owner, no state that somebody could change. Both functions revert with
/// the named check that fails (spec/answer.md, section 4; spec/proof.md, section 5), within a bounded gas.
///
/// A caller may be shown a verifier that it does not know. Nothing in an answer of one is binding for anybody who has not
/// chosen this verifier himself.
interface IProofVerifier {
    /// @notice Checks a whole proof.
    /// @param modelId Whose key the proof is checked with; that of the delivery.
    /// @param delivery What the proof is about, and its session (spec/answer.md, section 2). All of its checks are made.
    /// @param proof The bytes of the proof.
    /// @return accepted True. Else it reverts; a contract that merely accepts any call is no verifier.
    function verify(bytes32 modelId, bytes calldata delivery, bytes calldata proof)
        external
        view
        returns (bool accepted);

    /// @notice Checks a part of a proof that is too large for one transaction (spec/proof.md, section 6).
    /// @param modelId As above; the same in each step of a proof.
    /// @param delivery As above, the same in each step, or nothing in a step that does not read it. The first one does, and
    /// so does whichever step makes the checks of deliveries. A state refuses another one than the first step had.
    /// @param state Nothing in the first step, then what the step before has returned, to the byte: whoever keeps it with
    /// somebody else keeps its hash.
    /// @param part The next bytes of the proof. Where it may be cut is the verifier's rule.
    /// @return nextState The canonical state after this step. It is not empty unless this was the last one.
    /// @return done Whether this was the last step and the proof is accepted.
    function step(bytes32 modelId, bytes calldata delivery, bytes calldata state, bytes calldata part)
        external
        view
        returns (bytes memory nextState, bool done);
}
