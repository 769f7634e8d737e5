// SPDX-License-Identifier: Apache-2.0
// Writers of small model files for tests, sound ones and others.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "model/gguf.hpp"

namespace avow::model::testing {

/// A tensor of binary32 values with its row-major shape.
struct TinyTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;

  [[nodiscard]] base::Bytes bytes() const;
};

template <typename T>
void append_le(base::Bytes& out, T value) {
  const std::size_t old = out.size();
  out.resize(old + sizeof value);
  std::memcpy(out.data() + old, &value, sizeof value);
}

/// Writes GGUF files piece by piece; every piece can be wrong.
class GgufWriter {
 public:
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;
  std::string magic = "GGUF";
  std::uint64_t more_tensors = 0, more_keys = 0;  // claimed but not there

  void value(const std::string& key, GgufType type, const base::Bytes& bytes);
  void u32(const std::string& key, std::uint32_t v) { number(key, GgufType::kU32, v); }
  void f32(const std::string& key, float v) { number(key, GgufType::kF32, v); }
  template <typename T>
  void number(const std::string& key, GgufType type, T v) {
    base::Bytes bytes;
    append_le(bytes, v);
    value(key, type, bytes);
  }
  void text(const std::string& key, const std::string& v);
  /// `count` elements, already encoded.
  void array(const std::string& key, GgufType type, std::uint64_t count, const base::Bytes& elements);
  void texts(const std::string& key, const std::vector<std::string>& v);

  /// A tensor after the others, aligned.
  void tensor(const TinyTensor& tensor) { typed(tensor.name, tensor.shape, 0, tensor.bytes()); }
  void typed(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
             const base::Bytes& data);
  /// Only the entry of a tensor, at that offset of the data.
  void info(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type, std::uint64_t offset);

  [[nodiscard]] base::Bytes write() const;

 private:
  std::uint64_t keys_ = 0, tensors_ = 0;
  base::Bytes metadata_, infos_, data_;
};

/// A safetensors file of these tensors.
base::Bytes safetensors_of(const std::vector<TinyTensor>& tensors);
/// One with that header before that many bytes of zeros.
base::Bytes safetensors_of(const std::string& header, std::size_t data_bytes);

base::ByteView view(const std::string& text);

}  // namespace avow::model::testing
