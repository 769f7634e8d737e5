// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "provider/journal.hpp"

namespace avow::provider {
namespace {

JournalError corrupt_call(std::string_view what) {
  return {JournalCause::kCorrupt,
          fmt::format("{} in the journal is none; move the file away, or bring it back from a copy", what)};
}

}  // namespace

JournalProblem Journal::add_proof(StoredProof& proof, std::vector<Job*> answered) {
  auto problem = database_.transact([&]() -> JournalProblem {
    Query insert = database_.query(
        "INSERT INTO proofs(model, delivery, proof, places, run_millis, prove_millis) VALUES(?, ?, ?, ?, ?, ?)");
    insert.bind(proof.model_id).bind(proof.delivery).bind(proof.proof).bind(proof.measure.places);
    if (auto failed = insert.bind(proof.measure.run_millis).bind(proof.measure.prove_millis).run()) return failed;
    proof.id = database_.last_id();
    for (Job* job : answered) {
      job->proof = proof.id;
      job->stage = Stage::kProven;
      if (auto failed = write(*job)) return failed;
    }
    return std::nullopt;
  });
  if (!problem) tell(Step::kProven);
  return problem;
}

JournalResult<std::optional<StoredProof>> Journal::proof(std::int64_t id) {
  Query query =
      database_.query("SELECT model, delivery, proof, places, run_millis, prove_millis FROM proofs WHERE id = ?");
  const auto row = query.bind(std::optional(id)).next();
  if (!row) return base::Err{row.error()};
  if (!row.value()) return std::optional<StoredProof>();
  StoredProof proof;
  proof.id = id;
  proof.model_id = query.array<base::Digest>();
  proof.delivery = query.bytes();
  proof.proof = query.bytes();
  proof.measure.places = query.number();
  proof.measure.run_millis = query.number();
  proof.measure.prove_millis = query.number();
  proof.measure.bytes = proof.proof.size();
  if (query.is_odd()) return base::Err{corrupt_call("a proof")};
  return std::optional<StoredProof>(std::move(proof));
}

// What is left of a proof that nobody waits for is who had it and what it cost. A reorganisation may bring jobs back,
// so they stay for a while.
JournalProblem Journal::forget(std::uint64_t before) {
  const std::string needed = fmt::format("SELECT 1 FROM jobs WHERE (stage < {} OR since_block >= {})",
                                         static_cast<unsigned>(Stage::kPaid), before);
  const std::string proofs =
      fmt::format("(SELECT id FROM proofs WHERE NOT EXISTS ({} AND jobs.proof = proofs.id))", needed);
  const std::string calls = fmt::format(
      "(SELECT id FROM calls WHERE state >= {} AND (proof IS NULL OR proof IN {}) AND NOT EXISTS ({} AND "
      "jobs.id = calls.job))",
      static_cast<unsigned>(CallState::kIncluded), proofs, needed);
  return database_.transact([&]() -> JournalProblem {
    for (const std::string& sql :
         {fmt::format("DELETE FROM transactions WHERE call IN {}", calls),
          fmt::format("DELETE FROM calls WHERE id IN {}", calls),
          fmt::format("UPDATE proofs SET delivery = x'', proof = x'' WHERE length(proof) > 0 AND id IN {}", proofs)}) {
      if (auto failed = database_.execute(sql.c_str())) return failed;
    }
    return std::nullopt;
  });
}

JournalResult<std::vector<Call>> Journal::calls() {
  std::vector<Call> all;
  Query query = database_.query(
      "SELECT id, kind, job, proof, number, contract, data, state, sent_at, block, block_hash, gas_used FROM calls "
      "ORDER BY id");
  for (;;) {
    const auto row = query.next();
    if (!row) return base::Err{row.error()};
    if (!row.value()) break;
    Call call;
    call.id = query.maybe_id().value_or(0);
    const std::uint64_t kind = query.number();
    call.kind = static_cast<CallKind>(kind);
    const base::Bytes job = query.bytes();
    if (job.size() == call.job.size()) std::copy(job.begin(), job.end(), call.job.begin());
    call.proof = query.maybe_id();
    call.number = query.number();
    call.request.to = chain::Address{query.array<decltype(chain::Address::bytes)>()};
    call.request.data = query.bytes();
    const std::uint64_t state = query.number();
    call.state = static_cast<CallState>(state);
    call.sent_at = query.number();
    call.block.number = query.number();
    call.block.hash = query.array<base::Digest>();
    call.gas_used = query.number();
    const bool is_none = kind > static_cast<std::uint64_t>(CallKind::kSettle) ||
                         state > static_cast<std::uint64_t>(CallState::kOver) || query.is_odd();
    if (is_none) return base::Err{corrupt_call("a call")};
    if (call.state != CallState::kOver) all.push_back(std::move(call));
  }
  for (Call& call : all) {
    Query signed_ones = database_.query("SELECT bytes FROM transactions WHERE call = ? ORDER BY number");
    signed_ones.bind(std::optional(call.id));
    for (;;) {
      const auto row = signed_ones.next();
      if (!row) return base::Err{row.error()};
      if (!row.value()) break;
      call.candidates.push_back(signed_ones.bytes());
    }
  }
  return all;
}

JournalProblem Journal::add_calls(std::vector<Call>& calls, std::optional<Step> step) {
  auto problem = database_.transact([&]() -> JournalProblem {
    for (Call& call : calls) {
      AVOW_CHECK(call.request.to.has_value());
      Query insert = database_.query(
          "INSERT INTO calls(kind, job, proof, number, contract, data, state, sent_at, block, block_hash, gas_used) "
          "VALUES(?, ?, ?, ?, ?, ?, ?, 0, 0, ?, 0)");
      insert.bind(static_cast<std::uint64_t>(call.kind)).bind(call.job).bind(call.proof).bind(call.number);
      insert.bind(call.request.to->bytes).bind(call.request.data).bind(static_cast<std::uint64_t>(call.state));
      if (auto failed = insert.bind(call.block.hash).run()) return failed;
      call.id = database_.last_id();
    }
    return std::nullopt;
  });
  if (!problem) tell(step);
  return problem;
}

JournalProblem Journal::write(const Call& call) {
  Query update =
      database_.query("UPDATE calls SET state = ?, sent_at = ?, block = ?, block_hash = ?, gas_used = ? WHERE id = ?");
  update.bind(static_cast<std::uint64_t>(call.state)).bind(call.sent_at).bind(call.block.number);
  return update.bind(call.block.hash).bind(call.gas_used).bind(std::optional(call.id)).run();
}

JournalProblem Journal::add_candidate(const Call& call) {
  AVOW_CHECK(!call.candidates.empty());
  auto problem = database_.transact([&]() -> JournalProblem {
    Query insert = database_.query("INSERT INTO transactions VALUES(?, ?, ?)");
    insert.bind(std::optional(call.id)).bind(std::uint64_t{call.candidates.size() - 1}).bind(call.candidates.back());
    if (auto failed = insert.run()) return failed;
    return write(call);
  });
  if (problem) return problem;
  const bool is_first = call.candidates.size() == 1;
  constexpr std::array kPrepared = {Step::kApprovePrepared, Step::kLockPrepared, Step::kSettlePrepared};
  if (is_first) tell(kPrepared.at(static_cast<std::size_t>(call.kind)));
  return std::nullopt;
}

JournalProblem Journal::save(const Call& call, std::optional<Step> step) {
  // Of a nonce that another transaction has used, the call is signed anew.
  auto problem = database_.transact([&]() -> JournalProblem {
    if (call.candidates.empty()) {
      Query remove = database_.query("DELETE FROM transactions WHERE call = ?");
      if (auto failed = remove.bind(std::optional(call.id)).run()) return failed;
    }
    return write(call);
  });
  if (!problem) tell(step);
  return problem;
}

JournalProblem Journal::save(const base::Digest& model_id, const Measure& measure) {
  Query query = database_.query("INSERT OR REPLACE INTO measures VALUES(?, ?, ?, ?, ?, ?)");
  query.bind(model_id).bind(measure.places).bind(measure.run_millis).bind(measure.prove_millis);
  return query.bind(measure.bytes).bind(measure.gas).run();
}

JournalResult<std::vector<Measure>> Journal::measures(const base::Digest& model_id) {
  std::vector<Measure> all;
  Query query = database_.query(
      "SELECT places, run_millis, prove_millis, bytes, gas FROM measures WHERE model = ? ORDER BY places");
  query.bind(model_id);
  for (;;) {
    const auto row = query.next();
    if (!row) return base::Err{row.error()};
    if (!row.value()) return all;
    Measure measure;
    measure.places = query.number();
    measure.run_millis = query.number();
    measure.prove_millis = query.number();
    measure.bytes = query.number();
    measure.gas = query.number();
    all.push_back(measure);
  }
}

}  // namespace avow::provider
