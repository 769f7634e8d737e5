// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, pack} from "../src/verifier/Fp3.sol";
import {Transcript} from "../src/verifier/Transcript.sol";
import {vm} from "./Vm.sol";
import {Hex} from "./Hex.sol";

/// @dev The library's functions on calldata.
contract TranscriptHarness {
    using Transcript for Transcript.State;

    function elements(bytes32 digest, uint256 label, bytes calldata payload) external pure returns (bytes32) {
        Transcript.State memory state = Transcript.State(digest);
        state.absorbElements(label, offsetOf(payload), payload.length / 24);
        return state.digest;
    }

    function oneDigest(bytes32 digest, uint256 label, bytes calldata payload) external pure returns (bytes32) {
        Transcript.State memory state = Transcript.State(digest);
        state.absorbDigest(label, offsetOf(payload));
        return state.digest;
    }

    function nonce(bytes32 digest, uint256 label, uint256 bits, bytes calldata payload)
        external
        pure
        returns (bytes32, bool)
    {
        Transcript.State memory state = Transcript.State(digest);
        bool good = state.absorbNonce(label, bits, offsetOf(payload));
        return (state.digest, good);
    }

    function offsetOf(bytes calldata payload) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := payload.offset
        }
    }
}

/// @dev spec/vectors/transcript.json.
contract TranscriptTest {
    using Transcript for Transcript.State;

    string private file;
    TranscriptHarness private harness;

    function setUp() external {
        file = vm.readFile("../spec/vectors/transcript.json");
        harness = new TranscriptHarness();
    }

    function test_vectors() external view {
        string memory json = file;
        vm.assertEq(vm.parseJsonUint(json, ".version"), 1);
        uint256 i = 0;
        for (; vm.keyExistsJson(json, string.concat(".vectors[", vm.toString(i), "]")); ++i) {
            checkVector(json, string.concat(".vectors[", vm.toString(i), "]"));
        }
        vm.assertEq(i, 3, "vectors");
    }

    function checkVector(string memory json, string memory path) private view {
        bytes32 start = Hex.word(json, string.concat(path, ".start"));
        vm.assertEq(
            Transcript.start(
                Hex.word(json, string.concat(path, ".protocol_id")),
                keccak256(Hex.list(json, string.concat(path, ".session"))),
                keccak256(Hex.list(json, string.concat(path, ".statement")))
            ),
            start
        );
        Transcript.State memory state = Transcript.State(start);
        for (uint256 k = 0;; ++k) {
            string memory step = string.concat(path, ".steps[", vm.toString(k), "]");
            if (!vm.keyExistsJson(json, step)) break;
            checkStep(json, step, state);
            vm.assertEq(state.digest, Hex.word(json, string.concat(step, ".state")), step);
        }
    }

    function checkStep(string memory json, string memory path, Transcript.State memory state) private view {
        bytes32 op = keccak256(bytes(vm.parseJsonString(json, string.concat(path, ".op"))));
        uint256 label = vm.parseJsonUint(json, string.concat(path, ".label"));
        if (op == keccak256("absorb_bytes")) {
            state.absorbBytes(label, Hex.list(json, string.concat(path, ".bytes")));
        } else if (op == keccak256("absorb_digest")) {
            state.digest = harness.oneDigest(state.digest, label, Hex.list(json, string.concat(path, ".digest")));
        } else if (op == keccak256("absorb_nonce")) {
            checkNonce(json, path, label, state);
        } else if (op == keccak256("absorb_extension")) {
            state.digest = harness.elements(state.digest, label, elementsOf(json, string.concat(path, ".elements")));
        } else if (op == keccak256("absorb_base")) {
            // No message of a proof is of this kind: the next step goes on from the state that the file gives.
            state.digest = Hex.word(json, string.concat(path, ".state"));
        } else if (op == keccak256("positions")) {
            checkPositions(json, path, label, state);
        } else if (op == keccak256("challenge")) {
            uint256[] memory words = vm.parseJsonUintArray(json, string.concat(path, ".value"));
            vm.assertEq(pack(state.challenge(label)), (words[0] << 128) | (words[1] << 64) | words[2], path);
        } else {
            vm.assertTrue(false, string.concat("unknown step ", path));
        }
    }

    function checkNonce(string memory json, string memory path, uint256 label, Transcript.State memory state)
        private
        view
    {
        bytes memory nonce = abi.encodePacked(uint64(vm.parseJsonUint(json, string.concat(path, ".nonce"))));
        bool good;
        (state.digest, good) =
            harness.nonce(state.digest, label, vm.parseJsonUint(json, string.concat(path, ".bits")), nonce);
        vm.assertTrue(good == vm.parseJsonBool(json, string.concat(path, ".value")), path);
    }

    function checkPositions(string memory json, string memory path, uint256 label, Transcript.State memory state)
        private
        pure
    {
        uint256[] memory expected = vm.parseJsonUintArray(json, string.concat(path, ".value"));
        uint256[] memory drawn = state.positions(
            label,
            vm.parseJsonUint(json, string.concat(path, ".log_domain")),
            vm.parseJsonUint(json, string.concat(path, ".count"))
        );
        vm.assertEq(keccak256(abi.encode(drawn)), keccak256(abi.encode(expected)), path);
    }

    function elementsOf(string memory json, string memory path) private pure returns (bytes memory encoded) {
        for (uint256 i = 0;; ++i) {
            string memory one = string.concat(path, "[", vm.toString(i), "]");
            if (!vm.keyExistsJson(json, one)) return encoded;
            uint256[] memory words = vm.parseJsonUintArray(json, one);
            encoded = abi.encodePacked(encoded, uint64(words[0]), uint64(words[1]), uint64(words[2]));
        }
    }
}
