// SPDX-License-Identifier: Apache-2.0
#include "pcs/config.hpp"

#include <string_view>

#include "base/check.hpp"
#include "hash/keccak.hpp"

namespace avow::pcs {
namespace {

// Of the protocol, not of the program: raised whenever a proof of the old protocol is no longer one of the new.
constexpr std::uint32_t kConfigVersion = 1;
constexpr std::string_view kName = "avow/whir/goldilocks3/keccak256";

constexpr std::size_t kMinOracles = 2;
constexpr std::size_t kMaxOracles = 16;
constexpr std::uint32_t kMaxLogFold = 8;
constexpr std::uint32_t kMaxLogDomain = 30;  // the field has 2^32-th roots of unity; positions are 32-bit words
constexpr std::uint32_t kMaxQueries = 1024;
constexpr std::uint32_t kMaxGrindingBits = 24;
constexpr std::uint32_t kMaxFinalLogLen = 10;
constexpr std::uint32_t kMaxLogInvRate = 20;
constexpr std::uint32_t kMaxLogColumns = 16;

bool rates_are_valid(const std::vector<OracleConfig>& oracles) noexcept {
  for (const OracleConfig& oracle : oracles) {
    if (oracle.log_inv_rate == 0 || oracle.log_inv_rate > kMaxLogInvRate) return false;
  }
  return true;
}

bool folds_are_valid(const Config& config) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i < config.oracles.size(); ++i) {
    const std::uint32_t fold = config.oracles[i].log_fold;
    if (fold == 0 || fold > kMaxLogFold) return false;
    sum += fold;
  }
  return sum <= config.log_rows;
}

bool domains_are_valid(const Config& config) noexcept {
  for (std::size_t i = 0; i < config.oracles.size(); ++i) {
    if (config.log_domain(i) > kMaxLogDomain) return false;
  }
  return true;
}

bool queries_are_valid(const std::vector<OracleConfig>& oracles) noexcept {
  for (const OracleConfig& oracle : oracles) {
    if (oracle.queries == 0 || oracle.queries > kMaxQueries) return false;
  }
  return true;
}

bool grinding_is_valid(const std::vector<OracleConfig>& oracles) noexcept {
  for (const OracleConfig& oracle : oracles) {
    if (oracle.query_grinding_bits > kMaxGrindingBits || oracle.fold_grinding_bits > kMaxGrindingBits) return false;
  }
  return true;
}

}  // namespace

std::uint32_t Config::final_log_len() const noexcept { return log_len(oracles.size()); }

std::uint32_t Config::log_len(std::size_t oracle) const noexcept {
  AVOW_CHECK(oracle >= 1 && oracle <= oracles.size());
  std::uint32_t len = log_rows;
  for (std::size_t i = 1; i < oracle; ++i) {
    AVOW_CHECK(oracles[i].log_fold <= len);
    len -= oracles[i].log_fold;
  }
  return len;
}

std::uint32_t Config::log_domain(std::size_t oracle) const noexcept {
  AVOW_CHECK(oracle < oracles.size());
  const std::uint32_t columns_len = oracle == 0 ? log_rows : log_len(oracle + 1);
  return columns_len + oracles[oracle].log_inv_rate;
}

ConfigError validate(const Config& config) noexcept {
  // A bound on log_rows and on the rates comes before every sum of them: a configuration may come from a file.
  if (config.max_log_columns > kMaxLogColumns) return ConfigError::kColumns;
  if (config.oracles.size() < kMinOracles || config.oracles.size() > kMaxOracles) return ConfigError::kNoOracles;
  if (!rates_are_valid(config.oracles)) return ConfigError::kRate;
  if (config.log_rows > kMaxLogDomain) return ConfigError::kDomainTooLarge;
  if (!folds_are_valid(config)) return ConfigError::kFoldTooLarge;
  if (!domains_are_valid(config)) return ConfigError::kDomainTooLarge;
  if (!queries_are_valid(config.oracles)) return ConfigError::kQueries;
  if (!grinding_is_valid(config.oracles)) return ConfigError::kGrinding;
  if (config.final_log_len() > kMaxFinalLogLen) return ConfigError::kFinalTooLong;
  // Two configurations that run the same protocol must not have two ids, so what is unused is 0.
  const bool reserved_used = config.salt_bytes != 0 || config.random_columns != 0 || config.oracles[0].log_fold != 0;
  return reserved_used ? ConfigError::kReserved : ConfigError::kNone;
}

base::Bytes serialize(const Config& config) {
  base::Bytes out;
  base::append_be32(out, kConfigVersion);
  base::append_be32(out, static_cast<std::uint32_t>(kName.size()));
  out.insert(out.end(), kName.begin(), kName.end());
  base::append_be32(out, config.level);
  base::append_be32(out, config.log_rows);
  base::append_be32(out, config.max_log_columns);
  base::append_be32(out, config.salt_bytes);
  base::append_be32(out, config.random_columns);
  base::append_be32(out, static_cast<std::uint32_t>(config.oracles.size()));
  for (const OracleConfig& oracle : config.oracles) {
    base::append_be32(out, oracle.log_inv_rate);
    base::append_be32(out, oracle.log_fold);
    base::append_be32(out, oracle.queries);
    base::append_be32(out, oracle.query_grinding_bits);
    base::append_be32(out, oracle.fold_grinding_bits);
  }
  return out;
}

std::optional<Config> parse_config(base::ByteView bytes) {
  // Read at fixed places; whatever is not as serialize() writes it shows in the comparison at the end.
  const std::size_t head = 8 + kName.size() + 24;
  if (bytes.size() < head || (bytes.size() - head) % 20 != 0 || (bytes.size() - head) / 20 > kMaxOracles) {
    return std::nullopt;
  }
  std::size_t at = 8 + kName.size();
  const auto next = [&] {
    at += 4;
    return base::load_be32(bytes.data() + at - 4);
  };
  Config config;
  config.level = next();
  config.log_rows = next();
  config.max_log_columns = next();
  config.salt_bytes = next();
  config.random_columns = next();
  (void)next();  // the number of oracles
  while (at < bytes.size()) {
    OracleConfig& oracle = config.oracles.emplace_back();
    for (std::uint32_t* field : {&oracle.log_inv_rate, &oracle.log_fold, &oracle.queries, &oracle.query_grinding_bits,
                                 &oracle.fold_grinding_bits}) {
      *field = next();
    }
  }
  if (validate(config) != ConfigError::kNone) return std::nullopt;
  const base::Bytes again = serialize(config);
  if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) return std::nullopt;
  return config;
}

base::Digest protocol_id(const Config& config) { return hash::keccak256(serialize(config)); }

}  // namespace avow::pcs
