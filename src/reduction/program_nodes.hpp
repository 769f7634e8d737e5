// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <string>

#include "base/bytes.hpp"
#include "field/goldilocks.hpp"
#include "reduction/plan.hpp"

namespace avow::reduction {

/// Appends the low 16 bits.
inline void append_be16(base::Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

/// The parts of a program that others name by number, each once: constants, coordinates, and nodes, which are values
/// that depend on challenges alone (spec/program.md). Requires a statement that has a program.
class ProgramNodes {
 public:
  explicit ProgramNodes(const statement::Statement& statement);

  /// The numbers of the constant and of the node that are everything of a product but its claims.
  struct Added {
    std::uint16_t coefficient;
    std::uint16_t node;
  };
  Added add(const Product& product);
  /// The number of coordinates that are followed by zeros up to those of an axis.
  std::uint16_t at(const Coordinates& coordinates, statement::AxisId axis);
  /// The first axis that has this one's length in every instance.
  [[nodiscard]] std::uint8_t axis(statement::AxisId axis) const;
  [[nodiscard]] std::uint8_t parameters() const;

  /// The sections, each behind its number of elements.
  [[nodiscard]] base::Bytes axes() const;
  [[nodiscard]] base::Bytes constants() const;
  [[nodiscard]] base::Bytes coordinates() const;
  [[nodiscard]] base::Bytes nodes() const;

 private:
  /// A list without repetitions.
  class Numbered {
   public:
    std::uint16_t add(base::Bytes element);
    [[nodiscard]] const std::vector<base::Bytes>& all() const noexcept { return all_; }

   private:
    std::vector<base::Bytes> all_;
    std::map<std::string, std::uint16_t> numbers_;  // by their bytes
  };

  using Counts = std::array<std::uint8_t, 3>;  // of each parameter
  [[nodiscard]] Counts counts(const Bits& bits) const;
  std::uint16_t constant(field::Fp value);
  void multiply(std::uint16_t& node, base::Bytes factor);
  void multiply_structured(Added& product, const TensorPoint& point);

  const statement::Statement& s_;
  std::vector<statement::AxisId> parameters_;
  Numbered constants_, coordinates_, nodes_;
};

}  // namespace avow::reduction
