// SPDX-License-Identifier: Apache-2.0
#include "verifier/sections.hpp"

#include <numeric>

#include "field/extension.hpp"
#include "lookup/config.hpp"
#include "verifier/verify.hpp"

namespace avow::verifier {

std::size_t lookup_columns_bytes(const reduction::Plan& plan) {
  return lookup::columns_bytes(plan.lookup) + field::kFp3Bytes * plan.lookup_values.size();
}

std::size_t stage_bytes(const reduction::Stage& stage) {
  const std::size_t rounds = std::accumulate(stage.degrees.begin(), stage.degrees.end(), std::size_t{0});
  return field::kFp3Bytes * (stage.linear_values.size() + rounds + stage.sum_values.size());
}

std::size_t head_bytes(const reduction::Plan& plan) {
  std::size_t bytes = kHeaderBytes + kCommitmentBytes;
  if (!plan.lookup.columns.empty()) {
    bytes += lookup::proof_bytes(plan.lookup) + field::kFp3Bytes * plan.lookup_values.size();
  }
  for (const auto& stage : plan.stages) bytes += stage_bytes(stage);
  return bytes;
}

}  // namespace avow::verifier
