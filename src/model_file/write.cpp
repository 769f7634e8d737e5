// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "base/new_file.hpp"
#include "compile/compile.hpp"
#include "compile/plan_bytes.hpp"
#include "hash/keccak.hpp"
#include "model_file/layout.hpp"
#include "model_file/model_file.hpp"
#include "statement/serialize.hpp"

namespace avow::model_file {

using base::Bytes;
using base::ByteView;

namespace {

static_assert(std::endian::native == std::endian::little, "cells are mapped as they lie in the file");

ByteView bytes_of(const compile::Cells& cells) {
  if (!cells.narrow.empty()) {
    return {reinterpret_cast<const std::uint8_t*>(cells.narrow.data()), cells.narrow.size() * 2};
  }
  return {reinterpret_cast<const std::uint8_t*>(cells.wide.data()), cells.wide.size() * 4};
}

statement::Statement statement_of(const compile::Plan& plan) {
  auto statement = compile::compile(plan);
  AVOW_CHECK(statement.ok());
  return statement::unnamed(std::move(statement).value());
}

Bytes small_section(const Contents& contents, Kind kind) {
  switch (kind) {
    case Kind::kPlan:
      return to_bytes(contents.model.plan);
    case Kind::kStatement:
      return serialize(statement_of(contents.model.plan));
    case Kind::kTokenizer:
      return canonical_bytes(contents.tokenizer);
    default:
      return {contents.about.begin(), contents.about.end()};
  }
}

ByteView tensor_section(const Contents& contents, std::uint32_t number) {
  const compile::ModelTensor tensor{static_cast<std::uint8_t>(number)};
  const ByteView bytes = bytes_of(contents.model.of(tensor));
  AVOW_CHECK(bytes.size() == cells_of(contents.model.plan, tensor) * cell_bytes(tensor));
  return bytes;
}

// Sections in order; small ones are kept, tensors lie where the model has them.
struct Section {
  SectionName name;
  Bytes own;
  ByteView bytes;
};

std::vector<Section> sections(const Contents& contents) {
  std::vector<Section> list;
  for (const SectionName& name : sections_of(contents.model.plan)) {
    Section section{name, {}, {}};
    if (name.kind == Kind::kTensor) {
      section.bytes = tensor_section(contents, name.number);
    } else {
      section.own = small_section(contents, name.kind);
      section.bytes = section.own;
    }
    list.push_back(std::move(section));
  }
  for (Section& section : list) {
    if (section.name.kind != Kind::kTensor) section.bytes = section.own;
  }
  return list;
}

// Passes the file's bytes on, piece by piece.
template <typename Sink>
bool write_to(const Contents& contents, const Sink& sink) {
  const std::vector<Section> list = sections(contents);
  Bytes table;
  std::size_t end = kHeaderBytes + list.size() * kEntryBytes;
  for (const Section& section : list) {
    const std::size_t offset = aligned(end);
    base::append_be32(table, static_cast<std::uint32_t>(section.name.kind));
    base::append_be32(table, section.name.number);
    base::append_be64(table, offset);
    base::append_be64(table, section.bytes.size());
    base::append(table, checksum(section.bytes));
    end = offset + section.bytes.size();
  }
  Bytes header(kMagic.begin(), kMagic.end());
  base::append_be32(header, kVersion);
  base::append_be32(header, static_cast<std::uint32_t>(list.size()));
  base::append_be64(header, end);
  base::append(header, hash::keccak256(table));
  if (!sink(header) || !sink(table)) return false;
  std::size_t at = header.size() + table.size();
  for (const Section& section : list) {
    if (!sink(Bytes(aligned(at) - at)) || !sink(section.bytes)) return false;
    at = aligned(at) + section.bytes.size();
  }
  return true;
}

}  // namespace

Bytes to_bytes(const Contents& contents) {
  Bytes out;
  write_to(contents, [&](ByteView bytes) {
    base::append(out, bytes);
    return true;
  });
  return out;
}

base::Digest content_id(const Contents& contents) {
  const compile::Plan& plan = contents.model.plan;
  std::vector<base::Digest> checksums;
  for (const SectionName& name : sections_of(plan)) {
    if (name.kind == Kind::kTensor) checksums.push_back(checksum(tensor_section(contents, name.number)));
  }
  return content_id(plan, statement_of(plan), contents.tokenizer, checksums);
}

std::optional<std::string> write(const std::string& path, const Contents& contents) {
  const base::NewFile file(path);
  if (!file.is_open()) return fmt::format("{} cannot be created: {}", path, std::strerror(errno));
  const bool is_written = write_to(contents, [&](ByteView bytes) { return file.append(bytes); });
  if (!is_written || !file.take_name()) {
    return fmt::format("{} cannot be written: {}", path, std::strerror(errno));
  }
  return std::nullopt;
}

}  // namespace avow::model_file
