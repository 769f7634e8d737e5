// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compile/tensors.hpp"
#include "statement/builder.hpp"

namespace avow::compile {

using Axes = std::vector<statement::AxisRef>;

/// A statement in the making: what all parts of a model share.
class Assembly {
 public:
  explicit Assembly(const Plan& given);

  const Plan& plan;
  statement::Builder b;
  /// Axes of the instance: requests, their tokens (key an alias), and the steps that choose one.
  statement::AxisRef request, token, key, step;
  /// Axes of the model (earlier and other_side are aliases of layer and side).
  statement::AxisRef layer, earlier, feature, kv_head, group, pair, side, other_side, head_feature, hidden, word;

  /// The tensor read along the axes.
  static statement::Expr read(statement::TensorRef tensor, const Axes& axes);
  statement::TensorRef model(ModelTensor tensor, const Axes& axes);

  /// The table of [0, 2^bits). A width has a table of its own: that a multiple of a value is in the range of a larger
  /// one says nothing of field elements.
  statement::TableRef range(unsigned bits);
  /// 0 <= value < 2^bits (where the mask is 1), by a lookup for each digit_bits bits; higher ones are committed to, as
  /// `digits` of spec section 8. The value's terms have one factor each.
  void in_range(const std::string& name, const Axes& axes, const statement::Expr& value, unsigned bits,
                const std::optional<statement::Expr>& mask = std::nullopt);
  /// sum = 2^shift value + rest - floor(2^shift / 2) with 0 <= rest < 2^shift: that value = rd(sum, shift).
  void rounds_to(const std::string& name, const Axes& axes, const statement::Expr& sum, const statement::Expr& value,
                 unsigned shift, const std::optional<statement::Expr>& mask = std::nullopt);
  /// A committed s16 tensor that is rd(sum, shift). `checked`: its range is left to a lookup that the caller adds.
  enum class ValueRange : std::uint8_t { kLookedUp, kElsewhere };
  statement::TensorRef rounded(const std::string& name, const Axes& axes, statement::TensorRef sum, unsigned shift,
                               ValueRange range = ValueRange::kLookedUp,
                               const std::optional<statement::Expr>& mask = std::nullopt);
  /// `low + 2^16 high`, of `bits` with sign: two committed tensors, and the virtual one that is their sum.
  statement::TensorRef two_limbs(const std::string& prefix, const std::string& name, const Axes& axes, unsigned bits);

 private:
  std::map<unsigned, statement::TableRef> ranges_;  // by bits
};

/// 2^shift, at most 2^62.
[[nodiscard]] constexpr std::int64_t power(unsigned shift) { return std::int64_t{1} << shift; }

/// Normalises `x` over `feature`; spec section 3. places: the axes of x in front of `feature`.
class Norms {
 public:
  explicit Norms(Assembly& assembly);
  /// y.
  statement::TensorRef add(const std::string& name, const Axes& places, statement::TensorRef x);

 private:
  statement::TensorRef add_input(const std::string& name, const Axes& places, statement::TensorRef x);
  statement::TensorRef add_scale(const std::string& name, const Axes& places, statement::TensorRef squares);

  Assembly& a_;
  statement::AxisRef place_;
  statement::TableRef scan_, root_;
};

/// What a layer adds to the residual stream, not yet shifted: [request, layer, token, feature].
statement::TensorRef add_attention(Assembly& assembly, statement::TensorRef normed);
statement::TensorRef add_feed_forward(Assembly& assembly, statement::TensorRef normed);
/// The logits' distances from their maximum, [request, step, word], of the final norm's output.
statement::TensorRef add_logits(Assembly& assembly, statement::TensorRef embedding, statement::TensorRef normed);
/// Spec section 6.
void add_selection(Assembly& assembly, statement::TensorRef distance);

}  // namespace avow::compile
