// SPDX-License-Identifier: Apache-2.0
#include "prover/prove.hpp"

#include <fmt/format.h>

#include <array>

#include "base/check.hpp"
#include "prover/gathering.hpp"
#include "prover/lookups.hpp"
#include "prover/stage.hpp"
#include "verifier/messages.hpp"
#include "verifier/sections.hpp"

namespace avow::prover {
namespace {

namespace messages = verifier::messages;
using base::Err;
using reduction::ClaimId;
using statement::TensorKind;

class Timer {
 public:
  explicit Timer(std::chrono::nanoseconds& sum) : sum_(sum), start_(std::chrono::steady_clock::now()) {}
  ~Timer() { sum_ += std::chrono::steady_clock::now() - start_; }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  std::chrono::nanoseconds& sum_;
  std::chrono::steady_clock::time_point start_;
};

// Estimated work of each phase, in units of about a nanosecond on two cores: it goes with the cells that are committed
// to, those of lookups, and those of the model; constants are those of models of 0.1 and 1 thousand million cells.
using Work = std::array<std::uint64_t, static_cast<std::size_t>(Phase::kOpen) + 1>;
Work work_of(const verifier::Setting& setting) {
  const auto& s = setting.key->statement;
  std::uint64_t lookups = 0;
  for (const auto& table : s.tables) lookups += setting.binding.cells(table.axes);
  for (const auto& lookup : s.lookups) lookups += setting.binding.cells(lookup.axes);
  const std::uint64_t rows = std::uint64_t{1} << setting.key->config.log_rows;
  const std::uint64_t witness = reduction::columns(setting.witness) * rows;
  const std::uint64_t model = setting.model.cells;
  // Later oracles and grinding are as much work for any witness.
  return {20 * lookups + model / 4, 150 * witness, 140 * lookups, 120 * witness + model,
          8 * (witness + model) + 2900 * rows};
}

class Prover {
 public:
  Prover(const Model& model, const verifier::Setting& setting, const ProveOptions& options)
      : model_(model),
        setting_(setting),
        s_(setting.key->statement),
        options_(options),
        faults_(options.faults != nullptr ? *options.faults : no_faults_),
        times_(options.times != nullptr ? *options.times : unused_),
        tensors_(setting.binding),
        transcript_(setting.start(options.session)) {
    transcript_.record(options.manifest);
  }

  base::Result<Proved, std::string> run(std::vector<Array> arrays) {
    if (auto problem = take(std::move(arrays))) return Err{std::move(*problem)};
    if (!enter(Phase::kEvaluate)) return Err{std::string(kCancelled)};
    evaluate_virtual();
    if (auto problem = look_up()) return Err{std::move(*problem)};
    if (!enter(Phase::kCommit)) return Err{std::string(kCancelled)};
    commit();
    challenges_.stages.resize(statement::limits::kStages + 1);
    if (!enter(Phase::kLookups)) return Err{std::string(kCancelled)};
    if (!setting_.plan.lookup.columns.empty()) prove_lookups();
    draw_zero_point();
    if (!enter(Phase::kStages)) return Err{std::string(kCancelled)};
    for (const auto& stage : setting_.plan.stages) prove_stage(stage);
    if (!enter(Phase::kOpen)) return Err{std::string(kCancelled)};
    return finish();
  }

 private:
  // false: cancelled.
  [[nodiscard]] bool enter(Phase next) const {
    if (options_.cancelled != nullptr && options_.cancelled->load()) return false;
    if (!options_.progress) return true;
    const Work work = work_of(setting_);
    std::uint64_t done = 0, total = 0;
    for (std::size_t i = 0; i < work.size(); ++i) {
      if (i < static_cast<std::size_t>(next)) done += work[i];
      total += work[i];
    }
    options_.progress(next, done, total);
    return true;
  }

