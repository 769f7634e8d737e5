// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Key, Keys} from "./Keys.sol";

/// @title The models that requests can be made to
/// @notice Append-only, without owner: anybody registers a model by its verifying key, for ever. A model's id is the
/// Keccak-256 of its key, so nobody can register another model under an id, and registering first gains nothing.
///
/// What a key says of the model's identity is the registrar's word. Who wants to know which model an id is derives the id
/// from the model's file (`avow model verify`).
contract ModelRegistry {
    /// @notice What contracts have to know of a model.
    struct Model {
        /// The contract whose code is a zero byte and the key; zero if there is no such model.
        address key;
        /// Likewise of its program (spec/program.md).
        address program;
        /// Words, the bound of token ids.
        uint24 vocabulary;
        /// Most tokens of a prompt and its answer.
        uint24 context;
        /// Bytes of a token id.
        uint8 idBytes;
    }

    mapping(bytes32 modelId => Model model) private models;

    /// @notice A model was registered.
    /// @param contentId From the key: equal for one model under all configurations. Not verified.
    /// @param sourceSha256 Of the file that the model was imported from. Not verified.
    /// @param importer Name and version of the program that imported it. Not verified.
    event ModelRegistered(
        bytes32 indexed modelId,
        bytes32 indexed contentId,
        address indexed registrar,
        bytes32 sourceSha256,
        string importer
    );

    /// @notice The model is registered already.
    error AlreadyRegistered(bytes32 modelId);
    /// @notice There is no model with this id.
    error UnknownModel(bytes32 modelId);
    /// @notice The name of the importer is longer than MAX_IMPORTER_BYTES.
    error ImporterTooLong(uint256 size);
    /// @notice The program is not the one whose hash the key has, or the key has none.
    error WrongProgram(bytes32 expected);
    /// @notice Key or program could not be stored: the transaction has too little gas, or the program is too large.
    error NotStored();

    /// @dev A contract may have 24,576 bytes; on a chain that allows more a longer size would not fit its two bytes.
    uint256 private constant MAX_STORED_BYTES = 24_575;
    /// @notice Most bytes of an importer's name and version.
    uint256 public constant MAX_IMPORTER_BYTES = 64;

    /// @notice Registers the model of a key.
    /// @param key At most 8192 bytes (spec/proof.md, section 2).
    /// @param program That of the key's statement, at most 24575 bytes: what is carried out to check a proof.
    /// @param sourceSha256 Of the file that the model was imported from; zero if that is not to be told.
    /// @param importer Name and version of the importing program, at most MAX_IMPORTER_BYTES.
    /// @return modelId Keccak-256 of the key.
    function register(bytes calldata key, bytes calldata program, bytes32 sourceSha256, string calldata importer)
        external
        returns (bytes32 modelId)
    {
        if (bytes(importer).length > MAX_IMPORTER_BYTES) revert ImporterTooLong(bytes(importer).length);
        Key memory parsed = Keys.parse(key);
        if (keccak256(program) != parsed.program) revert WrongProgram(parsed.program);
        modelId = keccak256(key);
        if (models[modelId].key != address(0)) revert AlreadyRegistered(modelId);
        models[modelId] = Model({
            key: store(key),
            program: store(program),
            vocabulary: uint24(parsed.vocabulary),
            context: uint24(parsed.context),
            idBytes: uint8(Keys.idBytes(parsed.vocabulary))
        });
        emit ModelRegistered(modelId, parsed.contentId, msg.sender, sourceSha256, importer);
    }

    /// @notice What contracts have to know of a model.
    function modelOf(bytes32 modelId) external view returns (Model memory model) {
        model = models[modelId];
        if (model.key == address(0)) revert UnknownModel(modelId);
    }

    /// @notice Whether there is such a model.
    function isRegistered(bytes32 modelId) external view returns (bool) {
        return models[modelId].key != address(0);
    }

    /// @notice The verifying key of a model.
    function keyOf(bytes32 modelId) external view returns (bytes memory key) {
        address pointer = models[modelId].key;
        if (pointer == address(0)) revert UnknownModel(modelId);
        key = new bytes(pointer.code.length - 1);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(key, 32), 1, mload(key))
        }
    }

    /// @dev A contract whose code is a zero byte, so that nobody can run it, and the data.
    function store(bytes calldata data) private returns (address pointer) {
        if (data.length > MAX_STORED_BYTES) revert NotStored();
        // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows these ten bytes.
        bytes memory initCode = abi.encodePacked(hex"61", uint16(data.length + 1), hex"80600a5f395ff3", hex"00", data);
        assembly ("memory-safe") {
            pointer := create(0, add(initCode, 32), mload(initCode))
        }
        if (pointer == address(0)) revert NotStored();
    }
}
