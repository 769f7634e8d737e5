// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "base/buffer.hpp"
#include "field/extension.hpp"

namespace avow::lookup {

/// Tables of layers that are done with, for those to come: the layers of a proof's sumchecks have the sizes of its
/// tree's, so that a proof pages its memory in once.
class Spare {
 public:
  using Table = base::Buffer<field::Fp3>;

  /// The smallest table of at least `size` elements, or a new one. Then as much is given up first, as far as it is
  /// there: what is spare never adds to what a proof takes.
  [[nodiscard]] Table take(std::size_t size) {
    std::size_t best = tables_.size();
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      if (tables_[i].size() >= size && (best == tables_.size() || tables_[i].size() < tables_[best].size())) best = i;
    }
    if (best < tables_.size()) return remove(best);
    for (std::size_t freed = 0; freed < size && !tables_.empty();) freed += remove(largest()).size();
    return Table(size);
  }
  void give(Table table) {
    if (table.size() > 0) tables_.push_back(std::move(table));
  }

 private:
  [[nodiscard]] std::size_t largest() const {
    const auto smaller = [](const Table& a, const Table& b) { return a.size() < b.size(); };
    return static_cast<std::size_t>(std::max_element(tables_.begin(), tables_.end(), smaller) - tables_.begin());
  }
  Table remove(std::size_t i) {
    std::swap(tables_[i], tables_.back());
    Table table = std::move(tables_.back());
    tables_.pop_back();
    return table;
  }

  std::vector<Table> tables_;
};

}  // namespace avow::lookup
