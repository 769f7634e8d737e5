// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instance} from "./DeliveryReader.sol";
import {Fp3} from "./Fp3.sol";

/// @notice An instance of a model's program, and how its commitments are shaped.
struct ProgramInput {
    /// The contract that holds the program.
    address program;
    uint256[] lengths;
    /// log2 of the cells of the lookup argument's columns, as IReductionVerifier says.
    uint256 logCells;
    uint256 logRows;
    uint256 maxLogColumns;
}

/// @notice What an opening has to know of what is opened.
struct OpeningShape {
    /// log2 of the columns of each group, of the model and of the witness.
    uint256[] modelGroups;
    uint256[] witnessGroups;
    /// Elements of a state that are challenges of the phases before the opening.
    uint256 challenges;
    /// Claims on committed tensors.
    uint256 claims;
    /// Number of the opening's first phase.
    uint256 firstPhase;
    /// How tensors are packed, and where axes lie in challenges, for `weigh`.
    bytes packing;
    bytes placement;
}

/// @notice What an opening is given besides state and proof.
struct OpeningInput {
    /// The contract that holds the model's program.
    address program;
    uint256[] lengths;
    /// log2 of the cells of the lookup argument's columns, as IReductionVerifier says.
    uint256 logCells;
    /// Configuration of the commitment.
    bytes config;
    /// Of the model's commitment.
    bytes32 modelRoot;
    Fp3 modelValue;
}

/// @notice A lookup argument before its phase number `phase`: the transcript's state, and from the second phase on the claim
/// on one layer.
struct LookupProgress {
    uint256 phase;
    bytes32 digest;
    Fp3[] point;
    Fp3 numerator;
    Fp3 denominator;
}

/// @title The phases of a lookup argument (spec/lookup.md)
interface ILookupVerifier {
    /// @notice Carries out phases but the last one as far as the bytes go, and at least one.
    /// @param config The columns, as LookupArgument.packColumns has them.
    /// @param logCells log2 of the cells of all columns.
    /// @return to The argument before the next phase.
    /// @return used How many bytes they took.
    function layers(bytes calldata config, uint256 logCells, LookupProgress calldata from, bytes calldata part)
        external
        pure
        returns (LookupProgress memory to, uint256 used);

    /// @notice The last phase: what the prover says of the columns at the point, compared with the claim.
    /// @param known The numerators of columns of which none are sent: a word for each column.
    /// @return digest The transcript's state behind it.
    /// @return used How many bytes it took.
    /// @return numerators Of all columns, a word each.
    /// @return denominators Likewise.
    function columns(bytes calldata config, LookupProgress calldata from, bytes calldata known, bytes calldata part)
        external
        pure
        returns (bytes32 digest, uint256 used, bytes memory numerators, bytes memory denominators);
}

/// @title The phases of a proof up to its opening
interface IReductionVerifier {
    /// @notice Carries out phases as far as the bytes go, and at least one of its own if there is one left.
    /// @param program The contract that holds the model's program.
    /// @param instance What the proof is about.
    /// @param state The state before a phase; before the first one the head alone.
    /// @param part The next bytes of the proof.
    /// @return next The state after these phases.
    /// @return used How many bytes they took.
    /// @return finished Whether none of these phases is left.
    /// @return logCells log2 of the cells of the lookup argument's columns.
    function advance(address program, Instance calldata instance, bytes calldata state, bytes calldata part)
        external
        view
        returns (bytes memory next, uint256 used, bool finished, uint256 logCells);
}

/// @title The phases of a proof's opening
interface IOpeningVerifier {
    /// @notice Carries out phases, or parts of those that read rows, as far as the bytes go, and at least one.
    /// @return next The state after these; nothing if the last phase was among them.
    /// @return done Whether it was: then the proof holds.
    function advance(OpeningInput calldata input, bytes calldata state, bytes calldata part)
        external
        view
        returns (bytes memory next, bool done);
}

/// @title What is opened
interface IWeightVerifier {
    /// @notice The shape of an opening.
    function shapeOf(ProgramInput calldata input) external view returns (OpeningShape memory shape);

    /// @notice Sum over the claims of their weights at the point of an opening, claim number a times join^(2 + a).
    /// @param packing What the opening's shape says of the same program: whoever asks has it from `shapeOf`.
    /// @param placement Likewise.
    /// @param challenges Those of the phases before, as a state has them.
    /// @param opened The opening's point.
    function weigh(
        ProgramInput calldata input,
        bytes calldata packing,
        bytes calldata placement,
        bytes calldata challenges,
        Fp3[] calldata opened,
        Fp3 join
    ) external view returns (Fp3);
}
