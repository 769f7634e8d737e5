// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace avow::base {

/// Tests that go through thousands of like cases take every n-th of them under sanitizers, which are ten times slower;
/// all of them otherwise.
#ifdef AVOW_SANITIZED
inline constexpr std::size_t kTestStride = 11;
#else
inline constexpr std::size_t kTestStride = 1;
#endif

}  // namespace avow::base
