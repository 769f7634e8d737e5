// SPDX-License-Identifier: Apache-2.0
#include "pcs/verify.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pcs/messages.hpp"
#include "pcs/verify_phases.hpp"

namespace avow::pcs {
using base::ByteView;
using base::Digest;
using field::Fp3;
using transcript::Transcript;

const char* name(Check check) noexcept {
  switch (check) {
    case Check::kConfig:
      return "pcs.config";
    case Check::kKey:
      return "pcs.key";
    case Check::kClaim:
      return "pcs.claim";
    case Check::kTruncated:
      return "pcs.truncated";
    case Check::kTrailingBytes:
      return "pcs.trailing_bytes";
    case Check::kNonCanonical:
      return "pcs.non_canonical";
    case Check::kFoldGrinding:
      return "pcs.fold_grinding";
    case Check::kQueryGrinding:
      return "pcs.query_grinding";
    case Check::kMerkle:
      return "pcs.merkle";
    case Check::kFinalFold:
      return "pcs.final_fold";
    case Check::kFinalClaim:
      return "pcs.final_claim";
    case Check::kState:
      return "pcs.state";
  }
  return "pcs.unknown";
}

std::string to_string(const Rejection& rejection) {
  return fmt::format("{} (oracle {})", name(rejection.check), rejection.oracle);
}

std::vector<Fp3> values_of(std::span<const Claim> claims) {
  std::vector<Fp3> values;
  values.reserve(claims.size());
  for (const Claim& claim : claims) values.push_back(claim.value);
  return values;
}

CommitmentKey receive_commitment(Transcript& transcript, const Digest& root, std::span<const std::uint8_t> log_groups,
                                 const Fp3& ood_value) {
  transcript.absorb_digest(messages::kRoot, root);
  const Fp3 point = transcript.challenge(messages::kOodPoint);
  transcript.absorb(messages::kOodValue, std::span(&ood_value, 1));
  return {root, {log_groups.begin(), log_groups.end()}, point, ood_value};
}

void absorb_statement(Transcript& transcript, const Config& config, std::span<const CommitmentKey> keys,
                      std::span<const Fp3> values) {
  base::Bytes bytes;
  const auto put = [&](const Fp3& x) {
    std::uint8_t encoded[field::kFp3Bytes];
    field::encode(x, encoded);
    base::append(bytes, encoded);
  };
  base::append(bytes, protocol_id(config));
  base::append_be32(bytes, static_cast<std::uint32_t>(keys.size()));
  for (const CommitmentKey& key : keys) {
    base::append_be32(bytes, static_cast<std::uint32_t>(columns(key.log_groups)));
    base::append(bytes, key.root);
    put(key.ood_point);
    put(key.ood_value);
  }
  base::append_be32(bytes, static_cast<std::uint32_t>(values.size()));
  for (const Fp3& value : values) put(value);
  transcript.absorb_bytes(messages::kStatement, bytes);
}

void absorb_statement(Transcript& transcript, const Config& config, std::span<const CommitmentKey> keys,
                      std::span<const Claim> claims) {
  absorb_statement(transcript, config, keys, values_of(claims));
}

std::optional<Rejection> verify_opening(Transcript& transcript, const Config& config,
                                        std::span<const CommitmentKey> keys, std::span<const Claim> claims,
                                        ByteView proof) {
  if (validate(config) != ConfigError::kNone) return Rejection{Check::kConfig, 0};
  if (!keys_are_valid(keys, config.max_log_columns)) return Rejection{Check::kKey, 0};
  if (!claims_are_valid(keys, claims, config.log_rows)) return Rejection{Check::kClaim, 0};
  // What is left of a proof that is too short: the phase says where bytes are missing.
  const auto take = [&](std::size_t size) {
    const ByteView section = proof.first(std::min(size, proof.size()));
    proof = proof.subspan(section.size());
    return section;
  };
  auto state = start_opening(transcript, config, keys, values_of(claims), take(start_bytes(config, keys)));
  while (state && state.value().phase != Phase::kFinish) {
    OpeningState& current = state.value();
    // An oracle's trees are read only if all of them are there.
    const bool final_rows = current.phase == Phase::kFinalRows;
    if ((final_rows || current.phase == Phase::kRows) && proof.size() < rows_bytes(config, keys, current)) {
      return Rejection{Check::kTruncated, final_rows ? current.oracle : current.oracle - 1};
    }
    const ByteView section = take(section_bytes(config, keys, current));
    state = continue_opening(transcript, config, keys, std::move(current), section);
  }
  if (!state) return state.error();
  return finish_opening(transcript, config, keys, claims, std::move(state).value(), proof);
}

}  // namespace avow::pcs
