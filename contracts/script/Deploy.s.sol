// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Genesis} from "../src/token/Genesis.sol";
import {script} from "./ScriptVm.sol";

/// @notice Deploys everything, with the parameters of script/parameters/CHAIN.json, and writes the addresses to
/// deployments/CHAIN.json (tools/contracts.sh deploy). Nothing of it can be changed afterwards, and nobody owns it.
contract Deploy {
    /// @notice What a deployment consists of.
    struct Deployment {
        address registry;
        address lookup;
        address reduction;
        address weights;
        address opening;
        address verifier;
        address emission;
        address genesis;
        address token;
        address market;
        address erc7992;
    }

    /// @dev Emission and genesis name the token, and the emission the market, before these are there.
    uint256 private constant CONTRACTS_BEFORE_TOKEN = 8;

    function run() external returns (Deployment memory d) {
        string memory chain = script.toString(block.chainid);
        string memory json = script.readFile(string.concat("script/parameters/", chain, ".json"));
        uint256 nonce = script.getNonce(msg.sender);
        address token = script.computeCreateAddress(msg.sender, nonce + CONTRACTS_BEFORE_TOKEN);
        address market = script.computeCreateAddress(msg.sender, nonce + CONTRACTS_BEFORE_TOKEN + 1);
        script.startBroadcast(msg.sender);
        d.registry = create("ModelRegistry", "");
        d.lookup = create("LookupVerifier", "");
        d.reduction = create("ReductionVerifier", abi.encode(d.lookup));
        d.weights = create("WeightVerifier", "");
        d.opening = create("OpeningVerifier", abi.encode(d.weights));
        d.verifier = create("AnswerVerifier", abi.encode(d.registry, d.reduction, d.opening));
        d.emission = create("Emission", emission(json, token, market));
        d.genesis = create("Genesis", abi.encode(token, allocations(json)));
        d.token = create("AvowToken", abi.encode(d.emission, d.genesis));
        d.market = create("Market", marketArguments(json, d));
        d.erc7992 = create("Erc7992", abi.encode(d.registry, d.verifier));
        script.stopBroadcast();
        require(d.token == token && d.market == market, "other addresses than computed");
        script.writeFile(string.concat("deployments/", chain, ".json"), describe(d, chain));
    }

    /// @dev Deploys what the build made: a script that had the contracts in itself would be compiled with all of them.
    function create(string memory name, bytes memory arguments) private returns (address where) {
        bytes memory code = abi.encodePacked(script.getCode(string.concat(name, ".sol:", name)), arguments);
        assembly ("memory-safe") {
            where := create(0, add(code, 32), mload(code))
        }
        require(where != address(0), name);
    }

    function emission(string memory json, address token, address market) private pure returns (bytes memory) {
        return abi.encode(
            token,
            market,
            number(json, ".emitted"),
            number(json, ".start"),
            number(json, ".epochSeconds"),
            number(json, ".halvingEpochs")
        );
    }

    function marketArguments(string memory json, Deployment memory d) private pure returns (bytes memory) {
        return abi.encode(
            d.token,
            d.emission,
            d.registry,
            number(json, ".feeBasisPoints"),
            number(json, ".delayBlocks"),
            number(json, ".escrowCap")
        );
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
        text = string.concat('{\n "version": 1,\n "chain_id": ', chain, entry("registry", d.registry));
        text = string.concat(text, entry("lookup_verifier", d.lookup));
        text = string.concat(text, entry("reduction_verifier", d.reduction));
        text = string.concat(text, entry("weight_verifier", d.weights));
        text = string.concat(text, entry("opening_verifier", d.opening));
        text = string.concat(text, entry("answer_verifier", d.verifier));
        text = string.concat(text, entry("emission", d.emission), entry("genesis", d.genesis));
        text = string.concat(text, entry("token", d.token), entry("market", d.market));
        text = string.concat(text, entry("erc7992", d.erc7992), "\n}\n");
    }

    function entry(string memory name, address where) private pure returns (string memory) {
        return string.concat(',\n "', name, '": "', script.toString(where), '"');
    }
}
