// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IMarket} from "../src/market/IMarket.sol";
import {Answer, Delivery, Offer, Permit, Request, Sampling, Status, Terms} from "../src/market/Types.sol";
import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {AvowToken} from "../src/token/AvowToken.sol";
import {Emission} from "../src/token/Emission.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {create} from "./Create.sol";
import {MarketWorld} from "./MarketWorld.sol";
import {ProofFiles} from "./ProofFiles.sol";
import {vm} from "./Vm.sol";

/// @dev Under a name of its own: an emission is compiled for the tests and for the market.
contract TestEmission is Emission {
    constructor(IERC20 token, address market, uint256 total, uint256 start, uint256 epochSeconds, uint256 halvingEpochs)
        Emission(token, market, total, start, epochSeconds, halvingEpochs)
    {}
}

/// @notice A market with everything that it needs, on the development chain, and requests to it.
abstract contract MarketFixture {
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant FIRST_BLOCK = 1000;
    uint256 internal constant EPOCH = 7 days;
    uint256 internal constant HALVING = 4;
    uint256 internal constant EMITTED = 600_000_000e18;
    uint256 internal constant CAP = 1_000_000_000e18;
    uint256 internal constant FEE = 200;
    uint256 internal constant DELAY = 2;
    uint256 internal constant ESCROW_CAP = 1_000_000e18;

    uint256 internal constant REQUESTER_KEY = 0xa11ce5;
    address internal constant PROVIDER = address(0x9801);
    address internal constant OTHER = address(0x07e2);
    address internal constant ANYBODY = address(0xa2b0d1);
    address internal immutable REQUESTER = vm.addr(REQUESTER_KEY);

    uint256 internal constant MIN_PRICE = 10e18;
    uint256 internal constant MAX_PRICE = 30e18;
    uint256 internal constant BOND = 41e18;
    uint256 internal constant RAMP = 200;
    uint256 internal constant LOCK_DURATION = 60;
    uint256 internal constant LIFETIME = 1000;

    AvowToken internal token;
    Emission internal emission;
    ModelRegistry internal registry;
    IMarket internal market;
    MockVerifier internal verifier;
    bytes internal key;
    bytes internal program;
    bytes32 internal modelId;
    uint256 internal nonce;

    /// @dev Deploys everything; requester and providers have tokens, and the market may take them.
    function deploy() internal {
        vm.warp(START);
        vm.roll(FIRST_BLOCK);
        MarketWorld.Parameters memory parameters =
            MarketWorld.Parameters(EMITTED, START, EPOCH, HALVING, FEE, DELAY, ESCROW_CAP);
        MarketWorld world = MarketWorld(create("MarketWorld.sol:MarketWorld", abi.encode(parameters)));
        (token, emission, registry) = (world.token(), world.emission(), world.registry());
        (market, verifier) = (world.market(), world.verifier());
        // The bundled model: 512 words, a context of 512 tokens.
        ProofFiles.File memory file = ProofFiles.read("stories260k", "stories260k");
        (key, program) = (file.key, file.program);
        modelId = registry.register(key, program, 0, "");
        fund(REQUESTER, 10_000_000e18);
        fund(PROVIDER, 10_000e18);
        fund(OTHER, 10_000e18);
    }

    /// @dev Another market, with the token, emission and registry of the fields.
    function createMarket(IERC20 paid, uint256 feeBasisPoints) internal {
        bytes memory arguments = abi.encode(paid, emission, registry, feeBasisPoints, DELAY, ESCROW_CAP);
        market = IMarket(create("Market.sol:Market", arguments));
    }

    /// @dev An emission for the market that is created next.
    function createEmission(IERC20 paid) internal {
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        emission =
            Emission(create("MarketFixture.sol:TestEmission", abi.encode(paid, next, EMITTED, START, EPOCH, HALVING)));
    }

    function fund(address account, uint256 amount) internal {
        vm.assertTrue(token.transfer(account, amount), "funded");
        vm.prank(account);
        token.approve(address(market), type(uint256).max);
    }

    // Requests.

    /// @dev A request that can be answered, with a nonce that was not used here before.
    function newRequest() internal returns (Request memory asked) {
        asked.requester = REQUESTER;
        asked.nonce = nonce++;
        asked.modelId = modelId;
        asked.verifier = address(verifier);
        asked.input = hex"0100ff01";
        asked.maxNewTokens = 8;
        asked.sampling = Sampling(0, 0, 65536, 0);
        asked.stopIds = hex"02000300";
        asked.offer = Offer(
            MIN_PRICE,
            MAX_PRICE,
            250,
            uint64(vm.getBlockTimestamp()),
            uint32(RAMP),
            uint32(LOCK_DURATION),
            uint64(vm.getBlockTimestamp() + LIFETIME),
            BOND
        );
    }

    function post(Request memory asked) internal returns (bytes32) {
        vm.prank(asked.requester);
        return market.request(asked);
    }

    function posted() internal returns (Request memory asked) {
        asked = newRequest();
        post(asked);
    }

    function sign(uint256 privateKey, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    function noPermit() internal pure returns (Permit memory) {}

    /// @dev As the market has them, without a call: what comes before a call may be meant for it.
    function termsOf(Request memory asked) internal pure returns (Terms memory) {
        bytes32 samplingType = keccak256("Sampling(uint32 tau,uint32 topK,uint32 portion,bytes32 seed)");
        return Terms(
            asked.requester,
            asked.nonce,
            asked.modelId,
            asked.verifier,
            keccak256(asked.input),
            asked.maxNewTokens,
            keccak256(abi.encode(samplingType, asked.sampling)),
            keccak256(asked.stopIds),
            asked.offer,
            asked.mode,
            asked.inputCommitment
        );
    }

    function lockBy(address locker, Request memory asked) internal {
        vm.prank(locker);
        market.lock(termsOf(asked), vm.getBlockTimestamp());
    }

    function cancel(Request memory asked) internal {
        vm.prank(asked.requester);
        market.cancel(termsOf(asked));
    }

    function statusOf(Request memory asked) internal view returns (Status) {
        return market.stateOf(market.requestId(asked)).status;
    }

    function expectStatus(Request memory asked, Status status) internal view {
        vm.assertEq(uint256(statusOf(asked)), uint256(status), "status");
    }

    /// @dev Time and blocks pass. Tests ask for both by cheat code: the optimiser takes them for constants.
    function pass(uint256 seconds_, uint256 blocks) internal {
        vm.warp(vm.getBlockTimestamp() + seconds_);
        vm.roll(vm.getBlockNumber() + blocks);
    }

    // Answers.

    /// @dev An answer of so many tokens.
    function answerTo(Request memory asked, uint256 tokens) internal pure returns (Answer memory answer) {
        answer.request = asked;
        for (uint256 i = 0; i < tokens; ++i) {
            answer.output = abi.encodePacked(answer.output, uint8(5 + i), uint8(1));
            answer.shown = abi.encodePacked(answer.shown, uint32(0x00010002), uint8(5 + i), uint8(1));
        }
        answer.end = tokens == asked.maxNewTokens ? 0 : 1;
    }

    function deliver(Answer[] memory answers, address payee) internal view returns (Delivery memory) {
        return Delivery(modelId, address(verifier), payee, answers);
    }

    /// @dev The full answers to some requests.
    function deliver(Request memory asked, address payee) internal view returns (Delivery memory) {
        return deliver(asked, payee, asked.maxNewTokens);
    }

    function deliver(Request memory asked, address payee, uint256 tokens) internal view returns (Delivery memory) {
        Answer[] memory answers = new Answer[](1);
        answers[0] = answerTo(asked, tokens);
        return deliver(answers, payee);
    }

    function proofOf(Delivery memory delivery) internal view returns (bytes memory) {
        return verifier.proofOf(delivery.modelId, market.deliveryBytes(delivery));
    }

    function fulfil(Request memory asked, address payee) internal returns (uint256) {
        Delivery memory delivery = deliver(asked, payee);
        bytes memory proof = proofOf(delivery);
        vm.prank(ANYBODY);
        return market.fulfil(delivery, proof);
    }

    /// @dev The same where it must fail.
    function fulfilFails(Request memory asked, address payee, bytes memory reason) internal {
        Delivery memory delivery = deliver(asked, payee);
        bytes memory proof = proofOf(delivery);
        vm.expectRevert(reason);
        market.fulfil(delivery, proof);
    }

    function feeOf(uint256 payment) internal pure returns (uint256) {
        return payment * FEE / 10_000;
    }
}
