// SPDX-License-Identifier: Apache-2.0
#include "prover/sumcheck.hpp"

#include <gtest/gtest.h>

#include <random>

#include "field/random_testing.hpp"

namespace avow::prover {
namespace {

using field::Fp;
using field::kOne3;
using field::random_element;

Fp3 eq1(const Fp3& z, const Fp3& x) { return z * x + (kOne3 - z) * (kOne3 - x); }

// A summand at any point of all variables, as a polynomial: an absent variable divides it by two.
Fp3 at_point(const Summand& s, std::size_t rounds, const std::vector<Fp3>& point) {
  Fp3 value = s.scale;
  std::vector<bool> has(rounds);
  for (const Table& t : s.tables) {
    Fp3 sum;
    for (std::size_t x = 0; x < t.values.size(); ++x) {
      Fp3 weight = t.values[x];
      for (std::size_t b = 0; b < t.positions.size(); ++b) {
        const Fp3& r = point[t.positions[b]];
        weight *= ((x >> b) & 1) != 0 ? r : kOne3 - r;
      }
      sum += weight;
    }
    value *= sum;
    for (const auto p : t.positions) has[p] = true;
  }
  for (const auto& [position, z] : s.eq) value *= eq1(z, point[position]);
  for (std::size_t i = 0; i < rounds; ++i) {
    if (!has[i]) value *= Fp(2).inverse();
  }
  return value;
}

Fp3 sum_over_cube(const std::vector<Summand>& summands, std::size_t rounds, std::vector<Fp3> prefix) {
  if (prefix.size() == rounds) {
    Fp3 total;
    for (const Summand& s : summands) total += at_point(s, rounds, prefix);
    return total;
  }
  Fp3 total;
  prefix.emplace_back();
  total += sum_over_cube(summands, rounds, prefix);
  prefix.back() = kOne3;
  return total + sum_over_cube(summands, rounds, prefix);
}

Fp3 evaluate(const std::vector<Fp3>& p, const Fp3& x) {
  Fp3 value;
  for (std::size_t i = p.size(); i-- > 0;) value = value * x + p[i];
  return value;
}

Table random_table(std::vector<std::uint16_t> positions, std::mt19937_64& rng) {
  Table t{std::move(positions), {}};
  for (std::size_t i = 0; i < std::size_t{1} << t.positions.size(); ++i) t.values.push_back(random_element(rng));
  return t;
}

TEST(Sumcheck, EveryRoundIsTheSumOverTheRest) {
  std::mt19937_64 rng(1);
  constexpr std::size_t kRounds = 6;
  std::vector<Summand> summands(5);
  // Two to four factors in a variable, subsets, an eq, a constant, an eq at a place (0 and 1).
  summands[0] = {random_element(rng), {random_table({0, 1, 2}, rng), random_table({0, 1, 2}, rng)}, {}};
  summands[1] = {random_element(rng),
                 {random_table({1, 3, 4}, rng), random_table({1, 4}, rng), random_table({3}, rng)},
                 {{1, random_element(rng)}, {4, random_element(rng)}}};
  summands[2] = {random_element(rng), {}, {}};
  summands[3] = {random_element(rng),
                 {random_table({0, 5}, rng), random_table({0, 5}, rng), random_table({0}, rng), random_table({0}, rng)},
                 {}};
  summands[4] = {random_element(rng), {random_table({2, 3}, rng), random_table({2, 3}, rng)}, {{2, Fp3()}, {3, kOne3}}};
  const auto original = summands;
  Sumcheck sumcheck(std::move(summands));
  std::vector<Fp3> point;
  Fp3 claim = sum_over_cube(original, kRounds, {});
  for (std::size_t round = 0; round < kRounds; ++round) {
    const auto h = sumcheck.round(4);
    EXPECT_EQ(h[0] + evaluate(h, kOne3), claim) << round;
    const Fp3 r = random_element(rng);
    point.push_back(r);
    EXPECT_EQ(evaluate(h, r), sum_over_cube(original, kRounds, point)) << round;
    claim = evaluate(h, r);
    sumcheck.bind(r);
  }
  Fp3 direct;
  for (const Summand& s : original) direct += at_point(s, kRounds, point);
  EXPECT_EQ(direct, claim);
  const Summand alone{kOne3, {original[0].tables[1]}, {}};
  EXPECT_EQ(sumcheck.final_value(0, 1), at_point(alone, kRounds, point) * Fp(8));  // three variables are absent
}

TEST(Sumcheck, LargeTablesInBlocks) {
  std::mt19937_64 rng(2);
  std::vector<std::uint16_t> all, some;
  for (std::uint16_t i = 0; i < 13; ++i) {
    all.push_back(i);
    if (i % 3 != 1) some.push_back(i);
  }
  std::vector<Summand> summands = {{kOne3, {random_table(all, rng), random_table(some, rng)}, {}}};
  // The sum by hand.
  Fp3 expected;
  for (std::size_t x = 0; x < 1u << 13; ++x) {
    std::size_t y = 0;
    for (std::size_t b = 0; b < some.size(); ++b) y |= ((x >> some[b]) & 1) << b;
    expected += summands[0].tables[0].values[x] * summands[0].tables[1].values[y];
  }
  Sumcheck sumcheck(std::move(summands));
  Fp3 claim = expected;
  for (std::size_t round = 0; round < 13; ++round) {
    const auto h = sumcheck.round(2);
    ASSERT_EQ(h[0] + evaluate(h, kOne3), claim) << round;
    const Fp3 r = random_element(rng);
    claim = evaluate(h, r);
    sumcheck.bind(r);
  }
  EXPECT_EQ(sumcheck.final_value(0, 0) * sumcheck.final_value(0, 1), claim);
}

}  // namespace
}  // namespace avow::prover
