// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "model/tokenizer_load.hpp"

namespace avow::app {

struct ModelShowOptions {
  std::string path;
  bool json = false;
};
/// Prints what a model file holds, and what is wrong with it to stderr; the exit code.
int show_model(const ModelShowOptions& options);

struct ModelTokenizeOptions {
  std::string path;
  std::string text;
  std::string file;  ///< of the text; then `text` is not used
  std::string system;
  bool chat = false;
  bool parse_special = false;
  bool unknown = false;
  bool json = false;
};
/// Prints the ids and pieces of a text; the exit code.
int tokenize_text(const ModelTokenizeOptions& options);

/// kEnvironment if the system does not let us read the file, kNo if what it holds is refused.
int exit_code_of(model::Cause cause);
int exit_code_of(const model::TokenizerFileError& error);

/// Foreign bytes for a terminal: letters and signs as they are; what would move the cursor, turn the writing direction
/// or be no UTF-8 as \xNN, a line break as \n.
std::string printable(std::string_view bytes);
/// A model's text for stdout, as it comes: on a terminal without what would move its cursor, else untouched.
std::string streamed(std::string_view bytes);

}  // namespace avow::app
