// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "requester/paid.hpp"
#include "show_answers.hpp"

// What commands show of an answer that was paid on a chain.
namespace avow::app {

enum class Shown : std::uint8_t {
  kAnswer,  ///< its text alone
  kAll,     ///< what was asked, too
};

struct PaidView {
  const requester::Session& session;
  const requester::KnownModel& model;
  const market::Request& request;
  const model::Tokenizer* tokenizer;  ///< null: ids are shown
  Shown shown = Shown::kAnswer;
};

enum class PaidCheck : std::uint8_t {
  kBelieve,  ///< the contract
  kVerify,   ///< the proof, here
};

/// The answer on stdout and what was paid on stderr, or all of it into `json`. kNo, and no answer, where the proof does
/// not hold; kEnvironment where it could not be fetched.
int show_paid(const char* command, const PaidView& view, const requester::PaidAnswer& paid, PaidCheck check,
              nlohmann::ordered_json* json);

}  // namespace avow::app
