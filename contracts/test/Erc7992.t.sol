// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {Erc7992} from "../src/verifier/Erc7992.sol";
import {IErc7992Registry, IErc7992Verifier} from "../src/verifier/IErc7992.sol";
import {IProofVerifier} from "../src/verifier/IProofVerifier.sol";
import {ProofFiles} from "./ProofFiles.sol";
import {vm} from "./Vm.sol";

/// @dev Proofs are the verifier's business; this one accepts all.
contract Accepting is IProofVerifier {
    function verify(bytes32, bytes calldata, bytes calldata) external pure returns (bool) {
        return true;
    }

    function step(bytes32, bytes calldata, bytes calldata, bytes calldata) external pure returns (bytes memory, bool) {
        return ("", true);
    }
}

contract Refusing is IProofVerifier {
    function verify(bytes32, bytes calldata, bytes calldata) external pure returns (bool) {
        return false;
    }

    function step(bytes32, bytes calldata, bytes calldata, bytes calldata) external pure returns (bytes memory, bool) {
        return ("", false);
    }
}

contract Erc7992Test {
    ModelRegistry private registry;
    Erc7992 private facade;
    ProofFiles.File private file;
    uint256 private modelId;

    function setUp() external {
        registry = new ModelRegistry();
        facade = new Erc7992(registry, new Accepting());
        file = ProofFiles.read("stories260k", "stories260k");
        modelId = uint256(registry.register(file.key, file.program, 0, ""));
    }

    function test_modelsHaveNoOwner() external {
        (IErc7992Registry.ModelCommitment memory model, bool deprecated, address owner) = facade.getModel(modelId);
        vm.assertEq(model.circuitHash, keccak256(file.program));
        vm.assertEq(model.vkHash, keccak256(file.key));
        vm.assertTrue(model.modelHash != 0 && !deprecated && owner == address(0), "nobody's, for ever");
        vm.assertEq(bytes32(model.proofSystemId), bytes32(facade.proofSystemOf(modelId)));
        vm.expectRevert(abi.encodeWithSelector(IErc7992Registry.NotModelOwner.selector, modelId, address(this)));
        facade.updateModel(modelId, model);
        vm.expectRevert(abi.encodeWithSelector(IErc7992Registry.NotModelOwner.selector, modelId, address(this)));
        facade.deprecateModel(modelId);
        vm.expectRevert(Erc7992.RegisterByKey.selector);
        facade.registerModel(model);
        vm.expectRevert(abi.encodeWithSelector(IErc7992Registry.ModelNotFound.selector, 1));
        facade.getModel(1);
        vm.expectRevert(abi.encodeWithSelector(IErc7992Registry.ModelNotFound.selector, 1));
        facade.proofSystemOf(1);
        vm.expectRevert(abi.encodeWithSelector(IErc7992Registry.ModelNotFound.selector, 1));
        facade.verifyInference(1, 0, file.delivery, file.proof);
    }

    function test_interfaces() external view {
        vm.assertTrue(facade.supportsInterface(0x01ffc9a7), "ERC-165");
        vm.assertTrue(facade.supportsInterface(type(IErc7992Registry).interfaceId), "registry");
        vm.assertTrue(facade.supportsInterface(type(IErc7992Verifier).interfaceId), "verifier");
        vm.assertTrue(!facade.supportsInterface(0xffffffff), "none");
        vm.assertEq(facade.registry(), address(facade), "registry");
    }

    function test_commitmentsAreToWhatIsAskedAndNotToAnswers() external {
        bytes32 commitment = facade.inputCommitment(file.delivery, 2);
        vm.expectEmit(address(facade));
        emit IErc7992Verifier.InferenceVerified(modelId, commitment, file.delivery, address(this));
        facade.verifyInference(modelId, commitment, file.delivery, file.proof);
        for (uint256 i = 0; i < 181; ++i) {
            bytes memory changed = file.delivery;
            changed[i < 180 ? 4 + i : file.delivery.length - 1] ^= 0x01;
            // How the answer ends, at 192, and the last byte of what is shown do not count; lengths are not changed.
            bool same = i == 180 || 4 + i == 192;
            if (4 + i >= 108 && 4 + i < 112) continue;
            vm.assertTrue((facade.inputCommitment(changed, 2) == commitment) == same, vm.toString(i));
        }
        vm.expectRevert(IErc7992Verifier.InputCommitmentMismatch.selector);
        facade.verifyInference(modelId, bytes32(uint256(commitment) ^ 1), file.delivery, file.proof);
        Erc7992 strict = new Erc7992(registry, new Refusing());
        vm.expectRevert(IErc7992Verifier.InvalidProof.selector);
        strict.verifyInference(modelId, commitment, file.delivery, file.proof);
        bytes memory other = file.delivery;
        other[4] ^= 0x01;
        vm.expectRevert(IErc7992Verifier.ModelMismatch.selector);
        facade.verifyInference(modelId, commitment, other, file.proof);
    }
}
