// SPDX-License-Identifier: Apache-2.0
#include "verifier/key.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hash/keccak.hpp"
#include "pcs/opening_state.hpp"
#include "pcs/security.hpp"
#include "reduction/plan.hpp"
#include "reduction/program.hpp"
#include "statement/analysis.hpp"
#include "statement/serialize.hpp"
#include "statement/validate.hpp"

namespace avow::verifier {
namespace {

using base::Bytes;
using base::ByteView;
using base::Err;
using statement::Tensor;
using statement::TensorKind;

void append_list(Bytes& out, ByteView bytes) {
  base::append_be32(out, static_cast<std::uint32_t>(bytes.size()));
  base::append(out, bytes);
}

// Forward reader: what is not there is nothing.
class KeyReader {
 public:
  explicit KeyReader(ByteView bytes) : rest_(bytes) {}
  std::optional<ByteView> bytes(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    const ByteView result = rest_.first(count);
    rest_ = rest_.subspan(count);
    return result;
  }
  std::optional<std::uint32_t> number() {
    const auto four = bytes(4);
    if (!four) return std::nullopt;
    return base::load_be32(four->data());
  }
  std::optional<ByteView> list() {
    const auto count = number();
    return count ? bytes(*count) : std::nullopt;
  }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

bool has_kind(const statement::Statement& statement, TensorKind kind) {
  return std::any_of(statement.tensors.begin(), statement.tensors.end(),
                     [&](const Tensor& tensor) { return tensor.kind == kind; });
}

// Of the states that keys with this configuration can have while the opening has one of its own; those before it are
// within kMaxStateBytes by reduction::kMaxCarried (state.cpp).
std::size_t largest_state(const pcs::Config& config) {
  constexpr std::size_t kNumbers = 4 + 4 + 32 + 32 + 32;
  constexpr std::size_t kElements = 2 + reduction::kMaxChallenges;
  static_assert(kNumbers + (2 + reduction::kMaxCarried) * field::kFp3Bytes <= kMaxStateBytes);
  return kNumbers + kElements * field::kFp3Bytes + pcs::max_state_bytes(config);
}

base::Result<std::optional<ModelCommitment>, Rejection> parse_model(KeyReader& reader) {
  const auto flag = reader.bytes(1);
  if (!flag) return Err{Rejection{Check::kKeyTruncated, 0, {}}};
  if ((*flag)[0] == 0) return std::optional<ModelCommitment>();
  if ((*flag)[0] != 1) return Err{Rejection{Check::kKeyModel, 0, "a flag that is neither 0 nor 1"}};
  const auto root = reader.bytes(32);
  const auto value = reader.bytes(field::kFp3Bytes);
  if (!root || !value) return Err{Rejection{Check::kKeyTruncated, 0, {}}};
  const auto element = field::decode_fp3(value->data());
  if (!element) return Err{Rejection{Check::kKeyModel, 0, "an out-of-domain value that is not canonical"}};
  ModelCommitment model;
  std::copy(root->begin(), root->end(), model.root.begin());
  model.ood_value = *element;
  return std::optional(model);
}

}  // namespace

base::Digest program_digest(const statement::Statement& statement) {
  const auto program = reduction::make_program(statement);
  return program ? hash::keccak256(program.value()) : base::Digest{};
}

Bytes serialize(const VerifyingKey& key) {
  Bytes out;
  base::append_be32(out, kKeyVersion);
  append_list(out, pcs::serialize(key.config));
  append_list(out, key.application);
  out.push_back(key.model ? 1 : 0);
  if (key.model) {
    base::append(out, key.model->root);
    std::uint8_t encoded[field::kFp3Bytes];
    field::encode(key.model->ood_value, encoded);
    base::append(out, encoded);
  }
  base::append(out, program_digest(key.statement));
  base::append(out, statement::serialize(key.statement));
  return out;
}

base::Digest model_id(const VerifyingKey& key) { return hash::keccak256(serialize(key)); }

std::optional<Rejection> check_key(const VerifyingKey& key) {
  if (pcs::validate(key.config) != pcs::ConfigError::kNone) return Rejection{Check::kKeyConfig, 0, "not valid"};
  if (auto error = statement::validate(key.statement)) {
    return Rejection{Check::kKeyStatement, 0, fmt::format("{}: {}", statement::name(error->cause), error->text)};
  }
  if (has_kind(key.statement, TensorKind::kModel) != key.model.has_value()) {
    return Rejection{Check::kKeyModel, 0, "a commitment without model tensors, or model tensors without one"};
  }
  if (!has_kind(key.statement, TensorKind::kWitness)) return Rejection{Check::kKeyShape, 0, "no witness tensor"};
  for (const Tensor& tensor : key.statement.tensors) {
    if (tensor.kind != TensorKind::kModel) continue;
    for (const statement::AxisId axis : tensor.axes) {
      if (key.statement.axes[key.statement.root(axis)].kind == statement::AxisKind::kParameter) {
        return Rejection{Check::kKeyShape, 0,
                         fmt::format("model tensor '{}' has axis '{}', whose length is the instance's", tensor.name,
                                     key.statement.axes[axis].name)};
      }
    }
  }
  return std::nullopt;
}

base::Result<VerifyingKey, Rejection> read_key(ByteView bytes) {
  const auto truncated = [] { return Err{Rejection{Check::kKeyTruncated, 0, {}}}; };
  if (bytes.size() > kMaxKeyBytes) return truncated();
  KeyReader reader(bytes);
  const auto version = reader.number();
  if (!version) return truncated();
  if (*version != kKeyVersion) return Err{Rejection{Check::kKeyVersion, 0, fmt::format("version {}", *version)}};
  VerifyingKey key;
  const auto config_bytes = reader.list();
  if (!config_bytes) return truncated();
  auto config = pcs::parse_config(*config_bytes);
  if (!config) return Err{Rejection{Check::kKeyConfig, 0, "not valid"}};
  key.config = std::move(*config);
  const auto application = reader.list();
  if (!application || application->size() > kMaxApplicationBytes) return truncated();
  key.application.assign(application->begin(), application->end());
  auto model = parse_model(reader);
  if (!model) return Err{model.error()};
  key.model = model.value();
  const auto program = reader.bytes(base::Digest{}.size());
  if (!program) return truncated();
  auto parsed = statement::parse(reader.rest());
  if (!parsed) {
    return Err{Rejection{Check::kKeyStatement, 0,
                         fmt::format("{}: {}", statement::name(parsed.error().cause), parsed.error().text)}};
  }
  key.statement = std::move(parsed).value();
  if (auto rejection = check_key(key)) return Err{std::move(*rejection)};
  const base::Digest digest = program_digest(key.statement);
  if (!std::equal(digest.begin(), digest.end(), program->begin())) return Err{Rejection{Check::kKeyProgram, 0, {}}};
  if (key.config.level < kMinLevel || key.config.level > kMaxLevel) {
    return Err{
        Rejection{Check::kKeyConfig, 0,
                  fmt::format("a level of {} bits, allowed are {} to {}", key.config.level, kMinLevel, kMaxLevel)}};
  }
  if (const std::size_t state = largest_state(key.config); state > kMaxStateBytes) {
    return Err{
        Rejection{Check::kKeyConfig, 0, fmt::format("states of {} bytes, {} are allowed", state, kMaxStateBytes)}};
  }
  if (!pcs::reaches_level(key.config)) {
    return Err{Rejection{Check::kKeyConfig, 0, fmt::format("below its own level of {} bits", key.config.level)}};
  }
  return key;
}

std::optional<Rejection> check_uniqueness(const VerifyingKey& key) {
  if (auto error = statement::check_uniqueness(key.statement)) {
    return Rejection{Check::kKeyAnalysis, 0, fmt::format("{}: {}", statement::name(error->cause), error->text)};
  }
  return std::nullopt;
}

base::Result<VerifyingKey, Rejection> parse_key(ByteView bytes) {
  auto key = read_key(bytes);
  if (!key) return key;
  // Last, because it is the most work.
  if (auto rejection = check_uniqueness(key.value())) return Err{std::move(*rejection)};
  return key;
}

}  // namespace avow::verifier
