// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "prover/array.hpp"
#include "reduction/dense.hpp"

namespace avow::prover {

/// The dense vector of a commitment's tensors, column group by column group, each in the narrowest type for its cells,
/// row by row.
struct DenseCells {
  std::vector<Array> groups;
  [[nodiscard]] std::vector<field::MatrixView> views(const reduction::DenseLayout& layout) const;
};
/// arrays: by tensor; lengths: of every axis.
[[nodiscard]] DenseCells make_dense(const reduction::DenseLayout& layout, const statement::Statement& statement,
                                    std::span<const std::uint64_t> lengths, std::uint32_t log_rows,
                                    const std::vector<const Array*>& arrays);

}  // namespace avow::prover
