// SPDX-License-Identifier: Apache-2.0
#include "chain/interface.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"

namespace avow::chain {
namespace {

using testing::artifact;
using testing::good;
using testing::hex;
using testing::verdict;

const Address kAlice{{0xa}};
const Address kBob{{0xb}};

Interface token() { return good(Interface::parse(artifact("AvowToken"))); }

TEST(ContractInterface, IsReadFromEveryArtifact) {
  for (const char* contract : {"AnswerVerifier", "AvowToken", "Emission", "Erc7992", "Genesis", "Market",
                               "ModelRegistry", "OpeningVerifier", "ReductionVerifier", "WeightVerifier"}) {
    EXPECT_EQ(verdict(Interface::parse(artifact(contract))), "ok") << contract;
  }
}

TEST(ContractInterface, EncodesCallsAndDecodesResults) {
  const Interface contract = token();
  EXPECT_EQ(base::to_hex(good(contract.encode_call("transfer", {kBob, 5}))),
            "a9059cbb0000000000000000000000000b00000000000000000000000000000000000000"
            "0000000000000000000000000000000000000000000000000000000000000005");
  EXPECT_EQ(good(contract.decode_result("balanceOf", U256(7).to_bytes())), Value::List{7});
  EXPECT_EQ(verdict(contract.encode_call("mint", {})), "abi.name");
  EXPECT_EQ(to_string(contract.encode_call("transfer", {kBob, -1, 3}).error()),
            "abi.value: transfer: 3 values for (address,uint256)");
  EXPECT_EQ(to_string(contract.decode_result("balanceOf", {}).error()),
            "abi.truncated: balanceOf returned 0 bytes: the bytes end before the uint256; is there a contract at this "
            "address?");
  const auto creation = good(contract.encode_creation({kAlice, kBob}));
  EXPECT_EQ(creation.size(), 10620 / 2 - 1 + 64);
  EXPECT_EQ(verdict(contract.encode_creation({})), "abi.value");
  EXPECT_EQ(verdict(good(Interface::parse("[]")).encode_creation({})), "abi.interface");
}

TEST(ContractInterface, KeepsTheNamesOfStructs) {
  const Interface market = good(Interface::parse(artifact("Market")));
  const Entry& lock = *good(market.function("lock"));
  EXPECT_EQ(lock.inputs[0].type.name, "Terms");
  EXPECT_EQ(lock.signature.substr(0, 20), "lock((address,uint25");
}

TEST(ContractInterface, NamesErrorsWithTheirArguments) {
  const Interface contract = token();
  const Interface market = good(Interface::parse(artifact("Market")));
  const Interface* contracts[] = {&market, &contract};
  auto data = hex(base::to_hex(selector_of("ERC20InsufficientBalance(address,uint256,uint256)")));
  base::append(data, good(encode_abi(good(parse_type("(address,uint256,uint256)")).parts, {kAlice, 1, 2})));
  EXPECT_EQ(describe_revert(data, contracts),
            "ERC20InsufficientBalance(sender: 0x0a00000000000000000000000000000000000000, balance: 1, needed: 2)");
  const auto error = contract.decode_error(data);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(*error->value("needed"), Value(2));
  EXPECT_EQ(error->value("other"), nullptr);
  for (std::size_t length = 1; length < data.size(); ++length) {
    EXPECT_TRUE(describe_revert(base::ByteView(data).first(length), contracts).starts_with("reverted with 0x"))
        << length;
  }
  EXPECT_EQ(describe_revert({}, contracts), "reverted without a reason");
  auto text = hex("08c379a0");
  base::append(text, good(encode_abi({Field{"", Type(Kind::kString)}}, {"no\n"})));
  EXPECT_EQ(describe_revert(text, {}), "Error('no\\x0a')");
  auto panic = hex("4e487b71");
  base::append(panic, U256(0x11).to_bytes());
  EXPECT_EQ(describe_revert(panic, {}), "Panic(code: 17)");
}

TEST(ContractInterface, DecodesLogs) {
  const Interface contract = token();
  LogBody log{{topic_of("Transfer(address,address,uint256)"), good(encode_word(Type(Kind::kAddress), kAlice)),
               good(encode_word(Type(Kind::kAddress), kBob))},
              {}};
  base::append(log.data, U256(9).to_bytes());
  const Decoded decoded = good(contract.decode_log(log));
  EXPECT_EQ(decoded.name, "Transfer");
  EXPECT_EQ(*decoded.value("from"), Value(kAlice));
  EXPECT_EQ(*decoded.value("to"), Value(kBob));
  EXPECT_EQ(*decoded.value("value"), Value(9));

  const auto with = [&](const auto& change) {
    LogBody changed = log;
    change(changed);
    return verdict(contract.decode_log(changed));
  };
  EXPECT_EQ(with([](LogBody& l) { l.topics.clear(); }), "abi.name");
  EXPECT_EQ(with([](LogBody& l) { l.topics[0][0] ^= 1; }), "abi.name");
  EXPECT_EQ(with([](LogBody& l) { l.topics.pop_back(); }), "abi.topics");
  EXPECT_EQ(with([](LogBody& l) { l.topics.push_back({}); }), "abi.topics");
  EXPECT_EQ(with([](LogBody& l) { l.topics[1][0] = 1; }), "abi.padding");
  EXPECT_EQ(with([](LogBody& l) { l.data.pop_back(); }), "abi.truncated");
}

TEST(ContractInterface, AsksForASignatureWhereANameIsThereTwice) {
  const Interface contract = good(Interface::parse(R"([
    {"type": "function", "name": "f", "inputs": [{"type": "uint8"}], "outputs": []},
    {"type": "function", "name": "f", "inputs": [{"type": "bool"}], "outputs": []}])"));
  EXPECT_EQ(verdict(contract.function("f")), "abi.name");
  EXPECT_EQ(good(contract.function("f(bool)"))->signature, "f(bool)");
}

TEST(ContractInterface, HasNamesThatAreIdentifiers) {
  const auto with = [](const std::string& entry, const std::string& field, const std::string& part) {
    return verdict(Interface::parse(R"([{"type": "error", "name": ")" + entry + R"(", "inputs": [{"name": ")" + field +
                                    R"(", "type": "tuple", "internalType": "struct A.)" + part +
                                    R"([2]", "components": [{"name": ")" + part + R"(", "type": "bool"}]}]}])"));
  };
  EXPECT_EQ(with("Error_1", "$a", "B"), "ok");
  EXPECT_EQ(with("E", "", "B"), "ok");
  for (const std::string& name : {std::string("a b"), std::string("a("), std::string("1a"), std::string("a\\u001b[2J"),
                                  std::string("\\u202ea"), std::string("\xc3\xa9"), std::string(257, 'a')}) {
    EXPECT_EQ(with(name, "f", "B"), "abi.interface") << name;
    EXPECT_EQ(with("E", name, "B"), "abi.interface") << name;
    EXPECT_EQ(with("E", "f", name), "abi.interface") << name;
  }
}

