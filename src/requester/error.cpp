// SPDX-License-Identifier: Apache-2.0
#include "requester/error.hpp"

namespace avow::requester {

base::Err<Error> fail(const std::string& what, const chain::Error& error) {
  return {{Cause::kChain, what + ": " + to_string(error), error}};
}

const char* name(Cause cause) noexcept {
  switch (cause) {
    case Cause::kChain:
      return "chain";
    case Cause::kFile:
      return "file";
    case Cause::kRecord:
      return "record";
    case Cause::kNames:
      return "names";
    case Cause::kName:
      return "name";
    case Cause::kTokenizer:
      return "tokenizer";
    case Cause::kModel:
      return "model";
    case Cause::kFrozen:
      return "frozen";
    case Cause::kQuestion:
      return "question";
    case Cause::kOffer:
      return "offer";
    case Cause::kTokens:
      return "tokens";
    case Cause::kUnknown:
      return "unknown";
    case Cause::kState:
      return "state";
    case Cause::kPayment:
      return "payment";
    case Cause::kProof:
      return "proof";
    case Cause::kCancelled:
      return "cancelled";
  }
  return "";
}

}  // namespace avow::requester
