// SPDX-License-Identifier: Apache-2.0
#include "model/files_testing.hpp"

#include <fmt/format.h>

namespace avow::model::testing {
namespace {

void append_text(base::Bytes& out, const std::string& text) {
  append_le(out, std::uint64_t{text.size()});
  base::append(out, view(text));
}

}  // namespace

base::ByteView view(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};  // NOLINT: characters as bytes
}

base::Bytes TinyTensor::bytes() const {
  base::Bytes bytes;
  for (const float value : values) append_le(bytes, value);
  return bytes;
}

void GgufWriter::value(const std::string& key, GgufType type, const base::Bytes& bytes) {
  append_text(metadata_, key);
  append_le(metadata_, static_cast<std::uint32_t>(type));
  base::append(metadata_, bytes);
  ++keys_;
}

void GgufWriter::text(const std::string& key, const std::string& v) {
  base::Bytes bytes;
  append_text(bytes, v);
  value(key, GgufType::kString, bytes);
}

void GgufWriter::array(const std::string& key, GgufType type, std::uint64_t count, const base::Bytes& elements) {
  base::Bytes bytes;
  append_le(bytes, static_cast<std::uint32_t>(type));
  append_le(bytes, count);
  base::append(bytes, elements);
  value(key, GgufType::kArray, bytes);
}

void GgufWriter::texts(const std::string& key, const std::vector<std::string>& v) {
  base::Bytes bytes;
  for (const std::string& text : v) append_text(bytes, text);
  array(key, GgufType::kString, v.size(), bytes);
}

void GgufWriter::info(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                      std::uint64_t offset) {
  append_text(infos_, name);
  append_le(infos_, static_cast<std::uint32_t>(shape.size()));
  for (std::size_t i = shape.size(); i-- > 0;) append_le(infos_, shape[i]);
  append_le(infos_, type);
  append_le(infos_, offset);
  ++tensors_;
}

void GgufWriter::typed(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                       const base::Bytes& data) {
  data_.resize((data_.size() + alignment - 1) / alignment * alignment);
  info(name, shape, type, data_.size());
  base::append(data_, data);
}

base::Bytes GgufWriter::write() const {
  base::Bytes out;
  base::append(out, view(magic));
  append_le(out, version);
  append_le(out, tensors_ + more_tensors);
  append_le(out, keys_ + more_keys);
  base::append(out, metadata_);
  base::append(out, infos_);
  if (!data_.empty()) out.resize((out.size() + alignment - 1) / alignment * alignment);
  base::append(out, data_);
  return out;
}

base::Bytes safetensors_of(const std::string& header, std::size_t data_bytes) {
  base::Bytes out;
  append_text(out, header);
  out.resize(out.size() + data_bytes);
  return out;
}

base::Bytes safetensors_of(const std::vector<TinyTensor>& tensors) {
  std::string header = R"({"__metadata__":{"format":"pt"})";
  base::Bytes data;
  for (const TinyTensor& tensor : tensors) {
    const base::Bytes bytes = tensor.bytes();
    header += fmt::format(R"(,"{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})", tensor.name,
                          fmt::join(tensor.shape, ","), data.size(), data.size() + bytes.size());
    base::append(data, bytes);
  }
  base::Bytes out = safetensors_of(header + "}", 0);
  base::append(out, data);
  return out;
}

}  // namespace avow::model::testing
