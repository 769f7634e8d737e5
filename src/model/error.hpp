// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace avow::model {

/// Why a model file is refused; one value per cause.
enum class Cause : std::uint8_t {
  kOpen = 1,     ///< the system does not let us read the file
  kTruncated,    ///< the file ends inside of something
  kMagic,        ///< the file does not start as its format does
  kVersion,      ///< a version of the format that is not read
  kCount,        ///< more of something than the reader's limits allow
  kName,         ///< a key or name that is empty, too long or not printable ASCII
  kDuplicate,    ///< a key or tensor twice
  kType,         ///< a value of another type than its place needs, or of a type that does not exist
  kValue,        ///< a value that its place cannot have
  kAlignment,    ///< tensor data at an offset that is not aligned
  kOutside,      ///< tensor data beyond the end of the file
  kOverlap,      ///< bytes that belong to two tensors
  kGap,          ///< bytes that belong to no tensor, where the format has none
  kSize,         ///< tensor data of another size than type and shape need
  kJson,         ///< not JSON
  kDepth,        ///< JSON nested too deeply
  kPath,         ///< the name of a file that is not simply a name
  kMissing,      ///< a key, file or tensor that is needed is not there
  kShape,        ///< a tensor of another shape than the configuration needs
  kNotFinite,    ///< NaN or infinity
  kUnsupported,  ///< a part of a model that Avow does not support; the reason names it
};

/// A refusal: which file, at which byte (0 where the reason is no place in the file), and why in words.
struct ReadError {
  Cause cause;
  std::string file;
  std::uint64_t offset;
  std::string reason;
};

/// Nothing, or the reason why not.
using MaybeError = std::optional<ReadError>;

/// `file: offset N: reason`.
[[nodiscard]] std::string to_text(const ReadError& error);

}  // namespace avow::model
