// SPDX-License-Identifier: Apache-2.0
#include "runtime/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "hash/keccak.hpp"

namespace avow::runtime {
namespace {

std::vector<std::int32_t> exponentials() {
  std::vector<std::int32_t> out(compile::kDistanceSteps);
  for (std::size_t u = 0; u < out.size(); ++u) {
    out[u] = static_cast<std::int32_t>(std::lround(65535 * std::exp(-static_cast<double>(u) / 256)));
  }
  out.back() = 0;
  return out;
}

base::Digest seed_of(std::uint8_t byte) {
  base::Digest seed{};
  seed[31] = byte;
  return seed;
}

// Section 6 word by word, with no histogram.
struct Plain {
  std::int64_t theta_k = -1, theta_p = -1, chosen = -1;
};
Plain plain_select(const std::vector<std::int32_t>& z, const std::vector<std::int32_t>& weights, const Sampling& s,
                   std::int64_t u) {
  const std::int64_t max = *std::max_element(z.begin(), z.end());
  std::vector<std::int64_t> scaled;
  std::int64_t mass = 0;
  for (const std::int64_t logit : z) {
    scaled.push_back(std::min<std::int64_t>(((max - logit) * s.tau + 2048) / 4096, 4095));
    mass += weights[static_cast<std::size_t>(scaled.back())];
  }
  Plain out;
  for (std::int64_t t = 0; t < 4096 && (out.theta_k < 0 || out.theta_p < 0); ++t) {
    std::int64_t words = 0, part = 0;
    for (const std::int64_t d : scaled) {
      if (d > t) continue;
      ++words;
      part += weights[static_cast<std::size_t>(d)];
    }
    if (out.theta_k < 0 && words >= s.top_k) out.theta_k = t;
    if (out.theta_p < 0 && 65536 * part >= s.portion * mass) out.theta_p = t;
  }
  std::vector<std::int64_t> p;
  std::int64_t total = 0;
  for (const std::int64_t d : scaled) {
    p.push_back(d <= std::min(out.theta_k, out.theta_p) ? weights[static_cast<std::size_t>(d)] : 0);
    total += p.back();
  }
  std::int64_t before = 0;
  for (std::size_t v = 0; v < p.size(); ++v) {
    if ((before << 28) <= u * total && u * total < ((before + p[v]) << 28)) {
      EXPECT_EQ(out.chosen, -1) << "two words";
      out.chosen = static_cast<std::int64_t>(v);
    }
    before += p[v];
  }
  return out;
}

void expect_shown(const Selection& s, const Sampling& sampling) {
  const auto is_below = [](std::int64_t value, unsigned bits) { return value >= 0 && value < std::int64_t{1} << bits; };
  EXPECT_TRUE(is_below(s.words - sampling.top_k, 18));
  EXPECT_TRUE(is_below(std::int64_t{sampling.top_k} - 1 - s.words_before, 18));
  EXPECT_TRUE(is_below((s.mass_up_to << 16) - sampling.portion * s.mass, 52));
  EXPECT_TRUE(is_below(sampling.portion * s.mass - 1 - (s.mass_before << 16), 52));
  EXPECT_TRUE(is_below(s.random * s.total - (s.before << 28), 62));
  EXPECT_TRUE(is_below(((s.before + s.own) << 28) - 1 - s.random * s.total, 62));
}

TEST(Selection, FollowsTheSpecificationOnRandomLogits) {
  const auto weights = exponentials();
  std::mt19937_64 rng(3);
  for (int i = 0; i < 600; ++i) {
    const std::size_t words = 1 + rng() % 40;
    std::vector<std::int32_t> z(words);
    const std::uint64_t spread = std::uint64_t{1} << (rng() % 14);
    for (auto& v : z) v = static_cast<std::int32_t>(rng() % spread) - 500;
    Sampling sampling;
    sampling.tau = static_cast<std::uint32_t>(rng() % 4 == 0 ? rng() % 3 : rng() % 16385);
    sampling.top_k = static_cast<std::uint32_t>(1 + rng() % words);
    sampling.portion = static_cast<std::uint32_t>(rng() % 4 == 0 ? 65536 : 1 + rng() % 65536);
    sampling.seed = seed_of(static_cast<std::uint8_t>(i));
    const std::uint32_t edges[] = {0, (1u << 28) - 1, compile::random_number(sampling, static_cast<std::uint32_t>(i))};
    const std::uint32_t u = edges[rng() % 3];
    ASSERT_FALSE(check_sampling(sampling, words));
    const auto got = select(z, weights, sampling, u, 22);
    ASSERT_TRUE(got.ok());
    const Plain expected = plain_select(z, weights, sampling, u);
    ASSERT_EQ(got.value().last_k, expected.theta_k) << i;
    ASSERT_EQ(got.value().last_p, expected.theta_p) << i;
    ASSERT_EQ(got.value().chosen, expected.chosen) << i;
    ASSERT_EQ(got.value().above(), std::min(expected.theta_k, expected.theta_p) + 1) << i;
    expect_shown(got.value(), sampling);
  }
}

TEST(Selection, GreedyTakesTheFirstOfTheLargest) {
  const std::vector<std::int32_t> z{3, -4190000, 900, 900, 8};
  const auto got = select(z, exponentials(), {}, compile::random_number({}, 5), 22);
  ASSERT_TRUE(got.ok()) << got.error().text;
  EXPECT_EQ(got.value().chosen, 2u);
  EXPECT_EQ(got.value().first, 2u);
  EXPECT_EQ(got.value().words, 2);  // equal logits stay together, whatever k says
}

// As many words as there can be, all of the largest weight: the sums reach 2^62.
TEST(Selection, LargestMassesDoNotOverflow) {
  const std::vector<std::int32_t> z(std::size_t{1} << 18, 5);
  Sampling sampling;
  sampling.top_k = 1 << 18;
  const auto got = select(z, exponentials(), sampling, (1u << 28) - 1, 22);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value().chosen, (1u << 18) - 1);
  expect_shown(got.value(), sampling);
}

TEST(Selection, RandomNumbersAreTheFirst28BitsOfTheHash) {
  Sampling sampling;
  EXPECT_EQ(compile::random_number(sampling, 3), 0u);
  sampling.seed = seed_of(9);
  base::Bytes message(36);
  message[31] = 9;
  message[34] = 1;
  message[35] = 2;
  const auto digest = hash::keccak256(message);
  const std::uint32_t expected = (std::uint32_t{digest[0]} << 20) | (std::uint32_t{digest[1]} << 12) |
                                 (std::uint32_t{digest[2]} << 4) | (digest[3] >> 4);
  EXPECT_EQ(compile::random_number(sampling, 258), expected);
}

TEST(Selection, RefusesDistancesBeyondThePlan) {
  const std::vector<std::int32_t> z{0, -(4095 + 64)};
  EXPECT_TRUE(select(z, exponentials(), {}, 0, 7).ok());
  const auto got = select(z, exponentials(), {}, 0, 6);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().cause, Cause::kRange);
  EXPECT_EQ(got.error().text.substr(0, 7), "excess:");
}

TEST(Selection, RefusesRequestsBeyondTheirRange) {
  const auto refused = [](std::uint32_t tau, std::uint32_t k, std::uint32_t portion, const char* name) {
    const MaybeError error = check_sampling({tau, k, portion, std::nullopt}, 10);
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->cause, Cause::kRequest);
    EXPECT_EQ(error->text.substr(0, error->text.find(' ')), name);
  };
  EXPECT_FALSE(check_sampling({16384, 10, 65536, std::nullopt}, 10));
  EXPECT_FALSE(check_sampling({0, 1, 1, std::nullopt}, 10));
  refused(16385, 1, 1, "tau");
  refused(0, 0, 1, "k");
  refused(0, 11, 1, "k");
  refused(0, 1, 0, "P");
  refused(0, 1, 65537, "P");
}

}  // namespace
}  // namespace avow::runtime
