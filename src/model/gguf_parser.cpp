// SPDX-License-Identifier: Apache-2.0
// Parsing of GGUF: header, metadata, tensor infos, then the checks of tensors against each other and the file.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "model/gguf.hpp"
#include "model/quant_blocks.hpp"

namespace avow::model {

using base::Err;
using base::Result;

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie in memory");

// Names of all of ggml's tensor types by number, so that refusals can name them; empty: never used or withdrawn.
constexpr std::string_view kTypeNames[] = {
    "F32",    "F16",   "Q4_0",  "Q4_1",   "",      "",      "Q5_0",    "Q5_1",   "Q8_0",    "Q8_1",
    "Q2_K",   "Q3_K",  "Q4_K",  "Q5_K",   "Q6_K",  "Q8_K",  "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
    "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",    "I16",   "I32",     "I64",    "F64",     "IQ1_M",
    "BF16",   "",      "",      "",       "TQ1_0", "TQ2_0", "",        "",       "",        "MXFP4"};

TensorType tensor_type(std::uint32_t number) {
  switch (number) {
    case 0:
      return TensorType::kF32;
    case 1:
      return TensorType::kF16;
    case 2:
      return TensorType::kQ4Zero;
    case 3:
      return TensorType::kQ4One;
    case 6:
      return TensorType::kQ5Zero;
    case 7:
      return TensorType::kQ5One;
    case 8:
      return TensorType::kQ8Zero;
    case 12:
      return TensorType::kQ4K;
    case 13:
      return TensorType::kQ5K;
    case 14:
      return TensorType::kQ6K;
    case 30:
      return TensorType::kBF16;
    default:
      return TensorType::kOther;
  }
}

bool printable(base::ByteView text) {
  return std::all_of(text.begin(), text.end(), [](std::uint8_t c) { return c > 32 && c < 127; });
}

}  // namespace

// Each step returns false and leaves error_ if the file is refused.
class GgufParser {
 public:
  GgufParser(base::ByteView bytes, std::string_view file) : bytes_(bytes) { result_.file_ = file; }

  Result<GgufFile, ReadError> run() {
    if (!header() || !all_metadata() || !alignment() || !all_infos() || !place_tensors()) {
      return Err{std::move(*error_)};
    }
    return std::move(result_);
  }

 private:
  bool fail(Cause cause, std::uint64_t offset, std::string reason) {
    error_ = ReadError{cause, result_.file_, offset, std::move(reason)};
    return false;
  }
  [[nodiscard]] std::uint64_t left() const { return bytes_.size() - at_; }

  bool take(std::uint64_t size, base::ByteView& out, std::string_view what) {
    if (size > left()) {
      return fail(Cause::kTruncated, at_,
                  fmt::format("{} needs {} bytes, but the file ends after {}", what, size, left()));
    }
    out = bytes_.subspan(at_, size);
    at_ += size;
    return true;
  }

  template <typename T>
  bool integer(T& out, std::string_view what) {
    base::ByteView bytes;
    if (!take(sizeof out, bytes, what)) return false;
    std::memcpy(&out, bytes.data(), sizeof out);
    return true;
  }

  bool header();
  bool all_metadata();
  bool metadata();
  bool alignment();
  bool all_infos();
  bool info();
  bool shape(TensorView& tensor, std::uint64_t& elements);
  bool place_tensors();

  // A name of at most `limit` bytes: printable, so that errors can show it.
  bool name(std::uint64_t limit, std::string_view what, std::string_view& out);
  // Reads past `count` elements of `type`, checking what has to be.
  bool skip_elements(GgufType type, std::uint64_t count, std::string_view key);

  base::ByteView bytes_;
  std::uint64_t at_ = 0;
  std::uint64_t tensor_count_ = 0, metadata_count_ = 0, alignment_ = 32;
  GgufFile result_;
  std::optional<ReadError> error_;
};

bool GgufParser::header() {
  base::ByteView magic;
  std::uint32_t version = 0;
  if (!take(4, magic, "the magic number")) return false;
  if (std::memcmp(magic.data(), "GGUF", 4) != 0) return fail(Cause::kMagic, 0, "does not start with 'GGUF'");
  if (!integer(version, "the version")) return false;
  if (version != 2 && version != 3) {
    const bool swapped = (version & 0xffffu) == 0;
    return fail(Cause::kVersion, 4,
                swapped ? std::string("big-endian GGUF is not supported")
                        : fmt::format("GGUF version {} is not supported, only 2 and 3", version));
  }
  if (!integer(tensor_count_, "the number of tensors") || !integer(metadata_count_, "the number of keys")) return false;
  // The smallest entries: a key of one byte with a value of one byte, a tensor of one dimension.
  constexpr std::uint64_t kSmallestKey = 8 + 1 + 4 + 1, kSmallestTensor = 8 + 1 + 4 + 8 + 4 + 8;
  if (tensor_count_ > gguf_limits::kTensors || tensor_count_ > left() / kSmallestTensor) {
    return fail(Cause::kCount, 8, fmt::format("{} tensors are more than the file can hold", tensor_count_));
  }
  if (metadata_count_ > gguf_limits::kMetadata || metadata_count_ > left() / kSmallestKey) {
    return fail(Cause::kCount, 16, fmt::format("{} metadata keys are more than the file can hold", metadata_count_));
  }
  return true;
}

