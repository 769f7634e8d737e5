// SPDX-License-Identifier: Apache-2.0
//
// What a chain's nodes, contracts and files say. The first byte of an input chooses what the rest is:
//   0     the encoding of values of one of kTypes, which the next byte chooses
//   1     an item of RLP
//   2     an interface as JSON; every function's and event's type comes back from its text
//   3     a type of the ABI, and of EIP-712
//   4     a signed transaction
//   5     a key file, with whatever passphrase
//   6     a node's reply, whose result is read as everything that it may be
// Nothing may crash; and what is read has one form.

#include <algorithm>

#include "base/check.hpp"
#include "base/hex.hpp"
#include "chain/interface.hpp"
#include "chain/keystore.hpp"
#include "chain/replies.hpp"
#include "chain/rpc.hpp"
#include "chain/transaction.hpp"
#include "chain/typed_data.hpp"
#include "input.hpp"

namespace avow::chain {
namespace {

constexpr const char* kTypes[] = {"(uint8,int16,bool,address,bytes4)",
                                  "(bytes,string)",
                                  "(uint256[],(bytes,uint8)[])",
                                  "(string[2],uint8[3][])",
                                  "((bool,int8)[2][])",
                                  "(bytes[][][],((string)))"};

bool equal(base::ByteView a, base::ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

std::string_view text_of(base::ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void check_values(std::size_t choice, base::ByteView bytes) {
  const auto fields = parse_type(kTypes[choice]).value().parts;
  const auto values = decode_abi(fields, bytes);
  if (!values) return;
  AVOW_CHECK(equal(encode_abi(fields, values.value()).value(), bytes));
  AVOW_CHECK(!to_string(fields, values.value()).empty());
}

void check_rlp(base::ByteView bytes) {
  const auto item = decode_rlp(bytes);
  if (item) AVOW_CHECK(equal(encode(item.value()), bytes));
}

void check_interface(base::ByteView bytes) {
  const auto contract = Interface::parse(text_of(bytes));
  if (!contract) return;
  (void)contract.value().decode_error(bytes);
  LogBody log{{base::Digest{}}, {bytes.begin(), bytes.end()}};
  (void)contract.value().decode_log(log);
}

void check_types(base::ByteView bytes) {
  const auto type = parse_type(text_of(bytes));
  if (type) AVOW_CHECK(to_string(type.value()) == text_of(bytes));
  const auto typed = parse_typed(text_of(bytes));
  if (typed) AVOW_CHECK(encode_type(typed.value()) == text_of(bytes));
}

void check_transaction(base::ByteView bytes) {
  const auto read = parse_transaction(bytes);
  if (!read) return;
  AVOW_CHECK(equal(read.value().bytes, bytes));
  AVOW_CHECK(recover(signing_hash(read.value().transaction), read.value().signature).value() == read.value().sender);
}

void check_key_file(base::ByteView bytes) {
  // Derivations at the limits take seconds, which are not what is looked for.
  const auto json = parse_json(text_of(bytes), 8);
  const Json* crypto = json ? member(json.value(), "crypto") : nullptr;
  const Json* params = crypto == nullptr ? nullptr : member(*crypto, "kdfparams");
  for (const char* cost : {"n", "r", "p", "c"}) {
    const Json* number = params == nullptr ? nullptr : member(*params, cost);
    if (number != nullptr && number->is_number_unsigned() && number->get<std::uint64_t>() > 16 &&
        number->get<std::uint64_t>() < (std::uint64_t{1} << 32)) {
      return;
    }
  }
  (void)decrypt_key(text_of(bytes), Secret(std::string_view("right")));
}

void check_reply(base::ByteView bytes) {
  const auto result = parse_reply(text_of(bytes), 1);
  if (!result) {
    AVOW_CHECK(!to_string(result.error()).empty());
    return;
  }
  const Json& json = result.value();
  const auto quantity = read_quantity(json);
  if (quantity) AVOW_CHECK(read_quantity(to_quantity(quantity.value())).value() == quantity.value());
  (void)read_data(json);
  (void)read_digest(json);
  (void)read_block(json);
  (void)read_logs(json);
  (void)read_receipt(json);
  (void)read_calldata(json);
  (void)read_fee_history(json);
}

void run(base::ByteView bytes) {
  fuzz::Input input(bytes);
  switch (input.byte() % 7) {
    case 0: {
      const std::size_t choice = input.byte() % std::size(kTypes);
      return check_values(choice, input.rest());
    }
    case 1:
      return check_rlp(input.rest());
    case 2:
      return check_interface(input.rest());
    case 3:
      return check_types(input.rest());
    case 4:
      return check_transaction(input.rest());
    case 5:
      return check_key_file(input.rest());
    default:
      return check_reply(input.rest());
  }
}

}  // namespace
}  // namespace avow::chain

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::chain::run({data, size});
  return 0;
}
