// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../src/market/IMarket.sol";
import {Delivery, Request, Status, Step} from "../src/market/Types.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {BrokenVerifier, MockVerifier} from "./MockVerifier.sol";
import {vm} from "./Vm.sol";

/// @dev Proofs that are larger than a transaction may be.
contract MarketStepsTest is MarketFixture {
    uint256 private constant LANE = 5;
    uint256 private constant PARTS = 4;

    bytes private encoded;
    bytes32 private deliveryHash;
    bytes[] private parts;
    /// @dev What follows each part.
    bytes32[] private rests;
    bytes32 private proofHash;

    function setUp() external {
        deploy();
    }

    function prepare(Delivery memory delivery, uint256 count) private {
        encoded = market.deliveryBytes(delivery);
        deliveryHash = keccak256(encoded);
        parts = new bytes[](count);
        rests = new bytes32[](count);
        proofHash = 0;
        for (uint256 left = count; left != 0; --left) {
            uint256 i = left - 1;
            parts[i] = verifier.partOf(delivery.modelId, encoded, i, count);
            rests[i] = proofHash;
            proofHash = keccak256(abi.encode(keccak256(parts[i]), proofHash));
        }
    }

    function stepOf(uint256 number, bytes memory state) private view returns (Step memory) {
        return Step(proofHash, number, state, parts[number], rests[number]);
    }

    function make(address sender, Step memory step) private returns (bytes memory) {
        bytes memory given = step.number == 0 ? encoded : bytes("");
        vm.prank(sender);
        return market.verifyStep(LANE, address(verifier), modelId, deliveryHash, given, step);
    }

    function makeAll(address sender, uint256 count) private returns (bytes memory state) {
        for (uint256 i = 0; i < count; ++i) {
            state = make(sender, stepOf(i, state));
        }
    }

    function makeFails(address sender, Step memory step, bytes memory reason) private {
        bytes memory given = step.number == 0 ? encoded : bytes("");
        vm.expectRevert(reason);
        vm.prank(sender);
        market.verifyStep(LANE, address(verifier), modelId, deliveryHash, given, step);
    }

    function finish(address sender, Delivery memory delivery, Step memory step) private {
        vm.prank(sender);
        market.fulfilSteps(LANE, delivery, step);
    }

    function finishFails(address sender, Delivery memory delivery, Step memory step, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(sender);
        market.fulfilSteps(LANE, delivery, step);
    }

    function wrongContinuation() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.WrongContinuation.selector, LANE);
    }

    function test_lastStepPays() external {
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        prepare(delivery, PARTS);
        vm.assertEq(market.continuationOf(ANYBODY, LANE), 0);
        bytes memory state = makeAll(ANYBODY, PARTS - 1);
        expectStatus(asked, Status.Open);
        uint256 before = token.balanceOf(PROVIDER);
        finish(ANYBODY, delivery, stepOf(PARTS - 1, state));
        expectStatus(asked, Status.Fulfilled);
        vm.assertEq(token.balanceOf(PROVIDER), before + MIN_PRICE - feeOf(MIN_PRICE));
        vm.assertEq(market.continuationOf(ANYBODY, LANE), bytes32(uint256(1)));
        // A proof is worth nothing more afterwards, also for another request.
        finishFails(ANYBODY, delivery, stepOf(PARTS - 1, state), abi.encodeWithSelector(IMarket.NothingToPay.selector));
    }

    function test_paymentMayFollowTheLastStep() external {
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        prepare(delivery, PARTS);
        makeAll(ANYBODY, PARTS);
        Step memory none = Step(proofHash, PARTS, "", "", 0);
        finishFails(OTHER, delivery, none, wrongContinuation());
        none.number = PARTS + 1;
        finishFails(ANYBODY, delivery, none, wrongContinuation());
        none.number = PARTS - 1;
        finishFails(ANYBODY, delivery, none, wrongContinuation());
        none.number = PARTS;
        none.part = hex"00";
        finishFails(ANYBODY, delivery, none, wrongContinuation());
        none.part = "";
        // An accepted proof is no state that steps go on from.
        makeFails(ANYBODY, none, wrongContinuation());
        finish(ANYBODY, delivery, none);
        expectStatus(asked, Status.Fulfilled);
        Request memory another = posted();
        Delivery memory next = deliver(another, PROVIDER);
        finishFails(ANYBODY, next, none, wrongContinuation());
    }

    function test_oneStepIsEnoughForASmallProof() external {
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        prepare(delivery, 1);
        finish(ANYBODY, delivery, stepOf(0, ""));
        expectStatus(asked, Status.Fulfilled);
    }

    function test_stepsFollowEachOther() external {
        Delivery memory delivery = deliver(posted(), PROVIDER);
        prepare(delivery, PARTS);
        bytes memory state = make(ANYBODY, stepOf(0, ""));
        // What is kept, by spec/market.md, section 4.
        bytes32 session = keccak256(abi.encode(address(verifier), modelId, deliveryHash, proofHash));
        bytes32 kept = keccak256(abi.encode(session, uint256(1), keccak256(state), rests[0]));
        vm.assertEq(market.continuationOf(ANYBODY, LANE), kept);
        // Skipped, repeated, with another state or part, of another length.
        makeFails(ANYBODY, stepOf(2, state), wrongContinuation());
        bytes memory second = make(ANYBODY, stepOf(1, state));
        makeFails(ANYBODY, stepOf(1, state), wrongContinuation());
        makeFails(ANYBODY, stepOf(2, state), wrongContinuation());
        makeFails(ANYBODY, stepOf(2, ""), wrongContinuation());
        makeFails(ANYBODY, stepOf(2, abi.encodePacked(second, uint8(0))), wrongContinuation());
        Step memory step = stepOf(2, second);
        step.part = abi.encodePacked(step.part, uint8(0));
        makeFails(ANYBODY, step, wrongContinuation());
        step = stepOf(2, second);
        step.rest = 0;
        makeFails(ANYBODY, step, wrongContinuation());
        step = stepOf(2, second);
        step.proofHash = bytes32(uint256(1));
        makeFails(ANYBODY, step, wrongContinuation());
        finishFails(ANYBODY, delivery, stepOf(2, second), abi.encodeWithSelector(IMarket.WrongEnd.selector));
        finish(ANYBODY, delivery, stepOf(3, make(ANYBODY, stepOf(2, second))));
    }

    function test_firstStepNamesTheProof() external {
        Delivery memory delivery = deliver(posted(), PROVIDER);
        prepare(delivery, PARTS);
        bytes memory wrong = abi.encodeWithSelector(IMarket.WrongProofHash.selector);
        makeFails(ANYBODY, stepOf(0, hex"00"), wrong);
        Step memory step = stepOf(0, "");
        step.proofHash = bytes32(uint256(1));
        makeFails(ANYBODY, step, wrong);
        step = stepOf(0, "");
        step.rest = bytes32(uint256(1));
        makeFails(ANYBODY, step, wrong);
        bytes memory given = encoded;
        given[0] ^= 0x01;
        vm.expectRevert(IMarket.WrongDelivery.selector);
        market.verifyStep(LANE, address(verifier), modelId, deliveryHash, given, stepOf(0, ""));
        vm.expectRevert(IMarket.WrongDelivery.selector);
        market.verifyStep(LANE, address(verifier), modelId, deliveryHash, "", stepOf(0, ""));
        // What the verifier refuses is its own error.
        parts[0] = verifier.partOf(bytes32(0), encoded, 0, PARTS);
        step = stepOf(0, "");
        step.proofHash = keccak256(abi.encode(keccak256(parts[0]), step.rest));
        makeFails(ANYBODY, step, abi.encodeWithSelector(MockVerifier.MockRefused.selector));
    }

    /// @dev The delivery, of which the requests, payee and chain are part, is bound by every step.
    function test_stepsAreAboutOneDelivery() external {
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        prepare(delivery, PARTS);
        bytes memory state = makeAll(ANYBODY, PARTS - 1);
        Step memory last = stepOf(PARTS - 1, state);
        Delivery memory changed = deliver(asked, OTHER);
        finishFails(ANYBODY, changed, last, wrongContinuation());
        changed = deliver(posted(), PROVIDER);
        finishFails(ANYBODY, changed, last, wrongContinuation());
        changed = deliver(asked, PROVIDER, 7);
        finishFails(ANYBODY, changed, last, wrongContinuation());
        vm.expectRevert(IMarket.WrongDelivery.selector);
        vm.prank(ANYBODY);
        market.verifyStep(LANE, address(verifier), modelId, deliveryHash, hex"00", last);
        vm.expectRevert(wrongContinuation());
        vm.prank(ANYBODY);
        market.verifyStep(LANE, address(verifier), modelId, keccak256(hex"00"), hex"00", last);
        vm.expectRevert(wrongContinuation());
        vm.prank(ANYBODY);
        market.verifyStep(LANE, address(1), modelId, deliveryHash, encoded, last);
        vm.expectRevert(wrongContinuation());
        vm.prank(ANYBODY);
        market.verifyStep(LANE, address(verifier), bytes32(0), deliveryHash, encoded, last);
        // The delivery may be given again in any step.
        vm.prank(ANYBODY);
        market.verifyStep(LANE, address(verifier), modelId, deliveryHash, encoded, last);
    }

    /// @dev An attacker who does whatever he likes with the same proof, and in the same lane, between all steps.
    function test_attackersCannotDisturbSteps() external {
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        prepare(delivery, PARTS);
        bytes memory state = make(ANYBODY, stepOf(0, ""));
        makeFails(OTHER, stepOf(1, state), wrongContinuation());
        make(OTHER, stepOf(0, ""));
        state = make(ANYBODY, stepOf(1, state));
        makeFails(OTHER, stepOf(2, state), wrongContinuation());
        makeAll(OTHER, PARTS);
        state = make(ANYBODY, stepOf(2, state));
        uint256 before = token.balanceOf(PROVIDER);
        // The attacker may even finish, and pays the maker of the proof.
        finish(OTHER, delivery, Step(proofHash, PARTS, "", "", 0));
        vm.assertEq(token.balanceOf(PROVIDER), before + MIN_PRICE - feeOf(MIN_PRICE));
        finishFails(ANYBODY, delivery, stepOf(PARTS - 1, state), abi.encodeWithSelector(IMarket.NothingToPay.selector));
    }

    function test_lanesAreIndependentAndUsedAgain() external {
        Delivery memory delivery = deliver(posted(), PROVIDER);
        prepare(delivery, PARTS);
        bytes memory state = makeAll(ANYBODY, 2);
        vm.startPrank(ANYBODY);
        market.verifyStep(LANE + 1, address(verifier), modelId, deliveryHash, encoded, stepOf(0, ""));
        market.verifyStep(LANE, address(verifier), modelId, deliveryHash, "", stepOf(2, state));
        vm.stopPrank();
        // Abandoned, and begun again with another proof.
        delivery = deliver(posted(), PROVIDER);
        prepare(delivery, PARTS);
        state = makeAll(ANYBODY, PARTS - 1);
        finish(ANYBODY, delivery, stepOf(PARTS - 1, state));
    }

    function test_cancelledWhileTheStepsWereMade() external {
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        prepare(delivery, PARTS);
        bytes memory state = makeAll(ANYBODY, PARTS - 1);
        cancel(asked);
        pass(0, DELAY);
        finishFails(ANYBODY, delivery, stepOf(PARTS - 1, state), abi.encodeWithSelector(IMarket.NothingToPay.selector));
        market.refund(termsOf(asked));
    }

    function test_verifiersMustEndWithTheirProof() external {
        address broken = address(new BrokenVerifier());
        bytes32 hash = keccak256(hex"07");
        // Done although a part is left, and not done although none is.
        bytes32 named = keccak256(abi.encode(keccak256(""), bytes32(uint256(1))));
        vm.expectRevert(IMarket.WrongEnd.selector);
        market.verifyStep(LANE, broken, modelId, hash, hex"07", Step(named, 0, "", "", bytes32(uint256(1))));
        named = keccak256(abi.encode(keccak256(hex"0000"), bytes32(0)));
        vm.expectRevert(IMarket.WrongEnd.selector);
        market.verifyStep(LANE, broken, modelId, hash, hex"07", Step(named, 0, "", hex"0000", 0));
        named = keccak256(abi.encode(keccak256(hex"00"), bytes32(uint256(1))));
        vm.expectRevert(IMarket.EmptyState.selector);
        market.verifyStep(LANE, broken, modelId, hash, hex"07", Step(named, 0, "", hex"00", bytes32(uint256(1))));
        // No verifier is asked to begin with a delivery that it has not.
        vm.expectRevert(IMarket.WrongDelivery.selector);
        market.verifyStep(LANE, broken, modelId, keccak256(""), "", Step(named, 0, "", hex"00", bytes32(uint256(1))));
    }

    function test_attestationsCanBeMadeInSteps() external {
        Request memory asked = newRequest();
        Delivery memory delivery = deliver(asked, PROVIDER);
        prepare(delivery, PARTS);
        bytes memory state = makeAll(ANYBODY, PARTS - 1);
        Step memory last = stepOf(PARTS - 1, state);
        vm.expectRevert(wrongContinuation());
        market.attestSteps(LANE, delivery, last);
        vm.prank(ANYBODY);
        market.attestSteps(LANE, delivery, last);
        bytes32 question = market.questionOf(asked);
        vm.assertEq(market.attestedOutput(question), keccak256(delivery.answers[0].output));
    }
}