  std::optional<std::string> take(std::vector<Array> arrays) {
    arrays.resize(s_.tensors.size());
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      const auto& tensor = s_.tensors[id];
      if (tensor.kind == TensorKind::kStructured) continue;
      if (tensor.kind == TensorKind::kModel) {
        tensors_.set(id, Array::borrow(model_.array(id)));
        continue;
      }
      const bool may_be_missing = tensor.kind == TensorKind::kVirtual || is_multiplicity(id);
      if (arrays[id].size() == 0 && may_be_missing) continue;
      if (arrays[id].size() != setting_.binding.cells(tensor.axes)) {
        return fmt::format("tensor '{}': {} cells given, it has {}", tensor.name, arrays[id].size(),
                           setting_.binding.cells(tensor.axes));
      }
      tensors_.set(id, std::move(arrays[id]));
    }
    return std::nullopt;
  }

  [[nodiscard]] bool is_multiplicity(TensorId id) const {
    return std::any_of(s_.tables.begin(), s_.tables.end(), [&](const auto& table) { return table.multiplicity == id; });
  }

  // Virtual tensors whose cells are read somewhere; a zero claim alone does not read them. Those that are made from
  // multiplicities have to wait until these are counted.
  void evaluate_virtual() {
    const Timer timer(times_.virtuals);
    std::vector<bool> read(s_.tensors.size());
    const auto mark = [&](const statement::Expression& terms) {
      for (const auto& term : terms) {
        for (const auto& factor : term.factors) read[factor.tensor] = true;
      }
    };
    for (const auto& table : s_.tables) {
      for (const auto& column : table.columns) mark(column);
    }
    for (const auto& lookup : s_.lookups) {
      for (const auto& entry : lookup.tuple) mark(entry);
    }
    for (const auto& tensor : s_.tensors) mark(tensor.definition);
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      const auto& tensor = s_.tensors[id];
      if (tensor.kind != TensorKind::kVirtual || !read[id] || tensors_.has(id) || !can_evaluate(tensor.definition)) {
        continue;
      }
      tensors_.set(id, evaluate(tensors_, tensor.axes, tensor.definition));
    }
  }

  [[nodiscard]] bool can_evaluate(const statement::Expression& terms) const {
    for (const auto& term : terms) {
      for (const auto& factor : term.factors) {
        if (s_.tensors[factor.tensor].kind != TensorKind::kStructured && !tensors_.has(factor.tensor)) return false;
      }
    }
    return true;
  }

  // Tuples, rows and multiplicities. A lookup of something made from other tables' multiplicities waits for these, so
  // tables are counted when all their lookups can be evaluated.
  std::optional<std::string> look_up() {
    tuples_.resize(s_.lookups.size());
    rows_.resize(s_.tables.size());
    std::vector<bool> done(s_.tables.size());
    for (std::size_t left = s_.tables.size(); left > 0;) {
      const std::size_t before = left;
      for (statement::TableId id = 0; id < s_.tables.size(); ++id) {
        if (done[id] || !can_count(id)) continue;
        if (auto problem = count(id)) return problem;
        done[id] = true;
        --left;
      }
      if (left == before) return "multiplicities that depend on themselves must be given";
      evaluate_virtual();
    }
    return std::nullopt;
  }

  [[nodiscard]] bool can_count(statement::TableId id) const {
    for (const auto& column : s_.tables[id].columns) {
      if (!can_evaluate(column)) return false;
    }
    for (const auto& lookup : s_.lookups) {
      if (lookup.table != id) continue;
      for (const auto& entry : lookup.tuple) {
        if (!can_evaluate(entry)) return false;
      }
    }
    return true;
  }

  std::optional<std::string> count(statement::TableId id) {
    const Timer timer(times_.tuples);
    rows_[id] = rows_of(tensors_, s_.tables[id]);
    for (std::size_t i = 0; i < s_.lookups.size(); ++i) {
      if (s_.lookups[i].table == id) tuples_[i] = tuples_of(tensors_, s_.lookups[i]);
    }
    const TensorId multiplicity = s_.tables[id].multiplicity;
    if (tensors_.has(multiplicity) && faults_.ignore_missing) return std::nullopt;
    auto counts = count_rows(setting_.binding, id, rows_[id], tuples_);
    if (counts.missing && !faults_.ignore_missing) return std::move(*counts.missing);
    if (!tensors_.has(multiplicity)) tensors_.set(multiplicity, Array::of(std::span<const std::int64_t>(counts.rows)));
    return std::nullopt;
  }

