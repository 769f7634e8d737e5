// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "answer_prover/answer_prover.hpp"
#include "market/settlement.hpp"
#include "provider/batching.hpp"
#include "provider/monitor.hpp"
#include "provider/outbox.hpp"
#include "provider/watcher.hpp"
#include "provider/worker.hpp"

namespace avow::provider {

/// A model that is answered with, whose id was derived from its file.
struct ServedModel {
  std::string name;                                    ///< for people
  const answer_prover::ProvingModel* model = nullptr;  ///< outlives the service
  compile::UsualProof usual;
};

struct ServiceOptions {
  Policy policy;
  OutboxSettings outbox;
  std::string journal = ":memory:";
  std::uint64_t lookback = 5'000;  ///< blocks that a new journal starts before the head
  std::uint64_t block_millis = 0;  ///< between blocks; 0: as measured
  std::chrono::milliseconds poll{1'000};
  std::chrono::milliseconds most_backoff{30'000};  ///< between questions to nodes that do not answer
  std::uint64_t memory_bytes = 0;                  ///< a proof's, at most; 0: no limit
  std::uint64_t health_secs = 60;                  ///< after which a chain that was not read is said to be ill
  std::uint64_t finish_secs = 30;                  ///< that a proof may still take when the service is to stop
  bool is_dry_run = false;                         ///< says what it would do, and sends nothing
  const std::atomic<bool>* stop = nullptr;         ///< set by another thread or a signal: end in order
  std::function<void(Step)> on_step;               ///< see Journal
};

/// Why a service does not start, or ended.
struct ServiceError {
  enum class Kind : std::uint8_t {
    kModel,        ///< a model or contract that is not what it has to be
    kUse,          ///< options that contradict each other
    kEnvironment,  ///< files, nodes
  };
  Kind kind;
  std::string text;
};

/// A provider: reads requests from a chain, answers those that are worth it, and has the proofs paid. All that it has
/// to know later is in its journal, so that it may die at any moment. One thread, but for the worker that runs models
/// and proves.
class Service {
 public:
  /// All that is given must outlive it. The contracts are compared with those of this program, the models with the
  /// registry. `monitor` may be null.
  [[nodiscard]] static base::Result<std::unique_ptr<Service>, ServiceError> create(
      market::MarketClient& market, const chain::PrivateKey& key, const chain::ChainProfile& profile,
      std::vector<ServedModel> models, ServiceOptions options, const Log& log, Monitor* monitor);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Measures models of which the journal has no proof, then works until it is told to stop. Nothing if it ended in
  /// order.
  [[nodiscard]] std::optional<ServiceError> run();
  /// One round, without waiting: for tests.
  [[nodiscard]] std::optional<ServiceError> round();
  [[nodiscard]] std::optional<ServiceError> calibrate();

  [[nodiscard]] const Metrics& metrics() const { return metrics_; }
  [[nodiscard]] Journal& journal() { return *journal_; }

 private:
  struct Served {
    ServedModel model;
    Estimates estimates;
    bool is_frozen = false;     // its verifier has contradicted itself on it
    std::uint64_t waiting = 0;  // jobs that may come into one proof
    [[nodiscard]] const answer::ModelKey& key() const { return model.model->key(); }
    [[nodiscard]] const compile::Plan& plan() const { return key().info().plan; }
    [[nodiscard]] unsigned id_bytes() const { return answer::id_bytes(plan().vocabulary); }
  };
  // What the worker was given, and what came of it.
  struct Work {
    std::vector<base::Digest> jobs;
    bool is_proof = false;
    Served* served = nullptr;
    std::uint64_t places = 0, expected_millis = 0;
    std::chrono::steady_clock::time_point start;
    std::optional<base::Result<answer::Answer, answer_prover::Error>> answer;
    std::optional<base::Result<answer_prover::Proven, answer_prover::Error>> proven;
    std::uint64_t millis = 0;
    bool is_unwanted = false;
  };

  Service(market::MarketClient& market, const chain::PrivateKey& key, const chain::ChainProfile& profile,
          ServiceOptions options, const Log& log, Monitor* monitor);

  // service.cpp
  [[nodiscard]] std::optional<ServiceError> start(std::vector<ServedModel> models);
  [[nodiscard]] std::optional<ServiceError> read_journal();
  [[nodiscard]] std::optional<ServiceError> check_models(std::vector<ServedModel> models);
  [[nodiscard]] std::optional<ServiceError> wait_for_end();
  [[nodiscard]] JournalProblem forget_old();
  void publish();
  [[nodiscard]] bool is_stopping() const { return options_.stop != nullptr && *options_.stop; }
  [[nodiscard]] std::uint64_t wall_time() const;

  // service_watch.cpp: what the chain says
  [[nodiscard]] JournalProblem watch();
  [[nodiscard]] bool look_once(JournalProblem& problem);
  void trouble(const chain::Error& error);
  void measure_blocks(const chain::Block& head);
  [[nodiscard]] std::optional<chain::Error> refresh(std::uint64_t from, JournalProblem& problem);
  [[nodiscard]] JournalProblem take(const Sighting& sighting);
  [[nodiscard]] JournalProblem take_new(const market::Requested& requested, const chain::Log& log);
  void count_event(const market::Event& event, const Job& job);
  [[nodiscard]] Job* find_job(const base::Digest& id, JournalProblem& problem);
  void change(const Job& job, std::optional<Step> step);

  // service_decide.cpp: what to do about it
  [[nodiscard]] JournalProblem consider();
  [[nodiscard]] JournalProblem consider(Job& job);
  [[nodiscard]] Outlook outlook_of(const Job& job);
  [[nodiscard]] Now now() const;
  [[nodiscard]] JournalProblem lock(Job& job, const Outlook& outlook);
  [[nodiscard]] JournalProblem end(Job& job, Stage stage, const char* reason, std::string_view text = {});
  [[nodiscard]] JournalProblem say_dry(Job& job, const Decision& decision);
  [[nodiscard]] JournalProblem approve();
  void update_money();
  [[nodiscard]] chain::U256 bonds_at_risk() const;
  [[nodiscard]] chain::U256 bonds_in_flight() const;
  [[nodiscard]] std::uint64_t queue_millis();
  void reckon();
  [[nodiscard]] bool is_pressing(std::int64_t proof);
  [[nodiscard]] bool can_wait_for(std::uint64_t millis);

  // service_work.cpp: models
  [[nodiscard]] JournalProblem collect();
  [[nodiscard]] JournalProblem collect_answer(Work& work);
  [[nodiscard]] JournalProblem collect_proof(Work& work);
  [[nodiscard]] JournalProblem begin_work();
  void start_run(Job& job);
  void start_proof(const std::vector<Job*>& jobs);
  [[nodiscard]] std::vector<Job*> next_batch();
  [[nodiscard]] Served* served_of(const base::Digest& model_id);
  [[nodiscard]] std::optional<answer_prover::Error> check_memory(const Served& served,
                                                                 const compile::Lengths& lengths) const;
  [[nodiscard]] JournalProblem learn(Served& served, const Measure& measure);

  // service_settle.cpp: payments
  [[nodiscard]] JournalProblem settle(std::int64_t proof);
  [[nodiscard]] JournalProblem plan(std::int64_t proof);
  [[nodiscard]] JournalProblem plan_failed(std::int64_t proof, const chain::Error& error);
  [[nodiscard]] JournalProblem poll_outbox();
  [[nodiscard]] JournalProblem take_outcome(const CallOutcome& outcome);
  [[nodiscard]] JournalProblem drop_calls_of(const Job& job);
  [[nodiscard]] JournalResult<std::vector<base::Digest>> requests_of(const Call& call);
  [[nodiscard]] JournalProblem withdraw_unwanted();
  [[nodiscard]] std::vector<Job*> jobs_of(std::int64_t proof);
  [[nodiscard]] std::optional<market::DeliveredAnswers> delivered(const StoredProof& proof);

  market::MarketClient* market_;
  const chain::PrivateKey* key_;
  chain::ChainProfile profile_;
  ServiceOptions options_;
  const Log* log_;
  Monitor* monitor_;
  Metrics metrics_;
  market::MarketTerms terms_;
  TransactionLimits limits_;
  std::map<base::Digest, Served> served_;
  std::unique_ptr<Journal> journal_;
  std::optional<Outbox> outbox_;
  std::optional<Watcher> watcher_;

  std::map<base::Digest, Job> jobs_;                  // that are not over
  std::vector<base::Digest> order_;                   // of these, oldest first
  std::map<base::Digest, std::uint64_t> retry_at_;    // of locks that were refused: when to try again, on this machine
  std::set<base::Digest> alone_;                      // that could not be proven with others
  std::map<std::int64_t, unsigned> plan_failures_;    // by proof
  std::map<std::int64_t, std::uint64_t> plan_retry_;  // when to try again

  chain::Block head_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> block_times_;  // number and timestamp
  std::uint64_t block_millis_ = 12'000;
  chain::BlockRef saved_head_;  // that the journal has
  std::uint64_t forgot_at_ = 0;
  bool is_at_head_ = false;
  bool is_reached_ = true;  // the nodes
  std::chrono::milliseconds backoff_{0};
  std::chrono::steady_clock::time_point last_good_, next_look_;
  chain::U256 balance_, allowance_;
  std::uint64_t money_block_ = 0;
  bool has_money_ = false;

  // Of one round.
  Now now_;                                  // what consider() reckons with, for all jobs
  std::uint64_t queue_millis_ = 0;           // likewise
  std::set<base::Digest> locking_, signed_;  // jobs with a lock on its way; with one that was signed
  std::vector<Job> changed_;
  std::vector<Step> steps_;
  std::vector<base::Digest> runnable_, provable_;
  std::set<std::int64_t> payable_, held_;  // proofs of which an answer can be paid; of which one waits for its lock
  std::optional<std::chrono::steady_clock::time_point> held_since_;  // what could be proven waits for others

  unsigned runs_in_row_ = 0;  // since the last proof

  std::unique_ptr<Work> work_;
  Worker worker_;  // last: it ends before what it uses
};

}  // namespace avow::provider