bool GgufParser::name(std::uint64_t limit, std::string_view what, std::string_view& out) {
  const std::uint64_t start = at_;
  std::uint64_t size = 0;
  if (!integer(size, what)) return false;
  if (size == 0 || size > limit) {
    return fail(Cause::kName, start, fmt::format("{} has {} bytes, not 1 to {}", what, size, limit));
  }
  base::ByteView text;
  if (!take(size, text, what)) return false;
  if (!printable(text)) return fail(Cause::kName, start + 8, fmt::format("{} is not printable ASCII", what));
  out = {reinterpret_cast<const char*>(text.data()), text.size()};  // NOLINT: bytes as characters
  return true;
}

bool GgufParser::skip_elements(GgufType type, std::uint64_t count, std::string_view key) {
  base::ByteView bytes;
  if (type == GgufType::kString) {
    for (std::uint64_t i = 0; i < count; ++i) {
      std::uint64_t size = 0;
      if (!integer(size, "the length of a string") || !take(size, bytes, "a string")) return false;
    }
    return true;
  }
  const std::uint64_t start = at_;
  if (!take(count * element_bytes(type), bytes, fmt::format("the value of '{}'", key))) return false;
  if (type == GgufType::kBool) {
    const auto bad = std::find_if(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b > 1; });
    if (bad != bytes.end()) {
      return fail(Cause::kValue, start + static_cast<std::uint64_t>(bad - bytes.begin()),
                  fmt::format("a bool of '{}' is neither 0 nor 1", key));
    }
  }
  return true;
}

bool GgufParser::metadata() {
  const std::uint64_t start = at_;
  std::string_view key;
  std::uint32_t type = 0;
  if (!name(gguf_limits::kKeyBytes, "a metadata key", key)) return false;
  if (!integer(type, "the type of a value")) return false;
  GgufValue value{GgufType{type}, type == static_cast<std::uint32_t>(GgufType::kArray), 1, {}, 0};
  if (value.is_array) {
    if (!integer(type, "the type of an array") || !integer(value.count, "the length of an array")) return false;
    value.type = GgufType{type};
    if (value.type == GgufType::kArray) {
      return fail(Cause::kUnsupported, start, fmt::format("metadata key '{}' is an array of arrays", key));
    }
  }
  if (type > static_cast<std::uint32_t>(GgufType::kF64)) {
    return fail(Cause::kType, start, fmt::format("metadata key '{}' has the unknown type {}", key, type));
  }
  // Strings take at least the 8 bytes of their length. After this check no product of count and size overflows.
  if (value.count > left() / element_bytes(value.type)) {
    return fail(Cause::kTruncated, start,
                fmt::format("metadata key '{}' has {} values, more than the file can hold", key, value.count));
  }
  value.offset = at_;
  if (!skip_elements(value.type, value.count, key)) return false;
  value.bytes = bytes_.subspan(value.offset, at_ - value.offset);
  if (!result_.metadata_.emplace(key, value).second) {
    return fail(Cause::kDuplicate, start, fmt::format("metadata key '{}' is there twice", key));
  }
  return true;
}

bool GgufParser::all_metadata() {
  for (std::uint64_t i = 0; i < metadata_count_; ++i) {
    if (!metadata()) return false;
  }
  return true;
}

bool GgufParser::alignment() {
  const auto found = result_.metadata_.find("general.alignment");
  if (found == result_.metadata_.end()) return true;
  const GgufValue& value = found->second;
  if (value.is_array || value.type != GgufType::kU32) {
    return fail(Cause::kType, value.offset, "metadata key 'general.alignment' is not u32");
  }
  std::uint32_t alignment;
  std::memcpy(&alignment, value.bytes.data(), sizeof alignment);
  if (!std::has_single_bit(alignment) || alignment < 8 || alignment > gguf_limits::kAlignment) {
    return fail(Cause::kValue, value.offset,
                fmt::format("the alignment {} is not a power of two from 8 on", alignment));
  }
  alignment_ = alignment;
  return true;
}

