// SPDX-License-Identifier: Apache-2.0
#include "verifier/verify.hpp"

#include <fmt/format.h>

#include "base/check.hpp"
#include "field/element_reader.hpp"
#include "pcs/verify_phases.hpp"
#include "verifier/messages.hpp"
#include "verifier/sections.hpp"

namespace avow::verifier {
namespace {

using base::ByteView;
using base::Err;
using field::Fp3;
using transcript::Transcript;

// Claims are numbered in the order in which they arise, so values arrive in that order, too.
void set_value(std::vector<Fp3>& values, reduction::ClaimId id, const Fp3& value) {
  if (values.size() <= id) values.resize(id + 1);
  values[id] = value;
}
void set_values(std::vector<Fp3>& values, std::span<const reduction::ClaimId> ids, std::span<const Fp3> sent) {
  for (std::size_t i = 0; i < ids.size(); ++i) set_value(values, ids[i], sent[i]);
}

std::optional<Rejection> wrong_length(ByteView section, std::size_t expected, std::uint32_t where) {
  if (section.size() < expected) return Rejection{Check::kTruncated, where, {}};
  if (section.size() > expected) return Rejection{Check::kTrailing, where, {}};
  return std::nullopt;
}

}  // namespace

Verifier::Verifier(Setting setting) : setting_(std::move(setting)) {
  if (!setting_.plan.lookup.columns.empty()) {
    log_cells_ = lookup::make_layout(setting_.plan.lookup).log_cells;
    lookup_phases_ = 2 + log_cells_ - lookup::top_log(log_cells_);
  }
  before_opening_ = 1 + lookup_phases_ + static_cast<std::uint32_t>(setting_.plan.stages.size());
  // Start; for each later oracle its root, a phase for each tree of the one before, its sumcheck; three at the end.
  const auto rounds = static_cast<std::uint32_t>(setting_.key->config.oracles.size()) - 1;
  const std::uint32_t trees = setting_.model_key ? 2 : 1;
  phases_ = before_opening_ + 1 + (2 + trees) + 3 * (rounds - 1) + 3;
}

base::Result<Verifier, Rejection> Verifier::make(const VerifyingKey& key, statement::Instance instance) {
  return make(key, model_id(key), std::move(instance));
}

base::Result<Verifier, Rejection> Verifier::make(const VerifyingKey& key, const base::Digest& id,
                                                 statement::Instance instance) {
  auto setting = Setting::make(key, id, std::move(instance));
  if (!setting) return Err{setting.error()};
  return Verifier(std::move(setting).value());
}

Verifier::Place Verifier::place(std::uint32_t phase) const noexcept {
  if (phase == 0) return {Part::kCommitment, 0};
  --phase;
  if (phase < lookup_phases_) {
    const std::uint32_t top = lookup::top_log(log_cells_);
    if (phase == 0) return {Part::kLookupTop, top};
    if (phase + 1 == lookup_phases_) return {Part::kLookupColumns, log_cells_};
    return {Part::kLookupLayer, top + phase - 1};
  }
  phase -= lookup_phases_;
  if (phase < setting_.plan.stages.size()) return {Part::kStage, phase};
  if (phase == setting_.plan.stages.size()) return {Part::kOpening, 0};
  return {phase + 1 + lookup_phases_ + 1 == phases_ ? Part::kFinish : Part::kOpened, 0};
}

std::vector<pcs::CommitmentKey> Verifier::keys(const State& state) const {
  return setting_.keys({state.root, setting_.witness.log_groups, state.ood_point, state.ood_value});
}

std::size_t Verifier::section_bytes(const State& state) const {
  const Place at = place(state.phase);
  switch (at.part) {
    case Part::kCommitment:
      return kCommitmentBytes;
    case Part::kLookupTop:
      return lookup::top_bytes(log_cells_);
    case Part::kLookupLayer:
      return lookup::layer_bytes(at.index);
    case Part::kLookupColumns:
      return lookup_columns_bytes(setting_.plan);
    case Part::kStage:
      return stage_bytes(setting_.plan.stages[at.index]);
    case Part::kOpening:
      return pcs::start_bytes(setting_.key->config, keys(state));
    case Part::kOpened:
    case Part::kFinish:
      break;
  }
  return pcs::section_bytes(setting_.key->config, keys(state), *state.opening);
}

Verifier::Step Verifier::commitment(State& state, Transcript& transcript, ByteView section) const {
  if (auto r = wrong_length(section, kCommitmentBytes, 0)) return r;
  std::copy_n(section.begin(), state.root.size(), state.root.begin());
  field::ElementReader reader(section.subspan(state.root.size()));
  state.ood_value = reader.element();
  if (!reader.canonical()) return Rejection{Check::kNonCanonical, 0, {}};
  state.ood_point =
      pcs::receive_commitment(transcript, state.root, setting_.witness.log_groups, state.ood_value).ood_point;
  state.challenges.stages.resize(statement::limits::kStages + 1);
  if (lookup_phases_ > 0) {
    state.challenges.alpha = transcript.challenge(messages::kAlpha);
    state.challenges.beta = transcript.challenge(messages::kBeta);
  } else {
    draw_zero_point(state, transcript);
  }
  return std::nullopt;
}

void Verifier::draw_zero_point(State& state, Transcript& transcript) const {
  for (std::size_t i = 0; i < setting_.plan.zero_coordinates; ++i) {
    state.challenges.zero.push_back(transcript.challenge(messages::kZeroPoint));
  }
  for (const reduction::ClaimId id : setting_.plan.zero_claims) set_value(state.values, id, Fp3());
}

Verifier::Step Verifier::lookup_columns(State& state, Transcript& transcript, ByteView section) const {
  const auto& plan = setting_.plan;
  const auto& binding = setting_.binding;
  if (auto r = wrong_length(section, lookup_columns_bytes(plan), log_cells_)) return r;
  state.challenges.lookup = state.cube.point;
  const auto mask = [&](std::size_t column, std::span<const Fp3>) {
    return reduction::evaluate(binding, state.challenges, plan.columns[column].numerator, {});
  };
  const std::size_t argument = lookup::columns_bytes(plan.lookup);
  const auto claims = lookup::verify_columns(transcript, plan.lookup, state.cube, section.first(argument), mask);
  if (!claims) return rejection_of(claims.error());

  field::ElementReader reader(section.subspan(argument));
  const auto sent = reader.elements(plan.lookup_values.size());
  if (!reader.canonical()) return Rejection{Check::kNonCanonical, log_cells_, {}};
  transcript.absorb(messages::kLookupValues, sent);
  set_values(state.values, plan.lookup_values, sent);
  const auto& columns = claims.value().columns;
  for (std::size_t j = 0; j < plan.columns.size(); ++j) {
    if (plan.columns[j].multiplicity != reduction::kNone) {
      set_value(state.values, plan.columns[j].multiplicity, -columns[j].numerator);
    }
  }
  for (std::size_t j = 0; j < plan.columns.size(); ++j) {
    const Fp3 expected = reduction::denominator(binding, state.challenges, plan, plan.columns[j], state.values);
    if (!(expected == columns[j].denominator)) {
      const auto& s = setting_.key->statement;
      const bool is_table = j < s.tables.size();
      return Rejection{Check::kColumn, static_cast<std::uint32_t>(j),
                       fmt::format("{} '{}'", is_table ? "table" : "lookup",
                                   is_table ? s.tables[j].name : s.lookups[j - s.tables.size()].name)};
    }
  }
  state.cube = {};
  draw_zero_point(state, transcript);
  return std::nullopt;
}

Verifier::Step Verifier::stage(State& state, const reduction::Stage& stage, Transcript& transcript,
                               ByteView section) const {
  const auto& binding = setting_.binding;
  const auto reject = [&](Check check, std::string text = {}) {
    return Rejection{check, stage.number, std::move(text)};
  };
  if (auto r = wrong_length(section, stage_bytes(stage), stage.number)) return r;
  field::ElementReader reader(section);
  if (!stage.linear_values.empty()) {
    const auto sent = reader.elements(stage.linear_values.size());
    if (!reader.canonical()) return reject(Check::kNonCanonical);
    transcript.absorb(messages::kLinearValues, sent);
    set_values(state.values, stage.linear_values, sent);
  }
  for (const auto& equation : stage.linear) {
    if (reduction::evaluate(binding, state.challenges, equation.products, state.values) ==
        state.values[equation.claim]) {
      continue;
    }
    const auto tensor = setting_.plan.claims[equation.claim].tensor;
    return reject(Check::kLinear, fmt::format("definition '{}'", setting_.key->statement.tensors[tensor].name));
  }
  if (stage.sums.empty() && stage.gathered.empty() && stage.reads.empty()) return std::nullopt;

  const Fp3 join = transcript.challenge(messages::kJoin);
  Fp3 claim;
  Fp3 power = field::kOne3;
  const auto add_claim = [&](reduction::ClaimId id) {
    claim += power * state.values[id];
    power *= join;
  };
  for (const auto& sum : stage.sums) add_claim(sum.claim);
  for (const auto& gathered : stage.gathered) {
    for (const auto& c : gathered.claims) add_claim(c.claim);
  }
  for (const auto& read : stage.reads) add_claim(read.claim);
  auto& point = state.challenges.stages[stage.number];
  for (const std::uint8_t degree : stage.degrees) {
    // h(0) and the coefficients of X^2, X^3, ..; that of X follows from h(0) + h(1) = claim.
    const auto sent = reader.elements(degree);
    if (!reader.canonical()) return reject(Check::kNonCanonical);
    transcript.absorb(messages::kRound, sent);
    const Fp3 r = transcript.challenge(messages::kBind);
    Fp3 linear = claim - sent[0] - sent[0];
    Fp3 high;
    for (std::size_t k = degree - 1; k >= 1; --k) {
      linear -= sent[k];
      high = (high + sent[k]) * r;
    }
    claim = sent[0] + r * (linear + high);
    point.push_back(r);
  }
  const auto sent = reader.elements(stage.sum_values.size());
  if (!reader.canonical()) return reject(Check::kNonCanonical);
  transcript.absorb(messages::kSumValues, sent);
  set_values(state.values, stage.sum_values, sent);
  Fp3 total;
  power = field::kOne3;
  for (const auto& sum : stage.sums) {
    total += power * reduction::evaluate(binding, state.challenges, sum.products, state.values);
    power *= join;
  }
  for (const auto& gathered : stage.gathered) {
    Fp3 weight;
    for (const auto& c : gathered.claims) {
      weight += power * reduction::evaluate(binding, state.challenges, c.weight, {});
      power *= join;
    }
    total += weight * state.values[gathered.value];
  }
  for (const auto& read : stage.reads) {
    total += power * reduction::evaluate(binding, state.challenges, setting_.plan, read);
    power *= join;
  }
  return total == claim ? Step() : reject(Check::kSum);
}

Verifier::Step Verifier::run(State& state, Transcript& transcript, ByteView section) const {
  const Place at = place(state.phase);
  const auto cube = [&](base::Result<lookup::CubeClaim, lookup::Rejection> claim) -> Step {
    if (!claim) return rejection_of(claim.error());
    state.cube = std::move(claim).value();
    return std::nullopt;
  };
  switch (at.part) {
    case Part::kCommitment:
      return commitment(state, transcript, section);
    case Part::kLookupTop:
      return cube(lookup::verify_top(transcript, setting_.plan.lookup, section));
    case Part::kLookupLayer:
      return cube(lookup::verify_layer(transcript, state.cube, section));
    case Part::kLookupColumns:
      return lookup_columns(state, transcript, section);
    case Part::kStage:
      return stage(state, setting_.plan.stages[at.index], transcript, section);
    case Part::kOpening:
    case Part::kOpened:
    case Part::kFinish:
      break;
  }
  return opening(state, at.part, transcript, section);
}

Verifier::Step Verifier::opening(State& state, Part part, Transcript& transcript, ByteView section) const {
  const auto& config = setting_.key->config;
  const auto opened_keys = keys(state);
  const auto next = [&](base::Result<pcs::OpeningState, pcs::Rejection> result) -> Step {
    if (!result) return rejection_of(result.error());
    state.opening = std::move(result).value();
    return std::nullopt;
  };
  if (part == Part::kOpening) {
    // Of the claims this phase needs the values alone, and the later ones all but the values.
    std::vector<Fp3> values;
    for (const reduction::ClaimId id : setting_.plan.opened) values.push_back(state.values[id]);
    return next(pcs::start_opening(transcript, config, opened_keys, values, section));
  }
  if (part == Part::kOpened) {
    return next(pcs::continue_opening(transcript, config, opened_keys, std::move(*state.opening), section));
  }
  const auto claims = setting_.claims(state.challenges, state.values);
  const auto rejection =
      pcs::finish_opening(transcript, config, opened_keys, claims, std::move(*state.opening), section);
  return rejection ? Step(rejection_of(*rejection)) : Step();
}

base::Result<State, Rejection> Verifier::advance(State state, ByteView session, ByteView section) const {
  AVOW_CHECK(state.phase < phases_);
  Transcript transcript = setting_.start(session);
  if (state.phase == 0) {
    state.start = transcript.state();
  } else {
    // Later phases read little of instance and session, and the last ones nothing: without this, whoever sends them
    // could exchange what the proof is about.
    if (state.start != transcript.state()) {
      return Err{Rejection{Check::kState, 0, "of another key, instance or session"}};
    }
    transcript = Transcript::resume(state.transcript);
  }
  if (auto rejection = run(state, transcript, section)) return Err{std::move(*rejection)};
  state.transcript = transcript.state();
  // The rows of a tree are one phase, however many parts they are read in.
  if (!state.opening || state.opening->rows.empty()) ++state.phase;
  return state;
}

std::vector<std::size_t> Verifier::section_sizes(ByteView session, ByteView proof) const {
  std::vector<std::size_t> sizes;
  State state;
  proof = proof.subspan(std::min(kHeaderBytes, proof.size()));
  while (state.phase < phases_) {
    const bool is_last = state.phase + 1 == phases_;
    const std::size_t size = is_last ? proof.size() : std::min(section_bytes(state), proof.size());
    auto next = advance(std::move(state), session, proof.first(size));
    if (!next) return {};
    state = std::move(next).value();
    sizes.push_back(size);
    proof = proof.subspan(size);
  }
  return sizes;
}

std::optional<Rejection> Verifier::verify(ByteView session, ByteView proof, transcript::Manifest* manifest) const {
  if (proof.size() < kHeaderBytes) return Rejection{Check::kTruncated, 0, {}};
  if (base::load_be32(proof.data()) != kProofVersion) return Rejection{Check::kVersion, 0, {}};
  if (base::load_be32(proof.data() + 4) != proof.size()) return Rejection{Check::kLength, 0, {}};
  proof = proof.subspan(kHeaderBytes);
  Transcript transcript = setting_.start(session);
  transcript.record(manifest);
  State state;
  for (; state.phase < before_opening_; ++state.phase) {
    const std::size_t size = std::min(section_bytes(state), proof.size());
    if (auto rejection = run(state, transcript, proof.first(size))) return rejection;
    proof = proof.subspan(size);
  }
  const auto rejection = pcs::verify_opening(transcript, setting_.key->config, keys(state),
                                             setting_.claims(state.challenges, state.values), proof);
  return rejection ? Step(rejection_of(*rejection)) : Step();
}

}  // namespace avow::verifier
