// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Packing, Packings} from "../src/verifier/Packing.sol";
import {Program, Programs} from "../src/verifier/Program.sol";
import {Layout, Piece, digitsOf, groupOf, layOut, pieceCount} from "./PlainPacking.sol";
import {Random} from "./Random.sol";
import {Limits, RandomProgram, Sketch, packingOf} from "./RandomProgram.sol";
import {vm} from "./Vm.sol";

/// @notice Where tensors lie, compared with the rule of spec/statement.md, section 7, as it is written; and what is refused.
contract PackingTest {
    using RandomProgram for Sketch;

    uint256 private constant MOST_LOG_COLUMNS = 20;

    function checkGroups(uint256[] memory logGroups, uint256 columns) private pure {
        vm.assertEq(logGroups.length, digitsOf(columns), "groups");
        uint256 sum = 0;
        for (uint256 g = 0; g < logGroups.length; ++g) {
            vm.assertTrue(g == 0 || logGroups[g] < logGroups[g - 1], "larger groups first");
            sum += 1 << logGroups[g];
        }
        vm.assertEq(sum, columns, "columns");
    }

    /// @dev What does not depend on where pieces lie.
    function checkShape(Packing memory packing, uint256[][] memory shapes, Layout memory laid) private pure {
        uint256 total = 0;
        uint256 most = 0;
        for (uint256 t = 0; t < shapes.length; ++t) {
            vm.assertEq(packing.first[t], total, "first piece");
            uint256 count = pieceCount(shapes[t]);
            total += count;
            if (count > most) most = count;
        }
        vm.assertEq(packing.first.length, shapes.length + 1, "tensors");
        vm.assertEq(packing.first[shapes.length], total, "pieces");
        vm.assertEq(packing.mostPieces, most, "most pieces");
        vm.assertEq(packing.modelPieces, laid.modelPieces, "model pieces");
        checkGroups(packing.logGroups[0], laid.columns[0]);
        checkGroups(packing.logGroups[1], laid.columns[1]);
    }

    /// forge-config: long.fuzz.runs = 2000
    function testFuzz_piecesLieOneBehindTheOtherByFallingSize(uint256 seed) external pure {
        Random memory random = Random(seed);
        Sketch memory s = RandomProgram.sketch(random, Limits(0, 6, 65536, 64, 1, 0));
        uint256 logRows = random.below(12);
        // No statement has an axis of length 0, but a program may.
        uint256 empty = random.below(24);
        if (empty < s.lengths.length) (s.lengths[empty], s.sources[empty]) = (0, 0);
        Program memory p = s.instantiate();
        Packing memory packing = packingOf(p, logRows, MOST_LOG_COLUMNS);
        Layout memory laid = layOut(s.shapes(), s.modelTensors, logRows);
        checkShape(packing, s.shapes(), laid);
        vm.assertEq(packing.order.length, laid.pieces.length, "order");
        vm.assertEq(packing.offsets.length, laid.pieces.length, "offsets");
        for (uint256 i = 0; i < laid.pieces.length; ++i) {
            vm.assertEq(packing.logSizes[i], laid.pieces[i].logSize, "size");
            vm.assertEq(packing.offsets[i], laid.pieces[i].cell, "cell");
            vm.assertEq(packing.order[i], laid.order[i], "order");
        }
        Packing memory measured;
        Packings.measure(p, measured, logRows, MOST_LOG_COLUMNS);
        checkShape(measured, s.shapes(), laid);
    }

    /// @dev What weights rely on, of the rule itself.
    /// forge-config: long.fuzz.runs = 2000
    function testFuzz_noPieceLiesInTwoGroups(uint256 seed) external pure {
        Random memory random = Random(seed);
        Sketch memory s = RandomProgram.sketch(random, Limits(0, 4, 4096, 64, 1, 0));
        Layout memory laid = layOut(s.shapes(), s.modelTensors, random.below(10));
        for (uint256 i = 0; i < laid.pieces.length; ++i) {
            Piece memory piece = laid.pieces[i];
            uint256 kind = i < laid.modelPieces ? 0 : 1;
            (uint256 group,) = groupOf(laid, kind, piece.cell);
            (uint256 last,) = groupOf(laid, kind, piece.cell + (1 << piece.logSize) - 1);
            vm.assertEq(group, last);
            vm.assertEq(piece.cell % (1 << piece.logSize), 0);
        }
    }

    /// @dev Tensors of axes that all have one length, some of them the model's, and `claims` claims on the first tensor. Their
    /// point, which nobody looks at here, has no coordinates.
    function packed(uint256 length, uint256[] memory ranks, uint256 modelTensors, uint256 claims, uint256 logRows)
        public
        pure
        returns (Packing memory packing)
    {
        Sketch memory s;
        s.lengths = new uint256[](1);
        s.lengths[0] = length;
        s.sources = new uint256[](1);
        s.tensors = new uint256[][](ranks.length);
        for (uint256 t = 0; t < ranks.length; ++t) {
            s.tensors[t] = new uint256[](ranks[t]);
        }
        s.modelTensors = modelTensors;
        s.claims = claims;
        s.points = new uint256[][](1);
        s.numbers = new uint256[][](1);
        s.claimed = new uint256[][](1);
        s.numbers[0] = new uint256[](claims);
        s.claimed[0] = new uint256[](claims);
        Program memory p = s.instantiate();
        packing = packingOf(p, logRows, MOST_LOG_COLUMNS);
    }

    function ranksOf(uint256 first) private pure returns (uint256[] memory ranks) {
        ranks = new uint256[](1);
        ranks[0] = first;
    }

    function ranksOf(uint256 first, uint256 second) private pure returns (uint256[] memory ranks) {
        ranks = new uint256[](2);
        (ranks[0], ranks[1]) = (first, second);
    }

    function expectRefused(
        uint256 length,
        uint256[] memory ranks,
        uint256 modelTensors,
        uint256 claims,
        uint256 logRows
    ) private {
        vm.expectRevert(Programs.ProofInstance.selector);
        this.packed(length, ranks, modelTensors, claims, logRows);
    }

    function test_columnsOfBothKindsTogetherAreLimited() external {
        packed(1 << 20, ranksOf(1), 1, 0, 0);
        packed(1 << 20, ranksOf(1), 0, 0, 0);
        expectRefused(1 << 20, ranksOf(1, 0), 1, 0, 0);
        expectRefused(1 << 20, ranksOf(1, 0), 2, 0, 0);
        // Each kind's columns are rounded up: of 2^20 of 2 cells the model's alone take all.
        packed((1 << 21) - 1, ranksOf(1), 1, 0, 1);
        packed((1 << 21) - 1, ranksOf(1, 0), 2, 0, 1);
        expectRefused((1 << 21) - 1, ranksOf(1, 0), 1, 0, 1);
    }

    /// @dev 255 has 8 digits.
    function test_piecesOfEachKindAreLimited() external {
        vm.assertEq(packed(255, ranksOf(4), 1, 0, 20).mostPieces, 4096);
        packed(255, ranksOf(4, 0), 1, 0, 20);
        packed(255, ranksOf(0, 4), 1, 0, 20);
        expectRefused(255, ranksOf(4, 0), 2, 0, 20);
        expectRefused(255, ranksOf(0, 4), 0, 0, 20);
        expectRefused(255, ranksOf(5), 1, 0, 20);
    }

    /// @dev Neither their pieces nor their cells have room in a word.
    function test_tensorsOfAnySizeAreRefused() external {
        for (uint256 rank = 6; rank < 256; ++rank) {
            expectRefused((1 << 31) - 1, ranksOf(rank), rank & 1, 0, 20);
            expectRefused(1 << 30, ranksOf(rank), rank & 1, 0, 20);
        }
        // Largest pieces of 2^47 and 2^48.
        packed(2, ranksOf(47), 1, 0, 30);
        expectRefused(2, ranksOf(48), 1, 0, 30);
        expectRefused(2, ranksOf(48), 0, 0, 30);
    }

    function test_weightsOfAllClaimsAreLimited() external {
        packed(255, ranksOf(2), 1, 64, 20);
        expectRefused(255, ranksOf(2), 1, 65, 20);
        packed(255, ranksOf(0, 2), 1, 64, 20);
    }
}
