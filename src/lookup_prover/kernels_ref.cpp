// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/kernels.hpp"

namespace avow::lookup {

using field::QuadraticSum;

void split_ref(std::span<const Fp3> cells, std::span<Fp3> even, std::span<Fp3> odd) {
  for (std::size_t i = 0; i < even.size(); ++i) {
    even[i] = cells[2 * i];
    odd[i] = cells[2 * i + 1];
  }
}

void split(std::span<const std::int32_t> cells, std::span<Fp3> even, std::span<Fp3> odd) {
  for (std::size_t i = 0; i < even.size(); ++i) {
    even[i] = Fp3(field::Fp::from_int(cells[2 * i]));
    odd[i] = Fp3(field::Fp::from_int(cells[2 * i + 1]));
  }
}

void add_fractions_ref(const Fractions& children, std::span<Fp3> p, std::span<Fp3> q) {
  for (std::size_t x = 0; x < p.size(); ++x) {
    p[x] = children.p0[x] * children.q1[x] + children.p1[x] * children.q0[x];
    q[x] = children.q0[x] * children.q1[x];
  }
}

void add_inverses_ref(const Fractions& children, std::span<Fp3> p, std::span<Fp3> q) {
  for (std::size_t x = 0; x < p.size(); ++x) {
    p[x] = children.q0[x] + children.q1[x];
    q[x] = children.q0[x] * children.q1[x];
  }
}

void fold_ref(std::span<const Fp3> in, const Fp3& r, std::span<Fp3> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = in[2 * i] + r * (in[2 * i + 1] - in[2 * i]);
}

void add_scaled_ref(std::span<Fp3> a, const Fp3& c, std::span<const Fp3> b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += c * b[i];
}

QuadraticSum sum_round_ref(const Fractions& f, std::span<const Fp3> weights) {
  QuadraticSum sum;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t x = 2 * i;
    const auto slope = [&](const Fp3* table) { return table[x + 1] - table[x]; };
    sum.at0 += weights[i] * (f.p0[x] * f.q1[x] + f.q0[x] * f.p1[x]);
    sum.leading += weights[i] * (slope(f.p0) * slope(f.q1) + slope(f.q0) * slope(f.p1));
  }
  return sum;
}

QuadraticSum sum_round_of_inverses_ref(const Fractions& f, const Fp3& shift, std::span<const Fp3> weights) {
  QuadraticSum sum;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t x = 2 * i;
    sum.at0 += weights[i] * ((f.q0[x] + shift) * (f.q1[x] + shift));
    sum.leading += weights[i] * ((f.q0[x + 1] - f.q0[x]) * (f.q1[x + 1] - f.q1[x]));
  }
  return sum;
}

}  // namespace avow::lookup
