// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P} from "./Fp3.sol";
import {setElement, setNumber} from "./Fused.sol";
import {Scratch} from "./Scratch.sol";

/// @dev 1/2.
Fp3 constant HALF = Fp3.wrap(((P + 1) / 2) << 160);

/// @notice A model's program (spec/program.md) in an instance: everything that its parts are made of.
/// @dev Programs come from keys, and who goes by a model's id knows that its program is its statement's. What another one
/// can do is to be refused or to waste the gas of its own caller: nothing here writes but to memory.
struct Program {
    /// Power of beta that a table's number has.
    uint256 tagPower;
    /// Addresses in memory of the sections' first elements.
    uint256 constants;
    uint256 coordinates;
    uint256 nodes;
    uint256 nodeBodies;
    uint256 columns;
    uint256 zero;
    uint256 stages;
    uint256 opening;
    uint256 uses;
    /// Of the axes: length, number of coordinates, and the length's binary digits that are 1: how many in the highest
    /// byte, then their places, the highest first.
    uint256[] lengths;
    uint256[] bits;
    uint256[] digits;
    uint256[3] parameterBits;
    /// Addresses of points by number of their coordinates, and values of nodes, once they are known.
    uint256[] points;
    uint256[] nodeValues;
    /// Values of claims.
    Fp3[] claims;
    /// Challenges by source, and for each source with axes of its own where these begin.
    Fp3[][] vectors;
    uint256[][] firsts;
    /// Addresses of the lists of public values: 4 bytes, how many, then 8 for each.
    uint256[] values;
    /// Addresses of the columns, and how many of them have multiplicities.
    uint256[] columnPlaces;
    uint256 multiplicities;
}

/// @notice Where axes lie in a vector of challenges.
struct Placement {
    /// For each axis its first coordinate, if it occurs.
    uint256[] firsts;
    /// Of each coordinate the degree of the polynomial of the round that binds it.
    uint256[] degrees;
}

/// @dev Sources of coordinates; of stages the first one.
uint256 constant SOURCE_PLACE = 0;
uint256 constant SOURCE_HALF = 1;
uint256 constant SOURCE_LOOKUP = 2;
uint256 constant SOURCE_ZERO = 3;
uint256 constant SOURCE_STAGE = 4;
uint256 constant SOURCES = 11;

/// @dev The big-endian number of 1, 2, 4 or 8 bytes at an address in memory.
function u8At(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := byte(0, mload(place))
    }
}

function u16At(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := shr(240, mload(place))
    }
}

function u32At(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := shr(224, mload(place))
    }
}

function u64At(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := shr(192, mload(place))
    }
}

/// @dev ceil(log2 n), n >= 1: the coordinates of an axis.
function logExtent(uint256 n) pure returns (uint256 log) {
    assembly ("memory-safe") {
        if gt(n, 1) { log := sub(256, clz(sub(n, 1))) }
    }
}

/// @dev The binary digits of n, below 2^32, that are 1: how many in the highest byte, then their places, the highest
/// first. At most 31 of them have room.
function binaryDigits(uint256 n) pure returns (uint256 packed) {
    assembly ("memory-safe") {
        let count := 0
        for {} n {} {
            let b := sub(255, clz(n))
            n := xor(n, shl(b, 1))
            count := add(count, 1)
            packed := or(packed, shl(sub(248, shl(3, count)), b))
        }
        packed := or(packed, shl(248, count))
    }
}

