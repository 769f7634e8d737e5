// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "base/threads.hpp"
#include "compile/compile.hpp"
#include "compile/plan_bytes.hpp"
#include "hash/keccak.hpp"
#include "model/tokenizer.hpp"
#include "model_file/layout.hpp"
#include "model_file/model_file.hpp"
#include "statement/serialize.hpp"

namespace avow::model_file {

using base::ByteView;
using base::Err;
using compile::ModelTensor;
using model::Cause;
using model::ReadError;
using MaybeError = std::optional<ReadError>;

namespace {

struct Entry {
  std::uint32_t kind, number;
  std::uint64_t offset, size;
  base::Digest digest;
};

Entry entry_at(const std::uint8_t* bytes) {
  Entry entry{
      base::load_be32(bytes), base::load_be32(bytes + 4), base::load_be64(bytes + 8), base::load_be64(bytes + 16), {}};
  std::memcpy(entry.digest.data(), bytes + 24, entry.digest.size());
  return entry;
}

class FileReader {
 public:
  // Tensors refer to the bytes if there is somebody who keeps them.
  FileReader(ByteView bytes, std::shared_ptr<const void> keeper, const std::string& name)
      : bytes_(bytes), keeper_(std::move(keeper)), name_(name) {}

  base::Result<Opened, ReadError> run() {
    if (auto error = read_header()) return Err{*error};
    if (auto error = read_plan()) return Err{*error};
    if (auto error = read_small()) return Err{*error};
    for (std::size_t i = kFirstTensor; i < table_.size(); ++i) {
      if (auto error = read_tensor(i)) return Err{*error};
    }
    std::vector<base::Digest> checksums;
    for (std::size_t i = kFirstTensor; i < table_.size(); ++i) checksums.push_back(table_[i].digest);
    const auto& contents = opened_.contents;
    opened_.content = content_id(contents.model.plan, opened_.statement, contents.tokenizer, checksums);
    return std::move(opened_);
  }

 private:
  static constexpr std::size_t kFirstTensor = 4;
  static constexpr std::size_t kMaxSections = kFirstTensor + compile::kModelTensors;

  ReadError fail(Cause cause, std::uint64_t offset, std::string reason) const {
    return {cause, name_, offset, std::move(reason)};
  }

  MaybeError read_header() {
    if (bytes_.size() < kHeaderBytes) return fail(Cause::kTruncated, bytes_.size(), "the file ends in its header");
    if (!std::equal(kMagic.begin(), kMagic.end(), bytes_.begin())) {
      return fail(Cause::kMagic, 0, "this is no .avow file: make one with `avow model import`");
    }
    const std::uint32_t version = base::load_be32(&bytes_[8]), count = base::load_be32(&bytes_[12]);
    if (version != kVersion) return fail(Cause::kVersion, 8, fmt::format("version {} is not read", version));
    if (count < kFirstTensor || count > kMaxSections) return fail(Cause::kCount, 12, fmt::format("{} sections", count));
    const std::uint64_t size = base::load_be64(&bytes_[16]);
    if (size > bytes_.size()) {
      return fail(Cause::kTruncated, bytes_.size(), fmt::format("the file has {} of {} bytes", bytes_.size(), size));
    }
    if (size < bytes_.size()) return fail(Cause::kGap, size, "bytes follow the last section");
    const std::size_t table_bytes = count * kEntryBytes;
    if (bytes_.size() < kHeaderBytes + table_bytes) return fail(Cause::kTruncated, size, "the file ends in its table");
    const ByteView table = bytes_.subspan(kHeaderBytes, table_bytes);
    const base::Digest digest = hash::keccak256(table);
    if (!std::equal(digest.begin(), digest.end(), bytes_.begin() + 24)) {
      return fail(Cause::kValue, kHeaderBytes, "the table is damaged: its checksum differs");
    }
    opened_.id = hash::keccak256(bytes_.first(kHeaderBytes));
    return read_table(count);
  }

  // Sections follow each other in order, with zeros between.
  MaybeError read_table(std::size_t count) {
    std::uint64_t end = kHeaderBytes + count * kEntryBytes;
    for (std::size_t i = 0; i < count; ++i) {
      const Entry entry = entry_at(&bytes_[kHeaderBytes + i * kEntryBytes]);
      const std::uint64_t at = kHeaderBytes + i * kEntryBytes + 8;
      if (entry.offset != aligned(end)) return fail(Cause::kAlignment, at, "a section that is not where it must be");
      if (entry.offset > bytes_.size() || entry.size > bytes_.size() - entry.offset) {
        return fail(Cause::kOutside, at, "a section beyond the end of the file");
      }
      if (std::any_of(bytes_.begin() + static_cast<std::ptrdiff_t>(end),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(entry.offset), [](auto b) { return b != 0; })) {
        return fail(Cause::kGap, end, "bytes between two sections that are not 0");
      }
      end = entry.offset + entry.size;
      table_.push_back(entry);
    }
    if (end != bytes_.size()) return fail(Cause::kGap, end, "bytes that belong to no section");
    return std::nullopt;
  }

  [[nodiscard]] ByteView section(std::size_t i) const { return bytes_.subspan(table_[i].offset, table_[i].size); }

