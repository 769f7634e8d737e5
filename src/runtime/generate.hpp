// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "runtime/runtime.hpp"
#include "runtime/selection.hpp"

namespace avow::runtime {

struct GenerateOptions {
  Sampling sampling;
  std::size_t most_tokens = std::numeric_limits<std::size_t>::max();
  std::vector<std::uint32_t> stop_ids;           ///< a token that ends the answer, and is its last
  const std::atomic<bool>* cancelled = nullptr;  ///< looked at before every block and step; another thread may set it
};

/// Why there are no more tokens.
enum class End : std::uint8_t {
  kStop,       ///< a stop id was chosen
  kMaximum,    ///< most_tokens were
  kContext,    ///< there is no place for the last token, after which the next would be chosen
  kCancelled,  ///< the flag was set
};

struct Generated {
  std::vector<std::uint32_t> tokens;  ///< those chosen, a stop id included
  std::size_t first_position = 0;  ///< the place after which the first was chosen, by step 0; then one after the other
  End end = End::kMaximum;
};

/// Appends the prompt to the run, chooses tokens one by one, and calls `on_token` with each as soon as it is known. The
/// last token is not appended to the run; if the prompt was cancelled or refused, nothing is. Errors: those of
/// Runtime::prompt and of `select`, kRequest.
[[nodiscard]] base::Result<Generated, Error> generate(Runtime& runtime, std::span<const std::uint32_t> prompt,
                                                      const GenerateOptions& options,
                                                      const std::function<void(std::uint32_t token)>& on_token);

}  // namespace avow::runtime
