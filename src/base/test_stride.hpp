// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace avow::base {

/// Tests that go through thousands of like cases take every n-th of them under sanitizers, which are ten times slower;
/// all of them otherwise.
#ifdef AVOW_SANITIZED
inline constexpr std::size_t kTestStride = 11;
#else
inline constexpr std::size_t kTestStride = 1;
#endif

/// The cases that sanitizers take of a list: every n-th; all of them otherwise.
template <typename T>
std::vector<T> some_of(const std::vector<T>& all, std::size_t n = kTestStride) {
  if (kTestStride == 1) return all;
  std::vector<T> some;
  for (std::size_t i = 0; i < all.size(); i += n) some.push_back(all[i]);
  return some;
}

}  // namespace avow::base
