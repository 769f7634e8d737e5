// SPDX-License-Identifier: Apache-2.0
#include "market/texts.hpp"

#include "base/check.hpp"

namespace avow::market {
namespace {

using namespace std::string_view_literals;

struct EmbeddedText {
  std::string_view path, text;
};

constexpr EmbeddedText kTexts[] = {
#include "market/texts.inc"
};

}  // namespace

std::string_view embedded_text_or_none(std::string_view path) {
  for (const EmbeddedText& entry : kTexts) {
    if (entry.path == path) return entry.text;
  }
  return {};
}

std::string_view embedded_text(std::string_view path) {
  const std::string_view text = embedded_text_or_none(path);
  AVOW_CHECK(!text.empty());
  return text;
}

}  // namespace avow::market
