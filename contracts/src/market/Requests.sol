// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../registry/ModelRegistry.sol";
import {IMarket} from "./IMarket.sol";
import {TokenIds} from "./TokenIds.sol";
import {Offer, Request, Sampling, Terms} from "./Types.sol";

/// @title Hashes requests, and refuses those that nobody could answer
library Requests {
    bytes32 private constant REQUEST_TYPE = keccak256(
        "Request(address requester,uint256 nonce,bytes32 modelId,address verifier,bytes input,uint32 maxNewTokens,"
        "Sampling sampling,bytes stopIds,Offer offer,uint8 mode,bytes32 inputCommitment)"
        "Offer(uint256 minPrice,uint256 maxPrice,uint16 basePermille,uint64 rampStart,uint32 rampLength,"
        "uint32 lockDuration,uint64 deadline,uint256 bond)"
        "Sampling(uint32 tau,uint32 topK,uint32 portion,bytes32 seed)"
    );
    bytes32 private constant OFFER_TYPE = keccak256(
        "Offer(uint256 minPrice,uint256 maxPrice,uint16 basePermille,uint64 rampStart,uint32 rampLength,"
        "uint32 lockDuration,uint64 deadline,uint256 bond)"
    );
    bytes32 private constant SAMPLING_TYPE = keccak256("Sampling(uint32 tau,uint32 topK,uint32 portion,bytes32 seed)");

    /// @dev Of the slowest chain that this is for.
    uint256 private constant SECONDS_PER_BLOCK = 15;
    uint256 private constant MAX_TAU = 1 << 14;
    uint256 private constant WHOLE_PORTION = 1 << 16;
    uint256 private constant MAX_AMOUNT = type(uint128).max;

    /// @notice A request with hashes for its longer parts.
    function terms(Request calldata request) internal pure returns (Terms memory) {
        return Terms(
            request.requester,
            request.nonce,
            request.modelId,
            request.verifier,
            keccak256(request.input),
            request.maxNewTokens,
            keccak256(abi.encode(SAMPLING_TYPE, request.sampling)),
            keccak256(request.stopIds),
            request.offer,
            request.mode,
            request.inputCommitment
        );
    }

    /// @notice The EIP-712 hash of the struct (spec/answer.md, section 1).
    function structHash(Request calldata request) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                REQUEST_TYPE,
                request.requester,
                request.nonce,
                request.modelId,
                request.verifier,
                keccak256(request.input),
                request.maxNewTokens,
                keccak256(abi.encode(SAMPLING_TYPE, request.sampling)),
                keccak256(request.stopIds),
                keccak256(abi.encode(OFFER_TYPE, request.offer)),
                request.mode,
                request.inputCommitment
            )
        );
    }

    /// @notice The same of the request that terms are of.
    function structHash(Terms calldata given) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                REQUEST_TYPE,
                given.requester,
                given.nonce,
                given.modelId,
                given.verifier,
                given.inputHash,
                given.maxNewTokens,
                given.samplingHash,
                given.stopIdsHash,
                keccak256(abi.encode(OFFER_TYPE, given.offer)),
                given.mode,
                given.inputCommitment
            )
        );
    }

    /// @notice What is asked of a verifier's model, without who asks and what is paid. A top_k that is off and one of the
    /// vocabulary are the same choice (spec/answer.md, section 1).
    function question(Request calldata request, uint256 vocabulary) internal pure returns (bytes32) {
        Sampling calldata sampling = request.sampling;
        return keccak256(
            abi.encode(
                request.verifier,
                request.modelId,
                keccak256(request.input),
                request.maxNewTokens,
                sampling.tau,
                sampling.tau != 0 && sampling.topK == 0 ? vocabulary : sampling.topK,
                sampling.portion,
                sampling.seed,
                keccak256(request.stopIds)
            )
        );
    }

    /// @notice Refuses what could never be answered, or paid, by this model.
    /// @param delayBlocks Blocks after which a lock is effective.
    function check(Request calldata request, ModelRegistry.Model memory model, uint256 delayBlocks) internal pure {
        if (request.mode != 0 || request.inputCommitment != 0) revert IMarket.InvalidMode(request.mode);
        checkTokens(request, model);
        checkSampling(request.sampling, model.vocabulary);
        checkOffer(request.offer, delayBlocks);
    }

    function checkTokens(Request calldata request, ModelRegistry.Model memory model) private pure {
        (bytes calldata input, uint256 width, uint256 vocabulary) = (request.input, model.idBytes, model.vocabulary);
        if (input.length == 0) revert IMarket.EmptyInput();
        if (input.length % width != 0) revert IMarket.InvalidIds(input.length);
        uint256 most = request.maxNewTokens;
        if (most == 0) revert IMarket.ZeroTokens();
        uint256 tokens = input.length / width + most;
        if (tokens > model.context) revert IMarket.ContextExceeded(tokens, model.context);
        if (!TokenIds.allBelow(input, width, vocabulary)) revert IMarket.InvalidToken();
        bytes calldata stopIds = request.stopIds;
        if (stopIds.length % width != 0) revert IMarket.InvalidIds(stopIds.length);
        (bool valid, uint256 last) = TokenIds.stopIds(stopIds, width);
        if (!valid) revert IMarket.InvalidStopIds();
        if (last >= vocabulary) revert IMarket.InvalidToken();
    }

    function checkSampling(Sampling calldata sampling, uint256 vocabulary) private pure {
        (uint256 tau, uint256 topK, uint256 portion) = (sampling.tau, sampling.topK, sampling.portion);
        bool valid = tau == 0
            ? topK == 0 && portion == WHOLE_PORTION && sampling.seed == 0
            : tau <= MAX_TAU && topK <= vocabulary && portion != 0 && portion <= WHOLE_PORTION;
        if (!valid) revert IMarket.InvalidSampling();
    }

    function checkOffer(Offer calldata offer, uint256 delayBlocks) private pure {
        (uint256 minPrice, uint256 maxPrice) = (offer.minPrice, offer.maxPrice);
        if (maxPrice == 0) revert IMarket.ZeroPrice();
        if (minPrice > maxPrice || maxPrice > MAX_AMOUNT) revert IMarket.InvalidPrice(minPrice, maxPrice);
        if (offer.basePermille > 1000) revert IMarket.InvalidBase(offer.basePermille);
        // Else it could be over before it is effective, which would be a trap for whoever locks.
        uint256 least = delayBlocks * SECONDS_PER_BLOCK;
        if (offer.lockDuration <= least) revert IMarket.LockTooShort(least);
        uint256 bond = offer.bond;
        if (bond < maxPrice || bond > MAX_AMOUNT) revert IMarket.InvalidBond(bond);
    }
}
