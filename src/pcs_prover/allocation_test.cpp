// SPDX-License-Identifier: Apache-2.0
// What the verifier allocates: bounded by the statement and the configuration, and by the proof's length as soon as the
// configuration would ask for more.
// Sanitizers bring their own allocator, which must not be mixed with this one.
#ifndef AVOW_SANITIZED

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "pcs_prover/instance_testing.hpp"

namespace {

std::atomic<bool> g_counting{false};
std::atomic<std::size_t> g_largest{0};

void* counted(std::size_t size) {
  if (g_counting) {
    std::size_t seen = g_largest;
    while (size > seen && !g_largest.compare_exchange_weak(seen, size)) {
    }
  }
  void* memory = std::malloc(size != 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace avow::pcs {
namespace {

std::size_t largest_allocation(const testing::Instance& instance, base::ByteView proof, bool& accepted) {
  g_largest = 0;
  g_counting = true;
  accepted = !instance.verify(proof).has_value();
  g_counting = false;
  return g_largest;
}

TEST(Allocation, IsNeverLargerThanTheProof) {
  // Many queries and a long final polynomial: what a configuration can ask for dwarfs a short proof.
  Config config = testing::small_config(8);
  config.oracles[0].queries = 300;
  config.oracles[1].queries = 300;
  config.oracles = {config.oracles[0], config.oracles[1]};
  const std::size_t columns[] = {3};
  const testing::Instance instance(config, columns, 1, 1);
  const auto proof = instance.prove();
  bool accepted = false;
  const std::size_t whole = largest_allocation(instance, proof, accepted);
  ASSERT_TRUE(accepted);
  EXPECT_LE(whole, proof.size());
  // The statement's own copies: claims with their factors, positions drawn (4 bytes a query), tables over the columns.
  constexpr std::size_t kStatement = 300 * 4 + 2048;
  for (std::size_t size = 0; size < proof.size(); size += 97) {
    const std::size_t largest = largest_allocation(instance, base::ByteView(proof).first(size), accepted);
    ASSERT_FALSE(accepted);
    ASSERT_LE(largest, std::max(size, kStatement)) << size;
  }
}

}  // namespace
}  // namespace avow::pcs

#endif
