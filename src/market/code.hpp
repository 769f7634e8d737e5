// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "market/deployment.hpp"

namespace avow::market {

/// What lies at a contract's address.
enum class CodeState : std::uint8_t {
  kSame,   ///< the code of the committed artifact, but for what its constructor put in
  kOther,  ///< other code
  kNone,   ///< no code
};
[[nodiscard]] chain::Result<CodeState> code_state(chain::Client& client, const Deployment& deployment,
                                                  Contract contract);

/// Whether `code` is what this creation code leaves on a chain, with whatever values of immutables: the compiler puts
/// their places into the code as the only pushes of 32 zero bytes.
[[nodiscard]] bool is_code_of(base::ByteView creation, base::ByteView code);

}  // namespace avow::market
