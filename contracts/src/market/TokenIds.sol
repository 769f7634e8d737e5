// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Lists of token ids: little-endian, 2 or 3 bytes each (spec/answer.md, section 2)
library TokenIds {
    uint256 private constant MAX_STOP_IDS = 16;

    /// @dev Lanes of one id: the low byte of each, and every other lane, with a one in each of these.
    uint256 private constant LOW_2 = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant EVEN_2 = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
    uint256 private constant ONES_2 = 0x0000000100000001000000010000000100000001000000010000000100000001;
    uint256 private constant LOW_3 = 0x0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff;
    uint256 private constant EVEN_3 = 0x000000ffffff000000ffffff000000ffffff000000ffffff000000ffffff;
    uint256 private constant ONES_3 = 0x000000000001000000000001000000000001000000000001000000000001;

    /// @notice Whether all ids are below the vocabulary.
    /// @param ids A whole number of ids.
    /// @param width 2 or 3.
    /// @param vocabulary 1 to 2^(8 width).
    function allBelow(bytes calldata ids, uint256 width, uint256 vocabulary) internal pure returns (bool) {
        // No sum wraps: places are below the length, lanes have as many bits free as they have, and vocabulary is in its range.
        unchecked {
            uint256 overflow = 0;
            if (width == 2) {
                uint256 distances = ((1 << 16) - vocabulary) * ONES_2;
                for (uint256 place = 0; place < ids.length; place += 32) {
                    uint256 word = load(ids, place, 32);
                    word = ((word & LOW_2) << 8) | ((word >> 8) & LOW_2);
                    overflow |= ((word & EVEN_2) + distances) | (((word >> 16) & EVEN_2) + distances);
                }
                return overflow & (ONES_2 << 16) == 0;
            }
            uint256 distances_ = ((1 << 24) - vocabulary) * ONES_3;
            for (uint256 place = 0; place < ids.length; place += 30) {
                uint256 word = load(ids, place, 30);
                word = ((word & LOW_3) << 16) | (word & (LOW_3 << 8)) | ((word >> 16) & LOW_3);
                overflow |= ((word & EVEN_3) + distances_) | (((word >> 24) & EVEN_3) + distances_);
            }
            return overflow & (ONES_3 << 24) == 0;
        }
    }

    /// @notice Whether these can be stop ids: at most 16, strictly increasing.
    /// @param ids A whole number of ids.
    /// @param width 2 or 3.
    /// @return valid Whether they can.
    /// @return last The last one, which then is the largest.
    function stopIds(bytes calldata ids, uint256 width) internal pure returns (bool valid, uint256 last) {
        if (ids.length > MAX_STOP_IDS * width) return (false, 0);
        for (uint256 place = 0; place < ids.length; place += width) {
            uint256 word = load(ids, place, width);
            uint256 id = width == 2
                ? ((word & 0xff) << 8) | (word >> 8)
                : ((word & 0xff) << 16) | (word & 0xff00) | (word >> 16);
            if (place != 0 && id <= last) return (false, 0);
            last = id;
        }
        valid = true;
    }

    /// @dev The `size` bytes at a place as a number, of which those behind the list are zeros.
    function load(bytes calldata ids, uint256 place, uint256 size) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(ids.offset, place))
            let left := sub(ids.length, place)
            if lt(left, size) { word := shl(shl(3, sub(32, left)), shr(shl(3, sub(32, left)), word)) }
            word := shr(shl(3, sub(32, size)), word)
        }
    }
}
