// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "model/error.hpp"
#include "model/tensor.hpp"

namespace avow::model {

/// Types of metadata, with GGUF's numbers.
enum class GgufType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

/// Bytes of a value in an array; of strings, the bytes of their length.
[[nodiscard]] std::uint64_t element_bytes(GgufType type) noexcept;

/// A metadata value, undecoded: `count` values of `type` (never kArray), one after the other in `bytes`.
struct GgufValue {
  GgufType type;
  bool is_array;
  std::uint64_t count;
  base::ByteView bytes;
  std::uint64_t offset;  ///< of `bytes` in the file
};

/// Limits beyond those that the file's size sets.
namespace gguf_limits {
inline constexpr std::uint64_t kKeyBytes = 65535;
inline constexpr std::uint64_t kNameBytes = 64;
inline constexpr std::uint64_t kMetadata = 1 << 16;
inline constexpr std::uint64_t kTensors = 1 << 16;
inline constexpr std::uint64_t kRank = 4;
inline constexpr std::uint64_t kAlignment = 1 << 16;
}  // namespace gguf_limits

/// A GGUF file of version 2 or 3 (little-endian): its metadata and its tensors, checked against each other and against
/// the file's bytes, which it refers to and which must outlive it. Memory in use is at most proportional to the size of
/// the file. Tensor data may have gaps and a rest; it does not overlap.
class GgufFile {
 public:
  /// `file` names the file in errors.
  static base::Result<GgufFile, ReadError> parse(base::ByteView bytes, std::string_view file);

  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] const std::map<std::string_view, GgufValue>& metadata() const noexcept { return metadata_; }
  [[nodiscard]] const std::vector<TensorView>& tensors() const noexcept { return tensors_; }
  /// The tensor of that name, or nullptr.
  [[nodiscard]] const TensorView* tensor(std::string_view name) const noexcept;
  [[nodiscard]] bool has(std::string_view key) const noexcept { return metadata_.contains(key); }

  // What a key holds; kMissing if it is not there (the forms with a default return that instead), kType if it is of
  // another type, kValue if it is negative where a natural number is wanted, kNotFinite for NaN and infinity.

  [[nodiscard]] base::Result<std::uint64_t, ReadError> natural(std::string_view key) const;
  [[nodiscard]] base::Result<std::uint64_t, ReadError> natural(std::string_view key, std::uint64_t otherwise) const;
  [[nodiscard]] base::Result<double, ReadError> number(std::string_view key) const;
  [[nodiscard]] base::Result<double, ReadError> number(std::string_view key, double otherwise) const;
  [[nodiscard]] base::Result<bool, ReadError> truth(std::string_view key, bool otherwise) const;
  /// Views into the file; any bytes.
  [[nodiscard]] base::Result<std::string_view, ReadError> text(std::string_view key) const;
  [[nodiscard]] base::Result<std::vector<std::string_view>, ReadError> texts(std::string_view key) const;
  /// An array of integers of any type that fit, or of floating-point numbers.
  [[nodiscard]] base::Result<std::vector<std::int64_t>, ReadError> integers(std::string_view key) const;
  [[nodiscard]] base::Result<std::vector<float>, ReadError> numbers(std::string_view key) const;

  /// An error about that key (about the file, if it has none).
  [[nodiscard]] ReadError error(Cause cause, std::string_view key, std::string reason) const;

 private:
  friend class GgufParser;

  [[nodiscard]] base::Result<const GgufValue*, ReadError> find(std::string_view key, bool is_array) const;

  std::string file_;
  std::map<std::string_view, GgufValue> metadata_;
  std::vector<TensorView> tensors_;
  std::map<std::string_view, std::size_t> by_name_;  // views of names in the file
};

}  // namespace avow::model
