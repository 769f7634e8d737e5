// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "chain/replies.hpp"
#include "market/client.hpp"

namespace avow::provider {

/// How far a provider has come with a request.
enum class Stage : std::uint8_t {
  kSeen,     ///< it was read from the chain
  kRan,      ///< the answer is known
  kProven,   ///< and its proof is in the journal
  kPaid,     ///< the answer was paid
  kLost,     ///< somebody else was paid, or nobody can be any more
  kRefused,  ///< it is not taken on
};
inline constexpr std::size_t kStages = 6;
[[nodiscard]] const char* name(Stage stage) noexcept;
[[nodiscard]] constexpr bool is_over(Stage stage) { return stage >= Stage::kPaid; }

/// Where a request stands on the chain, from its events or the market's word.
struct Standing {
  market::Status status = market::Status::kUnknown;  ///< unknown: the chain has left the block that it was in
  chain::Address account{};                          ///< locked: the locker; fulfilled: the payee
  std::uint64_t since_block = 0;
  chain::U256 price{};      ///< locked: what its answer is paid with
  std::uint64_t until = 0;  ///< locked: the last moment at which only the locker is paid
  friend bool operator==(const Standing&, const Standing&) = default;
};

/// A model's answer: token ids in its width, and how it ends.
struct Output {
  base::Bytes ids;
  std::uint8_t end = 0;
  friend bool operator==(const Output&, const Output&) = default;
};

/// All that is known of a request; what the journal has a row of.
struct Job {
  base::Digest id{};
  market::Request request;
  chain::LogBody log;     ///< of its event, from which the request is read again
  chain::BlockRef block;  ///< that the event is in
  Stage stage = Stage::kSeen;
  Standing standing;
  std::optional<Output> output{};
  std::optional<std::int64_t> proof{};  ///< of the journal, from stage kProven on
  std::string reason{};                 ///< why it was lost or refused: a code
  friend bool operator==(const Job& a, const Job& b) {
    return a.id == b.id && a.request == b.request && a.log.topics == b.log.topics && a.log.data == b.log.data &&
           a.block == b.block && a.stage == b.stage && a.standing == b.standing && a.output == b.output &&
           a.proof == b.proof && a.reason == b.reason;
  }
};

/// The standing after an event of a block; nothing of events that change none.
[[nodiscard]] std::optional<Standing> standing_after(const market::Event& event, std::uint64_t block);
/// The same of the market's word: `price` and `until` of a lock follow from the offer.
[[nodiscard]] Standing standing_of(const market::RequestState& state, const market::Offer& offer);

}  // namespace avow::provider
