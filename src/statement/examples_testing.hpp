// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <ostream>
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
  /// By its name, as a test's parameter.
  friend std::ostream& operator<<(std::ostream& out, const Example& example) { return out << example.name; }
};

/// y = round(x W / 2^8), remainder virtual. tokens: 2^k or 3*2^(k-1).
[[nodiscard]] Example matmul_example(std::uint64_t tokens, std::uint64_t in, std::uint64_t out);
[[nodiscard]] Example product_example(std::uint64_t rows, std::uint64_t cols);
/// The same, requantised: c = round(a b / 2^8).
[[nodiscard]] Example scaled_product_example(std::uint64_t rows, std::uint64_t cols);
[[nodiscard]] Example row_sums_example(std::uint64_t rows, std::uint64_t cols);
/// Attention from scores on: exact maximum, exponentials, reciprocal, weighted mean of values.
[[nodiscard]] Example softmax_example(std::uint64_t tokens);
[[nodiscard]] Example activation_example(std::uint64_t cells);
/// Public tokens, with a table of positions that is longer than the instance.
[[nodiscard]] Example embedding_example(std::uint64_t tokens);
/// 3 x 3, two-dimensional, in two definitions.
[[nodiscard]] Example convolution_example(std::uint64_t side, std::int64_t stride, std::int64_t padding);

/// y = round(x r / 2^20), r = floor(sqrt(2^46 / (sum of x^2 + 4097))), exact. width: at most 1000.
[[nodiscard]] Example rms_norm_example(std::uint64_t tokens, std::uint64_t width);
/// The same of x minus its rounded mean.
[[nodiscard]] Example layer_norm_example(std::uint64_t tokens, std::uint64_t width);
/// Per head, keys shared by the heads of a group, requantised under the causal mask.
[[nodiscard]] Example scores_example(std::uint64_t tokens, std::uint64_t features);
/// Rotary positions: pairs turned by model constants, which are a prefix of a longer context.
[[nodiscard]] Example rope_example(std::uint64_t tokens, std::uint64_t pairs);
/// Norm inputs, gate, product and residual stream of several layers at once; lengths of the layer axis differ alone.
[[nodiscard]] Example block_example(std::uint64_t layers, std::uint64_t tokens, std::uint64_t width);

/// How the tokens of a selection are chosen; the public values of an instance follow from it.
struct Selection {
  std::string name;
  std::int64_t tau = 16;  ///< inverse temperature, 16: 1
  std::int64_t k = 0;     ///< top-k; 0: off
  std::int64_t p = 256;   ///< top-p in 1/256; 256: off
  bool greedy = false;
  std::uint64_t vocabulary = 43;  ///< at most 256
};
/// The choice of a token a step from quantised logits: exact maximum, saturated and scaled distances from it, their
/// weights, top-k and top-p on the exact histogram, the token at the public random number.
[[nodiscard]] Example selection_example(const Selection& selection, std::uint64_t steps);

/// One of each, small.
[[nodiscard]] std::vector<Example> all_examples();
/// Each operation at several of the lengths 1, 3, 12, 43, 768, 1000, the others drawn from `seed`.
[[nodiscard]] std::vector<Example> shaped_examples(std::uint64_t seed);

}  // namespace avow::statement
