// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StateBytes} from "./StateBytes.sol";

/// @notice What steps know of each other besides the verifier's state (spec/chain.md, section 2).
struct StepHead {
    bytes32 modelId;
    /// Hash of the delivery.
    bytes32 delivery;
    /// Whether phases of the opening alone are left: these read nothing of the delivery but the lengths.
    bool opening;
    uint256 logCells;
    /// Of the axes request, token and step.
    uint256[] lengths;
}

/// @title States between steps
/// @dev As with states, whoever hands one back keeps a hash of it: what it says holds.
library StepState {
    uint256 internal constant LENGTHS = 3;
    /// @dev Where the flag is.
    uint256 internal constant OPENING = 64;
    /// @dev Model id, hash, flag, logarithm, lengths of 4 bytes.
    uint256 internal constant HEAD = 66 + 4 * LENGTHS;

    /// @notice The bytes of a head and the verifier's state.
    function encode(StepHead memory head, bytes memory state) internal pure returns (bytes memory) {
        uint256[] memory n = head.lengths;
        return abi.encodePacked(
            head.modelId,
            head.delivery,
            head.opening,
            uint8(head.logCells),
            uint32(n[0]),
            uint32(n[1]),
            uint32(n[2]),
            state
        );
    }

    /// @notice What `encode` has made them of.
    function decode(bytes calldata encoded) internal pure returns (StepHead memory head, bytes calldata state) {
        if (encoded.length < HEAD) revert StateBytes.ProofState();
        head.modelId = bytes32(encoded[:32]);
        head.delivery = bytes32(encoded[32:64]);
        head.opening = encoded[OPENING] != 0;
        head.logCells = uint8(encoded[65]);
        head.lengths = new uint256[](LENGTHS);
        for (uint256 i = 0; i < LENGTHS; ++i) {
            head.lengths[i] = uint32(bytes4(encoded[66 + 4 * i:]));
        }
        state = encoded[HEAD:];
    }
}
