// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, ZERO, mulAdd} from "./Fp3.sol";
import {element, setElement} from "./Fused.sol";
import {Nodes} from "./Nodes.sol";
import {Program, Programs, u16At} from "./Program.sol";
import {PublicValues} from "./PublicValues.sol";

/// @title The sums of the gathering (spec/proof.md, section 3.4), which makes one claim of all claims on a tensor
/// @dev In a program (spec/program.md, section 5) a list of weights: 2 bytes, how many, and for each 2 bytes the number of
/// an earlier one, from 1 on, or 0, and a node. Behind it a list of tensors: 2 bytes, how many, and for each 2 bytes the
/// claim that is made, the constant, the node of its scale and the number of claims on it, then for each of these 2 bytes
/// the claim and the weight. Behind it the claims on tensors of public values (PublicValues).
library Gathering {
    using Nodes for Program;
    using Programs for Program;

    uint256 private constant WEIGHT = 4;
    uint256 private constant TENSOR = 8;
    uint256 private constant CLAIM = 4;

    /// @notice Address of the list of tensors, and how many claims there are.
    function begin(uint256 place) internal pure returns (uint256 tensors, uint256 claims) {
        unchecked {
            // Addresses in memory and numbers of 16 bits.
            tensors = place + 2 + WEIGHT * u16At(place);
            place = tensors + 2;
            for (uint256 left = u16At(tensors); left > 0; --left) {
                uint256 own = u16At(place + 6);
                claims += own;
                place += TENSOR + CLAIM * own;
            }
            claims += u16At(place);
        }
    }

    /// @notice Sum over all claims of power times value. Reduced.
    function joinedClaims(Program memory p, uint256 tensors, Fp3[] memory powers) internal pure returns (Fp3 total) {
        unchecked {
            // Addresses in memory and numbers of 16 bits; reduced summands, fewer than 2^16.
            uint256 power = addressOf(powers);
            uint256 place = tensors + 2;
            for (uint256 left = u16At(tensors); left > 0; --left) {
                uint256 claims = u16At(place + 6);
                total = total + dot(place + TENSOR, claims, p.claims, power);
                power += 32 * claims;
                place += TENSOR + CLAIM * claims;
            }
            total = total + PublicValues.joinedClaims(p, place, powers);
        }
        return total.reduce();
    }

    /// @notice Sum over all tensors of the value that is made, times the sum over the claims on it of power times weight; and
    /// over what is claimed of public values.
    /// @param place Address of the list of weights.
    function joinedSums(Program memory p, uint256 place, uint256 tensors, Fp3[] memory powers)
        internal
        pure
        returns (Fp3 total)
    {
        Fp3[] memory weights = weightsAt(p, place);
        unchecked {
            // Addresses in memory and numbers of 16 bits.
            uint256 power = addressOf(powers);
            place = tensors + 2;
            for (uint256 left = u16At(tensors); left > 0; --left) {
                uint256 claims = u16At(place + 6);
                Fp3 weight = dot(place + TENSOR + 2, claims, weights, power);
                total = mulAdd(weight, scaledValue(p, place), total);
                power += 32 * claims;
                place += TENSOR + CLAIM * claims;
            }
            total = total + PublicValues.joinedSums(p, place, weights, powers);
        }
    }

    /// @dev The value that is made of a tensor's claims, times the constant and the scale. Limbs are below p^2 < 2^128.
    function scaledValue(Program memory p, uint256 place) private pure returns (Fp3 value) {
        unchecked {
            // An address in memory.
            value = element(p.claims, u16At(place)).scale(p.constantAt(u16At(place + 2)));
            uint256 node = u16At(place + 4);
            if (node != 0) value = value * p.nodeOf(node);
        }
    }

    /// @dev Weights by number; the first one is 1.
    function weightsAt(Program memory p, uint256 place) private pure returns (Fp3[] memory weights) {
        unchecked {
            // Addresses in memory and numbers of 16 bits.
            uint256 count = u16At(place) + 1;
            place += 2;
            weights = new Fp3[](count);
            weights[0] = ONE;
            for (uint256 i = 1; i < count; ++i) {
                uint256 earlier = u16At(place);
                Fp3 own = p.nodeOf(u16At(place + 2));
                if (earlier != 0) {
                    if (earlier >= i) revert Programs.ProgramInvalid();
                    own = element(weights, earlier) * own;
                }
                setElement(weights, i, own);
                place += WEIGHT;
            }
        }
    }

    function addressOf(Fp3[] memory list) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := list
        }
    }

    /// @dev Sum over a tensor's claims of power times what a list has at the number at `place`. Reduced.
    ///
    /// Elements have limbs below p < 2^64: five products have less than 2^131, those of 2^16 claims 2^147.
    function dot(uint256 place, uint256 count, Fp3[] memory list, uint256 power) private pure returns (Fp3 sum) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (count == 0) return ZERO;
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            list := add(list, 32)
            for { let end := add(place, shl(2, count)) } lt(place, end) { place := add(place, 4) } {
                power := add(power, 32)
                let a2 := mload(power)
                let a0 := shr(160, a2)
                let a1 := signextend(9, shr(80, a2))
                a2 := signextend(9, a2)
                let c := mload(add(list, shl(5, shr(240, mload(place)))))
                let b := shr(160, c)
                s0 := add(s0, mul(a0, b))
                s1 := add(s1, mul(a1, b))
                s2 := add(s2, mul(a2, b))
                b := signextend(9, shr(80, c))
                s0 := add(s0, shl(1, mul(a2, b)))
                s1 := add(s1, mul(a0, b))
                s2 := add(s2, mul(a1, b))
                b := signextend(9, c)
                s0 := add(s0, shl(1, mul(a1, b)))
                s1 := add(s1, shl(1, mul(a2, b)))
                s2 := add(s2, mul(a0, b))
            }
            sum := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }
}
