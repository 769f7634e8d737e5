// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Data that a contract holds as its code, behind a byte that stops whoever calls it
library Code {
    /// @notice All of it.
    function read(address pointer) internal view returns (bytes memory data) {
        return read(pointer, type(uint256).max);
    }

    /// @notice At most the first `most` bytes.
    function read(address pointer, uint256 most) internal view returns (bytes memory data) {
        uint256 size = pointer.code.length - 1;
        data = new bytes(size < most ? size : most);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(data, 32), 1, mload(data))
        }
    }
}
