// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace avow::chain {

/// What went wrong: one value per cause.
enum class Cause : std::uint8_t {
  kNumber,   ///< text that is no number, or a number that does not fit
  kHex,      ///< text that is no hexadecimal of the length that is wanted
  kAddress,  ///< text that is no address, or whose letters contradict its checksum (EIP-55)
  kJson,     ///< text that is not JSON, nested too deep, or with a key twice in an object

  kAbiType,       ///< text that is no type, or one that is too large or nested too deep
  kAbiInterface,  ///< JSON that is no list of functions, events and errors
  kAbiName,       ///< a function, event or error that the interface does not have
  kAbiValue,      ///< a value that does not fit its type
  kAbiTruncated,  ///< bytes that end too soon
  kAbiTrailing,   ///< bytes after the last value
  kAbiOffset,     ///< an offset that is not where the canonical encoding puts its value
  kAbiPadding,    ///< bits set that the type does not have
  kAbiTopics,     ///< a log without the topics that its event has

  kRlpTruncated,     ///< bytes that end too soon
  kRlpTrailing,      ///< bytes after the item
  kRlpNonCanonical,  ///< a length or a number in a longer form than needed
  kRlpLimit,         ///< nested too deep, or too many items

  kTypedData,  ///< text that is no EIP-712 type

  kKey,           ///< bytes that are no private key
  kSignature,     ///< a signature that nobody made, or in a form that is not taken (a high s)
  kTransaction,   ///< bytes that are no signed EIP-1559 transaction
  kFile,          ///< a file that cannot be read or written
  kPassphrase,    ///< no passphrase where one is needed, or the wrong one
  kKeystore,      ///< JSON that is no Web3 Secret Storage of version 3
  kKeystoreCost,  ///< a key derivation that would take too much memory or time

  kUrl,        ///< text that is no address of a node
  kTransport,  ///< a node that is not reached, or does not answer in time
  kHttp,       ///< a node that answers with another status than 200
  kReplySize,  ///< a reply larger than is taken
  kReply,      ///< a reply that is not what JSON-RPC says
  kNode,       ///< an error that the node says
  kReverted,   ///< a call that the contract refused
  kChainId,    ///< a node of another chain

  kTooManyBytes,  ///< a transaction with more bytes than the chain's nodes relay
  kTooMuchGas,    ///< a transaction that needs more gas than one may have
  kFeeCap,        ///< fees above what the sender is willing to pay
  kFunds,         ///< an account that cannot pay for the transaction
  kReplacement,   ///< a replacement that is none, or would pay more than the cap
  kNonceGap,      ///< a nonce that would leave others unused before it
  kIncluded,      ///< a replacement of a transaction that is in a block already
  kNonceUsed,     ///< a nonce that another transaction has used
  kNotIncluded,   ///< a transaction that is in no block yet, or no longer
  kFailed,        ///< a transaction that is in a block, where it failed
  kReorganised,   ///< blocks that are no longer part of the chain, further back than is known
  kBehind,        ///< a node without blocks that the chain has already
};

/// A transaction of which it is not known what becomes of it.
struct Unsettled {
  std::uint64_t nonce = 0;
  base::Digest hash{};
};

/// Why something was refused or did not work, and where there is something to do about it, what.
struct Error {
  Cause cause;
  std::string text;
  std::int64_t node_code = 0;  ///< of kNode and kReverted: the code of JSON-RPC
  base::Bytes data{};          ///< of the same: what the contract reverted with, if the node says it
  /// Set where a call may have been made, or may yet be: whoever prepares it again may make it twice.
  std::optional<Unsettled> unsettled{};
};

template <typename T>
using Result = base::Result<T, Error>;

inline base::Err<Error> fail(Cause cause, std::string text) { return {{cause, std::move(text)}}; }

/// The cause's name: "abi.truncated".
[[nodiscard]] const char* name(Cause cause) noexcept;
/// The name, and the text.
[[nodiscard]] std::string to_string(const Error& error);

}  // namespace avow::chain