bool GgufParser::shape(TensorView& tensor, std::uint64_t& elements) {
  const std::uint64_t start = at_;
  std::uint32_t rank = 0;
  if (!integer(rank, "the rank of a tensor")) return false;
  if (rank == 0 || rank > gguf_limits::kRank) {
    return fail(Cause::kCount, start,
                fmt::format("tensor '{}' has {} dimensions, not 1 to {}", tensor.name, rank, gguf_limits::kRank));
  }
  elements = 1;
  tensor.shape.resize(rank);
  // The file has the fastest dimension first. No type takes less than a quarter of a byte for a value.
  for (std::uint32_t i = 0; i < rank; ++i) {
    std::uint64_t& extent = tensor.shape[rank - 1 - i];
    if (!integer(extent, "a dimension of a tensor")) return false;
    if (extent == 0) return fail(Cause::kValue, start, fmt::format("tensor '{}' has a dimension of 0", tensor.name));
    if (extent > 4 * bytes_.size() / elements) {
      return fail(Cause::kOutside, start,
                  fmt::format("tensor '{}' has more values than the file can hold", tensor.name));
    }
    elements *= extent;
  }
  return true;
}

bool GgufParser::info() {
  const std::uint64_t start = at_;
  std::string_view label;
  if (!name(gguf_limits::kNameBytes, "the name of a tensor", label)) return false;
  TensorView tensor;
  tensor.name = label;
  std::uint64_t elements = 1;
  std::uint32_t type = 0;
  if (!shape(tensor, elements)) return false;
  const std::uint64_t at_type = at_;
  if (!integer(type, "the type of a tensor") || !integer(tensor.offset, "the offset of a tensor")) return false;
  tensor.type = tensor_type(type);
  if (tensor.type == TensorType::kOther) {
    const bool known = type < std::size(kTypeNames) && !kTypeNames[type].empty();
    return known ? fail(Cause::kUnsupported, at_type,
                        fmt::format("tensor '{}': type {} is not supported", label, kTypeNames[type]))
                 : fail(Cause::kType, at_type, fmt::format("tensor '{}' has the unknown type {}", label, type));
  }
  if (tensor.shape.back() % block_values(tensor.type) != 0) {
    return fail(Cause::kShape, start,
                fmt::format("tensor '{}': rows of {} values are no whole blocks of {}", label, tensor.shape.back(),
                            model::name(tensor.type)));
  }
  if (tensor.offset % alignment_ != 0) {
    return fail(Cause::kAlignment, at_type + 4,
                fmt::format("tensor '{}' at {} is not aligned to {} bytes", label, tensor.offset, alignment_));
  }
  if (!result_.by_name_.emplace(label, result_.tensors_.size()).second) {
    return fail(Cause::kDuplicate, start, fmt::format("tensor '{}' is there twice", label));
  }
  result_.tensors_.push_back(std::move(tensor));
  return true;
}

bool GgufParser::all_infos() {
  for (std::uint64_t i = 0; i < tensor_count_; ++i) {
    if (!info()) return false;
  }
  return true;
}

bool GgufParser::place_tensors() {
  // at_ and the alignment are far below 2^63.
  const std::uint64_t base = (at_ + alignment_ - 1) / alignment_ * alignment_;
  std::vector<const TensorView*> order;
  for (TensorView& tensor : result_.tensors_) {
    std::uint64_t elements = 1;
    for (const std::uint64_t extent : tensor.shape) elements *= extent;
    const std::uint64_t size = elements / block_values(tensor.type) * block_bytes(tensor.type);
    const std::uint64_t room = bytes_.size() > base ? bytes_.size() - base : 0;
    if (tensor.offset > room || size > room - tensor.offset) {
      return fail(Cause::kOutside, base,
                  fmt::format("tensor '{}' needs {} bytes at {} of the data, which has {}", tensor.name, size,
                              tensor.offset, room));
    }
    tensor.offset += base;
    tensor.bytes = bytes_.subspan(tensor.offset, size);
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->offset != b->offset ? a->offset < b->offset : a < b; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->offset + order[i - 1]->bytes.size() > order[i]->offset) {
      return fail(Cause::kOverlap, order[i]->offset,
                  fmt::format("tensors '{}' and '{}' overlap", order[i - 1]->name, order[i]->name));
    }
  }
  return true;
}

Result<GgufFile, ReadError> GgufFile::parse(base::ByteView bytes, std::string_view file) {
  return GgufParser(bytes, file).run();
}

}  // namespace avow::model
