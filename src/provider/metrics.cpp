// SPDX-License-Identifier: Apache-2.0
#include "provider/metrics.hpp"

#include <fmt/format.h>

namespace avow::provider {
namespace {

constexpr unsigned kUnitDecimals = 18;

// Thousandths without their zeros at the end.
std::string thousandths(std::uint64_t value) { return chain::to_units(value, 3); }

class MetricsText {
 public:
  void counter(const char* name, const char* help, const std::string& value) { put(name, help, "counter", value); }
  void counter(const char* name, const char* help, std::uint64_t value) { counter(name, help, std::to_string(value)); }
  void gauge(const char* name, const char* help, const std::string& value) { put(name, help, "gauge", value); }
  void gauge(const char* name, const char* help, std::uint64_t value) { gauge(name, help, std::to_string(value)); }
  void head(const char* name, const char* help, const char* type) {
    text_ += fmt::format("# HELP avow_provider_{0} {1}\n# TYPE avow_provider_{0} {2}\n", name, help, type);
  }
  void line(const char* name, const std::string& labels, std::uint64_t value) {
    text_ += fmt::format("avow_provider_{}{{{}}} {}\n", name, labels, value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void put(const char* name, const char* help, const char* type, const std::string& value) {
    head(name, help, type);
    text_ += fmt::format("avow_provider_{} {}\n", name, value);
  }
  std::string text_;
};

void put_jobs(MetricsText& out, const Metrics& metrics) {
  out.head("jobs", "Requests in the journal, by how far they have come.", "gauge");
  for (std::size_t i = 0; i < kStages; ++i) {
    out.line("jobs", fmt::format("stage=\"{}\"", name(static_cast<Stage>(i))), metrics.jobs_by_stage[i]);
  }
  out.head("locks_total", "Locks that were sent, by what became of them.", "counter");
  out.line("locks_total", "result=\"won\"", metrics.locks_won);
  out.line("locks_total", "result=\"lost\"", metrics.locks_lost);
  out.head("requests_total", "Requests that are over, by how.", "counter");
  out.line("requests_total", "result=\"paid\"", metrics.paid);
  out.line("requests_total", "result=\"lost\"", metrics.lost);
  out.line("requests_total", "result=\"refused\"", metrics.refused);
  out.line("requests_total", "result=\"skipped\"", metrics.skipped);
}

void put_margins(MetricsText& out, const Metrics& metrics) {
  if (!metrics.last_margin_secs || !metrics.least_margin_secs) return;
  out.gauge("deadline_margin_seconds", "Left when the last answer was paid; below 0 a bond was lost.",
            std::to_string(*metrics.last_margin_secs));
  out.gauge("deadline_margin_least_seconds", "The least of these.", std::to_string(*metrics.least_margin_secs));
}

}  // namespace

std::string to_text(const Metrics& metrics) {
  MetricsText out;
  put_jobs(out, metrics);
  put_margins(out, metrics);
  out.counter("bonds_slashed_total", "Bonds that were lost.", metrics.bonds_slashed);
  out.gauge("bond_at_risk_tokens", "Bonds that are deposited now.", to_units(metrics.bond_at_risk, kUnitDecimals));
  out.counter("earnings_tokens_total", "What answers were paid, fees taken off.",
              to_units(metrics.earnings, kUnitDecimals));
  out.counter("gas_used_total", "Gas of all transactions.", metrics.gas_used);
  out.counter("gas_spent_coins_total", "What it cost in the chain's coin.", to_units(metrics.wei_spent, kUnitDecimals));
  out.counter("proofs_total", "Proofs that were made.", metrics.proofs);
  out.counter("proofs_abandoned_total", "Proofs that were stopped, as nobody would have paid for them.",
              metrics.proofs_abandoned);
  out.counter("answers_proven_total", "Answers in these proofs.", metrics.answers_proven);
  out.counter("prove_seconds_total", "Time that proofs took.", thousandths(metrics.prove_millis));
  out.counter("run_seconds_total", "Time that running models took.", thousandths(metrics.run_millis));
  out.counter("transactions_sent_total", "Transactions that were sent, replacements included.",
              metrics.transactions_sent);
  out.counter("transactions_replaced_total", "Transactions that waited too long, and were sent with higher fees.",
              metrics.transactions_replaced);
  out.counter("transactions_failed_total", "Transactions that are in a block and failed.", metrics.transactions_failed);
  out.counter("rpc_errors_total", "Questions that nodes did not answer.", metrics.rpc_errors);
  out.counter("reorganisations_total", "Times that the chain left blocks that were read.", metrics.reorganisations);
  out.gauge("head_block", "The newest block that was read.", metrics.head_block);
  out.gauge("head_timestamp_seconds", "Its time.", metrics.head_time);
  out.gauge("working", "1 while a model is run or a proof made.", metrics.is_working ? 1 : 0);
  return out.take();
}

}  // namespace avow::provider
