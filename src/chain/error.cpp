// SPDX-License-Identifier: Apache-2.0
#include "chain/error.hpp"

namespace avow::chain {

const char* name(Cause cause) noexcept {
  switch (cause) {
    case Cause::kNumber:
      return "text.number";
    case Cause::kHex:
      return "text.hex";
    case Cause::kAddress:
      return "text.address";
    case Cause::kJson:
      return "text.json";
    case Cause::kAbiType:
      return "abi.type";
    case Cause::kAbiInterface:
      return "abi.interface";
    case Cause::kAbiName:
      return "abi.name";
    case Cause::kAbiValue:
      return "abi.value";
    case Cause::kAbiTruncated:
      return "abi.truncated";
    case Cause::kAbiTrailing:
      return "abi.trailing";
    case Cause::kAbiOffset:
      return "abi.offset";
    case Cause::kAbiPadding:
      return "abi.padding";
    case Cause::kAbiTopics:
      return "abi.topics";
    case Cause::kRlpTruncated:
      return "rlp.truncated";
    case Cause::kRlpTrailing:
      return "rlp.trailing";
    case Cause::kRlpNonCanonical:
      return "rlp.non_canonical";
    case Cause::kRlpLimit:
      return "rlp.limit";
    case Cause::kTypedData:
      return "typed_data.type";
    case Cause::kKey:
      return "key.invalid";
    case Cause::kSignature:
      return "key.signature";
    case Cause::kTransaction:
      return "transaction.invalid";
    case Cause::kFile:
      return "key.file";
    case Cause::kPassphrase:
      return "key.passphrase";
    case Cause::kKeystore:
      return "keystore.invalid";
    case Cause::kKeystoreCost:
      return "keystore.cost";
    case Cause::kUrl:
      return "rpc.url";
    case Cause::kTransport:
      return "rpc.transport";
    case Cause::kHttp:
      return "rpc.http";
    case Cause::kReplySize:
      return "rpc.reply_size";
    case Cause::kReply:
      return "rpc.reply";
    case Cause::kNode:
      return "rpc.node";
    case Cause::kReverted:
      return "rpc.reverted";
    case Cause::kChainId:
      return "rpc.chain_id";
    case Cause::kTooManyBytes:
      return "send.too_many_bytes";
    case Cause::kTooMuchGas:
      return "send.too_much_gas";
    case Cause::kFeeCap:
      return "send.fee_cap";
    case Cause::kFunds:
      return "send.funds";
    case Cause::kReplacement:
      return "send.replacement";
    case Cause::kNonceGap:
      return "send.nonce_gap";
    case Cause::kIncluded:
      return "send.included";
    case Cause::kNonceUsed:
      return "send.nonce_used";
    case Cause::kNotIncluded:
      return "send.not_included";
    case Cause::kFailed:
      return "send.failed";
    case Cause::kReorganised:
      return "chain.reorganised";
    case Cause::kBehind:
      return "chain.behind";
  }
  return "chain.unknown";
}

std::string to_string(const Error& error) { return std::string(name(error.cause)) + ": " + error.text; }

}  // namespace avow::chain