TEST(ContractInterface, ShowsNothingOfAFileThatATerminalObeys) {
  for (const char* text : {R"([{"type": "function", "name": "f", "inputs": [{"type": "\u001b[2J\u009b"}]}])",
                           "{\"a\\u001b\\u202e\": 1, \"a\\u001b\\u202e\": 1}"}) {
    const auto refused = Interface::parse(text);
    ASSERT_FALSE(refused) << text;
    for (const char c : refused.error().text) EXPECT_TRUE(c >= ' ' && c <= '~') << refused.error().text;
  }
}

TEST(ContractInterface, IsRefusedCutAtEveryLengthAndMalformed) {
  const std::string text =
      R"({"abi": [{"type": "event", "name": "E", "inputs": [{"name": "a", "type": "tuple[2]", "indexed": true,)"
      R"( "components": [{"name": "b", "type": "uint8"}]}]}], "bytecode": "0x6001"})";
  EXPECT_EQ(verdict(Interface::parse(text)), "ok");
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_EQ(verdict(Interface::parse(text.substr(0, length))), "text.json") << length;
  }
  for (const char* other :
       {"1", "{}", R"({"abi": 1})", "[1]", R"([{"name": "f"}])", R"([{"type": "function", "inputs": {}}])",
        R"([{"type": "function", "inputs": [{}]}])", R"([{"type": "function", "inputs": [{"type": "tuple"}]}])",
        R"([{"type": "function"}])", R"([{"type": "event", "name": ""}])", R"([{"type": "error", "name": 1}])"}) {
    EXPECT_EQ(verdict(Interface::parse(other)), "abi.interface") << other;
  }
  EXPECT_EQ(verdict(Interface::parse(R"([{"type": "function", "name": "f", "inputs": [{"type": "uint"}]}])")),
            "abi.type");
  EXPECT_EQ(verdict(Interface::parse(R"({"abi": [], "abi": []})")), "text.json");
  EXPECT_EQ(verdict(Interface::parse(R"({"abi": [], "bytecode": "0x__$library$__"})")), "text.hex");
  EXPECT_EQ(verdict(Interface::parse(std::string(100000, '['))), "text.json");
}

}  // namespace
}  // namespace avow::chain
