// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "compile/tensors.hpp"
#include "model/tokenizer_data.hpp"
#include "statement/statement.hpp"

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

/// The content id (spec/answer.md section 3), from the plan's statement with numbers for names and the checksums of the
/// tensors that the plan has, in their order.
[[nodiscard]] base::Digest content_id(const compile::Plan& plan, const statement::Statement& statement,
                                      const model::TokenizerData& tokenizer, std::span<const base::Digest> checksums);

}  // namespace avow::model_file
