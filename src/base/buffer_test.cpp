// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace avow::base {
namespace {

TEST(Buffer, HoldsWhatIsWritten) {
  Buffer<int> buffer(1 << 21);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<int>(i);
  Buffer<int> moved = std::move(buffer);
  for (std::size_t i = 0; i < moved.size(); i += 1000) ASSERT_EQ(moved[i], static_cast<int>(i));
}

TEST(Buffer, EmptyIsEmpty) {
  const Buffer<int> none;
  const Buffer<int> zero(0);
  EXPECT_EQ(none.data(), nullptr);
  EXPECT_EQ(zero.data(), nullptr);
}

TEST(Buffer, ReusesWhatWasGivenBack) {
  const std::size_t size = (std::size_t{1} << 22) + 4096;
  const char* first = nullptr;
  {
    const Buffer<char> buffer(size);
    first = buffer.data();
  }
  const Buffer<char> again(size);
  EXPECT_EQ(again.data(), first);
  const Buffer<char> other(size);  // the same size while the first is in use
  EXPECT_NE(other.data(), first);
}

TEST(Buffer, BuffersOfSeveralThreadsDoNotOverlap) {
  const auto work = [](char mark) {
    for (int round = 0; round < 50; ++round) {
      Buffer<char> buffer(1 << 16);
      std::fill(buffer.data(), buffer.data() + buffer.size(), mark);
      for (std::size_t i = 0; i < buffer.size(); ++i) ASSERT_EQ(buffer[i], mark);
    }
  };
  std::vector<std::thread> threads;
  for (const char mark : {'a', 'b', 'c', 'd'}) threads.emplace_back(work, mark);
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace avow::base
