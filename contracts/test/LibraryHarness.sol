// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deliveries} from "../src/market/Deliveries.sol";
import {TokenIds} from "../src/market/TokenIds.sol";
import {Answer} from "../src/market/Types.sol";

/// @dev The market's libraries on calldata. Tests take it as an artifact, compiled as the market is.
contract LibraryHarness {
    function encode(Deliveries.Header calldata header, bytes32[] calldata ids, Answer[] calldata answers, uint256 width)
        external
        pure
        returns (bytes memory)
    {
        return Deliveries.encode(header, ids, answers, width);
    }

    function allBelow(bytes calldata ids, uint256 width, uint256 vocabulary) external pure returns (bool) {
        return TokenIds.allBelow(ids, width, vocabulary);
    }

    function stopIds(bytes calldata ids, uint256 width) external pure returns (bool valid, uint256 last) {
        return TokenIds.stopIds(ids, width);
    }
}
