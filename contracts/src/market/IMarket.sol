// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Delivery, Offer, Permit, Reason, Request, RequestState, Status, Step, Terms} from "./Types.sol";

/// @title Where anybody buys a model's answer with a proof
/// @notice A requester posts a request and the highest price. The price rises from its lowest (a reverse Dutch auction) until
/// a provider locks the request, or answers it without a lock. An answer is paid when its proof is accepted by the verifier
/// that the request names; the payee is named in what is proven, so whoever submits a proof, it pays its maker. What nobody
/// answers goes back to the requester.
///
/// Nobody owns the market, and nothing of it can be changed. Requests are carried in calldata; kept of each are a bit for its
/// nonce and one word. Where prompt and sampling do not matter, its terms are enough: the same with their hashes. Locks and cancellations take effect DELAY_BLOCKS after their inclusion: an answer that lands before
/// is paid as if they were not there, so nobody can take an answer that he sees in flight without paying it.
///
/// Money is sent as it falls due. What cannot be sent is credited, and withdrawn by whom it belongs to.
interface IMarket {
    // Events.

    /// @notice A request was posted; its price is in escrow.
    event Requested(bytes32 indexed id, address indexed requester, bytes32 indexed modelId, Request request);
    /// @notice A request was locked.
    /// @param price What its answer is paid with, at most.
    /// @param until The last moment at which only the locker is paid, a timestamp.
    event Locked(bytes32 indexed id, address indexed locker, uint256 price, uint256 until);
    /// @notice A requester takes a request back.
    /// @param effectiveBlock The first block in which its answer is not paid any more.
    event Cancelling(bytes32 indexed id, uint256 effectiveBlock);
    /// @notice A request was answered.
    /// @param payment What the requester paid; the fee is part of it.
    /// @param fee What of it was burned.
    /// @param end 1 if the answer ends with a stop id, else 0.
    /// @param output Token ids, little-endian, in the width of the model.
    event Fulfilled(bytes32 indexed id, address indexed payee, uint256 payment, uint256 fee, uint8 end, bytes output);
    /// @notice An answer of a delivery was not paid; others were.
    event ItemSkipped(bytes32 indexed id, Reason reason);
    /// @notice A request's money went back to its requester.
    /// @param status What it was before.
    event Refunded(bytes32 indexed id, address indexed requester, uint256 amount, Status status);
    /// @notice A locker gets a bond back: the request was answered in time, or the lock had not taken effect.
    event BondReturned(bytes32 indexed id, address indexed locker, uint256 amount);
    /// @notice A locker was late and lost a bond.
    /// @param bounty What of it went to the payee that stepped in.
    /// @param burned The rest.
    event BondSlashed(bytes32 indexed id, address indexed locker, uint256 bounty, uint256 burned);
    /// @notice A requester has used up a nonce without a request.
    event NonceCancelled(address indexed requester, uint256 nonce);
    /// @notice Money could not be sent, and waits to be withdrawn.
    event Credited(address indexed account, uint256 amount);
    /// @notice Credited money was withdrawn.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    /// @notice A part of a proof was checked.
    /// @param session Hash of verifier, model, delivery and proof.
    /// @param number Of the step, from 0.
    /// @param done Whether the proof is accepted.
    event StepVerified(address indexed sender, bytes32 indexed session, uint256 lane, uint256 number, bool done);
    /// @notice A proof shows that this is the output to a question.
    /// @param question Hash of verifier, model, input, limits and sampling.
    event Attested(bytes32 indexed question, bytes32 outputHash);
    /// @notice Two proofs that the verifier accepts contradict each other. It decides nothing on this model any more.
    event Frozen(address indexed verifier, bytes32 indexed modelId, bytes32 question, bytes32 first, bytes32 second);

    // Errors of the constructor.

    /// @notice The emission is of another token or another market, or a parameter is out of its range.
    error InvalidDeployment();

    // Errors of requests.

