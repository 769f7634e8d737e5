// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lookup_prover/prove.hpp"
#include "pcs_prover/cache.hpp"
#include "pcs_prover/open.hpp"
#include "prover/array.hpp"
#include "prover/dense.hpp"
#include "verifier/verify.hpp"

namespace avow::prover {

/// Whether integers can wrap for these model tensors (statement::check_no_wrap with their actual bounds): to be asked
/// once, when a model is made, and by whoever re-derives its key. arrays: for each tensor of the statement its cells,
/// those of model tensors are read. Requires a valid statement and arrays of the right sizes.
[[nodiscard]] std::optional<statement::Error> check_model(const statement::Statement& statement,
                                                          const std::vector<Array>& arrays);

/// How a model's tree is kept.
struct CommitOptions {
  /// A file for the tree, opened if it is one of these cells, else made (pcs::CachedOracle). Empty: in memory.
  std::filesystem::path cache{};
  pcs::CacheMode mode = pcs::CacheMode::kTreeOnly;
  /// Told why a file cannot be used; if it cannot be made either, the tree is in memory.
  std::function<void(const pcs::CacheProblem&)> report{};
  pcs::CachedOracle::Progress progress{};  ///< of making the file; where it says no, commit() ends with kCancelled
  /// Make the file whether or not there is one: what the key says then rests on the cells alone. A file that is there
  /// is believed as far as its rows are, of which a few are compared.
  bool rebuild = false;
};

/// A model that is committed to: its key, its cells, the oracle that openings read.
class Model {
 public:
  /// arrays: for each tensor of the statement its cells, row-major; those of model tensors are read, and copied once
  /// more, in the order of the commitment. Refused as by verifier::check_key, and with kKeyShape for arrays of the
  /// wrong size.
  [[nodiscard]] static base::Result<std::unique_ptr<Model>, verifier::Rejection> commit(
      statement::Statement statement, const pcs::Config& config, std::vector<Array> arrays,
      base::Bytes application = {}, const CommitOptions& options = {});

  [[nodiscard]] const verifier::VerifyingKey& key() const noexcept { return key_; }
  [[nodiscard]] const Array& array(statement::TensorId id) const { return arrays_[id]; }
  /// What an opening needs; nothing if the statement has no model tensors.
  [[nodiscard]] const std::optional<pcs::Opened>& opened() const noexcept { return opened_; }
  /// Memory of its own: cells and, if it is not in a file, the tree.
  [[nodiscard]] std::uint64_t memory_bytes() const noexcept;

 private:
  Model() = default;

  verifier::VerifyingKey key_;
  std::vector<Array> arrays_;
  DenseCells dense_;
  std::unique_ptr<pcs::Oracle> oracle_;
  std::uint64_t tree_bytes_ = 0;  // in memory
  std::optional<pcs::Opened> opened_;
};

/// Time of the parts of a proof.
struct ProveTimes {
  std::chrono::nanoseconds virtuals{};  ///< virtual tensors
  std::chrono::nanoseconds tuples{};    ///< what is looked up, and how often
  std::chrono::nanoseconds commit{};    ///< to the witness
  std::chrono::nanoseconds columns{};   ///< the cells of the lookup argument
  std::chrono::nanoseconds lookups{};   ///< the lookup argument
  std::chrono::nanoseconds stages{};    ///< values and sumchecks
  std::chrono::nanoseconds open{};
  lookup::ProveTimes lookup_parts;
  pcs::OpenTimes open_parts;
};

/// Places where a test makes the prover cheat. Empty in honest use.
struct Faults {
  /// Every message of field elements but those of the lookup argument and the opening, before it is sent.
  std::function<void(transcript::Label label, std::vector<field::Fp3>& elements)> message{};
  lookup::Faults lookup{};
  pcs::Faults open{};
  bool ignore_missing = false;  ///< prove although a tuple is no row of its table
};

/// Messages of a proof by kind, in bytes.
struct ProofBytes {
  std::size_t lookups = 0;
  std::size_t stages = 0;
  std::size_t opening = 0;
  std::size_t total = 0;
};

struct Proved {
  base::Bytes proof;
  ProofBytes bytes;
};

/// Parts of a proof, in the order in which they are made.
enum class Phase : std::uint8_t {
  kEvaluate,  ///< virtual tensors; what is looked up, and how often
  kCommit,    ///< to the witness
  kLookups,   ///< the lookup argument
  kStages,    ///< sumchecks
  kOpen,      ///< the opening
};
/// "commit", for people.
[[nodiscard]] const char* name(Phase phase) noexcept;

/// Called before each part with the share of the work, by estimate, that has been done: `done` of `total`.
using Progress = std::function<void(Phase next, std::uint64_t done, std::uint64_t total)>;

/// What a proof is made with besides model, instance and witness.
struct ProveOptions {
  base::Bytes session{};  ///< where the proof is used, see verifier::Setting::start
  ProveTimes* times = nullptr;
  transcript::Manifest* manifest = nullptr;
  const Faults* faults = nullptr;
  Progress progress{};
  /// Looked at before each part; another thread may set it. The error is then kCancelled.
  const std::atomic<bool>* cancelled = nullptr;
};
inline constexpr const char* kCancelled = "cancelled";

/// The proof that the statement holds for this instance and witness. arrays: for each tensor its cells; witness tensors
/// have to be there, except multiplicities, which are counted if they are empty; virtual tensors are computed if they
/// are empty. A witness for which the statement is false gives an error where a lookup fails, and otherwise a proof
/// that does not verify: statement::check says what is wrong.
[[nodiscard]] base::Result<Proved, std::string> prove(const Model& model, statement::Instance instance,
                                                      std::vector<Array> arrays, const ProveOptions& options = {});

}  // namespace avow::prover
