// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Code} from "./Code.sol";
import {Fp3} from "./Fp3.sol";
import {LookupArgument} from "./LookupArgument.sol";
import {Packing, Packings} from "./Packing.sol";
import {IWeightVerifier, OpeningShape, ProgramInput} from "./Parts.sol";
import {Program, Programs, SOURCE_LOOKUP} from "./Program.sol";
import {Reduction} from "./Reduction.sol";
import {Cursor, StateBytes} from "./StateBytes.sol";
import {Weights} from "./Weights.sol";

/// @title What is opened: where committed tensors lie, and what the claims on them weigh
/// @notice A part of a verifier, for any model, as ReductionVerifier is.
contract WeightVerifier is IWeightVerifier {
    using StateBytes for Cursor;

    /// @inheritdoc IWeightVerifier
    function shapeOf(ProgramInput calldata input) external view returns (OpeningShape memory shape) {
        Program memory p = Programs.outline(Code.read(input.program), input.lengths);
        Packing memory packing;
        shape.packing = Packings.measure(p, packing, input.logRows, input.maxLogColumns);
        (shape.modelGroups, shape.witnessGroups) = (packing.logGroups[0], packing.logGroups[1]);
        (, uint256 stages) = Reduction.firstStage(p);
        (uint256[] memory sizes, uint256 challenges) = Reduction.placeChallenges(p, stages);
        shape.placement = Reduction.packPlacement(p, sizes);
        shape.challenges = input.logCells + challenges;
        shape.claims = Reduction.carried(p, stages).length;
        // After that of the commitment, those of the lookup argument, and the stages.
        shape.firstPhase = 1 + LookupArgument.phases(input.logCells) + stages;
    }

    /// @inheritdoc IWeightVerifier
    function weigh(
        ProgramInput calldata input,
        bytes calldata outlined,
        bytes calldata placement,
        bytes calldata challenges,
        Fp3[] calldata opened,
        Fp3 join
    ) external view returns (Fp3) {
        Program memory p = Programs.outline(Code.read(input.program), input.lengths);
        Packing memory packing = Packings.pack(p, outlined);
        bytes memory encoded = challenges;
        Cursor memory cursor;
        assembly ("memory-safe") {
            mstore(cursor, add(encoded, 32))
        }
        p.vectors[SOURCE_LOOKUP] = cursor.readList(input.logCells);
        Reduction.readChallenges(p, cursor, Reduction.unpackPlacement(p, placement));
        return Weights.joined(p, packing, opened, input.logRows, join);
    }
}
