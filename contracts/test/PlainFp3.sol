// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P, reduce, scale} from "../src/verifier/Fp3.sol";

// What tables and fused operations are compared with: the same by their definitions.

/// @dev Product over b of (1 - r_b + r_b z^(2^b)) for z of the base field: the extension of x -> z^x at r, which are the
/// last `count` of a list.
function basePowerWeight(uint256 z, Fp3[] memory point, uint256 count) pure returns (Fp3 product) {
    product = ONE;
    for (uint256 i = point.length - count; i < point.length; ++i) {
        // z - 1 is at least 0: no position of a domain has the point 0.
        product = product * (ONE + scale(point[i], z - 1));
        z = mulmod(z, z, P);
    }
}

/// @dev The values eq(r, x), x in [2^count], r the `count` entries of a list from `first` on; variable 0 lowest.
function eqTable(Fp3[] memory point, uint256 first, uint256 count) pure returns (Fp3[] memory table) {
    table = new Fp3[](1 << count);
    table[0] = ONE;
    for (uint256 b = 0; b < count; ++b) {
        uint256 half = 1 << b;
        Fp3 r = point[first + b];
        for (uint256 x = 0; x < half; ++x) {
            Fp3 high = table[x] * r;
            table[half + x] = high;
            table[x] = reduce(table[x] - high);
        }
    }
}
