// SPDX-License-Identifier: Apache-2.0
#include "compile/cell_vector.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace avow::compile {
namespace {

using Vector = CellVector<std::int16_t>;

TEST(CellVector, ReadsWhatSomebodyElseKeeps) {
  auto memory = std::make_shared<std::vector<std::int16_t>>(std::vector<std::int16_t>{5, -7, 9});
  const std::int16_t* place = memory->data();
  Vector kept(std::span<const std::int16_t>(*memory), memory);
  const std::weak_ptr<std::vector<std::int16_t>> watched = memory;
  memory.reset();
  EXPECT_FALSE(kept.is_own());
  EXPECT_EQ(kept.data(), place);
  EXPECT_EQ(kept, Vector(std::vector<std::int16_t>{5, -7, 9}));
  const Vector copy = kept;
  EXPECT_EQ(copy.data(), place);
  kept = {};
  EXPECT_TRUE(kept.empty());
  EXPECT_FALSE(watched.expired());
}

TEST(CellVector, ChangesOnlyItsOwn) {
  const auto memory = std::make_shared<const std::vector<std::int16_t>>(std::vector<std::int16_t>{1, 2, 3});
  Vector kept(std::span<const std::int16_t>(*memory), memory);
  kept.own()[1] = 20;
  kept.own().push_back(4);
  EXPECT_TRUE(kept.is_own());
  EXPECT_EQ(kept, Vector(std::vector<std::int16_t>{1, 20, 3, 4}));
  EXPECT_EQ((*memory)[1], 2);
  EXPECT_EQ(memory.use_count(), 1);
  EXPECT_NE(kept, Vector(std::vector<std::int16_t>{1, 20, 3}));
}

}  // namespace
}  // namespace avow::compile
