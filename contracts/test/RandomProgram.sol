// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, ONE, P, ZERO} from "../src/verifier/Fp3.sol";
import {
    Program,
    Programs,
    SOURCE_HALF,
    SOURCE_LOOKUP,
    SOURCE_PLACE,
    SOURCE_ZERO,
    SOURCES
} from "../src/verifier/Program.sol";
import {Packing, Packings} from "../src/verifier/Packing.sol";
import {digitsOf, logOf} from "./PlainPacking.sol";
import {Random} from "./Random.sol";

/// @dev The packing of a program, by way of what a verifier keeps of it.
function packingOf(Program memory p, uint256 logRows, uint256 mostLogColumns) pure returns (Packing memory) {
    Packing memory outline;
    return Packings.pack(p, Packings.measure(p, outline, logRows, mostLogColumns));
}

/// @dev How large programs may be.
struct Limits {
    uint256 leastRank;
    uint256 mostRank;
    /// Of a tensor.
    uint256 cells;
    uint256 pieces;
    uint256 points;
    /// log2 of how long an axis may be whose length has no more than two digits; such occur if it is not 0.
    uint256 logLength;
}

/// @dev What a program says about an opening, and the challenges of a proof.
struct Sketch {
    uint256[] parameters;
    /// Of each axis 0 or 1 plus its parameter, and its length.
    uint256[] sources;
    uint256[] lengths;
    /// Of each coordinates its axis, its bytes and the point that it stands for.
    uint256[] axes;
    bytes8[] entries;
    Fp3[][] coordinates;
    Fp3[][] vectors;
    uint256[][] firsts;
    /// Of each tensor its axes, the model's first.
    uint256[][] tensors;
    uint256 modelTensors;
    /// Of each point its coordinates, and the claims at it: numbers in the list of claims, and tensors.
    uint256[][] points;
    uint256[][] numbers;
    uint256[][] claimed;
    uint256 claims;
}

