// SPDX-License-Identifier: Apache-2.0
#include "pcs_prover/cache.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "base/folder_testing.hpp"
#include "merkle/tree.hpp"

namespace avow::pcs {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kLogRows = 6;
constexpr unsigned kLogInvRate = 2;
constexpr std::size_t kLeaves = 256;
constexpr std::size_t kHeapOffset = 4096;
constexpr std::size_t kCodewordOffset = kHeapOffset + 2 * kLeaves * 32;
constexpr std::size_t kCols = 11;  // groups of 8, 2 and 1

class Cache : public ::testing::TestWithParam<CacheMode> {
 protected:
  void SetUp() override {
    std::mt19937_64 rng(1);
    for (const std::size_t cols : {8u, 2u, 1u}) {
      auto& group = cells.emplace_back(cols << kLogRows);
      for (auto& cell : group) cell = static_cast<std::int16_t>(rng());
      groups.push_back(field::MatrixView::of(std::span<const std::int16_t>(group), cols));
    }
    memory = std::make_unique<TreeOracle>(kLogRows, kLogInvRate, groups);
    path = directory / "model.cache";
  }

  CacheIdentity identity() const { return identity_of(kLogRows, kLogInvRate, GetParam(), groups); }
  std::unique_ptr<CachedOracle> build() {
    auto built = CachedOracle::build(path, identity(), groups);
    EXPECT_TRUE(built.ok()) << built.error().detail;
    return std::move(built).value();
  }
  CacheError open_error() {
    const auto opened = CachedOracle::open(path, identity(), groups);
    return opened.ok() ? CacheError{} : opened.error().code;
  }
  void flip(std::size_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }
  static std::vector<std::uint32_t> all_positions() {
    std::vector<std::uint32_t> positions(kLeaves);
    for (std::uint32_t i = 0; i < kLeaves; ++i) positions[i] = i;
    return positions;
  }

  std::vector<std::vector<std::int16_t>> cells;
  std::vector<field::MatrixView> groups;
  std::unique_ptr<TreeOracle> memory;
  base::testing::ScratchFolder directory;
  fs::path path;
};
INSTANTIATE_TEST_SUITE_P(Modes, Cache, ::testing::Values(CacheMode::kFull, CacheMode::kTreeOnly), [](const auto& mode) {
  return std::string(mode.param == CacheMode::kFull ? "Full" : "TreeOnly");
});

TEST_P(Cache, HoldsWhatTheTreeOracleComputes) {
  const auto check = [&](const CachedOracle& oracle) {
    EXPECT_TRUE(std::equal(oracle.heap().begin() + 1, oracle.heap().end(), memory->heap().begin() + 1));
    EXPECT_EQ(oracle.rows(all_positions()), memory->rows(all_positions()));
    EXPECT_TRUE(oracle.verify_rows());
    EXPECT_EQ(oracle.damage(), 0u);
  };
  check(*build());
  const auto reopened = CachedOracle::open(path, identity(), groups);
  ASSERT_TRUE(reopened.ok());
  check(*reopened.value());
}

TEST_P(Cache, LeavesNoTemporaryFile) {
  static_cast<void>(build());
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()), 1);
}

TEST_P(Cache, MissingFile) { EXPECT_EQ(open_error(), CacheError::kMissing); }

TEST_P(Cache, TruncatedAtSampledLengths) {
  static_cast<void>(build());
  const auto whole = fs::file_size(path);
  for (std::uintmax_t size = 0; size < whole; size += 509) {
    fs::resize_file(path, size);
    ASSERT_EQ(open_error(), CacheError::kTruncated) << size;
    static_cast<void>(build());
  }
  fs::resize_file(path, whole + 1);
  EXPECT_EQ(open_error(), CacheError::kTruncated);
}

TEST_P(Cache, DamagedHeader) {
  for (const std::size_t offset : {0u, 22u, 30u, 4000u, 4095u}) {
    static_cast<void>(build());
    flip(offset);
    EXPECT_EQ(open_error(), CacheError::kHeader) << offset;
  }
}

TEST_P(Cache, OfOtherWeights) {
  static_cast<void>(build());
  cells[1][5] ^= 1;
  EXPECT_EQ(open_error(), CacheError::kForeign);
}

TEST_P(Cache, OfAnotherShapeOrMode) {
  static_cast<void>(build());
  auto other = identity();
  other.log_inv_rate = 3;
  EXPECT_EQ(CachedOracle::open(path, other, groups).error().code, CacheError::kForeign);
  other = identity();
  other.mode = GetParam() == CacheMode::kFull ? CacheMode::kTreeOnly : CacheMode::kFull;
  EXPECT_EQ(CachedOracle::open(path, other, groups).error().code, CacheError::kForeign);
}

