// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {P} from "./Fp3.sol";

/// @title Query positions and their points
library Positions {
    /// @dev 7^((p-1)/2^32), a primitive 2^32-th root of unity.
    uint256 private constant ROOT_OF_UNITY = 1753635133440165772;

    /// @notice The values of a list in rising order, each once. The list is overwritten.
    /// @dev Merges runs of 1, 2, 4, .. values from one list to another and back.
    function sortedSet(uint256[] memory values) internal pure returns (uint256[] memory) {
        uint256 count = values.length;
        uint256[] memory other = new uint256[](count);
        for (uint256 run = 1; run < count; run <<= 1) {
            assembly ("memory-safe") {
                let source := add(values, 32)
                let end := add(source, shl(5, count))
                let to := add(other, 32)
                let step := shl(5, run)
                for {} lt(source, end) {} {
                    let a := source
                    let aEnd := add(a, step)
                    if gt(aEnd, end) { aEnd := end }
                    let b := aEnd
                    let bEnd := add(b, step)
                    if gt(bEnd, end) { bEnd := end }
                    source := bEnd
                    for {} or(lt(a, aEnd), lt(b, bEnd)) {} {
                        // From a if b is used up, or if a is not and has no larger value.
                        let fromA := or(iszero(lt(b, bEnd)), and(lt(a, aEnd), iszero(gt(mload(a), mload(b)))))
                        switch fromA
                        case 0 {
                            mstore(to, mload(b))
                            b := add(b, 32)
                        }
                        default {
                            mstore(to, mload(a))
                            a := add(a, 32)
                        }
                        to := add(to, 32)
                    }
                }
            }
            (values, other) = (other, values);
        }
        return unique(values);
    }

    /// @dev A sorted list without repetitions.
    function unique(uint256[] memory values) private pure returns (uint256[] memory) {
        uint256 kept = 0;
        for (uint256 i = 0; i < values.length; ++i) {
            if (i > 0 && values[i] == values[kept - 1]) continue;
            values[kept] = values[i];
            ++kept;
        }
        assembly ("memory-safe") {
            mstore(values, kept)
        }
        return values;
    }

    /// @notice point(d, position) of spec/pcs.md, section 3: the product over the set bits b of the primitive roots of
    /// order 2^(b+1).
    function domainPoint(uint256 logDomain, uint256 position) internal pure returns (uint256 point) {
        point = 1;
        uint256 exponent = 0;
        // Bits reversed: bit b of the position stands for 2^(32 - 1 - b) in the exponent of the root of order 2^32.
        for (uint256 b = 0; b < logDomain; ++b) {
            exponent |= ((position >> b) & 1) << (31 - b);
        }
        uint256 power = ROOT_OF_UNITY;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 != 0) point = mulmod(point, power, P);
            power = mulmod(power, power, P);
        }
    }
}