/// @title Reads programs
library Programs {
    /// @notice The program has another version, or a part that none has.
    error ProgramInvalid();
    /// @notice A length is more than its axis may have, or the instance too large for the commitment.
    error ProofInstance();

    uint256 private constant VERSION = 3;
    uint256 private constant HEAD = 4;
    uint256 private constant AXIS_BYTES = 5;
    uint256 private constant CONSTANT_BYTES = 8;
    uint256 private constant COORDINATES_BYTES = 8;
    uint256 private constant MOST_PARAMETERS = 3;
    /// @dev Of each vector: src/reduction/plan.hpp has as many for all vectors together, so that no program which C++ takes
    /// has more in one.
    uint256 private constant MOST_CHALLENGES = 256;

    /// @notice The program in an instance.
    /// @param lengths One for each parameter, each 2^k or 3*2^(k-1).
    /// @param values Public values in the statement's order, as an Instance has them, or nothing.
    function instantiate(bytes memory code, uint256[] memory lengths, bytes memory values)
        internal
        pure
        returns (Program memory p)
    {
        p = outline(code, lengths);
        p.nodeValues = new uint256[](u16At(p.nodes - 2));
        p.claims = new Fp3[](u16At(p.uses));
        p.values = listsOf(values);
    }

    /// @notice The program in an instance without room for values: of nodes, of claims, public ones.
    function outline(bytes memory code, uint256[] memory lengths) internal pure returns (Program memory p) {
        uint256 base;
        assembly ("memory-safe") {
            base := add(code, 32)
        }
        if (code.length < HEAD + 18 || u16At(base) != VERSION || u8At(base + 2) != lengths.length) {
            revert ProgramInvalid();
        }
        if (lengths.length > MOST_PARAMETERS) revert ProgramInvalid();
        p.tagPower = u8At(base + 3);
        readAxes(p, section(base, 0), lengths);
        p.constants = section(base, 1) + 2;
        p.coordinates = section(base, 2) + 2;
        p.points = new uint256[](u16At(p.coordinates - 2));
        uint256 nodes = u16At(section(base, 3));
        p.nodes = section(base, 3) + 2;
        p.nodeBodies = p.nodes + 2 * nodes;
        p.columns = section(base, 4);
        p.zero = section(base, 5);
        p.stages = section(base, 6);
        p.opening = section(base, 7);
        p.uses = section(base, 8);
        p.vectors = new Fp3[][](SOURCES);
        p.firsts = new uint256[][](SOURCES);
    }

    /// @dev Addresses of lists, all of them within the bytes.
    function listsOf(bytes memory values) private pure returns (uint256[] memory lists) {
        if (values.length == 0) return lists;
        if (values.length < 4) revert ProgramInvalid();
        uint256 place;
        assembly ("memory-safe") {
            place := add(values, 32)
        }
        unchecked {
            // Addresses and numbers of 32 bits.
            uint256 end = place + values.length;
            uint256 count = u32At(place);
            place += 4;
            if (4 * count > end - place) revert ProgramInvalid();
            lists = new uint256[](count);
            for (uint256 i = 0; i < count; ++i) {
                lists[i] = place;
                if (place + 4 > end) revert ProgramInvalid();
                place += 4 + 8 * u32At(place);
            }
            if (place != end) revert ProgramInvalid();
        }
    }

    function section(uint256 base, uint256 number) private pure returns (uint256) {
        return base + u16At(base + HEAD + 2 * number);
    }

    function readAxes(Program memory p, uint256 at_, uint256[] memory lengths) private pure {
        for (uint256 i = 0; i < lengths.length; ++i) {
            p.parameterBits[i] = logExtent(lengths[i]);
        }
        uint256 count = u16At(at_);
        p.lengths = new uint256[](count);
        p.bits = new uint256[](count);
        p.digits = new uint256[](count);
        bool fits = putAxes(at_ + 2, lengths, p.lengths, p.bits, p.digits);
        if (!fits) revert ProofInstance();
    }

    /// @dev Length, coordinates and digits of axes, five bytes each. Returns whether none is longer than it may be.
    function putAxes(
        uint256 place,
        uint256[] memory parameters,
        uint256[] memory lengths,
        uint256[] memory bits,
        uint256[] memory digits
    ) private pure returns (bool) {
        // Functions that return early are not made a part of their callers, and keep what they work with on the stack.
        if (lengths.length == 0) return true;
        uint256 end;
        uint256 last;
        uint256 lastDigits;
        uint256 beyond;
        assembly ("memory-safe") {
            end := add(lengths, shl(5, mload(lengths)))
            bits := sub(bits, lengths)
            digits := sub(digits, lengths)
        }
        unchecked {
            // Addresses.
            while (true) {
                uint256 length;
                assembly ("memory-safe") {
                    lengths := add(lengths, 32)
                    length := mload(place)
                    let parameter := byte(0, length)
                    length := and(shr(216, length), 0xffffffff)
                    if parameter {
                        // Parameters that there are not have the length 0 or any: programs name none.
                        let own := mload(add(parameters, shl(5, parameter)))
                        beyond := or(beyond, gt(own, length))
                        length := own
                    }
                    beyond := or(beyond, shr(31, length))
                }
                if (beyond != 0) return false;
                if (length != last) (last, lastDigits) = (length, binaryDigits(length));
                uint256 log = logExtent(length);
                assembly ("memory-safe") {
                    mstore(lengths, length)
                    mstore(add(lengths, bits), log)
                    mstore(add(lengths, digits), lastDigits)
                    place := add(place, AXIS_BYTES)
                }
                bool done;
                assembly ("memory-safe") {
                    done := eq(lengths, end)
                }
                if (done) return true;
            }
        }
        return true;
    }

    function constantAt(Program memory p, uint256 number) internal pure returns (uint256) {
        return u64At(p.constants + CONSTANT_BYTES * number);
    }

    /// @notice The point that coordinates stand for, as many of them as its axis has.
    function pointOf(Program memory p, uint256 number) internal pure returns (Fp3[] memory list) {
        uint256[] memory points = p.points;
        uint256 known = points[number];
        if (known != 0) {
            assembly ("memory-safe") {
                list := known
            }
            return list;
        }
        uint256 entry = entryOf(p, number);
        uint256 source = entry >> 56;
        list = new Fp3[](p.bits[(entry >> 48) & 255]);
        if (source == SOURCE_PLACE) {
            for (uint256 b = 0; b < list.length; ++b) {
                if ((entry >> b) & 1 == 1) setElement(list, b, ONE);
            }
        } else if (source == SOURCE_HALF) {
            for (uint256 b = 0; b < list.length; ++b) {
                setElement(list, b, HALF);
            }
        } else {
            copyChallenges(p, entry, source, list);
        }
        assembly ("memory-safe") {
            known := list
        }
        setNumber(points, number, known);
    }

    /// @dev The eight bytes of coordinates.
    function entryOf(Program memory p, uint256 number) private pure returns (uint256) {
        unchecked {
            // An address.
            return u64At(p.coordinates + COORDINATES_BYTES * number);
        }
    }

    /// @notice The axis that coordinates are of.
    function axisOf(Program memory p, uint256 number) internal pure returns (uint256) {
        unchecked {
            // An address.
            return u8At(p.coordinates + COORDINATES_BYTES * number + 1);
        }
    }

    function copyChallenges(Program memory p, uint256 entry, uint256 source, Fp3[] memory list) private pure {
        (Fp3[] memory from, uint256 first, uint256 count) = runOf(p, entry, source);
        if (count > list.length) revert ProgramInvalid();
        assembly ("memory-safe") {
            mcopy(add(list, 32), add(add(from, 32), shl(5, first)), shl(5, count))
        }
    }

    /// @notice Whether the point that coordinates stand for is made of challenges alone; if so, of which source, and the
    /// number of the first one.
    function challengesOf(Program memory p, uint256 number)
        internal
        pure
        returns (bool whole, uint256 source, uint256 first)
    {
        uint256 entry = entryOf(p, number);
        source = entry >> 56;
        if (source == SOURCE_PLACE || source == SOURCE_HALF) return (false, source, 0);
        uint256 count;
        (, first, count) = runOf(p, entry, source);
        whole = count == p.bits[(entry >> 48) & 255];
    }

    /// @dev The challenges that coordinates name, all of them within those of their source, and these.
    function runOf(Program memory p, uint256 entry, uint256 source)
        private
        pure
        returns (Fp3[] memory from, uint256 first, uint256 count)
    {
        from = p.vectors[source];
        count = (entry >> 40) & 255;
        uint256 parameter = (entry >> 32) & 255;
        uint256 field = (entry >> 24) & 255;
        unchecked {
            // Numbers of 8 bits, coordinates of lengths, and places in vectors.
            if (parameter != 0) count += p.parameterBits[parameter - 1];
            first = source == SOURCE_LOOKUP
                ? field + ((entry >> 16) & 255) * p.parameterBits[0] + ((entry >> 8) & 255) * p.parameterBits[1]
                    + (entry & 255) * p.parameterBits[2]
                : p.firsts[source][field];
            if (first + count > from.length) revert ProgramInvalid();
        }
    }

    /// @notice Where the axes of a list lie (spec/proof.md, section 3), and the address behind it.
    function placementAt(Program memory p, uint256 at_)
        internal
        pure
        returns (Placement memory placement, uint256 end)
    {
        uint256[] memory bits = p.bits;
        uint256 count = u8At(at_);
        uint256 order = Scratch.take(32 * count);
        end = sortAxes(bits, at_ + 1, order, count);
        placement.firsts = new uint256[](bits.length);
        placement.degrees = new uint256[](placeAxes(bits, placement.firsts, order, count));
        fillDegrees(bits, placement, order, count);
    }

    /// @notice Of the placement where axes lie, and how many places there are.
    function placesAt(Program memory p, uint256 at_) internal pure returns (uint256[] memory firsts, uint256 total) {
        uint256[] memory bits = p.bits;
        firsts = new uint256[](bits.length);
        uint256 mark = Scratch.mark();
        uint256 count = u8At(at_);
        uint256 order = Scratch.take(32 * count);
        sortAxes(bits, at_ + 1, order, count);
        total = placeAxes(bits, firsts, order, count);
        Scratch.release(mark);
    }

    /// @dev Writes the axes from `place` on, by falling coordinates, then by axis, to words from `order` on: 255 less the
    /// coordinates, the axis, and in the low 64 bits the entry's address. Returns the address behind them.
    function sortAxes(uint256[] memory bits, uint256 place, uint256 order, uint256 count)
        private
        pure
        returns (uint256 end)
    {
        end = place;
        if (count == 0) return end;
        assembly ("memory-safe") {
            let to := order
            for {} count { count := sub(count, 1) } {
                let word := mload(end)
                let axis := byte(0, word)
                let key := or(or(shl(96, sub(255, mload(add(bits, add(32, shl(5, axis)))))), shl(64, axis)), end)
                let k := to
                for {} gt(k, order) { k := sub(k, 32) } {
                    let before := mload(sub(k, 32))
                    if iszero(gt(before, key)) { break }
                    mstore(k, before)
                }
                mstore(k, key)
                to := add(to, 32)
                end := add(end, add(3, byte(2, word)))
            }
        }
    }

    /// @dev Where each axis begins, in the given order: the lowest place that no axis overlaps that occurs together with it
    /// and is placed. Returns how many places there are. Of each axis that is placed a mask of its places lies in free
    /// memory.
    function placeAxes(uint256[] memory bits, uint256[] memory firsts, uint256 order, uint256 count)
        private
        pure
        returns (uint256 total)
    {
        if (count == 0) return 0;
        assembly ("memory-safe") {
            let masks := mload(0x40)
            calldatacopy(masks, calldatasize(), shl(5, mload(bits)))
            bits := add(bits, 32)
            firsts := add(firsts, 32)
            for { let last := add(order, shl(5, count)) } lt(order, last) { order := add(order, 32) } {
                let other := and(mload(order), 0xffffffffffffffff)
                let word := mload(other)
                let taken := 0
                other := add(other, 3)
                for { let end := add(other, byte(2, word)) } lt(other, end) { other := add(other, 1) } {
                    taken := or(taken, mload(add(masks, shl(5, byte(0, mload(other))))))
                }
                let axis := shl(5, byte(0, word))
                let own := mload(add(bits, axis))
                let mask := sub(shl(own, 1), 1)
                let first := 0
                for {} 1 {} {
                    let overlap := and(shr(first, taken), mask)
                    if iszero(overlap) { break }
                    // Every place up to the highest one that is taken overlaps it, too.
                    first := sub(add(first, 256), clz(overlap))
                }
                mstore(add(masks, axis), shl(first, mask))
                mstore(add(firsts, axis), first)
                own := add(own, first)
                if gt(own, total) { total := own }
            }
        }
        if (total > MOST_CHALLENGES) revert ProofInstance();
    }

    /// @dev The degree of a round is the largest of an axis that has this coordinate.
    function fillDegrees(uint256[] memory bits, Placement memory placement, uint256 order, uint256 count) private pure {
        if (count == 0) return;
        uint256[] memory firsts = placement.firsts;
        uint256[] memory degrees = placement.degrees;
        assembly ("memory-safe") {
            for { let last := add(order, shl(5, count)) } lt(order, last) { order := add(order, 32) } {
                let word := mload(and(mload(order), 0xffffffffffffffff))
                let axis := add(32, shl(5, byte(0, word)))
                let degree := byte(1, word)
                let place := add(degrees, add(32, shl(5, mload(add(firsts, axis)))))
                for { let end := add(place, shl(5, mload(add(bits, axis)))) } lt(place, end) { place := add(place, 32) }
                {
                    if lt(mload(place), degree) { mstore(place, degree) }
                }
            }
        }
    }
}
