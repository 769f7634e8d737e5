// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "pcs_prover/oracle.hpp"

namespace avow::pcs {

/// What a cache file keeps of a commitment that is made once and opened often.
enum class CacheMode : std::uint8_t {
  kFull = 1,      ///< codewords and tree: opened rows are read
  kTreeOnly = 2,  ///< the tree: opened rows are computed from the cells again (one pass over them for three rows)
};

/// What the file is a cache of. A file made for anything else is foreign.
struct CacheIdentity {
  std::uint32_t log_rows = 0;
  std::uint32_t log_inv_rate = 0;
  CacheMode mode = CacheMode::kFull;
  std::vector<std::uint32_t> group_columns;
  std::vector<field::CellType> group_types;
  base::Digest cells{};  ///< of the cells, see identity_of
  friend bool operator==(const CacheIdentity&, const CacheIdentity&) = default;
};

/// Identity of these cells; reads them once.
[[nodiscard]] CacheIdentity identity_of(unsigned log_rows, unsigned log_inv_rate, CacheMode mode,
                                        std::span<const field::MatrixView> groups);

enum class CacheError : std::uint8_t {
  kMissing = 1,  ///< no such file
  kIo,           ///< the system refused to read, write or map
  kNoSpace,      ///< the file would not fit the disk
  kTruncated,    ///< shorter or longer than its header says
  kHeader,       ///< no header of this format and version, or its checksum is wrong
  kForeign,      ///< of other cells, another shape or another mode
  kTree,         ///< a node of the tree is not the hash of its children
  kLeaves,       ///< a leaf of the tree is not the hash of the cells' row: made from others
  kNotCache,     ///< no file of this kind, of any version: it is not replaced
  kCancelled,    ///< while the file was made; nothing is left of it
};
struct CacheProblem {
  CacheError code;
  std::string detail;  ///< a sentence for the user: file, what is wrong
};

/// A commitment whose codewords and tree live in a file, mapped: memory holds only what is touched.
///
/// The file is not trusted: opening it checks the header, the identity, every inner node of the tree, and a few random
/// leaves against the cells; every row is checked against its leaf when it is read. A row that fails is computed from
/// the cells instead, damage() says so, and the file is marked so that it is rebuilt when it is opened next. What stays
/// possible: a tree that somebody made with a few false leaves has another root, and no opening of them holds. Whoever
/// publishes a root makes the file (build).
class CachedOracle final : public Oracle {
 public:
  /// Work done: `done` parts of `total`. Returns whether to go on.
  using Progress = std::function<bool(std::size_t done, std::size_t total)>;

  /// Opens an existing file. `groups` are the cells (they must outlive the oracle).
  [[nodiscard]] static base::Result<std::unique_ptr<CachedOracle>, CacheProblem> open(
      const std::filesystem::path& path, const CacheIdentity& identity, std::vector<field::MatrixView> groups);
  /// Encodes, hashes and writes the file under a temporary name, then renames it: a file under its own name is whole.
  /// Only a cache is replaced, of whatever version and in whatever state.
  /// Memory: one coset (2^log_rows rows) of codewords and the tree, whatever the rate.
  [[nodiscard]] static base::Result<std::unique_ptr<CachedOracle>, CacheProblem> build(
      const std::filesystem::path& path, const CacheIdentity& identity, std::vector<field::MatrixView> groups,
      const Progress& progress = {});
  /// open, or build if that fails; `report` is told why (not for a file that is merely missing).
  [[nodiscard]] static base::Result<std::unique_ptr<CachedOracle>, CacheProblem> open_or_build(
      const std::filesystem::path& path, const CacheIdentity& identity, std::vector<field::MatrixView> groups,
      const std::function<void(const CacheProblem&)>& report, const Progress& progress = {});

  ~CachedOracle() override;

  [[nodiscard]] std::span<const base::Digest> heap() const override;
  [[nodiscard]] std::vector<std::uint64_t> rows(std::span<const std::uint32_t> positions) const override;

  /// Rows that did not match their leaf and were computed instead, since the file was opened.
  [[nodiscard]] std::uint64_t damage() const noexcept { return damage_.load(); }
  /// Reads the whole file: whether every row matches its leaf (kFull).
  [[nodiscard]] bool verify_rows() const;
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return size_; }

 private:
  CachedOracle() = default;
  [[nodiscard]] std::span<base::Digest> mutable_heap() const;
  [[nodiscard]] const std::uint64_t* codeword() const;
  [[nodiscard]] bool sampled_rows_are_leaves() const;
  void mark_damaged() const;

  CacheIdentity identity_;
  std::vector<field::MatrixView> groups_;
  std::size_t cols_ = 0;
  std::size_t leaves_ = 0;
  void* map_ = nullptr;
  std::uint64_t size_ = 0;
  mutable std::atomic<std::uint64_t> damage_{0};
};

}  // namespace avow::pcs
