// SPDX-License-Identifier: Apache-2.0
#include "model/error.hpp"

#include <fmt/format.h>

namespace avow::model {

std::string to_text(const ReadError& error) {
  return fmt::format("{}: offset {}: {}", error.file, error.offset, error.reason);
}

}  // namespace avow::model
