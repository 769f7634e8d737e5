// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {AvowToken} from "../src/token/AvowToken.sol";
import {Emission} from "../src/token/Emission.sol";
import {Genesis} from "../src/token/Genesis.sol";
import {vm} from "./Vm.sol";

contract TokenTest {
    uint256 private constant EMITTED = 600_000_000e18;
    uint256 private constant CAP = 1_000_000_000e18;
    uint256 private constant START = 1_800_000_000;
    uint256 private constant WEEK = 7 days;
    uint256 private constant HALVING = 104;
    address private constant MARKET = address(0x4d61726b6574);
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);

    AvowToken private token;
    Emission private emission;
    Genesis private genesis;

    function setUp() external {
        vm.warp(START - 1 days);
        (token, emission, genesis) = deploy(EMITTED, allocations(CAP - EMITTED - 1e18, 1e18));
    }

    function allocations(uint256 a, uint256 b) private pure returns (Genesis.Allocation[] memory list) {
        list = new Genesis.Allocation[](2);
        list[0] = Genesis.Allocation(ALICE, a);
        list[1] = Genesis.Allocation(BOB, b);
    }

    function deploy(uint256 emitted, Genesis.Allocation[] memory list)
        private
        returns (AvowToken t, Emission e, Genesis g)
    {
        IERC20 predicted = IERC20(vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2));
        e = new Emission(predicted, MARKET, emitted, START, WEEK, HALVING);
        g = new Genesis(predicted, list);
        t = new AvowToken(e, g);
        vm.assertEq(address(t), address(predicted), "predicted address");
    }

    function test_allIsMintedOnce() external view {
        vm.assertEq(token.totalSupply(), CAP);
        vm.assertEq(token.balanceOf(address(emission)), EMITTED);
        vm.assertEq(token.balanceOf(address(genesis)), CAP - EMITTED);
    }

    function test_burningShrinksTheSupply() external {
        genesis.release(BOB);
        vm.prank(BOB);
        token.burn(0.4e18);
        vm.assertEq(token.totalSupply(), CAP - 0.4e18);
        vm.assertEq(token.balanceOf(BOB), 0.6e18);
    }

    function test_permitLetsAnotherSpend() external {
        uint256 key = 0xa11ce5;
        address owner = vm.addr(key);
        bytes32 permit = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                BOB,
                5,
                0,
                START
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), permit));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        token.permit(owner, BOB, 5, START, v, r, s);
        vm.assertEq(token.allowance(owner, BOB), 5);
    }

    // Genesis.

    function test_allocationsAreReleasedOnce() external {
        genesis.release(ALICE);
        vm.assertEq(token.balanceOf(ALICE), CAP - EMITTED - 1e18);
        vm.expectRevert(abi.encodeWithSelector(Genesis.NothingAllocated.selector, ALICE));
        genesis.release(ALICE);
        vm.expectRevert(abi.encodeWithSelector(Genesis.NothingAllocated.selector, MARKET));
        genesis.release(MARKET);
        genesis.release(BOB);
        vm.assertEq(token.balanceOf(BOB), 1e18);
        vm.assertEq(genesis.outstanding(), 0);
    }

    function test_allocationsThatAreNone() external {
        Genesis.Allocation[] memory list = allocations(1, 0);
        vm.expectRevert(abi.encodeWithSelector(Genesis.InvalidAllocation.selector, BOB));
        new Genesis(token, list);
        list[1] = Genesis.Allocation(ALICE, 1);
        vm.expectRevert(abi.encodeWithSelector(Genesis.InvalidAllocation.selector, ALICE));
        new Genesis(token, list);
        list[1] = Genesis.Allocation(address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(Genesis.InvalidAllocation.selector, address(0)));
        new Genesis(token, list);
    }

    /// @dev What is allocated and emitted must be the cap, and both must be about this token.
    function test_theCapIsAllocated() external {
        vm.chainId(1);
        deployRefused(EMITTED, allocations(CAP - EMITTED - 1e18, 2e18));
        deployRefused(EMITTED, allocations(CAP - EMITTED - 2e18, 1e18));
        deployRefused(CAP + 1, allocations(1, 1));
        vm.expectRevert(AvowToken.WrongAllocation.selector);
        new AvowToken(emission, genesis);
    }

    function deployRefused(uint256 emitted, Genesis.Allocation[] memory list) private {
        IERC20 predicted = IERC20(vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2));
        Emission e = new Emission(predicted, MARKET, emitted, START, WEEK, HALVING);
        Genesis g = new Genesis(predicted, list);
        vm.expectRevert(AvowToken.WrongAllocation.selector);
        new AvowToken(e, g);
    }

    function test_faucetGivesWhatTheListLeavesOver() external {
        (AvowToken t,, Genesis g) = deploy(EMITTED, allocations(CAP - EMITTED - 2_500e18, 1e18));
        g.drip(MARKET);
        g.drip(MARKET);
        vm.assertEq(t.balanceOf(MARKET), 2_000e18);
        vm.expectRevert(Genesis.FaucetEmpty.selector);
        g.drip(MARKET);
        g.release(ALICE);
        g.release(BOB);
        vm.chainId(1);
        vm.expectRevert(Genesis.NoFaucet.selector);
        g.drip(MARKET);
    }

    // Emission.

    function record(address payee, uint256 amount) private {
        vm.prank(MARKET);
        emission.record(payee, amount);
    }

    function test_onlyTheMarketRecords() external {
        vm.expectRevert(Emission.NotMarket.selector);
        emission.record(ALICE, 1);
    }

    function test_epochsAreSharedByWhatWasBurned() external {
        vm.warp(START + 3 * WEEK);
        record(ALICE, 1e18);
        vm.warp(START + 4 * WEEK - 1);
        record(BOB, 2e18);
        record(ALICE, 1e18);
        vm.expectRevert(abi.encodeWithSelector(Emission.EpochNotOver.selector, 3));
        emission.claim(3, ALICE);
        vm.warp(START + 4 * WEEK);
        record(BOB, 5e18);
        uint256 amount = EMITTED / 2 / HALVING;
        vm.assertEq(emission.claim(3, ALICE), amount / 2);
        vm.assertEq(emission.claim(3, BOB), amount / 2);
        vm.assertEq(token.balanceOf(ALICE), amount / 2);
        vm.expectRevert(abi.encodeWithSelector(Emission.NothingToClaim.selector, 3, ALICE));
        emission.claim(3, ALICE);
        vm.expectRevert(abi.encodeWithSelector(Emission.EpochNotOver.selector, 4));
        emission.claim(4, BOB);
        vm.expectRevert(abi.encodeWithSelector(Emission.NothingToClaim.selector, 2, ALICE));
        emission.claim(2, ALICE);
    }

    function test_whatIsBurnedBeforeTheStartCountsForTheFirstEpoch() external {
        record(ALICE, 1);
        vm.warp(START + WEEK - 1);
        vm.expectRevert(abi.encodeWithSelector(Emission.EpochNotOver.selector, 0));
        emission.claim(0, ALICE);
        vm.warp(START + WEEK);
        vm.assertEq(emission.claim(0, ALICE), EMITTED / 2 / HALVING);
    }

    function test_amountsHalve() external view {
        uint256 first = EMITTED / 2 / HALVING;
        vm.assertEq(emission.amountOf(0), first);
        vm.assertEq(emission.amountOf(HALVING - 1), first);
        vm.assertEq(emission.amountOf(HALVING), first / 2);
        vm.assertEq(emission.amountOf(3 * HALVING), first / 8);
        vm.assertEq(emission.amountOf(255 * HALVING), 0);
        vm.assertEq(emission.amountOf(type(uint256).max), 0);
    }

    /// @dev One payee that claims every epoch until nothing is left to hand out.
    function test_allEpochsTogetherStayBelowTheTotal() external {
        (, emission, genesis) = deploy(EMITTED, allocations(CAP - EMITTED - 1e18, 1e18));
        uint256 sum = 0;
        for (uint256 halving = 0; halving < 100; ++halving) {
            sum += HALVING * emission.amountOf(halving * HALVING);
        }
        vm.assertTrue(sum < EMITTED && sum > EMITTED - EMITTED / 1e9, "sum over all epochs");
    }

    /// @dev Whoever burns what, in whatever order: an epoch hands out no more than its amount, and no less but rounding.
    function testFuzz_sharesAddUp(uint256[8] memory burned, uint256 epoch) external {
        epoch = epoch % (10 * HALVING);
        vm.warp(START + epoch * WEEK);
        for (uint256 i = 0; i < 8; ++i) {
            record(address(uint160(0x1000 + i)), (burned[i] % 1e27) + 1);
        }
        vm.warp(START + (epoch + 1) * WEEK);
        uint256 sum = 0;
        for (uint256 i = 0; i < 8; ++i) {
            sum += emission.claim(epoch, address(uint160(0x1000 + i)));
        }
        vm.assertTrue(sum <= emission.amountOf(epoch) && sum + 8 > emission.amountOf(epoch), "sum of the shares");
        vm.assertEq(token.balanceOf(address(emission)), EMITTED - sum);
    }

    function test_schedulesThatAreNone() external {
        vm.expectRevert(Emission.InvalidSchedule.selector);
        new Emission(token, address(0), EMITTED, START, WEEK, HALVING);
        vm.expectRevert(Emission.InvalidSchedule.selector);
        new Emission(IERC20(address(0)), MARKET, EMITTED, START, WEEK, HALVING);
        vm.expectRevert(Emission.InvalidSchedule.selector);
        new Emission(token, MARKET, EMITTED, START, 0, HALVING);
        vm.expectRevert(Emission.InvalidSchedule.selector);
        new Emission(token, MARKET, EMITTED, START, WEEK, 0);
        vm.expectRevert(Emission.InvalidSchedule.selector);
        new Emission(token, MARKET, 2 * HALVING - 1, START, WEEK, HALVING);
    }
}
