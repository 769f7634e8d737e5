// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, unpack} from "../src/verifier/Fp3.sol";
import {vm} from "./Vm.sol";

/// @notice Hexadecimal without prefix, as the files of spec/vectors have it.
library Hex {
    function list(string memory json, string memory path) internal pure returns (bytes memory) {
        return vm.parseBytes(string.concat("0x", vm.parseJsonString(json, path)));
    }

    function word(string memory json, string memory path) internal pure returns (bytes32) {
        bytes memory bytes_ = list(json, path);
        vm.assertEq(bytes_.length, 32, path);
        return bytes32(bytes_);
    }

    function element(string memory json, string memory path) internal pure returns (Fp3) {
        return elementAt(list(json, path), 0);
    }

    function elements(string memory json, string memory path) internal pure returns (Fp3[] memory list_) {
        string[] memory texts = vm.parseJsonStringArray(json, path);
        list_ = new Fp3[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            list_[i] = elementAt(vm.parseBytes(string.concat("0x", texts[i])), 0);
        }
    }

    function elementAt(bytes memory bytes_, uint256 offset) internal pure returns (Fp3) {
        vm.assertTrue(bytes_.length >= offset + 24, "an element");
        uint256 words;
        assembly ("memory-safe") {
            words := shr(64, mload(add(add(bytes_, 32), offset)))
        }
        return unpack(words);
    }
}
