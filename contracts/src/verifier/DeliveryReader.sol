// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the checks of a delivery have to know of its model.
struct ModelLimits {
    bytes32 modelId;
    uint256 vocabulary;
    uint256 context;
    uint256 idBytes;
}

/// @notice The instance that a delivery is about: lengths of the axes request, token and step, and the public values, as
/// the statement's hash has them (spec/proof.md, section 2): the number of lists, 4 bytes, then for each the number of its
/// values, 4 bytes, and these, 8 bytes each.
struct Instance {
    uint256[] lengths;
    bytes values;
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
    /// @dev Distances of words are below 4096: these bits of two of them, 2 bytes each, are 0.
    uint256 private constant BEYOND_DISTANCES = 0xf000f000;

    /// @dev Public values in the statement's order (spec/integer_models.md, section 9).
    uint256 private constant ID = 0;
    uint256 private constant POSITION = 1;
    uint256 private constant LIKELIEST = 2;
    uint256 private constant TAU = 3;
    uint256 private constant TOP_K = 4;
    uint256 private constant PORTION = 5;
    uint256 private constant ABOVE = 6;
    uint256 private constant LAST_K = 7;
    uint256 private constant LAST_P = 8;
    uint256 private constant RANDOM = 9;
    uint256 private constant CHOSEN = 10;
    uint256 private constant VALUES = 11;

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
        if (
            !areTokens(a.stopPlace, a.stops + a.inputs + a.outputs, idBytes, idBytes, model.vocabulary)
                || !areTokens(a.shownPlace + 4, a.outputs, 4 + idBytes, idBytes, model.vocabulary)
        ) revert AnswerToken(number);
        for (uint256 i = 1; i < a.stops; ++i) {
            if (idAt(a.stopPlace + i * idBytes, idBytes) <= idAt(a.stopPlace + (i - 1) * idBytes, idBytes)) {
                revert AnswerStopIds(number);
            }
        }
        checkSampling(a, model.vocabulary, number);
        if (a.inputs + a.maxNewTokens > model.context) revert AnswerContext(number);
        if (a.outputs == 0 || a.outputs > a.maxNewTokens) revert AnswerLength(number);
        if (!areDistances(a.shownPlace, a.outputs, 4 + idBytes)) revert AnswerShown(number);
        checkEnd(a, idBytes, number);
    }

    /// @dev Whether ids that lie `stride` bytes apart are all below the vocabulary's size.
    function areTokens(uint256 place, uint256 count, uint256 stride, uint256 idBytes, uint256 vocabulary)
        private
        pure
        returns (bool good)
    {
        if (stride == 2) return areShortTokens(place, count, vocabulary);
        assembly ("memory-safe") {
            let wide := eq(idBytes, 3)
            good := 1
            for { let end := add(place, mul(count, stride)) } lt(place, end) { place := add(place, stride) } {
                let word := calldataload(place)
                let id := or(byte(0, word), or(shl(8, byte(1, word)), mul(wide, shl(16, byte(2, word)))))
                good := and(good, lt(id, vocabulary))
            }
        }
    }

    /// @dev The same of ids of two bytes one behind the other, sixteen in a word. The vocabulary has at most 2^16 words:
    /// those that an id lacks to 2^16 carry one that is none to the bit above.
    function areShortTokens(uint256 place, uint256 count, uint256 vocabulary) private pure returns (bool good) {
        if (count == 0) return true;
        uint256 ones = type(uint256).max / 0xffffffff;
        assembly ("memory-safe") {
            let lows := mul(ones, 0x00ff00ff)
            let halves := mul(ones, 0xffff)
            let lacking := mul(ones, sub(0x10000, vocabulary))
            let carries := 0
            for { let end := add(place, shl(1, count)) } lt(place, end) { place := add(place, 32) } {
                let word := calldataload(place)
                // What is behind the last id does not count.
                let left := sub(end, place)
                if lt(left, 32) {
                    left := shl(3, sub(32, left))
                    word := shl(left, shr(left, word))
                }
                word := or(and(shr(8, word), lows), shl(8, and(word, lows)))
                carries := or(carries, add(and(word, halves), lacking))
                carries := or(carries, add(and(shr(16, word), halves), lacking))
            }
            good := iszero(and(carries, shl(16, ones)))
        }
    }

    /// @dev Whether pairs of numbers that lie `stride` bytes apart are distances.
    function areDistances(uint256 place, uint256 count, uint256 stride) private pure returns (bool good) {
        assembly ("memory-safe") {
            let bits := 0
            for { let end := add(place, mul(count, stride)) } lt(place, end) { place := add(place, stride) } {
                bits := or(bits, calldataload(place))
            }
            good := iszero(and(shr(224, bits), BEYOND_DISTANCES))
        }
    }

    function checkSampling(Answer memory a, uint256 vocabulary, uint256 number) private pure {
        bool good = a.tau == 0
            ? a.topK == 0 && a.portion == WHOLE_PORTION && a.seed == 0
            : a.tau <= LARGEST_TAU && a.topK <= vocabulary && a.portion > 0 && a.portion <= WHOLE_PORTION;
        if (!good) revert AnswerSampling(number);
    }

    function checkEnd(Answer memory a, uint256 idBytes, uint256 number) private pure {
        (uint256 first, bool stopped) = firstStop(a.outputPlace, a.outputs, a.stopPlace, a.stops, idBytes);
        if (first + 1 < a.outputs) revert AnswerStop(number);
        if (stopped != (a.end == 1) || (!stopped && a.outputs != a.maxNewTokens)) revert AnswerEnd(number);
    }

    /// @dev The first of some ids that is a stop id, or their number; whether there is one.
    function firstStop(uint256 place, uint256 count, uint256 stops, uint256 stopCount, uint256 idBytes)
        private
        pure
        returns (uint256 first, bool stopped)
    {
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, idBytes))
            let stopsEnd := add(stops, mul(stopCount, idBytes))
            first := count
            let at_ := place
            for { let end := add(place, mul(count, idBytes)) } lt(at_, end) { at_ := add(at_, idBytes) } {
                let id := shr(shift, calldataload(at_))
                for { let other := stops } lt(other, stopsEnd) { other := add(other, idBytes) } {
                    stopped := or(stopped, eq(id, shr(shift, calldataload(other))))
                }
                if stopped {
                    first := div(sub(at_, place), idBytes)
                    break
                }
            }
        }
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
        returns (bytes memory values)
    {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (answers.length == 0) return values;
        (uint256 requests, uint256 tokens, uint256 steps) = (lengths[0], lengths[1], lengths[2]);
        uint256[] memory lists;
        (values, lists) = listsOf(requests, tokens, steps);
        for (uint256 r = 0; r < requests; ++r) {
            // Places that are left are the last request's.
            Answer memory a = answers[r < answers.length ? r : answers.length - 1];
            bool greedy = a.tau == 0;
            put(lists[TAU] + 8 * r, greedy ? GREEDY_TAU : a.tau);
            put(lists[TOP_K] + 8 * r, greedy ? 1 : a.topK == 0 ? model.vocabulary : a.topK);
            put(lists[PORTION] + 8 * r, greedy ? WHOLE_PORTION : a.portion);
            putTokens(lists[ID] + 8 * r * tokens, a, tokens, model.idBytes);
            putSteps(lists, 8 * r * steps, a, steps, model.idBytes);
            if (!greedy) putRandom(lists[RANDOM] + 8 * r * steps, a, steps);
        }
    }

    /// @dev All lists, with zeros in them, and for each the address of the word that ends with its first value.
    function listsOf(uint256 requests, uint256 tokens, uint256 steps)
        private
        pure
        returns (bytes memory values, uint256[] memory lists)
    {
        lists = new uint256[](VALUES);
        uint256 size = 4;
        for (uint256 v = 0; v < VALUES; ++v) {
            lists[v] = size;
            size += 4 + 8 * placesOf(v, requests, tokens, steps);
        }
        values = new bytes(size);
        uint256 start;
        assembly ("memory-safe") {
            start := add(values, 32)
        }
        put(start + 4 - 32, VALUES);
        for (uint256 v = 0; v < VALUES; ++v) {
            uint256 place = start + lists[v];
            put(place + 4 - 32, placesOf(v, requests, tokens, steps));
            lists[v] = place + 4 + 8 - 32;
        }
    }

    function placesOf(uint256 list, uint256 requests, uint256 tokens, uint256 steps) private pure returns (uint256) {
        if (list == ID) return requests * tokens;
        return list == TAU || list == TOP_K || list == PORTION ? requests : requests * steps;
    }

    /// @dev Writes a number to the last bytes of the word at `place`, which are zeros; the others stay as they are.
    function put(uint256 place, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(place, or(mload(place), value))
        }
    }

    /// @dev A value is written to the beginning of a word, whose rest the next three overwrite; the last three of a request
    /// are added to the words that end with them.
    uint256 private constant LAST = 3;

    /// @dev Input and output but the last token lie one behind the other.
    function putTokens(uint256 to, Answer memory a, uint256 tokens, uint256 idBytes) private pure {
        uint256 count = a.inputs + a.outputs - 1;
        uint256 place = a.inputPlace;
        uint256 fast = tokens < LAST ? 0 : count < tokens - LAST ? count : tokens - LAST;
        assembly ("memory-safe") {
            let wide := eq(idBytes, 3)
            for { let end := add(place, mul(fast, idBytes)) } lt(place, end) { place := add(place, idBytes) } {
                let word := calldataload(place)
                let id := or(byte(0, word), or(shl(8, byte(1, word)), mul(wide, shl(16, byte(2, word)))))
                mstore(add(to, 24), shl(192, id))
                to := add(to, 8)
            }
        }
        for (; fast < count; ++fast) {
            put(to, idAt(place, idBytes));
            place += idBytes;
            to += 8;
        }
    }

    /// @dev What is shown of each step, and what is chosen; `first` is the place of the request's values in a list, in bytes.
    function putSteps(uint256[] memory lists, uint256 first, Answer memory a, uint256 steps, uint256 idBytes)
        private
        pure
    {
        uint256 next = steps < LAST ? 0 : steps - LAST;
        putFirstSteps(lists, first, a, next, idBytes);
        for (; next < steps; ++next) {
            // Places that are left are the last step's.
            uint256 step = next < a.outputs ? next : a.outputs - 1;
            uint256 shown = a.shownPlace + step * (4 + idBytes);
            uint256 k = wordAt(shown) >> 240;
            uint256 q = wordAt(shown + 2) >> 240;
            uint256 to = first + 8 * next;
            put(lists[LAST_K] + to, k);
            put(lists[LAST_P] + to, q);
            put(lists[ABOVE] + to, (k < q ? k : q) + 1);
            put(lists[POSITION] + to, a.inputs - 1 + step);
            put(lists[LIKELIEST] + to, idAt(shown + 4, idBytes));
            put(lists[CHOSEN] + to, idAt(a.outputPlace + step * idBytes, idBytes));
        }
    }

    /// @dev The first `count` steps, which are not the last ones. Lists by step that follow each other lie `gap` bytes apart.
    function putFirstSteps(uint256[] memory lists, uint256 first, Answer memory a, uint256 count, uint256 idBytes)
        private
        pure
    {
        if (count == 0) return;
        uint256 to = lists[POSITION] + first + 24;
        uint256 gap = lists[LIKELIEST] - lists[POSITION];
        uint256 above = lists[ABOVE] - lists[POSITION];
        uint256 position = a.inputs - 1;
        uint256 left = a.outputs - 1;
        uint256 shownPlace = a.shownPlace;
        uint256 outputPlace = a.outputPlace;
        assembly ("memory-safe") {
            function idOf(word, wide_) -> id {
                id := or(byte(0, word), or(shl(8, byte(1, word)), mul(wide_, shl(16, byte(2, word)))))
            }
            let wide := eq(idBytes, 3)
            for { let end := add(to, shl(3, count)) } lt(to, end) { to := add(to, 8) } {
                let shown := calldataload(shownPlace)
                mstore(to, shl(192, position))
                mstore(add(to, gap), shl(192, idOf(shl(32, shown), wide)))
                let place := add(to, above)
                let k := shr(240, shown)
                let q := and(shr(224, shown), 0xffff)
                mstore(add(place, gap), shl(192, k))
                mstore(add(place, shl(1, gap)), shl(192, q))
                if lt(q, k) { k := q }
                mstore(place, shl(192, add(k, 1)))
                mstore(add(place, shl(2, gap)), shl(192, idOf(calldataload(outputPlace), wide)))
                // Places that are left are the last step's.
                if left {
                    left := sub(left, 1)
                    position := add(position, 1)
                    shownPlace := add(shownPlace, add(4, idBytes))
                    outputPlace := add(outputPlace, idBytes)
                }
            }
        }
    }

    function putRandom(uint256 to, Answer memory a, uint256 steps) private pure {
        for (uint256 s = 0; s < steps; ++s) {
            put(to + 8 * s, randomNumber(a.seed, s < a.outputs ? s : a.outputs - 1));
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
    /// @dev What comes before the values is written in front of them, over what is there, which is put back.
    function statementHash(bytes32 modelId, Instance memory instance) internal pure returns (bytes32 hash) {
        uint256[] memory n = instance.lengths;
        // Deliveries have three.
        if (n.length != 3) return hash;
        uint256 counts = (3 << 192) | (n[0] << 128) | (n[1] << 64) | n[2];
        bytes memory values = instance.values;
        assembly ("memory-safe") {
            let before := mload(sub(values, 32))
            let size := mload(values)
            // 32 bytes of the id, of which 4 are in the next word, 4 bytes and 3 lengths of 8 bytes.
            mstore(sub(values, 28), modelId)
            mstore(values, or(shl(224, modelId), counts))
            hash := keccak256(sub(values, 28), add(60, size))
            mstore(sub(values, 32), before)
            mstore(values, size)
        }
    }
}
