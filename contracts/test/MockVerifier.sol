// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProofVerifier} from "../src/verifier/IProofVerifier.sol";

/// @notice Not a verifier of proofs: it accepts what says that it is about this model and delivery.
contract MockVerifier is IProofVerifier {
    /// @notice The proof is about something else.
    error MockRefused();
    /// @notice The step is not the next one.
    error MockStep(uint256 number);
    /// @notice The delivery is missing in the first step, or another one later.
    error MockDelivery();

    function proofOf(bytes32 modelId, bytes memory delivery) public pure returns (bytes memory) {
        return abi.encode("mock proof", modelId, keccak256(delivery));
    }

    /// @notice Part number `number` of `total`.
    function partOf(bytes32 modelId, bytes memory delivery, uint256 number, uint256 total)
        external
        pure
        returns (bytes memory)
    {
        return abi.encode(modelId, keccak256(delivery), number, total);
    }

    /// @inheritdoc IProofVerifier
    function verify(bytes32 modelId, bytes calldata delivery, bytes calldata proof)
        external
        pure
        override
        returns (bool)
    {
        if (keccak256(proof) != keccak256(proofOf(modelId, delivery))) revert MockRefused();
        return true;
    }

    /// @inheritdoc IProofVerifier
    function step(bytes32 modelId, bytes calldata delivery, bytes calldata state, bytes calldata part)
        external
        pure
        override
        returns (bytes memory nextState, bool done)
    {
        bytes32 deliveryHash = keccak256(delivery);
        uint256 expected = 0;
        if (state.length == 0) {
            if (delivery.length == 0) revert MockDelivery();
        } else {
            bytes32 first;
            (first, expected) = abi.decode(state, (bytes32, uint256));
            if (delivery.length != 0 && deliveryHash != first) revert MockDelivery();
            deliveryHash = first;
        }
        (bytes32 partModel, bytes32 partDelivery, uint256 number, uint256 total) =
            abi.decode(part, (bytes32, bytes32, uint256, uint256));
        if (partModel != modelId || partDelivery != deliveryHash) revert MockRefused();
        if (number != expected) revert MockStep(number);
        done = number + 1 == total;
        if (!done) nextState = abi.encode(deliveryHash, number + 1);
    }
}

/// @notice Deliberately broken: accepts any proof, as a verifier with a hole in it would.
contract BrokenVerifier is IProofVerifier {
    /// @inheritdoc IProofVerifier
    function verify(bytes32, bytes calldata, bytes calldata) external pure override returns (bool) {
        return true;
    }

    /// @inheritdoc IProofVerifier
    function step(bytes32, bytes calldata, bytes calldata, bytes calldata part)
        external
        pure
        override
        returns (bytes memory nextState, bool done)
    {
        // Done with the part that is empty; with one of a byte it leaves nothing although it is not.
        return (part.length < 2 ? bytes("") : part, part.length == 0);
    }
}

/// @notice Says no instead of reverting.
contract DenyingVerifier {
    function verify(bytes32, bytes calldata, bytes calldata) external pure returns (bool) {
        return false;
    }
}

/// @notice Takes every call and returns nothing: no verifier.
contract SilentContract {
    fallback() external {}
}
