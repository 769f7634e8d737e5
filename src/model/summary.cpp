// SPDX-License-Identifier: Apache-2.0
#include "model/summary.hpp"

#include <filesystem>
#include <map>
#include <utility>

#include "base/mapped_file.hpp"
#include "model/gguf.hpp"
#include "model/weights.hpp"

namespace avow::model {
namespace {

using base::Err;
using base::Result;

std::vector<StoredWeights> stored_weights(const Weights& weights) {
  std::map<TensorType, StoredWeights> by_type;
  for (std::size_t i = 0; i < kParts; ++i) {
    const Part part{static_cast<std::uint8_t>(i)};
    if (part == Part::kHead && weights.config().tied_head) continue;
    for (std::uint64_t layer = 0; layer < weights.count(part); ++layer) {
      const TensorType type = weights.stored_type(part, layer);
      StoredWeights& stored = by_type.try_emplace(type, StoredWeights{type, 0, 0, 0}).first->second;
      stored.tensors += 1;
      stored.values += weights.shape(part).rows * weights.shape(part).columns;
    }
  }
  std::vector<StoredWeights> out;
  for (auto& [type, stored] : by_type) {
    // Parts of one stored tensor need not be whole blocks, all of them together are.
    stored.bytes = stored.values / block_values(type) * block_bytes(type);
    out.push_back(stored);
  }
  return out;
}

// What a key of free text says; nothing that a model depends on.
std::string remark(const GgufFile& gguf, std::string_view key) {
  const auto text = gguf.text(key);
  return text ? std::string(text.value()) : std::string();
}

}  // namespace

std::uint64_t ModelSummary::values() const noexcept {
  std::uint64_t sum = 0;
  for (const StoredWeights& stored : weights) sum += stored.values;
  return sum;
}

std::uint64_t ModelSummary::bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const StoredWeights& stored : weights) sum += stored.bytes;
  return sum;
}

Result<ModelSummary, ReadError> summarise_model(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    const auto weights = Weights::open(path);
    if (!weights) return Err{weights.error()};
    return ModelSummary{weights.value().config(), stored_weights(weights.value()), {}, {}};
  }
  const auto file = base::MappedFile::open(path);
  if (!file) return Err{ReadError{Cause::kOpen, path, 0, file.error()}};
  const auto gguf = GgufFile::parse(file.value().bytes(), path);
  if (!gguf) return Err{gguf.error()};
  const auto weights = Weights::from_gguf(gguf.value());
  if (!weights) return Err{weights.error()};
  return ModelSummary{weights.value().config(), stored_weights(weights.value()), remark(gguf.value(), "general.name"),
                      remark(gguf.value(), "general.license")};
}

}  // namespace avow::model
