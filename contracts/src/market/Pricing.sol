// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Offer} from "./Types.sol";

/// @title What answers cost
/// @dev Amounts are below 2^128 (Requests.check), so that no product here overflows.
library Pricing {
    /// @notice The price of an offer at a moment: it rises from the lowest to the highest, rounded down.
    function priceAt(Offer calldata offer, uint256 timestamp) internal pure returns (uint256) {
        if (offer.rampLength == 0) return offer.maxPrice;
        if (timestamp <= offer.rampStart) return offer.minPrice;
        uint256 passed = timestamp - offer.rampStart;
        if (passed >= offer.rampLength) return offer.maxPrice;
        return offer.minPrice + (offer.maxPrice - offer.minPrice) * passed / offer.rampLength;
    }

    /// @notice What is paid of a price for `produced` tokens of at most `maxNewTokens`: a base in thousandths, and of the rest
    /// the part that was produced. Rounded down once.
    function payment(uint256 price, uint256 basePermille, uint256 produced, uint256 maxNewTokens)
        internal
        pure
        returns (uint256)
    {
        return price * (basePermille * maxNewTokens + (1000 - basePermille) * produced) / (1000 * maxNewTokens);
    }
}
