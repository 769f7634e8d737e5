// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "provider/job.hpp"

// Requests and what became of them, for tests.
namespace avow::provider::testing {

[[nodiscard]] chain::U256 tokens(std::uint64_t count);
/// With a bond of the highest price, a day's time and a lock of 600 seconds, from the moment kMoment.
inline constexpr std::uint64_t kMoment = 1'800'000'000;
[[nodiscard]] market::Offer offer(const chain::U256& min_price, const chain::U256& max_price);
/// An id of which all bytes are this one.
[[nodiscard]] base::Digest digest_of(std::uint8_t byte);
[[nodiscard]] chain::Address address_of(std::uint8_t byte);
/// An open request of block 100, its event as the market's interface has it.
[[nodiscard]] Job job_of(std::uint8_t number, const chain::U256& price);

}  // namespace avow::provider::testing
