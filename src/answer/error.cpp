// SPDX-License-Identifier: Apache-2.0
#include "answer/error.hpp"

#include <fmt/format.h>

namespace avow::answer {
namespace {

bool is_about_one(Check check) {
  switch (check) {
    case Check::kIds:
    case Check::kFlag:
    case Check::kInput:
    case Check::kToken:
    case Check::kSampling:
    case Check::kStopIds:
    case Check::kContext:
    case Check::kLength:
    case Check::kShown:
    case Check::kStop:
    case Check::kEnd:
    case Check::kRepeated:
      return true;
    default:
      return false;
  }
}

}  // namespace

const char* name(Check check) noexcept {
  switch (check) {
    case Check::kTruncated:
      return "answer.truncated";
    case Check::kTrailing:
      return "answer.trailing";
    case Check::kVersion:
      return "answer.version";
    case Check::kCount:
      return "answer.count";
    case Check::kIds:
      return "answer.ids";
    case Check::kFlag:
      return "answer.flag";
    case Check::kInput:
      return "answer.input";
    case Check::kToken:
      return "answer.token";
    case Check::kSampling:
      return "answer.sampling";
    case Check::kStopIds:
      return "answer.stop_ids";
    case Check::kContext:
      return "answer.context";
    case Check::kLength:
      return "answer.length";
    case Check::kShown:
      return "answer.shown";
    case Check::kStop:
      return "answer.stop";
    case Check::kEnd:
      return "answer.end";
    case Check::kRepeated:
      return "answer.repeated";
    case Check::kSize:
      return "answer.size";
    case Check::kModel:
      return "answer.model";
    case Check::kKey:
      return "answer.key";
    case Check::kApplication:
      return "answer.application";
    case Check::kPlan:
      return "answer.plan";
    case Check::kStatement:
      return "answer.statement";
    case Check::kProof:
      return "answer.proof";
    case Check::kFileMagic:
      return "file.magic";
    case Check::kFileVersion:
      return "file.version";
    case Check::kFileSize:
      return "file.size";
    case Check::kFileTruncated:
      return "file.truncated";
    case Check::kFileTrailing:
      return "file.trailing";
  }
  return "answer.unknown";
}

const char* name(const Rejection& rejection) noexcept {
  return rejection.reason ? verifier::name(rejection.reason->check) : name(rejection.check);
}

std::string to_string(const Rejection& rejection) {
  if (rejection.reason) return verifier::to_string(*rejection.reason);
  std::string text = name(rejection.check);
  if (is_about_one(rejection.check)) text += fmt::format(" (answer {})", rejection.where);
  return rejection.text.empty() ? text : text + ": " + rejection.text;
}

}  // namespace avow::answer
