// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace avow::provider {

/// A thread that does one piece of work at a time, beside the one that looks at the chain.
class Worker {
 public:
  /// Looks at the flag every so often, and ends early when it is set.
  using Task = std::function<void(const std::atomic<bool>& cancelled)>;

  Worker();
  /// Cancels what is under way, and waits for its end.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Nothing is under way, and what the last task wrote may be read.
  [[nodiscard]] bool is_idle() const;
  /// Only while it is idle.
  void start(Task task);
  void cancel() { cancelled_ = true; }

  /// Returns after so long, or when a task ends, or wake() is called.
  void wait(std::chrono::milliseconds time);
  void wake();

 private:
  void work();

  mutable std::mutex mutex_;
  std::condition_variable for_worker_, for_owner_;
  Task task_;
  bool is_busy_ = false, is_ending_ = false, is_woken_ = false;
  std::atomic<bool> cancelled_ = false;
  std::thread thread_;  // last: it uses all of these
};

}  // namespace avow::provider
