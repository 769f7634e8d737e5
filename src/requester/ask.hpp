// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "requester/posting.hpp"
#include "requester/watch.hpp"

namespace avow::requester {

struct AskOptions {
  OfferTerms terms;
  /// A ramp raises the price within one request, at no cost. A request cannot be changed, so beyond its highest price
  /// it has to be taken back: cancelled, refunded after the market's delay, and posted anew. In the delay it may be
  /// answered all the same, and the next one is posted only when this one can be paid no more: nobody pays twice.
  BumpPolicy bump{};
  /// Nodes of the chain, which outlive it: each of them has to say that a request's money is back before the next one
  /// is posted. Whoever asks a single node believes it, and one that lies could have both paid.
  std::vector<chain::Client*> witnesses{};
  /// After the deadline, gets the money back at once.
  bool takes_back = true;
};

/// What came of it.
struct Outcome {
  Record record;  ///< of the last request
  Ending ending;
  std::vector<chain::Receipt> receipts;  ///< of the transactions of the requester's
};

/// Posts a request and waits for its end. What happens to it is told through the session. Where it returns an error,
/// kCancelled for one, the request of record() may still be open.
class Asker {
 public:
  Asker(const Session& session, const chain::PrivateKey& key) : session_(&session), key_(&key), poster_(session, key) {}

  [[nodiscard]] Result<Outcome> ask(const KnownModel& model, const Question& question, const AskOptions& options);
  /// The record of the request that was posted last, or whose posting was begun; null if none was.
  [[nodiscard]] const Record* record() const { return poster_.record(); }

 private:
  [[nodiscard]] Result<Ending> see_through(const Record& record, const AskOptions& options, bool can_bump);
  [[nodiscard]] bool is_unwanted(const RequestWatch& watch, const AskOptions& options,
                                 const market::Offer& offer) const;
  [[nodiscard]] std::uint64_t moment() const;
  [[nodiscard]] std::optional<Error> begin_taking_back(const Record& record);
  [[nodiscard]] std::optional<Error> end_taking_back(const Record& record);
  [[nodiscard]] std::optional<Error> next_step(const RequestWatch& watch, const Record& record,
                                               const AskOptions& options, bool can_bump);
  [[nodiscard]] std::optional<Error> confirm_return(const base::Digest& id, const AskOptions& options) const;
  [[nodiscard]] bool is_frozen(const Record& record) const;
  [[nodiscard]] Record latest(const Record& record) const;

  const Session* session_;
  const chain::PrivateKey* key_;
  Poster poster_;
  std::vector<chain::Receipt> receipts_;
  bool is_bumping_ = false;  // the request was taken back for a higher price
  std::uint64_t looks_ = 0;
};

}  // namespace avow::requester