TEST_P(Cache, EveryDamagedTreeNodeIsFound) {
  static_cast<void>(build());
  for (std::size_t node = 1; node < 2 * kLeaves; node += 7) {
    flip(kHeapOffset + 32 * node + node % 32);
    ASSERT_EQ(open_error(), CacheError::kTree) << node;
    flip(kHeapOffset + 32 * node + node % 32);
  }
  EXPECT_EQ(open_error(), CacheError{});
}

TEST_P(Cache, DamagedRowIsComputedAndTheFileRebuilt) {
  if (GetParam() == CacheMode::kTreeOnly) return;  // holds no rows
  static_cast<void>(build());
  flip(kCodewordOffset + 8 * kCols * 100 + 3);
  {
    auto opened = CachedOracle::open(path, identity(), groups);
    ASSERT_TRUE(opened.ok());
    EXPECT_FALSE(opened.value()->verify_rows());
    EXPECT_EQ(opened.value()->rows(all_positions()), memory->rows(all_positions()));
    EXPECT_EQ(opened.value()->damage(), 1u);
  }
  EXPECT_EQ(open_error(), CacheError::kHeader);
  std::vector<CacheError> reports;
  const auto rebuilt =
      CachedOracle::open_or_build(path, identity(), groups, [&](const CacheProblem& p) { reports.push_back(p.code); });
  ASSERT_TRUE(rebuilt.ok());
  EXPECT_EQ(reports, std::vector{CacheError::kHeader});
  EXPECT_TRUE(rebuilt.value()->verify_rows());
}

TEST_P(Cache, OpenOrBuildReportsNothingTheFirstTime) {
  int reports = 0;
  const auto report = [&](const CacheProblem&) { ++reports; };
  ASSERT_TRUE(CachedOracle::open_or_build(path, identity(), groups, report).ok());
  ASSERT_TRUE(CachedOracle::open_or_build(path, identity(), groups, report).ok());
  EXPECT_EQ(reports, 0);
}

TEST_P(Cache, UnwritableDirectory) {
  const auto built = CachedOracle::build(directory / "no" / "such" / "folder", identity(), groups);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.error().code, CacheError::kIo);
  EXPECT_NE(built.error().detail.find("cannot be created"), std::string::npos);
}

TEST_P(Cache, SomethingElseUnderItsName) {
  std::ofstream(path) << std::string(10000, 'x');
  EXPECT_EQ(open_error(), CacheError::kNotCache);
  std::vector<CacheError> reports;
  const auto report = [&](const CacheProblem& p) { reports.push_back(p.code); };
  for (const auto& made : {CachedOracle::build(path, identity(), groups).ok(),
                           CachedOracle::open_or_build(path, identity(), groups, report).ok()}) {
    EXPECT_FALSE(made);
  }
  EXPECT_EQ(fs::file_size(path), 10000);  // left alone
  EXPECT_TRUE(reports.empty());           // it is the error that is returned
  EXPECT_EQ(CachedOracle::build(directory.path(), identity(), groups).error().code, CacheError::kNotCache);
}

// With the right header and a sound tree, but over other rows.
TEST_P(Cache, ATreeOverOtherRowsIsFound) {
  static_cast<void>(build());
  std::vector<base::Digest> heap(2 * kLeaves);
  const auto size = static_cast<std::streamsize>(heap.size() * sizeof(base::Digest));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(kHeapOffset);
  file.read(reinterpret_cast<char*>(heap.data()), size);
  for (std::size_t leaf = kLeaves; leaf < 2 * kLeaves; ++leaf) heap[leaf][0] ^= 1;
  merkle::build(heap);
  file.seekp(kHeapOffset);
  file.write(reinterpret_cast<const char*>(heap.data()), size);
  file.close();
  EXPECT_EQ(open_error(), CacheError::kLeaves);
  EXPECT_TRUE(CachedOracle::open_or_build(path, identity(), groups, {}).ok());
  EXPECT_EQ(open_error(), CacheError{});
}

TEST_P(Cache, CanBeCancelledAndLeavesNothing) {
  const auto stop = [](std::size_t done, std::size_t) { return done < 2; };
  EXPECT_EQ(CachedOracle::build(path, identity(), groups, stop).error().code, CacheError::kCancelled);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

}  // namespace
}  // namespace avow::pcs
