// SPDX-License-Identifier: Apache-2.0
#include "quantise/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace avow::quantise {
namespace {

std::vector<double> log_probabilities(std::span<const double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double z : logits) sum += std::exp(z - largest);
  std::vector<double> result(logits.begin(), logits.end());
  for (double& z : result) z -= largest + std::log(sum);
  return result;
}

std::ptrdiff_t likeliest(std::span<const double> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

}  // namespace

void Agreement::add(std::span<const double> original, std::span<const double> integer, std::uint32_t next) {
  const auto p = log_probabilities(original), q = log_probabilities(integer);
  for (std::size_t v = 0; v < p.size(); ++v) divergence += std::exp(p[v]) * (p[v] - q[v]);
  nats_float -= p[next];
  nats_integer -= q[next];
  same_choice += likeliest(original) == likeliest(integer) ? 1U : 0U;
  ++predictions;
}

double Agreement::perplexity_float() const { return std::exp(nats_float / static_cast<double>(predictions)); }
double Agreement::perplexity_integer() const { return std::exp(nats_integer / static_cast<double>(predictions)); }
double Agreement::ratio() const { return std::exp((nats_integer - nats_float) / static_cast<double>(predictions)); }

}  // namespace avow::quantise
