// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {Deliveries} from "../src/market/Deliveries.sol";
import {IMarket} from "../src/market/IMarket.sol";
import {Answer, Offer, Request, Sampling} from "../src/market/Types.sol";
import {Hex} from "./Hex.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {create} from "./Create.sol";
import {vm} from "./Vm.sol";

/// @dev LibraryHarness.sol, which is compiled as the market is.
interface ILibraries {
    function encode(Deliveries.Header calldata header, bytes32[] calldata ids, Answer[] calldata answers, uint256 width)
        external
        pure
        returns (bytes memory);
    function allBelow(bytes calldata ids, uint256 width, uint256 vocabulary) external pure returns (bool);
    function stopIds(bytes calldata ids, uint256 width) external pure returns (bool valid, uint256 last);
}

/// @dev What C++ makes of requests and deliveries (spec/vectors/answers.json), and lists of token ids.
contract MarketVectorsTest is MarketFixture {
    address private constant MARKET = 0x2222222222222222222222222222222222222222;

    string private file;
    ILibraries private harness;

    function setUp() external {
        deploy();
        file = vm.readFile("../spec/vectors/answers.json");
        harness = ILibraries(create("LibraryHarness.sol:LibraryHarness", ""));
    }

    function addressOf(string memory json, string memory path) private pure returns (address) {
        return address(bytes20(Hex.list(json, path)));
    }

    function number(string memory json, string memory path) private pure returns (uint256) {
        return vm.parseJsonUint(json, path);
    }

    function test_requestIds() external {
        string memory json = file;
        vm.assertEq(vm.parseJsonUint(json, ".version"), 1);
        vm.chainId(number(json, ".request.chain_id"));
        vm.assertEq(addressOf(json, ".request.market"), MARKET, "market");
        vm.etch(MARKET, address(market).code);
        market = IMarket(MARKET);
        Request memory asked = requestOf(json);
        vm.assertEq(market.requestId(asked), Hex.word(json, ".request.id"));
        vm.assertEq(keccak256(abi.encode(market.termsOf(asked))), keccak256(abi.encode(termsOf(asked))));
        (, string memory name, string memory version, uint256 chainId, address where,,) =
            IERC5267(MARKET).eip712Domain();
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(bytes(vm.parseJsonString(json, ".request.domain_type"))),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                chainId,
                where
            )
        );
        vm.assertEq(domain, Hex.word(json, ".request.domain_separator"));
        vm.assertEq(keccak256(bytes(vm.parseJsonString(json, ".request.type"))), Hex.word(json, ".request.type_hash"));
    }

    function requestOf(string memory json) private pure returns (Request memory asked) {
        asked.requester = addressOf(json, ".request.requester");
        asked.nonce = number(json, ".request.nonce");
        asked.modelId = Hex.word(json, ".request.model_id");
        asked.verifier = addressOf(json, ".request.verifier");
        asked.input = Hex.list(json, ".request.input");
        asked.maxNewTokens = uint32(number(json, ".request.max_new_tokens"));
        asked.sampling = Sampling(
            uint32(number(json, ".request.sampling[0]")),
            uint32(number(json, ".request.sampling[1]")),
            uint32(number(json, ".request.sampling[2]")),
            Hex.word(json, ".request.sampling[3]")
        );
        asked.stopIds = Hex.list(json, ".request.stop_ids");
        asked.offer = Offer(
            number(json, ".request.offer[0]"),
            number(json, ".request.offer[1]"),
            uint16(number(json, ".request.offer[2]")),
            uint64(number(json, ".request.offer[3]")),
            uint32(number(json, ".request.offer[4]")),
            uint32(number(json, ".request.offer[5]")),
            uint64(number(json, ".request.offer[6]")),
            number(json, ".request.offer[7]")
        );
        asked.mode = uint8(number(json, ".request.mode"));
        asked.inputCommitment = Hex.word(json, ".request.input_commitment");
    }

    function test_deliveries() external view {
        string memory json = file;
        uint256 i = 0;
        for (; vm.keyExistsJson(json, entry(".deliveries", i)); ++i) {
            checkDelivery(json, entry(".deliveries", i));
        }
        vm.assertEq(i, 2, "deliveries");
    }

    function entry(string memory path, uint256 i) private pure returns (string memory) {
        return string.concat(path, "[", vm.toString(i), "]");
    }

    function checkDelivery(string memory json, string memory path) private view {
        uint256 width = number(json, string.concat(path, ".id_bytes"));
        uint256 count = 0;
        while (vm.keyExistsJson(json, entry(string.concat(path, ".answers"), count))) ++count;
        bytes32[] memory ids = new bytes32[](count);
        Answer[] memory answers = new Answer[](count);
        for (uint256 i = 0; i < count; ++i) {
            string memory one = entry(string.concat(path, ".answers"), i);
            ids[i] = Hex.word(json, string.concat(one, ".id"));
            answers[i] = answerOf(json, one, width);
        }
        Deliveries.Header memory header = Deliveries.Header(
            Hex.word(json, string.concat(path, ".model_id")),
            uint256(Hex.word(json, string.concat(path, ".chain_id"))),
            addressOf(json, string.concat(path, ".market")),
            addressOf(json, string.concat(path, ".payee"))
        );
        vm.assertEq(harness.encode(header, ids, answers, width), Hex.list(json, string.concat(path, ".bytes")), path);
    }

    function answerOf(string memory json, string memory path, uint256 width)
        private
        pure
        returns (Answer memory answer)
    {
        Request memory asked = answer.request;
        asked.maxNewTokens = uint32(number(json, string.concat(path, ".max_new_tokens")));
        asked.sampling = Sampling(
            uint32(number(json, string.concat(path, ".tau"))),
            uint32(number(json, string.concat(path, ".top_k"))),
            uint32(number(json, string.concat(path, ".portion"))),
            Hex.word(json, string.concat(path, ".seed"))
        );
        asked.stopIds = idsOf(vm.parseJsonUintArray(json, string.concat(path, ".stop_ids")), width);
        asked.input = idsOf(vm.parseJsonUintArray(json, string.concat(path, ".input")), width);
        answer.end = uint8(number(json, string.concat(path, ".end")));
        uint256[] memory output = vm.parseJsonUintArray(json, string.concat(path, ".output"));
        answer.output = idsOf(output, width);
        for (uint256 i = 0; i < output.length; ++i) {
            uint256[] memory shown = vm.parseJsonUintArray(json, entry(string.concat(path, ".shown"), i));
            answer.shown = bytes.concat(answer.shown, showOne(shown, width));
        }
    }

    function showOne(uint256[] memory shown, uint256 width) private pure returns (bytes memory) {
        return abi.encodePacked(uint16(shown[0]), uint16(shown[1]), littleEndian(shown[2], width));
    }

    function idsOf(uint256[] memory ids, uint256 width) private pure returns (bytes memory list) {
        for (uint256 i = 0; i < ids.length; ++i) {
            list = bytes.concat(list, littleEndian(ids[i], width));
        }
    }

    function littleEndian(uint256 id, uint256 width) private pure returns (bytes memory) {
        vm.assertTrue(id < 1 << (8 * width), "an id");
        bytes memory two = abi.encodePacked(uint8(id), uint8(id >> 8));
        return width == 2 ? two : bytes.concat(two, bytes1(uint8(id >> 16)));
    }

    // Lists of token ids.

    /// @dev One id after the other.
    function slowBelow(bytes memory ids, uint256 width, uint256 vocabulary) private pure returns (bool) {
        for (uint256 i = 0; i < ids.length; i += width) {
            uint256 id = uint8(ids[i]) | uint256(uint8(ids[i + 1])) << 8;
            if (width == 3) id |= uint256(uint8(ids[i + 2])) << 16;
            if (id >= vocabulary) return false;
        }
        return true;
    }

    function cut(bytes memory list, uint256 width) private pure returns (bytes memory) {
        uint256 size = list.length - list.length % width;
        assembly ("memory-safe") {
            mstore(list, size)
        }
        return list;
    }

    function testFuzz_idsBelowAVocabulary(bytes memory list, uint256 vocabulary, bool wide, uint8 mask) external view {
        uint256 width = wide ? 3 : 2;
        list = cut(list, width);
        // Small high bytes, so that both happen.
        for (uint256 i = width - 1; i < list.length; i += width) {
            list[i] &= bytes1(mask);
        }
        vocabulary = vocabulary % (1 << (8 * width)) + 1;
        vm.assertTrue(harness.allBelow(list, width, vocabulary) == slowBelow(list, width, vocabulary), "as one by one");
    }

    /// @dev Each place of lists of each length, with the vocabulary's last word and the first that is none.
    function test_everyPlaceIsCompared() external view {
        for (uint256 width = 2; width < 4; ++width) {
            uint256 vocabulary = width == 2 ? 0x1234 : 0x12345;
            for (uint256 count = 1; count < 36; ++count) {
                bytes memory list = new bytes(count * width);
                for (uint256 i = 0; i < count; ++i) {
                    put(list, i, width, vocabulary);
                    vm.assertTrue(!harness.allBelow(list, width, vocabulary), "the first that is none");
                    put(list, i, width, vocabulary - 1);
                    vm.assertTrue(harness.allBelow(list, width, vocabulary), "the last");
                }
                put(list, count - 1, width, (1 << (8 * width)) - 1);
                vm.assertTrue(harness.allBelow(list, width, 1 << (8 * width)), "all are words");
                vm.assertTrue(!harness.allBelow(list, width, (1 << (8 * width)) - 1), "the largest is none");
            }
        }
        vm.assertTrue(harness.allBelow("", 2, 1) && harness.allBelow("", 3, 1), "no id");
    }

    function put(bytes memory list, uint256 index, uint256 width, uint256 id) private pure {
        for (uint256 b = 0; b < width; ++b) {
            list[index * width + b] = bytes1(uint8(id >> (8 * b)));
        }
    }

    function checkStopIds(bytes memory list, uint256 width, bool valid, uint256 last) private view {
        (bool found, uint256 largest) = harness.stopIds(list, width);
        vm.assertTrue(found == valid, "stop ids");
        vm.assertEq(largest, last);
    }

    function test_stopIdsRise() external view {
        checkStopIds(hex"ffff00000001", 3, true, 0x10000);
        checkStopIds(hex"000001ffff00", 3, false, 0);
        checkStopIds(hex"ff000001", 2, true, 0x100);
        checkStopIds(hex"0001ff00", 2, false, 0);
        checkStopIds(hex"030201030201", 3, false, 0);
        checkStopIds(new bytes(51), 3, false, 0);
        checkStopIds("", 3, true, 0);
    }
}