/// @title Programs with nothing but an opening, from a seed
library RandomProgram {
    uint256 private constant AXES = 6;
    uint256 private constant MOST_TENSORS = 6;
    uint256 private constant CHALLENGES = 96;
    /// @dev Coordinates of each axis.
    uint256 private constant EACH = 3;

    /// @dev Axis 0 has the length 1: what stands for an axis that would make a tensor too large.
    function sketch(Random memory random, Limits memory limits) internal pure returns (Sketch memory s) {
        drawAxes(random, s, limits.logLength);
        drawChallenges(random, s);
        s.axes = new uint256[](AXES * EACH);
        s.entries = new bytes8[](AXES * EACH);
        s.coordinates = new Fp3[][](AXES * EACH);
        for (uint256 c = 0; c < AXES * EACH; ++c) {
            s.axes[c] = c % AXES;
            drawCoordinates(random, s, c);
        }
        drawTensors(random, s, limits);
        drawPoints(random, s, 1 + random.below(limits.points));
    }

    function drawAxes(Random memory random, Sketch memory s, uint256 logLength) private pure {
        uint16[12] memory lengths = [1, 2, 2, 3, 3, 4, 5, 8, 11, 12, 12, 768];
        uint8[6] memory parameters = [1, 2, 3, 4, 6, 12];
        s.parameters = new uint256[](random.below(4));
        for (uint256 i = 0; i < s.parameters.length; ++i) {
            s.parameters[i] = parameters[random.below(parameters.length)];
        }
        s.sources = new uint256[](AXES);
        s.lengths = new uint256[](AXES);
        s.lengths[0] = 1;
        for (uint256 i = 1; i < AXES; ++i) {
            s.lengths[i] = logLength > 0 && random.below(2) == 0
                ? (1 << random.below(logLength + 1)) | (1 << random.below(logLength + 1))
                : lengths[random.below(lengths.length)];
            if (s.parameters.length > 0 && random.below(4) == 0) {
                s.sources[i] = 1 + random.below(s.parameters.length);
                s.lengths[i] = s.parameters[s.sources[i] - 1];
            }
        }
    }

    function drawChallenges(Random memory random, Sketch memory s) private pure {
        s.vectors = new Fp3[][](SOURCES);
        s.firsts = new uint256[][](SOURCES);
        for (uint256 source = SOURCE_LOOKUP; source < SOURCES; ++source) {
            s.vectors[source] = random.elements(CHALLENGES);
            s.firsts[source] = new uint256[](AXES);
            for (uint256 i = 0; i < AXES; ++i) {
                s.firsts[source][i] = random.below(CHALLENGES / 2);
            }
        }
    }

    /// @dev Some stages' challenges are not used at all, and others' more often.
    function drawCoordinates(Random memory random, Sketch memory s, uint256 c) private pure {
        uint256 source = random.below(SOURCES + 3);
        if (source >= SOURCES) source = source == SOURCES ? SOURCE_LOOKUP : SOURCE_ZERO + 1;
        uint256 bits = logOf(s.lengths[s.axes[c]]);
        Fp3[] memory point = new Fp3[](bits);
        uint256 entry = (source << 56) | (s.axes[c] << 48);
        if (source == SOURCE_PLACE) {
            uint256 place = random.below(1 << bits);
            for (uint256 b = 0; b < bits; ++b) {
                point[b] = (place >> b) & 1 == 1 ? ONE : ZERO;
            }
            entry |= place;
        } else if (source == SOURCE_HALF) {
            for (uint256 b = 0; b < bits; ++b) {
                point[b] = Fp3.wrap((P + 1) / 2 << 160);
            }
        } else {
            entry |= drawRun(random, s, source, point);
        }
        s.entries[c] = bytes8(uint64(entry));
        s.coordinates[c] = point;
    }

    /// @dev Fills a point with challenges, often all of it, and else the beginning. Returns the bytes that say so.
    function drawRun(Random memory random, Sketch memory s, uint256 source, Fp3[] memory point)
        private
        pure
        returns (uint256 entry)
    {
        uint256 count = random.below(3) == 0 ? random.below(point.length + 1) : point.length;
        uint256 first;
        (first, entry) = drawFirst(random, s, source);
        for (uint256 b = 0; b < count; ++b) {
            point[b] = s.vectors[source][first + b];
        }
        if (s.parameters.length > 0) {
            uint256 parameter = random.below(s.parameters.length);
            uint256 own = logOf(s.parameters[parameter]);
            if (own <= count) {
                count -= own;
                entry |= (1 + parameter) << 32;
            }
        }
        entry |= count << 40;
    }

    function drawFirst(Random memory random, Sketch memory s, uint256 source)
        private
        pure
        returns (uint256 first, uint256 entry)
    {
        if (source != SOURCE_LOOKUP) {
            uint256 axis = random.below(AXES);
            return (s.firsts[source][axis], axis << 24);
        }
        first = random.below(8);
        entry = first << 24;
        for (uint256 i = 0; i < s.parameters.length; ++i) {
            uint256 times = random.below(3);
            first += times * logOf(s.parameters[i]);
            entry |= times << (16 - 8 * i);
        }
    }

    /// @dev Some tensors have the axes of another one, or all but the last of them.
    function drawTensors(Random memory random, Sketch memory s, Limits memory limits) private pure {
        s.tensors = new uint256[][](1 + random.below(MOST_TENSORS));
        s.modelTensors = random.below(s.tensors.length + 1);
        for (uint256 t = 0; t < s.tensors.length; ++t) {
            uint256 kind = t == 0 ? 0 : random.below(4);
            if (kind == 0) {
                s.tensors[t] = drawShape(random, s, limits);
                continue;
            }
            s.tensors[t] = copyOf(s.tensors[random.below(t)]);
            if (kind > 1 && s.tensors[t].length > 0) drawLast(random, s, limits, s.tensors[t]);
        }
    }

    function copyOf(uint256[] memory list) private pure returns (uint256[] memory copy) {
        copy = new uint256[](list.length);
        for (uint256 k = 0; k < list.length; ++k) {
            copy[k] = list[k];
        }
    }

    function drawLast(Random memory random, Sketch memory s, Limits memory limits, uint256[] memory shape)
        private
        pure
    {
        uint256 last = shape.length - 1;
        shape[last] = random.below(AXES);
        uint256 cells = 1;
        uint256 pieces = 1;
        for (uint256 k = 0; k < shape.length; ++k) {
            cells *= s.lengths[shape[k]];
            pieces *= digitsOf(s.lengths[shape[k]]);
        }
        if (cells > limits.cells || pieces > limits.pieces) shape[last] = 0;
    }

    function drawShape(Random memory random, Sketch memory s, Limits memory limits)
        private
        pure
        returns (uint256[] memory shape)
    {
        shape = new uint256[](limits.leastRank + random.below(limits.mostRank - limits.leastRank + 1));
        uint256 cells = 1;
        uint256 pieces = 1;
        // Not always the first axes are those that are there.
        uint256 first = random.below(shape.length + 1);
        for (uint256 k = 0; k < shape.length; ++k) {
            uint256 axis = random.below(AXES);
            uint256 length = s.lengths[axis];
            if (cells * length > limits.cells || pieces * digitsOf(length) > limits.pieces) continue;
            cells *= length;
            pieces *= digitsOf(length);
            shape[(first + k) % shape.length] = axis;
        }
    }

    function drawPoints(Random memory random, Sketch memory s, uint256 count) private pure {
        s.points = new uint256[][](count);
        s.numbers = new uint256[][](count);
        s.claimed = new uint256[][](count);
        s.claims = 1 + random.below(2 * count);
        uint256 tensor = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 kind = i == 0 ? 0 : random.below(7);
            if (kind < 3) {
                tensor = random.below(s.tensors.length);
                s.points[i] = drawPoint(random, s, s.tensors[tensor], i == 0 ? new uint256[](0) : s.points[i - 1]);
            } else {
                s.points[i] = drawNext(random, s, s.points[i - 1], kind);
            }
            drawClaims(random, s, i, tensor);
        }
    }

    /// @dev Where axes have the same length, all coordinates of the point before, or some.
    function drawPoint(Random memory random, Sketch memory s, uint256[] memory shape, uint256[] memory before)
        private
        pure
        returns (uint256[] memory point)
    {
        point = new uint256[](shape.length);
        bool all = random.below(2) == 0;
        for (uint256 k = 0; k < shape.length; ++k) {
            uint256 length = s.lengths[shape[k]];
            bool kept = k < before.length && s.lengths[s.axes[before[k]]] == length;
            point[k] = kept && (all || random.below(3) > 0) ? before[k] : drawOne(random, s, length);
        }
    }

    /// @dev Coordinates of an axis with this length.
    function drawOne(Random memory random, Sketch memory s, uint256 length) private pure returns (uint256 c) {
        c = random.below(s.axes.length);
        while (s.lengths[s.axes[c]] != length) c = (c + 1) % s.axes.length;
    }

    /// @dev The same point once more, but for coordinates of any axis, of the last one (also of another axis with its length,
    /// or of the same one), or of none.
    function drawNext(Random memory random, Sketch memory s, uint256[] memory before, uint256 kind)
        private
        pure
        returns (uint256[] memory point)
    {
        point = copyOf(before);
        if (kind == 6 || point.length == 0) return point;
        uint256 changed = kind == 3 ? random.below(point.length) : point.length - 1;
        point[changed] = kind == 5
            ? (before[changed] + AXES) % s.axes.length
            : drawOne(random, s, s.lengths[s.axes[before[changed]]]);
    }

    /// @dev A few claims on tensors that have these axes, or none. A number that two claims have is a power that both have.
    function drawClaims(Random memory random, Sketch memory s, uint256 i, uint256 tensor) private pure {
        uint256 count = random.below(8) == 0 ? 0 : 1 + random.below(3);
        s.numbers[i] = new uint256[](count);
        s.claimed[i] = new uint256[](count);
        for (uint256 k = 0; k < count; ++k) {
            s.numbers[i][k] = random.below(s.claims);
            uint256 other = random.below(s.tensors.length);
            s.claimed[i][k] = sameAxes(s.tensors[other], s.tensors[tensor]) ? other : tensor;
        }
    }

    function sameAxes(uint256[] memory a, uint256[] memory b) private pure returns (bool) {
        return keccak256(abi.encodePacked(a)) == keccak256(abi.encodePacked(b));
    }

    /// @notice Lengths of the axes of all tensors.
    function shapes(Sketch memory s) internal pure returns (uint256[][] memory list) {
        list = new uint256[][](s.tensors.length);
        for (uint256 t = 0; t < list.length; ++t) {
            list[t] = new uint256[](s.tensors[t].length);
            for (uint256 k = 0; k < list[t].length; ++k) {
                list[t][k] = s.lengths[s.tensors[t][k]];
            }
        }
    }

    /// @notice The program (spec/program.md), with its challenges.
    function instantiate(Sketch memory s) internal pure returns (Program memory p) {
        p = Programs.instantiate(encode(s), s.parameters, "");
        p.vectors = s.vectors;
        p.firsts = s.firsts;
    }

    function encode(Sketch memory s) private pure returns (bytes memory) {
        bytes[9] memory sections;
        sections[0] = encodeAxes(s);
        sections[1] = abi.encodePacked(uint16(1), uint64(1));
        sections[2] = abi.encodePacked(uint16(s.entries.length));
        for (uint256 c = 0; c < s.entries.length; ++c) {
            sections[2] = abi.encodePacked(sections[2], s.entries[c]);
        }
        sections[3] = hex"0000";
        sections[4] = hex"0000";
        sections[5] = hex"0000000000";
        sections[6] = hex"00";
        sections[7] = abi.encodePacked(encodeTensors(s), encodePoints(s));
        sections[8] = hex"0000";
        bytes memory head = abi.encodePacked(uint16(3), uint8(s.parameters.length), uint8(0));
        bytes memory body;
        for (uint256 i = 0; i < 9; ++i) {
            head = abi.encodePacked(head, uint16(22 + body.length));
            body = abi.encodePacked(body, sections[i]);
        }
        return abi.encodePacked(head, body);
    }

    function encodeAxes(Sketch memory s) private pure returns (bytes memory code) {
        code = abi.encodePacked(uint16(s.lengths.length));
        for (uint256 i = 0; i < s.lengths.length; ++i) {
            // Of parameters the largest one.
            code = abi.encodePacked(code, uint8(s.sources[i]), uint32(s.lengths[i] * (s.sources[i] == 0 ? 1 : 2)));
        }
    }

    function encodeTensors(Sketch memory s) private pure returns (bytes memory code) {
        code = abi.encodePacked(uint16(s.tensors.length));
        for (uint256 t = 0; t < s.tensors.length; ++t) {
            code = abi.encodePacked(code, uint8(t < s.modelTensors ? 0 : 1), uint8(s.tensors[t].length));
            for (uint256 k = 0; k < s.tensors[t].length; ++k) {
                code = abi.encodePacked(code, uint8(s.tensors[t][k]));
            }
        }
    }

    function encodePoints(Sketch memory s) private pure returns (bytes memory code) {
        code = abi.encodePacked(uint16(s.claims), new bytes(2 * s.claims), uint16(s.points.length));
        for (uint256 i = 0; i < s.points.length; ++i) {
            code = abi.encodePacked(code, uint8(s.points[i].length));
            for (uint256 k = 0; k < s.points[i].length; ++k) {
                code = abi.encodePacked(code, uint16(s.points[i][k]));
            }
            code = abi.encodePacked(code, uint16(s.claimed[i].length));
            for (uint256 k = 0; k < s.claimed[i].length; ++k) {
                code = abi.encodePacked(code, uint16(s.numbers[i][k]), uint16(s.claimed[i][k]));
            }
        }
    }
}
