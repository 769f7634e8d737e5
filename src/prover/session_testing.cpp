// SPDX-License-Identifier: Apache-2.0
#include "prover/session_testing.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "pcs_prover/instance_testing.hpp"
#include "statement/plan.hpp"

namespace avow::prover::testing {

pcs::Config small_config(std::uint64_t cells) {
  const auto log_cells = static_cast<std::uint32_t>(std::bit_width(cells));
  return pcs::testing::small_config(std::max(6u, log_cells - std::min(log_cells, 5u)));
}

namespace {

std::uint64_t committed_cells(const statement::Example& example) {
  const auto binding = statement::Binding::bind(example.statement, example.instance);
  if (!binding) base::check_failed(binding.error().text.c_str(), __FILE__, __LINE__);
  std::uint64_t cells = 0;
  for (const auto& tensor : example.statement.tensors) {
    using statement::TensorKind;
    if (tensor.kind == TensorKind::kModel || tensor.kind == TensorKind::kWitness) {
      cells += binding.value().cells(tensor.axes);
    }
  }
  return cells;
}

}  // namespace

std::vector<Array> to_arrays(const std::vector<std::vector<std::int64_t>>& arrays) {
  std::vector<Array> result;
  for (const auto& cells : arrays) {
    result.push_back(cells.empty() ? Array() : Array::of(std::span<const std::int64_t>(cells)));
  }
  return result;
}

statement::Report report_of(const statement::Example& example, const statement::Assignment& assignment) {
  const auto binding = statement::Binding::bind(example.statement, example.instance);
  return statement::check(binding.value(), assignment).value();
}

std::string expected_verdict(const statement::Example& example, const statement::Report& report) {
  std::string verdict = "accepted";
  std::uint32_t at = 0;
  const auto stages = statement::stages(example.statement);
  for (const auto& failure : report.failures) {
    if (failure.kind != statement::ClaimKind::kZero) return "lookup.root_numerator";
    const auto& tensors = example.statement.tensors;
    const auto it =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name == failure.name; });
    const bool sums = statement::needs_sumcheck(example.statement, *it);
    const std::uint32_t order = 2 * stages[static_cast<std::size_t>(it - tensors.begin())] + (sums ? 1 : 2);
    if (order > at) verdict = sums ? "proof.sum" : "proof.linear";
    at = std::max(at, order);
  }
  return verdict;
}

Session::Session(const statement::Example& example, const std::optional<pcs::Config>& config)
    : instance(example.instance) {
  auto model = Model::commit(example.statement, config.value_or(small_config(committed_cells(example))),
                             to_arrays(example.assignment().arrays));
  if (!model) base::check_failed(verifier::to_string(model.error()).c_str(), __FILE__, __LINE__);
  model_ = std::move(model).value();
}

base::Result<Proved, std::string> Session::prove(const statement::Assignment& assignment, const Faults& faults,
                                                 transcript::Manifest* manifest) const {
  return prover::prove(*model_, instance, to_arrays(assignment.arrays),
                       {.session = session, .manifest = manifest, .faults = &faults});
}

verifier::Verifier Session::verifier() const {
  auto verifier = verifier::Verifier::make(model_->key(), instance);
  if (!verifier) base::check_failed(verifier::to_string(verifier.error()).c_str(), __FILE__, __LINE__);
  return std::move(verifier).value();
}

std::string Session::verdict(base::ByteView proof, transcript::Manifest* manifest) const {
  const auto rejection = verifier().verify(session, proof, manifest);
  return rejection ? verifier::name(rejection->check) : "accepted";
}

}  // namespace avow::prover::testing
