// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, powersOf} from "./Fp3.sol";
import {numberAt, powerOfTwo} from "./Fused.sol";
import {Packing} from "./Packing.sol";
import {Program, Programs, SOURCES, u8At, u16At} from "./Program.sol";
import {Scratch} from "./Scratch.sol";

/// @title What the claims on committed tensors weigh at the point of an opening (spec/statement.md, section 7)
/// @dev A coordinate r is kept as its sign a = 2 r - 1, which is 1 and -1 where r is a bit: 2 eq(r, s) = 1 + a b, and the
/// factors of the bits 1 and 0 are (1 + a) / 2 and (1 - a) / 2. All coordinates of a claim's point have one factor of
/// these, whatever the piece, so that its weight is divided by 2 to their number at the end.
///
/// The dense index has the bits of the row, then those of the joint column: a piece takes the lowest ones, and those above
/// are the same in all of it.
library Weights {
    using Programs for Program;

    /// @dev The model's and the witness's.
    uint256 private constant COMMITMENTS = 2;
    /// @dev Of the table of weights: bytes, and how many entries it takes.
    uint256 private constant TABLE = 1024 * 32;
    uint256 private constant ROOM = 768;
    /// @dev What a key of the table has room for.
    uint256 private constant MOST_COORDINATES = 1 << 12;
    uint256 private constant MOST_BITS = 48;

    /// @notice An opening's point and what was computed of it. Assembly below has the fields' offsets.
    struct At {
        /// Address of the signs of the point of the dense index, and how many there are.
        uint256 signs;
        uint256 bits;
        /// 64: weights of axes' pieces that are known, by a key of 32 bits above the element; 96: how many more are taken.
        uint256 table;
        uint256 room;
        /// 128: for each coordinates the address of their signs, once they are known; above it, 16 bits each, log2 of the
        /// largest and of the smallest piece of their axis, and how many coordinates and pieces it has.
        uint256[] lists;
        /// 160: the weights within the pieces of a tensor at `point`, with the bits of the dense index behind each. They are
        /// the same for all tensors at the point.
        uint256 scratch;
        uint256 mostPieces;
        uint256 point;
        /// 256: of each piece what the bits above its size contribute; the limbs are at most 49 p.
        uint256[] places;
        /// 288: numbers of tensors' first pieces.
        uint256[] first;
        /// 320
        Fp3[] powers;
        /// 352: of the axis that is added, what a key has for it, what `lists` has of it, and where its piece begins.
        uint256 axisKey;
        uint256 list;
        uint256 offset;
        /// By source the address of the signs of its challenges, once they are known.
        uint256[] sources;
    }

    /// @notice Claim number a, in the order of claims, times join^(number of commitments + a).
    /// @param opened The opening's point: column variables, then those of rows.
    function joined(Program memory p, Packing memory packing, Fp3[] memory opened, uint256 logRows, Fp3 join)
        internal
        pure
        returns (Fp3 total)
    {
        At memory at_ = pointOf(p, packing, opened, logRows);
        uint256 place = skipTensors(p);
        at_.powers = powersOf(join, COMMITMENTS, u16At(place));
        unchecked {
            // Addresses in memory and numbers of 16 bits.
            place += 2 + 2 * at_.powers.length;
            uint256 points = u16At(place);
            place += 2;
            // 2 to minus that many coordinates.
            uint256 scale = 1;
            uint256 scaleBits = 0;
            for (; points > 0; --points) {
                at_.point = place;
                uint256 bits = uint16(prepareLists(p, at_) >> 32);
                innerWeights(p, at_);
                if (bits != scaleBits) {
                    scaleBits = bits;
                    // 2 has the order 192 modulo p.
                    scale = powerOfTwo(192 * (bits / 192 + 1) - bits);
                }
                place += 1 + 2 * u8At(place);
                uint256 end = place + 2 + 4 * u16At(place);
                // Limbs below p, of fewer than 2^16 points.
                total = total + sumClaims(at_, place + 2, end).scale(scale);
                place = end;
            }
        }
        return total.reduce();
    }

    /// @dev Sum of the claims at a point, four bytes each. Reduced.
    ///
    /// Powers have limbs below p < 2^64, and tensors' weights below 2^149: five products of them have less than 2^216, those
    /// of 2^16 claims 2^232.
    function sumClaims(At memory at_, uint256 place, uint256 end) private pure returns (Fp3 sum) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (place == end) return sum;
        uint256 s0 = 0;
        uint256 s1 = 0;
        uint256 s2 = 0;
        unchecked {
            // An address.
            for (; place < end; place += 4) {
                (uint256 w0, uint256 w1, uint256 w2) = claimWeight(at_, u16At(place + 2));
                assembly ("memory-safe") {
                    let a := mload(add(mload(add(at_, 320)), shl(5, add(1, shr(240, mload(place))))))
                    let b := shr(160, a)
                    s0 := add(s0, mul(b, w0))
                    s1 := add(s1, mul(b, w1))
                    s2 := add(s2, mul(b, w2))
                    b := and(shr(80, a), 0xffffffffffffffffffff)
                    s1 := add(s1, mul(b, w0))
                    s2 := add(s2, mul(b, w1))
                    s0 := add(s0, shl(1, mul(b, w2)))
                    b := and(a, 0xffffffffffffffffffff)
                    s2 := add(s2, mul(b, w0))
                    s0 := add(s0, shl(1, mul(b, w1)))
                    s1 := add(s1, shl(1, mul(b, w2)))
                }
            }
        }
        assembly ("memory-safe") {
            sum := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev Sum over the pieces of a tensor of the weight within times that of the place.
    ///
    /// Weights have limbs below p < 2^64, places of at most 49 p < 2^70: five products of them have less than 2^137, those
    /// of 2^12 pieces 2^149.
    function claimWeight(At memory at_, uint256 tensor) private pure returns (uint256 w0, uint256 w1, uint256 w2) {
        uint256 piece;
        uint256 last;
        assembly ("memory-safe") {
            let first := add(mload(add(at_, 288)), shl(5, tensor))
            let places := add(mload(add(at_, 256)), 32)
            piece := add(places, shl(5, mload(add(first, 32))))
            last := add(places, shl(5, mload(add(first, 64))))
        }
        if (piece == last) return (0, 0, 0);
        assembly ("memory-safe") {
            for { let from := mload(add(at_, 160)) } lt(piece, last) {
                piece := add(piece, 32)
                from := add(from, 64)
            } {
                let a2 := mload(from)
                let a0 := shr(160, a2)
                let a1 := and(shr(80, a2), 0xffffffffffffffffffff)
                a2 := and(a2, 0xffffffffffffffffffff)
                let b := mload(piece)
                let c := shr(160, b)
                w0 := add(w0, mul(a0, c))
                w1 := add(w1, mul(a1, c))
                w2 := add(w2, mul(a2, c))
                c := and(shr(80, b), 0xffffffffffffffffffff)
                w1 := add(w1, mul(a0, c))
                w2 := add(w2, mul(a1, c))
                w0 := add(w0, shl(1, mul(a2, c)))
                c := and(b, 0xffffffffffffffffffff)
                w2 := add(w2, mul(a0, c))
                w0 := add(w0, shl(1, mul(a1, c)))
                w1 := add(w1, shl(1, mul(a2, c)))
            }
        }
    }

    function pointOf(Program memory p, Packing memory packing, Fp3[] memory opened, uint256 logRows)
        private
        pure
        returns (At memory at_)
    {
        uint256 bits = opened.length;
        if (bits > MOST_BITS || p.points.length > MOST_COORDINATES) revert Programs.ProgramInvalid();
        at_.bits = bits;
        at_.lists = new uint256[](p.points.length);
        at_.sources = new uint256[](SOURCES);
        at_.places = new uint256[](packing.order.length);
        at_.first = packing.first;
        at_.mostPieces = packing.mostPieces;
        // One entry is there before any axis.
        at_.scratch = Scratch.take(64 * (packing.mostPieces + 1));
        uint256 table = Scratch.take(TABLE);
        assembly ("memory-safe") {
            calldatacopy(table, calldatasize(), TABLE)
        }
        at_.table = table;
        at_.room = ROOM;
        uint256 variables = Scratch.take(32 * bits);
        at_.signs = variables;
        assembly ("memory-safe") {
            let rows := shl(5, logRows)
            let columns := sub(shl(5, bits), rows)
            mcopy(variables, add(add(opened, 32), columns), rows)
            mcopy(add(variables, rows), add(opened, 32), columns)
        }
        placePieces(at_, packing, logRows);
        toSigns(variables, bits);
    }

    /// @dev What the bits above their sizes contribute of all pieces. `signs` are the variables themselves.
    function placePieces(At memory at_, Packing memory packing, uint256 logRows) private pure {
        uint256 mark = Scratch.mark();
        // By level b what the bits from b on contribute of the piece before, and that with a 1 in place of its bit b: two
        // words each. In front of them the index of that piece, and the lowest level that is there.
        uint256 levels = Scratch.take(64 * (at_.bits + 2)) + 64;
        uint256 length = at_.bits;
        assembly ("memory-safe") {
            mstore(sub(levels, 64), 0)
            mstore(sub(levels, 32), length)
            mstore(add(levels, shl(6, length)), shl(160, 1))
        }
        uint256 from = 0;
        for (uint256 tree = 0; tree < COMMITMENTS; ++tree) {
            uint256 to = tree == 0 ? packing.modelPieces : packing.order.length;
            uint256 start = 0;
            for (uint256 g = 0; g < packing.logGroups[tree].length; ++g) {
                uint256 logGroup = packing.logGroups[tree][g];
                uint256 next = start + (1 << (logGroup + logRows));
                // From cells of the commitment to the joint index.
                uint256 gap = (groupOffset(packing, tree, logGroup) << logRows) - start;
                from = placeGroup(at_, packing, levels, from, to, next, gap);
                start = next;
            }
        }
        Scratch.release(mark);
    }

    /// @dev Those in order from `from` on that lie before the cell `end`; `gap` is modulo 2^256. Returns the first that does
    /// not.
    function placeGroup(
        At memory at_,
        Packing memory packing,
        uint256 levels,
        uint256 from,
        uint256 to,
        uint256 end,
        uint256 gap
    ) private pure returns (uint256) {
        if (from == to) return from;
        uint256[] memory places = at_.places;
        unchecked {
            // Numbers of pieces and of bits.
            for (; from < to; ++from) {
                uint256 piece = numberAt(packing.order, from);
                uint256 index = numberAt(packing.offsets, piece);
                if (index >= end) break;
                uint256 size = numberAt(packing.logSizes, piece);
                descend(at_.signs, levels, index + gap, size);
                assembly ("memory-safe") {
                    mstore(add(places, add(32, shl(5, piece))), mload(add(levels, shl(6, size))))
                }
            }
        }
        return from;
    }

    /// @dev Brings the levels from `low` on to an index. It and the one before are multiples of 2 to their levels: where
    /// bits from the lowest level on have changed, the highest of these is not below `low` or a level that is there, which
    /// has both halves of the one above.
    ///
    /// A level is the one above minus a product below p, plus p: limbs are at most p more than there.
    function descend(uint256 variables, uint256 levels, uint256 index, uint256 low) private pure {
        uint256 valid;
        assembly ("memory-safe") {
            let changed := xor(mload(sub(levels, 64)), index)
            mstore(sub(levels, 64), index)
            valid := mload(sub(levels, 32))
            if shr(valid, changed) {
                valid := sub(255, clz(changed))
                let place := add(levels, shl(6, valid))
                let high := mload(add(place, 32))
                if iszero(and(shr(valid, index), 1)) {
                    high := add(
                        mload(add(place, 64)),
                        sub(0xffffffff000000010000ffffffff000000010000ffffffff00000001, high)
                    )
                }
                mstore(place, high)
            }
        }
        if (valid > low) {
            assembly ("memory-safe") {
                for {} gt(valid, low) {} {
                    let a := mload(add(levels, shl(6, valid)))
                    let a0 := shr(160, a)
                    let a1 := and(shr(80, a), 0xffffffffffffffffffff)
                    let a2 := and(a, 0xffffffffffffffffffff)
                    valid := sub(valid, 1)
                    let b0 := mload(add(variables, shl(5, valid)))
                    let b2 := and(b0, 0xffffffffffffffffffff)
                    let b1 := and(shr(80, b0), 0xffffffffffffffffffff)
                    b0 := shr(160, b0)
                    let high :=
                        or(
                            or(
                                shl(
                                    160,
                                    mod(add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1)))), 0xffffffff00000001)
                                ),
                                shl(
                                    80,
                                    mod(add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2))), 0xffffffff00000001)
                                )
                            ),
                            mod(add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)), 0xffffffff00000001)
                        )
                    let place := add(levels, shl(6, valid))
                    mstore(add(place, 32), high)
                    if iszero(and(shr(valid, index), 1)) {
                        high := add(a, sub(0xffffffff000000010000ffffffff000000010000ffffffff00000001, high))
                    }
                    mstore(place, high)
                }
            }
        }
        assembly ("memory-safe") {
            mstore(sub(levels, 32), valid)
        }
    }

    /// @dev Makes r to 2 r - 1 in `count` words. Limbs below p, before and after.
    function toSigns(uint256 place, uint256 count) private pure {
        assembly ("memory-safe") {
            for { let end := add(place, shl(5, count)) } lt(place, end) { place := add(place, 32) } {
                let a := mload(place)
                mstore(
                    place,
                    or(
                        or(
                            // 2 a + p - 1.
                            shl(160, mod(add(shl(1, shr(160, a)), 0xffffffff00000000), 0xffffffff00000001)),
                            shl(80, mod(shl(1, and(shr(80, a), 0xffffffffffffffffffff)), 0xffffffff00000001))
                        ),
                        mod(shl(1, and(a, 0xffffffffffffffffffff)), 0xffffffff00000001)
                    )
                )
            }
        }
    }

    /// @dev First joint column of a group: groups lie by falling size, of one size the model's first.
    function groupOffset(Packing memory packing, uint256 tree, uint256 logGroup) private pure returns (uint256 offset) {
        unchecked {
            // Numbers of groups, and powers of two below 2^MOST_BITS.
            for (uint256 k = 0; k < COMMITMENTS; ++k) {
                uint256[] memory logGroups = packing.logGroups[k];
                for (uint256 g = 0; g < logGroups.length; ++g) {
                    uint256 log = numberAt(logGroups, g);
                    if (log > logGroup || (log == logGroup && k < tree)) offset += 1 << log;
                }
            }
        }
    }

    function skipTensors(Program memory p) private pure returns (uint256 place) {
        place = p.opening;
        assembly ("memory-safe") {
            let tensors := shr(240, mload(place))
            place := add(place, 2)
            for {} tensors { tensors := sub(tensors, 1) } {
                place := add(place, add(2, byte(1, mload(place))))
            }
        }
    }

    /// @dev Makes the lists of signs of the point's axes that are not there yet. Returns the sum of what is above their
    /// addresses.
    function prepareLists(Program memory p, At memory at_) private pure returns (uint256 sums) {
        uint256 place;
        uint256 end;
        unchecked {
            // Addresses.
            place = at_.point + 1;
            end = place + 2 * u8At(place - 1);
        }
        uint256[] memory lists = at_.lists;
        while (true) {
            // At most 255 axes of 32 coordinates: no sum reaches the next one.
            assembly ("memory-safe") {
                for {} lt(place, end) { place := add(place, 2) } {
                    let list := mload(add(lists, add(32, shl(5, shr(240, mload(place))))))
                    if iszero(list) { break }
                    sums := add(sums, shr(64, list))
                }
            }
            if (place == end) break;
            listOf(p, at_, u16At(place));
        }
    }

    /// @dev Challenges become signs once for each source. Of other points, which are used here alone, the list becomes that
    /// of its signs.
    function listOf(Program memory p, At memory at_, uint256 coordinates) private pure {
        uint256 list;
        (bool whole, uint256 source, uint256 first) = p.challengesOf(coordinates);
        if (whole) {
            list = signsOf(p, at_, source) + 32 * first;
        } else {
            Fp3[] memory point = p.pointOf(coordinates);
            assembly ("memory-safe") {
                list := add(point, 32)
            }
            if (point.length != 0) toSigns(list, point.length);
        }
        uint256 axis = p.axisOf(coordinates);
        uint256 digits = numberAt(p.digits, axis);
        uint256 bits = numberAt(p.bits, axis);
        assembly ("memory-safe") {
            let smallest := and(shr(sub(248, shl(3, shr(248, digits))), digits), 0xff)
            list := or(
                or(shl(112, shr(248, digits)), or(shl(96, bits), shl(80, smallest))),
                or(shl(64, byte(1, digits)), list)
            )
        }
        at_.lists[coordinates] = list;
    }

    /// @dev Address of the signs of a source's challenges.
    function signsOf(Program memory p, At memory at_, uint256 source) private pure returns (uint256 signs) {
        signs = at_.sources[source];
        if (signs != 0) return signs;
        Fp3[] memory challenges = p.vectors[source];
        signs = Scratch.take(32 * challenges.length);
        at_.sources[source] = signs;
        if (challenges.length == 0) return signs;
        assembly ("memory-safe") {
            mcopy(signs, add(challenges, 32), shl(5, mload(challenges)))
        }
        toSigns(signs, challenges.length);
    }

    /// @dev For each product of pieces of the axes that the point has, the first axis slowest: the weight within it, times 2
    /// to the coordinates, and how many bits of the dense index the axes take that it is made of: these from the last axis
    /// on.
    function innerWeights(Program memory p, At memory at_) private pure {
        uint256 count = 1;
        uint256 scratch = at_.scratch;
        assembly ("memory-safe") {
            mstore(scratch, shl(160, 1))
            mstore(add(scratch, 32), 0)
        }
        unchecked {
            // Addresses, and counts that are below mostPieces.
            for (uint256 place = at_.point + 2 * u8At(at_.point) - 1; place > at_.point; place -= 2) {
                uint256 coordinates = u16At(place);
                uint256 list = numberAt(at_.lists, coordinates);
                // An axis of length 1 has no coordinates.
                if (uint16(list >> 96) == 0) continue;
                uint256 longer = count * (list >> 112);
                if (longer > at_.mostPieces) revert Programs.ProgramInvalid();
                setAxis(at_, coordinates, list);
                if (longer == 1) {
                    extend(at_, scratch, scratch, uint16(list >> 64));
                } else {
                    uint256 axis = p.axisOf(coordinates);
                    prepend(at_, numberAt(p.digits, axis), numberAt(p.lengths, axis), scratch, count);
                }
                count = longer;
            }
        }
    }

    /// @dev The axis that is added next.
    function setAxis(At memory at_, uint256 coordinates, uint256 list) private pure {
        assembly ("memory-safe") {
            mstore(add(at_, 352), or(shl(12, coordinates), 0x40000000))
            mstore(add(at_, 384), list)
            mstore(add(at_, 416), 0)
        }
    }

    /// @dev An axis's pieces before `count` entries. The first piece's entries are written last, over those that all are
    /// made of.
    function prepend(At memory at_, uint256 digits, uint256 rest, uint256 scratch, uint256 count) private pure {
        if (count == 0) return;
        unchecked {
            // Sizes and logarithms of them, and addresses.
            uint256 to = scratch + 64 * count * (digits >> 248);
            for (uint256 d = digits >> 248; d > 0; --d) {
                uint256 size = (digits >> (248 - 8 * d)) & 255;
                // What is left are the pieces before this one.
                rest -= 1 << size;
                at_.offset = rest;
                for (uint256 from = scratch + 64 * count; from > scratch;) {
                    from -= 64;
                    to -= 64;
                    extend(at_, from, to, size);
                }
            }
        }
    }

    /// @dev The entry that is another one and a piece of the axis, of 2^size places.
    function extend(At memory at_, uint256 from, uint256 to, uint256 size) private pure {
        uint256 weight;
        uint256 window;
        bool beyond;
        assembly ("memory-safe") {
            weight := mload(from)
            window := mload(add(from, 32))
            let behind := add(window, size)
            beyond := gt(behind, mload(add(at_, 32)))
            mstore(add(to, 32), behind)
        }
        // The point is of no tensor that there is.
        if (beyond) revert Programs.ProgramInvalid();
        uint256 own = axisWeight(at_, size, window);
        weight = weight == Fp3.unwrap(ONE) ? own : Fp3.unwrap(Fp3.wrap(weight) * Fp3.wrap(own));
        assembly ("memory-safe") {
            mstore(to, weight)
        }
    }

    /// @dev The weight of an axis's piece at the bits of the dense index from `window` on. Computed once.
    function axisWeight(At memory at_, uint256 size, uint256 window) private pure returns (uint256 weight) {
        uint256 slot;
        uint256 key;
        assembly ("memory-safe") {
            // Coordinates of 12 bits, sizes and windows of at most 48.
            key := or(mload(add(at_, 352)), or(shl(6, size), window))
            let table := mload(add(at_, 64))
            // 10 bits of a product, times 32. There is always a free slot.
            slot := and(shr(17, mul(key, 0x9e3779b1)), 0x7fe0)
            weight := mload(add(table, slot))
            for {} mul(weight, iszero(eq(shr(224, weight), key))) {} {
                slot := and(add(slot, 32), 0x7fe0)
                weight := mload(add(table, slot))
            }
            weight := and(weight, 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffff)
            slot := add(slot, table)
        }
        if (weight != 0) return weight;
        weight = freshWeight(at_, size, window);
        assembly ("memory-safe") {
            let room := mload(add(at_, 96))
            if room {
                mstore(add(at_, 96), sub(room, 1))
                mstore(slot, or(shl(224, key), weight))
            }
        }
    }

    /// @dev Product over the low coordinates of 1 + a b, and over the others of 1 + a or 1 - a, by the bits of the offset.
    function freshWeight(At memory at_, uint256 size, uint256 window) private pure returns (uint256 weight) {
        uint256 list;
        uint256 length;
        uint256 signs;
        assembly ("memory-safe") {
            list := mload(add(at_, 384))
            length := and(shr(96, list), 0xffff)
            list := and(list, 0xffffffffffffffff)
            signs := add(mload(at_), shl(5, window))
        }
        if (size > length) revert Programs.ProgramInvalid();
        if (length == 0) return Fp3.unwrap(ONE);
        unchecked {
            // Addresses.
            uint256 end = list + 32 * size;
            weight = lowWeight(list, end, signs - list);
            if (size < length) weight = highWeight(weight, end, list + 32 * length, at_.offset >> size);
        }
    }

    /// @dev Product of 1 + a b over the signs a of a list and b, which are `gap` bytes further. All limbs are below p: five
    /// products have less than 2^131, and times limbs below p, five times, 2^198.
    function lowWeight(uint256 list, uint256 end, uint256 gap) private pure returns (uint256 weight) {
        if (list == end) return Fp3.unwrap(ONE);
        assembly ("memory-safe") {
            let c0 := 1
            let c1 := 0
            let c2 := 0
            for {} lt(list, end) { list := add(list, 32) } {
                let f0 := 1
                let f1
                let f2
                {
                    let a2 := mload(list)
                    let a0 := shr(160, a2)
                    let a1 := and(shr(80, a2), 0xffffffffffffffffffff)
                    a2 := and(a2, 0xffffffffffffffffffff)
                    let b := mload(add(list, gap))
                    let d := shr(160, b)
                    f0 := add(f0, mul(a0, d))
                    f1 := mul(a1, d)
                    f2 := mul(a2, d)
                    d := and(shr(80, b), 0xffffffffffffffffffff)
                    f0 := add(f0, shl(1, mul(a2, d)))
                    f1 := add(f1, mul(a0, d))
                    f2 := add(f2, mul(a1, d))
                    d := and(b, 0xffffffffffffffffffff)
                    f0 := add(f0, shl(1, mul(a1, d)))
                    f1 := add(f1, shl(1, mul(a2, d)))
                    f2 := add(f2, mul(a0, d))
                }
                let t0 := add(mul(c0, f0), shl(1, add(mul(c1, f2), mul(c2, f1))))
                let t1 := add(add(mul(c0, f1), mul(c1, f0)), shl(1, mul(c2, f2)))
                c2 := mod(add(add(mul(c0, f2), mul(c1, f1)), mul(c2, f0)), 0xffffffff00000001)
                c0 := mod(t0, 0xffffffff00000001)
                c1 := mod(t1, 0xffffffff00000001)
            }
            weight := or(or(shl(160, c0), shl(80, c1)), c2)
        }
    }

    /// @dev A product times 1 + a or 1 - a for the signs a of a list, as the bits, lowest first, are 1 or 0. Limbs below p,
    /// and factors of at most p + 1: five products have less than 2^131.
    function highWeight(uint256 weight, uint256 list, uint256 end, uint256 bits) private pure returns (uint256) {
        if (list == end) return weight;
        assembly ("memory-safe") {
            let c0 := shr(160, weight)
            let c1 := and(shr(80, weight), 0xffffffffffffffffffff)
            let c2 := and(weight, 0xffffffffffffffffffff)
            for {} lt(list, end) { list := add(list, 32) } {
                let a := mload(list)
                if iszero(and(bits, 1)) {
                    a := sub(0xffffffff000000010000ffffffff000000010000ffffffff00000001, a)
                }
                bits := shr(1, bits)
                let f0 := add(1, shr(160, a))
                let f1 := and(shr(80, a), 0xffffffffffffffffffff)
                let f2 := and(a, 0xffffffffffffffffffff)
                let t0 := add(mul(c0, f0), shl(1, add(mul(c1, f2), mul(c2, f1))))
                let t1 := add(add(mul(c0, f1), mul(c1, f0)), shl(1, mul(c2, f2)))
                c2 := mod(add(add(mul(c0, f2), mul(c1, f1)), mul(c2, f0)), 0xffffffff00000001)
                c0 := mod(t0, 0xffffffff00000001)
                c1 := mod(t1, 0xffffffff00000001)
            }
            weight := or(or(shl(160, c0), shl(80, c1)), c2)
        }
        return weight;
    }
}
