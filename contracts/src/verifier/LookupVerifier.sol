// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, setLength} from "./Fp3.sol";
import {LookupArgument, LookupConfig, LookupState} from "./LookupArgument.sol";
import {ILookupVerifier, LookupProgress} from "./Parts.sol";
import {Transcript} from "./Transcript.sol";

/// @title The phases of a proof's lookup argument (spec/proof.md, section 6)
/// @notice A part of a verifier, for any model, as ReductionVerifier is.
contract LookupVerifier is ILookupVerifier {
    /// @inheritdoc ILookupVerifier
    function layers(LookupConfig calldata config, uint256 logCells, LookupProgress calldata from, bytes calldata part)
        external
        pure
        returns (LookupProgress memory to, uint256 used)
    {
        Transcript.State memory transcript = Transcript.State(from.digest);
        uint256 start = offsetOf(part);
        uint256 last = LookupArgument.phases(logCells) - 1;
        LookupState memory s;
        to.phase = from.phase;
        if (to.phase == 0) {
            s = LookupArgument.top(transcript, config, logCells, start, start + part.length);
        } else {
            s = stateOf(from, logCells, start, start + part.length);
            LookupArgument.layer(transcript, s);
        }
        while (++to.phase < last && s.next < s.end) {
            LookupArgument.layer(transcript, s);
        }
        to.digest = transcript.digest;
        (to.point, to.numerator, to.denominator) = (s.point, s.numerator, s.denominator);
        used = s.next - start;
    }

    /// @inheritdoc ILookupVerifier
    function columns(
        LookupConfig calldata config,
        LookupProgress calldata from,
        Fp3[] calldata known,
        bytes calldata part
    ) external pure returns (bytes32 digest, uint256 used, Fp3[] memory numerators, Fp3[] memory denominators) {
        Transcript.State memory transcript = Transcript.State(from.digest);
        uint256 start = offsetOf(part);
        LookupConfig memory own = config;
        LookupState memory s = stateOf(from, from.point.length, start, start + part.length);
        (numerators, denominators) = LookupArgument.columns(transcript, own, s);
        for (uint256 j = 0; j < numerators.length; ++j) {
            if (!own.sent[j]) numerators[j] = known[j];
        }
        LookupArgument.checkColumns(own, LookupArgument.layoutOf(own), s, numerators, denominators);
        (digest, used) = (transcript.digest, s.next - start);
    }

    function offsetOf(bytes calldata part) private pure returns (uint256 start) {
        assembly ("memory-safe") {
            start := part.offset
        }
    }

    /// @dev With room for `logCells` coordinates: layers add them.
    function stateOf(LookupProgress calldata from, uint256 logCells, uint256 start, uint256 end)
        private
        pure
        returns (LookupState memory s)
    {
        (s.next, s.end) = (start, end);
        s.point = new Fp3[](logCells);
        for (uint256 b = 0; b < from.point.length; ++b) {
            s.point[b] = from.point[b];
        }
        setLength(s.point, from.point.length);
        (s.numerator, s.denominator) = (from.numerator, from.denominator);
    }
}
