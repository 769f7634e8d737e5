// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "pcs/opening_state.hpp"
#include "reduction/evaluate.hpp"
#include "verifier/setting.hpp"

namespace avow::verifier {

inline constexpr std::uint32_t kProofVersion = 3;
/// Version and length of the whole proof, 4 bytes each.
inline constexpr std::size_t kHeaderBytes = 8;

/// What the verifier carries from one phase to the next; key, instance and session it is given again, and they must be
/// the first phase's. How much of it is there follows from the phase.
struct State {
  std::uint32_t phase = 0;    ///< the next one
  base::Digest transcript{};  ///< its state; nothing before phase 1
  base::Digest start{};       ///< its state before phase 0: what binds key, instance and session in all others
  base::Digest root{};        ///< of the witness
  field::Fp3 ood_point;
  field::Fp3 ood_value;
  lookup::CubeClaim cube;                    ///< within the lookup argument
  reduction::Challenges challenges;          ///< those drawn
  std::vector<field::Fp3> values;            ///< of the claims of the plan, as far as known and still used
  std::optional<pcs::OpeningState> opening;  ///< once the opening has begun
};

/// A verifier for one key and one instance. Untrusted bytes cannot make it throw, abort, or allocate more than a
/// multiple of their own size and the key's.
class Verifier {
 public:
  /// The key must have passed check_key and live on; id: its model_id. Refused: kInstance.
  [[nodiscard]] static base::Result<Verifier, Rejection> make(const VerifyingKey& key, const base::Digest& id,
                                                              statement::Instance instance);
  [[nodiscard]] static base::Result<Verifier, Rejection> make(const VerifyingKey& key, statement::Instance instance);

  /// Whether the proof holds for this key, instance and session: nothing if it does.
  [[nodiscard]] std::optional<Rejection> verify(base::ByteView session, base::ByteView proof,
                                                transcript::Manifest* manifest = nullptr) const;

  // The same in phases, for verification in several steps: commitment, the sections of the lookup argument, the stages,
  // the phases of the opening (pcs/verify_phases.hpp), of which one that reads rows may be carried out in parts. The
  // proof's sections are in order what the phases or their parts take; the header comes before the first. A state must
  // come back as it was given out: whoever keeps it elsewhere keeps its hash.

  [[nodiscard]] std::uint32_t phases() const noexcept { return phases_; }
  /// Whether phases of the opening alone are left: they read nothing of the session, and of the instance the lengths.
  [[nodiscard]] bool is_opening(const State& state) const noexcept { return state.phase >= before_opening_; }
  /// log2 of the cells of the lookup argument; 0 without lookups.
  [[nodiscard]] std::uint32_t log_cells() const noexcept { return log_cells_; }
  /// Bytes of the section that the next phase, or the next part of one, takes.
  [[nodiscard]] std::size_t section_bytes(const State& state) const;
  /// Carries out phase state.phase < phases(), or its next part. After the last one the proof holds. kState if the
  /// state is of a verification of something else.
  [[nodiscard]] base::Result<State, Rejection> advance(State state, base::ByteView session,
                                                       base::ByteView section) const;

  /// Bytes of each section, in order, the header not counted: where an accepted proof may be cut. Nothing of a
  /// proof that does not hold.
  [[nodiscard]] std::vector<std::size_t> section_sizes(base::ByteView session, base::ByteView proof) const;

  /// Canonical bytes of a state between phases, at most kMaxStateBytes; and the state that has exactly these.
  [[nodiscard]] base::Bytes encode(const State& state) const;
  [[nodiscard]] base::Result<State, Rejection> decode(base::ByteView bytes) const;

  [[nodiscard]] const Setting& setting() const noexcept { return setting_; }

 private:
  explicit Verifier(Setting setting);

  enum class Part : std::uint8_t {
    kCommitment,
    kLookupTop,
    kLookupLayer,
    kLookupColumns,
    kStage,
    kOpening,  ///< its first phase
    kOpened,   ///< any other but the last
    kFinish,
  };
  /// Part of a phase, and the layer or the place in the plan's list of stages.
  struct Place {
    Part part;
    std::uint32_t index;
  };
  [[nodiscard]] Place place(std::uint32_t phase) const noexcept;
  /// A state with everything that phase `phase` finds, of the right sizes.
  [[nodiscard]] State blank(std::uint32_t phase) const;
  [[nodiscard]] std::vector<pcs::CommitmentKey> keys(const State& state) const;
  /// Which phase of the opening comes next, counted from its start.
  [[nodiscard]] std::uint32_t opening_phase(const pcs::OpeningState& opening) const noexcept;
  [[nodiscard]] bool looks_up(std::uint32_t phase) const noexcept;
  /// The claims whose values such a state has.
  [[nodiscard]] std::vector<reduction::ClaimId> carried(std::uint32_t phase) const;

  using Step = std::optional<Rejection>;
  Step run(State& state, transcript::Transcript& transcript, base::ByteView section) const;
  Step commitment(State& state, transcript::Transcript& transcript, base::ByteView section) const;
  Step lookup_columns(State& state, transcript::Transcript& transcript, base::ByteView section) const;
  Step opening(State& state, Part part, transcript::Transcript& transcript, base::ByteView section) const;
  Step stage(State& state, const reduction::Stage& stage, transcript::Transcript& transcript,
             base::ByteView section) const;
  void draw_zero_point(State& state, transcript::Transcript& transcript) const;

  Setting setting_;
  std::uint32_t log_cells_ = 0;  // of the lookup argument
  std::uint32_t lookup_phases_ = 0;
  std::uint32_t before_opening_ = 0;  // phases
  std::uint32_t phases_ = 0;
};

}  // namespace avow::verifier
