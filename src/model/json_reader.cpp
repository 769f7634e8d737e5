// SPDX-License-Identifier: Apache-2.0
#include "model/json_reader.hpp"

#include "base/json.hpp"

namespace avow::model {
namespace {

using Json = nlohmann::json;

Cause cause_of(base::JsonFault fault) {
  switch (fault) {
    case base::JsonFault::kSyntax:
    case base::JsonFault::kValues:  // of which any number is taken here
      break;
    case base::JsonFault::kDuplicate:
      return Cause::kDuplicate;
    case base::JsonFault::kDepth:
      return Cause::kDepth;
  }
  return Cause::kJson;
}

}  // namespace

base::Result<Json, ReadError> parse_json(base::ByteView text, std::string_view file, std::uint64_t offset,
                                         std::size_t depth) {
  auto parsed =
      base::parse_json({reinterpret_cast<const char*>(text.data()), text.size()}, depth, base::JsonTop::kObject);
  if (!parsed) {
    const base::JsonError& error = parsed.error();
    return base::Err{ReadError{cause_of(error.fault), std::string(file), offset + error.position, error.reason}};
  }
  return std::move(parsed).value();
}

}  // namespace avow::model
