// SPDX-License-Identifier: Apache-2.0
// What reading a model file allocates: in all, no more than a constant times the file, whatever its counts say.
// Sanitizers bring their own allocator, which must not be mixed with this one.
#ifndef AVOW_SANITIZED

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include "model/safetensors.hpp"
#include "model/tiny_models_testing.hpp"
#include "model/weights.hpp"

namespace {

std::atomic<bool> g_counting{false};
std::atomic<std::size_t> g_total{0};

void* counted(std::size_t size) {
  if (g_counting) g_total += size;
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

namespace avow::model {
namespace {

// Sums count what was freed, too; growing vectors double. Errors and tables of parts have a size of their own.
constexpr std::size_t kFactor = 64, kOwn = 16384;

std::size_t allocated_by(const std::function<void()>& work) {
  g_total = 0;
  g_counting = true;
  work();
  g_counting = false;
  return g_total;
}

void read_gguf(base::ByteView bytes) {
  const auto gguf = GgufFile::parse(bytes, "m");
  if (!gguf.ok()) return;
  for (const auto& [key, value] : gguf.value().metadata()) {
    (void)gguf.value().texts(key).ok();
    (void)gguf.value().integers(key).ok();
    (void)gguf.value().numbers(key).ok();
  }
  (void)Weights::from_gguf(gguf.value()).ok();
}

TEST(Allocation, OfGgufIsBoundedByTheFile) {
  base::Bytes bytes = testing::gguf_of(testing::llama_metadata("llama"), testing::tiny_llama(1, testing::Bias::kNo));
  // Every field of four bytes in turn says as much as it can.
  for (std::size_t at = 4; at + 4 <= bytes.size(); ++at) {
    base::Bytes changed = bytes;
    std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(at), 4, std::uint8_t{0xff});
    changed[at + 3] = static_cast<std::uint8_t>(at % 3 == 0 ? 0 : 0xff);
    ASSERT_LE(allocated_by([&] { read_gguf(changed); }), kFactor * bytes.size() + kOwn) << at;
  }
}

TEST(Allocation, OfManySmallThingsIsBoundedByTheFile) {
  testing::GgufWriter w;
  for (int i = 0; i < 5000; ++i) w.number(fmt::format("{}", i), GgufType::kU8, std::uint8_t{1});
  base::Bytes strings(8 * 20000);
  w.array("strings", GgufType::kString, 20000, strings);
  for (int i = 0; i < 5000; ++i) w.typed(fmt::format("{}", i), {1}, 0, base::Bytes(4));
  const base::Bytes bytes = w.write();
  ASSERT_TRUE(GgufFile::parse(bytes, "m").ok());
  EXPECT_LE(allocated_by([&] { read_gguf(bytes); }), kFactor * bytes.size() + kOwn);
}

TEST(Allocation, OfSafetensorsIsBoundedByTheFile) {
  std::string many = "{";
  for (int i = 0; i < 5000; ++i)
    many += fmt::format(R"("{}":{{"dtype":"U8","shape":[],"data_offsets":[{},{}]}},)", i, i, i + 1);
  many.back() = '}';
  std::string arrays = R"({"t":{"shape":[0)";
  for (int i = 0; i < 50000; ++i) arrays += ",0";
  std::string objects = R"({"t":{"a":{"":0)";
  for (int i = 0; i < 10000; ++i) objects += fmt::format(R"(,"{}":0)", i);
  const std::string huge = R"({"t":{"dtype":"F32","shape":[1073741824,4],"data_offsets":[0,17179869184]}})";
  for (const std::string& header : {many, arrays + "]}}", objects + "}}}", huge}) {
    const base::Bytes bytes = testing::safetensors_of(header, 5000);
    EXPECT_LE(allocated_by([&] { (void)parse_safetensors(bytes, "m").ok(); }), kFactor * bytes.size() + kOwn)
        << header.substr(0, 40);
  }
}

}  // namespace
}  // namespace avow::model

#endif
