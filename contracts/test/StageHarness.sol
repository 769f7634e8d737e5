// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3} from "../src/verifier/Fp3.sol";
import {Program, Programs, SOURCE_LOOKUP} from "../src/verifier/Program.sol";
import {Reduction, Section} from "../src/verifier/Reduction.sol";
import {Transcript} from "../src/verifier/Transcript.sol";

/// @dev A program without parameters of these sections (spec/program.md, section 1).
function programOf(bytes[9] memory sections) pure returns (bytes memory) {
    bytes memory head = abi.encodePacked(uint16(3), uint16(0));
    bytes memory body = "";
    for (uint256 i = 0; i < 9; ++i) {
        head = abi.encodePacked(head, uint16(22 + body.length));
        body = bytes.concat(body, sections[i]);
    }
    return bytes.concat(head, body);
}

/// @notice A program's only stage, on calldata.
contract StageHarness {
    using Transcript for Transcript.State;

    uint256 private constant JOIN = 0x0305;
    uint256 private constant ROUND = 0x0306;
    uint256 private constant BIND = 0x0307;

    function run(bytes memory code, Fp3[] memory point, Fp3[] memory claims, bytes calldata part)
        external
        pure
        returns (Fp3[] memory, uint256 used)
    {
        Program memory p = Programs.instantiate(code, new uint256[](0), "");
        p.vectors[SOURCE_LOOKUP] = point;
        for (uint256 i = 0; i < claims.length; ++i) {
            p.claims[i] = claims[i];
        }
        (uint256 start, Section memory section) = sectionOf(part);
        (uint256 place,) = Reduction.firstStage(p);
        Reduction.stage(p, Transcript.State(0), section, place);
        return (p.claims, section.next - start);
    }

    /// @dev The challenge of a first round that is sent so many elements.
    function challengeOf(bytes calldata part, uint256 degree) external pure returns (Fp3) {
        Transcript.State memory transcript = Transcript.State(0);
        (uint256 start,) = sectionOf(part);
        transcript.challenge(JOIN);
        transcript.absorbElements(ROUND, start, degree);
        return transcript.challenge(BIND);
    }

    /// @dev The challenge that joins, and those of the rounds that are there, of two elements each.
    function challenges(bytes calldata rounds) external pure returns (Fp3 join, Fp3[] memory point) {
        Transcript.State memory transcript = Transcript.State(0);
        join = transcript.challenge(JOIN);
        uint256 place;
        assembly ("memory-safe") {
            place := rounds.offset
        }
        point = new Fp3[](rounds.length / 48);
        for (uint256 i = 0; i < point.length; ++i) {
            transcript.absorbElements(ROUND, place + 48 * i, 2);
            point[i] = transcript.challenge(BIND);
        }
    }

    function sectionOf(bytes calldata part) private pure returns (uint256 start, Section memory section) {
        assembly ("memory-safe") {
            start := part.offset
        }
        section = Section(start, start + part.length);
    }
}
