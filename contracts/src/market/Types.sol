// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice How tokens are chosen (spec/answer.md, section 1).
struct Sampling {
    /// 0: greedy; else the temperature is 2^12 / tau. At most 2^14.
    uint32 tau;
    /// 0: off; at most the vocabulary.
    uint32 topK;
    /// Top-p in units of 2^-16, 1 to 2^16 (off).
    uint32 portion;
    /// Of the random numbers.
    bytes32 seed;
}

/// @notice What an answer is paid with. Amounts are in units of the token, times in seconds.
struct Offer {
    /// The price until `rampStart`.
    uint256 minPrice;
    /// The price from `rampStart + rampLength` to the deadline; what the request holds in escrow.
    uint256 maxPrice;
    /// What part of the price is paid for an answer of whatever length, in thousandths; the rest is paid by the token.
    uint16 basePermille;
    /// When the price begins to rise, a timestamp.
    uint64 rampStart;
    /// How long it rises; 0: the price is `maxPrice` all the time.
    uint32 rampLength;
    /// How long, after a lock's inclusion, only the locker is paid.
    uint32 lockDuration;
    /// The last moment that an answer is paid at, a timestamp.
    uint64 deadline;
    /// What a locker deposits; at least `maxPrice`.
    uint256 bond;
}

/// @notice What somebody asks for: the EIP-712 struct of spec/answer.md, section 1, whose hash is its id.
struct Request {
    /// Who pays.
    address requester;
    /// Any number that the requester has not used; in no order.
    uint256 nonce;
    bytes32 modelId;
    /// An IProofVerifier.
    address verifier;
    /// The prompt: token ids, little-endian, in the width of the model.
    bytes input;
    uint32 maxNewTokens;
    Sampling sampling;
    /// Token ids that end an answer, strictly increasing, at most 16.
    bytes stopIds;
    Offer offer;
    /// 0; other modes are reserved.
    uint8 mode;
    /// 0 in mode 0.
    bytes32 inputCommitment;
}

/// @notice A request with hashes for its longer parts: it has the same id, and takes the same calldata however long the prompt is.
struct Terms {
    address requester;
    uint256 nonce;
    bytes32 modelId;
    address verifier;
    /// Keccak-256 of the input.
    bytes32 inputHash;
    uint32 maxNewTokens;
    /// EIP-712 hash of the struct.
    bytes32 samplingHash;
    /// Keccak-256 of the stop ids.
    bytes32 stopIdsHash;
    Offer offer;
    uint8 mode;
    bytes32 inputCommitment;
}

/// @notice The answer to a request, with what is shown of it (spec/answer.md, section 1).
struct Answer {
    Request request;
    /// 1 if it ends with a stop id, else 0.
    uint8 end;
    /// Token ids, little-endian, in the width of the model.
    bytes output;
    /// For each token of the output: theta_k, theta_p (2 bytes each), the likeliest word (an id).
    bytes shown;
}

/// @notice What one proof is about: 1 to 64 answers of one model (spec/answer.md, section 2).
struct Delivery {
    bytes32 modelId;
    /// Who checks the proof; answers to requests that name another one are not paid.
    address verifier;
    /// Who is paid.
    address payee;
    /// All answers of the proof, in its order, whether they can be paid or not.
    Answer[] answers;
}

/// @notice A step in the verification of a large proof.
struct Step {
    /// Names the whole proof: the `rest` that would stand before its first part.
    bytes32 proofHash;
    /// Counts from 0.
    uint256 number;
    /// What the step before has returned; nothing at number 0.
    bytes state;
    /// The next bytes of the proof.
    bytes part;
    /// Names what follows: zero after the last part, else keccak256(keccak256(next part), rest after it).
    bytes32 rest;
}

/// @notice An allowance by signature (EIP-2612), from the requester to the market.
struct Permit {
    uint256 value;
    uint256 deadline;
    /// 0: there is no permit.
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @notice Where a request stands.
enum Status {
    /// Nobody has posted it.
    Unknown,
    /// It waits for an answer.
    Open,
    /// Somebody has deposited a bond to answer it first.
    Locked,
    /// Its requester takes it back.
    Cancelling,
    /// It was answered and paid.
    Fulfilled,
    /// Its money went back.
    Refunded
}

/// @notice All that is kept of a request: one word.
struct RequestState {
    Status status;
    /// Locked: who locked it. Fulfilled: who was paid. Else zero.
    address account;
    /// When it came to stand here, a timestamp.
    uint40 since;
    /// In which block.
    uint40 sinceBlock;
}

/// @notice All that is kept of a verifier: one word.
struct VerifierState {
    /// What open requests that name it hold in escrow.
    uint128 escrow;
    /// Whether a request has named it, so that it is a contract.
    bool known;
    /// Whether it has contradicted itself on any model.
    bool contradicted;
}

/// @notice Why an answer of a delivery is not paid.
enum Reason {
    /// It is paid.
    None,
    /// The request is for another model than the delivery.
    OtherModel,
    /// The request names another verifier than the delivery.
    OtherVerifier,
    /// Nobody has posted the request.
    Unknown,
    /// It was answered before.
    Fulfilled,
    /// Its money went back.
    Refunded,
    /// Its deadline has passed.
    Expired,
    /// Its requester has taken it back.
    Cancelled,
    /// Somebody else has locked it, and has time left.
    LockedByAnother,
    /// The delivery has answered it already.
    Repeated
}
