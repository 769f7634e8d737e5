// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../src/market/IMarket.sol";
import {Answer, Delivery, Offer, Request, Sampling, Step, Terms} from "../src/market/Types.sol";
import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {AvowToken} from "../src/token/AvowToken.sol";
import {Genesis} from "../src/token/Genesis.sol";
import {DeliveryReader} from "../src/verifier/DeliveryReader.sol";
import {IProofVerifier} from "../src/verifier/IProofVerifier.sol";
import {StepState} from "../src/verifier/StepState.sol";
import {script} from "./ScriptVm.sol";

/// @notice Transactions whose gas tools/gas.sh reports: each by a name, in the order of the broadcast.
/// @dev Files are those that tools/gas.sh makes in build/gas.
contract Gas {
    string private constant FOLDER = "../build/gas/";
    string private constant STORED = "../spec/vectors/proofs/";
    /// @dev Bytes of a transaction that nodes relay, less its own fields.
    uint256 private constant MOST_CALLDATA = 131_072 - 256;
    /// @dev Gas of a transaction, which those that may need nearly all of it are given: what forge estimates can be more.
    uint256 private constant MOST_GAS = 1 << 24;
    /// @dev What a call's own fields have at most.
    uint256 private constant FIELDS = 2048;
    uint256 private constant HEADER = 8;

    IProofVerifier private verifier;
    ModelRegistry private registry;
    IMarket private market;
    AvowToken private token;
    Genesis private genesis;
    string private names;

    struct File {
        bytes key;
        bytes delivery;
        bytes proof;
    }

    function load() private {
        string memory json = script.readFile("deployments/31337.json");
        verifier = IProofVerifier(script.parseJsonAddress(json, ".answer_verifier"));
        registry = ModelRegistry(script.parseJsonAddress(json, ".registry"));
        market = IMarket(script.parseJsonAddress(json, ".market"));
        token = AvowToken(script.parseJsonAddress(json, ".token"));
        genesis = Genesis(script.parseJsonAddress(json, ".genesis"));
    }

    function note(string memory name) private {
        names = string.concat(names, name, "\n");
    }

    function finish(string memory name) private {
        script.stopBroadcast();
        script.writeFile(string.concat(FOLDER, name, ".names"), names);
    }

    // Files.

    function word(bytes memory from, uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(add(add(from, 32), place)))
        }
    }

    function part(bytes memory from, uint256 place, uint256 size) private pure returns (bytes memory result) {
        result = new bytes(size);
        assembly ("memory-safe") {
            mcopy(add(result, 32), add(add(from, 32), place), size)
        }
    }

    function read(string memory path) private view returns (File memory file) {
        bytes memory all = script.readFileBinary(path);
        uint256 key = word(all, 12);
        uint256 delivery = word(all, 16);
        file.key = part(all, 24, key);
        file.delivery = part(all, 24 + key, delivery);
        file.proof = part(all, 24 + key + delivery, word(all, 20));
    }

    /// @dev Answer number i of a delivery to requests of `requestOf`, of ids of 2 bytes.
    function answersOf(bytes memory delivery) private view returns (Answer[] memory answers) {
        answers = new Answer[](word(delivery, 108));
        uint256 place = DeliveryReader.HEAD;
        for (uint256 i = 0; i < answers.length; ++i) {
            uint256 stops = 2 * word(delivery, place + 81);
            uint256 inputs = 2 * word(delivery, place + 85);
            uint256 outputs = 2 * word(delivery, place + 89);
            Answer memory a = answers[i];
            a.end = uint8(delivery[place + 80]);
            bytes memory stopIds = part(delivery, place + DeliveryReader.ANSWER_HEAD, stops);
            a.request = requestOf(part(delivery, place + DeliveryReader.ANSWER_HEAD + stops, inputs), stopIds, i);
            a.output = part(delivery, place + DeliveryReader.ANSWER_HEAD + stops + inputs, outputs);
            a.shown = part(delivery, place + DeliveryReader.ANSWER_HEAD + stops + inputs + outputs, 3 * outputs);
            place += DeliveryReader.ANSWER_HEAD + stops + inputs + 4 * outputs;
        }
    }

    /// @dev The model's id and the first nonce of a list of requests.
    bytes32 private modelId;
    uint256 private firstNonce;

    function requestOf(bytes memory input, bytes memory stopIds, uint256 number)
        private
        view
        returns (Request memory r)
    {
        r.requester = msg.sender;
        r.nonce = firstNonce + number;
        r.modelId = modelId;
        r.verifier = address(verifier);
        r.input = input;
        r.maxNewTokens = 32;
        r.sampling = Sampling(0, 0, 65536, 0);
        r.stopIds = stopIds;
        // No time of the machine's clock: ids are the same in each run.
        r.offer = Offer(1e18, 2e18, 500, 0, 0, 3600, uint64(script.parseJsonUint(settings(), ".deadline")), 2e18);
    }

    function settings() private view returns (string memory) {
        return script.readFile(string.concat(FOLDER, "settings.json"));
    }

    // Broadcasts.

    /// @notice Registers the models, posts requests for the prompt of single.proof, locks and cancels. Writes the ids of those
    /// that are to be answered.
    function ask() external {
        load();
        File memory bundled = read(string.concat(FOLDER, "single.proof"));
        File memory large = read(string.concat(STORED, "shape124m_100.proof"));
        File memory larger = read(string.concat(STORED, "shape124m_128.proof"));
        bytes memory program = script.readFileBinary(string.concat(FOLDER, "program"));
        bytes memory largeProgram = script.readFileBinary(string.concat(STORED, "shape124m.program"));
        script.startBroadcast(msg.sender);
        registry.register(bundled.key, program, 0, "");
        note("register");
        registry.register(large.key, largeProgram, 0, "");
        note("register 124m");
        registry.register(larger.key, largeProgram, 0, "");
        note("register 124m");
        genesis.release(msg.sender);
        note("release");
        token.approve(address(market), type(uint256).max);
        note("approve");
        bytes memory manyKey = script.readFileBinary(string.concat(FOLDER, "many.key"));
        registry.register(manyKey, program, 0, "");
        note("register for batches");
        string memory ids;
        Answer memory a = answersOf(bundled.delivery)[0];
        for (uint256 i = 0; i < 20; ++i) {
            a.request.nonce = i;
            a.request.modelId = i > 0 && i < 17 ? keccak256(manyKey) : keccak256(bundled.key);
            market.request(a.request);
            note(i < 2 ? "first request" : "request");
            if (i < 17) ids = string.concat(ids, script.toString(market.requestId(a.request)), "\n");
        }
        market.lock(market.termsOf(a.request), type(uint64).max);
        note("lock");
        a.request.nonce = 18;
        market.cancel(market.termsOf(a.request));
        note("cancel");
        finish("ask");
        script.writeFile(string.concat(FOLDER, "ids"), ids);
    }

    /// @notice Pays the answers of bound.proof and batch.proof, and verifies the stored proofs of 124M parameters in steps.
    function settle() external {
        load();
        script.startBroadcast(msg.sender);
        File memory file = read(string.concat(FOLDER, "bound.proof"));
        modelId = keccak256(file.key);
        Delivery memory d = Delivery(modelId, address(verifier), msg.sender, answersOf(file.delivery));
        require(keccak256(market.deliveryBytes(d)) == keccak256(file.delivery), "another delivery than proven");
        market.fulfil(d, file.proof);
        note("fulfil");
        call(abi.encodeCall(verifier.verify, (modelId, file.delivery, file.proof)), "verify");
        batch();
        steps("shape124m_100", script.readFile(string.concat(FOLDER, "shape124m_100.json")));
        steps("shape124m_128", script.readFile(string.concat(FOLDER, "shape124m_128.json")));
        finish("settle");
    }

    /// @notice Verifies the answers of a model with a long context, of so many tokens as a file says, in steps.
    function grow() external {
        load();
        string memory list = script.readFile(string.concat(FOLDER, "grow.json"));
        uint256[] memory tokens = script.parseJsonUintArray(list, ".tokens");
        bytes memory program = script.readFileBinary(string.concat(FOLDER, "long.program"));
        script.startBroadcast(msg.sender);
        registry.register(script.readFileBinary(string.concat(FOLDER, "long.key")), program, 0, "");
        note("register long");
        for (uint256 i = 0; i < tokens.length; ++i) {
            string memory name = string.concat("long", script.toString(tokens[i]));
            File memory file = read(string.concat(FOLDER, name, ".proof"));
            steps(name, file, script.readFile(string.concat(FOLDER, name, ".json")));
        }
        finish("grow");
    }

    /// @dev A view function by a transaction.
    function call(bytes memory data, string memory name) private returns (bytes memory result) {
        require(data.length <= MOST_CALLDATA, "larger than nodes relay");
        bool success;
        (success, result) = address(verifier).call{gas: MOST_GAS}(data);
        require(success, "verifies");
        note(name);
    }

    function batch() private {
        File memory file = read(string.concat(FOLDER, "batch.proof"));
        firstNonce = 1;
        modelId = keccak256(file.key);
        Delivery memory d = Delivery(modelId, address(verifier), msg.sender, answersOf(file.delivery));
        require(keccak256(market.deliveryBytes(d)) == keccak256(file.delivery), "another batch than proven");
        uint256[] memory sizes =
            script.parseJsonUintArray(script.readFile(string.concat(FOLDER, "batch.json")), ".sections");
        // The last step carries the requests, and pays.
        Step[] memory all = cut(file, sizes, Spare(FIELDS, 300_000), Spare(FIELDS + abi.encode(d).length, 2_000_000));
        bytes memory state;
        for (uint256 i = 0; i + 1 < all.length; ++i) {
            all[i].state = state;
            state = market.verifyStep{gas: MOST_GAS}(
                0, address(verifier), modelId, keccak256(file.delivery), deliveryFor(file, state), all[i]
            );
            note("batch");
        }
        all[all.length - 1].state = state;
        market.fulfilSteps{gas: MOST_GAS}(0, d, all[all.length - 1]);
        note("batch");
    }

    /// @dev Bytes and gas of a transaction that are not the verifier's.
    struct Spare {
        uint256 size;
        uint256 gas;
    }

    /// @dev Parts of whole sections, each as many as bytes and gas of a transaction allow: it is tried out.
    function cut(File memory file, uint256[] memory sizes, Spare memory each, Spare memory last)
        private
        view
        returns (Step[] memory all)
    {
        all = new Step[](sizes.length);
        uint256 count = 0;
        uint256 from = 0;
        bytes memory state;
        for (uint256 i = 0; i < sizes.length; ++count) {
            // So many sections fit, and so many do not.
            (uint256 low, uint256 high) = (0, sizes.length - i + 1);
            bytes memory reached;
            while (high - low > 1) {
                uint256 sections = (low + high) / 2;
                uint256 size = i == 0 ? HEADER : 0;
                for (uint256 k = i; k < i + sections; ++k) {
                    size += sizes[k];
                }
                bytes memory next = part(file.proof, from, size);
                (bool good, bytes memory after_) = fits(file, state, next, i + sections == sizes.length ? last : each);
                if (good) (low, reached, all[count].part) = (sections, after_, next);
                else high = sections;
            }
            if (low == 0) revert("a section that fits no transaction");
            (state, from, i) = (reached, from + all[count].part.length, i + low);
        }
        assembly ("memory-safe") {
            mstore(all, count)
        }
        bytes32 rest = 0;
        for (uint256 i = count; i > 0; --i) {
            all[i - 1].number = i - 1;
            all[i - 1].rest = rest;
            rest = keccak256(abi.encode(keccak256(all[i - 1].part), rest));
        }
        for (uint256 i = 0; i < count; ++i) {
            all[i].proofHash = rest;
        }
    }

    /// @dev The delivery, or nothing where a state says that it is not read.
    function deliveryFor(File memory file, bytes memory state) private pure returns (bytes memory) {
        return state.length > 0 && state[StepState.OPENING] != 0 ? bytes("") : file.delivery;
    }

    /// @dev Whether a step with this part fits a transaction, and the state that it leads to.
    function fits(File memory file, bytes memory state, bytes memory next, Spare memory spare)
        private
        view
        returns (bool good, bytes memory reached)
    {
        bytes memory data = abi.encodeCall(verifier.step, (keccak256(file.key), deliveryFor(file, state), state, next));
        if (data.length + spare.size > MOST_CALLDATA) return (false, "");
        // A caller keeps a 64th of its gas.
        uint256 most = (MOST_GAS - 21_000 - 16 * (data.length + spare.size) - spare.gas) / 64 * 63;
        bytes memory result;
        (good, result) = address(verifier).staticcall{gas: most}(data);
        if (good) (reached,) = abi.decode(result, (bytes, bool));
    }

    function steps(string memory name, string memory json) private {
        steps(name, read(string.concat(STORED, name, ".proof")), json);
    }

    function steps(string memory name, File memory file, string memory json) private {
        Step[] memory all = cut(file, script.parseJsonUintArray(json, ".sections"), Spare(0, 0), Spare(0, 0));
        bytes memory state;
        bool done;
        for (uint256 i = 0; i < all.length; ++i) {
            bytes memory data =
                abi.encodeCall(verifier.step, (keccak256(file.key), deliveryFor(file, state), state, all[i].part));
            (state, done) = abi.decode(call(data, name), (bytes, bool));
        }
        require(done, "verified");
    }
}
