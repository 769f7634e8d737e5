// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "compile/tensors.hpp"

// What writer and reader of a file share.
namespace avow::model_file {

inline constexpr std::array<std::uint8_t, 8> kMagic = {'A', 'V', 'O', 'W', '\r', '\n', 0x1a, '\n'};
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kHeaderBytes = 56;
inline constexpr std::size_t kEntryBytes = 56;
inline constexpr std::size_t kAlignment = 64;
inline constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxAboutBytes = std::size_t{1} << 16;

enum class Kind : std::uint32_t { kPlan = 1, kStatement, kTokenizer, kAbout, kTensor };

/// Kind and number of each section of a model of this plan.
struct SectionName {
  Kind kind;
  std::uint32_t number;
  friend bool operator==(const SectionName&, const SectionName&) = default;
};
[[nodiscard]] std::vector<SectionName> sections_of(const compile::Plan& plan);
[[nodiscard]] std::string to_text(const SectionName& section);

[[nodiscard]] std::size_t cell_bytes(compile::ModelTensor tensor);
[[nodiscard]] constexpr std::size_t aligned(std::size_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

/// The checksum of a section, on all cores.
[[nodiscard]] base::Digest checksum(base::ByteView section);

}  // namespace avow::model_file
