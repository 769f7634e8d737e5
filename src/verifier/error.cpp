// SPDX-License-Identifier: Apache-2.0
#include "verifier/error.hpp"

#include <fmt/format.h>

namespace avow::verifier {
namespace {

constexpr unsigned kLookupBase = static_cast<unsigned>(Check::kLookup);
constexpr unsigned kOpeningBase = static_cast<unsigned>(Check::kOpening);

}  // namespace

Rejection rejection_of(const lookup::Rejection& rejection) {
  return {static_cast<Check>(kLookupBase + static_cast<unsigned>(rejection.check)), rejection.layer, {}};
}

Rejection rejection_of(const pcs::Rejection& rejection) {
  return {static_cast<Check>(kOpeningBase + static_cast<unsigned>(rejection.check)), rejection.oracle, {}};
}

const char* name(Check check) noexcept {
  const auto value = static_cast<unsigned>(check);
  if (value > kOpeningBase) return pcs::name(static_cast<pcs::Check>(value - kOpeningBase));
  if (value > kLookupBase) return lookup::name(static_cast<lookup::Check>(value - kLookupBase));
  switch (check) {
    case Check::kKeyVersion:
      return "key.version";
    case Check::kKeyTruncated:
      return "key.truncated";
    case Check::kKeyConfig:
      return "key.config";
    case Check::kKeyModel:
      return "key.model";
    case Check::kKeyStatement:
      return "key.statement";
    case Check::kKeyShape:
      return "key.shape";
    case Check::kKeyProgram:
      return "key.program";
    case Check::kKeyAnalysis:
      return "key.analysis";
    case Check::kInstance:
      return "proof.instance";
    case Check::kState:
      return "proof.state";
    case Check::kVersion:
      return "proof.version";
    case Check::kLength:
      return "proof.length";
    case Check::kTruncated:
      return "proof.truncated";
    case Check::kTrailing:
      return "proof.trailing";
    case Check::kNonCanonical:
      return "proof.non_canonical";
    case Check::kColumn:
      return "proof.column";
    case Check::kLinear:
      return "proof.linear";
    case Check::kSum:
      return "proof.sum";
    case Check::kLookup:
    case Check::kOpening:
      break;
  }
  return "proof.unknown";
}

std::string to_string(const Rejection& rejection) {
  const auto value = static_cast<unsigned>(rejection.check);
  std::string text = name(rejection.check);
  if (value > kOpeningBase) {
    text += fmt::format(" (oracle {})", rejection.where);
  } else if (value > kLookupBase) {
    text += fmt::format(" (layer {})", rejection.where);
  } else if (rejection.check == Check::kLinear || rejection.check == Check::kSum) {
    text += fmt::format(" (stage {})", rejection.where);
  }
  return rejection.text.empty() ? text : text + ": " + rejection.text;
}

}  // namespace avow::verifier