    /// @notice Only the requester may do this, or whoever has the requester's signature.
    error NotRequester(address requester);
    /// @notice The signature is not the requester's, or of another request, chain or market.
    error InvalidSignature();
    /// @notice The nonce belongs to another request, or was cancelled.
    error NonceUsed(address requester, uint256 nonce);
    /// @notice There is no contract at the verifier's address.
    error InvalidVerifier(address verifier);
    /// @notice Only mode 0 is defined, and has no commitment to an input.
    error InvalidMode(uint8 mode);
    /// @notice A list of token ids ends within one.
    error InvalidIds(uint256 size);
    /// @notice A token id is not below the vocabulary.
    error InvalidToken();
    /// @notice There are more than 16 stop ids, or they are not strictly increasing.
    error InvalidStopIds();
    /// @notice The prompt is empty.
    error EmptyInput();
    /// @notice No token may be produced.
    error ZeroTokens();
    /// @notice Prompt and answer together do not fit into the model's context.
    error ContextExceeded(uint256 tokens, uint256 context);
    /// @notice A number of the sampling is out of its range, or greedy has numbers that it does not use.
    error InvalidSampling();
    /// @notice The highest price is zero.
    error ZeroPrice();
    /// @notice Prices fall, or an amount is 2^128 or more.
    error InvalidPrice(uint256 minPrice, uint256 maxPrice);
    /// @notice The base is more than the whole.
    error InvalidBase(uint16 basePermille);
    /// @notice A lock could be over before it is effective: its duration must be more than 15 seconds for each block of delay.
    error LockTooShort(uint256 least);
    /// @notice The bond is less than the highest price, or 2^128 or more.
    error InvalidBond(uint256 bond);
    /// @notice The deadline is further away than MAX_LIFETIME.
    error DeadlineTooFar(uint256 deadline);
    /// @notice More would be in escrow for the verifier than may be.
    error EscrowCapExceeded(address verifier, uint256 escrow);
    /// @notice The requester has not allowed the market to take the price; a permit, if there was one, has not either.
    error AllowanceTooLow(uint256 allowance, uint256 needed);
    /// @notice The token has moved another amount than it was told to.
    error TransferIncomplete(uint256 received, uint256 expected);

    // Errors of what comes after.

    /// @notice Nobody has posted this very request.
    error UnknownRequest(bytes32 id);
    /// @notice The request does not stand where this can be done.
    error WrongStatus(bytes32 id, Status status);
    /// @notice The last moment has passed.
    error DeadlinePassed(uint256 deadline);
    /// @notice The deadline has not passed yet.
    error DeadlineNotPassed(uint256 deadline);
    /// @notice The transaction was included later than its sender wished.
    error TooLate(uint256 latest);
    /// @notice The cancellation has not taken effect yet.
    error CancellationPending(uint256 effectiveBlock);
    /// @notice The cancellation has taken effect.
    error CancellationEffective(bytes32 id);
    /// @notice Somebody else has locked the request, and has time left.
    error LockedByAnother(bytes32 id, address locker);
    /// @notice The request is for another model than the delivery.
    error OtherModel(bytes32 modelId);
    /// @notice The request names another verifier than the delivery.
    error OtherVerifier(address verifier);
    /// @notice The verifier decides nothing on this model any more.
    error ModelFrozen(address verifier, bytes32 modelId);
    /// @notice Nobody is to be paid.
    error InvalidPayee();
    /// @notice A delivery has 1 to 64 answers; outside of batches it has one.
    error InvalidCount(uint256 count);
    /// @notice The answer is empty, longer than the request allows, or not a whole number of tokens.
    error InvalidOutput(uint256 index);
    /// @notice What is shown of an answer is not there once for each token.
    error InvalidShown(uint256 index);
    /// @notice None of the answers can be paid.
    error NothingToPay();
    /// @notice The verifier does not accept the proof, and has not said why.
    error ProofRefused();
    /// @notice Nothing is credited to the account.
    error NothingCredited(address account);

    // Errors of steps.

    /// @notice The step does not follow from the last one of this sender in this lane.
    error WrongContinuation(uint256 lane);
    /// @notice The first step has a state, or its part and the rest are not those of the proof.
    error WrongProofHash();
    /// @notice These are not the bytes of the delivery that the proof is about; or there are none, in the first step.
    error WrongDelivery();
    /// @notice The verifier has returned an empty state without being done.
    error EmptyState();
    /// @notice Parts are left although the verifier is done, or it is not done and none is left.
    error WrongEnd();

    // Requests.

    /// @notice Posts a request of the sender and takes its highest price into escrow. What could never be answered is refused.
    /// @return id The request's.
    function request(Request calldata newRequest) external returns (bytes32 id);

    /// @notice Posts a request of somebody else, or of the sender, and uses a permit before. A permit that fails is no error
    /// if the allowance is enough: whoever sees it in flight can use it first.
    /// @param signature The requester's, of the request's id: of a key, or of a contract (ERC-1271). Not read if the requester
    /// is the sender.
    /// @param permit The requester's, or one with v = 0 for none.
    function requestFor(Request calldata newRequest, bytes calldata signature, Permit calldata permit)
        external
        returns (bytes32 id);

    /// @notice Uses up a nonce of the sender, so that no request that it signed with it can be posted any more.
    function cancelNonce(uint256 nonce) external;

    /// @notice Takes back an open request of the sender, DELAY_BLOCKS from now. `refund` then sends the money.
    function cancel(Terms calldata terms) external;

    /// @notice Sends the money of a request back whose cancellation has taken effect or whose model is frozen, and in this
    /// case the locker's bond. Anybody may call it.
    function refund(Terms calldata terms) external;

