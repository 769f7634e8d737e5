// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, equal} from "../src/verifier/Fp3.sol";
import {LookupArgument, LookupConfig, LookupLayout, LookupState} from "../src/verifier/LookupArgument.sol";
import {Transcript} from "../src/verifier/Transcript.sol";
import {Changes} from "./Changes.sol";
import {Hex} from "./Hex.sol";
import {vm} from "./Vm.sol";

/// @notice Whole arguments; numerators that are not sent are the caller's.
contract LookupHarness {
    function verify(LookupConfig memory config, Fp3[] memory numerators, bytes32 digest, bytes calldata proof)
        external
        pure
        returns (bytes32, Fp3[] memory, Fp3[] memory)
    {
        Transcript.State memory transcript = Transcript.State(digest);
        LookupLayout memory cube = LookupArgument.layoutOf(config);
        uint256 next;
        assembly ("memory-safe") {
            next := proof.offset
        }
        LookupState memory s = LookupArgument.top(transcript, config, cube.logCells, next, next + proof.length);
        while (s.point.length < cube.logCells) {
            LookupArgument.layer(transcript, s);
        }
        (Fp3[] memory sent, Fp3[] memory denominators) = LookupArgument.columns(transcript, config, s);
        for (uint256 j = 0; j < sent.length; ++j) {
            if (!config.sent[j]) sent[j] = numerators[j];
        }
        LookupArgument.checkColumns(config, cube, s, sent, denominators);
        return (transcript.digest, s.point, denominators);
    }
}

/// @dev spec/vectors/lookups.json: what the C++ verifier accepts and refuses, and why.
contract LookupArgumentTest {
    using Hex for string;

    string private file;
    LookupHarness private harness;

    function setUp() external {
        file = vm.readFile("../spec/vectors/lookups.json");
        harness = new LookupHarness();
        vm.assertEq(vm.parseJsonUint(file, ".version"), 1);
    }

    function test_vectors() external view {
        string memory json = file;
        uint256 i = 0;
        for (; vm.keyExistsJson(json, string.concat(".vectors[", vm.toString(i), "]")); ++i) {
            checkVector(json, string.concat(".vectors[", vm.toString(i), "]"));
        }
        vm.assertEq(i, 5, "vectors");
    }

    function checkVector(string memory json, string memory path) private view {
        LookupConfig memory config;
        config.logSizes = vm.parseJsonUintArray(json, string.concat(path, ".log_sizes"));
        config.sent = vm.parseJsonBoolArray(json, string.concat(path, ".sent"));
        Fp3[] memory numerators = json.elements(string.concat(path, ".numerators"));
        bytes32 before = json.word(string.concat(path, ".state_before"));
        bytes memory proof = json.list(string.concat(path, ".proof"));
        (bytes32 digest, Fp3[] memory point, Fp3[] memory denominators) =
            harness.verify(config, numerators, before, proof);
        vm.assertEq(digest, json.word(string.concat(path, ".state_after")), path);
        same(point, json.elements(string.concat(path, ".point")));
        same(denominators, json.elements(string.concat(path, ".denominators")));
        checkRejections(json, string.concat(path, ".rejected"), config, numerators, before, proof);
    }

    function same(Fp3[] memory a, Fp3[] memory b) private pure {
        vm.assertEq(a.length, b.length, "elements");
        for (uint256 i = 0; i < a.length; ++i) {
            vm.assertTrue(equal(a[i], b[i]), "element");
        }
    }

    function checkRejections(
        string memory json,
        string memory path,
        LookupConfig memory config,
        Fp3[] memory numerators,
        bytes32 before,
        bytes memory proof
    ) private view {
        Changes.List memory list = Changes.read(json, path, ".layers");
        vm.assertTrue(list.kinds.length > 40, "changes");
        for (uint256 i = 0; i < list.kinds.length; ++i) {
            try harness.verify(config, numerators, before, Changes.apply_(list, i, proof)) {
                vm.assertTrue(false, string.concat("accepted: ", list.checks[i]));
            } catch (bytes memory reason) {
                Changes.expect(list, i, reason);
            }
        }
    }

    function test_denominatorsAreNotZero() external {
        // One cell 0/0: the sum's numerator is zero, and so is its denominator.
        LookupConfig memory config;
        config.logSizes = new uint256[](1);
        config.sent = new bool[](1);
        config.sent[0] = true;
        vm.expectRevert(abi.encodeWithSelector(LookupArgument.LookupRootDenominator.selector, 0));
        harness.verify(config, new Fp3[](1), 0, new bytes(96));
    }

    function test_configurations() external {
        LookupConfig memory config;
        vm.expectRevert(abi.encodeWithSelector(LookupArgument.LookupConfigInvalid.selector));
        harness.verify(config, new Fp3[](0), 0, "");
        config.logSizes = new uint256[](5);
        config.sent = new bool[](5);
        config.logSizes[0] = 31;
        vm.expectRevert(abi.encodeWithSelector(LookupArgument.LookupConfigInvalid.selector));
        harness.verify(config, new Fp3[](5), 0, "");
        for (uint256 j = 0; j < 5; ++j) {
            config.logSizes[j] = 30;
        }
        vm.expectRevert(abi.encodeWithSelector(LookupArgument.LookupConfigInvalid.selector));
        harness.verify(config, new Fp3[](5), 0, "");
    }
}
