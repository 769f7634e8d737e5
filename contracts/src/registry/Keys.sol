// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, isCanonical, unpack} from "../verifier/Fp3.sol";
import {PcsConfig, PcsConfigs} from "../verifier/PcsConfig.sol";

/// @notice What a model's verifying key says before its statement (spec/proof.md, section 2; spec/answer.md, section 3).
struct Key {
    PcsConfig config;
    /// Digest of the tokenizer and content id: the registrar's word.
    bytes32 tokenizer;
    bytes32 contentId;
    /// Words, the bound of token ids.
    uint256 vocabulary;
    /// Most tokens of a prompt and its answer.
    uint256 context;
    /// Of the model's commitment.
    bytes32 root;
    Fp3 oodValue;
    /// Hash of the statement's program (spec/program.md).
    bytes32 program;
    /// First byte of the statement in the key, which goes to its end.
    uint256 statement;
}

/// @title Reads verifying keys of models
/// @dev What only a client can check is not checked here: that the statement is the plan's, that the configuration
/// reaches its level, that plan and statement obey all of their rules, which model's cells lie behind the root.
library Keys {
    using PcsConfigs for bytes;

    /// @notice The key ends too soon, or a part of it has another length than it may.
    error KeyTruncated();
    /// @notice The key has another version.
    error KeyVersion(uint256 version);
    /// @notice The configuration names a level that is not allowed.
    error KeyConfig(uint256 level);
    /// @notice There is no commitment to a model, or its out-of-domain value is not canonical.
    error KeyModel();
    /// @notice The application bytes have another version, or hold no plan of this version.
    error KeyApplication();
    /// @notice The plan's vocabulary or context is none that a model may have.
    error KeyPlan(uint256 vocabulary, uint256 context);

    uint256 internal constant MAX_BYTES = 8192;
    uint256 private constant VERSION = 4;
    uint256 private constant APPLICATION_VERSION = 1;
    uint256 private constant PLAN_VERSION = 2;
    /// @dev Of the numbers of a plan (spec/model_file.md): how many, and which ones are read here.
    uint256 private constant PLAN_NUMBERS = 37;
    uint256 private constant VOCABULARY = 10;
    uint256 private constant CONTEXT = 11;
    uint256 private constant PLAN = 4 + 32 + 32;
    uint256 private constant APPLICATION_BYTES = PLAN + 1 + 8 * PLAN_NUMBERS;
    uint256 private constant MIN_LEVEL = 100;
    uint256 private constant MAX_LEVEL = 192;
    uint256 private constant MAX_VOCABULARY = 1 << 18;
    uint256 private constant MAX_CONTEXT = 1 << 16;

    /// @notice The parts of a key.
    function parse(bytes memory encoded) internal pure returns (Key memory key) {
        if (encoded.length > MAX_BYTES) revert KeyTruncated();
        uint256 version = number(encoded, 0, 4);
        if (version != VERSION) revert KeyVersion(version);
        uint256 configBytes = number(encoded, 4, 4);
        key.config = slice(encoded, 8, configBytes).parse();
        if (key.config.level < MIN_LEVEL || key.config.level > MAX_LEVEL) revert KeyConfig(key.config.level);
        uint256 application = 8 + configBytes + 4;
        if (number(encoded, application - 4, 4) != APPLICATION_BYTES) revert KeyApplication();
        parseApplication(key, encoded, application);
        uint256 model = application + APPLICATION_BYTES;
        if (number(encoded, model, 1) != 1) revert KeyModel();
        key.root = bytes32(number(encoded, model + 1, 32));
        uint256 oodValue = number(encoded, model + 33, 24);
        if (!isCanonical(oodValue)) revert KeyModel();
        key.oodValue = unpack(oodValue);
        key.program = bytes32(number(encoded, model + 57, 32));
        key.statement = model + 89;
        if (key.statement >= encoded.length) revert KeyTruncated();
    }

    /// @notice The bytes of the commitment's configuration.
    function configOf(bytes memory encoded) internal pure returns (bytes memory) {
        return slice(encoded, 8, number(encoded, 4, 4));
    }

    /// @notice Bytes of a token id (spec/answer.md, section 2).
    function idBytes(uint256 vocabulary) internal pure returns (uint256) {
        return vocabulary <= 1 << 16 ? 2 : 3;
    }

    function parseApplication(Key memory key, bytes memory encoded, uint256 first) private pure {
        if (number(encoded, first, 4) != APPLICATION_VERSION || number(encoded, first + PLAN, 1) != PLAN_VERSION) {
            revert KeyApplication();
        }
        key.tokenizer = bytes32(number(encoded, first + 4, 32));
        key.contentId = bytes32(number(encoded, first + 36, 32));
        uint256 numbers = first + PLAN + 1;
        key.vocabulary = number(encoded, numbers + 8 * VOCABULARY, 8);
        key.context = number(encoded, numbers + 8 * CONTEXT, 8);
        if (key.vocabulary == 0 || key.vocabulary > MAX_VOCABULARY || key.context == 0 || key.context > MAX_CONTEXT) {
            revert KeyPlan(key.vocabulary, key.context);
        }
    }

    /// @dev The big-endian number of `size` <= 32 bytes at `place`.
    function number(bytes memory encoded, uint256 place, uint256 size) private pure returns (uint256 value) {
        if (place + size > encoded.length) revert KeyTruncated();
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, size)), mload(add(add(encoded, 32), place)))
        }
    }

    function slice(bytes memory encoded, uint256 place, uint256 size) private pure returns (bytes memory part) {
        if (place + size > encoded.length) revert KeyTruncated();
        part = new bytes(size);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(encoded, 32), place), size)
        }
    }
}
