// SPDX-License-Identifier: Apache-2.0
#include "lookup/verify.hpp"

#include <fmt/format.h>

#include <array>

#include "base/check.hpp"
#include "field/element_reader.hpp"
#include "lookup/messages.hpp"

namespace avow::lookup {
namespace {

using base::ByteView;
using base::Err;
using field::Fp3;
using transcript::Transcript;

std::optional<Check> wrong_length(ByteView bytes, std::size_t expected) {
  if (bytes.size() < expected) return Check::kTruncated;
  if (bytes.size() > expected) return Check::kTrailingBytes;
  return std::nullopt;
}

struct Fraction {
  Fp3 numerator;
  Fp3 denominator;
};

}  // namespace

const char* name(Check check) noexcept {
  switch (check) {
    case Check::kConfig:
      return "lookup.config";
    case Check::kTruncated:
      return "lookup.truncated";
    case Check::kTrailingBytes:
      return "lookup.trailing_bytes";
    case Check::kNonCanonical:
      return "lookup.non_canonical";
    case Check::kRootNumerator:
      return "lookup.root_numerator";
    case Check::kRootDenominator:
      return "lookup.root_denominator";
    case Check::kLayer:
      return "lookup.layer";
    case Check::kColumnNumerators:
      return "lookup.column_numerators";
    case Check::kColumnDenominators:
      return "lookup.column_denominators";
  }
  return "lookup.unknown";
}

std::string to_string(const Rejection& rejection) {
  return fmt::format("{} (layer {})", name(rejection.check), rejection.layer);
}

base::Result<CubeClaim, Rejection> verify_top(Transcript& transcript, const Config& config, ByteView section) {
  const unsigned log_top = top_log(make_layout(config).log_cells);
  const std::size_t count = std::size_t{1} << log_top;
  const auto reject = [&](Check check) { return Err{Rejection{check, log_top}}; };
  if (const auto check = wrong_length(section, count * 2 * field::kFp3Bytes)) return reject(*check);
  field::ElementReader reader(section);
  std::array<Fp3, 2 << kTopLog> sent;
  for (std::size_t i = 0; i < 2 * count; ++i) sent[i] = reader.element();
  if (!reader.canonical()) return reject(Check::kNonCanonical);
  transcript.absorb_bytes(messages::kStatement, encode(config));
  transcript.absorb(messages::kTop, std::span(sent).first(2 * count));

  Fraction root{Fp3(), field::kOne3};
  std::array<Fraction, 1 << kTopLog> layer;
  for (std::size_t x = 0; x < count; ++x) {
    layer[x] = {sent[2 * x], sent[2 * x + 1]};
    root = {root.numerator * layer[x].denominator + layer[x].numerator * root.denominator,
            root.denominator * layer[x].denominator};
  }
  if (!(root.numerator == Fp3())) return reject(Check::kRootNumerator);
  if (root.denominator == Fp3()) return reject(Check::kRootDenominator);

  CubeClaim claim;
  claim.point.reserve(log_top);
  for (unsigned b = 0; b < log_top; ++b) {
    const Fp3 r = transcript.challenge(messages::kTopPoint);
    claim.point.push_back(r);
    for (std::size_t x = 0; x < count >> (b + 1); ++x) {
      const Fraction& at0 = layer[2 * x];
      const Fraction& at1 = layer[2 * x + 1];
      layer[x] = {at0.numerator + r * (at1.numerator - at0.numerator),
                  at0.denominator + r * (at1.denominator - at0.denominator)};
    }
  }
  claim.numerator = layer[0].numerator;
  claim.denominator = layer[0].denominator;
  return claim;
}

base::Result<CubeClaim, Rejection> verify_layer(Transcript& transcript, const CubeClaim& claim, ByteView section) {
  const auto k = static_cast<unsigned>(claim.point.size());
  const auto reject = [&](Check check) { return Err{Rejection{check, k}}; };
  if (const auto check = wrong_length(section, layer_bytes(k))) return reject(*check);
  field::ElementReader reader(section);
  const Fp3 join = transcript.challenge(messages::kJoin);
  Fp3 expected = claim.numerator + join * claim.denominator;
  CubeClaim next;
  next.point.resize(k + 1);
  for (unsigned b = 0; b < k; ++b) {
    // h(X) without the factor eq(point[b], X): its coefficients of X and X^2. The constant one follows from
    // (1 - point[b]) h(0) + point[b] h(1) = expected.
    const Fp3 sent[2] = {reader.element(), reader.element()};
    if (!reader.canonical()) return reject(Check::kNonCanonical);
    transcript.absorb(messages::kRound, sent);
    const Fp3 r = transcript.challenge(messages::kBind);
    expected += (r - claim.point[b]) * sent[0] + (r * r - claim.point[b]) * sent[1];
    next.point[b + 1] = r;
  }
  const Fp3 p0 = reader.element();
  const Fp3 p1 = reader.element();
  const Fp3 q0 = reader.element();
  const Fp3 q1 = reader.element();
  if (!reader.canonical()) return reject(Check::kNonCanonical);
  const Fp3 sent[4] = {p0, p1, q0, q1};
  transcript.absorb(messages::kLayer, sent);
  if (!(p0 * q1 + q0 * (p1 + join * q1) == expected)) return reject(Check::kLayer);
  const Fp3 merge = transcript.challenge(messages::kMerge);
  next.point[0] = merge;
  next.numerator = p0 + merge * (p1 - p0);
  next.denominator = q0 + merge * (q1 - q0);
  return next;
}

base::Result<ColumnClaims, Rejection> verify_columns(Transcript& transcript, const Config& config,
                                                     const CubeClaim& claim, ByteView section,
                                                     const PublicNumerators& public_numerators) {
  const Layout layout = make_layout(config);
  const auto reject = [&](Check check) { return Err{Rejection{check, layout.log_cells}}; };
  if (const auto check = wrong_length(section, columns_bytes(config))) return reject(*check);
  field::ElementReader reader(section);
  std::vector<Fp3> sent;
  sent.reserve(section.size() / field::kFp3Bytes);
  while (sent.size() < section.size() / field::kFp3Bytes) sent.push_back(reader.element());
  if (!reader.canonical()) return reject(Check::kNonCanonical);
  transcript.absorb(messages::kColumns, sent);

  ColumnClaims claims{claim.point, {}};
  claims.columns.reserve(config.columns.size());
  std::size_t next = 0;
  for (std::size_t j = 0; j < config.columns.size(); ++j) {
    const Column& column = config.columns[j];
    AVOW_CHECK(column.numerators == Numerators::kSent || public_numerators);
    ColumnClaim& value = claims.columns.emplace_back();
    value.numerator = column.numerators == Numerators::kSent
                          ? sent[next++]
                          : public_numerators(j, std::span(claim.point).first(column.log_size));
    value.denominator = sent[next++];
  }
  const ColumnClaim joined = join_columns(config, layout, claim.point, claims.columns);
  if (!(joined.numerator == claim.numerator)) return reject(Check::kColumnNumerators);
  if (!(joined.denominator == claim.denominator)) return reject(Check::kColumnDenominators);
  return claims;
}

base::Result<ColumnClaims, Rejection> verify(Transcript& transcript, const Config& config, ByteView proof,
                                             const PublicNumerators& public_numerators) {
  if (!is_valid(config)) return Err{Rejection{Check::kConfig}};
  if (const auto check = wrong_length(proof, proof_bytes(config))) return Err{Rejection{*check}};
  const auto section = [&](std::size_t size) {
    const ByteView result = proof.first(size);
    proof = proof.subspan(size);
    return result;
  };
  const unsigned log_cells = make_layout(config).log_cells;
  auto claim = verify_top(transcript, config, section(top_bytes(log_cells)));
  if (!claim) return Err{claim.error()};
  while (claim.value().point.size() < log_cells) {
    const auto k = static_cast<unsigned>(claim.value().point.size());
    claim = verify_layer(transcript, claim.value(), section(layer_bytes(k)));
    if (!claim) return Err{claim.error()};
  }
  return verify_columns(transcript, config, claim.value(), section(columns_bytes(config)), public_numerators);
}

}  // namespace avow::lookup
