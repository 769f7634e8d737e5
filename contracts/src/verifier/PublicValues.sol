// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, ZERO, mulAdd, reduce, scaledEqTable} from "./Fp3.sol";
import {element, numberAt, setNumber} from "./Fused.sol";
import {Nodes} from "./Nodes.sol";
import {Program, Programs, u8At, u16At, u32At, u64At} from "./Program.sol";
import {Scratch} from "./Scratch.sol";

/// @title What claims on tensors of public values are worth at the gathering's point (spec/proof.md, section 3.5)
/// @dev In a program (spec/program.md, section 5): 2 bytes number of claims, 2 bytes number of readings. A reading: 1 byte
/// number of the values' axes, 3 bytes each, the axis and its coordinates; 2 bytes constant and 2 bytes node of the scale;
/// then a byte each: the values, their digits, the last axis, what a value beyond it is. 2 bytes number of claims, for each 2
/// bytes the claim, the number of its power, its weight, the coordinates of the last axis, and 1 byte, 1 of sums.
///
/// Each claim is a function of digits. All values are looked through once for each reading: eq of the places, summed by
/// digit, is all that any function takes of them.
///
/// Bounds: eq of k coordinates has limbs of at most (k + 1) p, hence below 2^69, and 2^LOG_CHUNK of them less than 2^79.
library PublicValues {
    using Nodes for Program;
    using Programs for Program;

    /// @notice More different points than a program may have.
    error TooManyPoints();

    uint256 private constant AXIS = 3;
    uint256 private constant HEAD = 8;
    uint256 private constant CLAIM = 9;
    /// @dev log2 of the values that sums by digit take before they are reduced.
    uint256 private constant LOG_CHUNK = 10;
    uint256 private constant MOST_DIGITS = 3;
    /// @dev Bytes of a value.
    uint256 private constant VALUE_BYTES = 8;

    /// @dev What a value is that is not below the axis' length: itself, as it is at most 2^bits, the length, or 2^bits.
    uint256 private constant BEYOND_NEVER = 0;
    uint256 private constant BEYOND_LENGTH = 1;
    uint256 private constant LANES = (1 << 192) | (1 << 128) | (1 << 64) | 1;
    /// @dev Readings whose sums are kept: a statement has about as many.
    uint256 private constant KEPT = 16;

    /// @dev Values, and how their digits are read.
    struct Reading {
        /// Address of the first value, and how many there are.
        uint256 values;
        uint256 count;
        uint256 digits;
        /// Coordinates of the last axis, and of a digit, but for the highest one.
        uint256 bits;
        uint256 width;
        /// What a value of `limit` or more is.
        uint256 limit;
        uint256 beyond;
        /// eq of the places, and the sums of these by digit: for each digit `size` bytes, a word for each value of it, and of
        /// the highest one the number behind all others.
        Fp3[] eqs;
        uint256 sums;
        uint256 size;
        /// Of earlier readings, as far as there is room: what their sums follow from, and where these are.
        uint256[] keys;
        uint256[] places;
    }

    /// @notice Sum over all claims of power times value. Not reduced: fewer than 2^14 summands, which are.
    function joinedClaims(Program memory p, uint256 place, Fp3[] memory powers) internal pure returns (Fp3 total) {
        unchecked {
            // Addresses in memory and numbers of 16 bits.
            uint256 left = u16At(place + 2);
            place += 4;
            for (; left > 0; --left) {
                place += 1 + AXIS * u8At(place) + HEAD;
                uint256 end = place + 2 + CLAIM * u16At(place);
                for (place += 2; place < end; place += CLAIM) {
                    total = total + element(p.claims, u16At(place)) * element(powers, u16At(place + 2));
                }
            }
        }
    }

    /// @notice Sum over all claims of power times weight times what the claim is worth.
    function joinedSums(Program memory p, uint256 place, Fp3[] memory weights, Fp3[] memory powers)
        internal
        pure
        returns (Fp3 total)
    {
        Reading memory r;
        (r.keys, r.places) = (new uint256[](KEPT), new uint256[](KEPT));
        bytes32 lastAxes;
        unchecked {
            // Addresses in memory and numbers of 16 bits.
            uint256 left = u16At(place + 2);
            place += 4;
            for (; left > 0; --left) {
                uint256 size = 1 + AXIS * u8At(place);
                bytes32 axes;
                assembly ("memory-safe") {
                    axes := keccak256(place, size)
                }
                if (axes != lastAxes) (lastAxes, r.eqs) = (axes, placesAt(p, place));
                place += size;
                prepare(p, r, place);
                uint256 claims = u16At(place + HEAD);
                Fp3 sum = claimsOf(p, r, place + HEAD + 2, claims, weights, powers);
                uint256 node = u16At(place + 2);
                sum = sum.scale(p.constantAt(u16At(place)));
                total = mulAdd(sum, node == 0 ? ONE : p.nodeOf(node), total);
                place += HEAD + 2 + CLAIM * claims;
            }
        }
    }

    /// @dev Sum over the claims on a reading of power times weight times what they are worth; reduced.
    function claimsOf(
        Program memory p,
        Reading memory r,
        uint256 place,
        uint256 claims,
        Fp3[] memory weights,
        Fp3[] memory powers
    ) private pure returns (Fp3 sum) {
        Fp3 value = r.digits == 0 ? valueSum(r) : ZERO;
        unchecked {
            // Addresses in memory.
            for (; claims > 0; --claims) {
                if (r.digits != 0) {
                    uint256 table = tableOf(p, r, u16At(place + 6));
                    value = u8At(place + 8) == 0 ? equal(r, table) : below(r, table);
                }
                Fp3 weight = element(weights, u16At(place + 4)) * element(powers, u16At(place + 2));
                sum = mulAdd(weight, value, sum);
                place += CLAIM;
            }
        }
    }

    /// @dev Product over the digits of eq.
    function equal(Reading memory r, uint256 table) private pure returns (Fp3 value) {
        value = ONE;
        for (uint256 d = 0; d < r.digits; ++d) {
            value = value * dot(r.sums + d * r.size, table + d * r.size, r.size);
        }
    }

    /// @dev With what the lower digits give, one digit more gives its eq times that and its sum of those of smaller ones.
    function below(Reading memory r, uint256 table) private pure returns (Fp3 value) {
        uint256 sums = table + r.digits * r.size;
        value = dot(r.sums, sums, r.size);
        for (uint256 d = 1; d < r.digits; ++d) {
            uint256 own = r.sums + d * r.size;
            value = mulAdd(dot(own, table + d * r.size, r.size), value, dot(own, sums + d * r.size, r.size));
        }
    }

    /// @dev Reads what a reading has behind its axes, and sums eq of the places by digit.
    function prepare(Program memory p, Reading memory r, uint256 place) private pure {
        uint256 list = p.values[u8At(place + 4)];
        r.values = list + 4;
        r.count = u32At(list);
        if (r.count != r.eqs.length) revert Programs.ProgramInvalid();
        r.digits = u8At(place + 5);
        if (r.digits == 0) return;
        if (r.digits > MOST_DIGITS) revert Programs.ProgramInvalid();
        uint256 axis = u8At(place + 6);
        r.bits = p.bits[axis];
        r.width = (r.bits + r.digits - 1) / r.digits;
        uint256 kind = u8At(place + 7);
        r.limit = kind == BEYOND_NEVER ? (1 << r.bits) + 1 : p.lengths[axis];
        r.beyond = kind == BEYOND_LENGTH ? r.limit : 1 << r.bits;
        // The highest digit has at most as many coordinates as the others.
        r.size = 32 + (32 << r.width);
        findSums(r);
    }

    /// @dev Lists are often alike, those of the likeliest words and the chosen ones where the former are chosen: of the
    /// same values at the same places, cut into the same digits, the sums are the same.
    function findSums(Reading memory r) private pure {
        uint256 key;
        uint256 scratch = Scratch.mark();
        assembly ("memory-safe") {
            // From the number of values to the largest one; instead of where the values are, what they are.
            mcopy(scratch, add(r, 32), 224)
            mstore(add(scratch, 224), keccak256(mload(r), shl(3, mload(add(r, 32)))))
            key := keccak256(scratch, 256)
        }
        uint256 slot = 0;
        for (; slot < KEPT; ++slot) {
            uint256 own = numberAt(r.keys, slot);
            if (own == key) {
                r.sums = numberAt(r.places, slot);
                return;
            }
            if (own == 0) break;
        }
        uint256 bytes_ = r.digits * r.size;
        uint256 sums = Scratch.take(bytes_);
        assembly ("memory-safe") {
            calldatacopy(sums, calldatasize(), bytes_)
        }
        r.sums = sums;
        sumDigits(r);
        if (slot == KEPT) return;
        setNumber(r.keys, slot, key);
        setNumber(r.places, slot, sums);
    }

    /// @dev Adds eq of each place to the sums of its value's digits.
    function sumDigits(Reading memory r) private pure {
        unchecked {
            // Numbers of values.
            for (uint256 first = 0; first < r.count; first += 1 << LOG_CHUNK) {
                if (first > 0) reduceAll(r.sums, r.digits * r.size);
                uint256 end = first + (1 << LOG_CHUNK);
                if (end > r.count) end = r.count;
                uint256 next = first;
                while (next + 4 <= end) {
                    next = addFours(r, next, end & ~uint256(3));
                    // Stopped by one of the next four.
                    if (next + 4 <= end) {
                        addSingly(r, next, next + 4);
                        next += 4;
                    }
                }
                addSingly(r, next, end);
            }
        }
    }

    /// @dev Takes values four in a word at a time, from `first` to `end`, both multiples of four, or up to a word with one
    /// that is not below the limit. Returns where it ended.
    function addFours(Reading memory r, uint256 first, uint256 end) private pure returns (uint256) {
        if (first == end) return end;
        uint256 lower = r.digits - 1;
        uint256 width = r.width;
        uint256 sums = r.sums;
        uint256 size = r.size;
        // Carries what is not below the limit, but below 2^63, to the highest bit of its lane.
        uint256 carrying = LANES * ((1 << 63) - r.limit);
        uint256 place = r.values + VALUE_BYTES * first;
        end = r.values + VALUE_BYTES * end;
        Fp3[] memory list = r.eqs;
        assembly ("memory-safe") {
            let eqs := add(list, add(32, shl(5, first)))
            let mask := sub(shl(add(width, 5), 1), 32)
            // The highest digit may be one more than its coordinates reach.
            let highest := add(mask, add(mask, 32))
            for {} lt(place, end) { place := add(place, 32) } {
                let word := mload(place)
                if and(or(word, add(word, carrying)), mul(LANES, 0x8000000000000000)) { break }
                let at_ := sums
                if eq(word, mul(and(word, 0xffffffffffffffff), LANES)) {
                    // Four equal ones, and all words behind that are the same.
                    let all := 0
                    for {} 1 {} {
                        all := add(
                            all,
                            add(add(mload(eqs), mload(add(eqs, 32))), add(mload(add(eqs, 64)), mload(add(eqs, 96))))
                        )
                        eqs := add(eqs, 128)
                        place := add(place, 32)
                        if iszero(and(lt(place, end), eq(mload(place), word))) { break }
                    }
                    for { let left := lower } left { left := sub(left, 1) } {
                        let sum := add(at_, and(shl(5, word), mask))
                        mstore(sum, add(mload(sum), all))
                        word := shr(width, word)
                        at_ := add(at_, size)
                    }
                    let sum := add(at_, and(shl(5, word), highest))
                    mstore(sum, add(mload(sum), all))
                    place := sub(place, 32)
                    continue
                }
                for { let left := lower } left { left := sub(left, 1) } {
                    let sum := add(at_, and(shr(187, word), mask))
                    mstore(sum, add(mload(sum), mload(eqs)))
                    sum := add(at_, and(shr(123, word), mask))
                    mstore(sum, add(mload(sum), mload(add(eqs, 32))))
                    sum := add(at_, and(shr(59, word), mask))
                    mstore(sum, add(mload(sum), mload(add(eqs, 64))))
                    sum := add(at_, and(shl(5, word), mask))
                    mstore(sum, add(mload(sum), mload(add(eqs, 96))))
                    word := shr(width, word)
                    at_ := add(at_, size)
                }
                let sum := add(at_, and(shr(187, word), highest))
                mstore(sum, add(mload(sum), mload(eqs)))
                sum := add(at_, and(shr(123, word), highest))
                mstore(sum, add(mload(sum), mload(add(eqs, 32))))
                sum := add(at_, and(shr(59, word), highest))
                mstore(sum, add(mload(sum), mload(add(eqs, 64))))
                sum := add(at_, and(shl(5, word), highest))
                mstore(sum, add(mload(sum), mload(add(eqs, 96))))
                eqs := add(eqs, 128)
            }
        }
        return (place - r.values) / VALUE_BYTES;
    }

    function addSingly(Reading memory r, uint256 first, uint256 end) private pure {
        unchecked {
            // Numbers of values, and addresses in memory.
            for (; first < end; ++first) {
                uint256 x = u64At(r.values + VALUE_BYTES * first);
                if (x >= r.limit) x = r.beyond;
                uint256 at_ = r.sums;
                uint256 left = r.bits;
                Fp3 eq = element(r.eqs, first);
                for (uint256 d = 1; d < r.digits; ++d) {
                    // A digit behind all coordinates has no bit: the number behind all others is the highest one's.
                    uint256 own = left < r.width ? left : r.width;
                    addTo(at_, x & ((1 << own) - 1), eq);
                    x >>= own;
                    left -= own;
                    at_ += r.size;
                }
                addTo(at_, x, eq);
            }
        }
    }

    function addTo(uint256 list, uint256 digit, Fp3 summand) private pure {
        assembly ("memory-safe") {
            let place := add(list, shl(5, digit))
            mstore(place, add(mload(place), summand))
        }
    }

    function reduceAll(uint256 place, uint256 size) private pure {
        unchecked {
            // Addresses in memory.
            for (uint256 end = place + size; place < end; place += 32) {
                Fp3 sum;
                assembly ("memory-safe") {
                    sum := mload(place)
                }
                sum = reduce(sum);
                assembly ("memory-safe") {
                    mstore(place, sum)
                }
            }
        }
    }

    /// @dev Sum over the values of eq of the place times the value; reduced. Products have limbs below 2^133, and 2^32 of
    /// them less than 2^165.
    function valueSum(Reading memory r) private pure returns (Fp3 sum) {
        uint256 from = r.values;
        uint256 end = from + VALUE_BYTES * r.count;
        Fp3[] memory eqs = r.eqs;
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (from == end) return ZERO;
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            for {} lt(from, end) { from := add(from, 8) } {
                eqs := add(eqs, 32)
                let value := shr(192, mload(from))
                let eq_ := mload(eqs)
                s0 := add(s0, mul(shr(160, eq_), value))
                s1 := add(s1, mul(signextend(9, shr(80, eq_)), value))
                s2 := add(s2, mul(signextend(9, eq_), value))
            }
            sum := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev Sum of products of two lists of so many bytes, reduced. Of limbs below 2^79 five products have less than 2^161,
    /// and 2^12 of them less than 2^173. Many of the first list's words are 0.
    function dot(uint256 list, uint256 other, uint256 size) private pure returns (Fp3 sum) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (size == 0) return ZERO;
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            other := sub(other, list)
            for { let end := add(list, size) } lt(list, end) { list := add(list, 32) } {
                let a2 := mload(list)
                if iszero(a2) { continue }
                let a0 := shr(160, a2)
                let a1 := signextend(9, shr(80, a2))
                a2 := signextend(9, a2)
                let c := mload(add(list, other))
                let b := shr(160, c)
                s0 := add(s0, mul(a0, b))
                s1 := add(s1, mul(a1, b))
                s2 := add(s2, mul(a2, b))
                b := signextend(9, shr(80, c))
                s0 := add(s0, shl(1, mul(a2, b)))
                s1 := add(s1, mul(a0, b))
                s2 := add(s2, mul(a1, b))
                b := signextend(9, c)
                s0 := add(s0, shl(1, mul(a1, b)))
                s1 := add(s1, shl(1, mul(a2, b)))
                s2 := add(s2, mul(a0, b))
            }
            sum := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev Tables of a point of the last axis: for each digit, lowest first, eq and 0; behind them likewise the sums of those
    /// of all smaller digits. Kept for the next reading, which reads the same axis alike.
    function tableOf(Program memory p, Reading memory r, uint256 coordinates) private pure returns (uint256 table) {
        (uint256 slot, bool found) = slotOf(p.tableKeys, coordinates + 1);
        if (found) return numberAt(p.tablePlaces, slot);
        Fp3[] memory point = p.pointOf(coordinates);
        if (point.length != r.bits) revert Programs.ProgramInvalid();
        uint256 all = r.digits * r.size;
        table = Scratch.take(2 * all);
        uint256 low = 0;
        uint256 place = table;
        for (uint256 d = 1; d <= r.digits; ++d) {
            uint256 own = point.length - low;
            if (d < r.digits && own > r.width) own = r.width;
            scaledEqTable(place, ONE, point, low, own);
            endTable(place, place + all, 32 << own);
            low += own;
            place += r.size;
        }
        setNumber(p.tableKeys, slot, coordinates + 1);
        setNumber(p.tablePlaces, slot, table);
    }

    /// @dev A table of `size` bytes gets a 0, and from `to` on the sums of all entries before each.
    function endTable(uint256 table, uint256 to, uint256 size) private pure {
        assembly ("memory-safe") {
            let sum := 0
            let end := add(table, size)
            mstore(end, 0)
            for {} iszero(gt(table, end)) { table := add(table, 32) } {
                mstore(to, sum)
                sum := add(sum, mload(table))
                to := add(to, 32)
            }
        }
    }

    /// @dev The slot of a key, or the first free one.
    function slotOf(uint256[] memory keys, uint256 key) private pure returns (uint256 slot, bool found) {
        uint256 count = keys.length;
        unchecked {
            // Numbers of a few entries.
            for (; slot < count; ++slot) {
                uint256 own = numberAt(keys, slot);
                if (own == key) return (slot, true);
                if (own == 0) return (slot, false);
            }
        }
        revert TooManyPoints();
    }

    /// @dev eq of a point and every index of some axes, row-major without padding: axis by axis, for each index of those
    /// before the table of the next one, of which what is beyond its length is overwritten.
    function placesAt(Program memory p, uint256 place) private pure returns (Fp3[] memory eqs) {
        uint256 rank = u8At(place);
        eqs = new Fp3[](1);
        eqs[0] = ONE;
        for (++place; rank > 0; --rank) {
            uint256 length = p.lengths[u8At(place)];
            Fp3[] memory point = p.pointOf(u16At(place + 1));
            if (length > 1 << point.length) revert Programs.ProgramInvalid();
            if (length > 1) eqs = nextAxis(eqs, point, length);
            place += AXIS;
        }
    }

    function nextAxis(Fp3[] memory before, Fp3[] memory point, uint256 length) private pure returns (Fp3[] memory eqs) {
        uint256 size = before.length * length;
        eqs = new Fp3[](size + (1 << point.length) - length);
        uint256 to;
        assembly ("memory-safe") {
            to := add(eqs, 32)
            mstore(eqs, size)
        }
        for (uint256 i = 0; i < before.length; ++i) {
            scaledEqTable(to, element(before, i), point, 0, point.length);
            to += 32 * length;
        }
    }
}
