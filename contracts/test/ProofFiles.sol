// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// @notice Stored proofs of answers (spec/answer.md, section 6), with the program of their model.
library ProofFiles {
    struct File {
        bytes key;
        bytes program;
        bytes delivery;
        bytes proof;
    }

    /// @dev Magic, version, and the sizes of the three parts.
    uint256 private constant HEAD = 24;

    string private constant FOLDER = "../spec/vectors/proofs/";

    function read(string memory name, string memory program) internal view returns (File memory file) {
        bytes memory all = vm.readFileBinary(string.concat(FOLDER, name, ".proof"));
        file.program = vm.readFileBinary(string.concat(FOLDER, program, ".program"));
        uint256 key = word(all, 12);
        uint256 delivery = word(all, 16);
        file.key = part(all, HEAD, key);
        file.delivery = part(all, HEAD + key, delivery);
        file.proof = part(all, HEAD + key + delivery, word(all, 20));
    }

    function word(bytes memory from, uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(add(add(from, 32), place)))
        }
    }

    function part(bytes memory from, uint256 place, uint256 size) internal pure returns (bytes memory result) {
        result = new bytes(size);
        assembly ("memory-safe") {
            mcopy(add(result, 32), add(add(from, 32), place), size)
        }
    }
}