  MaybeError check(std::size_t i, const SectionName& name) const {
    if (checksum(section(i)) == table_[i].digest) return std::nullopt;
    return fail(Cause::kValue, table_[i].offset, fmt::format("{} is damaged: its checksum differs", to_text(name)));
  }

  MaybeError read_plan() {
    if (auto error = check(0, {Kind::kPlan, 0})) return error;
    auto plan = compile::plan_from_bytes(section(0));
    if (!plan) return fail(Cause::kValue, table_[0].offset, plan.error());
    opened_.contents.model.plan = plan.value();
    const auto names = sections_of(plan.value());
    if (names.size() != table_.size()) {
      return fail(Cause::kCount, 12, fmt::format("{} sections, {} of this plan", table_.size(), names.size()));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (SectionName{Kind{table_[i].kind}, table_[i].number} == names[i]) continue;
      return fail(Cause::kMissing, kHeaderBytes + i * kEntryBytes,
                  fmt::format("no {} where it must be", to_text(names[i])));
    }
    return std::nullopt;
  }

  MaybeError read_small() {
    for (const auto kind : {Kind::kStatement, Kind::kTokenizer, Kind::kAbout}) {
      if (auto error = check(static_cast<std::size_t>(kind) - 1, {kind, 0})) return error;
    }
    auto& contents = opened_.contents;
    auto statement = compile::compile(contents.model.plan);
    if (!statement) return fail(Cause::kUnsupported, table_[0].offset, "the plan: " + statement.error().text);
    opened_.statement = statement::unnamed(std::move(statement).value());
    const base::Bytes expected = serialize(opened_.statement);
    if (!std::equal(expected.begin(), expected.end(), section(1).begin(), section(1).end())) {
      return fail(Cause::kValue, table_[1].offset,
                  "the statement is not that of the plan: import the model again, if it is of another version");
    }
    auto tokenizer = model::tokenizer_from_canonical(section(2));
    if (!tokenizer) return fail(Cause::kValue, table_[2].offset, "the tokenizer: " + tokenizer.error().text);
    if (tokenizer.value().tokens.size() > contents.model.plan.vocabulary) {
      return fail(Cause::kValue, table_[2].offset, "the tokenizer has more tokens than the model has words");
    }
    const auto checked = model::Tokenizer::create(tokenizer.value());
    if (!checked) return fail(Cause::kValue, table_[2].offset, "the tokenizer: " + checked.error().text);
    contents.tokenizer = std::move(tokenizer).value();
    if (section(3).size() > kMaxAboutBytes) return fail(Cause::kCount, table_[3].offset, "a long text about the model");
    contents.about.assign(section(3).begin(), section(3).end());
    return std::nullopt;
  }

  MaybeError read_tensor(std::size_t i) {
    const ModelTensor tensor{static_cast<std::uint8_t>(table_[i].number)};
    const SectionName name{Kind::kTensor, table_[i].number};
    const std::uint64_t cells = cells_of(opened_.contents.model.plan, tensor);
    if (table_[i].size != cells * cell_bytes(tensor)) {
      return fail(Cause::kSize, table_[i].offset, fmt::format("{} has {} bytes", to_text(name), table_[i].size));
    }
    if (auto error = check(i, name)) return error;
    compile::Cells& out = opened_.contents.model.of(tensor);
    const bool good = is_wide(tensor) ? fill(i, tensor, out.wide) : fill(i, tensor, out.narrow);
    if (good) return std::nullopt;
    return fail(Cause::kValue, table_[i].offset, fmt::format("{} has a cell out of its range", to_text(name)));
  }

  // Whether all cells are in their range.
  template <typename T>
  bool fill(std::size_t i, ModelTensor tensor, compile::CellVector<T>& out) const {
    const ByteView bytes = section(i);
    const std::size_t count = bytes.size() / sizeof(T);
    if (keeper_) {
      // Sections are aligned, and so is the file in memory.
      out = {{reinterpret_cast<const T*>(bytes.data()), count}, keeper_};
    } else {
      out.own().resize(count);
      if (count > 0) std::memcpy(out.own().data(), bytes.data(), bytes.size());
    }
    const compile::CellRange range = range_of(tensor);
    const std::span<const T> cells = out.cells();
    std::atomic<bool> is_good{true};
    base::parallel_for(cells.size(), kChunkBytes, [&](std::size_t begin, std::size_t end) {
      bool good = true;
      for (const T cell : cells.subspan(begin, end - begin)) good &= cell >= range.least && cell <= range.largest;
      if (!good) is_good = false;
    });
    return is_good;
  }

  ByteView bytes_;
  std::shared_ptr<const void> keeper_;
  const std::string& name_;
  std::vector<Entry> table_;
  Opened opened_;
};

}  // namespace

base::Result<Opened, ReadError> from_bytes(ByteView bytes, const std::string& name) {
  return FileReader(bytes, nullptr, name).run();
}

base::Result<Opened, ReadError> open(const std::string& path) {
  auto opened = base::MappedFile::open(path);
  if (!opened) return Err{ReadError{Cause::kOpen, path, 0, opened.error()}};
  const auto file = std::make_shared<const base::MappedFile>(std::move(opened).value());
  return FileReader(file->bytes(), file, path).run();
}

}  // namespace avow::model_file
