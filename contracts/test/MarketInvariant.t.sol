// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../src/market/IMarket.sol";
import {Answer, Delivery, Reason, Request, RequestState, Status, Step} from "../src/market/Types.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {BrokenVerifier} from "./MockVerifier.sol";
import {vm} from "./Vm.sol";

/// @dev Does to the market whatever somebody can, in any order, and keeps its own books. Each call must end as the books say;
/// a revert that they do not foresee fails the run.
contract MarketHandler is MarketFixture {
    /// @dev What must hold of a request, by the books.
    struct Entry {
        Status status;
        address locker;
        uint256 paid;
        uint256 sentBack;
        uint256 bondsIn;
        uint256 bondsOut;
    }

    uint256 private constant MAX_REQUESTS = 400;

    Request[] private requests;
    Entry[] private entries;
    address private broken;

    /// @notice Money that belongs to nobody.
    uint256 public donated;
    /// @notice What is in escrow for the good and the broken verifier, and the bonds of what is locked, by the books.
    uint256[2] public escrows;
    uint256 public bonds;
    /// @notice How often something succeeded, by kind.
    mapping(bytes32 kind => uint256 count) public counts;

    constructor() {
        deploy();
        broken = address(new BrokenVerifier());
    }

    // Views for the invariants.

    function theMarket() external view returns (IMarket) {
        return market;
    }

    function verifierAt(uint256 i) external view returns (address) {
        return i == 0 ? address(verifier) : broken;
    }

    function held() external view returns (uint256) {
        return token.balanceOf(address(market));
    }

    // Actions.

    function accountOf(uint256 seed) private view returns (address) {
        return seed % 3 == 0 ? PROVIDER : seed % 3 == 1 ? OTHER : REQUESTER;
    }

    function pick(uint256 seed) private view returns (uint256) {
        // Mostly one of the latest.
        uint256 length = requests.length;
        return seed % 4 == 0 || length < 8 ? seed / 4 % length : length - 1 - seed / 4 % 8;
    }

    function postOne(uint256 seed, uint64 price, uint16 life) public {
        if (requests.length == MAX_REQUESTS) return;
        Request memory asked = newRequest();
        asked.requester = accountOf(seed);
        if (seed % 5 == 0 && !market.isFrozen(broken, modelId)) asked.verifier = broken;
        asked.offer.maxPrice = uint256(price) % 1e18 + 1;
        asked.offer.minPrice = asked.offer.maxPrice * (seed % 11) / 10;
        if (asked.offer.minPrice > asked.offer.maxPrice) asked.offer.minPrice = 0;
        asked.offer.bond = asked.offer.maxPrice + seed % 3;
        asked.offer.basePermille = uint16(seed % 1001);
        asked.offer.deadline = uint64(vm.getBlockTimestamp() + life % LIFETIME);
        post(asked);
        requests.push(asked);
        entries.push();
        entries[entries.length - 1].status = Status.Open;
        escrows[asked.verifier == broken ? 1 : 0] += asked.offer.maxPrice;
        ++counts["post"];
    }

    function lockOne(uint256 seed, uint256 who) external {
        if (requests.length == 0) return postOne(seed, uint64(who), uint16(who));
        uint256 i = pick(seed);
        Request memory asked = requests[i];
        bool good = entries[i].status == Status.Open && vm.getBlockTimestamp() <= asked.offer.deadline
            && !market.isFrozen(asked.verifier, modelId);
        vm.prank(accountOf(who));
        try market.lock(termsOf(asked), vm.getBlockTimestamp()) {
            vm.assertTrue(good, "locked against the rules");
            entries[i].status = Status.Locked;
            entries[i].locker = accountOf(who);
            entries[i].bondsIn += asked.offer.bond;
            bonds += asked.offer.bond;
            ++counts["lock"];
        } catch {
            vm.assertTrue(!good, "not locked");
        }
    }

    function cancelOne(uint256 seed) external {
        if (requests.length == 0) return;
        uint256 i = pick(seed);
        Request memory asked = requests[i];
        bool good = entries[i].status == Status.Open;
        vm.prank(asked.requester);
        try market.cancel(termsOf(asked)) {
            vm.assertTrue(good, "cancelled against the rules");
            entries[i].status = Status.Cancelling;
            ++counts["cancel"];
        } catch {
            vm.assertTrue(!good, "not cancelled");
        }
    }

    function sendBackOne(uint256 seed, bool expire) external {
        if (requests.length == 0) return;
        uint256 i = pick(seed);
        Request memory asked = requests[i];
        RequestState memory state = market.stateOf(market.requestId(asked));
        bool frozen = market.isFrozen(asked.verifier, modelId);
        bool pending = isPending(entries[i].status);
        bool good = pending
            && (expire
                    ? vm.getBlockTimestamp() > asked.offer.deadline
                    : frozen || entries[i].status == Status.Cancelling
                    && vm.getBlockNumber() >= state.sinceBlock + DELAY);
        uint256 before = token.balanceOf(asked.requester);
        (bool success,) = address(market)
            .call(
                expire
                    ? abi.encodeCall(IMarket.expire, (termsOf(asked)))
                    : abi.encodeCall(IMarket.refund, (termsOf(asked)))
            );
        vm.assertTrue(success == good, "money sent back by the rules");
        if (!success) return;
        uint256 own = entries[i].locker == asked.requester && frozen ? asked.offer.bond : 0;
        vm.assertEq(token.balanceOf(asked.requester), before + asked.offer.maxPrice + own);
        finish(i, Status.Refunded);
        entries[i].sentBack += asked.offer.maxPrice;
        ++counts[expire ? bytes32("expire") : bytes32("refund")];
    }

    function finish(uint256 i, Status status) private {
        Request memory asked = requests[i];
        escrows[asked.verifier == broken ? 1 : 0] -= asked.offer.maxPrice;
        if (entries[i].status == Status.Locked) {
            entries[i].bondsOut += asked.offer.bond;
            bonds -= asked.offer.bond;
        }
        entries[i].status = status;
    }

    function isPending(Status status) private pure returns (bool) {
        return status == Status.Open || status == Status.Locked || status == Status.Cancelling;
    }

    /// @dev One to four answers, also repeated and unknown ones, in one transaction or in steps.
    function fulfilSome(uint256 seed, uint256 picks, uint8 many, bool inSteps) external {
        if (requests.length == 0) return;
        address payee = accountOf(seed);
        Answer[] memory answers = new Answer[](many % 4 + 1);
        uint256[] memory places = new uint256[](answers.length);
        Delivery memory delivery = Delivery(modelId, address(verifier), payee, answers);
        for (uint256 i = 0; i < answers.length; ++i) {
            places[i] = pick(picks >> (32 * i));
            answers[i] = answerTo(requests[places[i]], (picks >> (8 * i)) % 8 + 1);
        }
        if (seed % 7 == 0) {
            answers[0].request.nonce = type(uint256).max;
            places[0] = type(uint256).max;
        }
        delivery.verifier = answers[answers.length - 1].request.verifier;
        if (market.isFrozen(delivery.verifier, modelId)) return;
        bytes memory encoded = market.deliveryBytes(delivery);
        (bool success, bytes memory result) = inSteps ? inTwoSteps(delivery, encoded) : inOne(delivery, encoded);
        if (!success) {
            vm.assertEq(bytes32(result), bytes32(IMarket.NothingToPay.selector), "nothing else can go wrong");
            for (uint256 i = 0; i < places.length; ++i) {
                vm.assertTrue(!isPayable(places[i], delivery), "something could be paid");
            }
            return;
        }
        book(delivery, places, abi.decode(result, (Reason[])));
        ++counts[inSteps ? bytes32("steps") : bytes32("batch")];
    }

    function inOne(Delivery memory delivery, bytes memory encoded) private returns (bool, bytes memory) {
        bytes memory proof = verifier.proofOf(modelId, encoded);
        return address(market).call(abi.encodeCall(IMarket.fulfilBatch, (delivery, proof)));
    }

    function inTwoSteps(Delivery memory delivery, bytes memory encoded) private returns (bool, bytes memory) {
        bool mocked = delivery.verifier == address(verifier);
        bytes memory second = mocked ? verifier.partOf(modelId, encoded, 1, 2) : bytes("");
        bytes memory first = mocked ? verifier.partOf(modelId, encoded, 0, 2) : bytes("xx");
        bytes32 rest = keccak256(abi.encode(keccak256(second), bytes32(0)));
        bytes32 proofHash = keccak256(abi.encode(keccak256(first), rest));
        bytes memory state = market.verifyStep(
            1, delivery.verifier, modelId, keccak256(encoded), encoded, Step(proofHash, 0, "", first, rest)
        );
        Step memory last = Step(proofHash, 1, state, second, 0);
        return address(market).call(abi.encodeCall(IMarket.fulfilSteps, (1, delivery, last)));
    }

    /// @dev Whether the rules pay this one, by the books.
    function isPayable(uint256 place, Delivery memory delivery) private view returns (bool) {
        if (place >= requests.length || !isPending(entries[place].status)) return false;
        Request memory asked = requests[place];
        if (asked.verifier != delivery.verifier || vm.getBlockTimestamp() > asked.offer.deadline) return false;
        RequestState memory state = market.stateOf(market.requestId(asked));
        bool effective = vm.getBlockNumber() >= state.sinceBlock + DELAY;
        if (entries[place].status == Status.Cancelling) return !effective;
        if (entries[place].status != Status.Locked || !effective) return true;
        return delivery.payee == state.account || vm.getBlockTimestamp() > state.since + asked.offer.lockDuration;
    }

    function book(Delivery memory delivery, uint256[] memory places, Reason[] memory results) private {
        for (uint256 i = 0; i < places.length; ++i) {
            if (results[i] != Reason.None) continue;
            Entry storage entry = entries[places[i]];
            Request memory asked = requests[places[i]];
            vm.assertTrue(isPending(entry.status), "paid twice, or after it was sent back");
            RequestState memory state = market.stateOf(market.requestId(asked));
            vm.assertTrue(state.status == Status.Fulfilled && state.account == delivery.payee, "fulfilled");
            finish(places[i], Status.Fulfilled);
            ++entry.paid;
        }
    }

    function passTime(uint16 seconds_, uint8 blocks) external {
        pass(seconds_ % 90, blocks % 4);
    }

    function donate(uint64 amount) external {
        vm.assertTrue(token.transfer(address(market), amount % 1e6), "donated");
        donated += amount % 1e6;
    }

    /// @dev Rarely, the broken verifier contradicts itself.
    function freeze(uint256 seed) external {
        if (seed % 41 != 0 || market.isFrozen(broken, modelId)) return;
        Request memory asked = newRequest();
        asked.verifier = broken;
        Delivery memory delivery = deliver(asked, PROVIDER);
        delivery.verifier = broken;
        market.attest(delivery, "");
        delivery.answers[0].output[0] = 0x01;
        market.attest(delivery, "");
        vm.assertTrue(market.isFrozen(broken, modelId), "frozen");
        ++counts["freeze"];
    }

    /// @dev Everything comes to an end: after the deadlines all money can be sent back.
    function endAll() external {
        checkAll();
        pass(LIFETIME + 1, DELAY);
        for (uint256 i = 0; i < requests.length; ++i) {
            if (!isPending(entries[i].status)) continue;
            Request memory asked = requests[i];
            uint256 before = token.balanceOf(asked.requester);
            market.expire(termsOf(asked));
            vm.assertTrue(token.balanceOf(asked.requester) >= before + asked.offer.maxPrice, "refunded");
            finish(i, Status.Refunded);
            entries[i].sentBack += asked.offer.maxPrice;
        }
        checkAll();
    }

    /// @dev Every request stands where the books say, was paid or sent back once, and its bond went where it should.
    function checkAll() private view {
        for (uint256 i = 0; i < requests.length; ++i) {
            Entry memory entry = entries[i];
            Request memory asked = requests[i];
            Status status = market.stateOf(market.requestId(asked)).status;
            vm.assertEq(uint256(status), uint256(entry.status), "state by the books");
            vm.assertEq(entry.paid, status == Status.Fulfilled ? 1 : 0, "paid once");
            vm.assertEq(entry.sentBack, status == Status.Refunded ? asked.offer.maxPrice : 0, "sent back once");
            vm.assertEq(entry.bondsIn - entry.bondsOut, status == Status.Locked ? asked.offer.bond : 0, "bonds");
        }
    }
}

