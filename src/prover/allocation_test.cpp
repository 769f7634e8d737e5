// SPDX-License-Identifier: Apache-2.0
// What the verifier allocates while it reads a proof: a small multiple of the proof, whatever its bytes are. Sanitizers
// bring their own allocator, which must not be mixed with this one.
#ifndef AVOW_SANITIZED

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "pcs/parameters.hpp"
#include "prover/session_testing.hpp"

namespace {

std::atomic<bool> g_counting{false};
std::atomic<std::int64_t> g_live{0};
std::atomic<std::int64_t> g_peak{0};

void* counted(std::size_t size) {
  void* memory = std::malloc(size != 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  if (g_counting) {
    const std::int64_t live = g_live += static_cast<std::int64_t>(malloc_usable_size(memory));
    if (live > g_peak) g_peak = live;
  }
  return memory;
}
void uncounted(void* memory) {
  if (g_counting && memory != nullptr) g_live -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { uncounted(memory); }
void operator delete[](void* memory) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncounted(memory); }
void operator delete[](void* memory, std::size_t) noexcept { uncounted(memory); }

namespace avow::prover {
namespace {

TEST(Allocation, IsASmallMultipleOfTheProof) {
  const auto example = statement::block_example(3, 4, 12);
  const testing::Session session(example, *pcs::choose_parameters(10, 100, pcs::Profile::kModel));
  const auto proof = session.prove(example.assignment()).value().proof;
  const auto verifier = session.verifier();
  const auto peak = [&](base::ByteView bytes) {
    g_live = g_peak = 0;
    g_counting = true;
    const bool accepted = !verifier.verify(session.session, bytes).has_value();
    g_counting = false;
    EXPECT_EQ(accepted, bytes.size() == proof.size());
    return g_peak.load();
  };
  const auto limit = static_cast<std::int64_t>(6 * proof.size());
  EXPECT_LT(peak(proof), limit);
  for (std::size_t size = proof.size() / 50; size < proof.size(); size += proof.size() / 50) {
    auto cut = base::Bytes(proof.begin(), proof.begin() + static_cast<std::ptrdiff_t>(size));
    base::store_be32(cut.data() + 4, static_cast<std::uint32_t>(size));
    EXPECT_LT(peak(cut), limit) << size;
  }
}

}  // namespace
}  // namespace avow::prover

#endif
