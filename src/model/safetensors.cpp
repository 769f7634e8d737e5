// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "model/json_reader.hpp"

namespace avow::model {

using base::Err;
using base::Result;

namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the header's length is read as it lies in memory");

constexpr std::size_t kHeaderDepth = 3;  // tensors, their members, shapes

struct StoredType {
  std::string_view name;
  TensorType type;
  std::uint64_t bytes;
};

constexpr StoredType kStoredTypes[] = {
    {"F32", TensorType::kF32, 4},    {"F16", TensorType::kF16, 2},       {"BF16", TensorType::kBF16, 2},
    {"F64", TensorType::kOther, 8},  {"I64", TensorType::kOther, 8},     {"U64", TensorType::kOther, 8},
    {"I32", TensorType::kOther, 4},  {"U32", TensorType::kOther, 4},     {"I16", TensorType::kOther, 2},
    {"U16", TensorType::kOther, 2},  {"I8", TensorType::kOther, 1},      {"U8", TensorType::kOther, 1},
    {"BOOL", TensorType::kOther, 1}, {"F8_E4M3", TensorType::kOther, 1}, {"F8_E5M2", TensorType::kOther, 1},
};

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= safetensors_limits::kNameBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 32 && c < 127; });
}

class Parser {
 public:
  Parser(base::ByteView bytes, std::string_view file) : bytes_(bytes), file_(file) {}

  Result<std::vector<TensorView>, ReadError> run();

 private:
  bool fail(Cause cause, std::uint64_t offset, std::string reason) {
    error_ = ReadError{cause, std::string(file_), offset, std::move(reason)};
    return false;
  }
  // An error about a tensor; the header has no better offset than its own.
  bool fail(Cause cause, const std::string& tensor, std::string_view reason) {
    return fail(cause, 8, fmt::format("tensor '{}': {}", tensor, reason));
  }

  bool header(Json& json);
  bool tensor(const std::string& name, const Json& members);
  bool shape(TensorView& tensor, const Json& extents, std::uint64_t& elements);
  bool place(TensorView& tensor, const Json& offsets, std::uint64_t size);
  bool covers_the_file();

  base::ByteView bytes_;
  std::string_view file_;
  std::uint64_t data_ = 0;  // where tensor data start
  std::vector<TensorView> tensors_;
  std::optional<ReadError> error_;
};

bool Parser::header(Json& json) {
  if (bytes_.size() < 8) {
    return fail(Cause::kTruncated, bytes_.size(), "the length of the header needs 8 bytes");
  }
  std::uint64_t size;
  std::memcpy(&size, bytes_.data(), sizeof size);
  if (size > safetensors_limits::kHeaderBytes) {
    return fail(Cause::kCount, 0, fmt::format("a header of {} bytes is too long", size));
  }
  if (size > bytes_.size() - 8) {
    return fail(Cause::kTruncated, 0,
                fmt::format("the header needs {} bytes, but the file ends after {}", size, bytes_.size() - 8));
  }
  data_ = 8 + size;
  auto parsed = parse_json(bytes_.subspan(8, size), file_, 8, kHeaderDepth);
  if (!parsed.ok()) {
    error_ = parsed.error();
    return false;
  }
  json = std::move(parsed).value();
  if (json.size() > safetensors_limits::kTensors) {
    return fail(Cause::kCount, 8,
                fmt::format("{} tensors are more than {}", json.size(), safetensors_limits::kTensors));
  }
  return true;
}

bool Parser::shape(TensorView& tensor, const Json& extents, std::uint64_t& elements) {
  if (!extents.is_array()) return fail(Cause::kType, tensor.name, "the shape is not an array");
  if (extents.size() > safetensors_limits::kRank) {
    return fail(Cause::kCount, tensor.name, fmt::format("{} dimensions", extents.size()));
  }
  elements = 1;
  for (const Json& extent : extents) {
    if (!extent.is_number_unsigned()) return fail(Cause::kType, tensor.name, "a dimension is not a natural number");
    const auto value = extent.get<std::uint64_t>();
    // No type takes less than a byte for a value. Once it is 0 the product stays so.
    if (elements != 0 && value > bytes_.size() / elements) {
      return fail(Cause::kSize, tensor.name, "more values than the file can hold");
    }
    elements *= value;
    tensor.shape.push_back(value);
  }
  return true;
}

bool Parser::place(TensorView& tensor, const Json& offsets, std::uint64_t size) {
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    return fail(Cause::kType, tensor.name, "'data_offsets' is not an array of two natural numbers");
  }
  const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
  const std::uint64_t room = bytes_.size() - data_;
  if (begin > end) return fail(Cause::kValue, tensor.name, fmt::format("the data end at {}, before {}", end, begin));
  if (end > room) {
    return fail(Cause::kOutside, tensor.name, fmt::format("the data end at {} of {} bytes", end, room));
  }
  if (end - begin != size) {
    return fail(Cause::kSize, tensor.name,
                fmt::format("{} bytes of data, but type and shape need {}", end - begin, size));
  }
  tensor.offset = data_ + begin;
  tensor.bytes = bytes_.subspan(tensor.offset, size);
  return true;
}

