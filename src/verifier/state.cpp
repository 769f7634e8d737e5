// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "verifier/verify.hpp"

// States between phases as bytes (spec/proof.md, section 6). How many elements there are follows from the phase.
namespace avow::verifier {
namespace {

using base::Bytes;
using base::ByteView;
using base::Err;
using field::Fp3;

constexpr std::uint32_t kStateVersion = 2;
constexpr std::size_t kFixedBytes = 4 + 4 + 32 + 32 + 32;

// Every element of a state, in order. S is State or const State; carried: the claims whose values it has; looks_up:
// within the lookup argument.
template <typename S, typename F>
void for_each_element(S& state, std::span<const reduction::ClaimId> carried, bool looks_up, const F& f) {
  const auto all = [&](auto& list) {
    for (auto& x : list) f(x);
  };
  f(state.ood_point);
  f(state.ood_value);
  if (looks_up) {
    f(state.challenges.alpha);
    f(state.challenges.beta);
  }
  if (!state.cube.point.empty()) {
    all(state.cube.point);
    f(state.cube.numerator);
    f(state.cube.denominator);
  }
  all(state.challenges.lookup);
  all(state.challenges.zero);
  for (auto& stage : state.challenges.stages) all(stage);
  for (const reduction::ClaimId id : carried) f(state.values[id]);
}

}  // namespace

State Verifier::blank(std::uint32_t phase) const {
  const auto& plan = setting_.plan;
  State state;
  state.phase = phase;
  if (phase == 0) return state;
  state.challenges.stages.resize(statement::limits::kStages + 1);
  const Place at = place(phase);
  if (at.part == Part::kLookupTop) return state;
  if (at.part == Part::kLookupLayer || at.part == Part::kLookupColumns) {
    state.cube.point.resize(at.index);
    return state;
  }
  state.challenges.lookup.resize(log_cells_);
  state.challenges.zero.resize(plan.zero_coordinates);
  const std::size_t passed = at.part == Part::kStage ? at.index : plan.stages.size();
  for (std::size_t i = 0; i < passed; ++i) {
    state.challenges.stages[plan.stages[i].number].resize(plan.stages[i].degrees.size());
  }
  state.values.resize(plan.claims.size());
  return state;
}

std::uint32_t Verifier::opening_phase(const pcs::OpeningState& opening) const noexcept {
  const std::uint32_t trees = setting_.model_key ? 2 : 1;
  // The phases of round i >= 1 come after the start and those of earlier rounds: root, rows (of each tree), sumcheck.
  const auto first_of = [&](std::uint32_t round) { return round == 1 ? 1 : 3 + trees + 3 * (round - 2); };
  switch (opening.phase) {
    case pcs::Phase::kOracle:
      return first_of(opening.oracle);
    case pcs::Phase::kRows:
      return first_of(opening.oracle) + 1 + opening.tree;
    case pcs::Phase::kSumcheck:
      return first_of(opening.oracle + 1) - 1;
    case pcs::Phase::kFinal:
    case pcs::Phase::kFinalRows:
    case pcs::Phase::kFinish:
      break;
  }
  return first_of(opening.oracle + 1) + static_cast<std::uint32_t>(opening.phase) -
         static_cast<std::uint32_t>(pcs::Phase::kFinal);
}

bool Verifier::looks_up(std::uint32_t phase) const noexcept { return phase >= 1 && phase <= lookup_phases_; }

std::vector<reduction::ClaimId> Verifier::carried(std::uint32_t phase) const {
  const Place at = place(phase);
  if (at.part == Part::kOpening) return setting_.plan.carried(setting_.plan.stages.size());
  return at.part == Part::kStage ? setting_.plan.carried(at.index) : std::vector<reduction::ClaimId>();
}

Bytes Verifier::encode(const State& state) const {
  Bytes out;
  base::append_be32(out, kStateVersion);
  base::append_be32(out, state.phase);
  base::append(out, state.start);
  base::append(out, state.transcript);
  base::append(out, state.root);
  for_each_element(state, carried(state.phase), looks_up(state.phase), [&](const Fp3& x) {
    std::uint8_t encoded[field::kFp3Bytes];
    field::encode(x, encoded);
    base::append(out, encoded);
  });
  if (state.opening) base::append(out, pcs::encode_state(*state.opening));
  return out;
}

base::Result<State, Rejection> Verifier::decode(ByteView bytes) const {
  const auto refuse = [](const char* text) { return Err{Rejection{Check::kState, 0, text}}; };
  if (bytes.size() < kFixedBytes) return refuse("too short");
  if (base::load_be32(bytes.data()) != kStateVersion) return refuse("of another version");
  const std::uint32_t phase = base::load_be32(bytes.data() + 4);
  if (phase == 0 || phase >= phases_) return refuse("of no phase between two others");
  State state = blank(phase);
  std::copy_n(bytes.begin() + 8, 32, state.start.begin());
  std::copy_n(bytes.begin() + 40, 32, state.transcript.begin());
  std::copy_n(bytes.begin() + 72, 32, state.root.begin());
  std::size_t elements = 0;
  const auto claims = carried(phase);
  for_each_element(state, claims, looks_up(phase), [&](const Fp3&) { ++elements; });
  const std::size_t own = kFixedBytes + elements * field::kFp3Bytes;
  const bool opened = phase > before_opening_;
  if (opened ? bytes.size() <= own : bytes.size() != own) return refuse("of another length than its phase has");
  const std::uint8_t* next = bytes.data() + kFixedBytes;
  bool canonical = true;
  for_each_element(state, claims, looks_up(phase), [&](Fp3& x) {
    const auto decoded = field::decode_fp3(next);
    canonical = canonical && decoded.has_value();
    x = decoded.value_or(Fp3());
    next += field::kFp3Bytes;
  });
  if (!canonical) return refuse("with an element that is not canonical");
  if (!opened) return state;
  auto opening = pcs::decode_state(setting_.key->config, keys(state), bytes.subspan(own));
  if (!opening || before_opening_ + opening_phase(opening.value()) != phase) {
    return refuse("whose opening is none of this phase");
  }
  state.opening = std::move(opening).value();
  return state;
}

}  // namespace avow::verifier
