// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "field/kernels.hpp"

// Array kernels of the prover, for one thread and a block that stays in the cache: the caller cuts and shares the work.
// Each runs on the best instruction set of the machine and has a `_ref` twin of plain loops with equal results. Spans
// of one call have the lengths that the formulas imply; inputs and outputs do not overlap unless they are the same
// span.
namespace avow::lookup {

using field::Fp3;

/// even[i] = cells[2i], odd[i] = cells[2i+1].
void split(std::span<const Fp3> cells, std::span<Fp3> even, std::span<Fp3> odd);
void split_ref(std::span<const Fp3> cells, std::span<Fp3> even, std::span<Fp3> odd);
/// The same of integers, as elements.
void split(std::span<const std::int32_t> cells, std::span<Fp3> even, std::span<Fp3> odd);

/// Fractions of a layer, entry x in p0[x] / q0[x] and p1[x] / q1[x] below: the parent is their sum.
struct Fractions {
  const Fp3* p0 = nullptr;
  const Fp3* p1 = nullptr;
  const Fp3* q0 = nullptr;
  const Fp3* q1 = nullptr;
};
/// p = p0 q1 + p1 q0, q = q0 q1, entry by entry.
void add_fractions(const Fractions& children, std::span<Fp3> p, std::span<Fp3> q);
void add_fractions_ref(const Fractions& children, std::span<Fp3> p, std::span<Fp3> q);
/// The same for p0 = p1 = 1, which are not read.
void add_inverses(const Fractions& children, std::span<Fp3> p, std::span<Fp3> q);
void add_inverses_ref(const Fractions& children, std::span<Fp3> p, std::span<Fp3> q);

/// Binds the lowest variable to r: out[i] = in[2i] + r (in[2i+1] - in[2i]).
void fold(std::span<const Fp3> in, const Fp3& r, std::span<Fp3> out);
void fold_ref(std::span<const Fp3> in, const Fp3& r, std::span<Fp3> out);

/// a[i] += c b[i].
void add_scaled(std::span<Fp3> a, const Fp3& c, std::span<const Fp3> b);
void add_scaled_ref(std::span<Fp3> a, const Fp3& c, std::span<const Fp3> b);

/// sum over i of weights[i] g_i(X), g_i = p0 q1 + q0 p1 with the linear functions through entries 2i and 2i+1: its
/// value at 0 and its coefficient of X^2.
[[nodiscard]] field::QuadraticSum sum_round(const Fractions& f, std::span<const Fp3> weights);
[[nodiscard]] field::QuadraticSum sum_round_ref(const Fractions& f, std::span<const Fp3> weights);
/// The same with g_i = (q0 + shift) (q1 + shift); p0 and p1 are not read.
[[nodiscard]] field::QuadraticSum sum_round_of_inverses(const Fractions& f, const Fp3& shift,
                                                        std::span<const Fp3> weights);
[[nodiscard]] field::QuadraticSum sum_round_of_inverses_ref(const Fractions& f, const Fp3& shift,
                                                            std::span<const Fp3> weights);

}  // namespace avow::lookup
