// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {AnswerVerifier} from "../src/verifier/AnswerVerifier.sol";
import {DeliveryReader} from "../src/verifier/DeliveryReader.sol";
import {Opening} from "../src/verifier/Opening.sol";
import {Programs} from "../src/verifier/Program.sol";
import {Reduction} from "../src/verifier/Reduction.sol";
import {StateBytes} from "../src/verifier/StateBytes.sol";
import {StepState} from "../src/verifier/StepState.sol";
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

    function test_storedProofOfSixteenAnswersHolds() external {
        holds("stories260k_16", "stories260k");
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
        vm.assertEq(vm.parseJsonUint(json, ".version"), 3);
        vm.assertTrue(!vm.keyExistsJson(json, ".proofs[5]"), "a proof that no test reads");
        string memory path = string.concat(".proofs[", vm.toString(number), "]");
        sizes = vm.parseJsonUintArray(json, string.concat(path, ".bytes"));
        string[] memory texts = vm.parseJsonStringArray(json, string.concat(path, ".states"));
        states = new bytes32[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            states[i] = bytes32(vm.parseBytes(string.concat("0x", texts[i])));
        }
    }

    /// @dev Verifies in steps of whole sections, as many in each as `most` bytes of delivery, state and part allow and one
    /// at least, and compares the states in between. Returns how many steps it took.
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
            // Where it is not read, it may be left out.
            bytes memory delivery =
                state.length > 0 && state[StepState.OPENING] != 0 && steps % 2 == 0 ? bytes("") : file.delivery;
            (state, done) = verifier.step(modelId, delivery, state, ProofFiles.part(file.proof, at_, size));
            at_ += size;
            ++steps;
            vm.assertTrue(done == (phase == sizes.length), "done after the last phase");
            if (!done) {
                vm.assertEq(keccak256(ProofFiles.part(state, 0, 64)), keccak256(headOf(modelId, file.delivery)), "head");
                vm.assertEq(ownHash(state), states[phase - 1], vm.toString(phase));
            }
        }
        vm.assertEq(at_, file.proof.length);
    }

    function headOf(bytes32 modelId, bytes memory delivery) private pure returns (bytes memory) {
        return abi.encodePacked(modelId, keccak256(delivery));
    }

    /// @dev Hash of the state of the proof, which is behind what steps know of each other.
    function ownHash(bytes memory state) private pure returns (bytes32) {
        return keccak256(ProofFiles.part(state, StepState.HEAD, state.length - StepState.HEAD));
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

    function test_everyPartOfRowsLeavesTheStateThatItDoesInCpp() external {
        inSteps("shape124m_128", "shape124m", 2, 0);
        inSteps("stories260k_16", "stories260k", 4, 0);
    }

    /// @dev Three parts of one tree, each in a step of its own, two in one, and all in one.
    function test_partsOfRowsMaySplitIntoStepsAnyhow() external {
        (ProofFiles.File memory file, bytes32 modelId) = load("stories260k_16", "stories260k");
        (uint256[] memory sizes, bytes32[] memory states) = recorded(4);
        uint256 first = sizes.length - 13;
        uint256 at_ = 8;
        for (uint256 i = 0; i < first; ++i) {
            at_ += sizes[i];
        }
        (bytes memory before,) = verifier.step(modelId, file.delivery, "", ProofFiles.part(file.proof, 0, at_));
        vm.assertEq(ownHash(before), states[first - 1], "before the rows");
        for (uint256 cut = 1; cut <= 3; ++cut) {
            uint256 size = 0;
            for (uint256 i = 0; i < cut; ++i) {
                size += sizes[first + i];
            }
            (bytes memory state,) =
                verifier.step(modelId, file.delivery, before, ProofFiles.part(file.proof, at_, size));
            vm.assertEq(ownHash(state), states[first + cut - 1], "after some parts");
            bytes memory rest = ProofFiles.part(file.proof, at_ + size, file.proof.length - at_ - size);
            (, bool done) = verifier.step(modelId, file.delivery, state, rest);
            vm.assertTrue(done, "the rest");
            if (cut < 3) changedDigestsAreRefused(file, modelId, state, rest, cut);
        }
    }

    /// @dev A state within a tree ends with the number of rows that were read, and their digests.
    function changedDigestsAreRefused(
        ProofFiles.File memory file,
        bytes32 modelId,
        bytes memory state,
        bytes memory rest,
        uint256 parts
    ) private {
        uint256 read = 0;
        while (word(state, state.length - 32 * read - 4) != read) ++read;
        vm.assertTrue(read > 0 && read % parts == 0, "rows of whole parts");
        for (uint256 i = state.length - 32 * read - 4; i < state.length; i += i % 32 == 0 ? 1 : 31) {
            isRefused(modelId, file.delivery, changedAt(state, i), rest);
        }
        for (uint256 i = 1; i <= 4; ++i) {
            isRefused(modelId, file.delivery, changedAt(state, state.length - 32 * read - i), rest);
        }
        isRefused(modelId, file.delivery, ProofFiles.part(state, 0, state.length - 1), rest);
        isRefused(modelId, file.delivery, bytes.concat(state, hex"00"), rest);
        // A row less than whole parts have.
        bytes memory less = ProofFiles.part(state, 0, state.length - 32);
        less[less.length - 32 * (read - 1) - 1] = bytes1(uint8(read - 1));
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, file.delivery, less, rest);
    }

    function word(bytes memory from, uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(add(add(from, 32), place)))
        }
    }

    function isRefused(bytes32 modelId, bytes memory delivery, bytes memory state, bytes memory part) private view {
        try verifier.step(modelId, delivery, state, part) {
            vm.assertTrue(false, "accepted");
        } catch {}
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
        // None, where it is read.
        vm.expectRevert(DeliveryReader.AnswerTruncated.selector);
        verifier.step(modelId, "", state, part);
        // A state of another version, cut, with a byte more.
        bytes memory changed = bytes.concat(state);
        changed[StepState.HEAD + 3] = 0x01;
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, file.delivery, changed, part);
        // Of the first phase, and of another start.
        for (uint256 place = 7; place < 40; place += 32) {
            changed = bytes.concat(state);
            changed[StepState.HEAD + place] = place == 7 ? bytes1(0) : changed[StepState.HEAD + place] ^ 0x01;
            vm.expectRevert(StateBytes.ProofState.selector);
            verifier.step(modelId, file.delivery, changed, part);
        }
        for (uint256 size = 1; size < state.length; ++size) {
            vm.expectRevert(StateBytes.ProofState.selector);
            verifier.step(modelId, file.delivery, ProofFiles.part(state, 0, size), part);
        }
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, file.delivery, bytes.concat(state, hex"00"), part);
        verifier.step(modelId, file.delivery, state, part);
    }

    /// @dev Also where the delivery is not read, and may be left out.
    function test_aStepOfTheOpeningGoesOnWithModelAndDeliveryOfTheFirstOne() external {
        bytes32 other = loadOther();
        (ProofFiles.File memory file, bytes32 modelId) = load("shape124m_100", "shape124m");
        (uint256[] memory sizes,) = recorded(1);
        uint256 size = 8;
        uint256 phase = 0;
        bytes memory state;
        // Up to the first state of the opening.
        while (state.length == 0 || state[StepState.OPENING] == 0) {
            uint256 own = sizes[phase] + (phase == 0 ? 8 : 0);
            uint256 at_ = phase == 0 ? 0 : size;
            (state,) = verifier.step(modelId, file.delivery, state, ProofFiles.part(file.proof, at_, own));
            size += sizes[phase++];
        }
        bytes memory part = ProofFiles.part(file.proof, size, sizes[phase]);
        verifier.step(modelId, file.delivery, state, part);
        verifier.step(modelId, "", state, part);
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(modelId, changedAt(file.delivery, 88), state, part);
        vm.expectRevert(StateBytes.ProofState.selector);
        verifier.step(other, "", state, part);
    }

    function loadOther() private returns (bytes32 modelId) {
        (, modelId) = load("stories260k", "stories260k");
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

    function test_changedProofsOfSixteenAnswersAreRefusedAsInCpp() external {
        changesAreRefused("stories260k_16", 4);
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
        cutsAreRefused("stories260k", 0);
        cutsAreRefused("stories260k_16", 4);
    }

    function cutsAreRefused(string memory name, uint256 number) private {
        (ProofFiles.File memory file, bytes32 modelId) = load(name, "stories260k");
        (uint256[] memory sizes,) = recorded(number);
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
