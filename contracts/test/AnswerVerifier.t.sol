// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {AnswerVerifier} from "../src/verifier/AnswerVerifier.sol";
import {DeliveryReader} from "../src/verifier/DeliveryReader.sol";
import {Opening} from "../src/verifier/Opening.sol";
import {Programs} from "../src/verifier/Program.sol";
import {Reduction} from "../src/verifier/Reduction.sol";
import {StateBytes} from "../src/verifier/StateBytes.sol";
import {create} from "./Create.sol";
import {Changes} from "./Changes.sol";
import {ProofFiles} from "./ProofFiles.sol";
import {vm} from "./Vm.sol";

/// @notice Stored proofs of whole answers, in one call, in as many steps as there are phases, and in as few as bytes allow.
contract AnswerVerifierTest {
    /// @dev Bytes of a transaction that nodes relay, and of what is not delivery, state and part.
    uint256 private constant TRANSACTION = 131_072;
    uint256 private constant OTHER = 2048;

    ModelRegistry private registry;
    AnswerVerifier private verifier;

    function setUp() external {
        registry = ModelRegistry(create("ModelRegistry.sol:ModelRegistry", ""));
        address lookup = create("LookupVerifier.sol:LookupVerifier", "");
        address reduction = create("ReductionVerifier.sol:ReductionVerifier", abi.encode(lookup));
        address weights = create("WeightVerifier.sol:WeightVerifier", "");
        address opening = create("OpeningVerifier.sol:OpeningVerifier", abi.encode(weights));
        verifier = AnswerVerifier(create("AnswerVerifier.sol:AnswerVerifier", abi.encode(registry, reduction, opening)));
    }

    function load(string memory name, string memory program)
        private
        returns (ProofFiles.File memory file, bytes32 modelId)
    {
        file = ProofFiles.read(name, program);
        modelId = keccak256(file.key);
        if (!registry.isRegistered(modelId)) registry.register(file.key, file.program, 0, "");
    }

    function holds(string memory name, string memory program) private {
        (ProofFiles.File memory file, bytes32 modelId) = load(name, program);
        vm.assertTrue(verifier.verify(modelId, file.delivery, file.proof), name);
    }

    function test_storedProofOfTheBundledModelHolds() external {
        holds("stories260k", "stories260k");
    }

    function test_storedProofOfSeveralAnswersHolds() external {
        holds("stories260k_batch", "stories260k");
    }

    function test_storedProofOf124MHolds() external {
        holds("shape124m_100", "shape124m");
    }

    function test_storedProofOf124MAt128BitsHolds() external {
        holds("shape124m_128", "shape124m");
    }

    // Steps.

    /// @dev What C++ recorded of the phases of a stored proof.
    function recorded(uint256 number) private view returns (uint256[] memory sizes, bytes32[] memory states) {
        string memory json = vm.readFile("../spec/vectors/phases.json");
        string memory path = string.concat(".proofs[", vm.toString(number), "]");
        sizes = vm.parseJsonUintArray(json, string.concat(path, ".bytes"));
        string[] memory texts = vm.parseJsonStringArray(json, string.concat(path, ".states"));
        states = new bytes32[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            states[i] = bytes32(vm.parseBytes(string.concat("0x", texts[i])));
        }
    }

    /// @dev Verifies in steps of whole phases, as many in each as `most` bytes of delivery, state and part allow and one at
    /// least, and compares the states in between. Returns how many steps it took.
    function inSteps(string memory name, string memory program, uint256 number, uint256 most)
        private
        returns (uint256 steps)
    {
        (ProofFiles.File memory file, bytes32 modelId) = load(name, program);
        (uint256[] memory sizes, bytes32[] memory states) = recorded(number);
        bytes memory state;
        bool done;
        uint256 at_ = 0;
        for (uint256 phase = 0; phase < sizes.length;) {
            uint256 size = phase == 0 ? 8 : 0;
            do {
                size += sizes[phase++];
            } while (phase < sizes.length && OTHER + file.delivery.length + state.length + size + sizes[phase] <= most);
            (state, done) = verifier.step(modelId, file.delivery, state, ProofFiles.part(file.proof, at_, size));
            at_ += size;
            ++steps;
            vm.assertTrue(done == (phase == sizes.length), "done after the last phase");
            if (!done) vm.assertEq(keccak256(state), states[phase - 1], vm.toString(phase));
        }
        vm.assertEq(at_, file.proof.length);
    }

    function test_everyPhaseLeavesTheStateThatItDoesInCpp() external {
        inSteps("stories260k", "stories260k", 0, 0);
    }

    function test_everyPhaseOf124MLeavesTheStateThatItDoesInCpp() external {
        inSteps("shape124m_100", "shape124m", 1, 0);
    }

    function test_everyPhaseOfSeveralAnswersLeavesTheStateThatItDoesInCpp() external {
        inSteps("stories260k_batch", "stories260k", 3, 0);
    }

    function test_largeProofsTakeAsFewStepsAsBytesAllow() external {
        vm.assertEq(inSteps("stories260k", "stories260k", 0, TRANSACTION), 1);
        vm.assertEq(inSteps("shape124m_100", "shape124m", 1, TRANSACTION), 2);
        vm.assertEq(inSteps("shape124m_128", "shape124m", 2, TRANSACTION), 3);
    }

    function test_aStepGoesOnWithTheDeliveryThatTheFirstOneHad() external {
        (ProofFiles.File memory file, bytes32 modelId) = load("stories260k", "stories260k");
        (uint256[] memory sizes,) = recorded(0);
        (bytes memory state,) = verifier.step(modelId, file.delivery, "", ProofFiles.part(file.proof, 0, 8 + sizes[0]));
        bytes memory part = ProofFiles.part(file.proof, 8 + sizes[0], sizes[1]);
        // Another payee.
        bytes memory other = bytes.concat(file.delivery);
        other[88] ^= 0x01;
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, other, state, part);
        // A state of another version, of the first phase, cut, with a byte more.
        bytes memory changed = bytes.concat(state);
        changed[3] = 0x01;
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, file.delivery, changed, part);
        changed = bytes.concat(state);
        changed[7] = 0x00;
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, file.delivery, changed, part);
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, file.delivery, ProofFiles.part(state, 0, 100), part);
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, file.delivery, bytes.concat(state, hex"00"), part);
        verifier.step(modelId, file.delivery, state, part);
    }

    // Refused.

    function refused(ProofFiles.File memory file, bytes memory proof, bytes memory reason) private {
        vm.expectRevert(reason);
        verifier.verify(keccak256(file.key), file.delivery, proof);
    }

    function changedAt(bytes memory from, uint256 place) private pure returns (bytes memory changed) {
        changed = bytes.concat(from);
        changed[place] ^= 0x01;
    }

    function test_proofsAreRefusedByTheNameOfTheCheck() external {
        (ProofFiles.File memory file,) = load("stories260k", "stories260k");
        bytes memory proof = file.proof;
        refused(file, ProofFiles.part(proof, 0, 7), abi.encodeWithSelector(Reduction.ProofTruncated.selector, 0));
        refused(file, changedAt(proof, 3), abi.encodeWithSelector(AnswerVerifier.ProofVersion.selector));
        refused(file, changedAt(proof, 7), abi.encodeWithSelector(AnswerVerifier.ProofLength.selector));
        refused(file, bytes.concat(proof, hex"00"), abi.encodeWithSelector(AnswerVerifier.ProofLength.selector));
    }

    function test_changedProofsAreRefusedAsInCpp() external {
        changesAreRefused("stories260k", 0);
        changesAreRefused("stories260k_batch", 3);
    }

    function changesAreRefused(string memory name, uint256 number) private {
        (ProofFiles.File memory file, bytes32 modelId) = load(name, "stories260k");
        string memory json = vm.readFile("../spec/vectors/phases.json");
        string memory path = string.concat(".proofs[", vm.toString(number), "].rejected");
        Changes.List memory list = Changes.read(json, path, ".places");
        vm.assertTrue(list.kinds.length > 100, "changes");
        for (uint256 i = 0; i < list.kinds.length; ++i) {
            try verifier.verify(modelId, file.delivery, Changes.apply_(list, i, file.proof)) {
                vm.assertTrue(false, string.concat("accepted: ", list.checks[i]));
            } catch (bytes memory reason) {
                Changes.expect(list, i, reason);
            }
        }
    }

    /// @dev With a header that says so: where the bytes end, the phase that misses them reverts.
    function test_proofsAreRefusedWhereverTheyAreCut() external {
        (ProofFiles.File memory file, bytes32 modelId) = load("stories260k", "stories260k");
        (uint256[] memory sizes,) = recorded(0);
        uint256 end = 8;
        for (uint256 phase = 0; phase < sizes.length; ++phase) {
            // At the end of the phase before, and a byte before its own end.
            cutIsRefused(modelId, file, end);
            end += sizes[phase];
            if (sizes[phase] > 0) cutIsRefused(modelId, file, end - 1);
        }
    }

    function cutIsRefused(bytes32 modelId, ProofFiles.File memory file, uint256 size) private view {
        bytes memory cut = ProofFiles.part(file.proof, 0, size);
        for (uint256 i = 0; i < 4; ++i) {
            cut[4 + i] = bytes1(uint8(size >> (24 - 8 * i)));
        }
        (bool accepted, bytes memory result) =
            address(verifier).staticcall(abi.encodeCall(verifier.verify, (modelId, file.delivery, cut)));
        vm.assertTrue(!accepted, vm.toString(size));
        bytes4 reason = bytes4(result);
        vm.assertTrue(
            reason == Reduction.ProofTruncated.selector || reason == Opening.PcsTruncated.selector
                || reason == bytes4(keccak256("LookupTruncated(uint256)")),
            vm.toString(size)
        );
    }

    /// @dev 768 tokens of 124M's shape have more than 2^30 cells to look up: refused before the proof is read.
    function test_instancesThatAreTooLargeAreRefused() external {
        (ProofFiles.File memory file, bytes32 modelId) = load("shape124m_100", "shape124m");
        bytes memory head = ProofFiles.part(file.delivery, 0, 112 + 32);
        bytes memory tokens = new bytes(2 * 767 + 2);
        bytes memory answer = abi.encodePacked(uint32(1), uint32(0), uint32(0), uint32(65536), bytes32(0), uint8(0));
        answer = abi.encodePacked(answer, uint32(0), uint32(767), uint32(1), tokens, uint32(0), uint16(0));
        vm.expectRevert(Programs.ProofInstance.selector);
        verifier.verify(modelId, bytes.concat(head, answer), file.proof);
    }

    function test_deliveriesAreThoseThatWereProven() external {
        (ProofFiles.File memory file, bytes32 modelId) = load("stories260k", "stories260k");
        bytes memory other = changedAt(file.delivery, 88);
        (bool accepted,) = address(verifier).staticcall(abi.encodeCall(verifier.verify, (modelId, other, file.proof)));
        vm.assertTrue(!accepted, "another payee");
        vm.expectRevert(DeliveryReader.AnswerModel.selector);
        verifier.verify(modelId, changedAt(file.delivery, 35), file.proof);
        bytes32 unknown = bytes32(uint256(1));
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.UnknownModel.selector, unknown));
        verifier.verify(unknown, file.delivery, file.proof);
    }
}
