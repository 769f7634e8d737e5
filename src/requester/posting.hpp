// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "requester/known_model.hpp"
#include "requester/offer.hpp"
#include "requester/session.hpp"

namespace avow::requester {

/// What somebody wants to know.
struct Question {
  std::vector<std::uint32_t> input;
  std::uint32_t max_new_tokens = 0;
  answer::Sampling sampling;
  std::vector<std::uint32_t> stop_ids;
  // What a record keeps for people.
  std::string model_name, prompt;
};

/// A request that stands on the chain, or is on its way there.
struct Posted {
  Record record;
  std::optional<chain::Receipt> receipt;  ///< of the transaction that posted it
};

/// Posts a request for the key's account and waits until it is on the chain. In one transaction where the token takes a
/// permit or there is an allowance, else after one that approves. The record is on the disk before anything is sent:
/// with it the request can be followed, and taken back, whatever becomes of this process.
///
/// kQuestion, kOffer, kModel, kFrozen, kTokens: what the contracts would refuse, before anything is sent. kCancelled:
/// it was sent, and record() has it.
class Poster {
 public:
  Poster(const Session& session, const chain::PrivateKey& key) : session_(&session), key_(&key) {}

  [[nodiscard]] Result<Posted> post(const KnownModel& model, const Question& question, const OfferTerms& terms,
                                    const std::optional<base::Digest>& replaced = {});
  /// The last record that was written, also where post() failed after it; null if there is none.
  [[nodiscard]] const Record* record() const { return record_ && !record_->transactions.empty() ? &*record_ : nullptr; }

 private:
  [[nodiscard]] Result<market::Request> make(const KnownModel& model, const Question& question,
                                             const OfferTerms& terms);
  [[nodiscard]] std::optional<Error> check(const KnownModel& model, const market::Request& request);
  [[nodiscard]] Result<chain::U256> free_nonce();
  [[nodiscard]] Result<chain::CallRequest> call_of(const market::Request& request, bool& uses_permit);
  [[nodiscard]] std::optional<Error> approve(const market::Request& request);
  [[nodiscard]] std::optional<Error> write_down(const char* what, const chain::SignedTransaction& transaction);

  const Session* session_;
  const chain::PrivateKey* key_;
  std::optional<Record> record_;
};

/// Sends the transactions again that post the request, which does no harm where they are known: for a request that the
/// chain does not have, because it has left the block, or because nobody saw the sending through. What comes of it
/// shows at the next look.
void post_again(const Session& session, const Record& record);

}  // namespace avow::requester
