// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Keys} from "../src/registry/Keys.sol";
import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {PcsConfigs} from "../src/verifier/PcsConfig.sol";
import {ProofFiles} from "./ProofFiles.sol";
import {vm} from "./Vm.sol";

/// @dev With the key of the bundled model, from its stored proof.
contract ModelRegistryTest {
    uint256 private constant CONFIG_BYTES = 143;
    uint256 private constant APPLICATION = 8 + CONFIG_BYTES + 4;
    uint256 private constant PLAN = APPLICATION + 68;
    uint256 private constant MODEL = APPLICATION + 365;

    ModelRegistry private registry;
    bytes private key;
    bytes private program;

    function setUp() external {
        registry = new ModelRegistry();
        ProofFiles.File memory file = ProofFiles.read("stories260k", "stories260k");
        (key, program) = (file.key, file.program);
    }

    function part(bytes memory from, uint256 place, uint256 size) private pure returns (bytes memory result) {
        result = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            result[i] = from[place + i];
        }
    }

    function with(uint256 place, bytes1 value) private view returns (bytes memory changed) {
        changed = key;
        changed[place] = value;
    }

    function test_modelIsFoundByTheHashOfItsKey() external {
        bytes32 modelId = keccak256(key);
        vm.expectEmit(address(registry));
        emit ModelRegistry.ModelRegistered(
            modelId, bytes32(part(key, APPLICATION + 36, 32)), address(this), bytes32(uint256(7)), "avow 0.1.0"
        );
        vm.assertEq(registry.register(key, program, bytes32(uint256(7)), "avow 0.1.0"), modelId);
        ModelRegistry.Model memory model = registry.modelOf(modelId);
        vm.assertEq(model.vocabulary, 512);
        vm.assertEq(model.context, 512);
        vm.assertEq(model.idBytes, 2);
        vm.assertEq(keccak256(registry.keyOf(modelId)), modelId);
        vm.assertTrue(registry.isRegistered(modelId), "registered");
        // The stored key is no program.
        (bool success, bytes memory result) = model.key.call(hex"00000000");
        vm.assertTrue(success && result.length == 0, "a contract that does nothing");
    }

    function test_nobodyRegistersAModelTwice() external {
        bytes32 modelId = registry.register(key, program, 0, "");
        vm.prank(address(0xa11ce));
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.AlreadyRegistered.selector, modelId));
        registry.register(key, program, 0, "");
    }

    function test_unknownModels() external {
        bytes memory expected = abi.encodeWithSelector(ModelRegistry.UnknownModel.selector, keccak256(key));
        vm.expectRevert(expected);
        registry.modelOf(keccak256(key));
        vm.expectRevert(expected);
        registry.keyOf(keccak256(key));
        vm.assertTrue(!registry.isRegistered(keccak256(key)), "not registered");
    }

    /// @dev Of a statement nothing is read, so only what lies before it has lengths of its own.
    function test_keysAreRefusedAtEveryLengthBeforeTheirStatement() external {
        for (uint256 size = 0; size <= MODEL + 89; ++size) {
            try registry.register(part(key, 0, size), program, 0, "") {
                vm.assertTrue(false, "accepted");
            } catch (bytes memory reason) {
                vm.assertEq(bytes32(reason), bytes32(Keys.KeyTruncated.selector), vm.toString(size));
            }
        }
        registry.register(part(key, 0, MODEL + 90), program, 0, "");
    }

    function test_keysThatAreTooLong() external {
        bytes memory longer = abi.encodePacked(key, new bytes(8192 - key.length));
        registry.register(longer, program, 0, "");
        vm.expectRevert(Keys.KeyTruncated.selector);
        registry.register(abi.encodePacked(longer, uint8(0)), program, 0, "");
    }

    function refused(uint256 place, bytes1 value, bytes memory reason) private {
        bytes memory changed = with(place, value);
        vm.expectRevert(reason);
        registry.register(changed, program, 0, "");
    }

    function test_everyPartHasItsError() external {
        refused(3, 0x01, abi.encodeWithSelector(Keys.KeyVersion.selector, 1));
        refused(4, 0x01, abi.encodeWithSelector(Keys.KeyTruncated.selector));
        refused(8 + 3, 0x09, abi.encodeWithSelector(PcsConfigs.PcsConfigInvalid.selector));
        refused(8 + 42, bytes1(uint8(99)), abi.encodeWithSelector(Keys.KeyConfig.selector, 99));
        refused(8 + 42, bytes1(uint8(193)), abi.encodeWithSelector(Keys.KeyConfig.selector, 193));
        refused(APPLICATION - 1, 0x00, abi.encodeWithSelector(Keys.KeyApplication.selector));
        refused(APPLICATION + 3, 0x02, abi.encodeWithSelector(Keys.KeyApplication.selector));
        refused(PLAN, 0x01, abi.encodeWithSelector(Keys.KeyApplication.selector));
        refused(PLAN + 1 + 80 + 6, 0x00, abi.encodeWithSelector(Keys.KeyPlan.selector, 0, 512));
        refused(PLAN + 1 + 80 + 5, 0x04, abi.encodeWithSelector(Keys.KeyPlan.selector, 0x040200, 512));
        refused(PLAN + 1 + 88 + 6, 0x00, abi.encodeWithSelector(Keys.KeyPlan.selector, 512, 0));
        refused(PLAN + 1 + 88 + 5, 0x01, abi.encodeWithSelector(Keys.KeyPlan.selector, 512, 0x010200));
        refused(MODEL, 0x00, abi.encodeWithSelector(Keys.KeyModel.selector));
        bytes memory changed = key;
        for (uint256 i = 0; i < 8; ++i) {
            changed[MODEL + 33 + i] = 0xff;
        }
        vm.expectRevert(Keys.KeyModel.selector);
        registry.register(changed, program, 0, "");
    }

    function test_idsHaveThreeBytesAboveSixteenBits() external {
        // A vocabulary of 2^16, then of 2^16 + 512.
        bytes memory changed = key;
        changed[PLAN + 1 + 80 + 6] = 0x00;
        changed[PLAN + 1 + 80 + 5] = 0x01;
        vm.assertEq(registry.modelOf(registry.register(changed, program, 0, "")).idBytes, 2);
        changed[PLAN + 1 + 80 + 6] = 0x02;
        vm.assertEq(registry.modelOf(registry.register(changed, program, 0, "")).idBytes, 3);
    }

    function test_importersHaveShortNames() external {
        string memory name = "0123456789012345678901234567890123456789012345678901234567890123";
        registry.register(with(key.length - 1, 0x00), program, 0, name);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.ImporterTooLong.selector, 65));
        registry.register(key, program, 0, string.concat(name, "4"));
    }

    function test_programsAreThoseOfTheirKeys() external {
        bytes memory expected = abi.encodeWithSelector(ModelRegistry.WrongProgram.selector, keccak256(program));
        bytes memory changed = program;
        changed[program.length - 1] ^= 0x01;
        vm.expectRevert(expected);
        registry.register(key, changed, 0, "");
        vm.expectRevert(expected);
        registry.register(key, part(program, 0, program.length - 1), 0, "");
        // A key without a program.
        changed = key;
        for (uint256 i = 0; i < 32; ++i) {
            changed[MODEL + 57 + i] = 0;
        }
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.WrongProgram.selector, bytes32(0)));
        registry.register(changed, "", 0, "");
    }

    /// @dev Too little gas for the key; then enough for it, but not for the program.
    function test_nothingIsRegisteredWithoutKeyAndProgram() external {
        vm.expectRevert(ModelRegistry.NotStored.selector);
        registry.register{gas: 1_500_000}(key, program, 0, "");
        vm.expectRevert(ModelRegistry.NotStored.selector);
        registry.register{gas: 4_000_000}(key, program, 0, "");
        vm.assertTrue(!registry.isRegistered(keccak256(key)), "not registered");
    }
}
