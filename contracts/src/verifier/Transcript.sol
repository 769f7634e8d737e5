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

    /// @notice Bytes of a step before its payload: state and frame.
    uint256 internal constant HEAD = 40;

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
        uint256 scratch;
        assembly ("memory-safe") {
            scratch := mload(0x40)
            mcopy(add(scratch, 40), add(payload, 32), mload(payload))
        }
        absorbScratch(state, label, scratch, payload.length);
    }

    /// @notice Absorbs `size` opaque bytes that lie in free memory, from HEAD behind `scratch` on.
    function absorbScratch(State memory state, uint256 label, uint256 scratch, uint256 size) internal pure {
        uint256 frame = (label << 48) | (BYTES << 40) | size;
        assembly ("memory-safe") {
            mstore(scratch, mload(state))
            // The payload begins with the last 24 bytes of the frame's word.
            let place := add(scratch, 32)
            mstore(place, or(shl(192, frame), and(mload(place), sub(shl(192, 1), 1))))
            mstore(state, keccak256(scratch, add(size, 40)))
        }
    }

    /// @notice Absorbs two extension elements that lie at `offset` of the calldata, then draws one: a sumcheck's round.
    function roundChallenge(State memory state, uint256 label, uint256 challengeLabel, uint256 offset)
        internal
        pure
        returns (Fp3 drawn)
    {
        uint256 frame = (label << 48) | (ELEMENTS << 40) | 48;
        uint256 next = (challengeLabel << 48) | (CHALLENGE << 40) | 1;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, mload(state))
            mstore(add(scratch, 32), shl(192, frame))
            calldatacopy(add(scratch, 40), offset, 48)
            mstore(0, keccak256(scratch, 88))
            mstore(32, shl(192, next))
            let s := keccak256(0, 40)
            mstore(state, s)
            drawn := or(
                or(
                    shl(160, mod(and(shr(160, s), 0xffffffffffffffffffff), 0xffffffff00000001)),
                    shl(80, mod(and(shr(80, s), 0xffffffffffffffffffff), 0xffffffff00000001))
                ),
                mod(and(s, 0xffffffffffffffffffff), 0xffffffff00000001)
            )
        }
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
        uint256 mask = (1 << logDomain) - 1;
        drawn = new uint256[](count);
        uint256 place;
        assembly ("memory-safe") {
            place := add(drawn, 32)
        }
        // Eight positions a step; of the last step those that are left. Nothing comes near 2^256.
        unchecked {
            for (uint256 end = place + 32 * count; place < end; place += 256) {
                squeeze(state, label, POSITIONS, count);
                uint256 last = end < place + 256 ? end : place + 256;
                assembly ("memory-safe") {
                    let s := mload(state)
                    let shift := 224
                    for { let at := place } lt(at, last) { at := add(at, 32) } {
                        mstore(at, and(shr(shift, s), mask))
                        shift := sub(shift, 32)
                    }
                }
            }
        }
    }
}
