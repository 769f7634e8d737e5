// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DeliveryReader, Instance, ModelLimits} from "../src/verifier/DeliveryReader.sol";
import {Random} from "./Random.sol";
import {decodeValues} from "./Values.sol";
import {vm} from "./Vm.sol";

contract DeliveryHarness {
    function read(bytes calldata delivery, ModelLimits memory model) external pure returns (Instance memory) {
        return DeliveryReader.read(delivery, model);
    }
}

/// @notice Every check of spec/answer.md, section 4, by the delivery that fails it and no other.
contract DeliveryReaderTest {
    bytes32 private constant MODEL = bytes32(uint256(7));

    /// @dev An answer by its fields; ids of 2 bytes.
    struct Made {
        bytes32 id;
        uint32 most;
        uint32 tau;
        uint32 topK;
        uint32 portion;
        bytes32 seed;
        uint8 end;
        uint16[] stops;
        uint16[] input;
        uint16[] output;
        uint16 lastK;
        uint16 lastP;
        uint16 likeliest;
    }

    DeliveryHarness private harness;

    function setUp() external {
        harness = new DeliveryHarness();
    }

    /// @dev A vocabulary of 300, a context of 16.
    function limits() private pure returns (ModelLimits memory) {
        return ModelLimits({modelId: MODEL, vocabulary: 300, context: 16, idBytes: 2});
    }

    function list(uint16 a, uint16 b, uint16 c) private pure returns (uint16[] memory ids) {
        ids = new uint16[](3);
        (ids[0], ids[1], ids[2]) = (a, b, c);
    }

    /// @dev Three tokens in, three out, the last of them the stop id 9.
    function good() private pure returns (Made memory a) {
        a.id = bytes32(uint256(1));
        a.most = 5;
        a.portion = 65536;
        a.end = 1;
        a.stops = list(9, 20, 299);
        a.input = list(1, 2, 299);
        a.output = list(4, 5, 9);
        (a.lastK, a.lastP, a.likeliest) = (1, 4095, 299);
    }

    function pack(uint16[] memory ids) private pure returns (bytes memory out) {
        for (uint256 i = 0; i < ids.length; ++i) {
            out = abi.encodePacked(out, uint8(ids[i]), uint8(ids[i] >> 8));
        }
    }

    function pack(Made memory a) private pure returns (bytes memory out) {
        out = abi.encodePacked(a.id, a.most, a.tau, a.topK, a.portion, a.seed, a.end);
        out = abi.encodePacked(out, uint32(a.stops.length), uint32(a.input.length), uint32(a.output.length));
        out = abi.encodePacked(out, pack(a.stops), pack(a.input), pack(a.output));
        for (uint256 i = 0; i < a.output.length; ++i) {
            out = abi.encodePacked(out, a.lastK, a.lastP, uint8(a.likeliest), uint8(a.likeliest >> 8));
        }
    }

    function deliver(uint32 count, bytes memory answers) private pure returns (bytes memory) {
        return abi.encodePacked(uint32(1), MODEL, uint256(31337), address(2), address(3), count, answers);
    }

    function refused(bytes memory delivery, bytes memory reason) private {
        vm.expectRevert(reason);
        harness.read(delivery, limits());
    }

    /// @dev As the second of two answers: errors name it.
    function refused(Made memory a, bytes4 selector) private {
        Made memory first = good();
        first.id = 0;
        refused(deliver(2, abi.encodePacked(pack(first), pack(a))), abi.encodeWithSelector(selector, 1));
    }

    function test_instanceOfAGoodDelivery() external view {
        Made memory sampled = good();
        sampled.id = bytes32(uint256(2));
        (sampled.tau, sampled.topK, sampled.portion, sampled.seed) = (5000, 0, 60000, bytes32(uint256(3)));
        bytes memory delivery = deliver(2, abi.encodePacked(pack(good()), pack(sampled)));
        Instance memory instance = harness.read(delivery, limits());
        // 2 requests, 5 tokens in 6 places, 3 steps.
        vm.assertEq(instance.lengths[0], 2);
        vm.assertEq(instance.lengths[1], 6);
        vm.assertEq(instance.lengths[2], 3);
        uint256[][] memory v = decodeValues(instance.values);
        vm.assertEq(v.length, 11);
        vm.assertEq(v[0][2], 299);
        vm.assertEq(v[0][4], 5);
        vm.assertEq(v[0][5], 0);
        vm.assertEq(v[1][2], 4);
        vm.assertEq(v[2][0], 299);
        // Greedy by its numbers, and a top_k of 0 as the vocabulary.
        vm.assertEq(v[3][0], 4096);
        vm.assertEq(v[3][1], 5000);
        vm.assertEq(v[4][0], 1);
        vm.assertEq(v[4][1], 300);
        vm.assertEq(v[5][1], 60000);
        vm.assertEq(v[6][0], 2);
        vm.assertEq(v[7][0], 1);
        vm.assertEq(v[8][0], 4095);
        vm.assertEq(v[9][2], 0);
        vm.assertEq(v[9][4], uint256(keccak256(abi.encodePacked(uint256(3), uint32(1)))) >> 228);
        vm.assertEq(v[10][2], 9);
    }

    struct Drawn {
        uint256[] input;
        uint256[] output;
        uint256[3][] shown;
    }

    function packId(uint256 id, uint256 idBytes) private pure returns (bytes memory) {
        return idBytes == 2
            ? abi.encodePacked(uint8(id), uint8(id >> 8))
            : abi.encodePacked(uint8(id), uint8(id >> 8), uint8(id >> 16));
    }

    function drawIds(Random memory random, uint256 count, uint256 vocabulary)
        private
        pure
        returns (uint256[] memory ids)
    {
        ids = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = random.below(3) == 0 ? vocabulary - 1 : random.below(vocabulary);
        }
    }

    function packDrawn(Drawn memory d, uint256 idBytes) private pure returns (bytes memory out) {
        out = abi.encodePacked(bytes32(0), uint32(d.output.length), uint32(0), uint32(0), uint32(65536), bytes32(0));
        out = abi.encodePacked(out, uint8(0), uint32(0), uint32(d.input.length), uint32(d.output.length));
        for (uint256 i = 0; i < d.input.length; ++i) {
            out = abi.encodePacked(out, packId(d.input[i], idBytes));
        }
        for (uint256 i = 0; i < d.output.length; ++i) {
            out = abi.encodePacked(out, packId(d.output[i], idBytes));
        }
        for (uint256 i = 0; i < d.output.length; ++i) {
            uint256[3] memory s = d.shown[i];
            out = abi.encodePacked(out, uint16(s[0]), uint16(s[1]), packId(s[2], idBytes));
        }
    }

    function expectValues(Drawn[] memory d, Instance memory instance) private pure {
        uint256[][] memory v = decodeValues(instance.values);
        (uint256 tokens, uint256 steps) = (instance.lengths[1], instance.lengths[2]);
        for (uint256 r = 0; r < instance.lengths[0]; ++r) {
            Drawn memory own = d[r < d.length ? r : d.length - 1];
            for (uint256 t = 0; t < tokens; ++t) {
                uint256 expected = t < own.input.length
                    ? own.input[t]
                    : t + 1 < own.input.length + own.output.length ? own.output[t - own.input.length] : 0;
                vm.assertEq(v[0][r * tokens + t], expected);
            }
            for (uint256 k = 0; k < steps; ++k) {
                uint256 s = k < own.output.length ? k : own.output.length - 1;
                uint256 at_ = r * steps + k;
                (uint256 lastK, uint256 lastP) = (own.shown[s][0], own.shown[s][1]);
                vm.assertEq(v[1][at_], own.input.length - 1 + s);
                vm.assertEq(v[2][at_], own.shown[s][2]);
                vm.assertEq(v[6][at_], (lastK < lastP ? lastK : lastP) + 1);
                vm.assertEq(v[7][at_], lastK);
                vm.assertEq(v[8][at_], lastP);
                vm.assertEq(v[9][at_], 0);
                vm.assertEq(v[10][at_], own.output[s]);
            }
            vm.assertEq(v[3][r], 4096);
            vm.assertEq(v[4][r], 1);
            vm.assertEq(v[5][r], 65536);
        }
    }

    /// @dev Every value of deliveries of unequal lengths; and that one id that is none is noticed wherever it is.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_everyValueIsTheDeliverys(uint256 seed) external {
        Random memory random = Random(seed);
        ModelLimits memory model = limits();
        model.context = 128;
        model.idBytes = 2 + random.below(2);
        model.vocabulary = model.idBytes == 2 ? [uint256(1), 300, 65535, 65536][random.below(4)] : 100_000;
        Drawn[] memory d = new Drawn[](1 + random.below(4));
        bytes memory answers;
        for (uint256 i = 0; i < d.length; ++i) {
            d[i].input = drawIds(random, 1 + random.below(40), model.vocabulary);
            d[i].output = drawIds(random, 1 + random.below(random.below(2) == 0 ? 5 : 40), model.vocabulary);
            d[i].shown = new uint256[3][](d[i].output.length);
            for (uint256 s = 0; s < d[i].shown.length; ++s) {
                d[i].shown[s] = [random.below(4096), random.below(4096), random.below(model.vocabulary)];
            }
            answers = abi.encodePacked(answers, packDrawn(d[i], model.idBytes));
        }
        bytes memory delivery = deliver(uint32(d.length), answers);
        Instance memory instance = harness.read(delivery, model);
        expectValues(d, instance);
        // Nothing else in memory has changed.
        bytes32 hash = keccak256(
            abi.encodePacked(
                MODEL,
                uint32(3),
                uint64(instance.lengths[0]),
                uint64(instance.lengths[1]),
                uint64(instance.lengths[2]),
                instance.values
            )
        );
        vm.assertEq(DeliveryReader.statementHash(MODEL, instance), hash);
        expectValues(d, instance);
        if (model.vocabulary == 65536) return;
        Drawn memory bad = d[0];
        uint256[] memory ids = random.below(2) == 0 ? bad.input : bad.output;
        ids[random.below(ids.length)] = model.vocabulary;
        vm.expectRevert(abi.encodeWithSelector(DeliveryReader.AnswerToken.selector, 0));
        harness.read(deliver(1, packDrawn(bad, model.idBytes)), model);
    }

    function test_bytes() external {
        bytes memory delivery = deliver(1, pack(good()));
        for (uint256 size = 0; size < delivery.length; ++size) {
            bytes memory cut = bytes.concat(delivery);
            assembly ("memory-safe") {
                mstore(cut, size)
            }
            refused(cut, abi.encodeWithSelector(DeliveryReader.AnswerTruncated.selector));
        }
        refused(bytes.concat(delivery, hex"00"), abi.encodeWithSelector(DeliveryReader.AnswerTrailing.selector));
        bytes memory changed = bytes.concat(delivery);
        changed[3] = 0x02;
        refused(changed, abi.encodeWithSelector(DeliveryReader.AnswerVersion.selector, 2));
        changed = bytes.concat(delivery);
        changed[35] ^= 0x01;
        refused(changed, abi.encodeWithSelector(DeliveryReader.AnswerModel.selector));
        refused(deliver(0, ""), abi.encodeWithSelector(DeliveryReader.AnswerCount.selector, 0));
        refused(deliver(65, pack(good())), abi.encodeWithSelector(DeliveryReader.AnswerCount.selector, 65));
    }

    function test_lists() external {
        Made memory a = good();
        a.end = 2;
        refused(a, DeliveryReader.AnswerFlag.selector);
        // Counts that are refused before anything is read.
        bytes memory first = pack(good());
        for (uint256 place = 81; place < 93; place += 4) {
            bytes memory answer = bytes.concat(first);
            answer[place + 1] = 0x01;
            answer[place + 3] = 0x11;
            refused(deliver(1, answer), abi.encodeWithSelector(DeliveryReader.AnswerIds.selector, 0));
        }
        a = good();
        a.input = new uint16[](0);
        refused(a, DeliveryReader.AnswerInput.selector);
        a = good();
        a.stops = list(9, 9, 20);
        refused(a, DeliveryReader.AnswerStopIds.selector);
        a.stops = list(20, 9, 21);
        refused(a, DeliveryReader.AnswerStopIds.selector);
    }

    function test_tokens() external {
        Made memory a = good();
        a.input[2] = 300;
        refused(a, DeliveryReader.AnswerToken.selector);
        a = good();
        a.output[0] = 300;
        refused(a, DeliveryReader.AnswerToken.selector);
        a = good();
        a.stops[2] = 300;
        refused(a, DeliveryReader.AnswerToken.selector);
        a = good();
        a.likeliest = 300;
        refused(a, DeliveryReader.AnswerToken.selector);
    }

    function test_sampling() external {
        Made memory a = good();
        a.topK = 1;
        refused(a, DeliveryReader.AnswerSampling.selector);
        a = good();
        a.portion = 65535;
        refused(a, DeliveryReader.AnswerSampling.selector);
        a = good();
        a.seed = bytes32(uint256(1));
        refused(a, DeliveryReader.AnswerSampling.selector);
        a = good();
        a.tau = 16385;
        refused(a, DeliveryReader.AnswerSampling.selector);
        a.tau = 1;
        a.topK = 301;
        refused(a, DeliveryReader.AnswerSampling.selector);
        a.topK = 300;
        a.portion = 0;
        refused(a, DeliveryReader.AnswerSampling.selector);
        a.portion = 65537;
        refused(a, DeliveryReader.AnswerSampling.selector);
    }

    function test_lengths() external {
        Made memory a = good();
        a.most = 14;
        refused(a, DeliveryReader.AnswerContext.selector);
        a.most = type(uint32).max;
        refused(a, DeliveryReader.AnswerContext.selector);
        a.most = 2;
        refused(a, DeliveryReader.AnswerLength.selector);
        a = good();
        a.output = new uint16[](0);
        refused(a, DeliveryReader.AnswerLength.selector);
        a = good();
        a.lastK = 4096;
        refused(a, DeliveryReader.AnswerShown.selector);
        a = good();
        a.lastP = 4096;
        refused(a, DeliveryReader.AnswerShown.selector);
    }

    function test_ends() external {
        Made memory a = good();
        a.output[1] = 20;
        refused(a, DeliveryReader.AnswerStop.selector);
        // A stop id that the end does not say, an end without one, and an answer that was cut off.
        a = good();
        a.end = 0;
        refused(a, DeliveryReader.AnswerEnd.selector);
        a = good();
        a.output[2] = 8;
        refused(a, DeliveryReader.AnswerEnd.selector);
        a.end = 0;
        refused(a, DeliveryReader.AnswerEnd.selector);
    }

    function test_repetitions() external {
        Made memory first = good();
        Made memory other = good();
        other.id = bytes32(uint256(2));
        bytes memory answers = abi.encodePacked(pack(first), pack(other), pack(first));
        refused(deliver(3, answers), abi.encodeWithSelector(DeliveryReader.AnswerRepeated.selector, 2));
    }

    function test_sizes() external {
        // 64 requests, of which one reads more than 3072 tokens: 2^18 places and more.
        Made memory a = good();
        a.id = 0;
        bytes memory answers;
        for (uint256 i = 0; i < 63; ++i) {
            answers = abi.encodePacked(answers, pack(a));
        }
        ModelLimits memory model = limits();
        model.context = 1 << 16;
        a.input = new uint16[](4095);
        vm.expectRevert(DeliveryReader.AnswerSize.selector);
        harness.read(deliver(64, abi.encodePacked(answers, pack(a))), model);
        a.input = new uint16[](4094);
        harness.read(deliver(64, abi.encodePacked(answers, pack(a))), model);
    }

    function test_idsOfThreeBytes() external {
        ModelLimits memory model = limits();
        (model.idBytes, model.vocabulary) = (3, 1 << 17);
        bytes memory answer =
            abi.encodePacked(bytes32(0), uint32(1), uint32(0), uint32(0), uint32(65536), bytes32(0), uint8(0));
        answer = abi.encodePacked(answer, uint32(0), uint32(1), uint32(1), hex"010200", hex"ffff01");
        Instance memory instance =
            harness.read(deliver(1, abi.encodePacked(answer, uint16(0), uint16(0), hex"ffff00")), model);
        uint256[][] memory v = decodeValues(instance.values);
        vm.assertEq(v[0][0], 0x0201);
        vm.assertEq(v[10][0], 0x1ffff);
        vm.assertEq(v[2][0], 0xffff);
        vm.expectRevert(abi.encodeWithSelector(DeliveryReader.AnswerToken.selector, 0));
        harness.read(deliver(1, abi.encodePacked(answer, uint16(0), uint16(0), hex"000002")), model);
    }
}
