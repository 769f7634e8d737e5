// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CARRIES,
    Fp3,
    ONE,
    TO_CARRY,
    ZERO,
    elementAt,
    equal,
    horner,
    mulAdd,
    pow,
    powersOf,
    reduce,
    ELEMENT
} from "./Fp3.sol";
import {element, numberAt, powerOfTwo, setElement, setNumber} from "./Fused.sol";
import {Gathering} from "./Gathering.sol";
import {LookupConfig} from "./LookupArgument.sol";
import {Nodes} from "./Nodes.sol";
import {Placement, Program, Programs, SOURCE_STAGE, SOURCE_ZERO, u8At, u16At} from "./Program.sol";
import {Cursor, StateBytes} from "./StateBytes.sol";
import {Transcript} from "./Transcript.sol";

/// @notice The part of a proof that is read next, as offsets in calldata.
struct Section {
    uint256 next;
    uint256 end;
}

/// @title From the claims of a statement to claims on committed tensors (spec/proof.md, sections 3 to 5)
library Reduction {
    using Nodes for Program;
    using Programs for Program;
    using StateBytes for Cursor;
    using Transcript for Transcript.State;

    /// @notice A section ends too soon.
    error ProofTruncated(uint256 where);
    /// @notice An element is p or more.
    error ProofNonCanonical(uint256 where);
    /// @notice The denominator of a column is not what the values of its tensors give.
    error ProofColumn(uint256 column);
    /// @notice A value is not the linear combination of others that its definition is.
    error ProofLinear(uint256 stage);
    /// @notice The sumcheck of a stage ends in something else than the values of its tensors give.
    error ProofSum(uint256 stage);

    /// @dev The stage in which no tensor needs a sumcheck: its own is the gathering.
    uint256 private constant GATHERING = 0;
    uint256 private constant NO_CLAIM = 0xffff;
    uint256 private constant MULTIPLICITY = 1 << 255;

    uint256 private constant LOOKUP_VALUES = 0x0302;
    uint256 private constant ZERO_POINT = 0x0303;
    uint256 private constant LINEAR_VALUES = 0x0304;
    uint256 private constant JOIN = 0x0305;
    uint256 private constant ROUND = 0x0306;
    uint256 private constant BIND = 0x0307;
    uint256 private constant SUM_VALUES = 0x0308;

    // Reading.

    /// @dev Elements, absorbed as one message.
    function elements(
        Transcript.State memory transcript,
        Section memory section,
        uint256 label,
        uint256 count,
        uint256 where
    ) private pure returns (Fp3[] memory list) {
        uint256 place = section.next;
        list = new Fp3[](count);
        if (readElements(list, place) & CARRIES != 0) revert ProofNonCanonical(where);
        unchecked {
            // An offset in calldata, and numbers of 16 bits.
            section.next = place + ELEMENT * count;
        }
        transcript.absorbElements(label, place, count);
    }

    /// @dev Fills a list from `place` on in calldata. Of the carries that it returns none is in CARRIES exactly if all
    /// words are canonical.
    function readElements(Fp3[] memory list, uint256 place) private pure returns (uint256 carries) {
        if (list.length == 0) return 0;
        uint256 toCarry = TO_CARRY;
        assembly ("memory-safe") {
            let to := add(list, 32)
            for { let end := add(to, shl(5, mload(list))) } lt(to, end) { to := add(to, 32) } {
                let words := calldataload(place)
                let a :=
                    or(
                        or(shl(160, shr(192, words)), shl(80, and(shr(128, words), 0xffffffffffffffff))),
                        and(shr(64, words), 0xffffffffffffffff)
                    )
                mstore(to, a)
                carries := or(carries, add(a, toCarry))
                place := add(place, ELEMENT)
            }
        }
    }

    /// @dev A sum of products (spec/program.md, section 4), reduced, and the address behind it. Claims and constants are
    /// those that the program names: one that names others reads other memory, and means nothing.
    function sumAt(Program memory p, uint256 place) private pure returns (Fp3 total, uint256 end) {
        (total, end) = sumOf(p, place);
        if (end != 0) return (total, end);
        prepareNodes(p, place);
        (total, end) = sumOf(p, place);
        // Still not known: the program names a node that there is none of, where memory had something a moment before.
        if (end == 0) revert Programs.ProgramInvalid();
    }

    /// @dev Computes the nodes of a sum that are not known yet.
    function prepareNodes(Program memory p, uint256 place) private pure {
        uint256[] memory known = p.nodeValues;
        uint256 left = u16At(place);
        unchecked {
            // An address.
            place += 2;
        }
        while (true) {
            uint256 node;
            bool missing;
            assembly ("memory-safe") {
                // Up to a product whose node has no value.
                for {} left {} {
                    left := sub(left, 1)
                    let word := mload(place)
                    place := add(place, add(5, shl(1, byte(0, word))))
                    node := and(shr(216, word), 0xffff)
                    if iszero(mload(add(known, add(32, shl(5, node))))) {
                        missing := 1
                        break
                    }
                }
            }
            if (!missing) break;
            p.nodeOf(node);
        }
    }

    /// @dev The sum if its nodes are known; what is known of a node has bits above the element. If one is not, `end` is 0.
    ///
    /// Claims and nodes have limbs below p < 2^64, so that products have less than 2^131. They are reduced before each
    /// further factor; times a constant they have less than 2^195, and 2^16 of them less than 2^211.
    function sumOf(Program memory p, uint256 place) private pure returns (Fp3 total, uint256 end) {
        unchecked {
            // An address.
            end = place + 2;
        }
        uint256 count = u16At(place);
        if (count == 0) return (ZERO, end);
        // Three limbs, in memory: the stack has what products are made of.
        uint256 sums;
        assembly ("memory-safe") {
            sums := mload(0x40)
            calldatacopy(sums, calldatasize(), 96)
            for {} count { count := sub(count, 1) } {
                let v0
                let v1
                let v2
                let behind
                let constant_
                {
                    let word := mload(end)
                    end := add(end, 5)
                    behind := add(end, shl(1, byte(0, word)))
                    constant_ := and(shr(232, word), 0xffff)
                    let node := and(shr(216, word), 0xffff)
                    // The first factor is the node, or the first claim if there is one and the node is 1.
                    switch and(iszero(node), gt(behind, end))
                    case 0 {
                        v2 := mload(add(mload(add(p, 480)), add(32, shl(5, node))))
                        if iszero(v2) {
                            end := 0
                            break
                        }
                    }
                    default {
                        v2 := mload(add(mload(add(p, 512)), add(32, shl(5, shr(240, mload(end))))))
                        end := add(end, 2)
                    }
                    v0 := and(shr(160, v2), 0xffffffffffffffffffff)
                    v1 := signextend(9, shr(80, v2))
                    v2 := signextend(9, v2)
                }
                for {} lt(end, behind) {} {
                    let c := mload(add(mload(add(p, 512)), add(32, shl(5, shr(240, mload(end))))))
                    let b := shr(160, c)
                    let t0 := mul(v0, b)
                    let t1 := mul(v1, b)
                    let t2 := mul(v2, b)
                    b := signextend(9, shr(80, c))
                    t0 := add(t0, shl(1, mul(v2, b)))
                    t1 := add(t1, mul(v0, b))
                    t2 := add(t2, mul(v1, b))
                    b := signextend(9, c)
                    t0 := add(t0, shl(1, mul(v1, b)))
                    t1 := add(t1, shl(1, mul(v2, b)))
                    v2 := add(t2, mul(v0, b))
                    v0 := t0
                    v1 := t1
                    end := add(end, 2)
                    if lt(end, behind) {
                        v0 := mod(v0, 0xffffffff00000001)
                        v1 := mod(v1, 0xffffffff00000001)
                        v2 := mod(v2, 0xffffffff00000001)
                    }
                }
                if constant_ {
                    constant_ := shr(192, mload(add(mload(add(p, 32)), shl(3, constant_))))
                    v0 := mul(v0, constant_)
                    v1 := mul(v1, constant_)
                    v2 := mul(v2, constant_)
                }
                mstore(sums, add(mload(sums), v0))
                mstore(add(sums, 32), add(mload(add(sums, 32)), v1))
                mstore(add(sums, 64), add(mload(add(sums, 64)), v2))
            }
            total := or(
                or(
                    shl(160, mod(mload(sums), 0xffffffff00000001)),
                    shl(80, mod(mload(add(sums, 32)), 0xffffffff00000001))
                ),
                mod(mload(add(sums, 64)), 0xffffffff00000001)
            )
        }
    }

    // Columns.

    /// @notice The lookup argument's columns: those of tables, whose numerators are sent, then those of lookups.
    function lookupConfig(Program memory p) internal pure returns (LookupConfig memory config) {
        uint256 count = u16At(p.columns);
        config.logSizes = new uint256[](count);
        config.sent = new bool[](count);
        p.columnPlaces = new uint256[](count);
        p.multiplicities = putColumns(p.columns + 2, p.bits, p.columnPlaces, config.logSizes, config.sent);
    }

    /// @dev Address, size and kind of columns, whose lengths are from `lengths` on, and they behind. Returns how many have
    /// multiplicities: of these the numerators are sent.
    function putColumns(
        uint256 lengths,
        uint256[] memory bits,
        uint256[] memory places,
        uint256[] memory logSizes,
        bool[] memory sent
    ) private pure returns (uint256 multiplicities) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (places.length == 0) return 0;
        assembly ("memory-safe") {
            logSizes := sub(logSizes, places)
            sent := sub(sent, places)
            let place := add(lengths, shl(1, mload(places)))
            let end := add(places, shl(5, mload(places)))
            for {} lt(places, end) {} {
                places := add(places, 32)
                mstore(places, place)
                let word := mload(place)
                let tables := iszero(eq(and(shr(232, word), 0xffff), NO_CLAIM))
                mstore(add(places, sent), tables)
                multiplicities := add(multiplicities, tables)
                let logSize := 0
                let axis := add(place, 4)
                for { let behind := add(axis, byte(3, word)) } lt(axis, behind) { axis := add(axis, 1) } {
                    logSize := add(logSize, mload(add(bits, add(32, shl(5, byte(0, mload(axis)))))))
                }
                mstore(add(places, logSizes), logSize)
                place := add(place, shr(240, mload(lengths)))
                lengths := add(lengths, 2)
            }
        }
    }

    /// @notice Numerators of lookups, which are public, at the argument's point; of tables what was sent.
    function publicNumerators(Program memory p, Fp3[] memory numerators) internal pure {
        uint256[] memory places = p.columnPlaces;
        if (places.length != numerators.length) revert Programs.ProgramInvalid();
        for (uint256 j = 0; j < numerators.length; ++j) {
            uint256 place = numberAt(places, j);
            if (columnClaim(place) != NO_CLAIM) continue;
            unchecked {
                // An address.
                place += 6 + u8At(place + 3);
            }
            setElement(numerators, j, p.nodeOf(u16At(place)));
        }
    }

    /// @dev The claim on a table's multiplicities, or NO_CLAIM.
    function columnClaim(uint256 place) private pure returns (uint256 claim) {
        assembly ("memory-safe") {
            claim := and(shr(232, mload(place)), 0xffff)
        }
    }

    /// @notice How many values follow the columns: of all claims that have arisen but multiplicities.
    function lookupValueCount(Program memory p) internal pure returns (uint256) {
        return u16At(p.zero) - p.multiplicities;
    }

    /// @notice Reads the values of the tensors that columns are made of, and compares the columns' denominators with what
    /// follows from these.
    function columns(
        Program memory p,
        Transcript.State memory transcript,
        Section memory section,
        uint256 logCells,
        Fp3[2] memory alphaBeta,
        Fp3[] memory numerators,
        Fp3[] memory denominators
    ) internal pure {
        setLookupValues(p, elements(transcript, section, LOOKUP_VALUES, lookupValueCount(p), logCells), numerators);
        (Fp3 alpha, Fp3 beta) = (alphaBeta[0], alphaBeta[1]);
        Fp3 tagWeight = pow(beta, p.tagPower);
        uint256[] memory places = p.columnPlaces;
        if (places.length != denominators.length) revert Programs.ProgramInvalid();
        for (uint256 j = 0; j < denominators.length; ++j) {
            uint256 place = numberAt(places, j);
            Fp3 inside = alpha - (ONE + tagWeight.scale(u8At(place)));
            unchecked {
                // An address: behind the axes, then behind the node and a number.
                place += 8 + u8At(place + 3);
            }
            uint256 node = u16At(place - 4);
            inside = node != 0 ? mulAdd(inside, p.nodeOf(node), ONE) : ONE + inside;
            // What is subtracted is reduced, and so is what the difference is compared with. Its limbs are at most 2^15 p + 2 p,
            // below 2^80.
            inside = inside - compress(p, beta, place);
            if (Fp3.unwrap(inside.reduce()) != Fp3.unwrap(element(denominators, j))) revert ProofColumn(j);
        }
    }

    /// @dev Sum over k of beta^k entry_k; reduced.
    function compress(Program memory p, Fp3 beta, uint256 place) private pure returns (Fp3 compressed) {
        uint256 entries = u8At(place);
        unchecked {
            // An address, and numbers of 8 bits.
            (compressed, place) = sumAt(p, place + 1);
            Fp3 power = beta;
            for (uint256 k = 1; k < entries; ++k) {
                Fp3 entry;
                (entry, place) = sumAt(p, place);
                compressed = mulAdd(power, entry, compressed);
                if (k + 1 < entries) power = power * beta;
            }
        }
    }

    /// @dev Multiplicities are minus the numerators of tables; all others were sent, by number of claim.
    function setLookupValues(Program memory p, Fp3[] memory sent, Fp3[] memory numerators) private pure {
        uint256 total = u16At(p.zero);
        Fp3[] memory claims = p.claims;
        uint256[] memory places = p.columnPlaces;
        if (total > claims.length || places.length != numerators.length) revert Programs.ProgramInvalid();
        // Of a multiplicity a word that no element is.
        for (uint256 j = 0; j < numerators.length; ++j) {
            uint256 claim = columnClaim(numberAt(places, j));
            if (claim != NO_CLAIM) claims[claim] = Fp3.wrap(Fp3.unwrap(reduce(ZERO - numerators[j])) | MULTIPLICITY);
        }
        uint256 multiplicity = MULTIPLICITY;
        assembly ("memory-safe") {
            let from := add(sent, 32)
            let to := add(claims, 32)
            for { let end := add(to, shl(5, total)) } lt(to, end) { to := add(to, 32) } {
                let claim := mload(to)
                switch and(claim, multiplicity)
                case 0 {
                    mstore(to, mload(from))
                    from := add(from, 32)
                }
                default { mstore(to, xor(claim, multiplicity)) }
            }
        }
    }

    /// @notice Draws the point of the zero claims, whose values are zero.
    function drawZeroPoint(Program memory p, Transcript.State memory transcript) internal pure {
        (Placement memory placement,) = p.placementAt(p.zero + 4);
        Fp3[] memory point = new Fp3[](placement.degrees.length);
        for (uint256 i = 0; i < point.length; ++i) {
            point[i] = transcript.challenge(ZERO_POINT);
        }
        p.vectors[SOURCE_ZERO] = point;
        p.firsts[SOURCE_ZERO] = placement.firsts;
    }

    /// @notice Where axes lie in the challenges for zero claims and of the stages that have passed. Returns how many of
    /// these each source has, and how many there are.
    function placeChallenges(Program memory p, uint256 passed)
        internal
        pure
        returns (uint256[] memory sizes, uint256 count)
    {
        sizes = new uint256[](p.vectors.length);
        count = placeSource(p, p.zero + 4, SOURCE_ZERO, sizes);
        (uint256 place,) = firstStage(p);
        for (uint256 i = 0; i < passed; ++i) {
            count += placeSource(p, place + 9, SOURCE_STAGE + u8At(place + 2), sizes);
            place = nextStage(place);
        }
    }

    function placeSource(Program memory p, uint256 place, uint256 source, uint256[] memory sizes)
        private
        pure
        returns (uint256 size)
    {
        (p.firsts[source], size) = p.placesAt(place);
        sizes[source] = size;
    }

    /// @notice What `placeChallenges` has found, as `unpackPlacement` takes it: for each source, from zero claims on, words: how
    /// many challenges it has, how many axes follow, and where each of these begins.
    function packPlacement(Program memory p, uint256[] memory sizes) internal pure returns (bytes memory packed) {
        packed = new bytes(32 * (2 + p.bits.length) * (sizes.length - SOURCE_ZERO));
        uint256 end;
        assembly ("memory-safe") {
            end := add(packed, 32)
        }
        for (uint256 source = SOURCE_ZERO; source < sizes.length; ++source) {
            uint256 size = sizes[source];
            uint256[] memory firsts = p.firsts[source];
            assembly ("memory-safe") {
                mstore(end, size)
                let length := add(32, shl(5, mload(firsts)))
                mcopy(add(end, 32), firsts, length)
                end := add(end, add(32, length))
            }
        }
        assembly ("memory-safe") {
            mstore(packed, sub(sub(end, packed), 32))
        }
    }

    /// @notice Does as `placeChallenges` did of the same program. The lists are where they are in `packed`.
    function unpackPlacement(Program memory p, bytes memory packed) internal pure returns (uint256[] memory sizes) {
        sizes = new uint256[](p.vectors.length);
        uint256 place;
        uint256 end;
        assembly ("memory-safe") {
            place := add(packed, 32)
            end := add(place, mload(packed))
        }
        unchecked {
            // Addresses of words that there are.
            for (uint256 source = SOURCE_ZERO; source < sizes.length; ++source) {
                if (end - place < 64) revert Programs.ProgramInvalid();
                uint256[] memory firsts;
                uint256 size;
                assembly ("memory-safe") {
                    size := mload(place)
                    firsts := add(place, 32)
                }
                place += 64;
                if (firsts.length > (end - place) / 32) revert Programs.ProgramInvalid();
                place += 32 * firsts.length;
                setNumber(sizes, source, size);
                p.firsts[source] = firsts;
            }
        }
        if (place != end) revert Programs.ProgramInvalid();
    }

    /// @notice The challenges for zero claims and those of the stages that have passed, as a state has them: by rising
    /// number of the stage, as many as `placeChallenges` says of each.
    function readChallenges(Program memory p, Cursor memory cursor, uint256[] memory sizes) internal pure {
        for (uint256 source = SOURCE_ZERO; source < sizes.length; ++source) {
            p.vectors[source] = cursor.readList(sizes[source]);
        }
    }

    /// @dev How many claims' values are known when so many stages have passed: the first ones.
    function knownClaims(Program memory p, uint256 passed) private pure returns (uint256) {
        (uint256 place, uint256 stages) = firstStage(p);
        for (uint256 i = 0; i < passed; ++i) {
            place = nextStage(place);
        }
        return passed < stages ? u16At(place + 3) : u16At(p.uses);
    }

    /// @notice Writes the values of claims, whose numbers rise.
    function writeClaims(Program memory p, Cursor memory cursor, uint256[] memory numbers) internal pure {
        uint256 count = numbers.length;
        Fp3[] memory claims = p.claims;
        if (count > 0 && numbers[count - 1] >= claims.length) revert Programs.ProgramInvalid();
        uint256 place = cursor.place;
        unchecked {
            // Addresses, and numbers of claims that there are.
            for (uint256 i = 0; i < count; ++i) {
                StateBytes.put(place, element(claims, numberAt(numbers, i)));
                place += ELEMENT;
            }
        }
        cursor.place = place;
    }

    /// @notice Numbers of the claims whose values are known when so many stages have passed, and used later.
    function carried(Program memory p, uint256 passed) internal pure returns (uint256[] memory claims) {
        uint256 known = knownClaims(p, passed);
        // Stages have numbers far below.
        if (passed >= 128) revert Programs.ProgramInvalid();
        uint256 uses = p.uses + 2;
        assembly ("memory-safe") {
            claims := mload(0x40)
            let ones := div(not(0), 255)
            let highest := shl(7, ones)
            let least := mul(passed, ones)
            let to := add(claims, 32)
            for { let claim := 0 } lt(claim, known) { claim := add(claim, 32) } {
                let word := mload(add(uses, claim))
                // Of a byte that is at least `passed`, and of no other one, the highest bit is set.
                let enough := and(or(word, sub(or(word, highest), least)), highest)
                // Of the last word the first bytes alone count.
                let left := sub(known, claim)
                if lt(left, 32) { enough := and(enough, not(shr(shl(3, left), not(0)))) }
                for {} enough {} {
                    let bit := clz(enough)
                    mstore(to, add(claim, shr(3, bit)))
                    to := add(to, 32)
                    enough := xor(enough, shr(bit, shl(255, 1)))
                }
            }
            mstore(claims, shr(5, sub(sub(to, claims), 32)))
            mstore(0x40, to)
        }
    }

    // Stages.

    /// @notice Address of the first stage, and how many there are.
    function firstStage(Program memory p) internal pure returns (uint256 place, uint256 count) {
        return (p.stages + 1, u8At(p.stages));
    }

    /// @notice Address of the stage behind another one.
    function nextStage(uint256 place) internal pure returns (uint256) {
        return place + 2 + u16At(place);
    }

    /// @notice One stage.
    function stage(Program memory p, Transcript.State memory transcript, Section memory section, uint256 place)
        internal
        pure
    {
        place += 2;
        uint256 number = u8At(place);
        if (number + SOURCE_STAGE >= p.vectors.length) revert Programs.ProgramInvalid();
        uint256 firstClaim = u16At(place + 1);
        uint256 linearValues = u16At(place + 3);
        uint256 sumValues = u16At(place + 5);
        (Placement memory placement, uint256 body) = p.placementAt(place + 7);
        p.firsts[SOURCE_STAGE + number] = placement.firsts;
        requireBytes(section, linearValues + sumValues, placement.degrees, number);
        if (linearValues > 0) {
            setClaims(p, firstClaim, elements(transcript, section, LINEAR_VALUES, linearValues, number));
        }
        body = checkLinear(p, body, number);
        if (number == GATHERING) {
            gather(p, transcript, section, body, placement.degrees, firstClaim + linearValues, sumValues);
        } else if (u16At(body) > 0) {
            sumcheck(p, transcript, section, body, number, placement.degrees, firstClaim + linearValues, sumValues);
        }
    }

    function requireBytes(Section memory section, uint256 values, uint256[] memory degrees, uint256 number)
        private
        pure
    {
        unchecked {
            // Numbers of 8 bits.
            for (uint256 i = 0; i < degrees.length; ++i) {
                values += numberAt(degrees, i);
            }
        }
        if (section.end - section.next < ELEMENT * values) revert ProofTruncated(number);
    }

    function setClaims(Program memory p, uint256 first, Fp3[] memory values) private pure {
        if (first + values.length > p.claims.length) revert Programs.ProgramInvalid();
        Fp3[] memory claims = p.claims;
        assembly ("memory-safe") {
            mcopy(add(claims, add(32, shl(5, first))), add(values, 32), shl(5, mload(values)))
        }
    }

    function checkLinear(Program memory p, uint256 place, uint256 number) private pure returns (uint256) {
        uint256 count = u16At(place);
        place += 2;
        for (uint256 i = 0; i < count; ++i) {
            uint256 claim = u16At(place);
            Fp3 sum;
            (sum, place) = sumAt(p, place + 2);
            // Both are reduced.
            if (Fp3.unwrap(sum) != Fp3.unwrap(p.claims[claim])) revert ProofLinear(number);
        }
        return place;
    }

    function sumcheck(
        Program memory p,
        Transcript.State memory transcript,
        Section memory section,
        uint256 place,
        uint256 number,
        uint256[] memory degrees,
        uint256 firstValue,
        uint256 sumValues
    ) private pure {
        Fp3 join = transcript.challenge(JOIN);
        Fp3 claim = bind(p, transcript, section, joinedClaims(p, place, join), number, degrees);
        setClaims(p, firstValue, elements(transcript, section, SUM_VALUES, sumValues, number));
        if (!equal(halved(joinedSums(p, place, join), degrees.length), claim)) revert ProofSum(number);
    }

    function gather(
        Program memory p,
        Transcript.State memory transcript,
        Section memory section,
        uint256 place,
        uint256[] memory degrees,
        uint256 firstValue,
        uint256 sumValues
    ) private pure {
        (uint256 tensors, uint256 claims) = Gathering.begin(place);
        if (claims == 0) return;
        Fp3[] memory powers = powersOf(transcript.challenge(JOIN), 0, claims);
        Fp3 claim = bind(p, transcript, section, Gathering.joinedClaims(p, tensors, powers), GATHERING, degrees);
        setClaims(p, firstValue, elements(transcript, section, SUM_VALUES, sumValues, GATHERING));
        if (!equal(halved(Gathering.joinedSums(p, place, tensors, powers), degrees.length), claim)) {
            revert ProofSum(GATHERING);
        }
    }

    /// @dev The rounds of a stage's sumcheck, whose challenges are its vector. Returns the claim that they end in.
    function bind(
        Program memory p,
        Transcript.State memory transcript,
        Section memory section,
        Fp3 claim,
        uint256 number,
        uint256[] memory degrees
    ) private pure returns (Fp3) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (degrees.length == 0) return claim;
        Fp3[] memory point = new Fp3[](degrees.length);
        for (uint256 i = 0; i < point.length; ++i) {
            Fp3 r;
            (claim, r) = round(transcript, section, claim, numberAt(degrees, i), number);
            setElement(point, i, r);
        }
        p.vectors[SOURCE_STAGE + number] = point;
        return claim;
    }

    /// @dev A round in which a product has no variable halves it: the program's products are times 2 to their variables, so
    /// that all are divided by 2 to the rounds.
    function halved(Fp3 total, uint256 rounds) private pure returns (Fp3) {
        // 2 has the order 192 modulo p.
        return total.scale(powerOfTwo(192 * (rounds / 192 + 1) - rounds));
    }

    /// @dev h(0) and the coefficients of X^2, X^3, .. are sent; that of X follows from h(0) + h(1) = claim.
    function round(
        Transcript.State memory transcript,
        Section memory section,
        Fp3 claim,
        uint256 degree,
        uint256 number
    ) private pure returns (Fp3 next, Fp3 r) {
        if (degree == 0) revert Programs.ProgramInvalid();
        uint256 first = section.next;
        transcript.absorbElements(ROUND, first, degree);
        r = transcript.challenge(BIND);
        Fp3 constant_ = elementAt(first);
        // At most 2^9 summands.
        Fp3 others = constant_ + constant_;
        Fp3 high = ZERO;
        unchecked {
            // Offsets in calldata, and elements as they are read with what carries them: far below 2^256.
            uint256 carries = Fp3.unwrap(constant_) + TO_CARRY;
            uint256 place = first + ELEMENT * degree;
            section.next = place;
            for (place -= ELEMENT; place > first; place -= ELEMENT) {
                Fp3 sent = elementAt(place);
                carries |= Fp3.unwrap(sent) + TO_CARRY;
                others = others + sent;
                high = (high + sent) * r;
            }
            if (carries & CARRIES != 0) revert ProofNonCanonical(number);
        }
        next = mulAdd(r, claim - others + high, constant_);
    }

    function joinedClaims(Program memory p, uint256 place, Fp3 join) private pure returns (Fp3) {
        Fp3[] memory list = new Fp3[](u16At(place));
        place += 2;
        for (uint256 i = 0; i < list.length; ++i) {
            setElement(list, i, element(p.claims, u16At(place)));
            place = sumEnd(place + 2);
        }
        return horner(list, join, ZERO);
    }

    function sumEnd(uint256 place) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            let products := shr(240, mload(place))
            end := add(place, 2)
            for {} products { products := sub(products, 1) } {
                end := add(end, add(5, shl(1, byte(0, mload(end)))))
            }
        }
    }

    /// @dev What all sums are worth at the point.
    function joinedSums(Program memory p, uint256 place, Fp3 join) private pure returns (Fp3) {
        Fp3[] memory list = new Fp3[](u16At(place));
        place += 2;
        for (uint256 i = 0; i < list.length; ++i) {
            Fp3 sum;
            (sum, place) = sumAt(p, place + 2);
            setElement(list, i, sum);
        }
        return horner(list, join, ZERO);
    }
}
