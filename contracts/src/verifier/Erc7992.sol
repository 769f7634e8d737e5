// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Key, Keys} from "../registry/Keys.sol";
import {ModelRegistry} from "../registry/ModelRegistry.sol";
import {DeliveryReader} from "./DeliveryReader.sol";
import {IErc7992Registry, IErc7992Verifier} from "./IErc7992.sol";
import {IProofVerifier} from "./IProofVerifier.sol";

/// @title Models and proofs by the interfaces of ERC-7992
/// @notice For contracts that know no other. A model's id is that of the registry as a number; its owner is nobody, and
/// nothing of it can change. An output is a delivery (spec/answer.md, section 2): answers with all that they answer. An input
/// commitment is `inputCommitment` of it, which tells chain, market, payee and request ids, so that whoever relies on
/// these is not shown a proof for somebody else.
contract Erc7992 is IERC165, IErc7992Registry, IErc7992Verifier {
    /// @notice Models are registered by their keys, in REGISTRY.
    error RegisterByKey();

    /// @dev Of spec/pcs.md, in the draft's form of names.
    bytes4 private constant PROOF_SYSTEM = bytes4(keccak256("avow-whir-goldilocks3-keccak256-v1"));
    bytes32 private constant INPUT = "AVOW_ERC7992_INPUT_V1";

    /// @notice Where models are registered.
    ModelRegistry public immutable REGISTRY;
    /// @notice What checks proofs.
    IProofVerifier public immutable VERIFIER;

    constructor(ModelRegistry models, IProofVerifier verifier) {
        REGISTRY = models;
        VERIFIER = verifier;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IERC165).interfaceId || id == type(IErc7992Registry).interfaceId
            || id == type(IErc7992Verifier).interfaceId;
    }

    /// @inheritdoc IErc7992Registry
    function registerModel(ModelCommitment calldata) external pure returns (uint256) {
        revert RegisterByKey();
    }

    /// @inheritdoc IErc7992Registry
    function updateModel(uint256 modelId, ModelCommitment calldata) external view {
        revert NotModelOwner(modelId, msg.sender);
    }

    /// @inheritdoc IErc7992Registry
    function deprecateModel(uint256 modelId) external view {
        revert NotModelOwner(modelId, msg.sender);
    }

    /// @inheritdoc IErc7992Registry
    /// @dev What the key says of weights and architecture is its registrar's word (ModelRegistry).
    function getModel(uint256 modelId)
        public
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner)
    {
        if (!REGISTRY.isRegistered(bytes32(modelId))) revert ModelNotFound(modelId);
        Key memory key = Keys.parse(REGISTRY.keyOf(bytes32(modelId)));
        commitment = ModelCommitment({
            modelHash: key.contentId,
            circuitHash: key.program,
            vkHash: bytes32(modelId),
            proofSystemId: PROOF_SYSTEM,
            uri: ""
        });
        (deprecated, owner) = (false, address(0));
    }

    /// @inheritdoc IErc7992Verifier
    function verifyInference(uint256 modelId, bytes32 commitment, bytes calldata output, bytes calldata proof)
        external
    {
        if (!REGISTRY.isRegistered(bytes32(modelId))) revert ModelNotFound(modelId);
        // All checks of the output's bytes are the verifier's, and come first: what is read of them below is there.
        if (!VERIFIER.verify(bytes32(modelId), output, proof)) revert InvalidProof();
        if (bytes32(output[4:36]) != bytes32(modelId)) revert ModelMismatch();
        if (inputCommitment(output, REGISTRY.modelOf(bytes32(modelId)).idBytes) != commitment) {
            revert InputCommitmentMismatch();
        }
        emit InferenceVerified(modelId, commitment, output, msg.sender);
    }

    /// @inheritdoc IErc7992Verifier
    function proofSystemOf(uint256 modelId) external view returns (bytes4) {
        if (!REGISTRY.isRegistered(bytes32(modelId))) revert ModelNotFound(modelId);
        return PROOF_SYSTEM;
    }

    /// @inheritdoc IErc7992Verifier
    function registry() external view returns (address registryAddress) {
        return address(this);
    }

    /// @notice What a delivery asks: all of it but how its answers end, their tokens and what is shown of these.
    /// @param output A delivery that was verified.
    /// @param idBytes Bytes of a token id.
    function inputCommitment(bytes calldata output, uint256 idBytes) public pure returns (bytes32) {
        bytes memory asked = abi.encodePacked(INPUT, output[:DeliveryReader.HEAD]);
        uint256 place = DeliveryReader.HEAD;
        while (place < output.length) {
            uint256 outputs = uint32(bytes4(output[place + 89:place + 93]));
            uint256 ids = uint32(bytes4(output[place + 81:place + 85])) + uint32(bytes4(output[place + 85:place + 89]));
            uint256 end = place + DeliveryReader.ANSWER_HEAD + ids * idBytes;
            asked = abi.encodePacked(
                asked,
                output[place:place + 80],
                output[place + 81:place + 89],
                output[place + DeliveryReader.ANSWER_HEAD:end]
            );
            place = end + outputs * (2 * idBytes + 4);
        }
        return keccak256(asked);
    }
}
