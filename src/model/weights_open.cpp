// SPDX-License-Identifier: Apache-2.0
// Opening model files and folders.
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "model/safetensors.hpp"
#include "model/weights.hpp"

namespace avow::model {

using base::Err;
using base::MappedFile;
using base::Result;

namespace {

Result<MappedFile, ReadError> map_file(const std::string& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped.ok()) return Err{ReadError{Cause::kOpen, path, 0, mapped.error()}};
  return std::move(mapped).value();
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// A folder's safetensors files and their tensors.
struct Folder {
  std::vector<MappedFile> mapped;
  std::vector<std::string> files;
  std::vector<TensorView> tensors;

  MaybeError add(const std::string& path);
};

MaybeError Folder::add(const std::string& path) {
  auto file = map_file(path);
  if (!file.ok()) return file.error();
  auto parsed = parse_safetensors(file.value().bytes(), path);
  if (!parsed.ok()) return parsed.error();
  for (TensorView& tensor : parsed.value()) {
    tensor.file = static_cast<std::uint32_t>(files.size());
    tensors.push_back(std::move(tensor));
  }
  files.push_back(path);
  mapped.push_back(std::move(file).value());
  return std::nullopt;
}

// The files that an index names; what they hold must be what the index says.
MaybeError add_indexed(Folder& folder, const std::string& path, const std::string& index_path) {
  const auto index_file = map_file(index_path);
  if (!index_file.ok()) return index_file.error();
  const auto index = parse_safetensors_index(index_file.value().bytes(), index_path);
  if (!index.ok()) return index.error();
  std::set<std::string> names;
  for (const auto& [tensor, name] : index.value()) names.insert(name);
  for (const std::string& name : names) {
    if (auto error = folder.add(fmt::format("{}/{}", path, name))) return error;
  }
  for (const TensorView& tensor : folder.tensors) {
    const auto entry = index.value().find(tensor.name);
    if (entry == index.value().end() || path + "/" + entry->second != folder.files[tensor.file]) {
      return ReadError{Cause::kValue, folder.files[tensor.file], tensor.offset,
                       fmt::format("tensor '{}' is not in this file by the index", tensor.name)};
    }
  }
  // Every name is in its own file at most once, and in no other file: equal counts mean that all are there.
  if (folder.tensors.size() != index.value().size()) {
    return ReadError{
        Cause::kMissing, index_path, 0,
        fmt::format("{} tensors in the index, {} in the files", index.value().size(), folder.tensors.size())};
  }
  return std::nullopt;
}

}  // namespace

Result<Weights, ReadError> Weights::open(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) {
    auto file = map_file(path);
    if (!file.ok()) return Err{file.error()};
    const auto gguf = GgufFile::parse(file.value().bytes(), path);
    if (!gguf.ok()) return Err{gguf.error()};
    auto weights = from_gguf(gguf.value());
    if (weights.ok()) weights.value().mapped_.push_back(std::move(file).value());
    return weights;
  }
  const auto config_file = map_file(path + "/config.json");
  if (!config_file.ok()) return Err{config_file.error()};
  auto config = config_from_json(config_file.value().bytes(), path + "/config.json");
  if (!config.ok()) return Err{config.error()};
  Folder folder;
  const std::string single = path + "/model.safetensors", index = single + ".index.json";
  auto error = exists(single) || !exists(index) ? folder.add(single) : add_indexed(folder, path, index);
  if (error) return Err{std::move(*error)};
  auto weights = from_safetensors(std::move(config).value(), std::move(folder.tensors), std::move(folder.files));
  if (weights.ok()) weights.value().mapped_ = std::move(folder.mapped);
  return weights;
}

}  // namespace avow::model
