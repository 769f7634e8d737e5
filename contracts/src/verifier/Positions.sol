// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Scratch} from "./Scratch.sol";

/// @title Query positions and their points
library Positions {
    /// @dev 7^((p-1)/2^32), a primitive 2^32-th root of unity.
    uint256 private constant ROOT_OF_UNITY = 1753635133440165772;

    /// @notice The values of a list in rising order, each once. The list, not empty, is overwritten.
    /// @dev First by their highest bits, into at most as many buckets as there are values; what is left to sort lies close
    /// together. Positions are drawn, so buckets are small; a list for which they are not only takes longer.
    /// @param bits Bits of each value, at most 32.
    function sortedSet(uint256[] memory values, uint256 bits) internal pure returns (uint256[] memory) {
        uint256 shift = bits;
        // Neither the shift nor the length comes near 2^256.
        unchecked {
            while (shift > 0 && 2 << (bits - shift) <= values.length) --shift;
            uint256 sorted = intoBuckets(values, shift, 1 << (bits - shift));
            insertAll(values, sorted);
        }
        return values;
    }

    /// @dev Returns where in the free memory the values lie, sorted by value >> shift.
    function intoBuckets(uint256[] memory values, uint256 shift, uint256 buckets)
        private
        pure
        returns (uint256 sorted)
    {
        assembly ("memory-safe") {
            // Of each bucket first 32 times the values in it, then the place of the next one.
            let places := mload(0x40)
            sorted := add(places, shl(5, buckets))
            calldatacopy(places, calldatasize(), sub(sorted, places))
            let first := add(values, 32)
            let end := add(first, shl(5, mload(values)))
            for { let value := first } lt(value, end) { value := add(value, 32) } {
                let bucket := add(places, shl(5, shr(shift, mload(value))))
                mstore(bucket, add(mload(bucket), 32))
            }
            let next := sorted
            for { let bucket := places } lt(bucket, sorted) { bucket := add(bucket, 32) } {
                let size := mload(bucket)
                mstore(bucket, next)
                next := add(next, size)
            }
            for { let value := first } lt(value, end) { value := add(value, 32) } {
                let bucket := add(places, shl(5, shr(shift, mload(value))))
                let place := mload(bucket)
                mstore(place, mload(value))
                mstore(bucket, add(place, 32))
            }
        }
    }

    /// @dev Inserts as many values as the list has, from `sorted` in memory on, into the list, and keeps one of each.
    function insertAll(uint256[] memory values, uint256 sorted) private pure {
        assembly ("memory-safe") {
            let size := shl(5, mload(values))
            // The place before the first value: none is smaller, so that insertion ends there.
            mstore(values, 0)
            let last := values
            let repeated := 0
            for { let end := add(sorted, size) } lt(sorted, end) { sorted := add(sorted, 32) } {
                let value := mload(sorted)
                let place := last
                for {} gt(mload(place), value) { place := sub(place, 32) } { mstore(add(place, 32), mload(place)) }
                repeated := or(repeated, eq(mload(place), value))
                mstore(add(place, 32), value)
                last := add(last, 32)
            }
            // So it seems for 0, too, for which nothing is lost.
            if repeated {
                let kept := add(values, 32)
                for { let place := add(values, 64) } iszero(gt(place, last)) { place := add(place, 32) } {
                    if sub(mload(place), mload(kept)) {
                        kept := add(kept, 32)
                        mstore(kept, mload(place))
                    }
                }
                last := kept
            }
            mstore(values, shr(5, sub(last, values)))
        }
    }

    /// @notice What `domainPoint` needs for positions of up to `bits` <= 32 bits, in scratch memory: for each digit of four
    /// bits the sixteen products of the primitive roots that its bits stand for.
    function pointTable(uint256 bits) internal pure returns (uint256 table) {
        // Five digits are always read.
        if (bits < 20) bits = 20;
        table = Scratch.take(((bits + 3) / 4) * 512);
        assembly ("memory-safe") {
            // Bit b stands for the primitive root of order 2^(b + 1): the one with b = 31, squared.
            let root := ROOT_OF_UNITY
            for { let b := and(add(bits, 3), not(3)) } lt(b, 32) { b := add(b, 1) } {
                root := mulmod(root, root, 0xffffffff00000001)
            }
            // Digits from the highest on.
            for { let digit := add(table, shl(9, shr(2, add(bits, 3)))) } gt(digit, table) {} {
                digit := sub(digit, 512)
                mstore(digit, 1)
                for { let bit := 256 } gt(bit, 16) { bit := shr(1, bit) } {
                    mstore(add(digit, bit), root)
                    root := mulmod(root, root, 0xffffffff00000001)
                }
                for { let bit := 64 } lt(bit, 512) { bit := shl(1, bit) } {
                    let place := add(digit, bit)
                    let last := mload(place)
                    for { let low := add(digit, 32) } lt(low, add(digit, bit)) { low := add(low, 32) } {
                        place := add(place, 32)
                        mstore(place, mulmod(last, mload(low), 0xffffffff00000001))
                    }
                }
            }
        }
    }

    /// @notice point(d, position) of spec/pcs.md, section 3, whatever d: the product over the set bits b of the primitive
    /// roots of order 2^(b+1).
    function domainPoint(uint256 table, uint256 position) internal pure returns (uint256 point) {
        assembly ("memory-safe") {
            point := mload(add(table, and(shl(5, position), 480)))
            point := mulmod(point, mload(add(add(table, 512), and(shl(1, position), 480))), 0xffffffff00000001)
            point := mulmod(point, mload(add(add(table, 1024), and(shr(3, position), 480))), 0xffffffff00000001)
            point := mulmod(point, mload(add(add(table, 1536), and(shr(7, position), 480))), 0xffffffff00000001)
            point := mulmod(point, mload(add(add(table, 2048), and(shr(11, position), 480))), 0xffffffff00000001)
            for { position := shr(20, position) } position { position := shr(4, position) } {
                point := mulmod(point, mload(add(add(table, 2560), and(shl(5, position), 480))), 0xffffffff00000001)
                table := add(table, 512)
            }
        }
    }
}
