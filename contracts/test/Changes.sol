// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// @notice Changed proofs of a file of vectors, with the check that each must fail, and where.
library Changes {
    struct List {
        string path;
        uint256[] kinds;
        uint256[] offsets;
        uint256[] places;
        string[] checks;
    }

    function read(string memory json, string memory path, string memory places) internal pure returns (List memory) {
        return List({
            path: path,
            kinds: vm.parseJsonUintArray(json, string.concat(path, ".kinds")),
            offsets: vm.parseJsonUintArray(json, string.concat(path, ".offsets")),
            places: vm.parseJsonUintArray(json, string.concat(path, places)),
            checks: vm.parseJsonStringArray(json, string.concat(path, ".checks"))
        });
    }

    /// @notice The proof with change number i: a bit flipped (0), 8 bytes of ones (1), cut (2), a byte more (3).
    function apply_(List memory list, uint256 i, bytes memory proof) internal pure returns (bytes memory result) {
        (uint256 kind, uint256 offset) = (list.kinds[i], list.offsets[i]);
        if (kind == 3) return abi.encodePacked(proof, uint8(0));
        result = abi.encodePacked(proof);
        if (kind == 0) {
            result[offset] ^= 0x01;
        } else if (kind == 1) {
            for (uint256 b = 0; b < 8; ++b) {
                result[offset + b] = 0xff;
            }
        } else {
            vm.assertEq(kind, 2, "a change that no test knows");
            assembly ("memory-safe") {
                mstore(result, offset)
            }
        }
    }

    /// @notice Fails unless the reason is the error of the check's name with the place that the file gives.
    function expect(List memory list, uint256 i, bytes memory reason) internal pure {
        string memory text = string.concat(list.checks[i], " of change ", vm.toString(i), " of ", list.path);
        vm.assertEq(
            keccak256(reason), keccak256(abi.encodeWithSelector(selectorOf(list.checks[i]), list.places[i])), text
        );
    }

    /// @notice Errors are the checks by name: lookup.root_numerator is LookupRootNumerator(uint256).
    function selectorOf(string memory check) internal pure returns (bytes4) {
        bytes memory name = bytes(check);
        bytes memory out = new bytes(name.length);
        uint256 size = 0;
        bool upper = true;
        for (uint256 i = 0; i < name.length; ++i) {
            bool separates = name[i] == "." || name[i] == "_";
            if (!separates) out[size++] = upper ? bytes1(uint8(name[i]) - 32) : name[i];
            upper = separates;
        }
        assembly ("memory-safe") {
            mstore(out, size)
        }
        return bytes4(keccak256(abi.encodePacked(out, "(uint256)")));
    }
}
