// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Answer, Request} from "./Types.sol";

/// @title Builds the bytes of deliveries (spec/answer.md, section 2)
library Deliveries {
    /// @dev Thresholds of a token in what is shown.
    uint256 private constant THRESHOLD_BYTES = 4;
    uint256 private constant HEADER_BYTES = 112;
    uint256 private constant ANSWER_BYTES = 93;
    uint32 private constant VERSION = 1;

    /// @notice What a delivery says before its answers.
    struct Header {
        bytes32 modelId;
        uint256 chainId;
        address market;
        address payee;
    }

    /// @notice The tokens of an answer's output.
    /// @dev Where they are not a whole number, or none, or what is shown is not there once for each, the bytes would say
    /// something else than the calldata: this is refused. All that lies behind the bounds of fields is thereby exact.
    /// @param index Of the answer, for errors.
    function produced(Answer calldata answer, uint256 width, uint256 index) internal pure returns (uint256 tokens) {
        tokens = answer.output.length / width;
        if (tokens == 0 || tokens > answer.request.maxNewTokens || tokens * width != answer.output.length) {
            revert IMarket.InvalidOutput(index);
        }
        if (answer.shown.length != tokens * (THRESHOLD_BYTES + width)) revert IMarket.InvalidShown(index);
    }

    /// @notice The bytes of a delivery.
    /// @param ids Of the requests, one for each answer.
    /// @param width Bytes of a token id.
    function encode(Header memory header, bytes32[] memory ids, Answer[] calldata answers, uint256 width)
        internal
        pure
        returns (bytes memory delivery)
    {
        uint256 size = HEADER_BYTES;
        for (uint256 i = 0; i < answers.length; ++i) {
            Answer calldata answer = answers[i];
            size += ANSWER_BYTES + answer.request.stopIds.length + answer.request.input.length + answer.output.length
                + answer.shown.length;
        }
        delivery = new bytes(size);
        uint256 place = copy(delivery, 0, encodeHeader(header, answers.length));
        for (uint256 i = 0; i < answers.length; ++i) {
            place = copy(delivery, place, encodeAnswer(ids[i], answers[i], width, i));
        }
    }

    function encodeHeader(Header memory header, uint256 count) private pure returns (bytes memory) {
        return abi.encodePacked(VERSION, header.modelId, header.chainId, header.market, header.payee, uint32(count));
    }

    function encodeAnswer(bytes32 id, Answer calldata answer, uint256 width, uint256 index)
        private
        pure
        returns (bytes memory)
    {
        uint256 outputs = produced(answer, width, index);
        Request calldata request = answer.request;
        if (request.input.length % width != 0) revert IMarket.InvalidIds(request.input.length);
        if (request.stopIds.length % width != 0) revert IMarket.InvalidIds(request.stopIds.length);
        // Counts are of what lies in calldata: they fit into 4 bytes by far.
        return bytes.concat(
            abi.encodePacked(
                id,
                request.maxNewTokens,
                request.sampling.tau,
                request.sampling.topK,
                request.sampling.portion,
                request.sampling.seed,
                answer.end
            ),
            abi.encodePacked(
                uint32(request.stopIds.length / width), uint32(request.input.length / width), uint32(outputs)
            ),
            request.stopIds,
            request.input,
            answer.output,
            answer.shown
        );
    }

    /// @dev Copies a part into the bytes. Returns the place behind it.
    function copy(bytes memory to, uint256 place, bytes memory part) private pure returns (uint256) {
        assembly ("memory-safe") {
            mcopy(add(add(to, 32), place), add(part, 32), mload(part))
        }
        return place + part.length;
    }
}
