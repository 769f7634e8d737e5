// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, atBit, mulAdd} from "./Fp3.sol";
import {numberAt, powerOfTwo} from "./Fused.sol";
import {Packing} from "./Packing.sol";
import {Program, Programs, SOURCES, u8At, u16At} from "./Program.sol";
import {Scratch} from "./Scratch.sol";

/// @title What the claims on committed tensors weigh at the point of an opening (spec/statement.md, section 7)
/// @dev A coordinate r is kept as its sign a = 2 r - 1, which is 1 and -1 where r is a bit: 2 eq(r, s) = 1 + a b, and the
/// factors of the bits 1 and 0 are (1 + a) / 2 and (1 - a) / 2. All coordinates of a claim's point have one factor of
/// these, whatever the piece, so that its weight is divided by 2 to their number at the end.
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
    /// @dev log2 of the largest piece of an axis that is left out of weights within, where points differ in it alone: how many
    /// classes of groups there are for it.
    uint256 private constant MOST_APART = 3;
    /// @dev In place of the number of a class of groups.
    uint256 private constant NO_CLASS = 255;
    /// @dev More bits of the dense index than there are.
    uint256 private constant NOT_USED = 1 << 16;

    /// @notice An opening's point and what was computed of it. Assembly below has the fields' offsets.
    struct At {
        /// For each size of groups the address of the signs of the point of its dense index: columns, then rows.
        uint256[] dense;
        uint256 kappa;
        uint256 logRows;
        /// 96: weights of axes' pieces that are known, by a key of 32 bits above the element; 128: how many more are taken.
        uint256 table;
        uint256 room;
        /// 160: for each coordinates the address of their signs, once they are known; above it, 16 bits each, log2 of the
        /// largest and of the smallest piece of their axis, and how many coordinates and pieces it has.
        uint256[] lists;
        /// 192: of each group the weights within the pieces of a tensor at `point`, with the bits of the dense index behind
        /// each. They are the same for all tensors at the point.
        uint256 scratch;
        uint256 stride;
        uint256 mostPieces;
        uint256 point;
        /// Column variables, then those of rows.
        Fp3[] opened;
        /// 352: of each piece what the bits above its size contribute, below log2 of its group's columns in the highest
        /// byte; the limbs are at most 49 p.
        uint256[] places;
        /// Of each tensor the groups of its pieces, a bit each.
        uint256[] masks;
        /// 416: numbers of tensors' first pieces.
        uint256[] first;
        /// 448
        Fp3[] powers;
        /// 480: where weights within are computed, log2 of the group's columns, the most bits of the dense index that are of
        /// use with the axes that are still to come, and signs.
        uint256 logGroup;
        uint256 limit;
        uint256 signs;
        /// 576: of the axis that is added, what a key has for it, what `lists` has of it, and where its piece begins.
        uint256 axisKey;
        uint256 list;
        uint256 offset;
        /// 672: of each tensor, and each class of groups that the point has, the sum over the pieces there of the weight within
        /// times that of the place, and in the highest 16 bits the run of points that it is of: such that have the same weights
        /// within.
        uint256[] weighed;
        /// The run's number in the highest 16 bits, and the groups, a bit each, of which the weights within are there.
        uint256 run;
        uint256 known;
        /// 768: the fewest bits of the dense index that are of use.
        uint256 least;
        /// For each size of groups log2 of the smallest and of the largest piece in them.
        uint256[] smallest;
        uint256[] largest;
        /// Of the point's axes the sum of what `lists` has above the addresses.
        uint256 sums;
        /// By source the address of the signs of its challenges, once they are known.
        uint256[] sources;
        /// log2 of the piece of the point's last axis, if it is left out of the weights within, or 0.
        uint256 apart;
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
            bool goesOn = false;
            for (; points > 0; --points) {
                at_.point = place;
                uint256 bits = uint16(prepareLists(p, at_) >> 32);
                place += 1 + 2 * u8At(place);
                uint256 end = place + 2 + 4 * u16At(place);
                uint256 groups = groupsAt(at_.masks, place + 2, end);
                bool before = goesOn;
                goesOn = points > 1 && differsInLast(p, end, at_.point);
                beginPoint(at_, before, goesOn);
                innerWeights(p, at_, groups);
                if (bits != scaleBits) {
                    scaleBits = bits;
                    // 2 has the order 192 modulo p.
                    scale = powerOfTwo(192 * (bits / 192 + 1) - bits);
                }
                // Limbs below p, of fewer than 2^16 points.
                total = total + sumPoint(at_, place + 2, end, groups).scale(scale);
                place = end;
            }
        }
        return total.reduce();
    }

    /// @dev The groups that pieces lie in of tensors that are claimed of, four bytes each.
    function groupsAt(uint256[] memory masks, uint256 place, uint256 end) private pure returns (uint256 groups) {
        assembly ("memory-safe") {
            masks := add(masks, 32)
            for {} lt(place, end) { place := add(place, 4) } {
                groups := or(groups, mload(add(masks, shl(5, and(shr(224, mload(place)), 0xffff)))))
            }
        }
    }

    /// @dev Begins another run, unless the point differs from the one before in its last axis alone. Of points of which the one
    /// before or the one behind does so that axis is left out of the weights within if it has one piece: then it contributes
    /// a factor to all claims, which depends on groups alone.
    function beginPoint(At memory at_, bool before, bool behind) private pure {
        uint256 list = before || behind ? lastList(at_) : 0;
        uint256 size = list >> 112 == 1 ? uint16(list >> 64) : 0;
        if (size > MOST_APART) size = 0;
        at_.apart = size;
        if (before && size != 0) return;
        at_.known = 0;
        unchecked {
            // There are fewer than 2^16 points.
            at_.run += 1 << 240;
        }
    }

    /// @dev What `lists` has of the point's last axis, or 0 if there is none.
    function lastList(At memory at_) private pure returns (uint256) {
        uint256 rank = u8At(at_.point);
        if (rank == 0) return 0;
        unchecked {
            // An address.
            return numberAt(at_.lists, u16At(at_.point + 2 * rank - 1));
        }
    }

    /// @dev Sum of the claims at a point, four bytes each, of tensors with pieces in some groups. Bits of an axis that is apart
    /// are the first ones: groups that have so many columns are one class, each other one is a class of its own.
    function sumPoint(At memory at_, uint256 place, uint256 end, uint256 groups) private pure returns (Fp3 sum) {
        uint256 size = at_.apart;
        if (size == 0) return sumClaims(at_, place, end, groups, NO_CLASS);
        unchecked {
            // Numbers of 8 bits.
            for (uint256 logGroup = 0; groups >> logGroup != 0; ++logGroup) {
                if (groups >> logGroup & 1 == 0) continue;
                uint256 class = groups;
                if (logGroup < size) class = 1 << logGroup;
                groups ^= class;
                Fp3 part = sumClaims(at_, place, end, class, logGroup < size ? logGroup : size);
                sum = mulAdd(part, lastWeight(at_, logGroup), sum);
            }
        }
    }

    /// @dev Sum of the claims at a point over pieces in a class of groups, a bit each, without the factor of an axis that is
    /// apart. Reduced. Without a number all groups are one class, and there is no such axis.
    ///
    /// Powers have limbs below p < 2^64, and tensors' weights below 2^149: five products of them have less than 2^216, those
    /// of 2^16 claims 2^232.
    function sumClaims(At memory at_, uint256 place, uint256 end, uint256 class, uint256 classNumber)
        private
        pure
        returns (Fp3 sum)
    {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (place == end) return sum;
        uint256 s0 = 0;
        uint256 s1 = 0;
        uint256 s2 = 0;
        unchecked {
            // An address.
            for (; place < end; place += 4) {
                uint256 w0;
                uint256 w1;
                uint256 w2;
                if (classNumber == NO_CLASS) {
                    (w0, w1, w2) = claimWeight(at_, u16At(place + 2), class);
                } else {
                    w2 = tensorWeight(at_, u16At(place + 2), class, classNumber);
                    if (w2 == 0) continue;
                    assembly ("memory-safe") {
                        w0 := shr(160, w2)
                        w1 := and(shr(80, w2), 0xffffffffffffffffffff)
                        w2 := and(w2, 0xffffffffffffffffffff)
                    }
                }
                assembly ("memory-safe") {
                    let a := mload(add(mload(add(at_, 448)), shl(5, add(1, shr(240, mload(place))))))
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
        return reduced(s0, s1, s2);
    }

    /// @dev The element with these limbs.
    function reduced(uint256 s0, uint256 s1, uint256 s2) private pure returns (Fp3 a) {
        assembly ("memory-safe") {
            a := or(
                or(shl(160, mod(s0, 0xffffffff00000001)), shl(80, mod(s1, 0xffffffff00000001))),
                mod(s2, 0xffffffff00000001)
            )
        }
    }

    /// @dev What `weighed` has of a tensor, computed once in a run. Reduced.
    function tensorWeight(At memory at_, uint256 tensor, uint256 class, uint256 classNumber)
        private
        pure
        returns (uint256 weight)
    {
        uint256 place;
        uint256 run;
        assembly ("memory-safe") {
            // By class, then by tensor.
            place := mul(classNumber, mload(mload(add(at_, 384))))
            place := add(mload(add(at_, 672)), shl(5, add(1, add(place, tensor))))
            run := mload(add(at_, 704))
            weight := xor(mload(place), run)
        }
        if (weight >> 240 == 0) return weight;
        // What is written has to be the list's.
        if (tensor >= at_.masks.length || classNumber > MOST_APART) revert Programs.ProgramInvalid();
        (uint256 w0, uint256 w1, uint256 w2) = claimWeight(at_, tensor, class);
        weight = Fp3.unwrap(reduced(w0, w1, w2));
        assembly ("memory-safe") {
            mstore(place, or(weight, run))
        }
    }

    /// @dev Sum over the pieces of a tensor in a class of groups of the weight within times that of the place.
    ///
    /// Weights have limbs below p < 2^64, places of at most 49 p < 2^70: five products of them have less than 2^137, those
    /// of 2^12 pieces 2^149.
    function claimWeight(At memory at_, uint256 tensor, uint256 class)
        private
        pure
        returns (uint256 w0, uint256 w1, uint256 w2)
    {
        uint256 piece;
        uint256 last;
        uint256 from;
        uint256 stride;
        assembly ("memory-safe") {
            let first := add(mload(add(at_, 416)), shl(5, tensor))
            let places := add(mload(add(at_, 352)), 32)
            piece := add(places, shl(5, mload(add(first, 32))))
            last := add(places, shl(5, mload(add(first, 64))))
            from := mload(add(at_, 192))
            stride := mload(add(at_, 224))
        }
        if (piece == last) return (0, 0, 0);
        assembly ("memory-safe") {
            for {} lt(piece, last) {
                piece := add(piece, 32)
                from := add(from, 64)
            } {
                let b := mload(piece)
                let a2 := shr(248, b)
                if iszero(and(shr(a2, class), 1)) { continue }
                a2 := mload(add(from, mul(a2, stride)))
                let a0 := shr(160, a2)
                let a1 := and(shr(80, a2), 0xffffffffffffffffffff)
                a2 := and(a2, 0xffffffffffffffffffff)
                let c := and(shr(160, b), 0xffffffffffffffffffff)
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
        if (opened.length > MOST_BITS || p.points.length > MOST_COORDINATES) revert Programs.ProgramInvalid();
        at_.opened = opened;
        at_.kappa = opened.length - logRows;
        at_.logRows = logRows;
        at_.lists = new uint256[](p.points.length);
        at_.sources = new uint256[](SOURCES);
        at_.places = new uint256[](packing.order.length);
        at_.masks = new uint256[](packing.first.length - 1);
        at_.first = packing.first;
        at_.mostPieces = packing.mostPieces;
        at_.stride = 64 * packing.mostPieces;
        at_.scratch = Scratch.take(at_.stride * (at_.kappa + 1));
        at_.weighed = new uint256[]((packing.first.length - 1) * (MOST_APART + 1));
        uint256 table = Scratch.take(TABLE);
        assembly ("memory-safe") {
            calldatacopy(table, calldatasize(), TABLE)
        }
        at_.table = table;
        at_.room = ROOM;
        at_.dense = new uint256[](at_.kappa + 1);
        at_.smallest = new uint256[](at_.kappa + 1);
        at_.largest = new uint256[](at_.kappa + 1);
        uint256 from = 0;
        for (uint256 tree = 0; tree < COMMITMENTS; ++tree) {
            uint256 to = tree == 0 ? packing.modelPieces : packing.order.length;
            uint256 start = 0;
            for (uint256 g = 0; g < packing.logGroups[tree].length; ++g) {
                from = placeGroup(at_, packing, tree, g, from, to, start);
                start += 1 << (packing.logGroups[tree][g] + logRows);
            }
        }
        fillMasks(at_.masks, packing.first, at_.places);
    }

    function fillMasks(uint256[] memory masks, uint256[] memory first, uint256[] memory places) private pure {
        if (places.length == 0) return;
        assembly ("memory-safe") {
            let piece := add(places, 32)
            let next := add(first, 64)
            let to := add(masks, 32)
            for { let end := add(to, shl(5, mload(masks))) } lt(to, end) { to := add(to, 32) } {
                let mask := 0
                for { let last := add(add(places, 32), shl(5, mload(next))) } lt(piece, last) {
                    piece := add(piece, 32)
                } {
                    mask := or(mask, shl(shr(248, mload(piece)), 1))
                }
                mstore(to, mask)
                next := add(next, 32)
            }
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

    /// @dev Places of the pieces of one group, which begins at the cell `start`: those in order from `from` on that lie in
    /// it. Returns the first that does not lie in it.
    function placeGroup(
        At memory at_,
        Packing memory packing,
        uint256 tree,
        uint256 group,
        uint256 from,
        uint256 to,
        uint256 start
    ) private pure returns (uint256) {
        if (from == to) return from;
        uint256 logGroup = packing.logGroups[tree][group];
        uint256 length = logGroup + at_.logRows;
        if (at_.dense[logGroup] == 0) {
            at_.dense[logGroup] = denseSigns(at_, logGroup, length);
            at_.smallest[logGroup] = MOST_BITS;
        }
        uint256 piece = numberAt(packing.order, from);
        uint256 size = numberAt(packing.logSizes, piece);
        // Pieces lie by falling size.
        if (size > at_.largest[logGroup]) at_.largest[logGroup] = size;
        uint256 mark = Scratch.mark();
        // By level b what the bits from b on contribute of the piece before, and that with a 1 in place of its bit b: two
        // words each.
        uint256 levels = Scratch.take(64 * (length + 1));
        Fp3 top = columnPlace(at_, logGroup, groupOffset(packing, tree, logGroup));
        assembly ("memory-safe") {
            mstore(add(levels, shl(6, length)), top)
        }
        unchecked {
            // Numbers of pieces and of bits. Offsets do not fall, and `start` is not above the first one.
            uint256 last = 0;
            uint256 valid = length;
            for (; from < to; ++from) {
                piece = numberAt(packing.order, from);
                uint256 index = numberAt(packing.offsets, piece) - start;
                if (index >> length != 0) break;
                size = numberAt(packing.logSizes, piece);
                valid = descend(at_, levels, index, last ^ index, valid, size, logGroup);
                last = index;
                uint256[] memory places = at_.places;
                assembly ("memory-safe") {
                    mstore(
                        add(places, add(32, shl(5, piece))),
                        or(shl(248, logGroup), mload(add(levels, shl(6, size))))
                    )
                }
            }
        }
        Scratch.release(mark);
        if (size < at_.smallest[logGroup]) at_.smallest[logGroup] = size;
        return from;
    }

    /// @dev The signs of the columns of a group, then of its rows.
    function denseSigns(At memory at_, uint256 logGroup, uint256 length) private pure returns (uint256 signs) {
        signs = Scratch.take(32 * length);
        Fp3[] memory opened = at_.opened;
        uint256 kappa = at_.kappa;
        assembly ("memory-safe") {
            let columns := shl(5, logGroup)
            mcopy(signs, add(opened, 32), columns)
            mcopy(add(signs, columns), add(opened, shl(5, add(kappa, 1))), sub(shl(5, length), columns))
        }
        toSigns(signs, length);
    }

    /// @dev Brings the levels from `low` on to an index that differs from the one before in the bits `changed`, whose
    /// levels are there from `valid` on. Both are multiples of 2^low: where bits from `valid` on have changed, the highest
    /// of these is not below `low`, and its level has both halves of the one above. Returns the lowest level that is there.
    ///
    /// A level is the one above minus a product below p, plus p: limbs are at most p more than there.
    function descend(
        At memory at_,
        uint256 levels,
        uint256 index,
        uint256 changed,
        uint256 valid,
        uint256 low,
        uint256 logGroup
    ) private pure returns (uint256) {
        if (changed == 0 && valid <= low) return valid;
        Fp3[] memory opened = at_.opened;
        uint256 gap = at_.kappa - logGroup;
        assembly ("memory-safe") {
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
            for {} gt(valid, low) {} {
                let a := mload(add(levels, shl(6, valid)))
                let a0 := shr(160, a)
                let a1 := and(shr(80, a), 0xffffffffffffffffffff)
                let a2 := and(a, 0xffffffffffffffffffff)
                valid := sub(valid, 1)
                // Bits of rows follow those of the group's columns.
                let b0 := mload(add(opened, shl(5, add(add(valid, 1), mul(gap, iszero(lt(valid, logGroup)))))))
                let b2 := and(b0, 0xffffffffffffffffffff)
                let b1 := and(shr(80, b0), 0xffffffffffffffffffff)
                b0 := shr(160, b0)
                let high :=
                    or(
                        or(
                            shl(160, mod(add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1)))), 0xffffffff00000001)),
                            shl(80, mod(add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2))), 0xffffffff00000001))
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
        return valid;
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

    /// @dev What the joint column's bits contribute that are the same in a group. Reduced.
    function columnPlace(At memory at_, uint256 logGroup, uint256 offset) private pure returns (Fp3 product) {
        product = ONE;
        for (uint256 b = logGroup; b < at_.kappa; ++b) {
            product = product * atBit(at_.opened[b], (offset >> b) & 1);
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

    /// @dev base^skipped and so on, reduced.
    function powersOf(Fp3 base, uint256 skipped, uint256 count) private pure returns (Fp3[] memory powers) {
        powers = new Fp3[](count);
        if (count == 0) return powers;
        Fp3 first = ONE;
        for (uint256 i = 0; i < skipped; ++i) {
            first = first * base;
        }
        assembly ("memory-safe") {
            let a0 := shr(160, first)
            let a1 := and(shr(80, first), 0xffffffffffffffffffff)
            let a2 := and(first, 0xffffffffffffffffffff)
            let b0 := shr(160, base)
            let b1 := and(shr(80, base), 0xffffffffffffffffffff)
            let b2 := and(base, 0xffffffffffffffffffff)
            let place := add(powers, 32)
            for { let end := add(place, shl(5, count)) } lt(place, end) { place := add(place, 32) } {
                mstore(place, or(or(shl(160, a0), shl(80, a1)), a2))
                let t0 := add(mul(a0, b0), shl(1, add(mul(a1, b2), mul(a2, b1))))
                let t1 := add(add(mul(a0, b1), mul(a1, b0)), shl(1, mul(a2, b2)))
                a2 := mod(add(add(mul(a0, b2), mul(a1, b1)), mul(a2, b0)), 0xffffffff00000001)
                a0 := mod(t0, 0xffffffff00000001)
                a1 := mod(t1, 0xffffffff00000001)
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
        at_.sums = sums;
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

    /// @dev Whether a point differs from the one before it in nothing but the coordinates of its last axis.
    function differsInLast(Program memory p, uint256 place, uint256 before) private pure returns (bool) {
        uint256 rank = u8At(place);
        // What is compared is a part of a word.
        if (before == 0 || rank == 0 || rank > 16) return false;
        unchecked {
            // Addresses, and numbers of at most 16 axes.
            uint256 difference;
            assembly ("memory-safe") {
                difference := shr(sub(264, shl(4, rank)), xor(mload(place), mload(before)))
            }
            uint256 last = 2 * rank - 1;
            return difference == 0 && p.axisOf(u16At(place + last)) == p.axisOf(u16At(before + last));
        }
    }

    /// @dev For each product of pieces of the axes that the point has, the first axis slowest: the weight within it, if it
    /// lies in a group of 2^logGroup columns, times 2 to the coordinates. Of some groups, a bit each, if they are not there.
    function innerWeights(Program memory p, At memory at_, uint256 groups) private pure {
        groups &= ~at_.known;
        if (groups == 0) return;
        at_.known |= groups;
        unchecked {
            // Addresses, and numbers of 8 bits.
            for (uint256 logGroup = 0; groups != 0; ++logGroup) {
                if (groups & 1 == 1) {
                    at_.logGroup = logGroup;
                    at_.signs = numberAt(at_.dense, logGroup);
                    uint256 last = at_.point + 2 * u8At(at_.point) - 1;
                    if (at_.apart != 0) last -= 2;
                    products(p, at_, last, at_.scratch + logGroup * at_.stride, at_.apart);
                }
                groups >>= 1;
            }
        }
    }

    /// @dev The factor of an axis that is apart in a group.
    function lastWeight(At memory at_, uint256 logGroup) private pure returns (Fp3) {
        at_.logGroup = logGroup;
        at_.signs = numberAt(at_.dense, logGroup);
        unchecked {
            // An address.
            setAxis(at_, u16At(at_.point + 2 * u8At(at_.point) - 1), lastList(at_));
            return Fp3.wrap(axisWeight(at_, at_.apart, 0));
        }
    }

    /// @dev The same for the point's axes up to the one that is named at `place`, behind `window` bits of the dense index
    /// that others take. Entries are a weight and how many bits the axes take that it is made of and those behind: these
    /// from the last one on.
    function products(Program memory p, At memory at_, uint256 place, uint256 scratch, uint256 window) private pure {
        uint256 count = 1;
        // Of the axes that are still to come, as `lists` has them; one that is behind `place` has one piece.
        uint256 rest = at_.sums - 0x10001 * window;
        uint256 limits = (numberAt(at_.largest, at_.logGroup) << 16) | numberAt(at_.smallest, at_.logGroup);
        assembly ("memory-safe") {
            mstore(scratch, shl(160, 1))
            mstore(add(scratch, 32), window)
        }
        unchecked {
            // Numbers of 16 bits, addresses, and counts that are below mostPieces.
            for (; place > at_.point; place -= 2) {
                uint256 coordinates = u16At(place);
                uint256 list = numberAt(at_.lists, coordinates);
                rest -= uint32(list >> 64);
                // An axis of length 1 has no coordinates.
                if (uint16(list >> 96) == 0) continue;
                uint256 longer = count * (list >> 112);
                if (longer > at_.mostPieces) revert Programs.ProgramInvalid();
                setAxis(at_, coordinates, list);
                setLimits(at_, rest, limits);
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
            mstore(add(at_, 576), or(shl(18, coordinates), 0x40000000))
            mstore(add(at_, 608), list)
            mstore(add(at_, 640), 0)
        }
    }

    /// @dev Of `limits` the low 16 bits are log2 of the smallest piece in the group, the others that of the largest. Of use is
    /// what becomes, with the smallest or the largest pieces of the axes that are still to come, as large as a
    /// piece in the group.
    function setLimits(At memory at_, uint256 rest, uint256 limits) private pure {
        assembly ("memory-safe") {
            let limit := shr(16, limits)
            let least := and(limits, 0xffff)
            let smallest := and(shr(16, rest), 0xffff)
            let largest := and(rest, 0xffff)
            mstore(add(at_, 512), mul(sub(limit, smallest), gt(limit, smallest)))
            mstore(add(at_, 768), mul(sub(least, largest), gt(least, largest)))
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
        bool used;
        assembly ("memory-safe") {
            weight := mload(from)
            window := mload(add(from, 32))
            let behind := add(window, size)
            used := iszero(or(gt(behind, mload(add(at_, 512))), lt(behind, mload(add(at_, 768)))))
            mstore(add(to, 32), or(behind, mul(NOT_USED, iszero(used))))
        }
        // What the piece is a part of lies in another group, if anywhere, and so does all that is made of it.
        if (!used) {
            assembly ("memory-safe") {
                mstore(to, weight)
            }
            return;
        }
        uint256 own = axisWeight(at_, size, window);
        weight = weight == Fp3.unwrap(ONE) ? own : Fp3.unwrap(Fp3.wrap(weight) * Fp3.wrap(own));
        assembly ("memory-safe") {
            mstore(to, weight)
        }
    }

    /// @dev The weight of an axis's piece at the bits of the dense index from `window` on. Computed once: within columns it
    /// is the same for all groups, within rows for windows as far from the first.
    function axisWeight(At memory at_, uint256 size, uint256 window) private pure returns (uint256 weight) {
        uint256 slot;
        uint256 key;
        assembly ("memory-safe") {
            // Coordinates of 12 bits, sizes, windows and groups of at most 48.
            let logGroup := mload(add(at_, 480))
            key := or(mload(add(at_, 576)), shl(12, size))
            switch gt(add(window, size), logGroup)
            case 0 { key := or(key, or(shl(6, window), 63)) }
            default {
                switch lt(window, logGroup)
                case 0 { key := or(key, or(shl(6, sub(window, logGroup)), 62)) }
                default { key := or(key, or(shl(6, window), logGroup)) }
            }
            let table := mload(add(at_, 96))
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
            let room := mload(add(at_, 128))
            if room {
                mstore(add(at_, 128), sub(room, 1))
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
            list := mload(add(at_, 608))
            length := and(shr(96, list), 0xffff)
            list := and(list, 0xffffffffffffffff)
            signs := add(mload(add(at_, 544)), shl(5, window))
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
