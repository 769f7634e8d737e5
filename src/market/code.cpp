// SPDX-License-Identifier: Apache-2.0
#include "market/code.hpp"

#include <algorithm>

namespace avow::market {
namespace {

constexpr std::uint8_t kPush32 = 0x7f;
constexpr std::size_t kPushedBytes = 32;

// Whether `code` is here, but for pushed words that are zero here. A wrong word is found wherever it differs, as places
// are taken by this side alone.
bool is_equal_but_immutables(base::ByteView here, base::ByteView code) {
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (here[i] != code[i]) return false;
    if (here[i] != kPush32 || i + kPushedBytes >= code.size()) continue;
    const auto word = here.subspan(i + 1, kPushedBytes);
    if (std::all_of(word.begin(), word.end(), [](std::uint8_t byte) { return byte == 0; })) i += kPushedBytes;
  }
  return true;
}

}  // namespace

// The compiler puts what a contract consists of last, after an invalid instruction. What is only the end of it, as
// short as one byte, is another contract.
bool is_code_of(base::ByteView creation, base::ByteView code) {
  constexpr std::uint8_t kInvalid = 0xfe;
  if (code.size() >= creation.size() || 2 * code.size() < creation.size()) return false;
  const std::size_t begin = creation.size() - code.size();
  return creation[begin - 1] == kInvalid && is_equal_but_immutables(creation.subspan(begin), code);
}

chain::Result<CodeState> code_state(chain::Client& client, const Deployment& deployment, Contract contract) {
  const auto code = client.code(deployment.at(contract));
  if (!code) return base::Err{code.error()};
  if (code.value().empty()) return CodeState::kNone;
  return is_code_of(interface_of(contract).creation_code(), code.value()) ? CodeState::kSame : CodeState::kOther;
}

}  // namespace avow::market
