// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/registry/ModelRegistry.sol";
import {AnswerVerifier} from "../src/verifier/AnswerVerifier.sol";
import {OpeningVerifier} from "../src/verifier/OpeningVerifier.sol";
import {ReductionVerifier} from "../src/verifier/ReductionVerifier.sol";
import {WeightVerifier} from "../src/verifier/WeightVerifier.sol";
import {ProofFiles} from "./ProofFiles.sol";

contract AnswerVerifierTest {
    ModelRegistry private registry;
    AnswerVerifier private verifier;

    function setUp() external {
        registry = new ModelRegistry();
        verifier = new AnswerVerifier(registry, new ReductionVerifier(), new OpeningVerifier(new WeightVerifier()));
    }

    function test_storedProofOfTheBundledModelHolds() external {
        ProofFiles.File memory file = ProofFiles.read("stories260k", "stories260k");
        bytes32 modelId = registry.register(file.key, file.program, 0, "");
        verifier.verify(modelId, file.delivery, file.proof);
    }

    function test_storedProofOf124MHolds() external {
        ProofFiles.File memory file = ProofFiles.read("shape124m_100", "shape124m");
        bytes32 modelId = registry.register(file.key, file.program, 0, "");
        verifier.verify(modelId, file.delivery, file.proof);
    }

    function test_storedProofOf124MAt128BitsHolds() external {
        ProofFiles.File memory file = ProofFiles.read("shape124m_128", "shape124m");
        bytes32 modelId = registry.register(file.key, file.program, 0, "");
        verifier.verify(modelId, file.delivery, file.proof);
    }
}
