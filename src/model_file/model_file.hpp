// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/mapped_file.hpp"
#include "compile/tensors.hpp"
#include "model/error.hpp"
#include "model/tokenizer.hpp"
#include "statement/statement.hpp"

/// `.avow` files: spec/model_file.md.
namespace avow::model_file {

/// What a file holds.
struct Contents {
  compile::IntegerModel model;
  model::TokenizerData tokenizer;
  std::string about;
};

/// Writes the file in one piece: a temporary one beside it takes its name when all of it is on the disk. The problem in
/// words, or nothing. Requires a model that fits its plan.
[[nodiscard]] std::optional<std::string> write(const std::string& path, const Contents& contents);
/// Its bytes.
[[nodiscard]] base::Bytes to_bytes(const Contents& contents);

/// What the model is, whoever commits to it with whatever parameters, and whatever `about` says of it: its content id
/// (spec/answer.md section 3). Hashes all cells. Requires a model that fits its plan.
[[nodiscard]] base::Digest content_id(const Contents& contents);

/// An opened file: everything of it was checked, the checksums of tensors too.
struct Opened {
  Contents contents;
  statement::Statement statement;  ///< numbers for names
  base::Digest id{};
  base::Digest content{};  ///< content_id(), from the checksums
};
/// Maps the file, which stays mapped as long as a tensor of it lives: weights are read from the page cache, which all
/// processes share. As with any mapped file, nobody may write to it meanwhile; write() never does, it puts a new one in
/// its place.
[[nodiscard]] base::Result<Opened, model::ReadError> open(const std::string& path);
/// From bytes, of which everything is copied; `name` is for errors.
[[nodiscard]] base::Result<Opened, model::ReadError> from_bytes(base::ByteView bytes, const std::string& name);

}  // namespace avow::model_file
