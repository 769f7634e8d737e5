// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compile/tensors.hpp"
#include "runtime/error.hpp"
#include "runtime/recorder.hpp"
#include "runtime/selection.hpp"

// What a proof of a run commits to: spec/integer_models.md section 8.
namespace avow::runtime {

/// The run: tokens, and for each step the place after which it chooses a token. Both are as long as the statement's
/// axes: ids are filled up with 0, positions with the last of them. The caller has run the model before; ids that were
/// chosen by steps are those of the run.
struct WitnessRequest {
  std::vector<std::uint32_t> ids;
  std::vector<std::uint32_t> positions;
  Sampling sampling;
};

/// Public values: tau, k and P are the request's.
struct PublicValues {
  std::vector<std::uint32_t> id, position;
  std::uint32_t tau = 0, top_k = 0, portion = 0;
  std::vector<std::uint32_t> random, chosen, last_k, last_p, above_k, above_p, above;  ///< by step
};

struct Witness {
  std::map<std::string, WitnessTensor> tensors;  ///< by the names of section 8
  PublicValues values;
};

/// Every tensor and public value of section 8 but multiplicities, in one pass over all tokens. kLengths if there is no
/// id or no position, kMemory for a tensor of more than 2^40 cells; else the errors of Runtime and of `select`.
[[nodiscard]] base::Result<Witness, Error> make_witness(const compile::IntegerModel& model,
                                                        const WitnessRequest& request);

}  // namespace avow::runtime
