// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace avow::base {

/// Prints `file:line: check failed: text` on standard error and aborts.
[[noreturn]] void check_failed(const char* text, const char* file, int line) noexcept;

}  // namespace avow::base

// Invariants of our own code, on in every build. Never look at proof, model, network or user bytes with it: those are
// input, and input is answered with an error value.
#define AVOW_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::avow::base::check_failed(#condition, __FILE__, __LINE__))

// The same for hot loops: checked in debug builds only.
#ifdef NDEBUG
#define AVOW_DCHECK(condition) void(0)
#else
#define AVOW_DCHECK(condition) AVOW_CHECK(condition)
#endif
