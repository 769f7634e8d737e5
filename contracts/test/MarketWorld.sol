// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IMarket} from "../src/market/IMarket.sol";
import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {AvowToken} from "../src/token/AvowToken.sol";
import {Emission} from "../src/token/Emission.sol";
import {Genesis} from "../src/token/Genesis.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {create} from "./Create.sol";
import {vm} from "./Vm.sol";

/// @notice A market with all that belongs to it, and all tokens that are not emitted later.
contract MarketWorld {
    struct Parameters {
        uint256 emitted;
        uint256 start;
        uint256 epochSeconds;
        uint256 halvingEpochs;
        uint256 feeBasisPoints;
        uint256 delayBlocks;
        uint256 escrowCap;
    }

    AvowToken public token;
    Emission public emission;
    ModelRegistry public registry;
    IMarket public market;
    MockVerifier public verifier;

    constructor(Parameters memory p) {
        registry = new ModelRegistry();
        verifier = new MockVerifier();
        // The emission is the third contract that this one creates.
        IERC20 tokenAddress = IERC20(vm.computeCreateAddress(address(this), 5));
        address marketAddress = vm.computeCreateAddress(address(this), 6);
        emission = new Emission(tokenAddress, marketAddress, p.emitted, p.start, p.epochSeconds, p.halvingEpochs);
        uint256 rest = 1_000_000_000e18 - p.emitted;
        Genesis.Allocation[] memory list = new Genesis.Allocation[](1);
        list[0] = Genesis.Allocation(msg.sender, rest);
        Genesis genesis = new Genesis(tokenAddress, list);
        token = new AvowToken(emission, genesis);
        market = IMarket(
            create(
                "Market.sol:Market", abi.encode(token, emission, registry, p.feeBasisPoints, p.delayBlocks, p.escrowCap)
            )
        );
        vm.assertEq(address(market), marketAddress, "market");
        genesis.release(msg.sender);
    }
}
