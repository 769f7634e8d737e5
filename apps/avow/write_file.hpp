// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace avow::app {

/// Writes a file under a temporary name beside it and renames it: a file under its own name is whole. The problem in
/// words, or nothing.
std::optional<std::string> write_file(const std::string& path, base::ByteView bytes);

/// Whether write_file could write there, so that it need not be found out after long work: nothing if it can.
std::optional<std::string> check_writable(const std::string& path);

/// Whether both are there and one file.
bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

/// The whole file, if it has at most so many bytes; else the problem in words.
base::Result<base::Bytes, std::string> read_file(const std::string& path, std::size_t most_bytes);

}  // namespace avow::app
