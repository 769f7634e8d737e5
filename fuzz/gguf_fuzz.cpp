// SPDX-License-Identifier: Apache-2.0
// GGUF files: parsed, every key read as everything it may be, and where they are models, every weight decoded; where
// they have a tokenizer, it is made.
#include "base/check.hpp"
#include "model/tokenizer_load.hpp"
#include "model/weights.hpp"

namespace avow::model {
namespace {

template <typename T>
void look_at(const base::Result<T, ReadError>& result) {
  if (!result.ok()) AVOW_CHECK(!result.error().reason.empty() && result.error().file == "fuzz");
}

void read_keys(const GgufFile& gguf) {
  for (const auto& [key, value] : gguf.metadata()) {
    look_at(gguf.natural(key));
    look_at(gguf.number(key));
    look_at(gguf.truth(key, false));
    look_at(gguf.text(key));
    look_at(gguf.texts(key));
    look_at(gguf.integers(key));
    look_at(gguf.numbers(key));
  }
}

void check_tensors(const GgufFile& gguf, base::ByteView bytes) {
  for (const TensorView& tensor : gguf.tensors()) {
    AVOW_CHECK(gguf.tensor(tensor.name) == &tensor);
    std::uint64_t values = 1;
    for (const std::uint64_t extent : tensor.shape) values *= extent;
    AVOW_CHECK(values % block_values(tensor.type) == 0);
    AVOW_CHECK(values / block_values(tensor.type) * block_bytes(tensor.type) == tensor.bytes.size());
    AVOW_CHECK(tensor.offset + tensor.bytes.size() <= bytes.size());
    AVOW_CHECK(tensor.bytes.data() == bytes.data() + tensor.offset);
  }
}

void run(base::ByteView bytes) {
  const auto gguf = GgufFile::parse(bytes, "fuzz");
  look_at(gguf);
  if (!gguf.ok()) return;
  read_keys(gguf.value());
  check_tensors(gguf.value(), bytes);
  const auto tokenizer = load_tokenizer(gguf.value());
  if (!tokenizer.ok()) {
    AVOW_CHECK(!tokenizer.error().reason.empty() && tokenizer.error().offset <= bytes.size());
  }
  const auto weights = Weights::from_gguf(gguf.value());
  look_at(weights);
  if (!weights.ok()) return;
  AVOW_CHECK(!check_config(weights.value().config(), "fuzz").has_value());
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
