// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Verifies proofs of answers
interface IProofVerifier {
    /// @notice Reverts, with the name of the check, unless the proof shows that every answer of the delivery is the one of
    /// the model.
    /// @param modelId Of a registered model.
    /// @param delivery The bytes of spec/answer.md, section 2: the proof is about each of them.
    /// @param proof The bytes of spec/proof.md, section 4.
    function verify(bytes32 modelId, bytes calldata delivery, bytes calldata proof) external view;
}
