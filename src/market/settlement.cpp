// SPDX-License-Identifier: Apache-2.0
#include "market/settlement.hpp"

#include <fmt/format.h>

#include "answer/delivery.hpp"
#include "hash/keccak.hpp"
#include "verifier/verify.hpp"

namespace avow::market {
namespace {

using base::Bytes;
using base::ByteView;
using base::Digest;
using chain::Cause;
using chain::Value;

// Of a signed transaction, besides its calldata: the envelope's fields and the signature have about 150.
constexpr std::size_t kEnvelopeBytes = 256;
// What the market does besides the verifier's work, generously: a payment moves tokens, writes states and events of
// each answer; a step copies the proof's part and keeps a word.
constexpr std::uint64_t kStepGas = 400'000;
constexpr std::uint64_t kAnswerGas = 200'000;
// A contract that calls another keeps a 64th of its gas (EIP-150).
constexpr std::uint64_t kKept = 64;

// keccak256(a || b): how the names of what is left of a proof are made.
Digest chain_hash(const Digest& a, const Digest& b) {
  Bytes both(a.begin(), a.end());
  base::append(both, b);
  return hash::keccak256(both);
}

// A part of a proof, and the contract's state before it. Of parts of the opening the delivery is known by its hash.
struct ProofPart {
  Bytes state;
  ByteView bytes;
  bool reads_delivery;
};

// A verifier's state as steps carry it (spec/chain.md, section 2).
Bytes step_state(const verifier::Verifier& verifier, const verifier::State& state, const Digest& model_id,
                 ByteView session, std::span<const std::uint64_t> lengths) {
  Bytes out(model_id.begin(), model_id.end());
  base::append(out, hash::keccak256(session));
  out.push_back(verifier.is_opening(state) ? 1 : 0);
  out.push_back(static_cast<std::uint8_t>(verifier.log_cells()));
  for (const std::uint64_t length : lengths) base::append_be32(out, static_cast<std::uint32_t>(length));
  base::append(out, verifier.encode(state));
  return out;
}

Value step_value(std::span<const ProofPart> parts, std::size_t number) {
  Digest rest{}, named{};
  for (std::size_t i = parts.size(); i-- > 0;) {
    if (i == number) named = rest;
    rest = chain_hash(hash::keccak256(parts[i].bytes), rest);
  }
  const ProofPart& part = parts[number];
  return Value::List{rest, std::uint64_t{number}, part.state, Bytes(part.bytes.begin(), part.bytes.end()), named};
}

// Cuts a proof into parts that each fit a transaction.
class ProofCutter {
 public:
  ProofCutter(MarketClient& market, const answer::ModelKey& key, const DeliveredAnswers& answers, ByteView proof,
              const chain::ChainProfile& profile, const SettlementOptions& options)
      : market_(market), key_(key), answers_(answers), proof_(proof), profile_(profile), options_(options) {
    session_ = answer::encode(answers.delivery, id_bytes());
  }

  chain::Result<std::vector<ProofPart>> cut() {
    auto instance = answer::instance_of(answers_.delivery, key_.info().plan);
    lengths_ = instance.lengths;
    const auto verifier = verifier::Verifier::make(key_.key(), std::move(instance));
    if (!verifier) return refused();
    if (!find_sections(verifier.value())) return refused();
    std::vector<ProofPart> parts;
    std::size_t from = 0;
    while (from < sections_.size()) {
      const auto count = most_that_fit(from);
      if (!count) return base::Err{count.error()};
      parts.push_back(part_of(from, count.value()));
      from += count.value();
    }
    return parts;
  }

 private:
  struct Section {
    std::size_t begin, size;
    Bytes state;  // before it
    bool reads_delivery;
  };

  [[nodiscard]] unsigned id_bytes() const { return answer::id_bytes(key_.info().plan.vocabulary); }

  static base::Err<chain::Error> refused() {
    return chain::fail(Cause::kReverted, "the proof does not hold, so no contract would take it");
  }

  // Where the proof may be cut, and the states there: the native verifier's, which are the contract's.
  bool find_sections(const verifier::Verifier& verifier) {
    verifier::State state;
    std::size_t at = verifier::kHeaderBytes;
    while (state.phase < verifier.phases()) {
      const bool is_last = state.phase + 1 == verifier.phases();
      const std::size_t size = is_last ? proof_.size() - at : verifier.section_bytes(state);
      if (at + size > proof_.size()) return false;
      const bool is_first = sections_.empty();
      sections_.push_back({is_first ? 0 : at, is_first ? size + at : size,
                           is_first ? Bytes() : state_of(verifier, state), !verifier.is_opening(state)});
      auto next = verifier.advance(std::move(state), session_, proof_.subspan(at, size));
      if (!next) return false;
      state = std::move(next).value();
      at += size;
    }
    return at == proof_.size();
  }

  [[nodiscard]] Bytes state_of(const verifier::Verifier& verifier, const verifier::State& state) const {
    return step_state(verifier, state, answers_.delivery.model_id, session_, lengths_);
  }

