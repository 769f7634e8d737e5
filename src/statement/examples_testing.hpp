// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "statement/binding.hpp"
#include "statement/checker.hpp"

/// Small statements with honest witnesses, one for each kind of operation, for the tests of every reader.
namespace avow::statement {

/// Changes to a witness tensor that must be noticed, whichever cell they hit, and by which claims.
struct Mutation {
  std::string tensor;
  std::vector<std::int64_t> deltas;
  std::vector<std::string> noticed_by;  ///< one of these claims has to fail
  /// Cells with key > token are under no claim, and free.
  bool causal = false;
};

struct Example {
  std::string name;
  Statement statement;
  Instance instance;
  std::map<std::string, std::vector<std::int64_t>> arrays;  ///< by tensor; multiplicities left out
  std::vector<Mutation> mutations;                          ///< every witness tensor but multiplicities has one

  [[nodiscard]] Assignment assignment() const;
};

/// y = round(x W / 2^8), remainder virtual. tokens: 2^k or 3*2^(k-1).
[[nodiscard]] Example matmul_example(std::uint64_t tokens, std::uint64_t in, std::uint64_t out);
[[nodiscard]] Example product_example(std::uint64_t rows, std::uint64_t cols);
[[nodiscard]] Example row_sums_example(std::uint64_t rows, std::uint64_t cols);
/// Attention from scores on: exact maximum, exponentials, reciprocal, weighted mean of values.
[[nodiscard]] Example softmax_example(std::uint64_t tokens);
[[nodiscard]] Example activation_example(std::uint64_t cells);
/// Public tokens, with a table of positions that is longer than the instance.
[[nodiscard]] Example embedding_example(std::uint64_t tokens);
/// 3 x 3, two-dimensional, in two definitions.
[[nodiscard]] Example convolution_example(std::uint64_t side, std::int64_t stride, std::int64_t padding);

/// One of each, small.
[[nodiscard]] std::vector<Example> all_examples();

}  // namespace avow::statement
