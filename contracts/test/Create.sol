// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// @notice Deploys the contract of an artifact. Those that tests create with `new` are optimised once for each test.
function create(string memory artifact, bytes memory arguments) returns (address where) {
    bytes memory code = abi.encodePacked(vm.getCode(artifact), arguments);
    assembly ("memory-safe") {
        where := create(0, add(code, 32), mload(code))
        if iszero(where) {
            returndatacopy(0, 0, returndatasize())
            revert(0, returndatasize())
        }
    }
}

