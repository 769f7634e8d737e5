// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, pack, unpack, ELEMENT} from "./Fp3.sol";
import {element} from "./Fused.sol";

/// @notice What a verifier carries from one phase to the next (spec/proof.md, section 6), but for its elements.
struct StateHead {
    uint256 phase;
    /// The transcript before the first phase: key, instance and session.
    bytes32 start;
    /// The transcript now.
    bytes32 digest;
    /// Of the witness.
    bytes32 root;
}

/// @notice Writes or reads elements one behind the other; an address in memory.
struct Cursor {
    uint256 place;
}

/// @title Bytes of states
/// @dev A state comes back as it was given out, which whoever hands it back keeps a hash of: so nothing but lengths is
/// checked when it is read.
library StateBytes {
    /// @notice The state is not of this version, not of this key, instance and session, or of another length than its phase
    /// has.
    error ProofState();

    uint256 internal constant VERSION = 2;
    uint256 internal constant HEAD = 104;

    /// @notice A state that has room for a number of bytes behind its head.
    function create(StateHead memory head, uint256 size)
        internal
        pure
        returns (bytes memory state, Cursor memory cursor)
    {
        state = new bytes(HEAD + size);
        uint256 place;
        assembly ("memory-safe") {
            place := add(state, add(32, HEAD))
        }
        cursor.place = place;
        setHead(state, head);
    }

    /// @notice Writes the head of a state.
    function setHead(bytes memory state, StateHead memory head) internal pure {
        uint256 first = (VERSION << 32) | head.phase;
        assembly ("memory-safe") {
            let place := add(state, 32)
            mstore(place, or(shl(192, first), shr(64, shl(64, mload(place)))))
            mstore(add(place, 8), mload(add(head, 32)))
            mstore(add(place, 40), mload(add(head, 64)))
            mstore(add(place, 72), mload(add(head, 96)))
        }
    }

    /// @notice The head of a state, and where its elements begin.
    function open(bytes memory state) internal pure returns (StateHead memory head, Cursor memory cursor) {
        if (state.length < HEAD) revert ProofState();
        uint256 first;
        uint256 place;
        assembly ("memory-safe") {
            place := add(state, 32)
            first := shr(192, mload(place))
            mstore(add(head, 32), mload(add(place, 8)))
            mstore(add(head, 64), mload(add(place, 40)))
            mstore(add(head, 96), mload(add(place, 72)))
            place := add(place, HEAD)
        }
        if (first >> 32 != VERSION) revert ProofState();
        head.phase = first & 0xffffffff;
        cursor.place = place;
    }

    /// @notice The next element.
    function read(Cursor memory cursor) internal pure returns (Fp3) {
        uint256 place = cursor.place;
        cursor.place = place + ELEMENT;
        uint256 words;
        assembly ("memory-safe") {
            words := shr(64, mload(place))
        }
        return unpack(words);
    }

    /// @notice The next elements.
    function readList(Cursor memory cursor, uint256 count) internal pure returns (Fp3[] memory list) {
        list = new Fp3[](count);
        uint256 place = cursor.place;
        assembly ("memory-safe") {
            let to := add(list, 32)
            for { let end := add(to, shl(5, count)) } lt(to, end) { to := add(to, 32) } {
                let words := mload(place)
                mstore(
                    to,
                    or(
                        or(shl(160, shr(192, words)), shl(80, and(shr(128, words), 0xffffffffffffffff))),
                        and(shr(64, words), 0xffffffffffffffff)
                    )
                )
                place := add(place, ELEMENT)
            }
        }
        cursor.place = place;
    }

    /// @notice The next bytes, as they are.
    function slice(Cursor memory cursor, uint256 size) internal pure returns (bytes memory part) {
        uint256 place = cursor.place;
        cursor.place = place + size;
        part = new bytes(size);
        assembly ("memory-safe") {
            mcopy(add(part, 32), place, size)
        }
    }

    /// @notice Writes an element whose limbs are below p.
    function write(Cursor memory cursor, Fp3 value) internal pure {
        uint256 place = cursor.place;
        cursor.place = place + ELEMENT;
        put(place, value);
    }

    /// @notice Writes an element whose limbs are below p at an address.
    function put(uint256 place, Fp3 value) internal pure {
        uint256 words = pack(value);
        assembly ("memory-safe") {
            // The 8 bytes behind are the next element's, or what is written after this.
            mstore(place, or(shl(64, words), and(mload(place), 0xffffffffffffffff)))
        }
    }

    /// @notice Writes elements.
    function writeList(Cursor memory cursor, Fp3[] memory list) internal pure {
        uint256 place = cursor.place;
        cursor.place = place + ELEMENT * list.length;
        unchecked {
            // Addresses, and numbers of elements that there are.
            for (uint256 i = 0; i < list.length; ++i) {
                put(place + ELEMENT * i, element(list, i));
            }
        }
    }

    /// @notice Writes a digest.
    function writeDigest(Cursor memory cursor, bytes32 digest) internal pure {
        uint256 place = cursor.place;
        cursor.place = place + 32;
        assembly ("memory-safe") {
            mstore(place, digest)
        }
    }

    /// @notice The next digest.
    function readDigest(Cursor memory cursor) internal pure returns (bytes32 digest) {
        uint256 place = cursor.place;
        cursor.place = place + 32;
        assembly ("memory-safe") {
            digest := mload(place)
        }
    }

    /// @notice Writes a number of 4 bytes.
    function writeNumber(Cursor memory cursor, uint256 value) internal pure {
        uint256 place = cursor.place;
        cursor.place = place + 4;
        assembly ("memory-safe") {
            mstore(place, or(shl(224, value), shr(32, shl(32, mload(place)))))
        }
    }

    /// @notice The next number of 4 bytes.
    function readNumber(Cursor memory cursor) internal pure returns (uint256 value) {
        uint256 place = cursor.place;
        cursor.place = place + 4;
        assembly ("memory-safe") {
            value := shr(224, mload(place))
        }
    }

    /// @notice Bytes from the beginning of the state to the cursor; all of them must be used.
    function expectEnd(bytes memory state, Cursor memory cursor) internal pure {
        uint256 end;
        assembly ("memory-safe") {
            end := add(add(state, 32), mload(state))
        }
        if (cursor.place != end) revert ProofState();
    }
}
