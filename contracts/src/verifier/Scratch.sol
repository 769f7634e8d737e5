// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Memory that is given back
/// @dev Memory has a price that grows with its square, and Solidity frees none. What a function takes after `mark` and
/// nothing refers to afterwards, `release` frees.
library Scratch {
    function mark() internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
        }
    }

    function release(uint256 place) internal pure {
        assembly ("memory-safe") {
            mstore(0x40, place)
        }
    }

    /// @notice Takes `size` bytes, rounded up to words, whatever is in them.
    function take(uint256 size) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore(0x40, add(place, and(add(size, 31), not(31))))
        }
    }
}
