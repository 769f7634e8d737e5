// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Registry of models of ERC-7992 (draft of 2025-07-23)
/// @dev The draft has an event and an error of the name ModelDeprecated, which one contract cannot have; nothing here is
/// ever deprecated.
interface IErc7992Registry {
    /// @notice What names a model.
    struct ModelCommitment {
        /// Weights and architecture.
        bytes32 modelHash;
        /// What is carried out to check a proof.
        bytes32 circuitHash;
        /// The verifying key.
        bytes32 vkHash;
        /// The first four bytes of the hash of the proof system's name and version.
        bytes4 proofSystemId;
        /// Metadata elsewhere.
        string uri;
    }

    /// @notice A model was registered.
    event ModelRegistered(uint256 indexed modelId, address indexed owner, ModelCommitment commitment);
    /// @notice A model was changed.
    event ModelUpdated(uint256 indexed modelId, ModelCommitment oldCommitment, ModelCommitment newCommitment);
    /// @notice A model was deprecated.
    event ModelDeprecated(uint256 indexed modelId);

    /// @notice There is no such model.
    error ModelNotFound(uint256 modelId);
    /// @notice The caller does not own the model.
    error NotModelOwner(uint256 modelId, address caller);

    /// @notice Registers a model.
    function registerModel(ModelCommitment calldata commitment) external returns (uint256 modelId);
    /// @notice Changes a model.
    function updateModel(uint256 modelId, ModelCommitment calldata newCommitment) external;
    /// @notice Deprecates a model.
    function deprecateModel(uint256 modelId) external;
    /// @notice A model, whether it is deprecated, and who owns it.
    function getModel(uint256 modelId)
        external
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner);
}

/// @title Verifier of inferences of ERC-7992
interface IErc7992Verifier {
    /// @notice A proof held.
    event InferenceVerified(
        uint256 indexed modelId, bytes32 indexed inputCommitment, bytes output, address indexed caller
    );

    /// @notice The proof does not hold.
    error InvalidProof();
    /// @notice The output is of another model.
    error ModelMismatch();
    /// @notice The output answers another input.
    error InputCommitmentMismatch();

    /// @notice Reverts unless the proof shows that the model gives this output.
    function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external;
    /// @notice The proof system of a model.
    function proofSystemOf(uint256 modelId) external view returns (bytes4);
    /// @notice Where models are.
    function registry() external view returns (address registryAddress);
}
