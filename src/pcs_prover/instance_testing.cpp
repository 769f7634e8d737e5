// SPDX-License-Identifier: Apache-2.0
#include "pcs_prover/instance_testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "field/random_testing.hpp"

namespace avow::pcs::testing {

using field::Factor;
using field::Fp;
using field::Fp3;
using field::random_element;

Config small_config(std::uint32_t log_rows) {
  Config config;
  config.log_rows = log_rows;
  config.oracles = {
      {.log_inv_rate = 2, .log_fold = 0, .queries = 9, .query_grinding_bits = 4, .fold_grinding_bits = 1},
      {.log_inv_rate = 1, .log_fold = 2, .queries = 5, .query_grinding_bits = 3, .fold_grinding_bits = 0},
      {.log_inv_rate = 3, .log_fold = 1, .queries = 4, .query_grinding_bits = 2, .fold_grinding_bits = 2}};
  return config;
}

Config random_config(std::mt19937_64& rng) {
  const auto pick = [&](std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(rng() % (high - low + 1));
  };
  Config config;
  config.log_rows = pick(2, 8);
  std::uint32_t left = config.log_rows;
  const std::size_t oracles = pick(2, 4);
  for (std::size_t i = 0; i < oracles; ++i) {
    OracleConfig oracle{pick(1, 4), 0, pick(1, 20), pick(0, 5), pick(0, 3)};
    if (i > 0) {
      if (left == 0) break;
      oracle.log_fold = pick(1, std::min(left, 4u));
      left -= oracle.log_fold;
    }
    config.oracles.push_back(oracle);
  }
  return config;
}

Fp3 evaluate_naive(std::span<const Opened> opened, const Claim& claim) {
  Fp3 value;
  for (const Term& term : claim.terms) {
    const field::MatrixView& cells = opened[term.commitment].groups[term.group];
    for (std::size_t i = 0; i < cells.rows * cells.cols; ++i) {
      Fp3 weight = term.coefficient;
      for (std::size_t b = 0; b < term.factors.size(); ++b) {
        weight *= ((i >> b) & 1) != 0 ? term.factors[b].at1 : term.factors[b].at0;
      }
      value += weight * cells.at(i / cells.cols, i % cells.cols);
    }
  }
  return value;
}

namespace {

Term random_term(const Instance& instance, std::mt19937_64& rng) {
  Term term;
  term.commitment = static_cast<std::uint32_t>(rng() % instance.keys.size());
  const auto& groups = instance.keys[term.commitment].log_groups;
  term.group = static_cast<std::uint32_t>(rng() % groups.size());
  term.coefficient = random_element(rng);
  const std::size_t variables = groups[term.group] + instance.config.log_rows;
  // The highest variables are often fixed: an aligned sub-cube.
  const std::size_t fixed = rng() % 2 == 0 ? 0 : rng() % (variables + 1);
  for (std::size_t i = 0; i < variables; ++i) {
    if (i + fixed >= variables) {
      term.factors.push_back(field::bit_factor(rng() % 2 == 0));
    } else if (rng() % 4 == 0) {
      term.factors.push_back({random_element(rng), random_element(rng)});
    } else {
      term.factors.push_back(field::eq_factor(random_element(rng)));
    }
  }
  return term;
}

}  // namespace

Instance::Instance(Config with, std::span<const std::size_t> columns, std::size_t claim_count, std::uint64_t seed)
    : config(std::move(with)) {
  std::mt19937_64 rng(seed);
  const std::size_t rows = std::size_t{1} << config.log_rows;
  for (const std::size_t cols : columns) {
    Opened o;
    auto& groups = cells.emplace_back();
    for (const auto log_cols : groups_of(cols)) {
      auto& group = groups.emplace_back(rows << log_cols);
      for (auto& cell : group) cell = static_cast<std::int16_t>(rng());
      o.groups.push_back(field::MatrixView::of(std::span<const std::int16_t>(group), std::size_t{1} << log_cols));
    }
    oracles.push_back(std::make_unique<TreeOracle>(config.log_rows, config.oracles[0].log_inv_rate, o.groups));
    o.oracle = oracles.back().get();
    o.key.root = o.oracle->root();
    o.key.log_groups = groups_of(cols);
    o.key.made_once = true;
    o.key.ood_point = fixed_ood_point(protocol_id(config), o.key.log_groups, o.key.root);
    o.key.ood_value = pcs::ood_value(o.groups, o.key.ood_point);
    keys.push_back(o.key);
    opened.push_back(std::move(o));
  }
  for (std::size_t i = 0; i < claim_count; ++i) {
    Claim claim;
    for (std::size_t t = 0; t <= i % 3; ++t) claim.terms.push_back(random_term(*this, rng));
    claim.value = evaluate_claim(opened, claim);
    claims.push_back(std::move(claim));
  }
}

transcript::Transcript Instance::transcript(std::uint8_t session) const {
  // The claims' weights are fixed by the statement, everything else is absorbed by the opening.
  base::Bytes statement;
  for (const Claim& claim : claims) {
    for (const Term& term : claim.terms) {
      base::append_be32(statement, term.commitment);
      base::append_be32(statement, term.group);
      std::vector<Fp3> elements = {term.coefficient};
      for (const Factor& factor : term.factors) elements.insert(elements.end(), {factor.at0, factor.at1});
      for (const Fp3& x : elements) {
        for (const Fp c : x.c) base::append_be64(statement, c.value());
      }
    }
    base::append_be32(statement, 0xffffffff);
  }
  transcript::Transcript t(protocol_id(config), std::span(&session, 1), statement);
  for (const CommitmentKey& key : keys) t.absorb_digest({1, "test.root"}, key.root);
  return t;
}

base::Bytes Instance::prove(const Faults& faults, transcript::Manifest* manifest) const {
  auto t = transcript();
  t.record(manifest);
  return open(t, config, opened, claims, nullptr, faults);
}

std::optional<Rejection> Instance::verify(base::ByteView proof, transcript::Manifest* manifest) const {
  auto t = transcript();
  t.record(manifest);
  const auto rejection = verify_opening(t, config, keys, claims, proof);
  const PhasesOutcome outcome = verify_in_phases(transcript().state(), proof);
  EXPECT_FALSE(outcome.refused.has_value());
  // Weights are looked at in the last phase, in one go before anything is read.
  const bool before_reading = rejection && rejection->check == Check::kClaim;
  EXPECT_TRUE(before_reading || outcome.rejection == rejection);
  EXPECT_TRUE(rejection || outcome.transcript == t.state());
  return rejection;
}

PhasesOutcome Instance::verify_in_phases(const base::Digest& start, base::ByteView proof,
                                         const AtBoundary& at_boundary) const {
  const auto take = [&](std::size_t size) {
    const base::ByteView section = proof.first(std::min(size, proof.size()));
    proof = proof.subspan(section.size());
    return section;
  };
  const bool usable = validate(config) == ConfigError::kNone && keys_are_valid(keys, config.max_log_columns);
  PhasesOutcome outcome;
  auto t = transcript::Transcript::resume(start);
  auto state = start_opening(t, config, keys, values_of(claims), take(usable ? start_bytes(config, keys) : 0));
  while (state) {
    outcome.transcript = t.state();
    if (at_boundary) at_boundary(state.value(), outcome.transcript);
    const base::Bytes kept = encode_state(state.value());
    EXPECT_LE(kept.size(), max_state_bytes(config));
    auto decoded = decode_state(config, keys, kept);
    if (!decoded) {
      outcome.refused = decoded.error();
      return outcome;
    }
    outcome.phases.push_back(decoded.value().phase);
    t = transcript::Transcript::resume(outcome.transcript);
    if (decoded.value().phase == Phase::kFinish) {
      outcome.rejection = finish_opening(t, config, keys, claims, std::move(decoded).value(), proof);
      outcome.transcript = t.state();
      return outcome;
    }
    const base::ByteView section = take(section_bytes(config, keys, decoded.value()));
    state = continue_opening(t, config, keys, std::move(decoded).value(), section);
  }
  outcome.rejection = state.error();
  return outcome;
}

}  // namespace avow::pcs::testing
