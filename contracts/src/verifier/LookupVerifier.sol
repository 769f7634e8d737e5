// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, setLength, toBytes} from "./Fp3.sol";
import {LookupArgument, LookupConfig, LookupState} from "./LookupArgument.sol";
import {ILookupVerifier, LookupProgress} from "./Parts.sol";
import {Transcript} from "./Transcript.sol";

/// @title The phases of a proof's lookup argument (spec/proof.md, section 6)
/// @notice A part of a verifier, for any model, as ReductionVerifier is.
contract LookupVerifier is ILookupVerifier {
    /// @inheritdoc ILookupVerifier
    function layers(bytes calldata config, uint256 logCells, LookupProgress calldata from, bytes calldata part)
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
            s = LookupArgument.top(
                transcript, LookupArgument.unpackColumns(config), logCells, start, start + part.length
            );
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
    function columns(bytes calldata config, LookupProgress calldata from, bytes calldata known, bytes calldata part)
        external
        pure
        returns (bytes32 digest, uint256 used, bytes memory, bytes memory)
    {
        Transcript.State memory transcript = Transcript.State(from.digest);
        uint256 start = offsetOf(part);
        LookupConfig memory own = LookupArgument.unpackColumns(config);
        if (known.length != 32 * own.sent.length) revert LookupArgument.LookupConfigInvalid();
        LookupState memory s = stateOf(from, from.point.length, start, start + part.length);
        (Fp3[] memory numerators, Fp3[] memory denominators) = LookupArgument.columns(transcript, own, s);
        fillKnown(own.sent, known, numerators);
        LookupArgument.checkColumns(own, LookupArgument.layoutOf(own), s, numerators, denominators);
        return (transcript.digest, s.next - start, toBytes(numerators), toBytes(denominators));
    }

    /// @dev Numerators that are not sent. The three have as many entries.
    function fillKnown(bool[] memory sent, bytes calldata known, Fp3[] memory numerators) private pure {
        assembly ("memory-safe") {
            let last := shl(5, mload(sent))
            for { let entry := 0 } lt(entry, last) {} {
                let word := calldataload(add(known.offset, entry))
                entry := add(entry, 32)
                if iszero(mload(add(sent, entry))) { mstore(add(numerators, entry), word) }
            }
        }
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
