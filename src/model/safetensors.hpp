// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "model/error.hpp"
#include "model/tensor.hpp"

namespace avow::model {

namespace safetensors_limits {
inline constexpr std::uint64_t kHeaderBytes = 100'000'000;
inline constexpr std::uint64_t kNameBytes = 512;
inline constexpr std::uint64_t kTensors = 1 << 16;
inline constexpr std::uint64_t kRank = 8;
}  // namespace safetensors_limits

/// A safetensors file: its tensors, whose data fill the file after the header without gap, overlap or rest, as the
/// format demands. Types other than F32, F16 and BF16 become TensorType::kOther. The tensors refer to `bytes`, which
/// must outlive them; memory in use is at most proportional to the file. `file` names the file in errors.
[[nodiscard]] base::Result<std::vector<TensorView>, ReadError> parse_safetensors(base::ByteView bytes,
                                                                                 std::string_view file);

/// The index of a model in several files (model.safetensors.index.json): which file has which tensor. Every file is a
/// plain name that ends in `.safetensors`: it cannot lead out of the index's folder.
[[nodiscard]] base::Result<std::map<std::string, std::string>, ReadError> parse_safetensors_index(
    base::ByteView text, std::string_view file);

}  // namespace avow::model
