// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "base/bytes.hpp"
#include "field/goldilocks.hpp"

/// How fuzzers read their inputs, and change an honest proof as these say.
namespace avow::fuzz {

/// Takes values from the front of an input; zeros after its end.
class Input {
 public:
  explicit Input(base::ByteView bytes) : rest_(bytes) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] base::ByteView rest() const { return rest_; }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  /// Below `limit`, which is not 0.
  std::size_t below(std::size_t limit) {
    const std::size_t high = byte();
    return (high << 8 | byte()) % limit;
  }

 private:
  base::ByteView rest_;
};

/// Changes a bit, removes a part, copies a part over another, or puts a word that is no element, as the input says.
inline void mutate(base::Bytes& proof, Input& input) {
  const std::uint8_t operation = input.byte() % 4;
  const std::size_t at = input.below(proof.size() + 1);
  const auto position = proof.begin() + static_cast<std::ptrdiff_t>(at);
  const std::size_t length = std::min(input.below(64), proof.size() - at);
  switch (operation) {
    case 0:
      if (at < proof.size()) *position ^= static_cast<std::uint8_t>(1u << (length % 8));
      break;
    case 1:
      proof.erase(position, position + static_cast<std::ptrdiff_t>(length));
      break;
    case 2: {  // a part over another
      const std::size_t to = input.below(proof.size() + 1);
      const base::Bytes part(position, position + static_cast<std::ptrdiff_t>(std::min(length, proof.size() - to)));
      std::copy(part.begin(), part.end(), proof.begin() + static_cast<std::ptrdiff_t>(to));
      break;
    }
    default: {  // a word that is no element
      constexpr std::uint64_t kWords[] = {field::kP, field::kP + 1, ~std::uint64_t{0}, field::kP - 1};
      if (at / 8 * 8 + 8 <= proof.size()) base::store_be64(&proof[at / 8 * 8], kWords[length % 4]);
      break;
    }
  }
}

}  // namespace avow::fuzz
