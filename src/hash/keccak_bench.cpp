// SPDX-License-Identifier: Apache-2.0

// Keccak-256 on one core. AVOW_HWY_TARGET=AVX2 (or SSE4, AVX3, ...) restricts the batched code to one instruction set.

#include "hash/keccak.hpp"

#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <numeric>
#include <string_view>
#include <vector>

#include "base/check.hpp"

#include <hwy/highway.h>

namespace avow::hash {
namespace {

// False, and an error in the report, if the environment asks for an instruction set that is not there.
bool choose_target(benchmark::State& state) {
  const char* wanted = std::getenv("AVOW_HWY_TARGET");
  if (wanted == nullptr) return true;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (std::string_view(hwy::TargetName(target)) != wanted) continue;
    hwy::SetSupportedTargetsForTest(target);
    return true;
  }
  state.SkipWithError("AVOW_HWY_TARGET is not one of this machine's");
  return false;
}

void set_bytes(benchmark::State& state, std::size_t bytes_per_iteration) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(bytes_per_iteration));
}

base::Bytes message(std::size_t size) {
  base::Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

void scalar(benchmark::State& state) {
  const base::Bytes bytes = message(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    base::Digest digest = keccak256(bytes);
    benchmark::DoNotOptimize(digest);
    benchmark::ClobberMemory();
  }
  set_bytes(state, bytes.size());
}
BENCHMARK(scalar)->Arg(64)->Arg(256)->Arg(1 << 16);

void openssl_sha3(benchmark::State& state) {
  const base::Bytes bytes = message(static_cast<std::size_t>(state.range(0)));
  EVP_MD* sha3 = EVP_MD_fetch(nullptr, "SHA3-256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  for (auto _ : state) {
    base::Digest digest;
    unsigned size = 0;
    AVOW_CHECK(EVP_DigestInit_ex2(context, sha3, nullptr) == 1);
    AVOW_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
    AVOW_CHECK(EVP_DigestFinal_ex(context, digest.data(), &size) == 1);
    benchmark::DoNotOptimize(digest);
    benchmark::ClobberMemory();
  }
  EVP_MD_CTX_free(context);
  EVP_MD_free(sha3);
  set_bytes(state, bytes.size());
}
BENCHMARK(openssl_sha3)->Arg(64)->Arg(256)->Arg(1 << 16);

// 4096 rows of `range(0)` elements: 1 MiB at 32, in the second-level cache or just beyond.
void rows(benchmark::State& state) {
  if (!choose_target(state)) return;
  constexpr std::size_t kRowCount = 4096;
  const auto row_len = static_cast<std::size_t>(state.range(0));
  std::vector<std::uint64_t> elements(kRowCount * row_len);
  std::iota(elements.begin(), elements.end(), std::uint64_t{0x0123456789abcdef});
  std::vector<base::Digest> digests(kRowCount);
  for (auto _ : state) {
    keccak256_rows(elements.data(), row_len, row_len, kRowCount, digests.data());
    benchmark::DoNotOptimize(digests.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state, elements.size() * sizeof(std::uint64_t));
  state.counters["hashes/s"] =
      benchmark::Counter(static_cast<double>(kRowCount), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(rows)->Arg(16)->Arg(32)->Arg(33)->Arg(50)->Arg(256);

void pairs(benchmark::State& state) {
  if (!choose_target(state)) return;
  constexpr std::size_t kPairCount = 4096;
  std::vector<base::Digest> children(2 * kPairCount);
  for (std::size_t i = 0; i < children.size(); ++i) children[i].fill(static_cast<std::uint8_t>(i));
  std::vector<base::Digest> digests(kPairCount);
  for (auto _ : state) {
    keccak256_pairs(children.data(), kPairCount, digests.data());
    benchmark::DoNotOptimize(digests.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state, children.size() * sizeof(base::Digest));
  state.counters["hashes/s"] =
      benchmark::Counter(static_cast<double>(kPairCount), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(pairs);

void nonces(benchmark::State& state) {
  if (!choose_target(state)) return;
  constexpr std::uint64_t kNonceCount = 1 << 14;
  const base::Bytes prefix = message(40);
  std::uint64_t begin = 0;
  for (auto _ : state) {
    // No nonce has 64 zero bits, so each call tries all of its range.
    auto found = find_nonce(prefix, 64, begin, kNonceCount);
    AVOW_CHECK(!found);
    begin += kNonceCount;
  }
  state.counters["hashes/s"] =
      benchmark::Counter(static_cast<double>(kNonceCount), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(nonces);

}  // namespace
}  // namespace avow::hash
