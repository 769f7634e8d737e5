// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, equal, ELEMENT} from "../src/verifier/Fp3.sol";
import {LookupArgument, LookupConfig, LookupLayout, LookupState} from "../src/verifier/LookupArgument.sol";
import {LookupVerifier} from "../src/verifier/LookupVerifier.sol";
import {LookupProgress} from "../src/verifier/Parts.sol";
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

    /// @dev Columns as bytes, and what is made of these.
    function packed(LookupConfig memory config) external pure returns (bytes memory) {
        return LookupArgument.packColumns(config);
    }

    function unpacked(bytes calldata columns) external pure returns (LookupConfig memory) {
        return LookupArgument.unpackColumns(columns);
    }
}

/// @dev spec/vectors/lookups.json: what the C++ verifier accepts and refuses, and why.
contract LookupArgumentTest {
    using Hex for string;

    string private file;
    LookupHarness private harness;
    LookupVerifier private part;

    function setUp() external {
        file = vm.readFile("../spec/vectors/lookups.json");
        harness = new LookupHarness();
        part = new LookupVerifier();
        vm.assertEq(vm.parseJsonUint(file, ".version"), 1);
    }

    function test_vectors() external {
        string memory json = file;
        uint256 i = 0;
        for (; vm.keyExistsJson(json, string.concat(".vectors[", vm.toString(i), "]")); ++i) {
            checkVector(json, string.concat(".vectors[", vm.toString(i), "]"));
        }
        vm.assertEq(i, 5, "vectors");
    }

    function checkVector(string memory json, string memory path) private {
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
        checkParts(config, numerators, before, proof, digest, denominators);
    }

    /// @dev Columns as a transcript has them (spec/lookup.md, section 3), two bytes each.
    function columnsOf(LookupConfig memory config) private pure returns (bytes memory columns) {
        for (uint256 j = 0; j < config.sent.length; ++j) {
            columns = abi.encodePacked(columns, uint8(config.logSizes[j]), !config.sent[j]);
        }
    }

    /// @dev A caller cuts the bytes behind the layers off, so that `layerElements` has to say how many these take; one phase
    /// after the other or all at once, the argument comes to the same.
    function checkParts(
        LookupConfig memory config,
        Fp3[] memory numerators,
        bytes32 before,
        bytes memory proof,
        bytes32 digest,
        Fp3[] memory denominators
    ) private {
        bytes memory columns = columnsOf(config);
        uint256 logCells = LookupArgument.logCellsOf(config);
        uint256 layers = ELEMENT * LookupArgument.layerElements(logCells);
        LookupProgress memory from;
        from.digest = before;
        (LookupProgress memory to, uint256 used) = part.layers(columns, logCells, from, cut(proof, 0, layers));
        vm.assertEq(used, layers);
        vm.assertEq(to.phase + 1, LookupArgument.phases(logCells));
        (LookupProgress memory all,) = part.layers(columns, logCells, from, proof);
        vm.assertEq(keccak256(abi.encode(all)), keccak256(abi.encode(to)));
        for (uint256 at_ = 0; from.phase < to.phase; at_ += used) {
            uint256 k = LookupArgument.topLog(logCells);
            uint256 size = ELEMENT * (from.phase == 0 ? 2 << k : 2 * (k + from.phase - 1) + 4);
            (from, used) = part.layers(columns, logCells, from, cut(proof, at_, size));
            vm.assertEq(used, size);
        }
        vm.assertEq(keccak256(abi.encode(from)), keccak256(abi.encode(to)));
        checkLast(config, numerators, to, cut(proof, layers, proof.length - layers), digest, denominators);
    }

    /// @dev The last phase takes numerators where none are sent, and what was sent elsewhere, whatever it is given there.
    function checkLast(
        LookupConfig memory config,
        Fp3[] memory numerators,
        LookupProgress memory from,
        bytes memory last,
        bytes32 digest,
        Fp3[] memory denominators
    ) private {
        bytes memory columns = columnsOf(config);
        bytes memory known = "";
        bytes memory expected = "";
        for (uint256 j = 0; j < config.sent.length; ++j) {
            known = abi.encodePacked(known, config.sent[j] ? Fp3.wrap(j + 1) : numerators[j]);
            expected = abi.encodePacked(expected, denominators[j]);
        }
        (bytes32 found, uint256 used, bytes memory n, bytes memory d) = part.columns(columns, from, known, last);
        vm.assertEq(found, digest);
        vm.assertEq(used, last.length);
        vm.assertEq(n.length, known.length);
        vm.assertEq(keccak256(d), keccak256(expected));
        for (uint256 j = 0; j < config.sent.length; ++j) {
            bytes32 word = bytes32(cut(n, 32 * j, 32));
            if (config.sent[j]) vm.assertTrue(word != bytes32(j + 1), "sent");
            else vm.assertEq(word, bytes32(Fp3.unwrap(numerators[j])));
        }
        vm.expectRevert(LookupArgument.LookupConfigInvalid.selector);
        part.columns(columns, from, abi.encodePacked(known, uint8(0)), last);
        vm.expectRevert(LookupArgument.LookupConfigInvalid.selector);
        part.columns(columns, from, cut(known, 0, known.length - 32), last);
    }

    function cut(bytes memory from, uint256 start, uint256 size) private pure returns (bytes memory piece) {
        piece = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            piece[i] = from[start + i];
        }
    }

    function testFuzz_columnsAsBytes(uint256 seed) external view {
        LookupConfig memory config;
        uint256 count = seed % 70;
        config.logSizes = new uint256[](count);
        config.sent = new bool[](count);
        for (uint256 j = 0; j < count; ++j) {
            uint256 random = uint256(keccak256(abi.encode(seed, j)));
            config.logSizes[j] = random % 256;
            config.sent[j] = random >> 255 == 1;
        }
        bytes memory columns = columnsOf(config);
        vm.assertEq(keccak256(harness.packed(config)), keccak256(columns));
        vm.assertEq(keccak256(abi.encode(harness.unpacked(columns))), keccak256(abi.encode(config)));
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
