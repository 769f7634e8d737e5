// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "compile/tensors.hpp"
#include "runtime/error.hpp"
#include "runtime/forward.hpp"

// Runs integer models: what spec/integer_models.md says, to the last bit, on every machine.
namespace avow::runtime {

/// Whether the model is one that can be run: its plan, the sizes of its tensors, and what spec/integer_models.md
/// section 2 says of its tables. Its weights may be anything: a number that leaves its range ends a run with kRange.
[[nodiscard]] MaybeError check_model(const compile::IntegerModel& model);

/// A run of a model: tokens one after the other, of which keys and values are kept. Not thread-safe; uses all threads.
class Runtime {
 public:
  /// The model must outlive the runtime. `places` is the most tokens of a run, and what memory for keys and values is
  /// asked for (4 bytes each; it is used as places are): the plan's context if 0. kPlan, kCells, kTable, kMemory;
  /// kContext if there are more places than the context has.
  [[nodiscard]] static base::Result<Runtime, Error> create(const compile::IntegerModel& model, std::size_t places = 0);

  /// Appends tokens and gives the logits after each of the `wanted` places, in their order, one row of the vocabulary
  /// each: the units are of 1/256 nat. A place is that of a token in the run, from 0, and among those appended here. On
  /// an error (kToken, kContext, kPlace, kRange) nothing is appended.
  [[nodiscard]] base::Result<std::vector<std::int32_t>, Error> process(std::span<const std::uint32_t> tokens,
                                                                       std::span<const std::size_t> wanted);
  /// What `process` would refuse before it computes anything.
  [[nodiscard]] MaybeError check(std::span<const std::uint32_t> tokens, std::span<const std::size_t> wanted) const;
  /// Appends tokens, one at least (kEmpty), and gives the logits after the last.
  [[nodiscard]] base::Result<std::vector<std::int32_t>, Error> prompt(std::span<const std::uint32_t> tokens);
  /// Appends a token and gives the logits after it.
  [[nodiscard]] base::Result<std::vector<std::int32_t>, Error> step(std::uint32_t token) { return prompt({&token, 1}); }

  /// Forgets all tokens, or those from `position` on: a run that begins alike need not be computed again.
  void reset() noexcept { position_ = 0; }
  void rewind(std::size_t position) noexcept { position_ = position < position_ ? position : position_; }

  /// How many tokens there are: the place of the next.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t places() const noexcept { return forward_.places(); }
  [[nodiscard]] const compile::IntegerModel& model() const noexcept { return *model_; }

  /// Where `process` takes down what it computes, from here on; steps are counted over all of its calls. For witnesses
  /// (witness.hpp); nullptr ends it.
  void record(Recorder* recorder) noexcept {
    recorder_ = recorder;
    recorded_steps_ = 0;
  }

 private:
  Runtime(const compile::IntegerModel& model, std::size_t places) : model_(&model), forward_(model, places) {}

  const compile::IntegerModel* model_;
  Forward forward_;
  std::size_t position_ = 0;
  Recorder* recorder_ = nullptr;
  std::size_t recorded_steps_ = 0;
};

}  // namespace avow::runtime
