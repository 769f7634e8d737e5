// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the checks of a delivery have to know of its model.
struct ModelLimits {
    bytes32 modelId;
    uint256 vocabulary;
    uint256 context;
    uint256 idBytes;
}

/// @notice The instance that a delivery is about: lengths of the axes request, token and step, and the public values.
struct Instance {
    uint256[] lengths;
    uint256[][] values;
}

/// @title Reads deliveries (spec/answer.md, sections 2, 4 and 5)
/// @notice Errors are the checks by name; the number is that of the answer.
library DeliveryReader {
    error AnswerTruncated();
    error AnswerVersion(uint256 version);
    error AnswerCount(uint256 count);
    error AnswerFlag(uint256 answer);
    error AnswerIds(uint256 answer);
    error AnswerTrailing();
    error AnswerModel();
    error AnswerInput(uint256 answer);
    error AnswerToken(uint256 answer);
    error AnswerStopIds(uint256 answer);
    error AnswerSampling(uint256 answer);
    error AnswerContext(uint256 answer);
    error AnswerLength(uint256 answer);
    error AnswerShown(uint256 answer);
    error AnswerStop(uint256 answer);
    error AnswerEnd(uint256 answer);
    error AnswerRepeated(uint256 answer);
    error AnswerSize();

    uint256 private constant VERSION = 1;
    /// @dev Bytes before the answers, and of an answer before its lists.
    uint256 internal constant HEAD = 112;
    uint256 internal constant ANSWER_HEAD = 93;
    uint256 private constant MOST_ANSWERS = 64;
    uint256 private constant MOST_STOP_IDS = 16;
    uint256 private constant MOST_IDS = 1 << 16;
    uint256 private constant MOST_PLACES = 1 << 18;
    uint256 private constant LARGEST_TAU = 1 << 14;
    uint256 private constant GREEDY_TAU = 1 << 12;
    uint256 private constant WHOLE_PORTION = 1 << 16;
    uint256 private constant DISTANCE_STEPS = 4096;

    /// @dev Public values in the statement's order (spec/integer_models.md, section 9).
    uint256 private constant ID = 0;
    uint256 private constant POSITION = 1;
    uint256 private constant LIKELIEST = 2;
    uint256 private constant TAU = 3;
    uint256 private constant TOP_K = 4;
    uint256 private constant PORTION = 5;
    uint256 private constant ABOVE_K = 6;
    uint256 private constant ABOVE_P = 7;
    uint256 private constant ABOVE = 8;
    uint256 private constant LAST_K = 9;
    uint256 private constant LAST_P = 10;
    uint256 private constant RANDOM = 11;
    uint256 private constant CHOSEN = 12;
    uint256 private constant VALUES = 13;

    /// @dev An answer; addresses are offsets in calldata.
    struct Answer {
        bytes32 requestId;
        uint256 maxNewTokens;
        uint256 tau;
        uint256 topK;
        uint256 portion;
        bytes32 seed;
        uint256 end;
        uint256 stops;
        uint256 inputs;
        uint256 outputs;
        uint256 stopPlace;
        uint256 inputPlace;
        uint256 outputPlace;
        uint256 shownPlace;
    }

    /// @notice The instance of a delivery, all of its checks passed.
    function read(bytes calldata delivery, ModelLimits memory model) internal pure returns (Instance memory instance) {
        Answer[] memory answers = parse(delivery, model.idBytes);
        if (bytes32(delivery[4:36]) != model.modelId) revert AnswerModel();
        for (uint256 i = 0; i < answers.length; ++i) {
            check(answers[i], model, i);
        }
        checkDistinct(answers);
        instance.lengths = lengthsOf(answers);
        uint256 longest = instance.lengths[1] > instance.lengths[2] ? instance.lengths[1] : instance.lengths[2];
        if (instance.lengths[0] * longest > MOST_PLACES) revert AnswerSize();
        instance.values = valuesOf(answers, instance.lengths, model);
    }

    // Bytes.

    function parse(bytes calldata delivery, uint256 idBytes) private pure returns (Answer[] memory answers) {
        if (delivery.length >= 4 && uint32(bytes4(delivery[:4])) != VERSION) {
            revert AnswerVersion(uint32(bytes4(delivery[:4])));
        }
        if (delivery.length < HEAD) revert AnswerTruncated();
        uint256 count = uint32(bytes4(delivery[108:112]));
        if (count == 0 || count > MOST_ANSWERS) revert AnswerCount(count);
        answers = new Answer[](count);
        uint256 place;
        assembly ("memory-safe") {
            place := delivery.offset
        }
        uint256 end = place + delivery.length;
        place += HEAD;
        for (uint256 i = 0; i < count; ++i) {
            place = parseAnswer(answers[i], place, end, idBytes, i);
        }
        if (place != end) revert AnswerTrailing();
    }

    function parseAnswer(Answer memory a, uint256 place, uint256 end, uint256 idBytes, uint256 number)
        private
        pure
        returns (uint256)
    {
        if (end - place < ANSWER_HEAD) revert AnswerTruncated();
        a.requestId = bytes32(wordAt(place));
        a.maxNewTokens = wordAt(place + 32) >> 224;
        a.tau = wordAt(place + 36) >> 224;
        a.topK = wordAt(place + 40) >> 224;
        a.portion = wordAt(place + 44) >> 224;
        a.seed = bytes32(wordAt(place + 48));
        a.end = wordAt(place + 80) >> 248;
        a.stops = wordAt(place + 81) >> 224;
        a.inputs = wordAt(place + 85) >> 224;
        a.outputs = wordAt(place + 89) >> 224;
        if (a.end > 1) revert AnswerFlag(number);
        if (a.stops > MOST_STOP_IDS || a.inputs > MOST_IDS || a.outputs > MOST_IDS) revert AnswerIds(number);
        a.stopPlace = place + ANSWER_HEAD;
        a.inputPlace = a.stopPlace + a.stops * idBytes;
        a.outputPlace = a.inputPlace + a.inputs * idBytes;
        a.shownPlace = a.outputPlace + a.outputs * idBytes;
        uint256 next = a.shownPlace + a.outputs * (4 + idBytes);
        if (next > end) revert AnswerTruncated();
        return next;
    }

    function wordAt(uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(place)
        }
    }

    /// @dev The little-endian id of 2 or 3 bytes.
    function idAt(uint256 place, uint256 idBytes) private pure returns (uint256 id) {
        assembly ("memory-safe") {
            let word := calldataload(place)
            id := or(byte(0, word), shl(8, byte(1, word)))
            if eq(idBytes, 3) { id := or(id, shl(16, byte(2, word))) }
        }
    }

    // Checks.

    function check(Answer memory a, ModelLimits memory model, uint256 number) private pure {
        if (a.inputs == 0) revert AnswerInput(number);
        uint256 idBytes = model.idBytes;
        checkIds(a.stopPlace, a.stops + a.inputs + a.outputs, idBytes, model.vocabulary, number);
        for (uint256 i = 0; i < a.outputs; ++i) {
            if (idAt(a.shownPlace + i * (4 + idBytes) + 4, idBytes) >= model.vocabulary) revert AnswerToken(number);
        }
        for (uint256 i = 1; i < a.stops; ++i) {
            if (idAt(a.stopPlace + i * idBytes, idBytes) <= idAt(a.stopPlace + (i - 1) * idBytes, idBytes)) {
                revert AnswerStopIds(number);
            }
        }
        checkSampling(a, model.vocabulary, number);
        if (a.inputs + a.maxNewTokens > model.context) revert AnswerContext(number);
        if (a.outputs == 0 || a.outputs > a.maxNewTokens) revert AnswerLength(number);
        for (uint256 i = 0; i < a.outputs; ++i) {
            uint256 both = wordAt(a.shownPlace + i * (4 + idBytes)) >> 224;
            if (both >> 16 >= DISTANCE_STEPS || both & 0xffff >= DISTANCE_STEPS) revert AnswerShown(number);
        }
        checkEnd(a, idBytes, number);
    }

    function checkIds(uint256 place, uint256 count, uint256 idBytes, uint256 vocabulary, uint256 number) private pure {
        bool beyond = false;
        assembly ("memory-safe") {
            let end := add(place, mul(count, idBytes))
            let wide := eq(idBytes, 3)
            for {} lt(place, end) { place := add(place, idBytes) } {
                let word := calldataload(place)
                let id := or(byte(0, word), or(shl(8, byte(1, word)), mul(wide, shl(16, byte(2, word)))))
                beyond := or(beyond, iszero(lt(id, vocabulary)))
            }
        }
        if (beyond) revert AnswerToken(number);
    }

    function checkSampling(Answer memory a, uint256 vocabulary, uint256 number) private pure {
        bool good = a.tau == 0
            ? a.topK == 0 && a.portion == WHOLE_PORTION && a.seed == 0
            : a.tau <= LARGEST_TAU && a.topK <= vocabulary && a.portion > 0 && a.portion <= WHOLE_PORTION;
        if (!good) revert AnswerSampling(number);
    }

    function checkEnd(Answer memory a, uint256 idBytes, uint256 number) private pure {
        bool stopped = false;
        if (a.stops > 0) {
            for (uint256 i = 0; i < a.outputs; ++i) {
                if (!isStop(a, idAt(a.outputPlace + i * idBytes, idBytes), idBytes)) continue;
                if (i + 1 < a.outputs) revert AnswerStop(number);
                stopped = true;
            }
        }
        if (stopped != (a.end == 1) || (!stopped && a.outputs != a.maxNewTokens)) revert AnswerEnd(number);
    }

    function isStop(Answer memory a, uint256 id, uint256 idBytes) private pure returns (bool) {
        for (uint256 i = 0; i < a.stops; ++i) {
            if (idAt(a.stopPlace + i * idBytes, idBytes) == id) return true;
        }
        return false;
    }

    function checkDistinct(Answer[] memory answers) private pure {
        for (uint256 i = 1; i < answers.length; ++i) {
            bytes32 id = answers[i].requestId;
            if (id == 0) continue;
            for (uint256 j = 0; j < i; ++j) {
                if (answers[j].requestId == id) revert AnswerRepeated(i);
            }
        }
    }

    // Instance.

    function lengthsOf(Answer[] memory answers) private pure returns (uint256[] memory lengths) {
        uint256 tokens = 1;
        uint256 steps = 1;
        for (uint256 i = 0; i < answers.length; ++i) {
            uint256 read_ = answers[i].inputs + answers[i].outputs - 1;
            if (read_ > tokens) tokens = read_;
            if (answers[i].outputs > steps) steps = answers[i].outputs;
        }
        lengths = new uint256[](3);
        lengths[0] = instanceLength(answers.length);
        lengths[1] = instanceLength(tokens);
        lengths[2] = instanceLength(steps);
    }

    /// @notice The least 2^k or 3*2^(k-1) that is not below n.
    function instanceLength(uint256 n) internal pure returns (uint256 power) {
        power = 1;
        while (power < n) power <<= 1;
        if (power >= 4 && n <= (power / 4) * 3) power = (power / 4) * 3;
    }

    function valuesOf(Answer[] memory answers, uint256[] memory lengths, ModelLimits memory model)
        private
        pure
        returns (uint256[][] memory values)
    {
        (uint256 requests, uint256 tokens, uint256 steps) = (lengths[0], lengths[1], lengths[2]);
        values = new uint256[][](VALUES);
        for (uint256 v = 0; v < VALUES; ++v) {
            uint256 places = v == ID ? tokens : v == TAU || v == TOP_K || v == PORTION ? 1 : steps;
            values[v] = new uint256[](requests * places);
        }
        for (uint256 r = 0; r < requests; ++r) {
            // Places that are left are the last request's.
            Answer memory a = answers[r < answers.length ? r : answers.length - 1];
            bool greedy = a.tau == 0;
            values[TAU][r] = greedy ? GREEDY_TAU : a.tau;
            values[TOP_K][r] = greedy ? 1 : a.topK == 0 ? model.vocabulary : a.topK;
            values[PORTION][r] = greedy ? WHOLE_PORTION : a.portion;
            putTokens(values[ID], r * tokens, a, model.idBytes);
            for (uint256 s = 0; s < steps; ++s) {
                putStep(values, r * steps + s, a, s < a.outputs ? s : a.outputs - 1, model.idBytes);
            }
        }
    }

    /// @dev Input and output but the last token lie one behind the other.
    function putTokens(uint256[] memory ids, uint256 first, Answer memory a, uint256 idBytes) private pure {
        uint256 count = a.inputs + a.outputs - 1;
        uint256 place = a.inputPlace;
        assembly ("memory-safe") {
            let to := add(ids, add(32, shl(5, first)))
            let wide := eq(idBytes, 3)
            for { let end := add(place, mul(count, idBytes)) } lt(place, end) { place := add(place, idBytes) } {
                let word := calldataload(place)
                mstore(to, or(byte(0, word), or(shl(8, byte(1, word)), mul(wide, shl(16, byte(2, word))))))
                to := add(to, 32)
            }
        }
    }

    function putStep(uint256[][] memory values, uint256 place, Answer memory a, uint256 step, uint256 idBytes)
        private
        pure
    {
        uint256 shown = a.shownPlace + step * (4 + idBytes);
        uint256 lastK = wordAt(shown) >> 240;
        uint256 lastP = (wordAt(shown) >> 224) & 0xffff;
        put(values, POSITION, place, a.inputs - 1 + step);
        put(values, LIKELIEST, place, idAt(shown + 4, idBytes));
        put(values, ABOVE_K, place, lastK + 1);
        put(values, ABOVE_P, place, lastP + 1);
        put(values, ABOVE, place, (lastK < lastP ? lastK : lastP) + 1);
        put(values, LAST_K, place, lastK);
        put(values, LAST_P, place, lastP);
        put(values, CHOSEN, place, idAt(a.outputPlace + step * idBytes, idBytes));
        if (a.tau != 0) put(values, RANDOM, place, randomNumber(a.seed, step));
    }

    /// @dev Values of a list that was made for all places.
    function put(uint256[][] memory values, uint256 list, uint256 place, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(mload(add(values, add(32, shl(5, list)))), add(32, shl(5, place))), value)
        }
    }

    /// @dev The first bits of the hash of seed and step, 4 bytes (spec/integer_models.md, section 6).
    function randomNumber(bytes32 seed, uint256 step) private pure returns (uint256 random) {
        assembly ("memory-safe") {
            mstore(0, seed)
            mstore(32, shl(224, step))
            random := shr(228, keccak256(0, 36))
        }
    }

    /// @notice Hash of the statement of the proof's transcript: model id, then the instance (spec/proof.md, section 2).
    function statementHash(bytes32 modelId, Instance memory instance) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            function put(to, value, bits) -> next {
                mstore(to, shl(sub(256, bits), value))
                next := add(to, shr(3, bits))
            }
            let start := mload(0x40)
            mstore(start, modelId)
            let to := add(start, 32)
            let lengths := mload(instance)
            let count := mload(lengths)
            to := put(to, count, 32)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                to := put(to, mload(add(lengths, add(32, shl(5, i)))), 64)
            }
            let values := mload(add(instance, 32))
            count := mload(values)
            to := put(to, count, 32)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let list := mload(add(values, add(32, shl(5, i))))
                let size := mload(list)
                to := put(to, size, 32)
                for { let end := add(list, shl(5, size)) } lt(list, end) {} {
                    list := add(list, 32)
                    to := put(to, mload(list), 64)
                }
            }
            digest := keccak256(start, sub(to, start))
        }
    }
}
