// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IMarket} from "../src/market/IMarket.sol";
import {Permit, Request, RequestState, Sampling, Status} from "../src/market/Types.sol";
import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {create} from "./Create.sol";
import {vm} from "./Vm.sol";

/// @dev A wallet that is a contract: whoever knows a word may sign for it.
contract WalletContract is IERC1271 {
    bytes32 private immutable WORD;

    constructor(IERC20 token, address market, bytes32 word) {
        WORD = word;
        token.approve(market, type(uint256).max);
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bool valid = keccak256(signature) == keccak256(abi.encode(WORD, hash));
        return valid ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @dev Posting requests.
contract MarketRequestsTest is MarketFixture {
    function setUp() external {
        deploy();
    }

    function refused(Request memory asked, bytes memory reason) private {
        vm.expectRevert(reason);
        post(asked);
    }

    function refused(Request memory asked, bytes4 selector) private {
        refused(asked, abi.encodeWithSelector(selector));
    }

    function test_requestTakesTheHighestPrice() external {
        Request memory asked = newRequest();
        bytes32 id = market.requestId(asked);
        uint256 before = token.balanceOf(REQUESTER);
        vm.expectEmit(address(market));
        emit IMarket.Requested(id, REQUESTER, modelId, asked);
        vm.assertEq(post(asked), id);
        vm.assertEq(token.balanceOf(REQUESTER), before - MAX_PRICE);
        vm.assertEq(token.balanceOf(address(market)), MAX_PRICE);
        vm.assertEq(market.escrowOf(address(verifier)), MAX_PRICE);
        vm.assertTrue(market.isNonceUsed(REQUESTER, asked.nonce), "nonce");
        vm.assertTrue(!market.isNonceUsed(REQUESTER, asked.nonce + 1), "next nonce");
        RequestState memory state = market.stateOf(id);
        vm.assertTrue(state.status == Status.Open && state.account == address(0), "open");
        vm.assertEq(state.since, vm.getBlockTimestamp());
        vm.assertEq(state.sinceBlock, vm.getBlockNumber());
    }

    function test_requestRefusesWhatCannotBeAnswered() external {
        Request memory asked = newRequest();
        asked.modelId = bytes32(uint256(1));
        refused(asked, abi.encodeWithSelector(ModelRegistry.UnknownModel.selector, bytes32(uint256(1))));
        asked = newRequest();
        asked.verifier = address(0x1234);
        refused(asked, abi.encodeWithSelector(IMarket.InvalidVerifier.selector, address(0x1234)));
        asked = newRequest();
        asked.mode = 1;
        refused(asked, abi.encodeWithSelector(IMarket.InvalidMode.selector, 1));
        asked = newRequest();
        asked.inputCommitment = bytes32(uint256(1));
        refused(asked, abi.encodeWithSelector(IMarket.InvalidMode.selector, 0));
        asked = newRequest();
        asked.input = "";
        refused(asked, IMarket.EmptyInput.selector);
        asked.input = hex"010002";
        refused(asked, abi.encodeWithSelector(IMarket.InvalidIds.selector, 3));
        asked.input = hex"01000002";
        refused(asked, IMarket.InvalidToken.selector);
        asked = newRequest();
        asked.maxNewTokens = 0;
        refused(asked, IMarket.ZeroTokens.selector);
        asked.maxNewTokens = 511;
        refused(asked, abi.encodeWithSelector(IMarket.ContextExceeded.selector, 513, 512));
        asked.maxNewTokens = type(uint32).max;
        refused(asked, abi.encodeWithSelector(IMarket.ContextExceeded.selector, uint256(type(uint32).max) + 2, 512));
        asked.maxNewTokens = 510;
        post(asked);
    }

    function test_requestRefusesStopIds() external {
        Request memory asked = newRequest();
        asked.stopIds = hex"020003";
        refused(asked, abi.encodeWithSelector(IMarket.InvalidIds.selector, 3));
        asked.stopIds = hex"03000200";
        refused(asked, IMarket.InvalidStopIds.selector);
        asked.stopIds = hex"02000200";
        refused(asked, IMarket.InvalidStopIds.selector);
        asked.stopIds = hex"02000002";
        refused(asked, IMarket.InvalidToken.selector);
        // Little-endian: 255 is before 256.
        asked.stopIds = hex"ff000001";
        post(asked);
        asked = newRequest();
        asked.stopIds = hex"000001000200030004000500060007000800090010001100120013001400150016";
        asked.stopIds = abi.encodePacked(asked.stopIds, hex"00");
        refused(asked, IMarket.InvalidStopIds.selector);
        asked.stopIds = hex"0000010002000300040005000600070008000900100011001200130014001500";
        post(asked);
        asked = newRequest();
        asked.stopIds = "";
        post(asked);
    }

    function test_requestRefusesSampling() external {
        Request memory asked = newRequest();
        Sampling[9] memory wrong = [
            Sampling(0, 1, 65536, 0),
            Sampling(0, 0, 65535, 0),
            Sampling(0, 0, 65536, bytes32(uint256(1))),
            Sampling(16385, 0, 65536, 0),
            Sampling(1, 513, 65536, 0),
            Sampling(1, 0, 0, 0),
            Sampling(1, 0, 65537, 0),
            Sampling(type(uint32).max, 0, 65536, 0),
            Sampling(0, 0, 0, 0)
        ];
        for (uint256 i = 0; i < wrong.length; ++i) {
            asked.sampling = wrong[i];
            refused(asked, IMarket.InvalidSampling.selector);
        }
        asked.sampling = Sampling(16384, 512, 1, bytes32(uint256(1)));
        post(asked);
        asked = newRequest();
        asked.sampling = Sampling(1, 0, 65536, 0);
        post(asked);
    }

    function test_requestRefusesOffers() external {
        Request memory asked = newRequest();
        asked.offer.maxPrice = 0;
        asked.offer.minPrice = 0;
        refused(asked, IMarket.ZeroPrice.selector);
        asked = newRequest();
        asked.offer.minPrice = MAX_PRICE + 1;
        refused(asked, abi.encodeWithSelector(IMarket.InvalidPrice.selector, MAX_PRICE + 1, MAX_PRICE));
        asked.offer.maxPrice = 1 << 128;
        asked.offer.bond = 1 << 128;
        refused(asked, abi.encodeWithSelector(IMarket.InvalidPrice.selector, MAX_PRICE + 1, 1 << 128));
        asked = newRequest();
        asked.offer.basePermille = 1001;
        refused(asked, abi.encodeWithSelector(IMarket.InvalidBase.selector, 1001));
        asked = newRequest();
        asked.offer.lockDuration = uint32(15 * DELAY);
        refused(asked, abi.encodeWithSelector(IMarket.LockTooShort.selector, 15 * DELAY));
        asked = newRequest();
        asked.offer.bond = MAX_PRICE - 1;
        refused(asked, abi.encodeWithSelector(IMarket.InvalidBond.selector, MAX_PRICE - 1));
        asked.offer.bond = 1 << 128;
        refused(asked, abi.encodeWithSelector(IMarket.InvalidBond.selector, 1 << 128));
        asked.offer.bond = MAX_PRICE;
        post(asked);
    }

    function test_requestRefusesDeadlines() external {
        Request memory asked = newRequest();
        asked.offer.deadline = uint64(vm.getBlockTimestamp() - 1);
        refused(asked, abi.encodeWithSelector(IMarket.DeadlinePassed.selector, vm.getBlockTimestamp() - 1));
        asked.offer.deadline = uint64(vm.getBlockTimestamp());
        post(asked);
        asked = newRequest();
        asked.offer.deadline = uint64(vm.getBlockTimestamp() + 365 days + 1);
        refused(asked, abi.encodeWithSelector(IMarket.DeadlineTooFar.selector, vm.getBlockTimestamp() + 365 days + 1));
        asked.offer.deadline = type(uint64).max;
        refused(asked, abi.encodeWithSelector(IMarket.DeadlineTooFar.selector, type(uint64).max));
        asked.offer.deadline = uint64(vm.getBlockTimestamp() + 365 days);
        post(asked);
    }

    function test_escrowOfAVerifierIsCapped() external {
        Request memory asked = newRequest();
        asked.offer.maxPrice = ESCROW_CAP - MAX_PRICE + 1;
        asked.offer.bond = ESCROW_CAP;
        post(asked);
        Request memory next = newRequest();
        refused(next, abi.encodeWithSelector(IMarket.EscrowCapExceeded.selector, address(verifier), ESCROW_CAP + 1));
        next.offer.maxPrice = MAX_PRICE - 1;
        post(next);
        vm.assertEq(market.escrowOf(address(verifier)), ESCROW_CAP);
        // It is free again with what comes to an end.
        vm.warp(asked.offer.deadline + 1);
        market.expire(termsOf(asked));
        vm.assertEq(market.escrowOf(address(verifier)), MAX_PRICE - 1);
    }

    function test_requestTakesWhatThereIs() external {
        Request memory asked = newRequest();
        asked.requester = address(0xbeef);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(market), uint256(0), MAX_PRICE
            )
        );
        post(asked);
        vm.prank(address(0xbeef));
        token.approve(address(market), type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientBalance.selector, address(0xbeef), uint256(0), MAX_PRICE
            )
        );
        post(asked);
        vm.assertTrue(!market.isNonceUsed(address(0xbeef), asked.nonce), "nothing is left of it");
    }

    // Nonces.

    function test_noncesAreUsedOnceInAnyOrder() external {
        uint256[4] memory list = [uint256(256), 255, type(uint256).max, 0];
        for (uint256 i = 0; i < list.length; ++i) {
            Request memory asked = newRequest();
            asked.nonce = list[i];
            post(asked);
            refused(asked, abi.encodeWithSelector(IMarket.NonceUsed.selector, REQUESTER, list[i]));
            asked.maxNewTokens = 9;
            refused(asked, abi.encodeWithSelector(IMarket.NonceUsed.selector, REQUESTER, list[i]));
        }
    }

    function test_noncesBelongToTheirRequester() external {
        Request memory asked = posted();
        asked.requester = OTHER;
        post(asked);
    }

    function test_finishedRequestsStayFinished() external {
        Request memory asked = posted();
        fulfil(asked, PROVIDER);
        refused(asked, abi.encodeWithSelector(IMarket.NonceUsed.selector, REQUESTER, asked.nonce));
        Request memory next = posted();
        pass(LIFETIME + 1, 1);
        market.expire(termsOf(next));
        next.offer.deadline = uint64(vm.getBlockTimestamp() + 1);
        refused(next, abi.encodeWithSelector(IMarket.NonceUsed.selector, REQUESTER, next.nonce));
    }

    function test_cancelledNoncesCannotBeUsed() external {
        Request memory asked = newRequest();
        vm.expectEmit(address(market));
        emit IMarket.NonceCancelled(REQUESTER, asked.nonce);
        vm.prank(REQUESTER);
        market.cancelNonce(asked.nonce);
        bytes memory expected = abi.encodeWithSelector(IMarket.NonceUsed.selector, REQUESTER, asked.nonce);
        bytes memory signature = sign(REQUESTER_KEY, market.requestId(asked));
        vm.expectRevert(expected);
        market.requestFor(asked, signature, noPermit());
        vm.expectRevert(expected);
        vm.prank(REQUESTER);
        market.cancelNonce(asked.nonce);
    }

    // Signatures.

    function test_anybodyPostsWhatTheRequesterSigned() external {
        Request memory asked = newRequest();
        bytes memory signature = sign(REQUESTER_KEY, market.requestId(asked));
        vm.prank(ANYBODY);
        market.requestFor(asked, signature, noPermit());
        expectStatus(asked, Status.Open);
        vm.expectRevert(abi.encodeWithSelector(IMarket.NonceUsed.selector, REQUESTER, asked.nonce));
        market.requestFor(asked, signature, noPermit());
    }

    function test_nobodyPostsWhatTheRequesterDidNotSign() external {
        Request memory asked = newRequest();
        vm.expectRevert(abi.encodeWithSelector(IMarket.NotRequester.selector, REQUESTER));
        vm.prank(ANYBODY);
        market.request(asked);
        bytes memory signature = sign(REQUESTER_KEY, market.requestId(asked));
        asked.offer.maxPrice += 1;
        vm.expectRevert(IMarket.InvalidSignature.selector);
        market.requestFor(asked, signature, noPermit());
        signature = sign(REQUESTER_KEY + 1, market.requestId(asked));
        vm.expectRevert(IMarket.InvalidSignature.selector);
        market.requestFor(asked, signature, noPermit());
        vm.expectRevert(IMarket.InvalidSignature.selector);
        market.requestFor(asked, "", noPermit());
        // Of the zero address no signature is valid.
        asked.requester = address(0);
        vm.expectRevert(IMarket.InvalidSignature.selector);
        market.requestFor(asked, new bytes(65), noPermit());
    }

    function test_signaturesAreOfOneChainAndMarket() external {
        Request memory asked = newRequest();
        bytes memory signature = sign(REQUESTER_KEY, market.requestId(asked));
        vm.chainId(1);
        vm.expectRevert(IMarket.InvalidSignature.selector);
        market.requestFor(asked, signature, noPermit());
        vm.chainId(31337);
        IMarket first = market;
        MarketFixture.deploy();
        vm.expectRevert(IMarket.InvalidSignature.selector);
        market.requestFor(asked, signature, noPermit());
        vm.assertTrue(first.requestId(asked) != market.requestId(asked), "ids differ");
    }

    function test_contractsSignByTheirOwnRule() external {
        WalletContract wallet = new WalletContract(token, address(market), bytes32(uint256(7)));
        vm.assertTrue(token.transfer(address(wallet), MAX_PRICE), "funded");
        Request memory asked = newRequest();
        asked.requester = address(wallet);
        bytes32 id = market.requestId(asked);
        vm.expectRevert(IMarket.InvalidSignature.selector);
        market.requestFor(asked, abi.encode(uint256(8), id), noPermit());
        market.requestFor(asked, abi.encode(uint256(7), id), noPermit());
        expectStatus(asked, Status.Open);
    }

    // Permits.

    uint256 private constant NEWCOMER_KEY = 0x9e3c;

    function newcomer() private returns (Request memory asked) {
        address account = vm.addr(NEWCOMER_KEY);
        vm.assertTrue(token.transfer(account, MAX_PRICE), "funded");
        asked = newRequest();
        asked.requester = account;
    }

    function permitOf(uint256 value, uint256 deadline) private view returns (Permit memory permit) {
        address owner = vm.addr(NEWCOMER_KEY);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                address(market),
                value,
                token.nonces(owner),
                deadline
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(NEWCOMER_KEY, digest);
        return Permit(value, deadline, v, r, s);
    }

    function test_permitsAllowInOneTransaction() external {
        Request memory asked = newcomer();
        Permit memory permit = permitOf(MAX_PRICE, vm.getBlockTimestamp());
        vm.prank(asked.requester);
        market.requestFor(asked, "", permit);
        expectStatus(asked, Status.Open);
        vm.assertEq(token.balanceOf(asked.requester), 0);
    }

    function test_permitThatWasFrontRunIsNoFailure() external {
        Request memory asked = newcomer();
        Permit memory permit = permitOf(MAX_PRICE, vm.getBlockTimestamp());
        bytes memory signature = sign(NEWCOMER_KEY, market.requestId(asked));
        vm.prank(ANYBODY);
        token.permit(asked.requester, address(market), permit.value, permit.deadline, permit.v, permit.r, permit.s);
        market.requestFor(asked, signature, permit);
        expectStatus(asked, Status.Open);
    }

    function test_permitThatAllowsTooLittle() external {
        Request memory asked = newcomer();
        bytes memory signature = sign(NEWCOMER_KEY, market.requestId(asked));
        Permit memory permit = permitOf(MAX_PRICE - 1, vm.getBlockTimestamp());
        vm.expectRevert(abi.encodeWithSelector(IMarket.AllowanceTooLow.selector, MAX_PRICE - 1, MAX_PRICE));
        market.requestFor(asked, signature, permit);
        permit = permitOf(MAX_PRICE, vm.getBlockTimestamp() - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarket.AllowanceTooLow.selector, 0, MAX_PRICE));
        market.requestFor(asked, signature, permit);
        vm.expectRevert(abi.encodeWithSelector(IMarket.AllowanceTooLow.selector, 0, MAX_PRICE));
        market.requestFor(asked, signature, noPermit());
    }

    // Deployment.

    function tryCreate(bytes memory arguments) external returns (address) {
        return create("Market.sol:Market", arguments);
    }

    function notDeployed(IERC20 paid, ModelRegistry models, uint256 fee, uint256 delay, uint256 cap) private {
        createEmission(token);
        bytes memory arguments = abi.encode(paid, emission, models, fee, delay, cap);
        vm.expectRevert(IMarket.InvalidDeployment.selector);
        this.tryCreate(arguments);
    }

    function test_deploymentsThatAreNone() external {
        bytes memory arguments = abi.encode(token, emission, registry, FEE, DELAY, ESCROW_CAP);
        vm.expectRevert(IMarket.InvalidDeployment.selector);
        this.tryCreate(arguments);
        notDeployed(IERC20(address(registry)), registry, FEE, DELAY, ESCROW_CAP);
        notDeployed(token, ModelRegistry(address(1)), FEE, DELAY, ESCROW_CAP);
        notDeployed(token, registry, 10_001, DELAY, ESCROW_CAP);
        notDeployed(token, registry, FEE, 0, ESCROW_CAP);
        notDeployed(token, registry, FEE, 1_001, ESCROW_CAP);
        notDeployed(token, registry, FEE, DELAY, 0);
        createEmission(token);
        create("Market.sol:Market", abi.encode(token, emission, registry, 10_000, 1_000, 1));
    }
}
