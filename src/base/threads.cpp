// SPDX-License-Identifier: Apache-2.0
#include "base/threads.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/check.hpp"

#if defined(__SANITIZE_THREAD__)
#define AVOW_PLAIN_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define AVOW_PLAIN_THREADS 1
#endif
#endif

#ifndef AVOW_PLAIN_THREADS
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#endif

namespace avow::base {
namespace {

std::size_t g_threads = 0;

}  // namespace

std::size_t thread_count() noexcept {
  return g_threads != 0 ? g_threads : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

#ifdef AVOW_PLAIN_THREADS
// The scheduler library is not built with ThreadSanitizer, which therefore cannot see its synchronisation; plain
// threads let it check what matters, the loop bodies.
void set_thread_count(std::size_t count) { g_threads = count; }

void parallel_for(std::size_t count, std::size_t grain,
                  const std::function<void(std::size_t begin, std::size_t end)>& body) {
  AVOW_CHECK(grain >= 1);
  const std::size_t chunks = (count + grain - 1) / grain;
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (std::size_t c = next++; c < chunks; c = next++) body(c * grain, std::min(count, (c + 1) * grain));
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(thread_count(), chunks); ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
}
#else
void set_thread_count(std::size_t count) {
  static std::unique_ptr<tbb::global_control> control;
  g_threads = count;
  control = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, thread_count());
}

void parallel_for(std::size_t count, std::size_t grain,
                  const std::function<void(std::size_t begin, std::size_t end)>& body) {
  AVOW_CHECK(grain >= 1);
  const std::size_t chunks = (count + grain - 1) / grain;
  if (chunks <= 1 || thread_count() == 1) {
    for (std::size_t c = 0; c < chunks; ++c) body(c * grain, std::min(count, (c + 1) * grain));
    return;
  }
  tbb::parallel_for(std::size_t{0}, chunks, [&](std::size_t c) { body(c * grain, std::min(count, (c + 1) * grain)); });
}
#endif

}  // namespace avow::base
