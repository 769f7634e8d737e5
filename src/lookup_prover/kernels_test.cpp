// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/kernels.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <limits>
#include <random>
#include <vector>

namespace avow::lookup {
namespace {

using field::Fp;
using field::kP;

class LookupKernels : public testing::Test {
 protected:
  std::mt19937_64 rng{7};

  // Small, large and random coefficients, so that carries and both ends occur.
  Fp element() {
    const Fp kinds[] = {Fp(rng()), Fp(rng() % 4), -Fp(rng() % 4), Fp((kP - 1) / 2 + rng() % 3 - 1)};
    return kinds[rng() % 4];
  }
  std::vector<Fp3> elements(std::size_t count) {
    std::vector<Fp3> out(count);
    for (auto& v : out) v = {element(), element(), element()};
    return out;
  }

  template <typename Body>
  void on_every_target(Body body) {
    for (const auto target : hwy::SupportedAndGeneratedTargets()) {
      hwy::SetSupportedTargetsForTest(target);
      SCOPED_TRACE(hwy::TargetName(target));
      for (const std::size_t count : {0u, 1u, 2u, 3u, 7u, 8u, 9u, 31u, 128u, 1000u}) {
        SCOPED_TRACE(count);
        body(count);
      }
    }
    hwy::SetSupportedTargetsForTest(0);
  }
};

TEST_F(LookupKernels, SplitEqualsTheReference) {
  on_every_target([&](std::size_t count) {
    const auto cells = elements(2 * count);
    std::vector<Fp3> even(count), odd(count), even_ref(count), odd_ref(count);
    split(cells, even, odd);
    split_ref(cells, even_ref, odd_ref);
    EXPECT_EQ(even, even_ref);
    EXPECT_EQ(odd, odd_ref);
  });
  const std::int32_t ints[] = {-1, std::numeric_limits<std::int32_t>::min(), 5, 0};
  std::vector<Fp3> even(2), odd(2);
  split(ints, even, odd);
  EXPECT_EQ(even, (std::vector<Fp3>{Fp3(-Fp(1)), Fp3(Fp(5))}));
  EXPECT_EQ(odd, (std::vector<Fp3>{Fp3(-Fp(std::uint64_t{1} << 31)), Fp3()}));
}

TEST_F(LookupKernels, AdditionsEqualTheReference) {
  on_every_target([&](std::size_t count) {
    const auto p0 = elements(count), p1 = elements(count), q0 = elements(count), q1 = elements(count);
    const Fractions f{p0.data(), p1.data(), q0.data(), q1.data()};
    std::vector<Fp3> p(count), q(count), p_ref(count), q_ref(count);
    add_fractions(f, p, q);
    add_fractions_ref(f, p_ref, q_ref);
    EXPECT_EQ(p, p_ref);
    EXPECT_EQ(q, q_ref);
    const Fractions inverses{nullptr, nullptr, q0.data(), q1.data()};
    add_inverses(inverses, p, q);
    add_inverses_ref(inverses, p_ref, q_ref);
    EXPECT_EQ(p, p_ref);
    EXPECT_EQ(q, q_ref);
  });
}

TEST_F(LookupKernels, FoldAndScaleEqualTheReference) {
  on_every_target([&](std::size_t count) {
    const auto in = elements(2 * count);
    const Fp3 r = elements(1)[0];
    std::vector<Fp3> out(count), expected(count);
    fold(in, r, out);
    fold_ref(in, r, expected);
    EXPECT_EQ(out, expected);
    add_scaled(out, r, std::span(in).first(count));
    add_scaled_ref(expected, r, std::span(in).first(count));
    EXPECT_EQ(out, expected);
  });
}

TEST_F(LookupKernels, RoundsEqualTheReference) {
  on_every_target([&](std::size_t count) {
    const auto p0 = elements(2 * count), p1 = elements(2 * count), q0 = elements(2 * count), q1 = elements(2 * count);
    const auto weights = elements(count);
    const Fp3 shift = elements(1)[0];
    const Fractions f{p0.data(), p1.data(), q0.data(), q1.data()};
    EXPECT_EQ(sum_round(f, weights), sum_round_ref(f, weights));
    const Fractions inverses{nullptr, nullptr, q0.data(), q1.data()};
    EXPECT_EQ(sum_round_of_inverses(inverses, shift, weights), sum_round_of_inverses_ref(inverses, shift, weights));
  });
}

}  // namespace
}  // namespace avow::lookup
