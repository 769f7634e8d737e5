// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compile/tensors.hpp"
#include "model/weights.hpp"
#include "quantise/error.hpp"

/// Models in floating point as exact integer models that every prompt can be proven of (spec/integer_models.md).
namespace avow::quantise {

struct Options {
  /// The largest number of tokens; rounded down to 2^k or 3 * 2^(k-1). 0: the model's context, at most 1024. At most
  /// 2^16, and for GPT-2 the positions that the model has: more is refused.
  std::uint64_t context = 0;
};

/// Binary digits after the point: an integer v in units of 2^-bits is the real number v 2^-bits. May be negative.
struct Scales {
  int embedding = 0, stream = 0, norm_input = 0;
  int query = 0, key = 0, value = 0, score = 0;  ///< of the 16-bit results; scores in nats
  int gate = 0, up = 0, product = 0;
};

/// The certified bounds that the plan rests on, in units of the integers that they bound, before the shift that they
/// decided.
struct Bounds {
  double norm_output = 0;  ///< length of y
  double query = 0, key = 0, value = 0, gate = 0, up = 0, score = 0, product = 0, logit = 0;
  double embedding = 0;                         ///< length of E, in units of the stream
  std::vector<double> attention, feed_forward;  ///< by layer: lengths of 2^output_up o and 2^down_up d
  double stream = 0;                            ///< length of x
};

struct Import {
  compile::IntegerModel model;
  Scales scales;
  Bounds bounds;
};

/// Deterministic: the same cells and numbers on every machine. The plan fulfils compile::check_plan, and no step leaves
/// its range for any tokens.
[[nodiscard]] base::Result<Import, Error> import_model(const model::Weights& weights, const Options& options);

/// The model alone.
[[nodiscard]] base::Result<compile::IntegerModel, Error> quantise(const model::Weights& weights,
                                                                  const Options& options);

}  // namespace avow::quantise
