// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fp3, pack, ONE, ZERO, atBit, equal} from "../src/verifier/Fp3.sol";
import {Commitment, Opening, OpeningState} from "../src/verifier/Opening.sol";
import {PcsConfig, PcsConfigs} from "../src/verifier/PcsConfig.sol";
import {Transcript} from "../src/verifier/Transcript.sol";
import {Changes} from "./Changes.sol";
import {Hex} from "./Hex.sol";
import {vm} from "./Vm.sol";

/// @notice A term of a claim (spec/pcs.md, section 5): a factor is its values at 0 and at 1.
struct Term {
    uint256 commitment;
    uint256 group;
    Fp3 coefficient;
    Fp3[] at0;
    Fp3[] at1;
}

struct Claim {
    Fp3 value;
    Term[] terms;
}

/// @notice Whole openings whose claims are lists of terms.
contract OpeningHarness {
    function verify(
        bytes calldata encodedConfig,
        Commitment[] calldata keys,
        Claim[] calldata claims,
        bytes32 digest,
        bytes calldata proof
    ) external pure returns (bytes32) {
        PcsConfig memory config = PcsConfigs.parse(encodedConfig);
        Transcript.State memory transcript = Transcript.State(digest);
        bytes memory values = "";
        for (uint256 a = 0; a < claims.length; ++a) {
            values = abi.encodePacked(values, uint192(pack(claims[a].value)));
        }
        uint256 next;
        assembly ("memory-safe") {
            next := proof.offset
        }
        OpeningState memory o = Opening.start(transcript, config, keys, values, next, next + proof.length);
        for (uint256 i = 1; i < config.oracles.length; ++i) {
            Opening.openOracle(transcript, config, o, i);
            if (i > 1) {
                while (!Opening.laterRows(config, o, i)) {}
            } else {
                for (uint256 tree = 0; tree < keys.length; ++tree) {
                    while (!Opening.baseRows(config, keys, o, tree)) {}
                }
            }
            Opening.oracleSumcheck(transcript, config, o, i);
        }
        Opening.finalCoefficients(transcript, config, o);
        while (!Opening.finalRows(config, o)) {}
        Opening.finalSumcheck(transcript, config, o);
        Opening.check(config, keys, o, weightOf(keys, claims, o));
        return transcript.digest;
    }

    function fixedOodPoint(bytes32 protocolId, uint256[] calldata logGroups, bytes32 root) external pure returns (Fp3) {
        return Opening.fixedOodPoint(protocolId, logGroups, root);
    }

    function parse(bytes calldata encodedConfig) external pure returns (bytes32) {
        return PcsConfigs.parse(encodedConfig).protocolId;
    }

    function weightOf(Commitment[] memory keys, Claim[] calldata claims, OpeningState memory o)
        private
        pure
        returns (Fp3 sum)
    {
        Fp3 power = ONE;
        for (uint256 k = 0; k < keys.length; ++k) {
            power = power * o.join;
        }
        for (uint256 a = 0; a < claims.length; ++a) {
            for (uint256 t = 0; t < claims[a].terms.length; ++t) {
                sum = sum + power * termWeight(keys, claims[a].terms[t], o.point);
            }
            power = power * o.join;
        }
    }

    function termWeight(Commitment[] memory keys, Term calldata term, Fp3[] memory point)
        private
        pure
        returns (Fp3 weight)
    {
        uint256 kappa = Opening.logJointColumns(keys);
        uint256 columns = keys[term.commitment].logGroups[term.group];
        uint256 offset = Opening.groupOffset(keys, term.commitment, term.group);
        weight = term.coefficient;
        for (uint256 b = 0; b < term.at0.length; ++b) {
            Fp3 r = point[b < columns ? b : b - columns + kappa];
            weight = weight * (term.at0[b] + (term.at1[b] - term.at0[b]) * r);
        }
        for (uint256 b = columns; b < kappa; ++b) {
            weight = weight * atBit(point[b], (offset >> b) & 1);
        }
    }
}

