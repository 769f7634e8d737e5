// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Lists of public values as an Instance has them, and back.
function encodeValues(uint256[][] memory lists) pure returns (bytes memory encoded) {
    encoded = abi.encodePacked(uint32(lists.length));
    for (uint256 v = 0; v < lists.length; ++v) {
        encoded = abi.encodePacked(encoded, uint32(lists[v].length));
        for (uint256 i = 0; i < lists[v].length; ++i) {
            encoded = abi.encodePacked(encoded, uint64(lists[v][i]));
        }
    }
}

function decodeValues(bytes memory encoded) pure returns (uint256[][] memory lists) {
    lists = new uint256[][](numberOf(encoded, 0, 4));
    uint256 place = 4;
    for (uint256 v = 0; v < lists.length; ++v) {
        lists[v] = new uint256[](numberOf(encoded, place, 4));
        place += 4;
        for (uint256 i = 0; i < lists[v].length; ++i) {
            lists[v][i] = numberOf(encoded, place, 8);
            place += 8;
        }
    }
    require(place == encoded.length, "all of it is lists");
}

function numberOf(bytes memory encoded, uint256 place, uint256 size) pure returns (uint256 number) {
    for (uint256 i = 0; i < size; ++i) {
        number = (number << 8) | uint8(encoded[place + i]);
    }
}
