// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace avow::base {

/// Number of threads that parallel_for uses: all cores, or the count given to set_thread_count.
[[nodiscard]] std::size_t thread_count() noexcept;

/// Limits all later work to `count` threads (0: all cores). Not thread-safe; call it once at the start of a program.
void set_thread_count(std::size_t count);

/// Runs body(begin, end) over disjoint ranges that cover [0, count), each of at most `grain` items (grain >= 1), on all
/// threads, and returns when every one is done. Ranges start at multiples of `grain`. Bodies must not throw.
void parallel_for(std::size_t count, std::size_t grain,
                  const std::function<void(std::size_t begin, std::size_t end)>& body);

}  // namespace avow::base
