// SPDX-License-Identifier: Apache-2.0
#include "model_file/model_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/folder_testing.hpp"
#include "base/random.hpp"
#include "base/test_stride.hpp"
#include "compile/compile.hpp"
#include "compile/plan_bytes.hpp"
#include "compile/plans_testing.hpp"
#include "hash/keccak.hpp"
#include "model_file/layout.hpp"
#include "statement/serialize.hpp"

namespace avow::model_file {
namespace {

using base::Bytes;
using compile::ModelTensor;
using model::Cause;

model::TokenizerData tokenizer() {
  model::TokenizerData data;
  data.kind = model::TokenizerKind::kByteLevelBpe;
  data.tokens = {"a", "b", "ab", "</s>"};
  data.types.assign(4, model::TokenType::kNormal);
  data.types[3] = model::TokenType::kControl;
  data.merges = {{0, 1}};
  data.pre_tokenizer = model::PreTokenizer::kGpt2;
  data.eos = 3;
  data.chat_template = "{{ messages }}";
  return data;
}

Contents contents(const compile::Plan& plan) {
  Contents made;
  made.model.plan = plan;
  made.tokenizer = tokenizer();
  made.about = "name: random\nlicence: none\n";
  base::SplitMix64 random(7);
  for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
    const ModelTensor tensor{static_cast<std::uint8_t>(i)};
    const auto [least, largest] = range_of(tensor);
    const auto span = static_cast<std::uint64_t>(largest - least) + 1;
    auto& cells = made.model.of(tensor);
    for (std::uint64_t k = 0; k < cells_of(plan, tensor); ++k) {
      const std::int64_t cell = least + static_cast<std::int64_t>(random() % span);
      if (is_wide(tensor)) {
        cells.wide.own().push_back(static_cast<std::int32_t>(cell));
      } else {
        cells.narrow.own().push_back(static_cast<std::int16_t>(cell));
      }
    }
  }
  return made;
}

const Contents& llama() {
  static const Contents kMade = contents(compile::small_plans()[0].second);
  return kMade;
}

void expect_equal(const Contents& a, const Contents& b) {
  EXPECT_EQ(a.model.plan, b.model.plan);
  EXPECT_EQ(a.model.cells, b.model.cells);
  EXPECT_EQ(a.tokenizer, b.tokenizer);
  EXPECT_EQ(a.about, b.about);
}

// The cause, or nothing if the bytes are accepted.
std::optional<Cause> cause_of(base::ByteView bytes) {
  const auto opened = from_bytes(bytes, "test");
  if (opened) return std::nullopt;
  EXPECT_EQ(opened.error().file, "test");
  EXPECT_FALSE(opened.error().reason.empty());
  return opened.error().cause;
}

// The bytes with a change of section i, its checksum and the table's made right again.
Bytes with_section(Bytes bytes, std::size_t i,
                   const std::function<void(std::uint8_t* data, std::size_t size)>& change) {
  std::uint8_t* entry = bytes.data() + kHeaderBytes + i * kEntryBytes;
  const std::size_t offset = base::load_be64(entry + 8), size = base::load_be64(entry + 16);
  change(bytes.data() + offset, size);
  const base::Digest digest = checksum({bytes.data() + offset, size});
  std::copy(digest.begin(), digest.end(), entry + 24);
  const std::size_t count = base::load_be32(&bytes[12]);
  const base::Digest table = hash::keccak256({bytes.data() + kHeaderBytes, count * kEntryBytes});
  std::copy(table.begin(), table.end(), bytes.begin() + 24);
  return bytes;
}

// The same of one number of an entry of the table: 0 its kind, 4 its number, 8 its offset, 16 its size.
Bytes with_entry(Bytes bytes, std::size_t i, std::size_t field, std::uint64_t add) {
  std::uint8_t* at = bytes.data() + kHeaderBytes + i * kEntryBytes + field;
  if (field < 8) {
    base::store_be32(at, static_cast<std::uint32_t>(base::load_be32(at) + add));
  } else {
    base::store_be64(at, base::load_be64(at) + add);
  }
  return with_section(std::move(bytes), 0, [](std::uint8_t*, std::size_t) {});
}

TEST(ModelFile, ComesBack) {
  for (const auto& [name, plan] : compile::small_plans()) {
    const Contents made = contents(plan);
    const Bytes bytes = to_bytes(made);
    const auto opened = from_bytes(bytes, name);
    ASSERT_TRUE(opened.ok()) << name << ": " << opened.error().reason;
    expect_equal(opened.value().contents, made);
    EXPECT_EQ(to_bytes(opened.value().contents), bytes);
    EXPECT_EQ(opened.value().statement, statement::unnamed(compile::compile(plan).value()));
    EXPECT_EQ(opened.value().id, hash::keccak256({bytes.data(), kHeaderBytes}));
    EXPECT_EQ(opened.value().content, content_id(made));
  }
}

TEST(ModelFile, IsWrittenInOnePiece) {
  const base::testing::ScratchFolder folder;
  const std::string path = folder / "model.avow";
  EXPECT_EQ(write(path, llama()), std::nullopt);
  EXPECT_EQ(write(path, llama()), std::nullopt);  // over an older one
  const auto opened = open(path);
  ASSERT_TRUE(opened.ok()) << opened.error().reason;
  expect_equal(opened.value().contents, llama());
  // Its tensors are those of the file, which stays as it is when another takes its name.
  EXPECT_EQ(write(path, contents(compile::small_plans().back().second)), std::nullopt);
  expect_equal(opened.value().contents, llama());
  for (const compile::Cells& cells : opened.value().contents.model.cells) {
    EXPECT_TRUE((cells.narrow.empty() || !cells.narrow.is_own()) && (cells.wide.empty() || !cells.wide.is_own()));
  }
  const std::filesystem::directory_iterator files(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);  // and no temporary one
  EXPECT_NE(write(folder / "nowhere" / "model.avow", llama()), std::nullopt);
  EXPECT_EQ(open(folder / "other.avow").error().cause, Cause::kOpen);
}

TEST(ModelFile, IsRefusedAtEveryLength) {
  const Bytes bytes = to_bytes(llama());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_EQ(cause_of({bytes.data(), length}), Cause::kTruncated) << length;
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(cause_of(longer), Cause::kGap);
}

TEST(ModelFile, IsRefusedWithAnyByteChanged) {
  const Bytes bytes = to_bytes(llama());
  base::SplitMix64 random(3);
  const std::size_t head = kHeaderBytes + 10 * kEntryBytes;
  for (std::size_t i = 0; i < 900; i += base::kTestStride) {
    Bytes changed = bytes;
    changed[i < head ? i : random() % bytes.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
    EXPECT_NE(cause_of(changed), std::nullopt);
  }
}

TEST(ModelFile, EveryRuleOfTheLayoutIsChecked) {
  const Bytes good = to_bytes(llama());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes = good;
    bytes[at] = value;
    return cause_of(bytes);
  };
  EXPECT_EQ(with(0, 'a'), Cause::kMagic);
  EXPECT_EQ(with(11, 2), Cause::kVersion);
  EXPECT_EQ(with(15, 3), Cause::kCount);
  EXPECT_EQ(with(15, 200), Cause::kCount);
  EXPECT_EQ(with(16, 1), Cause::kTruncated);
  EXPECT_EQ(with(24, good[24] ^ 1), Cause::kValue);
  EXPECT_EQ(cause_of(with_entry(good, 2, 8, 64)), Cause::kAlignment);
  EXPECT_EQ(cause_of(with_entry(good, 3, 16, std::uint64_t{1} << 40)), Cause::kOutside);
  EXPECT_EQ(cause_of(with_entry(good, 3, 16, ~std::uint64_t{0} - 100)), Cause::kOutside);
  EXPECT_EQ(cause_of(with_entry(good, base::load_be32(&good[12]) - 1, 16, ~std::uint64_t{1})), Cause::kGap);
  EXPECT_EQ(cause_of(with_entry(good, 1, 0, 1)), Cause::kMissing);
  EXPECT_EQ(cause_of(with_entry(good, 5, 4, 1)), Cause::kMissing);
  const std::size_t plan_end = base::load_be64(&good[kHeaderBytes + 8]) + base::load_be64(&good[kHeaderBytes + 16]);
  ASSERT_NE(plan_end % kAlignment, 0U);
  EXPECT_EQ(with(plan_end, 1), Cause::kGap);
}

TEST(ModelFile, EverySectionIsChecked) {
  const Bytes good = to_bytes(llama());
  const auto set_first = [&](std::size_t section, std::uint8_t value) {
    return cause_of(with_section(good, section, [&](std::uint8_t* data, std::size_t) { data[0] = value; }));
  };
  EXPECT_EQ(set_first(0, 3), Cause::kValue);    // a plan of another version
  EXPECT_EQ(set_first(1, 1), Cause::kValue);    // another statement
  EXPECT_EQ(set_first(2, 'A'), Cause::kValue);  // no tokenizer
  EXPECT_EQ(set_first(3, 'N'), std::nullopt);   // any text will do
  const auto names = sections_of(llama().model.plan);
  for (std::size_t i = 4; i < names.size(); ++i) {
    const ModelTensor tensor{static_cast<std::uint8_t>(names[i].number)};
    const auto beyond = with_section(good, i, [&](std::uint8_t* data, std::size_t size) {
      data += size - cell_bytes(tensor);
      const std::int64_t cell = range_of(tensor).least - 1;
      std::memcpy(data, &cell, cell_bytes(tensor));
    });
    EXPECT_EQ(cause_of(beyond), Cause::kValue) << name_of(tensor);
  }
  // Another plan, whose tensors are of other sizes or not there.
  const auto with_plan = [&](auto&& change) {
    compile::Plan plan = llama().model.plan;
    change(plan);
    const Bytes bytes = to_bytes(plan);
    return cause_of(
        with_section(good, 0, [&](std::uint8_t* data, std::size_t) { std::copy(bytes.begin(), bytes.end(), data); }));
  };
  EXPECT_EQ(with_plan([](auto& plan) { plan.query_shift += 1; }), Cause::kValue);
  EXPECT_EQ(with_plan([](auto& plan) { plan.tied = false; }), Cause::kMissing);
  EXPECT_EQ(with_plan([](auto& plan) { plan.qkv_bias = true; }), Cause::kCount);
}

// The content id is the model's: it changes with each part of it, and with nothing else of the file.
TEST(ModelFile, ContentIdsAreThoseOfModels) {
  const base::Digest id = content_id(llama());
  const auto changed = [](const std::function<void(Contents&)>& change) {
    Contents made = llama();
    change(made);
    return content_id(made);
  };
  EXPECT_EQ(changed([](Contents& made) { made.about = "another text"; }), id);
  EXPECT_NE(changed([](Contents& made) { made.model.plan.query_shift += 1; }), id);
  EXPECT_NE(changed([](Contents& made) { made.tokenizer.chat_template.clear(); }), id);
  for (const SectionName& name : sections_of(llama().model.plan)) {
    if (name.kind != Kind::kTensor) continue;
    const auto cell = [&](Contents& made) {
      compile::Cells& cells = made.model.of(ModelTensor{static_cast<std::uint8_t>(name.number)});
      if (cells.wide.empty()) {
        cells.narrow.own().back() ^= 1;
      } else {
        cells.wide.own().back() ^= 1;
      }
    };
    EXPECT_NE(changed(cell), id) << to_text(name);
  }
  // Spelled out once.
  const std::string start = "avow/content/1";
  Bytes message(start.begin(), start.end());
  base::append(message, to_bytes(llama().model.plan));
  base::append(message, statement::statement_id(statement::unnamed(compile::compile(llama().model.plan).value())));
  base::append(message, model::tokenizer_digest(llama().tokenizer));
  const Bytes file = to_bytes(llama());
  for (std::size_t at = kHeaderBytes + 4 * kEntryBytes; base::load_be32(&file[at]) == 5; at += kEntryBytes) {
    base::append(message, {&file[at + 4], 4});
    base::append(message, {&file[at + 24], 32});
  }
  EXPECT_EQ(hash::keccak256(message), id);
}

TEST(ModelFile, ATokenizerLargerThanTheModelIsRefused) {
  Contents made = llama();
  while (made.tokenizer.tokens.size() <= made.model.plan.vocabulary) {
    made.tokenizer.tokens.push_back("x" + std::string(made.tokenizer.tokens.size(), 'y'));
    made.tokenizer.types.push_back(model::TokenType::kUnused);
  }
  EXPECT_EQ(cause_of(to_bytes(made)), Cause::kValue);
}

}  // namespace
}  // namespace avow::model_file
