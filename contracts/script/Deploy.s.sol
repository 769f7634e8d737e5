// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Market} from "../src/market/Market.sol";
import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {AvowToken} from "../src/token/AvowToken.sol";
import {Emission} from "../src/token/Emission.sol";
import {Genesis} from "../src/token/Genesis.sol";
import {AnswerVerifier} from "../src/verifier/AnswerVerifier.sol";
import {Erc7992} from "../src/verifier/Erc7992.sol";
import {OpeningVerifier} from "../src/verifier/OpeningVerifier.sol";
import {ReductionVerifier} from "../src/verifier/ReductionVerifier.sol";
import {WeightVerifier} from "../src/verifier/WeightVerifier.sol";
import {script} from "./ScriptVm.sol";

/// @notice Deploys everything, with the parameters of script/parameters/CHAIN.json, and writes the addresses to
/// deployments/CHAIN.json (tools/contracts.sh deploy). Nothing of it can be changed afterwards, and nobody owns it.
contract Deploy {
    /// @notice What a deployment consists of.
    struct Deployment {
        ModelRegistry registry;
        ReductionVerifier reduction;
        WeightVerifier weights;
        OpeningVerifier opening;
        AnswerVerifier verifier;
        Emission emission;
        Genesis genesis;
        AvowToken token;
        Market market;
        Erc7992 erc7992;
    }

    /// @dev Emission and genesis name the token, and the emission the market, before these are there.
    uint256 private constant CONTRACTS_BEFORE_TOKEN = 7;

    function run() external returns (Deployment memory d) {
        string memory chain = script.toString(block.chainid);
        string memory json = script.readFile(string.concat("script/parameters/", chain, ".json"));
        uint256 nonce = script.getNonce(msg.sender);
        IERC20 token = IERC20(script.computeCreateAddress(msg.sender, nonce + CONTRACTS_BEFORE_TOKEN));
        address market = script.computeCreateAddress(msg.sender, nonce + CONTRACTS_BEFORE_TOKEN + 1);
        script.startBroadcast(msg.sender);
        d.registry = new ModelRegistry();
        d.reduction = new ReductionVerifier();
        d.weights = new WeightVerifier();
        d.opening = new OpeningVerifier(d.weights);
        d.verifier = new AnswerVerifier(d.registry, d.reduction, d.opening);
        d.emission = new Emission(
            token,
            market,
            number(json, ".emitted"),
            number(json, ".start"),
            number(json, ".epochSeconds"),
            number(json, ".halvingEpochs")
        );
        d.genesis = new Genesis(token, allocations(json));
        d.token = new AvowToken(d.emission, d.genesis);
        d.market = new Market(
            token,
            d.emission,
            d.registry,
            number(json, ".feeBasisPoints"),
            number(json, ".delayBlocks"),
            number(json, ".escrowCap")
        );
        d.erc7992 = new Erc7992(d.registry, d.verifier);
        script.stopBroadcast();
        require(address(d.token) == address(token) && address(d.market) == market, "other addresses than computed");
        script.writeFile(string.concat("deployments/", chain, ".json"), describe(d, chain));
    }

    function number(string memory json, string memory key) private pure returns (uint256) {
        return script.parseJsonUint(json, key);
    }

    function allocations(string memory json) private pure returns (Genesis.Allocation[] memory list) {
        address[] memory recipients = script.parseJsonAddressArray(json, ".recipients");
        uint256[] memory amounts = script.parseJsonUintArray(json, ".amounts");
        require(recipients.length == amounts.length, "as many amounts as recipients");
        list = new Genesis.Allocation[](recipients.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = Genesis.Allocation(recipients[i], amounts[i]);
        }
    }

    function describe(Deployment memory d, string memory chain) private pure returns (string memory text) {
        text = string.concat('{\n "version": 1,\n "chain_id": ', chain, entry("registry", address(d.registry)));
        text = string.concat(text, entry("reduction_verifier", address(d.reduction)));
        text = string.concat(text, entry("weight_verifier", address(d.weights)));
        text = string.concat(text, entry("opening_verifier", address(d.opening)));
        text = string.concat(text, entry("answer_verifier", address(d.verifier)));
        text = string.concat(text, entry("emission", address(d.emission)), entry("genesis", address(d.genesis)));
        text = string.concat(text, entry("token", address(d.token)), entry("market", address(d.market)));
        text = string.concat(text, entry("erc7992", address(d.erc7992)), "\n}\n");
    }

    function entry(string memory name, address where) private pure returns (string memory) {
        return string.concat(',\n "', name, '": "', script.toString(where), '"');
    }
}
