// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/instance_testing.hpp"

#include "field/factor.hpp"
#include "field/random_testing.hpp"
#include "hash/keccak.hpp"

namespace avow::lookup::testing {

using field::Fp;
using field::kOne3;
using field::random_element;

ColumnData Cells::data() const {
  switch (kind) {
    case Kind::kInts:
      return {denominators, std::span<const std::int32_t>(ints)};
    case Kind::kElements:
      return {denominators, std::span<const Fp3>(elements)};
    case Kind::kOnes:
      break;
  }
  return {denominators, Ones{}};
}

Fraction Cells::at(std::size_t x) const {
  if (x >= denominators.size()) return {Fp3(), kOne3};
  switch (kind) {
    case Kind::kInts:
      return {Fp3(Fp::from_int(ints[x])), denominators[x]};
    case Kind::kElements:
      return {elements[x], denominators[x]};
    case Kind::kOnes:
      break;
  }
  return {kOne3, denominators[x]};
}

transcript::Transcript Instance::start() { return {hash::keccak256({}), {}, {}}; }

Proved Instance::prove(const Faults& faults, transcript::Manifest* manifest) const {
  std::vector<ColumnData> data;
  for (const Cells& c : cells) data.push_back(c.data());
  auto t = start();
  t.record(manifest);
  return lookup::prove(t, config, data, nullptr, faults);
}

base::Result<ColumnClaims, Rejection> Instance::verify(base::ByteView proof, transcript::Manifest* manifest) const {
  auto t = start();
  t.record(manifest);
  return lookup::verify(t, config, proof, [&](std::size_t column, std::span<const Fp3> point) {
    return evaluate(column, point).numerator;
  });
}

std::string Instance::outcome(base::ByteView proof) const {
  const auto result = verify(proof);
  return result ? "accepted" : to_string(result.error());
}

Fraction Instance::sum() const {
  Fraction sum{Fp3(), kOne3};
  for (std::size_t j = 0; j < cells.size(); ++j) {
    for (std::size_t x = 0; x < std::size_t{1} << config.columns[j].log_size; ++x) {
      const Fraction cell = cells[j].at(x);
      sum.numerator += cell.numerator * cell.denominator.inverse();
      sum.denominator *= cell.denominator;
    }
  }
  return sum;
}

ColumnClaim Instance::evaluate(std::size_t j, std::span<const Fp3> point) const {
  const auto eq = field::eq_table(point.first(config.columns[j].log_size));
  ColumnClaim claim;
  for (std::size_t x = 0; x < eq.size(); ++x) {
    const Fraction cell = cells[j].at(x);
    claim.numerator += eq[x] * cell.numerator;
    claim.denominator += eq[x] * cell.denominator;
  }
  return claim;
}

Instance random_instance(std::span<const unsigned> log_sizes, std::mt19937_64& rng) {
  Instance instance;
  for (const unsigned log_size : log_sizes) {
    const auto whose = rng() % 2 == 0 ? Numerators::kSent : Numerators::kPublic;
    instance.config.columns.push_back({static_cast<std::uint8_t>(log_size), whose});
    Cells& c = instance.cells.emplace_back();
    const std::size_t size = std::size_t{1} << log_size;
    const std::size_t extents[] = {size, size, size - 1, size / 2 + rng() % (size / 2 + 1), rng() % (size + 1)};
    c.denominators.resize(extents[rng() % 5]);
    for (Fp3& d : c.denominators) d = random_element(rng);
    c.kind = static_cast<Cells::Kind>(rng() % 3);
    if (c.kind == Cells::Kind::kInts) {
      c.ints.resize(c.denominators.size());
      for (auto& n : c.ints) n = static_cast<std::int32_t>(rng() % 2 == 0 ? rng() % 2 : rng());
    } else if (c.kind == Cells::Kind::kElements) {
      c.elements.resize(c.denominators.size());
      for (auto& n : c.elements) n = random_element(rng);
    }
  }
  Cells& last = instance.cells.back();
  if (last.denominators.empty()) last.denominators.push_back(random_element(rng));
  if (last.kind != Cells::Kind::kElements) {
    last.elements.clear();
    for (std::size_t x = 0; x < last.denominators.size(); ++x) last.elements.push_back(random_element(rng));
    last.kind = Cells::Kind::kElements;
  }
  last.elements.resize(last.denominators.size());
  last.elements[0] -= instance.sum().numerator * last.denominators[0];
  return instance;
}

Instance lookup_instance(std::span<const unsigned> log_sizes, unsigned log_table, std::mt19937_64& rng) {
  Instance instance;
  const Fp3 alpha = random_element(rng);
  const auto row = [](std::size_t value) { return Fp3(Fp(value), Fp(value * value), Fp()); };
  std::vector<std::int32_t> counts(std::size_t{1} << log_table);
  for (const unsigned log_size : log_sizes) {
    instance.config.columns.push_back({static_cast<std::uint8_t>(log_size), Numerators::kPublic});
    Cells& c = instance.cells.emplace_back();
    for (std::size_t x = 0; x < std::size_t{1} << log_size; ++x) {
      const std::size_t value = rng() % counts.size();
      ++counts[value];
      c.denominators.push_back(alpha - row(value));
    }
  }
  instance.config.columns.push_back({static_cast<std::uint8_t>(log_table), Numerators::kSent});
  Cells& table = instance.cells.emplace_back();
  table.kind = Cells::Kind::kInts;
  for (std::size_t value = 0; value < counts.size(); ++value) {
    table.denominators.push_back(alpha - row(value));
    table.ints.push_back(-counts[value]);
  }
  return instance;
}

}  // namespace avow::lookup::testing