/// @dev What holds after any calls in any order.
contract MarketInvariantTest {
    MarketHandler private handler;

    function setUp() external {
        handler = new MarketHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(handler);
        targets[0].selectors = new bytes4[](9);
        targets[0].selectors[0] = MarketHandler.postOne.selector;
        targets[0].selectors[1] = MarketHandler.lockOne.selector;
        targets[0].selectors[2] = MarketHandler.cancelOne.selector;
        targets[0].selectors[3] = MarketHandler.sendBackOne.selector;
        targets[0].selectors[4] = MarketHandler.fulfilSome.selector;
        targets[0].selectors[5] = MarketHandler.passTime.selector;
        targets[0].selectors[6] = MarketHandler.donate.selector;
        targets[0].selectors[7] = MarketHandler.freeze.selector;
        targets[0].selectors[8] = MarketHandler.fulfilSome.selector;
    }

    /// @dev Escrow and bonds are there, to the unit, and nothing else but what was given.
    function invariant_solvency() external view {
        IMarket market = handler.theMarket();
        vm.assertEq(market.escrowOf(handler.verifierAt(0)), handler.escrows(0), "escrow");
        vm.assertEq(market.escrowOf(handler.verifierAt(1)), handler.escrows(1), "escrow of the broken one");
        uint256 owed = handler.escrows(0) + handler.escrows(1) + handler.bonds();
        vm.assertEq(handler.held(), owed + handler.donated(), "solvent");
    }

    /// @dev The handler is worth nothing if it never gets anywhere: each kind of call succeeds many times.
    function test_handlerGetsEverywhere() external {
        for (uint256 i = 0; i < 1500; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 more = seed >> 16;
            if (i == 1400) handler.freeze(0);
            else if (i % 9 == 0) handler.postOne(more, uint64(more), uint16(more));
            else if (i % 9 == 1) handler.lockOne(more, more >> 64);
            else if (i % 9 == 2) handler.cancelOne(more);
            else if (i % 9 == 3) handler.passTime(uint16(more), uint8(more));
            else if (i % 9 < 7) handler.sendBackOne(more, i % 9 == 4);
            else handler.fulfilSome(more, more >> 32, uint8(more), more % 3 == 0);
        }
        string[7] memory kinds = ["post", "lock", "cancel", "expire", "refund", "batch", "steps"];
        for (uint256 i = 0; i < kinds.length; ++i) {
            vm.assertTrue(handler.counts(bytes32(bytes(kinds[i]))) >= 5, kinds[i]);
        }
        vm.assertEq(handler.counts("freeze"), 1);
        handler.endAll();
    }

    /// @dev At the end of each run.
    function afterInvariant() external {
        handler.endAll();
        IMarket market = handler.theMarket();
        vm.assertEq(market.escrowOf(handler.verifierAt(0)) + market.escrowOf(handler.verifierAt(1)), 0, "no escrow");
        vm.assertEq(handler.held(), handler.donated(), "nothing is left but what was given");
    }
}
