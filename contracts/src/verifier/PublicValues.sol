// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, ZERO, mulAdd, scaledEqTable} from "./Fp3.sol";
import {element, numberAt, setElement} from "./Fused.sol";
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
/// digit, is all that any function takes of them. Many values are summed block by block: eq of a place is that of its
/// block times that within, so that there are as many products as blocks and digits, not as places.
///
/// Bounds: eq of k coordinates has limbs of at most (k + 1) p, hence below 2^69, and BLOCK of them less than 2^78.
library PublicValues {
    using Nodes for Program;
    using Programs for Program;

    uint256 private constant AXIS = 3;
    uint256 private constant HEAD = 8;
    uint256 private constant CLAIM = 9;
    /// @dev Values of a block at most.
    uint256 private constant BLOCK = 512;
    uint256 private constant MOST_DIGITS = 3;
    /// @dev Bytes of a value.
    uint256 private constant VALUE_BYTES = 8;

    /// @dev What a value is that is not below the axis' length: itself, as it is at most 2^bits, the length, or 2^bits.
    uint256 private constant BEYOND_NEVER = 0;
    uint256 private constant BEYOND_LENGTH = 1;
    uint256 private constant LANES = (1 << 192) | (1 << 128) | (1 << 64) | 1;

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
        /// eq of the places in a block, and the sums of eq by digit: for each digit `size` bytes, a word for each value of it,
        /// and of the highest one the number behind all others.
        Fp3[] eqs;
        uint256 sums;
        uint256 size;
        /// Address of the last sums that are kept, 0 for none: a word with that of those before, a word that says what they
        /// follow from, then they.
        uint256 kept;
        /// eq of the blocks.
        Fp3[] blocks;
        /// As `kept` of tables, which follow from the number of coordinates.
        uint256 tables;
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
                if (axes != lastAxes) {
                    lastAxes = axes;
                    placesAt(p, r, place);
                }
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
        if (r.count != r.eqs.length * r.blocks.length) revert Programs.ProgramInvalid();
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
        uint256 bytes_ = r.digits * r.size;
        bool found;
        uint256 sums;
        assembly ("memory-safe") {
            // From the number of values to the address of eq; instead of where the values are, what they are.
            let scratch := mload(0x40)
            mcopy(scratch, add(r, 32), 224)
            mstore(add(scratch, 224), keccak256(mload(r), shl(3, mload(add(r, 32)))))
            let key := keccak256(scratch, 256)
            let kept := add(r, 320)
            let last := mload(kept)
            sums := last
            for {} sums { sums := mload(sums) } {
                found := eq(mload(add(sums, 32)), key)
                if found { break }
            }
            if iszero(found) {
                sums := scratch
                mstore(sums, last)
                mstore(add(sums, 32), key)
                mstore(kept, sums)
                calldatacopy(add(sums, 64), calldatasize(), bytes_)
                mstore(0x40, add(add(sums, 64), bytes_))
            }
            sums := add(sums, 64)
        }
        r.sums = sums;
        if (!found) sumDigits(r);
    }

    /// @dev Adds eq of each place to the sums of its value's digits.
    function sumDigits(Reading memory r) private pure {
        if (r.blocks.length == 1) {
            sumBlock(r);
            return;
        }
        uint256 mark = Scratch.mark();
        unchecked {
            // Addresses in memory and sizes of what lies there.
            uint256 size = r.digits * r.size;
            uint256 sums = r.sums;
            uint256 own = Scratch.take(size);
            r.sums = own;
            for (uint256 i = 0; i < r.blocks.length; ++i) {
                assembly ("memory-safe") {
                    calldatacopy(own, calldatasize(), size)
                }
                sumBlock(r);
                addScaled(sums, own, size, element(r.blocks, i));
                r.values += VALUE_BYTES * r.eqs.length;
            }
            r.sums = sums;
        }
        Scratch.release(mark);
    }

    /// @dev Adds the words of a list of so many bytes, times a factor, to those of another one, which are reduced again.
    function addScaled(uint256 list, uint256 summands, uint256 size, Fp3 factor) private pure {
        unchecked {
            // Addresses in memory.
            for (uint256 end = list + size; list < end; list += 32) {
                Fp3 sum;
                Fp3 summand;
                assembly ("memory-safe") {
                    sum := mload(list)
                    summand := mload(summands)
                }
                summands += 32;
                // Most are of digits that no value has.
                if (Fp3.unwrap(summand) == 0) continue;
                sum = mulAdd(summand, factor, sum);
                assembly ("memory-safe") {
                    mstore(list, sum)
                }
            }
        }
    }

    /// @dev Adds eq of each place in a block to the sums of its value's digits. `r.values` is the block's first value.
    function sumBlock(Reading memory r) private pure {
        unchecked {
            // Numbers of values.
            uint256 end = r.eqs.length;
            uint256 next = 0;
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

    /// @dev Sum over the values of eq of the place times the value; reduced.
    function valueSum(Reading memory r) private pure returns (Fp3 sum) {
        unchecked {
            // Addresses in memory.
            uint256 size = VALUE_BYTES * r.eqs.length;
            for (uint256 i = 0; i < r.blocks.length; ++i) {
                sum = mulAdd(blockSum(r.values + size * i, size, r.eqs), element(r.blocks, i), sum);
            }
        }
    }

    /// @dev Of the values of a block, `size` bytes from `from` on. Products have limbs below 2^133, and 2^32 of them less
    /// than 2^165.
    function blockSum(uint256 from, uint256 size, Fp3[] memory eqs) private pure returns (Fp3 sum) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (size == 0) return ZERO;
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            for { let end := add(from, size) } lt(from, end) { from := add(from, 8) } {
                eqs := add(eqs, 32)
                let value := shr(192, mload(from))
                // All are where words are the likeliest ones.
                if iszero(value) { continue }
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
        uint256 last = r.tables;
        assembly ("memory-safe") {
            for { table := last } table { table := mload(table) } {
                if eq(mload(add(table, 32)), coordinates) { break }
            }
        }
        if (table != 0) return table + 64;
        Fp3[] memory point = p.pointOf(coordinates);
        if (point.length != r.bits) revert Programs.ProgramInvalid();
        uint256 all = r.digits * r.size;
        table = Scratch.take(64 + 2 * all);
        r.tables = table;
        assembly ("memory-safe") {
            mstore(table, last)
            mstore(add(table, 32), coordinates)
            table := add(table, 64)
        }
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

    /// @dev eq of a point and every index of some axes, row-major without padding: that of a block, and of the blocks. What
    /// is left of the axes from one on, and as many of the low coordinates of the one before as divide its length, is a
    /// block if there is room for more than one axis' places.
    function placesAt(Program memory p, Reading memory r, uint256 place) private pure {
        uint256 left = 1;
        unchecked {
            // Addresses in memory, and numbers of values: of a program in which they are more than 2^256 they mean nothing.
            uint256 end = place + 1 + AXIS * u8At(place);
            for (uint256 axis = ++place; axis < end; axis += AXIS) {
                left *= numberAt(p.lengths, u8At(axis));
            }
            (r.blocks, r.eqs) = (oneOne(), oneOne());
            for (; place < end; place += AXIS) {
                uint256 length = numberAt(p.lengths, u8At(place));
                Fp3[] memory point = p.pointOf(u16At(place + 1));
                if (length > 1 << point.length) revert Programs.ProgramInvalid();
                if (length <= 1) continue;
                uint256 low = point.length;
                if (left > BLOCK) {
                    low = 0;
                    while ((left / length) << (low + 1) <= BLOCK && length % (2 << low) == 0) ++low;
                    r.blocks = nextAxis(r.blocks, point, low, point.length - low, length >> low);
                    left = (left / length) << low;
                    length = 1 << low;
                }
                if (low > 0) r.eqs = nextAxis(r.eqs, point, 0, low, length);
                left /= length;
            }
        }
    }

    function oneOne() private pure returns (Fp3[] memory list) {
        list = new Fp3[](1);
        setElement(list, 0, ONE);
    }

    /// @dev For each entry of a list as many as a length says, times eq of some coordinates: table by table, of which what
    /// is beyond the length is overwritten.
    function nextAxis(Fp3[] memory before, Fp3[] memory point, uint256 first, uint256 count, uint256 length)
        private
        pure
        returns (Fp3[] memory eqs)
    {
        unchecked {
            // Addresses and sizes in memory; what has a product above 2^256 needs more than there is of it.
            eqs = new Fp3[](before.length * length + (1 << count) - length);
            uint256 to;
            assembly ("memory-safe") {
                to := add(eqs, 32)
                mstore(eqs, mul(mload(before), length))
            }
            for (uint256 i = 0; i < before.length; ++i) {
                scaledEqTable(to, element(before, i), point, first, count);
                to += 32 * length;
            }
        }
    }
}
