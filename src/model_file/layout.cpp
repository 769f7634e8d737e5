// SPDX-License-Identifier: Apache-2.0
#include "model_file/layout.hpp"

#include <algorithm>
#include <string_view>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "compile/plan_bytes.hpp"
#include "hash/keccak.hpp"
#include "statement/serialize.hpp"

namespace avow::model_file {

std::vector<SectionName> sections_of(const compile::Plan& plan) {
  std::vector<SectionName> names = {{Kind::kPlan, 0}, {Kind::kStatement, 0}, {Kind::kTokenizer, 0}, {Kind::kAbout, 0}};
  for (std::uint32_t i = 0; i < compile::kModelTensors; ++i) {
    if (has(plan, compile::ModelTensor{static_cast<std::uint8_t>(i)})) names.push_back({Kind::kTensor, i});
  }
  return names;
}

std::string to_text(const SectionName& section) {
  switch (section.kind) {
    case Kind::kPlan:
      return "plan";
    case Kind::kStatement:
      return "statement";
    case Kind::kTokenizer:
      return "tokenizer";
    case Kind::kAbout:
      return "about";
    case Kind::kTensor:
      break;
  }
  return std::string(name_of(compile::ModelTensor{static_cast<std::uint8_t>(section.number)}));
}

std::size_t cell_bytes(compile::ModelTensor tensor) { return is_wide(tensor) ? 4 : 2; }

base::Digest checksum(base::ByteView section) {
  base::Bytes digests((section.size() + kChunkBytes - 1) / kChunkBytes * 32);
  base::parallel_for(digests.size() / 32, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t from = i * kChunkBytes;
      const base::Digest digest = hash::keccak256(section.subspan(from, std::min(kChunkBytes, section.size() - from)));
      std::copy(digest.begin(), digest.end(), digests.begin() + static_cast<std::ptrdiff_t>(32 * i));
    }
  });
  return hash::keccak256(digests);
}

base::Digest content_id(const compile::Plan& plan, const statement::Statement& statement,
                        const model::TokenizerData& tokenizer, std::span<const base::Digest> checksums) {
  constexpr std::string_view kName = "avow/content/1";
  base::Bytes message(kName.begin(), kName.end());
  base::append(message, to_bytes(plan));
  base::append(message, statement_id(statement));
  base::append(message, tokenizer_digest(tokenizer));
  std::size_t next = 0;
  for (const SectionName& name : sections_of(plan)) {
    if (name.kind != Kind::kTensor) continue;
    AVOW_CHECK(next < checksums.size());
    base::append_be32(message, name.number);
    base::append(message, checksums[next++]);
  }
  AVOW_CHECK(next == checksums.size());
  return hash::keccak256(message);
}

}  // namespace avow::model_file
