// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {ModelRegistry} from "../registry/ModelRegistry.sol";
import {Emission} from "../token/Emission.sol";
import {Deliveries} from "./Deliveries.sol";
import {IMarket} from "./IMarket.sol";
import {Pricing} from "./Pricing.sol";
import {ProofSteps} from "./ProofSteps.sol";
import {Requests} from "./Requests.sol";
import {
    Answer,
    Delivery,
    Offer,
    Permit,
    Reason,
    Request,
    RequestState,
    Status,
    Step,
    Terms,
    VerifierState
} from "./Types.sol";

/// @title The market
/// @dev What it holds is at least the escrow of all requests that are open, locked or being cancelled, the bonds of those
/// that are locked, and all credits. Everything that is sent comes after all checks and changes of state; verifiers, which
/// anybody may bring, are only ever called statically.
contract Market is ProofSteps, EIP712, ReentrancyGuardTransient {
    using Pricing for Offer;
    using Requests for Request;
    using Requests for Terms;
    using SafeERC20 for IERC20;

    /// @dev What a delivery comes to, before any of it is sent.
    struct Settlement {
        bytes32[] ids;
        Reason[] results;
        /// Who gets what besides the payee, the first `sent` entries.
        address[] accounts;
        uint256[] amounts;
        uint256 sent;
        /// What the payee gets.
        uint256 income;
        /// What requesters pay, fees included.
        uint256 payments;
        /// What is burned as fees, and of bonds.
        uint256 fees;
        uint256 slashed;
        /// What leaves the escrow; not zero if anything is paid.
        uint256 escrow;
    }

    /// @notice What everything is paid in.
    IERC20 public immutable TOKEN;
    /// @notice Is told which fees were burned.
    Emission public immutable EMISSION;
    /// @notice Knows the models.
    ModelRegistry public immutable REGISTRY;
    /// @notice What part of a payment is burned, in units of 1/10,000.
    uint256 public immutable FEE_BASIS_POINTS;
    /// @notice Blocks after which a lock or a cancellation takes effect.
    uint256 public immutable DELAY_BLOCKS;
    /// @notice Most that may be in escrow for requests naming one verifier.
    uint256 public immutable ESCROW_CAP;
    /// @notice How far away a deadline may be, in seconds.
    uint256 public constant MAX_LIFETIME = 365 days;

    uint256 private constant MAX_ANSWERS = 64;
    uint256 private constant BASIS_POINTS = 10_000;
    uint256 private constant MAX_DELAY_BLOCKS = 1_000;

    mapping(bytes32 id => RequestState state) private states;
    /// @dev Bit number (nonce mod 256) of word number (nonce / 256).
    mapping(address requester => mapping(uint256 number => uint256 word)) private nonces;
    mapping(address verifier => VerifierState state) private verifiers;

    /// @inheritdoc IMarket
    mapping(bytes32 question => bytes32 outputHash) public override attestedOutput;
    /// @inheritdoc IMarket
    mapping(address verifier => mapping(bytes32 modelId => bool frozen)) public override isFrozen;
    /// @inheritdoc IMarket
    mapping(address account => uint256 amount) public override creditOf;

    /// @param token ERC-20 with EIP-2612, which its holders can burn.
    /// @param emission Of the same token, for this market.
    /// @param registry The models that there can be requests to.
    /// @param feeBasisPoints Of each payment, what is burned; at most 10,000.
    /// @param delayBlocks 1 to 1,000.
    /// @param escrowCap For each verifier: what a broken one can do harm with. Below 2^128.
    constructor(
        IERC20 token,
        Emission emission,
        ModelRegistry registry,
        uint256 feeBasisPoints,
        uint256 delayBlocks,
        uint256 escrowCap
    ) EIP712("Avow Market", "1") {
        if (address(emission.TOKEN()) != address(token) || emission.MARKET() != address(this)) {
            revert InvalidDeployment();
        }
        if (address(registry).code.length == 0 || feeBasisPoints > BASIS_POINTS) {
            revert InvalidDeployment();
        }
        if (escrowCap == 0 || escrowCap > type(uint128).max) revert InvalidDeployment();
        if (delayBlocks == 0 || delayBlocks > MAX_DELAY_BLOCKS) revert InvalidDeployment();
        TOKEN = token;
        EMISSION = emission;
        REGISTRY = registry;
        FEE_BASIS_POINTS = feeBasisPoints;
        DELAY_BLOCKS = delayBlocks;
        ESCROW_CAP = escrowCap;
    }

    // Requests.

    /// @inheritdoc IMarket
    function request(Request calldata newRequest) external override nonReentrant returns (bytes32 id) {
        if (msg.sender != newRequest.requester) revert NotRequester(newRequest.requester);
        id = requestId(newRequest);
        post(id, newRequest);
    }

    /// @inheritdoc IMarket
    function requestFor(Request calldata newRequest, bytes calldata signature, Permit calldata permit)
        external
        override
        nonReentrant
        returns (bytes32 id)
    {
        id = requestId(newRequest);
        address requester = newRequest.requester;
        if (msg.sender != requester && !SignatureChecker.isValidSignatureNowCalldata(requester, id, signature)) {
            revert InvalidSignature();
        }
        usePermit(newRequest, permit);
        post(id, newRequest);
    }

    /// @inheritdoc IMarket
    function cancelNonce(uint256 nonce) external override {
        useNonce(msg.sender, nonce);
        emit NonceCancelled(msg.sender, nonce);
    }

    /// @inheritdoc IMarket
    function cancel(Terms calldata terms) external override nonReentrant {
        if (msg.sender != terms.requester) revert NotRequester(terms.requester);
        bytes32 id = idOf(terms);
        requireOpen(id);
        states[id] = stateNow(Status.Cancelling, address(0));
        emit Cancelling(id, block.number + DELAY_BLOCKS);
    }

    /// @inheritdoc IMarket
    function refund(Terms calldata terms) external override nonReentrant {
        bytes32 id = idOf(terms);
        RequestState memory state = pendingState(id);
        if (!isFrozen[terms.verifier][terms.modelId]) {
            if (state.status != Status.Cancelling) revert WrongStatus(id, state.status);
            uint256 effectiveBlock = state.sinceBlock + DELAY_BLOCKS;
            if (block.number < effectiveBlock) revert CancellationPending(effectiveBlock);
        }
        sendBack(id, terms, state);
    }

    /// @inheritdoc IMarket
    function expire(Terms calldata terms) external override nonReentrant {
        bytes32 id = idOf(terms);
        RequestState memory state = pendingState(id);
        if (block.timestamp <= terms.offer.deadline) revert DeadlineNotPassed(terms.offer.deadline);
        sendBack(id, terms, state);
    }

    // Answers.

    /// @inheritdoc IMarket
    function lock(Terms calldata terms, uint256 latest) external override nonReentrant {
        if (block.timestamp > latest) revert TooLate(latest);
        Offer calldata offer = terms.offer;
        bytes32 id = idOf(terms);
        requireOpen(id);
        if (block.timestamp > offer.deadline) revert DeadlinePassed(offer.deadline);
        requireNotFrozen(terms.verifier, terms.modelId);
        states[id] = stateNow(Status.Locked, msg.sender);
        emit Locked(id, msg.sender, offer.priceAt(block.timestamp), block.timestamp + offer.lockDuration);
        take(msg.sender, offer.bond);
    }

    /// @inheritdoc IMarket
    function fulfil(Delivery calldata delivery, bytes calldata proof)
        external
        override
        nonReentrant
        returns (uint256 payment)
    {
        if (delivery.answers.length != 1) revert InvalidCount(delivery.answers.length);
        (Settlement memory settlement, bytes memory encoded) = settle(delivery);
        if (settlement.results[0] != Reason.None) {
            refuse(delivery.answers[0].request, settlement.ids[0], settlement.results[0]);
        }
        verifyWhole(delivery.verifier, delivery.modelId, encoded, proof);
        sendAll(delivery.payee, settlement);
        payment = settlement.payments;
    }

    /// @inheritdoc IMarket
    function fulfilBatch(Delivery calldata delivery, bytes calldata proof)
        external
        override
        nonReentrant
        returns (Reason[] memory results)
    {
        (Settlement memory settlement, bytes memory encoded) = settleSome(delivery);
        verifyWhole(delivery.verifier, delivery.modelId, encoded, proof);
        sendAll(delivery.payee, settlement);
        results = settlement.results;
    }

    /// @inheritdoc IMarket
    function fulfilSteps(uint256 lane, Delivery calldata delivery, Step calldata step)
        external
        override
        nonReentrant
        returns (Reason[] memory results)
    {
        (Settlement memory settlement, bytes memory encoded) = settleSome(delivery);
        verifyLast(lane, delivery.verifier, delivery.modelId, encoded, step);
        sendAll(delivery.payee, settlement);
        results = settlement.results;
    }

    // The emergency brake.

    /// @inheritdoc IMarket
    function attest(Delivery calldata delivery, bytes calldata proof) external override nonReentrant {
        requireNotFrozen(delivery.verifier, delivery.modelId);
        verifyWhole(delivery.verifier, delivery.modelId, deliveryBytes(delivery), proof);
        takeDown(delivery);
    }

    /// @inheritdoc IMarket
    function attestSteps(uint256 lane, Delivery calldata delivery, Step calldata step) external override nonReentrant {
        requireNotFrozen(delivery.verifier, delivery.modelId);
        verifyLast(lane, delivery.verifier, delivery.modelId, deliveryBytes(delivery), step);
        takeDown(delivery);
    }

    // Credits.

    /// @inheritdoc IMarket
    function withdraw(address to) external override nonReentrant returns (uint256 amount) {
        amount = creditOf[msg.sender];
        if (amount == 0) revert NothingCredited(msg.sender);
        delete creditOf[msg.sender];
        emit Withdrawn(msg.sender, to, amount);
        TOKEN.safeTransfer(to, amount);
    }

    // Views.

    /// @inheritdoc IMarket
    function stateOf(bytes32 id) external view override returns (RequestState memory) {
        return states[id];
    }

    /// @inheritdoc IMarket
    function escrowOf(address verifier) external view override returns (uint256) {
        return verifiers[verifier].escrow;
    }

    /// @inheritdoc IMarket
    function questionOf(Request calldata anyRequest) external view override returns (bytes32) {
        return anyRequest.question(REGISTRY.modelOf(anyRequest.modelId).vocabulary);
    }

    /// @inheritdoc IMarket
    function isNonceUsed(address requester, uint256 nonce) external view override returns (bool) {
        return nonces[requester][nonce >> 8] & (1 << (nonce & 0xff)) != 0;
    }

    /// @inheritdoc IMarket
    function termsOf(Request calldata anyRequest) external pure override returns (Terms memory) {
        return anyRequest.terms();
    }

    /// @inheritdoc IMarket
    function priceOf(Offer calldata offer, uint256 timestamp) external pure override returns (uint256) {
        return offer.priceAt(timestamp);
    }

    /// @inheritdoc IMarket
    function paymentOf(uint256 price, uint256 basePermille, uint256 produced, uint256 maxNewTokens)
        external
        pure
        override
        returns (uint256)
    {
        return Pricing.payment(price, basePermille, produced, maxNewTokens);
    }

    /// @inheritdoc IMarket
    function requestId(Request calldata anyRequest) public view override returns (bytes32) {
        return _hashTypedDataV4(anyRequest.structHash());
    }

    /// @inheritdoc IMarket
    function deliveryBytes(Delivery calldata delivery) public view override returns (bytes memory) {
        uint256 count = countOf(delivery);
        bytes32[] memory ids = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = requestId(delivery.answers[i].request);
        }
        return encode(delivery, ids, REGISTRY.modelOf(delivery.modelId).idBytes);
    }

    // Requests: what they do.

    function idOf(Terms calldata terms) private view returns (bytes32) {
        return _hashTypedDataV4(terms.structHash());
    }

    function post(bytes32 id, Request calldata newRequest) private {
        Offer calldata offer = newRequest.offer;
        newRequest.check(REGISTRY.modelOf(newRequest.modelId), DELAY_BLOCKS);
        if (block.timestamp > offer.deadline) revert DeadlinePassed(offer.deadline);
        if (offer.deadline > block.timestamp + MAX_LIFETIME) revert DeadlineTooFar(offer.deadline);
        useNonce(newRequest.requester, newRequest.nonce);
        reserve(newRequest.verifier, newRequest.modelId, offer.maxPrice);
        states[id] = stateNow(Status.Open, address(0));
        emit Requested(id, newRequest.requester, newRequest.modelId, newRequest);
        take(newRequest.requester, offer.maxPrice);
    }

    /// @dev Adds to the escrow of a verifier that can be named.
    function reserve(address verifier, bytes32 modelId, uint256 amount) private {
        VerifierState storage stored = verifiers[verifier];
        VerifierState memory state = stored;
        if (!state.known && verifier.code.length == 0) revert InvalidVerifier(verifier);
        if (state.contradicted) requireNotFrozen(verifier, modelId);
        uint256 escrow = state.escrow + amount;
        if (escrow > ESCROW_CAP) revert EscrowCapExceeded(verifier, escrow);
        // The cap is below 2^128.
        (stored.escrow, stored.known) = (uint128(escrow), true);
    }

    /// @dev Takes from the escrow of a verifier what its requests have brought.
    function release(address verifier, uint256 amount) private {
        // Not more than was added, which was below 2^128.
        verifiers[verifier].escrow -= uint128(amount);
    }

    function usePermit(Request calldata newRequest, Permit calldata permit) private {
        address requester = newRequest.requester;
        if (permit.v != 0) {
            // Whatever goes wrong, somebody may have used it before: what counts is the allowance.
            // solhint-disable no-empty-blocks
            try IERC20Permit(address(TOKEN))
                .permit(requester, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s) {}
                catch {}
        }
        uint256 allowance = TOKEN.allowance(requester, address(this));
        if (allowance < newRequest.offer.maxPrice) revert AllowanceTooLow(allowance, newRequest.offer.maxPrice);
    }

    function useNonce(address requester, uint256 nonce) private {
        mapping(uint256 number => uint256 word) storage words = nonces[requester];
        (uint256 number, uint256 bit) = (nonce >> 8, 1 << (nonce & 0xff));
        uint256 word = words[number];
        if (word & bit != 0) revert NonceUsed(requester, nonce);
        words[number] = word | bit;
    }

    /// @dev Sends a request's money back. A bond is burned, unless the verifier's failure is why.
    function sendBack(bytes32 id, Terms calldata terms, RequestState memory state) private {
        Offer calldata offer = terms.offer;
        bool frozen = isFrozen[terms.verifier][terms.modelId];
        states[id] = stateNow(Status.Refunded, address(0));
        release(terms.verifier, offer.maxPrice);
        emit Refunded(id, terms.requester, offer.maxPrice, state.status);
        if (state.status == Status.Locked) {
            if (frozen) {
                emit BondReturned(id, state.account, offer.bond);
                send(state.account, offer.bond);
            } else {
                emit BondSlashed(id, state.account, 0, offer.bond);
                burn(offer.bond);
            }
        }
        send(terms.requester, offer.maxPrice);
    }

    // Answers: what they do.

    /// @dev As `settle`, where something must be left to be paid.
    function settleSome(Delivery calldata delivery)
        private
        returns (Settlement memory settlement, bytes memory encoded)
    {
        (settlement, encoded) = settle(delivery);
        if (settlement.escrow == 0) revert NothingToPay();
    }

    /// @dev Sorts out what can be paid, and marks it as paid. The caller checks the proof and sends the money, or reverts.
    /// @return settlement What is to be sent.
    /// @return encoded The delivery's bytes.
    function settle(Delivery calldata delivery) private returns (Settlement memory settlement, bytes memory encoded) {
        uint256 count = countOf(delivery);
        if (delivery.payee == address(0) || delivery.payee == address(this)) revert InvalidPayee();
        requireNotFrozen(delivery.verifier, delivery.modelId);
        uint256 width = REGISTRY.modelOf(delivery.modelId).idBytes;
        settlement.ids = new bytes32[](count);
        settlement.results = new Reason[](count);
        // Of each at most the requester's and the locker's.
        settlement.accounts = new address[](2 * count);
        settlement.amounts = new uint256[](2 * count);
        for (uint256 i = 0; i < count; ++i) {
            settleAnswer(settlement, delivery, i, width);
        }
        release(delivery.verifier, settlement.escrow);
        encoded = encode(delivery, settlement.ids, width);
    }

    function settleAnswer(Settlement memory settlement, Delivery calldata delivery, uint256 index, uint256 width)
        private
    {
        Answer calldata answer = delivery.answers[index];
        Request calldata asked = answer.request;
        bytes32 id = requestId(asked);
        settlement.ids[index] = id;
        RequestState memory state = states[id];
        Reason reason = reasonAgainst(delivery, asked, state);
        if (reason == Reason.Fulfilled && isPaidBefore(settlement, index)) reason = Reason.Repeated;
        settlement.results[index] = reason;
        if (reason != Reason.None) {
            emit ItemSkipped(id, reason);
            return;
        }
        states[id] = stateNow(Status.Fulfilled, delivery.payee);
        Offer calldata offer = asked.offer;
        bool locked = isEffective(state, Status.Locked);
        uint256 payment = Pricing.payment(
            offer.priceAt(locked ? state.since : block.timestamp),
            offer.basePermille,
            Deliveries.produced(answer, width, index),
            asked.maxNewTokens
        );
        uint256 fee = payment * FEE_BASIS_POINTS / BASIS_POINTS;
        settlement.payments += payment;
        settlement.fees += fee;
        settlement.income += payment - fee;
        settlement.escrow += offer.maxPrice;
        addPayout(settlement, asked.requester, offer.maxPrice - payment);
        emit Fulfilled(id, delivery.payee, payment, fee, answer.end, answer.output);
        if (state.status == Status.Locked) {
            bool late = locked && block.timestamp > state.since + offer.lockDuration;
            settleBond(settlement, id, delivery.payee, state.account, offer.bond, late);
        }
    }

    /// @dev Where a locker's bond goes when the request is answered, by the locker or not.
    function settleBond(
        Settlement memory settlement,
        bytes32 id,
        address payee,
        address locker,
        uint256 bond,
        bool late
    ) private {
        if (!late) {
            emit BondReturned(id, locker, bond);
            if (payee == locker) settlement.income += bond;
            else addPayout(settlement, locker, bond);
            return;
        }
        uint256 bounty = payee == locker ? 0 : bond / 2;
        settlement.income += bounty;
        settlement.slashed += bond - bounty;
        emit BondSlashed(id, locker, bounty, bond - bounty);
    }

    function addPayout(Settlement memory settlement, address account, uint256 amount) private pure {
        settlement.accounts[settlement.sent] = account;
        settlement.amounts[settlement.sent] = amount;
        ++settlement.sent;
    }

    /// @dev Sends what a settlement says.
    function sendAll(address payee, Settlement memory settlement) private {
        burn(settlement.fees + settlement.slashed);
        if (settlement.fees != 0) EMISSION.record(payee, settlement.fees);
        send(payee, settlement.income);
        for (uint256 i = 0; i < settlement.sent; ++i) {
            send(settlement.accounts[i], settlement.amounts[i]);
        }
    }

    /// @dev Why an answer to a request is not paid now.
    function reasonAgainst(Delivery calldata delivery, Request calldata asked, RequestState memory state)
        private
        view
        returns (Reason)
    {
        if (asked.modelId != delivery.modelId) return Reason.OtherModel;
        if (asked.verifier != delivery.verifier) return Reason.OtherVerifier;
        if (state.status == Status.Unknown) return Reason.Unknown;
        if (state.status == Status.Fulfilled) return Reason.Fulfilled;
        if (state.status == Status.Refunded) return Reason.Refunded;
        if (block.timestamp > asked.offer.deadline) return Reason.Expired;
        if (isEffective(state, Status.Cancelling)) return Reason.Cancelled;
        if (isEffective(state, Status.Locked) && delivery.payee != state.account) {
            if (block.timestamp <= state.since + asked.offer.lockDuration) return Reason.LockedByAnother;
        }
        return Reason.None;
    }

    /// @dev Reverts with the error that a reason has outside of batches.
    function refuse(Request calldata asked, bytes32 id, Reason reason) private view {
        if (reason == Reason.OtherModel) revert OtherModel(asked.modelId);
        if (reason == Reason.OtherVerifier) revert OtherVerifier(asked.verifier);
        if (reason == Reason.Unknown) revert UnknownRequest(id);
        if (reason == Reason.Expired) revert DeadlinePassed(asked.offer.deadline);
        if (reason == Reason.Cancelled) revert CancellationEffective(id);
        if (reason == Reason.LockedByAnother) revert LockedByAnother(id, states[id].account);
        revert WrongStatus(id, states[id].status);
    }

    /// @dev Whether an answer before this one was paid for the same request.
    function isPaidBefore(Settlement memory settlement, uint256 index) private pure returns (bool) {
        for (uint256 i = 0; i < index; ++i) {
            if (settlement.ids[i] == settlement.ids[index] && settlement.results[i] == Reason.None) return true;
        }
        return false;
    }

    function encode(Delivery calldata delivery, bytes32[] memory ids, uint256 width)
        private
        view
        returns (bytes memory)
    {
        Deliveries.Header memory header =
            Deliveries.Header(delivery.modelId, block.chainid, address(this), delivery.payee);
        return Deliveries.encode(header, ids, delivery.answers, width);
    }

    function countOf(Delivery calldata delivery) private pure returns (uint256 count) {
        count = delivery.answers.length;
        if (count == 0 || count > MAX_ANSWERS) revert InvalidCount(count);
    }

    /// @dev Notes the outputs of a proven delivery, and freezes verifier and model if one was another before.
    function takeDown(Delivery calldata delivery) private {
        uint256 vocabulary = REGISTRY.modelOf(delivery.modelId).vocabulary;
        for (uint256 i = 0; i < delivery.answers.length; ++i) {
            Answer calldata answer = delivery.answers[i];
            Request calldata asked = answer.request;
            if (asked.modelId != delivery.modelId || asked.verifier != delivery.verifier) continue;
            bytes32 question = asked.question(vocabulary);
            (bytes32 first, bytes32 second) = (attestedOutput[question], keccak256(answer.output));
            if (first == 0) {
                attestedOutput[question] = second;
                emit Attested(question, second);
            } else if (first != second) {
                isFrozen[delivery.verifier][delivery.modelId] = true;
                verifiers[delivery.verifier].contradicted = true;
                emit Frozen(delivery.verifier, delivery.modelId, question, first, second);
                return;
            }
        }
    }

    // States.

    /// @dev The state of a request that came to stand here now. 40 bits hold 34,000 years and as many blocks a second as
    /// there will be.
    function stateNow(Status status, address account) private view returns (RequestState memory) {
        return RequestState(status, account, uint40(block.timestamp), uint40(block.number));
    }

    /// @dev Whether a request stands there for long enough.
    function isEffective(RequestState memory state, Status status) private view returns (bool) {
        return state.status == status && block.number >= state.sinceBlock + DELAY_BLOCKS;
    }

    function requireOpen(bytes32 id) private view {
        Status status = states[id].status;
        if (status == Status.Unknown) revert UnknownRequest(id);
        if (status != Status.Open) revert WrongStatus(id, status);
    }

    /// @dev The state of a request whose money is here.
    function pendingState(bytes32 id) private view returns (RequestState memory state) {
        state = states[id];
        if (state.status == Status.Unknown) revert UnknownRequest(id);
        if (state.status == Status.Fulfilled || state.status == Status.Refunded) revert WrongStatus(id, state.status);
    }

    function requireNotFrozen(address verifier, bytes32 modelId) private view {
        if (isFrozen[verifier][modelId]) revert ModelFrozen(verifier, modelId);
    }

    // Money.

    /// @dev Takes an amount from an account that has allowed it. A token that keeps a part of it is refused.
    function take(address from, uint256 amount) private {
        uint256 before = TOKEN.balanceOf(address(this));
        TOKEN.safeTransferFrom(from, address(this), amount);
        uint256 afterwards = TOKEN.balanceOf(address(this));
        if (afterwards < before + amount) {
            revert TransferIncomplete(afterwards > before ? afterwards - before : 0, amount);
        }
    }

    /// @dev Sends an amount, or credits it: nobody's refusal keeps another from being paid.
    function send(address to, uint256 amount) private {
        if (amount == 0 || TOKEN.trySafeTransfer(to, amount)) return;
        creditOf[to] += amount;
        emit Credited(to, amount);
    }

    function burn(uint256 amount) private {
        if (amount != 0) ERC20Burnable(address(TOKEN)).burn(amount);
    }
}
