// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "compile/tensors.hpp"
#include "prover/array.hpp"
#include "runtime/witness.hpp"
#include "statement/statement.hpp"

/// What a proof reads, by the numbers of a statement's tensors. The statement is compile()'s, with its names.
namespace avow::answer_prover {

/// Model tensors, whose cells stay where they are: the model must outlive them. Others are empty.
[[nodiscard]] std::vector<prover::Array> model_arrays(const statement::Statement& statement,
                                                      const compile::IntegerModel& model);
/// Witness tensors but multiplicities; cells stay in the witness where the prover has a type for them. Others are
/// empty.
[[nodiscard]] std::vector<prover::Array> witness_arrays(const statement::Statement& statement,
                                                        const runtime::Witness& witness);

}  // namespace avow::answer_prover
