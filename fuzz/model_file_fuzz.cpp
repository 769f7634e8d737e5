// SPDX-License-Identifier: Apache-2.0
// Model files: raw bytes of a file, a plan, a tokenizer; and an honest file with changes whose checksums were made
// right, as anybody can. What is accepted is written again as it was.
#include "base/check.hpp"
#include "compile/plan_bytes.hpp"
#include "hash/keccak.hpp"
#include "input.hpp"
#include "model_file/layout.hpp"
#include "model_file/model_file.hpp"

namespace avow::model_file {
namespace {

compile::Plan tiny_plan() {
  compile::Plan plan;
  plan.tied = true;
  plan.layers = plan.kv_heads = plan.group = 1;
  plan.width = plan.head_size = plan.hidden = plan.context = 2;
  plan.vocabulary = 3;
  plan.stream_bits = 20, plan.mix_shift = 32, plan.product_bits = 20, plan.logit_bits = 10, plan.overflow_bits = 10;
  plan.norm_epsilon = 1;
  return plan;
}

Contents honest() {
  Contents made;
  made.model.plan = tiny_plan();
  made.tokenizer.kind = model::TokenizerKind::kByteLevelBpe;
  made.tokenizer.tokens = {"a", "b", "ab"};
  made.tokenizer.types.assign(3, model::TokenType::kNormal);
  made.tokenizer.merges = {{0, 1}};
  for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
    const compile::ModelTensor tensor{static_cast<std::uint8_t>(i)};
    auto& cells = made.model.of(tensor);
    const std::uint64_t count = cells_of(made.model.plan, tensor);
    if (is_wide(tensor)) {
      cells.wide.own().resize(count);
    } else {
      cells.narrow.own().resize(count);
    }
  }
  return made;
}

void repair(base::Bytes& bytes, std::size_t section) {
  std::uint8_t* entry = bytes.data() + kHeaderBytes + section * kEntryBytes;
  const std::uint64_t offset = base::load_be64(entry + 8), size = base::load_be64(entry + 16);
  if (offset <= bytes.size() && size <= bytes.size() - offset) {
    const base::Digest digest = checksum({bytes.data() + offset, size});
    std::copy(digest.begin(), digest.end(), entry + 24);
  }
  const base::Digest table = hash::keccak256({bytes.data() + kHeaderBytes, base::load_be32(&bytes[12]) * kEntryBytes});
  std::copy(table.begin(), table.end(), bytes.begin() + 24);
}

void check_file(base::ByteView bytes) {
  const auto opened = from_bytes(bytes, "fuzz");
  if (!opened) {
    AVOW_CHECK(!opened.error().reason.empty());
    return;
  }
  const base::Bytes again = to_bytes(opened.value().contents);
  AVOW_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

// Changes of the table or of one of the first sections, whose bytes are structured.
void change_file(fuzz::Input& input) {
  static const base::Bytes kGood = to_bytes(honest());
  base::Bytes bytes = kGood;
  const std::size_t section = input.below(4);
  const std::uint8_t* entry = bytes.data() + kHeaderBytes + section * kEntryBytes;
  const std::uint64_t offset = base::load_be64(entry + 8), size = base::load_be64(entry + 16);
  while (!input.empty()) {
    const bool in_table = input.byte() % 4 == 0 || size == 0;
    const std::size_t at =
        in_table ? kHeaderBytes + section * kEntryBytes + input.below(24) : offset + input.below(size);
    bytes[at] = input.byte();
  }
  repair(bytes, section);
  check_file(bytes);
}

void run(base::ByteView bytes) {
  fuzz::Input input(bytes);
  switch (input.byte() % 4) {
    case 0:
      return check_file(input.rest());
    case 1: {
      const auto plan = compile::plan_from_bytes(input.rest());
      if (plan) AVOW_CHECK(std::ranges::equal(to_bytes(plan.value()), input.rest()));
      return;
    }
    case 2: {
      const auto tokenizer = model::tokenizer_from_canonical(input.rest());
      if (!tokenizer) return;
      AVOW_CHECK(std::ranges::equal(canonical_bytes(tokenizer.value()), input.rest()));
      const auto made = model::Tokenizer::create(tokenizer.value());
      if (!made) AVOW_CHECK(!made.error().text.empty());
      return;
    }
    default:
      return change_file(input);
  }
}

}  // namespace
}  // namespace avow::model_file

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::model_file::run({data, size});
  return 0;
}
