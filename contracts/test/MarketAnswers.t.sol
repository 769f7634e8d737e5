// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../src/market/IMarket.sol";
import {Answer, Delivery, Reason, Request, RequestState, Status} from "../src/market/Types.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {DenyingVerifier, MockVerifier, SilentContract} from "./MockVerifier.sol";
import {vm} from "./Vm.sol";

/// @dev What becomes of a request: locked, answered, cancelled, expired.
contract MarketAnswersTest is MarketFixture {
    function setUp() external {
        deploy();
    }

    function wrongStatus(Request memory asked, Status status) private view returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.WrongStatus.selector, market.requestId(asked), status);
    }

    function unknown(Request memory asked) private view returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.UnknownRequest.selector, market.requestId(asked));
    }

    function lockedByAnother(Request memory asked, address locker) private view returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.LockedByAnother.selector, market.requestId(asked), locker);
    }

    // Prices.

    function test_priceRisesToTheSecond() external {
        Request memory asked = newRequest();
        uint256 start = asked.offer.rampStart;
        uint256[6] memory times = [start - 1, start, start + 1, start + 100, start + RAMP - 1, start + RAMP];
        uint256[6] memory prices = [uint256(10e18), 10e18, 10.1e18, 20e18, 29.9e18, 30e18];
        for (uint256 i = 0; i < 6; ++i) {
            vm.assertEq(market.priceOf(asked.offer, times[i]), prices[i]);
        }
        vm.assertEq(market.priceOf(asked.offer, type(uint256).max), MAX_PRICE);
        asked.offer.rampLength = 0;
        vm.assertEq(market.priceOf(asked.offer, 0), MAX_PRICE);
        vm.assertEq(market.priceOf(asked.offer, start + 1), MAX_PRICE);
    }

    function testFuzz_pricesNeverFall(uint128 a, uint128 b, uint64 start, uint32 length, uint64 time) external {
        Request memory asked = newRequest();
        (asked.offer.minPrice, asked.offer.maxPrice) = a < b ? (a, b) : (b, a);
        (asked.offer.rampStart, asked.offer.rampLength) = (start, length);
        uint256 price = market.priceOf(asked.offer, time);
        vm.assertTrue(price >= asked.offer.minPrice && price <= asked.offer.maxPrice, "between");
        vm.assertTrue(price <= market.priceOf(asked.offer, uint256(time) + 1), "never falls");
    }

    function testFuzz_paymentsAreBetweenBaseAndPrice(uint128 price, uint16 base, uint16 produced, uint16 most)
        external
        view
    {
        base = base % 1001;
        vm.assume(most != 0);
        produced = produced % most + 1;
        uint256 payment = market.paymentOf(price, base, produced, most);
        vm.assertTrue(payment <= price && payment >= uint256(price) * base / 1000, "between");
        if (produced == most) vm.assertEq(payment, price);
        vm.assertTrue(payment <= market.paymentOf(price, base, uint256(produced) + 1, most), "more for more");
    }

    // Without a lock.

    function test_answerIsPaidAtThePriceOfTheMoment() external {
        Request memory asked = posted();
        pass(100, 50);
        (uint256 before, uint256 supply) = (token.balanceOf(REQUESTER), token.totalSupply());
        uint256 provided = token.balanceOf(PROVIDER);
        bytes32 id = market.requestId(asked);
        Delivery memory delivery = deliver(asked, PROVIDER);
        bytes memory proof = proofOf(delivery);
        vm.expectEmit(address(market));
        emit IMarket.Fulfilled(id, PROVIDER, 20e18, 0.4e18, 0, delivery.answers[0].output);
        vm.prank(ANYBODY);
        vm.assertEq(market.fulfil(delivery, proof), 20e18);
        vm.assertEq(token.balanceOf(PROVIDER), provided + 19.6e18);
        vm.assertEq(token.balanceOf(REQUESTER), before + 10e18);
        vm.assertEq(token.totalSupply(), supply - 0.4e18);
        vm.assertEq(token.balanceOf(address(market)), 0);
        vm.assertEq(market.escrowOf(address(verifier)), 0);
        vm.assertEq(emission.burnedBy(0, PROVIDER), 0.4e18);
        RequestState memory state = market.stateOf(id);
        vm.assertTrue(state.status == Status.Fulfilled && state.account == PROVIDER, "fulfilled");
        fulfilFails(asked, PROVIDER, wrongStatus(asked, Status.Fulfilled));
    }

    function test_shortAnswersCostLess() external {
        Request memory asked = posted();
        pass(RAMP, 1);
        Delivery memory delivery = deliver(asked, PROVIDER, 2);
        bytes memory proof = proofOf(delivery);
        // A quarter of the price, and two eighths of the rest.
        vm.assertEq(market.fulfil(delivery, proof), 30e18 * 4375 / 10_000);
        Request memory whole = newRequest();
        whole.offer.basePermille = 1000;
        whole.offer.rampLength = 0;
        post(whole);
        delivery = deliver(whole, PROVIDER, 1);
        proof = proofOf(delivery);
        vm.assertEq(market.fulfil(delivery, proof), 30e18);
        Request memory none = newRequest();
        none.offer.basePermille = 0;
        none.offer.rampLength = 0;
        post(none);
        delivery = deliver(none, PROVIDER, 1);
        proof = proofOf(delivery);
        vm.assertEq(market.fulfil(delivery, proof), 3.75e18);
    }

    function test_freeAnswersBurnNothing() external {
        Request memory asked = newRequest();
        asked.offer.minPrice = 0;
        post(asked);
        vm.assertEq(fulfil(asked, PROVIDER), 0);
        expectStatus(asked, Status.Fulfilled);
        vm.assertEq(emission.burnedIn(0), 0);
    }

    function test_answersAreRefusedByName() external {
        Request memory asked = newRequest();
        fulfilFails(asked, PROVIDER, unknown(asked));
        post(asked);
        Request memory other = asked;
        Delivery memory delivery = deliver(asked, PROVIDER);
        bytes memory proof = proofOf(delivery);
        vm.expectRevert(MockVerifier.MockRefused.selector);
        market.fulfil(delivery, abi.encodePacked(proof, uint8(0)));
        delivery.payee = address(0);
        vm.expectRevert(IMarket.InvalidPayee.selector);
        market.fulfil(delivery, proof);
        delivery.payee = address(market);
        vm.expectRevert(IMarket.InvalidPayee.selector);
        market.fulfil(delivery, proof);
        delivery.payee = OTHER;
        vm.expectRevert(MockVerifier.MockRefused.selector);
        market.fulfil(delivery, proof);
        delivery = deliver(asked, PROVIDER);
        delivery.modelId = registry.register(abi.encodePacked(key, uint8(0)), program, 0, "");
        vm.expectRevert(abi.encodeWithSelector(IMarket.OtherModel.selector, modelId));
        market.fulfil(delivery, proof);
        delivery = deliver(asked, PROVIDER);
        delivery.verifier = address(new MockVerifier());
        vm.expectRevert(abi.encodeWithSelector(IMarket.OtherVerifier.selector, address(verifier)));
        market.fulfil(delivery, proof);
        delivery = deliver(asked, PROVIDER);
        delivery.answers = new Answer[](0);
        vm.expectRevert(abi.encodeWithSelector(IMarket.InvalidCount.selector, 0));
        market.fulfil(delivery, proof);
        vm.expectRevert(abi.encodeWithSelector(IMarket.InvalidCount.selector, 0));
        market.fulfilBatch(delivery, proof);
        delivery.answers = new Answer[](65);
        vm.expectRevert(abi.encodeWithSelector(IMarket.InvalidCount.selector, 65));
        market.fulfilBatch(delivery, proof);
        // Nothing of this has changed anything, and a changed request is another one.
        other.offer.deadline += 1;
        fulfilFails(other, PROVIDER, unknown(other));
        other.offer.deadline -= 1;
        fulfil(asked, PROVIDER);
    }

    function test_answersOfAnotherShapeAreRefused() external {
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        delivery.answers[0].output = "";
        vm.expectRevert(abi.encodeWithSelector(IMarket.InvalidOutput.selector, 0));
        market.fulfil(delivery, "");
        delivery.answers[0].output = hex"010002";
        vm.expectRevert(abi.encodeWithSelector(IMarket.InvalidOutput.selector, 0));
        market.fulfil(delivery, "");
        delivery.answers[0] = answerTo(asked, 9);
        vm.expectRevert(abi.encodeWithSelector(IMarket.InvalidOutput.selector, 0));
        market.fulfil(delivery, "");
        delivery.answers[0] = answerTo(asked, 8);
        delivery.answers[0].shown = abi.encodePacked(delivery.answers[0].shown, uint8(0));
        vm.expectRevert(abi.encodeWithSelector(IMarket.InvalidShown.selector, 0));
        market.fulfil(delivery, "");
        delivery.answers[0].shown = "";
        vm.expectRevert(abi.encodeWithSelector(IMarket.InvalidShown.selector, 0));
        market.fulfil(delivery, "");
    }

    function test_contractsThatDoNotSayYesAreNoVerifiers() external {
        Request memory asked = newRequest();
        asked.verifier = address(new DenyingVerifier());
        post(asked);
        Delivery memory delivery = deliver(asked, PROVIDER);
        delivery.verifier = asked.verifier;
        vm.expectRevert(IMarket.ProofRefused.selector);
        market.fulfil(delivery, "");
        asked = newRequest();
        asked.verifier = address(new SilentContract());
        post(asked);
        delivery = deliver(asked, PROVIDER);
        delivery.verifier = asked.verifier;
        vm.expectRevert(bytes(""));
        market.fulfil(delivery, "");
        pass(LIFETIME + 1, 1);
        market.expire(termsOf(asked));
    }

    function test_deadlineIsTheLastSecond() external {
        Request memory asked = posted();
        Request memory late = posted();
        vm.warp(asked.offer.deadline);
        vm.expectRevert(abi.encodeWithSelector(IMarket.DeadlineNotPassed.selector, asked.offer.deadline));
        market.expire(termsOf(asked));
        fulfil(asked, PROVIDER);
        vm.warp(asked.offer.deadline + 1);
        bytes memory passed = abi.encodeWithSelector(IMarket.DeadlinePassed.selector, late.offer.deadline);
        fulfilFails(late, PROVIDER, passed);
        vm.expectRevert(passed);
        lockBy(PROVIDER, late);
        uint256 before = token.balanceOf(REQUESTER);
        vm.expectEmit(address(market));
        emit IMarket.Refunded(market.requestId(late), REQUESTER, MAX_PRICE, Status.Open);
        market.expire(termsOf(late));
        vm.assertEq(token.balanceOf(REQUESTER), before + MAX_PRICE);
        vm.expectRevert(wrongStatus(late, Status.Refunded));
        market.expire(termsOf(late));
        fulfilFails(late, PROVIDER, wrongStatus(late, Status.Refunded));
        vm.expectRevert(wrongStatus(asked, Status.Fulfilled));
        market.expire(termsOf(asked));
        Request memory none = newRequest();
        vm.expectRevert(unknown(none));
        market.expire(termsOf(none));
    }

    // Locks.

    function test_lockDepositsTheBond() external {
        Request memory asked = posted();
        pass(50, 25);
        uint256 before = token.balanceOf(PROVIDER);
        bytes32 id = market.requestId(asked);
        vm.expectEmit(address(market));
        emit IMarket.Locked(id, PROVIDER, 15e18, vm.getBlockTimestamp() + LOCK_DURATION);
        lockBy(PROVIDER, asked);
        vm.assertEq(token.balanceOf(PROVIDER), before - BOND);
        RequestState memory state = market.stateOf(id);
        vm.assertTrue(state.status == Status.Locked && state.account == PROVIDER, "locked");
        vm.assertEq(state.since, vm.getBlockTimestamp());
        vm.assertEq(state.sinceBlock, vm.getBlockNumber());
        vm.expectRevert(wrongStatus(asked, Status.Locked));
        lockBy(OTHER, asked);
        vm.expectRevert(wrongStatus(asked, Status.Locked));
        cancel(asked);
    }

    function test_locksCanBeTooLate() external {
        Request memory asked = posted();
        vm.startPrank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(IMarket.TooLate.selector, vm.getBlockTimestamp() - 1));
        market.lock(termsOf(asked), vm.getBlockTimestamp() - 1);
        Request memory none = newRequest();
        vm.expectRevert(unknown(none));
        market.lock(termsOf(none), vm.getBlockTimestamp());
        market.lock(termsOf(asked), vm.getBlockTimestamp());
        vm.stopPrank();
    }

    function test_lockKeepsThePriceAndTheOthersOut() external {
        Request memory asked = posted();
        pass(50, 25);
        lockBy(PROVIDER, asked);
        pass(LOCK_DURATION, DELAY);
        fulfilFails(asked, OTHER, lockedByAnother(asked, PROVIDER));
        uint256 before = token.balanceOf(PROVIDER);
        vm.assertEq(fulfil(asked, PROVIDER), 15e18);
        vm.assertEq(token.balanceOf(PROVIDER), before + 15e18 - feeOf(15e18) + BOND);
        vm.assertEq(token.balanceOf(address(market)), 0);
    }

    function test_lockTakesEffectAfterItsDelayToTheBlock() external {
        Request memory asked = posted();
        Request memory last = posted();
        lockBy(PROVIDER, asked);
        lockBy(PROVIDER, last);
        pass(10, DELAY - 1);
        uint256 before = token.balanceOf(PROVIDER);
        bytes32 id = market.requestId(asked);
        vm.expectEmit(address(market));
        emit IMarket.BondReturned(id, PROVIDER, BOND);
        // As without the lock: at the price of now.
        vm.assertEq(fulfil(asked, OTHER), 11e18);
        vm.assertEq(token.balanceOf(PROVIDER), before + BOND);
        pass(0, 1);
        fulfilFails(last, OTHER, lockedByAnother(last, PROVIDER));
        fulfil(last, PROVIDER);
    }

    function test_bondOfALateLockerIsSharedWithTheRescuer() external {
        Request memory asked = posted();
        pass(50, 25);
        lockBy(PROVIDER, asked);
        pass(LOCK_DURATION + 1, DELAY);
        (uint256 other, uint256 supply) = (token.balanceOf(OTHER), token.totalSupply());
        bytes32 id = market.requestId(asked);
        vm.expectEmit(address(market));
        emit IMarket.BondSlashed(id, PROVIDER, BOND / 2, BOND / 2);
        vm.assertEq(fulfil(asked, OTHER), 15e18);
        vm.assertEq(token.balanceOf(OTHER), other + 15e18 - feeOf(15e18) + BOND / 2);
        vm.assertEq(token.totalSupply(), supply - feeOf(15e18) - BOND / 2);
        // A bond is no fee.
        vm.assertEq(emission.burnedBy(0, OTHER), feeOf(15e18));
    }

    function test_bondOfALateLockerIsBurnedIfHeAnswersHimself() external {
        Request memory asked = newRequest();
        asked.offer.bond = 41;
        asked.offer.maxPrice = 40;
        asked.offer.minPrice = 40;
        post(asked);
        lockBy(PROVIDER, asked);
        Request memory odd = newRequest();
        odd.offer = asked.offer;
        post(odd);
        lockBy(PROVIDER, odd);
        pass(LOCK_DURATION + 1, DELAY);
        (uint256 before, uint256 supply) = (token.balanceOf(PROVIDER), token.totalSupply());
        fulfil(asked, PROVIDER);
        vm.assertEq(token.balanceOf(PROVIDER), before + 40);
        vm.assertEq(token.totalSupply(), supply - 41);
        before = token.balanceOf(OTHER);
        fulfil(odd, OTHER);
        vm.assertEq(token.balanceOf(OTHER), before + 60);
        vm.assertEq(token.totalSupply(), supply - 41 - 21);
    }

    /// @dev A lock whose time is over before it takes effect has kept nobody out: its bond goes back.
    function test_locksThatEndBeforeTheirEffect() external {
        Request memory asked = posted();
        lockBy(PROVIDER, asked);
        pass(LOCK_DURATION + 1, DELAY - 1);
        uint256 before = token.balanceOf(PROVIDER);
        fulfil(asked, OTHER);
        vm.assertEq(token.balanceOf(PROVIDER), before + BOND);
    }

    function test_bondOfAnUnansweredRequestIsBurned() external {
        Request memory asked = posted();
        lockBy(PROVIDER, asked);
        vm.warp(asked.offer.deadline + 1);
        (uint256 before, uint256 supply) = (token.balanceOf(REQUESTER), token.totalSupply());
        bytes32 id = market.requestId(asked);
        vm.expectEmit(address(market));
        emit IMarket.BondSlashed(id, PROVIDER, 0, BOND);
        market.expire(termsOf(asked));
        vm.assertEq(token.balanceOf(REQUESTER), before + MAX_PRICE);
        vm.assertEq(token.totalSupply(), supply - BOND);
        vm.assertEq(token.balanceOf(address(market)), 0);
    }

    function test_lockerIsPaidUntilTheDeadlineOnly() external {
        Request memory asked = posted();
        vm.warp(asked.offer.deadline);
        lockBy(PROVIDER, asked);
        pass(1, DELAY);
        fulfilFails(asked, PROVIDER, abi.encodeWithSelector(IMarket.DeadlinePassed.selector, asked.offer.deadline));
    }

    function test_lockedRequestsCannotBeRefunded() external {
        Request memory asked = posted();
        vm.expectRevert(wrongStatus(asked, Status.Open));
        market.refund(termsOf(asked));
        lockBy(PROVIDER, asked);
        pass(LOCK_DURATION + 1, DELAY);
        vm.expectRevert(wrongStatus(asked, Status.Locked));
        market.refund(termsOf(asked));
    }

    // Cancellations.

    function test_cancellationTakesEffectAfterItsDelayToTheBlock() external {
        Request memory asked = posted();
        Request memory answered = posted();
        uint256 effective = vm.getBlockNumber() + DELAY;
        bytes32 id = market.requestId(asked);
        vm.expectEmit(address(market));
        emit IMarket.Cancelling(id, effective);
        cancel(asked);
        cancel(answered);
        vm.roll(effective - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarket.CancellationPending.selector, effective));
        market.refund(termsOf(asked));
        fulfil(answered, PROVIDER);
        vm.roll(effective);
        fulfilFails(asked, PROVIDER, abi.encodeWithSelector(IMarket.CancellationEffective.selector, id));
        uint256 before = token.balanceOf(REQUESTER);
        vm.expectEmit(address(market));
        emit IMarket.Refunded(id, REQUESTER, MAX_PRICE, Status.Cancelling);
        market.refund(termsOf(asked));
        vm.assertEq(token.balanceOf(REQUESTER), before + MAX_PRICE);
        vm.expectRevert(wrongStatus(asked, Status.Refunded));
        market.refund(termsOf(asked));
    }

    function test_onlyTheRequesterCancelsAndOnlyOnce() external {
        Request memory asked = newRequest();
        vm.expectRevert(unknown(asked));
        cancel(asked);
        post(asked);
        vm.expectRevert(abi.encodeWithSelector(IMarket.NotRequester.selector, REQUESTER));
        vm.prank(ANYBODY);
        market.cancel(termsOf(asked));
        cancel(asked);
        vm.expectRevert(wrongStatus(asked, Status.Cancelling));
        cancel(asked);
        vm.expectRevert(wrongStatus(asked, Status.Cancelling));
        lockBy(PROVIDER, asked);
        Request memory none = newRequest();
        vm.expectRevert(unknown(none));
        market.refund(termsOf(none));
    }

    function test_cancelledRequestsExpireToo() external {
        Request memory asked = posted();
        cancel(asked);
        vm.warp(asked.offer.deadline + 1);
        market.expire(termsOf(asked));
        expectStatus(asked, Status.Refunded);
    }

    /// @dev Whoever sees an answer in flight and gets a lock or a cancellation in front of it, even in the same block.
    function test_nobodyTakesAnAnswerThatIsInFlight() external {
        Request memory asked = posted();
        cancel(asked);
        fulfil(asked, PROVIDER);
        asked = posted();
        uint256 before = token.balanceOf(OTHER);
        lockBy(OTHER, asked);
        fulfil(asked, PROVIDER);
        vm.assertEq(token.balanceOf(OTHER), before);
        // And somebody who copies the proof only pays for its way.
        asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        bytes memory proof = proofOf(delivery);
        before = token.balanceOf(PROVIDER);
        vm.prank(OTHER);
        market.fulfil(delivery, proof);
        vm.assertEq(token.balanceOf(PROVIDER), before + MIN_PRICE - feeOf(MIN_PRICE));
    }

    // Batches.

    /// @dev Eleven answers in one proof, of which three are paid.
    function test_batchesPayWhatCanBePaid() external {
        Answer[] memory answers = new Answer[](11);
        Reason[] memory expected = new Reason[](11);
        (uint256 i, Request memory asked) = (0, posted());
        answers[i++] = answerTo(asked, 8);
        answers[i] = answerTo(asked, 8);
        expected[i++] = Reason.Repeated;
        asked = newRequest();
        answers[i] = answerTo(asked, 8);
        expected[i++] = Reason.Unknown;
        asked = posted();
        fulfil(asked, OTHER);
        answers[i] = answerTo(asked, 8);
        expected[i++] = Reason.Fulfilled;
        asked = newRequest();
        asked.offer.deadline = uint64(vm.getBlockTimestamp());
        post(asked);
        answers[i] = answerTo(asked, 8);
        expected[i++] = Reason.Expired;
        asked = posted();
        cancel(asked);
        answers[i] = answerTo(asked, 8);
        expected[i++] = Reason.Cancelled;
        asked = newRequest();
        asked.verifier = address(new MockVerifier());
        post(asked);
        answers[i] = answerTo(asked, 8);
        expected[i++] = Reason.OtherVerifier;
        asked = newRequest();
        asked.modelId = registry.register(abi.encodePacked(key, uint8(0)), program, 0, "");
        post(asked);
        answers[i] = answerTo(asked, 8);
        expected[i++] = Reason.OtherModel;
        asked = posted();
        lockBy(OTHER, asked);
        answers[i] = answerTo(asked, 8);
        expected[i++] = Reason.LockedByAnother;
        asked = posted();
        lockBy(PROVIDER, asked);
        answers[i++] = answerTo(asked, 8);
        pass(20, DELAY);
        asked = newRequest();
        asked.requester = OTHER;
        post(asked);
        answers[i++] = answerTo(asked, 2);
        payBatch(answers, expected);
    }

    function payBatch(Answer[] memory answers, Reason[] memory expected) private {
        Delivery memory delivery = deliver(answers, PROVIDER);
        bytes memory proof = proofOf(delivery);
        (uint256 before, uint256 other) = (token.balanceOf(PROVIDER), token.balanceOf(OTHER));
        for (uint256 i = 0; i < expected.length; ++i) {
            if (expected[i] == Reason.None) continue;
            bytes32 id = market.requestId(answers[i].request);
            vm.expectEmit(address(market));
            emit IMarket.ItemSkipped(id, expected[i]);
        }
        Reason[] memory results = market.fulfilBatch(delivery, proof);
        for (uint256 i = 0; i < expected.length; ++i) {
            vm.assertEq(uint256(results[i]), uint256(expected[i]), vm.toString(i));
        }
        // At the price after 20 seconds, at that of the lock, and the short one.
        uint256 short = uint256(10e18) * 4375 / 10_000;
        uint256 paid = 12e18 + 10e18 + short;
        vm.assertEq(token.balanceOf(PROVIDER), before + paid - feeOf(paid) + BOND);
        vm.assertEq(token.balanceOf(OTHER), other + MAX_PRICE - short);
        vm.expectRevert(IMarket.NothingToPay.selector);
        market.fulfilBatch(delivery, proof);
    }

    function test_batchesCoverAllTheirAnswers() external {
        Answer[] memory answers = new Answer[](3);
        for (uint256 i = 0; i < 3; ++i) {
            answers[i] = answerTo(posted(), 8);
        }
        Delivery memory delivery = deliver(answers, PROVIDER);
        bytes memory proof = proofOf(delivery);
        // Swapped, dropped, added, repeated, changed.
        Answer[] memory changed = new Answer[](3);
        (changed[0], changed[1], changed[2]) = (answers[1], answers[0], answers[2]);
        batchRefused(changed, proof);
        changed = new Answer[](2);
        (changed[0], changed[1]) = (answers[0], answers[1]);
        batchRefused(changed, proof);
        changed = new Answer[](4);
        (changed[0], changed[1], changed[2], changed[3]) = (answers[0], answers[1], answers[2], answers[2]);
        batchRefused(changed, proof);
        answers[1].output[2] ^= 0x01;
        batchRefused(answers, proof);
        answers[1].output[2] ^= 0x01;
        answers[1].end = 1;
        batchRefused(answers, proof);
        answers[1].end = 0;
        market.fulfilBatch(delivery, proof);
    }

    function batchRefused(Answer[] memory answers, bytes memory proof) private {
        Delivery memory delivery = deliver(answers, PROVIDER);
        vm.expectRevert(MockVerifier.MockRefused.selector);
        market.fulfilBatch(delivery, proof);
    }

    function test_batchOfSixtyFour() external {
        Answer[] memory answers = new Answer[](64);
        for (uint256 i = 0; i < 64; ++i) {
            answers[i] = answerTo(posted(), 8);
        }
        Delivery memory delivery = deliver(answers, PROVIDER);
        bytes memory proof = proofOf(delivery);
        uint256 before = token.balanceOf(PROVIDER);
        market.fulfilBatch(delivery, proof);
        vm.assertEq(token.balanceOf(PROVIDER), before + 64 * (MIN_PRICE - feeOf(MIN_PRICE)));
        vm.assertEq(token.balanceOf(address(market)), 0);
    }

    /// @dev The same answers on another chain, or for another market of it, have another session.
    function test_proofsAreOfOneChainAndMarket() external {
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        bytes memory proof = proofOf(delivery);
        vm.chainId(1);
        vm.expectRevert();
        market.fulfil(delivery, proof);
        vm.chainId(31337);
        IMarket first = market;
        deploy();
        vm.prank(REQUESTER);
        market.request(asked);
        delivery.verifier = asked.verifier;
        vm.expectRevert(MockVerifier.MockRefused.selector);
        market.fulfil(delivery, proof);
        vm.assertTrue(address(first) != address(market), "another market");
    }
}