  void commit() {
    const Timer timer(times_.commit);
    std::vector<const Array*> arrays(s_.tensors.size());
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      if (s_.tensors[id].kind == TensorKind::kWitness) arrays[id] = &tensors_.get(id);
    }
    const auto& config = setting_.key->config;
    dense_ = make_dense(setting_.witness, s_, setting_.binding.lengths(), config.log_rows, arrays);
    opened_.groups = dense_.views(setting_.witness);
    oracle_ = std::make_unique<pcs::TreeOracle>(config.log_rows, config.oracles[0].log_inv_rate, opened_.groups);
    opened_.oracle = oracle_.get();
    opened_.key = pcs::send_commitment(transcript_, *oracle_, opened_.groups);
    base::append(proof_, opened_.key.root);
    put(opened_.key.ood_value);
  }

  void put(const field::Fp3& x) {
    std::uint8_t encoded[field::kFp3Bytes];
    field::encode(x, encoded);
    base::append(proof_, encoded);
  }
  void send(transcript::Label label, std::vector<field::Fp3>& elements) {
    if (faults_.message) faults_.message(label, elements);
    transcript_.absorb(label, elements);
    for (const auto& x : elements) put(x);
  }

  void set_value(ClaimId id, const field::Fp3& value) {
    if (values_.size() <= id) values_.resize(id + 1);
    values_[id] = value;
  }
  // Sends the values of these claims, from the cells.
  void send_values(transcript::Label label, std::span<const ClaimId> ids) {
    std::vector<field::Fp3> sent;
    for (const ClaimId id : ids) sent.push_back(evaluate_claim(tensors_, challenges_, setting_.plan.claims[id]));
    send(label, sent);
    for (std::size_t i = 0; i < ids.size(); ++i) set_value(ids[i], sent[i]);
  }

  void prove_lookups() {
    const auto& plan = setting_.plan;
    challenges_.alpha = transcript_.challenge(messages::kAlpha);
    challenges_.beta = transcript_.challenge(messages::kBeta);
    std::vector<ColumnCells> cells;
    {
      const Timer timer(times_.columns);
      for (statement::TableId id = 0; id < s_.tables.size(); ++id) {
        const auto& table = s_.tables[id];
        cells.push_back(column_cells(setting_.binding, table.axes, id, plan.tag_power, std::move(rows_[id]),
                                     challenges_, &tensors_.get(table.multiplicity)));
      }
      for (std::size_t i = 0; i < s_.lookups.size(); ++i) {
        const auto& lookup = s_.lookups[i];
        cells.push_back(column_cells(setting_.binding, lookup.axes, lookup.table, plan.tag_power, std::move(tuples_[i]),
                                     challenges_, nullptr));
      }
    }
    std::vector<lookup::ColumnData> data;
    for (const ColumnCells& column : cells) data.push_back(column.data());
    lookup::Proved proved;
    {
      const Timer timer(times_.lookups);
      proved = lookup::prove(transcript_, plan.lookup, data, &times_.lookup_parts, faults_.lookup);
    }
    const Timer timer(times_.stages);
    base::append(proof_, proved.proof);
    challenges_.lookup = std::move(proved.claims.point);
    send_values(messages::kLookupValues, plan.lookup_values);
    for (std::size_t j = 0; j < plan.columns.size(); ++j) {
      if (plan.columns[j].multiplicity != reduction::kNone) {
        set_value(plan.columns[j].multiplicity, -proved.claims.columns[j].numerator);
      }
    }
    bytes_.lookups = proved.proof.size() + field::kFp3Bytes * plan.lookup_values.size();
  }

  void draw_zero_point() {
    for (std::size_t i = 0; i < setting_.plan.zero_coordinates; ++i) {
      challenges_.zero.push_back(transcript_.challenge(messages::kZeroPoint));
    }
    for (const ClaimId id : setting_.plan.zero_claims) set_value(id, field::Fp3());
  }

  void prove_stage(const reduction::Stage& stage) {
    const Timer timer(times_.stages);
    if (!stage.linear_values.empty()) send_values(messages::kLinearValues, stage.linear_values);
    bytes_.stages += verifier::stage_bytes(stage);
    if (!stage.sums.empty()) prove_sums(stage);
    if (!stage.gathered.empty() || !stage.reads.empty()) prove_gathering(stage);
  }

  void prove_sums(const reduction::Stage& stage) {
    const field::Fp3 join = transcript_.challenge(messages::kJoin);
    auto tables = make_stage_tables(tensors_, setting_.plan, stage, challenges_, join, values_);
    Sumcheck sumcheck(std::move(tables.summands));
    for (const std::uint8_t degree : stage.degrees) {
      sumcheck.bind(send_round(stage, sumcheck.round(degree)));
    }
    for (std::size_t i = 0; i < tables.claims.size(); ++i) {
      for (std::size_t t = 0; t < tables.claims[i].size(); ++t) {
        if (tables.claims[i][t] != reduction::kNone) set_value(tables.claims[i][t], sumcheck.final_value(i, t));
      }
    }
    send_sum_values(stage);
  }

  void prove_gathering(const reduction::Stage& stage) {
    const field::Fp3 join = transcript_.challenge(messages::kJoin);
    Gathering gathering(tensors_, setting_.plan, stage, challenges_, join, values_);
    for (const std::uint8_t degree : stage.degrees) gathering.bind(send_round(stage, gathering.round(degree)));
    for (std::size_t i = 0; i < stage.gathered.size(); ++i) set_value(stage.gathered[i].value, gathering.value(i));
    send_sum_values(stage);
  }

  // The challenge that the round's variable is bound to.
  field::Fp3 send_round(const reduction::Stage& stage, std::vector<field::Fp3> polynomial) {
    polynomial.erase(polynomial.begin() + 1);  // the coefficient of X follows
    send(messages::kRound, polynomial);
    const field::Fp3 r = transcript_.challenge(messages::kBind);
    challenges_.stages[stage.number].push_back(r);
    return r;
  }

  void send_sum_values(const reduction::Stage& stage) {
    std::vector<field::Fp3> sent;
    for (const ClaimId id : stage.sum_values) sent.push_back(values_[id]);
    send(messages::kSumValues, sent);
    for (std::size_t i = 0; i < sent.size(); ++i) set_value(stage.sum_values[i], sent[i]);
  }

  Proved finish() {
    const Timer timer(times_.open);
    std::vector<pcs::Opened> opened;
    if (model_.opened()) opened.push_back(*model_.opened());
    opened.push_back(opened_);
    const auto opening = pcs::open(transcript_, setting_.key->config, opened, setting_.claims(challenges_, values_),
                                   &times_.open_parts, faults_.open);
    bytes_.opening = opening.size();
    base::append(proof_, opening);
    Proved proved;
    base::append_be32(proved.proof, verifier::kProofVersion);
    base::append_be32(proved.proof, static_cast<std::uint32_t>(proof_.size() + verifier::kHeaderBytes));
    base::append(proved.proof, proof_);
    bytes_.total = proved.proof.size();
    proved.bytes = bytes_;
    return proved;
  }

  const Model& model_;
  const verifier::Setting& setting_;
  const statement::Statement& s_;
  const ProveOptions& options_;
  const Faults no_faults_{};
  ProveTimes unused_;
  const Faults& faults_;
  ProveTimes& times_;
  Tensors tensors_;
  transcript::Transcript transcript_;
  std::vector<Tuples> tuples_;
  std::vector<Tuples> rows_;
  DenseCells dense_;
  std::unique_ptr<pcs::Oracle> oracle_;
  pcs::Opened opened_;
  base::Bytes proof_;
  ProofBytes bytes_;
  reduction::Challenges challenges_;
  std::vector<field::Fp3> values_;
};

}  // namespace

const char* name(Phase phase) noexcept {
  switch (phase) {
    case Phase::kEvaluate:
      return "evaluate";
    case Phase::kCommit:
      return "commit";
    case Phase::kLookups:
      return "lookups";
    case Phase::kStages:
      return "sumchecks";
    case Phase::kOpen:
      return "open";
  }
  return "";
}

base::Result<Proved, std::string> prove(const Model& model, statement::Instance instance, std::vector<Array> arrays,
                                        const ProveOptions& options) {
  const auto setting = verifier::Setting::make(model.key(), std::move(instance));
  if (!setting) return Err{verifier::to_string(setting.error())};
  return Prover(model, setting.value(), options).run(std::move(arrays));
}

}  // namespace avow::prover