  [[nodiscard]] ProofPart part_of(std::size_t from, std::size_t count) const {
    const std::size_t begin = sections_[from].begin;
    const Section& last = sections_[from + count - 1];
    return {sections_[from].state, proof_.subspan(begin, last.begin + last.size - begin),
            sections_[from].reads_delivery};
  }

  // The largest number of sections that one transaction takes: fits() says yes up to it, and no beyond.
  chain::Result<std::size_t> most_that_fit(std::size_t from) {
    std::size_t low = 0, high = sections_.size() - from + 1;
    while (high - low > 1) {
      const std::size_t middle = (low + high + 1) / 2;
      const auto good = fits(from, middle);
      if (!good) return base::Err{good.error()};
      (good.value() ? low : high) = middle;
    }
    if (low > 0) return low;
    return chain::fail(Cause::kTooManyBytes,
                       fmt::format("section {} of the proof fits no transaction of {}", from, profile_.name));
  }

  chain::Result<bool> fits(std::size_t from, std::size_t count) {
    const bool is_last = from + count == sections_.size();
    const ProofPart part = part_of(from, count);
    chain::CallRequest call = market_.call(Contract::kAnswerVerifier, "step",
                                           {answers_.delivery.model_id, part.reads_delivery ? session_ : Bytes(),
                                            part.state, Bytes(part.bytes.begin(), part.bytes.end())});
    call.to = answers_.verifier;
    // The market's own call: the same parts, and with the last one the requests in the delivery's place.
    constexpr std::size_t kStepFields = 512;
    std::size_t size = call.data.size() + kStepFields + kEnvelopeBytes;
    std::uint64_t gas = kStepGas;
    if (is_last) {
      size += payment_bytes();
      gas += kAnswerGas * answers_.requests.size();
    }
    if (size > profile_.most_bytes || gas >= profile_.most_gas) return false;
    call.from = options_.sender;
    call.gas_limit = (profile_.most_gas - gas) / kKept * (kKept - 1);
    const auto result = market_.chain().call(call);
    if (result) return true;
    // More gas than there may be, or a node's own limit: both are of the size. A refusal is the proof's, as the native
    // verifier has accepted it: then the contract is another.
    if (result.error().cause == Cause::kReverted && !result.error().data.empty()) return base::Err{result.error()};
    if (result.error().cause == Cause::kReverted || result.error().cause == Cause::kNode) return false;
    return base::Err{result.error()};
  }

  [[nodiscard]] std::size_t payment_bytes() {
    if (payment_bytes_ == 0) {
      const auto call = market_.call(Contract::kMarket, "fulfilBatch", {to_value(answers_, id_bytes()), Bytes()});
      payment_bytes_ = call.data.size();
    }
    return payment_bytes_;
  }

  MarketClient& market_;
  const answer::ModelKey& key_;
  const DeliveredAnswers& answers_;
  ByteView proof_;
  const chain::ChainProfile& profile_;
  const SettlementOptions& options_;
  Bytes session_;
  std::vector<std::uint64_t> lengths_;
  std::vector<Section> sections_;
  std::size_t payment_bytes_ = 0;
};

std::vector<chain::CallRequest> calls_of(const MarketClient& market, const DeliveredAnswers& answers, ByteView session,
                                         std::span<const ProofPart> parts, const SettlementOptions& options,
                                         unsigned id_bytes) {
  const Value delivery = to_value(answers, id_bytes);
  const bool is_batch = options.is_batch || answers.requests.size() > 1;
  std::vector<chain::CallRequest> calls;
  if (parts.size() == 1) {
    calls.push_back(market.call(Contract::kMarket, is_batch ? "fulfilBatch" : "fulfil",
                                {delivery, Bytes(parts[0].bytes.begin(), parts[0].bytes.end())}));
  } else {
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      calls.push_back(market.call(
          Contract::kMarket, "verifyStep",
          {options.lane, answers.verifier, answers.delivery.model_id, hash::keccak256(session),
           parts[i].reads_delivery ? Bytes(session.begin(), session.end()) : Bytes(), step_value(parts, i)}));
    }
    calls.push_back(
        market.call(Contract::kMarket, "fulfilSteps", {options.lane, delivery, step_value(parts, parts.size() - 1)}));
  }
  for (chain::CallRequest& call : calls) call.from = options.sender;
  return calls;
}

}  // namespace

chain::Result<std::vector<chain::CallRequest>> plan_settlement(MarketClient& market, const answer::ModelKey& key,
                                                               const DeliveredAnswers& answers, ByteView proof,
                                                               const chain::ChainProfile& profile,
                                                               const SettlementOptions& options) {
  const auto parts = ProofCutter(market, key, answers, proof, profile, options).cut();
  if (!parts) return base::Err{parts.error()};
  const unsigned id_bytes = answer::id_bytes(key.info().plan.vocabulary);
  return calls_of(market, answers, answer::encode(answers.delivery, id_bytes), parts.value(), options, id_bytes);
}

}  // namespace avow::market
