// SPDX-License-Identifier: Apache-2.0
#include "compile/instance.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"

namespace avow::compile {
namespace {

// The lists of public values, filled run by run.
class ValueLists {
 public:
  ValueLists() : lists_(kPublicValues.size()) {}

  void add_run(const RequestRun& run, const Lengths& lengths) {
    for (std::size_t t = 0; t < lengths.tokens; ++t) put("id", t < run.ids.size() ? run.ids[t] : 0);
    put("tau", run.sampling.tau);
    put("k", run.sampling.top_k);
    put("P", run.sampling.portion);
    for (std::size_t s = 0; s < lengths.steps; ++s) add_step(run, std::min(s, run.choices.size() - 1));
  }

  std::vector<std::vector<std::int64_t>> take() { return std::move(lists_); }

 private:
  void add_step(const RequestRun& run, std::size_t step) {
    const Choice& choice = run.choices[step];
    put("position", run.positions[step]);
    put("likeliest", choice.likeliest);
    put("above", std::min(choice.last_k, choice.last_p) + 1);
    put("last_k", choice.last_k);
    put("last_p", choice.last_p);
    put("random", random_number(run.sampling, static_cast<std::uint32_t>(step)));
    put("chosen", choice.chosen);
  }
  void put(std::string_view name, std::uint32_t value) {
    const auto* found = std::find(kPublicValues.begin(), kPublicValues.end(), name);
    lists_[static_cast<std::size_t>(found - kPublicValues.begin())].push_back(value);
  }

  std::vector<std::vector<std::int64_t>> lists_;
};

}  // namespace

std::uint64_t instance_length(std::uint64_t n) {
  const std::uint64_t power = std::bit_ceil(n);
  return power >= 4 && n <= power / 4 * 3 ? power / 4 * 3 : power;
}

Lengths instance_lengths(const Lengths& least) {
  return {instance_length(least.requests), instance_length(least.tokens), instance_length(least.steps)};
}

statement::Instance make_instance(std::span<const RequestRun> runs, const Lengths& lengths) {
  AVOW_CHECK(!runs.empty() && runs.size() <= lengths.requests);
  ValueLists lists;
  for (std::size_t r = 0; r < lengths.requests; ++r) {
    const RequestRun& run = runs[std::min(r, runs.size() - 1)];
    AVOW_CHECK(!run.ids.empty() && run.ids.size() <= lengths.tokens);
    AVOW_CHECK(!run.choices.empty() && run.choices.size() <= lengths.steps);
    AVOW_CHECK(run.positions.size() == run.choices.size());
    lists.add_run(run, lengths);
  }
  return {{lengths.requests, lengths.tokens, lengths.steps}, lists.take()};
}

}  // namespace avow::compile
