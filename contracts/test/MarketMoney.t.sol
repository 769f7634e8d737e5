// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IMarket} from "../src/market/IMarket.sol";
import {Answer, Delivery, Reason, Request, Status} from "../src/market/Types.sol";
import {Emission} from "../src/token/Emission.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {vm} from "./Vm.sol";

/// @notice A token that does what it is told to, for once against its users.
contract HostileToken is ERC20, ERC20Burnable {
    /// @notice Taken of each transfer, in thousandths.
    uint256 public feePermille;
    /// @notice Whom nothing can be sent to.
    mapping(address account => bool) public refuses;
    /// @notice Says no instead of reverting.
    bool public quiet;
    /// @notice Called in the middle of each transfer.
    address public callee;
    bytes public callData;
    bytes public callResult;
    bool public callSucceeded;
    uint256 public calls;

    constructor() ERC20("Hostile", "HOST") {
        _mint(msg.sender, 1_000_000_000e18);
    }

    function setFee(uint256 permille) external {
        feePermille = permille;
    }

    function setRefuses(address account, bool refuses_, bool quiet_) external {
        refuses[account] = refuses_;
        quiet = quiet_;
    }

    function setCall(address callee_, bytes calldata data) external {
        (callee, callData) = (callee_, data);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (refuses[to]) {
            require(quiet, "refused");
            return false;
        }
        return super.transfer(to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (callee != address(0)) {
            ++calls;
            (callSucceeded, callResult) = callee.call(callData);
        }
        uint256 fee = from == address(0) || to == address(0) ? 0 : value * feePermille / 1000;
        super._update(from, to, value - fee);
        if (fee != 0) super._update(from, address(0), fee);
    }
}

/// @dev Where the money goes: hostile tokens, re-entrancy, fees and emission.
contract MarketMoneyTest is MarketFixture {
    HostileToken private hostile;

    function setUp() external {
        deploy();
    }

    /// @dev The market, on the hostile token.
    function deployHostile() private {
        hostile = new HostileToken();
        createEmission(hostile);
        createMarket(hostile, FEE);
        address[3] memory accounts = [REQUESTER, PROVIDER, OTHER];
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertTrue(hostile.transfer(accounts[i], 10_000e18), "funded");
            vm.prank(accounts[i]);
            hostile.approve(address(market), type(uint256).max);
        }
    }

    // Hostile tokens.

    function test_tokensThatKeepAPartAreRefused() external {
        deployHostile();
        Request memory good = posted();
        hostile.setFee(1);
        Request memory asked = newRequest();
        vm.expectRevert(abi.encodeWithSelector(IMarket.TransferIncomplete.selector, MAX_PRICE * 999 / 1000, MAX_PRICE));
        post(asked);
        vm.expectRevert(abi.encodeWithSelector(IMarket.TransferIncomplete.selector, BOND * 999 / 1000, BOND));
        lockBy(PROVIDER, good);
        expectStatus(good, Status.Open);
    }

    function test_whatCannotBeSentIsCredited() external {
        deployHostile();
        // A requester that nothing can be sent to does not keep the provider from being paid, nor the other way round.
        Request memory asked = posted();
        hostile.setRefuses(REQUESTER, true, false);
        hostile.setRefuses(PROVIDER, true, true);
        vm.expectEmit(address(market));
        emit IMarket.Credited(PROVIDER, MIN_PRICE - feeOf(MIN_PRICE));
        vm.expectEmit(address(market));
        emit IMarket.Credited(REQUESTER, MAX_PRICE - MIN_PRICE);
        fulfil(asked, PROVIDER);
        vm.assertEq(market.creditOf(PROVIDER), MIN_PRICE - feeOf(MIN_PRICE));
        vm.assertEq(market.creditOf(REQUESTER), MAX_PRICE - MIN_PRICE);
        vm.assertEq(hostile.balanceOf(address(market)), MAX_PRICE - feeOf(MIN_PRICE));
        // Credits are withdrawn, once, to wherever they can be sent.
        vm.startPrank(PROVIDER);
        vm.expectRevert();
        market.withdraw(PROVIDER);
        uint256 before = hostile.balanceOf(OTHER);
        market.withdraw(OTHER);
        vm.assertEq(hostile.balanceOf(OTHER), before + MIN_PRICE - feeOf(MIN_PRICE));
        vm.expectRevert(abi.encodeWithSelector(IMarket.NothingCredited.selector, PROVIDER));
        market.withdraw(OTHER);
        vm.stopPrank();
        hostile.setRefuses(REQUESTER, false, false);
        vm.prank(REQUESTER);
        vm.assertEq(market.withdraw(REQUESTER), MAX_PRICE - MIN_PRICE);
        vm.assertEq(hostile.balanceOf(address(market)), 0);
    }

    function test_lockersAndExpiryAreNotHeldUp() external {
        deployHostile();
        Request memory asked = posted();
        lockBy(OTHER, asked);
        hostile.setRefuses(OTHER, true, false);
        fulfil(asked, PROVIDER);
        vm.assertEq(market.creditOf(OTHER), BOND);
        asked = posted();
        hostile.setRefuses(REQUESTER, true, false);
        pass(LIFETIME + 1, 1);
        market.expire(termsOf(asked));
        vm.assertEq(market.creditOf(REQUESTER), MAX_PRICE);
    }

    // Re-entrancy.

    function reenter(bytes memory data) private {
        hostile.setCall(address(market), data);
    }

    function expectGuarded() private view {
        vm.assertTrue(hostile.calls() != 0 && !hostile.callSucceeded(), "called back, in vain");
        vm.assertEq(
            keccak256(hostile.callResult()),
            keccak256(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector))
        );
    }

    function test_nothingIsReentered() external {
        deployHostile();
        Request memory asked = posted();
        Request memory other = posted();
        Delivery memory delivery = deliver(other, PROVIDER);
        bytes memory proof = proofOf(delivery);
        pass(0, DELAY);
        bytes[9] memory data = [
            abi.encodeCall(IMarket.fulfil, (delivery, proof)),
            abi.encodeCall(IMarket.fulfilBatch, (delivery, proof)),
            abi.encodeCall(IMarket.request, (other)),
            abi.encodeCall(IMarket.requestFor, (other, "", noPermit())),
            abi.encodeCall(IMarket.lock, (termsOf(other), type(uint256).max)),
            abi.encodeCall(IMarket.refund, (termsOf(other))),
            abi.encodeCall(IMarket.expire, (termsOf(other))),
            abi.encodeCall(IMarket.withdraw, (OTHER)),
            abi.encodeCall(IMarket.attest, (delivery, proof))
        ];
        for (uint256 i = 0; i < data.length; ++i) {
            reenter(data[i]);
            posted();
            expectGuarded();
        }
        reenter(data[0]);
        fulfil(asked, PROVIDER);
        expectGuarded();
        expectStatus(other, Status.Open);
    }

    /// @dev In the middle of each way out, the same request again.
    function test_nobodyIsPaidTwiceByReentering() external {
        deployHostile();
        Request memory asked = posted();
        Delivery memory delivery = deliver(asked, PROVIDER);
        bytes memory proof = proofOf(delivery);
        reenter(abi.encodeCall(IMarket.fulfil, (delivery, proof)));
        market.fulfil(delivery, proof);
        expectGuarded();
        asked = posted();
        cancel(asked);
        pass(0, DELAY);
        reenter(abi.encodeCall(IMarket.refund, (termsOf(asked))));
        market.refund(termsOf(asked));
        expectGuarded();
        asked = posted();
        pass(LIFETIME + 1, 1);
        reenter(abi.encodeCall(IMarket.expire, (termsOf(asked))));
        market.expire(termsOf(asked));
        expectGuarded();
        vm.assertEq(hostile.balanceOf(address(market)), 0);
    }

    // Donations.

    function test_donationsChangeNothing() external {
        Request memory asked = posted();
        vm.assertTrue(token.transfer(address(market), 5), "donated");
        fulfil(asked, PROVIDER);
        vm.assertEq(token.balanceOf(address(market)), 5);
    }

    // Fees and emission.

    function test_fullFeeBurnsThePayment() external {
        createEmission(token);
        createMarket(token, 10_000);
        vm.prank(REQUESTER);
        token.approve(address(market), MAX_PRICE);
        Request memory asked = posted();
        (uint256 before, uint256 supply) = (token.balanceOf(PROVIDER), token.totalSupply());
        fulfil(asked, PROVIDER);
        vm.assertEq(token.balanceOf(PROVIDER), before);
        vm.assertEq(token.totalSupply(), supply - MIN_PRICE);
    }

    /// @dev A request each of so many is answered by each of two in every epoch; what they claim halves.
    function test_emissionOverSeveralHalvings() external {
        uint256 first = EMITTED / 2 / HALVING;
        for (uint256 epoch = 0; epoch < 3 * HALVING; ++epoch) {
            vm.warp(START + epoch * EPOCH + 1);
            fulfil(posted(), PROVIDER);
            fulfil(posted(), OTHER);
            Answer[] memory answers = new Answer[](2);
            answers[0] = answerTo(posted(), 8);
            answers[1] = answerTo(posted(), 8);
            Delivery memory delivery = deliver(answers, OTHER);
            bytes memory proof = proofOf(delivery);
            market.fulfilBatch(delivery, proof);
            vm.expectRevert(abi.encodeWithSelector(Emission.EpochNotOver.selector, epoch));
            emission.claim(epoch, PROVIDER);
            vm.warp(START + (epoch + 1) * EPOCH);
            uint256 amount = first >> (epoch / HALVING);
            (uint256 provider, uint256 other) = (token.balanceOf(PROVIDER), token.balanceOf(OTHER));
            emission.claim(epoch, PROVIDER);
            emission.claim(epoch, OTHER);
            vm.assertEq(token.balanceOf(PROVIDER), provider + amount / 4);
            vm.assertEq(token.balanceOf(OTHER), other + amount * 3 / 4);
            vm.expectRevert(abi.encodeWithSelector(Emission.NothingToClaim.selector, epoch, PROVIDER));
            emission.claim(epoch, PROVIDER);
        }
        // Twelve epochs with four answers each, at the fixed price of the second before the ramp.
        vm.assertEq(token.totalSupply(), CAP - 12 * 4 * feeOf(MIN_PRICE));
    }

    /// @dev Prices, lengths, bonds and times as they come: what goes in comes out, and nothing stays.
    function testFuzz_moneyIsConserved(uint128 low, uint128 high, uint16 base, uint8 tokens, uint16 wait, uint8 locker)
        external
    {
        Request memory asked = newRequest();
        asked.offer.maxPrice = uint256(high) % 5_000e18 + 1;
        asked.offer.minPrice = uint256(low) % (asked.offer.maxPrice + 1);
        asked.offer.bond = asked.offer.maxPrice + base;
        asked.offer.basePermille = base % 1001;
        post(asked);
        uint256 sum = total();
        if (locker % 3 == 1) lockBy(PROVIDER, asked);
        if (locker % 3 == 2) lockBy(OTHER, asked);
        pass(wait % (LIFETIME + 1), wait % 4);
        Delivery memory delivery = deliver(asked, PROVIDER, tokens % 8 + 1);
        bytes memory proof = proofOf(delivery);
        try market.fulfil(delivery, proof) returns (uint256 payment) {
            vm.assertTrue(payment <= asked.offer.maxPrice, "at most the highest price");
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(IMarket.LockedByAnother.selector));
            pass(LIFETIME + 1, 1);
            market.expire(termsOf(asked));
        }
        vm.assertEq(token.balanceOf(address(market)), 0);
        vm.assertEq(market.escrowOf(address(verifier)), 0);
        vm.assertEq(total(), sum);
    }

    /// @dev What all of them have, and what was burned.
    function total() private view returns (uint256) {
        return token.balanceOf(REQUESTER) + token.balanceOf(PROVIDER) + token.balanceOf(OTHER)
            + token.balanceOf(address(market)) + CAP - token.totalSupply();
    }
}