    /// @notice Sends the money of a request back whose deadline has passed. If it was locked, the bond is burned. Anybody may
    /// call it.
    function expire(Terms calldata terms) external;

    // Answers.

    /// @notice Deposits the offer's bond. From DELAY_BLOCKS on, and until `lockDuration` after now, only answers that name the
    /// sender as payee are paid, at the price of now. Later all are; of the bond, half is then burned, and half is the payee's
    /// or, if it is the locker, burned too.
    /// @param latest The last moment at which this may be included, a timestamp.
    function lock(Terms calldata terms, uint256 latest) external;

    /// @notice Pays the one answer of a delivery. Whatever keeps it from being paid is an error of its own.
    /// @return payment What the requester pays for it, fee included.
    function fulfil(Delivery calldata delivery, bytes calldata proof) external returns (uint256 payment);

    /// @notice Pays all answers of a delivery that can be paid.
    /// @return results For each answer, why it was not paid.
    function fulfilBatch(Delivery calldata delivery, bytes calldata proof) external returns (Reason[] memory results);

    // Large proofs.

    /// @notice Checks a part of a proof. Of each lane of a sender one hash is kept: nobody else can disturb it, and a new proof
    /// (number 0) replaces one that was abandoned.
    /// @param lane Any number: one for each proof that the sender has under way at a time.
    /// @param deliveryHash Of the bytes of the delivery.
    /// @param delivery These bytes; nothing, in a step in which the verifier does not read them.
    /// @return nextState What the next step is to be given.
    function verifyStep(
        uint256 lane,
        address verifier,
        bytes32 modelId,
        bytes32 deliveryHash,
        bytes calldata delivery,
        Step calldata step
    ) external returns (bytes memory nextState);

    /// @notice Makes the last step and then pays what `fulfilBatch` would. If the last step has been made by `verifyStep`
    /// already, `step` has the number after it and neither state nor part.
    function fulfilSteps(uint256 lane, Delivery calldata delivery, Step calldata step)
        external
        returns (Reason[] memory results);

    // The emergency brake.

    /// @notice Takes down what a proof says, whether requests are posted, paid or neither. Two proofs with different outputs to
    /// one question freeze model and verifier for ever: no such request is posted, locked or paid any more, and `refund`
    /// sends all money back.
    function attest(Delivery calldata delivery, bytes calldata proof) external;

    /// @notice The same with the last step of a proof (see `fulfilSteps`).
    function attestSteps(uint256 lane, Delivery calldata delivery, Step calldata step) external;

    // Credits.

    /// @notice Sends what is credited to the sender.
    /// @return amount What was sent.
    function withdraw(address to) external returns (uint256 amount);

    // Views.

    /// @notice The EIP-712 hash of a request on this chain and market.
    function requestId(Request calldata anyRequest) external view returns (bytes32);

    /// @notice The terms of a request, which is all that some functions are given of it.
    function termsOf(Request calldata anyRequest) external pure returns (Terms memory);

    /// @notice Where a request stands.
    function stateOf(bytes32 id) external view returns (RequestState memory);

    /// @notice The bytes of a delivery, the session of its proof.
    function deliveryBytes(Delivery calldata delivery) external view returns (bytes memory);

    /// @notice What an offer pays for a whole answer that is locked, or delivered without a lock, at a moment.
    function priceOf(Offer calldata offer, uint256 timestamp) external pure returns (uint256);

    /// @notice What is paid of a price for `produced` tokens of at most `maxNewTokens`, rounded down.
    function paymentOf(uint256 price, uint256 basePermille, uint256 produced, uint256 maxNewTokens)
        external
        pure
        returns (uint256);

    /// @notice Whether a request with this nonce was posted, or the nonce was cancelled.
    function isNonceUsed(address requester, uint256 nonce) external view returns (bool);

    /// @notice What is asked of a verifier's model: the hash of both with input, limits and sampling, where numbers that
    /// mean the same are the same.
    function questionOf(Request calldata anyRequest) external view returns (bytes32);

    /// @notice The hash of the output that was attested to a question; zero if none was.
    function attestedOutput(bytes32 question) external view returns (bytes32);

    /// @notice Whether a verifier has contradicted itself on a model.
    function isFrozen(address verifier, bytes32 modelId) external view returns (bool);

    /// @notice What open requests hold in escrow that name this verifier; at most ESCROW_CAP.
    function escrowOf(address verifier) external view returns (uint256);

    /// @notice What could not be sent to an account.
    function creditOf(address account) external view returns (uint256);

    /// @notice The hash that the next step of a sender's lane must agree with; 0 if there never was one, 1 if there is no
    /// proof under way.
    function continuationOf(address sender, uint256 lane) external view returns (bytes32);
}