bool Parser::tensor(const std::string& name, const Json& members) {
  if (!is_name(name)) return fail(Cause::kName, 8, "the name of a tensor is empty, too long or not printable ASCII");
  if (!members.is_object()) return fail(Cause::kType, name, "not an object");
  for (const auto& [key, value] : members.items()) {
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      return fail(Cause::kValue, name, fmt::format("unknown member '{}'", key.substr(0, 80)));
    }
  }
  if (members.size() != 3) return fail(Cause::kMissing, name, "not all of 'dtype', 'shape' and 'data_offsets'");
  const Json& type = members["dtype"];
  if (!type.is_string()) return fail(Cause::kType, name, "'dtype' is not a string");
  const auto& type_name = type.get_ref<const std::string&>();
  const auto* stored = std::find_if(std::begin(kStoredTypes), std::end(kStoredTypes),
                                    [&](const StoredType& known) { return known.name == type_name; });
  if (stored == std::end(kStoredTypes)) {
    return fail(Cause::kType, name, fmt::format("unknown type '{}'", type_name.substr(0, 80)));
  }
  TensorView tensor;
  tensor.name = name;
  tensor.type = stored->type;
  std::uint64_t elements = 1;
  // The product is at most 8 times the file's size.
  if (!shape(tensor, members["shape"], elements) || !place(tensor, members["data_offsets"], elements * stored->bytes)) {
    return false;
  }
  tensors_.push_back(std::move(tensor));
  return true;
}

bool Parser::covers_the_file() {
  std::sort(tensors_.begin(), tensors_.end(), [](const TensorView& a, const TensorView& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.bytes.size() < b.bytes.size();
  });
  std::uint64_t at = data_;
  for (const TensorView& tensor : tensors_) {
    if (tensor.offset < at) {
      return fail(Cause::kOverlap, tensor.offset, fmt::format("tensor '{}' overlaps the one before it", tensor.name));
    }
    if (tensor.offset > at) {
      return fail(Cause::kGap, at, fmt::format("bytes before tensor '{}' belong to no tensor", tensor.name));
    }
    at += tensor.bytes.size();
  }
  if (at != bytes_.size()) return fail(Cause::kGap, at, "bytes after the last tensor");
  return true;
}

Result<std::vector<TensorView>, ReadError> Parser::run() {
  Json json;
  bool good = header(json);
  for (auto entry = json.begin(); good && entry != json.end(); ++entry) {
    if (entry.key() == "__metadata__") {
      good = entry.value().is_object() || fail(Cause::kType, 8, "'__metadata__' is not an object");
    } else {
      good = tensor(entry.key(), entry.value());
    }
  }
  if (!good || !covers_the_file()) return Err{std::move(*error_)};
  return std::move(tensors_);
}

bool is_file_name(const std::string& name) {
  constexpr std::string_view kEnding = ".safetensors";
  return is_name(name) && name.size() > kEnding.size() && name.ends_with(kEnding) && name[0] != '.' &&
         name.find_first_of("/\\:") == std::string::npos;
}

}  // namespace

Result<std::vector<TensorView>, ReadError> parse_safetensors(base::ByteView bytes, std::string_view file) {
  return Parser(bytes, file).run();
}

Result<std::map<std::string, std::string>, ReadError> parse_safetensors_index(base::ByteView text,
                                                                              std::string_view file) {
  const auto refuse = [&](Cause cause, std::string reason) {
    return Err{ReadError{cause, std::string(file), 0, std::move(reason)}};
  };
  const auto json = parse_json(text, file, 0, kHeaderDepth);
  if (!json.ok()) return Err{json.error()};
  const auto found = json.value().find("weight_map");
  if (found == json.value().end()) return refuse(Cause::kMissing, "no key 'weight_map'");
  if (!found->is_object()) return refuse(Cause::kType, "'weight_map' is not an object");
  if (found->size() > safetensors_limits::kTensors) {
    return refuse(Cause::kCount,
                  fmt::format("{} tensors are more than {}", found->size(), safetensors_limits::kTensors));
  }
  std::map<std::string, std::string> files;
  for (const auto& [tensor, value] : found->items()) {
    if (!is_name(tensor)) {
      return refuse(Cause::kName, "the name of a tensor is empty, too long or not printable ASCII");
    }
    if (!value.is_string()) return refuse(Cause::kType, fmt::format("the file of tensor '{}' is not a string", tensor));
    const auto& name = value.get_ref<const std::string&>();
    if (!is_file_name(name)) {
      return refuse(Cause::kPath,
                    fmt::format("the file of tensor '{}' is not the plain name of a safetensors file", tensor));
    }
    files.emplace(tensor, name);
  }
  return files;
}

}  // namespace avow::model