/// @dev spec/vectors/pcs_openings.json: what the C++ verifier accepts and refuses, and why.
contract OpeningTest {
    using Hex for string;

    struct Vector {
        bytes config;
        Commitment[] keys;
        Claim[] claims;
        bytes32 before;
        bytes32 afterwards;
        bytes proof;
    }

    string private file;
    OpeningHarness private harness;

    function setUp() external {
        file = vm.readFile("../spec/vectors/pcs_openings.json");
        harness = new OpeningHarness();
        vm.assertEq(vm.parseJsonUint(file, ".version"), 2);
    }

    function test_vector0() external view {
        checkVector(0);
    }

    function test_vector1() external view {
        checkVector(1);
    }

    function test_vector2() external view {
        checkVector(2);
    }

    function test_vector3() external view {
        checkVector(3);
    }

    function test_vector4() external view {
        checkVector(4);
        vm.assertTrue(!vm.keyExistsJson(file, ".vectors[5]"), "a vector that no test reads");
    }

    function checkVector(uint256 i) private view {
        string memory json = file;
        string memory path = string.concat(".vectors[", vm.toString(i), "]");
        Vector memory v = read(json, path);
        vm.assertEq(harness.parse(v.config), json.word(string.concat(path, ".protocol_id")), "protocol id");
        vm.assertEq(harness.verify(v.config, v.keys, v.claims, v.before, v.proof), v.afterwards, "state");
        checkRejections(json, string.concat(path, ".rejected"), v);
    }

    function checkRejections(string memory json, string memory path, Vector memory v) private view {
        Changes.List memory list = Changes.read(json, path, ".oracles");
        vm.assertEq(list.kinds.length, 73, "changes");
        for (uint256 i = 0; i < list.kinds.length; ++i) {
            try harness.verify(v.config, v.keys, v.claims, v.before, Changes.apply_(list, i, v.proof)) {
                vm.assertTrue(false, string.concat("accepted: ", list.checks[i]));
            } catch (bytes memory reason) {
                Changes.expect(list, i, reason);
            }
        }
    }

    function read(string memory json, string memory path) private view returns (Vector memory v) {
        v.config = json.list(string.concat(path, ".config_bytes"));
        v.before = json.word(string.concat(path, ".state_before"));
        v.afterwards = json.word(string.concat(path, ".state_after"));
        v.proof = json.list(string.concat(path, ".proof"));
        bytes32 protocolId = json.word(string.concat(path, ".protocol_id"));
        v.keys = new Commitment[](countOf(json, string.concat(path, ".keys")));
        for (uint256 k = 0; k < v.keys.length; ++k) {
            v.keys[k] = readKey(json, string.concat(path, ".keys[", vm.toString(k), "]"));
            Fp3 point = harness.fixedOodPoint(protocolId, v.keys[k].logGroups, v.keys[k].root);
            vm.assertTrue(equal(point, v.keys[k].oodPoint), "point that is made once");
        }
        v.claims = new Claim[](countOf(json, string.concat(path, ".claims")));
        for (uint256 a = 0; a < v.claims.length; ++a) {
            v.claims[a] = readClaim(json, string.concat(path, ".claims[", vm.toString(a), "]"));
        }
    }

    function countOf(string memory json, string memory path) private pure returns (uint256 count) {
        while (vm.keyExistsJson(json, string.concat(path, "[", vm.toString(count), "]"))) ++count;
    }

    function readKey(string memory json, string memory path) private pure returns (Commitment memory) {
        return Commitment({
            root: json.word(string.concat(path, ".root")),
            logGroups: vm.parseJsonUintArray(json, string.concat(path, ".log_groups")),
            oodPoint: json.element(string.concat(path, ".ood_point")),
            oodValue: json.element(string.concat(path, ".ood_value"))
        });
    }

    function readClaim(string memory json, string memory path) private pure returns (Claim memory claim) {
        claim.value = json.element(string.concat(path, ".value"));
        claim.terms = new Term[](countOf(json, string.concat(path, ".terms")));
        for (uint256 t = 0; t < claim.terms.length; ++t) {
            claim.terms[t] = readTerm(json, string.concat(path, ".terms[", vm.toString(t), "]"));
        }
    }

    function readTerm(string memory json, string memory path) private pure returns (Term memory term) {
        term.commitment = vm.parseJsonUint(json, string.concat(path, ".commitment"));
        term.group = vm.parseJsonUint(json, string.concat(path, ".group"));
        term.coefficient = json.element(string.concat(path, ".coefficient"));
        string[] memory factors = vm.parseJsonStringArray(json, string.concat(path, ".factors"));
        term.at0 = new Fp3[](factors.length);
        term.at1 = new Fp3[](factors.length);
        for (uint256 b = 0; b < factors.length; ++b) {
            bytes memory both = vm.parseBytes(string.concat("0x", factors[b]));
            term.at0[b] = Hex.elementAt(both, 0);
            term.at1[b] = Hex.elementAt(both, 24);
        }
    }
}
