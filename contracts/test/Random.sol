// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P, ZERO} from "../src/verifier/Fp3.sol";

/// @dev Numbers that follow from a seed.
struct Random {
    uint256 state;
}

using {below, element, elements} for Random global;

/// @dev A number below n.
function below(Random memory random, uint256 n) pure returns (uint256) {
    random.state = uint256(keccak256(abi.encode(random.state)));
    return random.state % n;
}

/// @dev Now and then one at an edge, but seldom: at 0 and 1 most weights are 0, which hides others' errors.
function element(Random memory random) pure returns (Fp3) {
    uint256 kind = random.below(24);
    if (kind == 0) return ZERO;
    if (kind == 1) return ONE;
    if (kind == 2) return Fp3.wrap((P - 1) * ((1 << 160) | (1 << 80) | 1));
    return Fp3.wrap((random.below(P) << 160) | (random.below(P) << 80) | random.below(P));
}

function elements(Random memory random, uint256 count) pure returns (Fp3[] memory list) {
    list = new Fp3[](count);
    for (uint256 i = 0; i < count; ++i) {
        list[i] = random.element();
    }
}
