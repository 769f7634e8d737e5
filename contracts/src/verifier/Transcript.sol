// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, LIMB, P} from "./Fp3.sol";

/// @title Fiat-Shamir transcript (spec/transcript.md)
/// @dev The state is one digest, held in memory as the first word of a `State`. Payloads are hashed from where they lie:
/// from calldata or from memory, behind 40 bytes of state and frame in the free memory, which stays free.
library Transcript {
    struct State {
        bytes32 digest;
    }

    uint256 private constant BYTES = 1;
    uint256 private constant ELEMENTS = 3;
    uint256 private constant DIGEST = 4;
    uint256 private constant NONCE = 5;
    uint256 private constant CHALLENGE = 129;
    uint256 private constant POSITIONS = 130;

    bytes32 private constant TAG = "avow/transcript/1";

    /// @notice The state that a transcript starts in.
    function start(bytes32 protocolId, bytes32 sessionHash, bytes32 statementHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(TAG, protocolId, sessionHash, statementHash));
    }

    /// @dev One step whose payload is `size` bytes of calldata.
    function absorbCalldata(State memory state, uint256 label, uint256 kind, uint256 offset, uint256 size)
        private
        pure
    {
        uint256 frame = (label << 48) | (kind << 40) | size;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, mload(state))
            mstore(add(scratch, 32), shl(192, frame))
            calldatacopy(add(scratch, 40), offset, size)
            mstore(state, keccak256(scratch, add(size, 40)))
        }
    }

    /// @notice Absorbs extension elements that lie at `offset` of the calldata, 24 bytes each.
    function absorbElements(State memory state, uint256 label, uint256 offset, uint256 count) internal pure {
        absorbCalldata(state, label, ELEMENTS, offset, count * 24);
    }

    /// @notice Absorbs a digest that lies at `offset` of the calldata.
    function absorbDigest(State memory state, uint256 label, uint256 offset) internal pure {
        absorbCalldata(state, label, DIGEST, offset, 32);
    }

    /// @notice Absorbs opaque bytes.
    function absorbBytes(State memory state, uint256 label, bytes memory payload) internal pure {
        state.digest = keccak256(
            abi.encodePacked(state.digest, uint16(label), uint8(BYTES), uint8(0), uint32(payload.length), payload)
        );
    }

    /// @notice Absorbs a proof-of-work nonce that lies at `offset` of the calldata.
    /// @return Whether the new state starts with `bits` zero bits.
    function absorbNonce(State memory state, uint256 label, uint256 bits, uint256 offset) internal pure returns (bool) {
        absorbCalldata(state, label, NONCE, offset, 8);
        return bits == 0 || uint256(state.digest) >> (256 - bits) == 0;
    }

    /// @dev One step without payload.
    function squeeze(State memory state, uint256 label, uint256 kind, uint256 count) private pure {
        uint256 frame = (label << 48) | (kind << 40) | count;
        assembly ("memory-safe") {
            mstore(0, mload(state))
            mstore(32, shl(192, frame))
            mstore(state, keccak256(0, 40))
        }
    }

    /// @notice A uniform element of the extension.
    function challenge(State memory state, uint256 label) internal pure returns (Fp3) {
        squeeze(state, label, CHALLENGE, 1);
        uint256 s = uint256(state.digest);
        return Fp3.wrap((((s >> 160) & LIMB) % P << 160) | (((s >> 80) & LIMB) % P << 80) | ((s & LIMB) % P));
    }

    /// @notice Positions in [0, 2^logDomain), logDomain <= 32, in the order drawn.
    function positions(State memory state, uint256 label, uint256 logDomain, uint256 count)
        internal
        pure
        returns (uint256[] memory drawn)
    {
        drawn = new uint256[](count);
        uint256 mask = (1 << logDomain) - 1;
        for (uint256 i = 0; i < count; ++i) {
            if (i & 7 == 0) squeeze(state, label, POSITIONS, count);
            drawn[i] = (uint256(state.digest) >> (224 - 32 * (i & 7))) & mask;
        }
    }
}
