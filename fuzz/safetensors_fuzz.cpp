// SPDX-License-Identifier: Apache-2.0
// Hugging Face folders in one input: a line of text is config.json, the rest a safetensors file. The rest is also read
// as an index. Where they are a model, every weight is decoded.
#include <algorithm>

#include "base/check.hpp"
#include "model/safetensors.hpp"
#include "model/weights.hpp"

namespace avow::model {
namespace {

template <typename T>
void look_at(const base::Result<T, ReadError>& result) {
  if (!result.ok()) AVOW_CHECK(!result.error().reason.empty() && result.error().file == "fuzz");
}

void check_tensors(const std::vector<TensorView>& tensors, base::ByteView bytes) {
  std::uint64_t at = tensors.empty() ? bytes.size() : tensors[0].offset;
  for (const TensorView& tensor : tensors) {
    AVOW_CHECK(tensor.offset == at);
    at += tensor.bytes.size();
    std::uint64_t values = 1;
    for (const std::uint64_t extent : tensor.shape) values *= extent;
    AVOW_CHECK(tensor.type == TensorType::kOther || values * block_bytes(tensor.type) == tensor.bytes.size());
  }
  AVOW_CHECK(at == bytes.size());
}

void run(base::ByteView input) {
  const auto end = static_cast<std::size_t>(std::find(input.begin(), input.end(), '\n') - input.begin());
  const base::ByteView text = input.first(end), rest = input.subspan(std::min(end + 1, input.size()));
  const auto index = parse_safetensors_index(rest, "fuzz");
  look_at(index);
  if (index.ok()) {
    for (const auto& [tensor, file] : index.value()) AVOW_CHECK(file.find('/') == std::string::npos && file[0] != '.');
  }
  const auto config = config_from_json(text, "fuzz");
  look_at(config);
  auto tensors = parse_safetensors(rest, "fuzz");
  look_at(tensors);
  if (tensors.ok()) check_tensors(tensors.value(), rest);
  if (!config.ok() || !tensors.ok()) return;
  AVOW_CHECK(!check_config(config.value(), "fuzz").has_value());
  const auto weights = Weights::from_safetensors(config.value(), std::move(tensors).value(), {"fuzz"});
  look_at(weights);
  if (!weights.ok()) return;
  for (std::size_t i = 0; i < kParts; ++i) {
    const Part part{static_cast<std::uint8_t>(i)};
    for (std::uint64_t layer = 0; layer < weights.value().count(part); ++layer) {
      look_at(weights.value().read(part, layer));
    }
  }
}

}  // namespace
}  // namespace avow::model

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::model::run({data, size});
  return 0;
}
