// SPDX-License-Identifier: Apache-2.0
#include "provider/worker.hpp"

#include <utility>

#include "base/check.hpp"

namespace avow::provider {

Worker::Worker() : thread_([this] { work(); }) {}

Worker::~Worker() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
    cancelled_ = true;
  }
  for_worker_.notify_all();
  thread_.join();
}

bool Worker::is_idle() const {
  const std::scoped_lock lock(mutex_);
  return !is_busy_;
}

void Worker::start(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    AVOW_CHECK(!is_busy_);
    is_busy_ = true;
    cancelled_ = false;
    task_ = std::move(task);
  }
  for_worker_.notify_all();
}

void Worker::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  for_owner_.wait_for(lock, time, [this] { return is_woken_; });
  is_woken_ = false;
}

void Worker::wake() {
  {
    const std::scoped_lock lock(mutex_);
    is_woken_ = true;
  }
  for_owner_.notify_all();
}

void Worker::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    for_worker_.wait(lock, [this] { return is_ending_ || task_ != nullptr; });
    if (is_ending_) return;
    const Task task = std::exchange(task_, nullptr);
    lock.unlock();
    task(cancelled_);
    lock.lock();
    is_busy_ = false;
    is_woken_ = true;
    for_owner_.notify_all();
  }
}

}  // namespace avow::provider
