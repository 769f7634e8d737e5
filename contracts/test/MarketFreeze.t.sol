// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../src/market/IMarket.sol";
import {Answer, Delivery, Reason, Request, Sampling, Status} from "../src/market/Types.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {BrokenVerifier} from "./MockVerifier.sol";
import {vm} from "./Vm.sol";

/// @dev Two accepted proofs that contradict each other.
contract MarketFreezeTest is MarketFixture {
    address private broken;

    function setUp() external {
        deploy();
        broken = address(new BrokenVerifier());
    }

    function ask() private returns (Request memory asked) {
        asked = newRequest();
        asked.verifier = broken;
    }

    function deliverBroken(Request memory asked, bytes1 word) private view returns (Delivery memory delivery) {
        delivery = deliver(asked, PROVIDER);
        delivery.verifier = broken;
        delivery.answers[0].output[0] = word;
    }

    function contradict(Request memory asked) private {
        market.attest(deliverBroken(asked, 0x01), "one");
        market.attest(deliverBroken(asked, 0x02), "two");
    }

    function frozen(bytes32 id) private view returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.ModelFrozen.selector, broken, id);
    }

    function test_attestationsAreTakenDown() external {
        Request memory asked = newRequest();
        Delivery memory delivery = deliver(asked, PROVIDER);
        bytes memory proof = proofOf(delivery);
        bytes32 question = market.questionOf(asked);
        bytes32 output = keccak256(delivery.answers[0].output);
        vm.assertEq(market.attestedOutput(question), 0);
        vm.expectEmit(address(market));
        emit IMarket.Attested(question, output);
        market.attest(delivery, proof);
        vm.assertEq(market.attestedOutput(question), output);
        // Again is no contradiction.
        market.attest(delivery, proof);
        vm.assertTrue(!market.isFrozen(address(verifier), modelId), "not frozen");
        vm.expectRevert();
        market.attest(delivery, "");
    }

    function test_contradictionFreezes() external {
        Request memory asked = ask();
        post(asked);
        market.attest(deliverBroken(asked, 0x01), "");
        Delivery memory second = deliverBroken(asked, 0x02);
        bytes32 question = market.questionOf(asked);
        bytes32 first = market.attestedOutput(question);
        vm.expectEmit(address(market));
        emit IMarket.Frozen(broken, modelId, question, first, keccak256(second.answers[0].output));
        market.attest(second, "");
        vm.assertTrue(market.isFrozen(broken, modelId), "frozen");
        vm.assertEq(market.attestedOutput(question), first);
        vm.expectRevert(frozen(modelId));
        market.fulfil(second, "");
        vm.expectRevert(frozen(modelId));
        market.fulfilBatch(second, "");
        vm.expectRevert(frozen(modelId));
        market.attest(second, "");
        Request memory next = ask();
        vm.expectRevert(frozen(modelId));
        post(next);
        vm.expectRevert(frozen(modelId));
        lockBy(PROVIDER, asked);
    }

    function test_frozenMoneyGoesBackAtOnce() external {
        Request memory open = ask();
        Request memory locked = ask();
        Request memory cancelling = ask();
        Request memory late = ask();
        post(open);
        post(locked);
        post(cancelling);
        post(late);
        lockBy(PROVIDER, locked);
        lockBy(OTHER, late);
        cancel(cancelling);
        pass(LOCK_DURATION + 1, DELAY);
        contradict(ask());
        (uint256 mine, uint256 his) = (token.balanceOf(REQUESTER), token.balanceOf(PROVIDER));
        bytes32 id = market.requestId(locked);
        vm.expectEmit(address(market));
        emit IMarket.BondReturned(id, PROVIDER, BOND);
        market.refund(termsOf(locked));
        market.refund(termsOf(open));
        market.refund(termsOf(cancelling));
        vm.assertEq(token.balanceOf(REQUESTER), mine + 3 * MAX_PRICE);
        vm.assertEq(token.balanceOf(PROVIDER), his + BOND);
        // After the deadline, too: nobody can burn a bond by expiring it instead.
        vm.warp(late.offer.deadline + 1);
        his = token.balanceOf(OTHER);
        market.expire(termsOf(late));
        vm.assertEq(token.balanceOf(OTHER), his + BOND);
        vm.assertEq(token.balanceOf(address(market)), 0);
        vm.expectRevert(abi.encodeWithSelector(IMarket.WrongStatus.selector, id, Status.Refunded));
        market.refund(termsOf(locked));
    }

    /// @dev Whoever brings a verifier of his own can freeze nothing but what names it.
    function test_otherVerifiersAndModelsAreNotTouched() external {
        bytes32 other = registry.register(abi.encodePacked(key, uint8(0)), program, 0, "");
        contradict(ask());
        Request memory asked = posted();
        fulfil(asked, PROVIDER);
        asked = ask();
        asked.modelId = other;
        post(asked);
        Delivery memory delivery = deliverBroken(asked, 0x01);
        delivery.modelId = other;
        market.fulfil(delivery, "");
    }

    /// @dev Answers of a delivery whose requests are for something else say nothing about this verifier and model.
    function test_onlyAnswersOfTheDeliveryAreTakenDown() external {
        Request memory asked = newRequest();
        Delivery memory delivery = deliverBroken(asked, 0x01);
        market.attest(delivery, "");
        vm.assertEq(market.attestedOutput(market.questionOf(asked)), 0);
        asked = ask();
        asked.modelId = registry.register(abi.encodePacked(key, uint8(0)), program, 0, "");
        delivery = deliverBroken(asked, 0x01);
        market.attest(delivery, "");
        vm.assertEq(market.attestedOutput(market.questionOf(asked)), 0);
    }

    function test_oneProofCanContradictItself() external {
        Answer[] memory answers = new Answer[](2);
        answers[0] = answerTo(ask(), 8);
        answers[1] = answerTo(ask(), 8);
        answers[1].output[0] = 0x01;
        Delivery memory delivery = deliver(answers, PROVIDER);
        delivery.verifier = broken;
        market.attest(delivery, "");
        vm.assertTrue(market.isFrozen(broken, modelId), "frozen");
    }

    function differs(Request memory a, Request memory b) private view {
        vm.assertTrue(market.questionOf(a) != market.questionOf(b), "another question");
    }

    function test_questionsAreWhatTheAnswerFollowsFrom() external {
        Request memory asked = newRequest();
        asked.sampling = Sampling(4096, 512, 65536, bytes32(uint256(7)));
        bytes32 question = market.questionOf(asked);
        // By spec/market.md, section 5.
        bytes memory words = abi.encode(
            address(verifier), modelId, keccak256(asked.input), 8, 4096, 512, 65536, 7, keccak256(asked.stopIds)
        );
        vm.assertEq(question, keccak256(words));
        Request memory same = newRequest();
        same.requester = OTHER;
        same.offer.maxPrice = 1;
        // A top_k that is off is one of the vocabulary.
        same.sampling = Sampling(4096, 0, 65536, bytes32(uint256(7)));
        vm.assertEq(market.questionOf(same), question);
        same.sampling.topK = 511;
        differs(same, asked);
        same.sampling = Sampling(0, 0, 65536, 0);
        differs(same, asked);
        same.sampling = Sampling(4096, 512, 65536, 0);
        differs(same, asked);
        same = newRequest();
        Request memory greedy = newRequest();
        vm.assertEq(market.questionOf(same), market.questionOf(greedy));
        same.input = hex"0100ff00";
        differs(same, greedy);
        same = newRequest();
        same.maxNewTokens = 9;
        differs(same, greedy);
        same = newRequest();
        same.stopIds = "";
        differs(same, greedy);
        same = newRequest();
        same.verifier = broken;
        differs(same, greedy);
    }
}
