// SPDX-License-Identifier: Apache-2.0
//
// spec/audit.md: for every tensor that a prover could choose, what pins it down, as the analysis finds it and the
// statement says it. AVOW_WRITE_VECTORS=1 writes the file; the test compares it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "compile/compile.hpp"
#include "compile/plans_testing.hpp"
#include "statement/analysis.hpp"
#include "statement/print.hpp"

namespace avow::compile {
namespace {

using statement::Finding;
using statement::Reason;
using statement::Statement;
using statement::TensorKind;

std::string how(Reason reason) {
  switch (reason) {
    case Reason::kInput:
      return "nothing: an input";
    case Reason::kCounted:
      return "counted: the histogram of the table's lookups";
    case Reason::kEquation:
      return "an equation that is linear in it";
    case Reason::kDigits:
      return "a digit of a number in a range";
    case Reason::kFunction:
      return "the value in the table's row of these keys";
    case Reason::kSandwich:
      return "two inequalities that exclude its successor";
    case Reason::kMaximum:
      return "a maximum that is attained";
    case Reason::kHint:
      return "a hint: where scores tie any of them may be selected, and nothing reads which";
    case Reason::kUndetermined:
      return "lookups of a hint, which nothing reads";
  }
  return "";
}

std::string axes_of(const Statement& statement, const std::vector<statement::AxisId>& axes) {
  std::vector<std::string> names;
  for (const auto axis : axes) names.push_back(statement.axes[axis].name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// A table cell: vertical bars would end it.
std::string in_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

std::string witness_table(const Statement& statement, const std::vector<Finding>& findings) {
  std::string text = "| tensor | axes | pinned down by | how | where |\n| --- | --- | --- | --- | --- |\n";
  for (const Finding& finding : findings) {
    const auto& tensor = statement.tensors[finding.tensor];
    std::vector<std::string> masks;
    for (const auto& mask : finding.masks) masks.push_back(to_text(statement, tensor.axes, {{1, {mask}}}));
    text += fmt::format("| {} | {} | {} | {} | {} |\n", tensor.name, axes_of(statement, tensor.axes), finding.claim,
                        how(finding.reason), in_cell(fmt::format("{}", fmt::join(masks, ", "))));
  }
  return text;
}

// Virtual tensors that a claim reads itself: what they are is their definition, whose factors the first table has.
std::string virtual_table(const Statement& statement) {
  std::vector<std::vector<std::string>> readers(statement.tensors.size());
  for (const auto id : statement.zero_claims) readers[id].push_back("is 0");
  for (const auto& lookup : statement.lookups) {
    for (const auto& entry : lookup.tuple) {
      for (const auto& term : entry) {
        for (const auto& factor : term.factors) readers[factor.tensor].push_back("lookup " + lookup.name);
      }
    }
  }
  std::string text = "| tensor | axes | definition | read by |\n| --- | --- | --- | --- |\n";
  for (std::size_t id = 0; id < statement.tensors.size(); ++id) {
    const auto& tensor = statement.tensors[id];
    if (tensor.kind != TensorKind::kVirtual || readers[id].empty()) continue;
    text += fmt::format("| {} | {} | {} | {} |\n", tensor.name, axes_of(statement, tensor.axes),
                        in_cell(to_text(statement, tensor.axes, tensor.definition)),
                        in_cell(fmt::format("{}", fmt::join(readers[id], ", "))));
  }
  return text;
}

std::string section_of(const std::string& title, const Plan& plan) {
  const Statement statement = compile(plan).value();
  const auto findings = statement::analyse_uniqueness(statement);
  EXPECT_TRUE(findings.ok()) << findings.error().text;
  return fmt::format("\n## {}\n\n### Committed in each proof\n\n{}\n### Virtual, looked up or zero\n\n{}", title,
                     witness_table(statement, findings.value()), virtual_table(statement));
}

constexpr const char* kHead =
    "# What pins down every tensor of a proof\n"
    "\n"
    "An attacker's question about the statement of a whole model (`integer_models.md`): which committed cells may a "
    "prover\n"
    "choose? Each witness tensor is listed with the claim by which the analysis (`statement.md`, section 8) finds it\n"
    "determined by public values and model tensors, whatever field elements the model tensors hold; where masks are "
    "given,\n"
    "only there, and elsewhere nothing reads it. A virtual tensor is its definition. Written by\n"
    "`src/compile/audit_test.cpp`, which also compares it.\n";

TEST(Audit, TableIsThatOfTheStatements) {
  const auto plans = small_plans();
  std::string expected = kHead;
  for (const auto& [name, plan] : plans) {
    if (name == "llama" || name == "gpt2") expected += section_of(name == "llama" ? "LLaMA" : "GPT-2", plan);
  }
  const std::string path = std::string(AVOW_SOURCE_DIR) + "/spec/audit.md";
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) std::ofstream(path) << expected;
  std::ifstream file(path);
  const std::string stored((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(stored, expected) << "write it anew with AVOW_WRITE_VECTORS=1";
}

}  // namespace
}  // namespace avow::compile
