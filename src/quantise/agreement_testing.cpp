// SPDX-License-Identifier: Apache-2.0
#include "quantise/agreement_testing.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace avow::quantise::testing {
namespace {

std::vector<double> log_probabilities(std::vector<double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double z : logits) sum += std::exp(z - largest);
  for (double& z : logits) z -= largest + std::log(sum);
  return logits;
}

}  // namespace

double Agreement::perplexity_ratio() const {
  return std::exp((nats_integer - nats_float) / static_cast<double>(predictions));
}

void Agreement::print(const char* name) const {
  const auto count = static_cast<double>(predictions);
  fmt::print("{}: {} predictions, perplexity {:.4f} float, {:.4f} integer, ratio {:.6f}, kl {:.3g}, top-1 {:.4f}\n",
             name, predictions, std::exp(nats_float / count), std::exp(nats_integer / count), perplexity_ratio(), kl(),
             top1());
}

void compare(model::FloatModel& original, Simulation& simulation, std::span<const std::uint32_t> tokens,
             Agreement& agreement) {
  original.reset();
  simulation.reset();
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const auto real = original.step(tokens[i]);
    const auto integers = simulation.step(tokens[i]);
    std::vector<double> scaled;
    for (const std::int64_t z : integers) scaled.push_back(static_cast<double>(z) / 256);
    const auto p = log_probabilities({real.begin(), real.end()}), q = log_probabilities(std::move(scaled));
    for (std::size_t v = 0; v < p.size(); ++v) agreement.divergence += std::exp(p[v]) * (p[v] - q[v]);
    agreement.nats_float -= p[tokens[i + 1]];
    agreement.nats_integer -= q[tokens[i + 1]];
    const auto choice = std::max_element(real.begin(), real.end()) - real.begin();
    const auto ours = std::max_element(integers.begin(), integers.end()) - integers.begin();
    agreement.same_choice += choice == ours ? 1 : 0;
    ++agreement.predictions;
  }
}

}  // namespace avow::quantise::testing
