// SPDX-License-Identifier: Apache-2.0
#include "pcs_prover/cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "base/check.hpp"
#include "base/descriptor.hpp"
#include "base/new_file.hpp"
#include "base/threads.hpp"
#include "hash/keccak.hpp"
#include "merkle/tree.hpp"
#include "ntt/encoder.hpp"

// File format, version 1 (codewords as words in the machine's order: a cache is for the machine that made it):
//   [0, 4096)   header: magic, serialised identity, zero padding, keccak256 of the first 4064 bytes
//   heap        2 * leaves digests (merkle/tree.hpp)
//   codewords   leaves rows of cols words (kFull only)
namespace avow::pcs {
namespace {

using base::Digest;
using base::Err;
using Problem = CacheProblem;

constexpr std::size_t kHeaderBytes = 4096;
constexpr std::size_t kMaxGroups = 32;
constexpr char kMagic[] = "avow commitment cache 1";
// What the magic of every version has. Without the first byte, which mark_damaged() clears.
constexpr std::string_view kFamily = "vow commitment cache ";
constexpr std::size_t kSampledRows = 3;  // one pass over the cells

base::Bytes header_of(const CacheIdentity& identity) {
  base::Bytes out(kMagic, kMagic + sizeof kMagic);
  base::append_be32(out, identity.log_rows);
  base::append_be32(out, identity.log_inv_rate);
  base::append_be32(out, static_cast<std::uint32_t>(identity.mode));
  base::append_be32(out, static_cast<std::uint32_t>(identity.group_columns.size()));
  for (std::size_t g = 0; g < identity.group_columns.size(); ++g) {
    base::append_be32(out, identity.group_columns[g]);
    base::append_be32(out, static_cast<std::uint32_t>(identity.group_types[g]));
  }
  base::append(out, identity.cells);
  out.resize(kHeaderBytes - sizeof(Digest));
  base::append(out, hash::keccak256(out));
  return out;
}

Err<Problem> problem(CacheError code, const std::filesystem::path& path, std::string_view what) {
  return Err<Problem>{{code, fmt::format("{}: {}", path.string(), what)}};
}
Err<Problem> system_problem(const std::filesystem::path& path, std::string_view what) {
  const int error = errno;
  const bool space = error == ENOSPC || error == EDQUOT;
  return problem(space ? CacheError::kNoSpace : CacheError::kIo, path,
                 fmt::format("{}: {}", what, std::strerror(error)));
}

// A cache, be it of another version, damaged or cut off; or nothing yet.
bool is_of_family(int fd, const struct stat& info) {
  char start[sizeof kMagic] = {};
  const ssize_t read = S_ISREG(info.st_mode) ? ::pread(fd, start, sizeof start, 0) : -1;
  return read == 0 || (read == sizeof start && kFamily == std::string_view(start + 1, kFamily.size()));
}

Err<Problem> not_cache(const std::filesystem::path& path) {
  return problem(CacheError::kNotCache, path, "is something else than a commitment's cache, and is left alone");
}

// Whether there is a file that is no cache.
bool is_taken(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  if (!S_ISREG(info.st_mode)) return true;
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.get() < 0 || !is_of_family(file.get(), info);
}

std::size_t columns_of(const CacheIdentity& identity) {
  std::size_t cols = 0;
  for (const auto c : identity.group_columns) cols += c;
  return cols;
}
std::uint64_t heap_bytes(const CacheIdentity& identity) {
  return (std::uint64_t{2} << (identity.log_rows + identity.log_inv_rate)) * sizeof(Digest);
}
std::uint64_t file_bytes_of(const CacheIdentity& identity) {
  const std::uint64_t leaves = std::uint64_t{1} << (identity.log_rows + identity.log_inv_rate);
  const std::uint64_t rows = identity.mode == CacheMode::kFull ? leaves * columns_of(identity) * 8 : 0;
  return kHeaderBytes + heap_bytes(identity) + rows;
}

// Every inner node is the hash of its children.
bool tree_is_sound(std::span<const Digest> heap) {
  constexpr std::size_t kGrain = 4096;
  std::atomic<bool> sound{true};
  base::parallel_for(heap.size() / 2, kGrain, [&](std::size_t begin, std::size_t end) {
    begin = std::max<std::size_t>(begin, 1);
    std::vector<Digest> digests(end - begin);
    hash::keccak256_pairs(&heap[2 * begin], digests.size(), digests.data());
    if (!std::equal(digests.begin(), digests.end(), heap.begin() + static_cast<std::ptrdiff_t>(begin))) sound = false;
  });
  return sound;
}

}  // namespace

CacheIdentity identity_of(unsigned log_rows, unsigned log_inv_rate, CacheMode mode,
                          std::span<const field::MatrixView> groups) {
  CacheIdentity identity{log_rows, log_inv_rate, mode, {}, {}, {}};
  base::Bytes digests;
  for (const auto& group : groups) {
    identity.group_columns.push_back(static_cast<std::uint32_t>(group.cols));
    identity.group_types.push_back(group.type);
    // Pieces of 64 KiB hashed side by side, then their digests.
    constexpr std::size_t kPiece = 1 << 16;
    const std::size_t bytes = group.rows * group.cols * field::cell_bytes(group.type);
    const auto* data = static_cast<const std::uint8_t*>(group.data);
    std::vector<Digest> pieces((bytes + kPiece - 1) / kPiece);
    base::parallel_for(pieces.size(), 16, [&](std::size_t begin, std::size_t end) {
      const std::size_t whole = bytes / kPiece;
      if (begin < whole) {
        hash::keccak256_rows(reinterpret_cast<const std::uint64_t*>(data + begin * kPiece), kPiece / 8, kPiece / 8,
                             std::min(end, whole) - begin, &pieces[begin]);
      }
      if (end > whole) pieces[whole] = hash::keccak256({data + whole * kPiece, bytes - whole * kPiece});
    });
    for (const Digest& piece : pieces) base::append(digests, piece);
  }
  identity.cells = hash::keccak256(digests);
  return identity;
}

CachedOracle::~CachedOracle() {
  if (map_ != nullptr) ::munmap(map_, size_);
}

std::span<Digest> CachedOracle::mutable_heap() const {
  return {reinterpret_cast<Digest*>(static_cast<std::uint8_t*>(map_) + kHeaderBytes), 2 * leaves_};
}
std::span<const Digest> CachedOracle::heap() const { return mutable_heap(); }
const std::uint64_t* CachedOracle::codeword() const {
  return reinterpret_cast<const std::uint64_t*>(static_cast<const std::uint8_t*>(map_) + kHeaderBytes +
                                                heap_bytes(identity_));
}

base::Result<std::unique_ptr<CachedOracle>, Problem> CachedOracle::open(const std::filesystem::path& path,
                                                                        const CacheIdentity& identity,
                                                                        std::vector<field::MatrixView> groups) {
  const base::Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return problem(CacheError::kMissing, path, "there is no such cache file");
    return system_problem(path, "cannot be opened");
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_problem(path, "cannot be examined");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (!is_of_family(file.get(), info)) return not_cache(path);
  if (size < kHeaderBytes) return problem(CacheError::kTruncated, path, "is shorter than a cache file's header");

  base::Bytes header(kHeaderBytes);
  if (::pread(file.get(), header.data(), header.size(), 0) != static_cast<ssize_t>(header.size())) {
    return system_problem(path, "cannot be read");
  }
  const auto body = base::ByteView(header).first(kHeaderBytes - sizeof(Digest));
  const Digest checksum = hash::keccak256(body);
  if (std::memcmp(header.data(), kMagic, sizeof kMagic) != 0 ||
      std::memcmp(header.data() + body.size(), checksum.data(), checksum.size()) != 0) {
    return problem(CacheError::kHeader, path, "is no cache file of this version, or its header is damaged");
  }
  if (header != header_of(identity)) {
    return problem(CacheError::kForeign, path, "is a cache of other weights, another shape or another mode");
  }
  if (size != file_bytes_of(identity)) {
    return problem(CacheError::kTruncated, path,
                   fmt::format("has {} bytes instead of {}", size, file_bytes_of(identity)));
  }

  std::unique_ptr<CachedOracle> oracle(new CachedOracle);
  oracle->identity_ = identity;
  oracle->groups_ = std::move(groups);
  oracle->cols_ = columns_of(identity);
  oracle->leaves_ = std::size_t{1} << (identity.log_rows + identity.log_inv_rate);
  oracle->size_ = size;
  void* map = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (map == MAP_FAILED) return system_problem(path, "cannot be mapped");
  oracle->map_ = map;
  if (!tree_is_sound(oracle->heap())) {
    return problem(CacheError::kTree, path, "is damaged: a node of its tree is not the hash of its children");
  }
  if (!oracle->sampled_rows_are_leaves()) {
    return problem(CacheError::kLeaves, path, "is no cache of these weights: a leaf of its tree is not their row");
  }
  return oracle;
}

base::Result<std::unique_ptr<CachedOracle>, Problem> CachedOracle::build(const std::filesystem::path& path,
                                                                         const CacheIdentity& identity,
                                                                         std::vector<field::MatrixView> groups,
                                                                         const Progress& progress) {
  AVOW_CHECK(identity.group_columns.size() == groups.size() && groups.size() <= kMaxGroups);
  if (is_taken(path)) return not_cache(path);
  const std::uint64_t size = file_bytes_of(identity);
  {
    const base::NewFile file(path);
    if (!file.is_open()) return system_problem(path, "cannot be created");
    if (const int error = ::posix_fallocate(file.fd(), 0, static_cast<off_t>(size)); error != 0) {
      errno = error;
      return system_problem(path, fmt::format("needs {} MiB of disk", size >> 20));
    }
    const std::uint64_t mapped = kHeaderBytes + heap_bytes(identity);
    void* map = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
    if (map == MAP_FAILED) return system_problem(path, "cannot be mapped");
    struct Unmapper {
      void* map;
      std::uint64_t size;
      ~Unmapper() { ::munmap(map, size); }
    } const unmapper{map, mapped};

    const ntt::Encoder encoder(identity.log_rows, identity.log_inv_rate, groups);
    const std::size_t rows = encoder.rows_per_coset();
    const std::size_t cols = encoder.cols();
    const std::size_t leaves = rows * encoder.cosets();
    const std::span<Digest> heap(reinterpret_cast<Digest*>(static_cast<std::uint8_t*>(map) + kHeaderBytes), 2 * leaves);
    base::Buffer<std::uint64_t> buffer(rows * cols);
    std::atomic<int> write_error{0};
    for (std::size_t coset = 0; coset < encoder.cosets(); ++coset) {
      encoder.encode(coset, 1, buffer.data(), [&](std::size_t first, std::size_t count, const std::uint64_t* data) {
        const std::size_t row = coset * rows + first;
        hash::keccak256_rows(data, cols, cols, count, &heap[leaves + row]);
        const base::ByteView bytes(reinterpret_cast<const std::uint8_t*>(data), count * cols * 8);
        if (identity.mode == CacheMode::kFull && !file.write_at(bytes, mapped + row * cols * 8)) {
          write_error = errno;
        }
      });
      if (progress && !progress(coset + 1, encoder.cosets() + 1)) {
        return problem(CacheError::kCancelled, path, "was not made: cancelled");
      }
    }
    if (write_error != 0) {
      errno = write_error;
      return system_problem(path, "cannot be written");
    }
    merkle::build(heap);
    if (!file.write_at(header_of(identity), 0) || !file.take_name()) return system_problem(path, "cannot be written");
  }
  if (progress) static_cast<void>(progress(1, 1));
  return open(path, identity, std::move(groups));
}

base::Result<std::unique_ptr<CachedOracle>, Problem> CachedOracle::open_or_build(
    const std::filesystem::path& path, const CacheIdentity& identity, std::vector<field::MatrixView> groups,
    const std::function<void(const Problem&)>& report, const Progress& progress) {
  auto opened = open(path, identity, groups);
  if (opened.ok()) return opened;
  if (opened.error().code == CacheError::kNotCache) return opened;
  if (report && opened.error().code != CacheError::kMissing) report(opened.error());
  return build(path, identity, std::move(groups), progress);
}

std::vector<std::uint64_t> CachedOracle::rows(std::span<const std::uint32_t> positions) const {
  const unsigned log_domain = identity_.log_rows + identity_.log_inv_rate;
  std::vector<std::uint64_t> out;
  if (identity_.mode == CacheMode::kFull) {
    for (const auto p : positions) {
      const std::uint64_t* row = codeword() + p * cols_;
      out.insert(out.end(), row, row + cols_);
    }
  } else {
    out = compute_rows(log_domain, groups_, positions);
  }
  for (std::size_t i = 0; i < positions.size(); ++i) {
    Digest digest;
    hash::keccak256_rows(&out[i * cols_], cols_, cols_, 1, &digest);
    if (digest == heap()[leaves_ + positions[i]]) continue;
    // Either the row is damaged, or the tree was not made from these cells: then no opening holds, as whoever checks
    // the proof before it is used will say. A file is nothing to stop the process for.
    mark_damaged();
    const auto row = compute_rows(log_domain, groups_, positions.subspan(i, 1));
    std::copy(row.begin(), row.end(), out.begin() + static_cast<std::ptrdiff_t>(i * cols_));
  }
  return out;
}

bool CachedOracle::sampled_rows_are_leaves() const {
  std::random_device random;
  std::vector<std::uint32_t> positions(kSampledRows);
  for (auto& position : positions) position = random() & static_cast<std::uint32_t>(leaves_ - 1);
  const auto computed = compute_rows(identity_.log_rows + identity_.log_inv_rate, groups_, positions);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    Digest digest;
    hash::keccak256_rows(&computed[i * cols_], cols_, cols_, 1, &digest);
    if (digest != heap()[leaves_ + positions[i]]) return false;
  }
  return true;
}

void CachedOracle::mark_damaged() const {
  ++damage_;
  static_cast<std::uint8_t*>(map_)[0] = 0;  // the magic: the next open finds no cache file
}

bool CachedOracle::verify_rows() const {
  if (identity_.mode != CacheMode::kFull) return true;
  constexpr std::size_t kGrain = 1024;
  std::atomic<bool> sound{true};
  base::parallel_for(leaves_, kGrain, [&](std::size_t begin, std::size_t end) {
    std::vector<Digest> digests(end - begin);
    hash::keccak256_rows(codeword() + begin * cols_, cols_, cols_, digests.size(), digests.data());
    if (!std::equal(digests.begin(), digests.end(), heap().begin() + static_cast<std::ptrdiff_t>(leaves_ + begin))) {
      sound = false;
    }
  });
  return sound;
}

}  // namespace avow::pcs
