// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compile/instance.hpp"
#include "compile/tensors.hpp"
#include "runtime/error.hpp"
#include "runtime/recorder.hpp"
#include "runtime/selection.hpp"

// What a proof of a run commits to: spec/integer_models.md section 8.
namespace avow::runtime {

/// One request's run: tokens, and for each step the place of the token after which it chooses. The caller has run the
/// model before; ids that were chosen by steps are those of the run.
struct WitnessRequest {
  std::vector<std::uint32_t> ids;
  std::vector<std::uint32_t> positions;
  Sampling sampling;
  friend bool operator==(const WitnessRequest&, const WitnessRequest&) = default;
};

struct Witness {
  std::map<std::string, WitnessTensor> tensors;  ///< by the names of section 8
  std::vector<compile::RequestRun> runs;         ///< the requests, and what was chosen
};

/// Every tensor of section 8 but multiplicities, with places filled as compile::make_instance fills them. Each request
/// is one pass over all its tokens. kLengths if there is no request, one has no id or no position, or more than the
/// lengths have places for; kMemory for a tensor of more than 2^40 cells; else the errors of Runtime and of `select`.
[[nodiscard]] base::Result<Witness, Error> make_witness(const compile::IntegerModel& model,
                                                        std::span<const WitnessRequest> requests,
                                                        const compile::Lengths& lengths);
/// The same for one request, in lengths that are its own.
[[nodiscard]] base::Result<Witness, Error> make_witness(const compile::IntegerModel& model,
                                                        const WitnessRequest& request);

}  // namespace avow::runtime
