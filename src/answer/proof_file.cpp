// SPDX-License-Identifier: Apache-2.0
#include "answer/proof_file.hpp"

#include <fmt/format.h>

#include "answer/reader.hpp"
#include "base/check.hpp"
#include "verifier/key.hpp"

namespace avow::answer {
namespace {

constexpr std::array<std::size_t, 3> kPartCaps = {verifier::kMaxKeyBytes, kMaxDeliveryBytes, kMaxProofBytes};

}  // namespace

base::Bytes encode(const ProofFile& file) {
  const std::array<const base::Bytes*, 3> parts = {&file.key, &file.delivery, &file.proof};
  base::Bytes out(kProofFileMagic.begin(), kProofFileMagic.end());
  base::append_be32(out, kProofFileVersion);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    AVOW_CHECK(parts[i]->size() <= kPartCaps[i]);
    base::append_be32(out, static_cast<std::uint32_t>(parts[i]->size()));
  }
  for (const base::Bytes* part : parts) base::append(out, *part);
  return out;
}

base::Result<ProofFile, Rejection> parse_proof_file(base::ByteView bytes) {
  const auto fail = [](Check check, std::string text = {}) { return base::Err{Rejection{check, 0, std::move(text)}}; };
  ByteReader reader(bytes);
  const auto magic = reader.array<kProofFileMagic.size()>();
  if (reader.is_short()) return fail(Check::kFileTruncated);
  if (magic != kProofFileMagic) return fail(Check::kFileMagic);
  const std::uint32_t version = reader.number();
  if (!reader.is_short() && version != kProofFileVersion) {
    return fail(Check::kFileVersion, fmt::format("version {}", version));
  }
  std::array<std::size_t, kPartCaps.size()> sizes{};
  for (std::size_t& size : sizes) size = reader.number();
  if (reader.is_short()) return fail(Check::kFileTruncated);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > kPartCaps[i]) return fail(Check::kFileSize, fmt::format("{} bytes of {}", sizes[i], kPartCaps[i]));
  }
  ProofFile file;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const base::ByteView part = reader.bytes(sizes[i]);
    if (reader.is_short()) return fail(Check::kFileTruncated);
    (i == 0 ? file.key : i == 1 ? file.delivery : file.proof).assign(part.begin(), part.end());
  }
  if (!reader.rest().empty()) return fail(Check::kFileTrailing, fmt::format("{} bytes", reader.rest().size()));
  return file;
}

}  // namespace avow::answer
