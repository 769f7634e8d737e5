// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "answer/error.hpp"
#include "answer/request.hpp"
#include "base/result.hpp"
#include "compile/instance.hpp"

namespace avow::answer {

inline constexpr std::uint32_t kDeliveryVersion = 1;
inline constexpr std::size_t kDeliveryHeaderBytes = 112;
/// Of an answer, before its lists.
inline constexpr std::size_t kAnswerHeaderBytes = 93;
/// Tokens of one list: the largest context that a plan can have.
inline constexpr std::size_t kMostIds = std::size_t{1} << 16;
/// Padded requests times padded tokens, and times padded steps: beyond it the cells of scores and weights are more than
/// an argument can have (spec/answer.md section 5), and nobody has to form such an instance to see it.
inline constexpr std::uint64_t kMostPlaces = std::uint64_t{1} << 18;

/// Bytes of a token id: 2 for a vocabulary up to 2^16, else 3.
[[nodiscard]] unsigned id_bytes(std::uint64_t vocabulary);

/// A list of ids as deliveries and contracts have it: little-endian, one after the other. Every id fits its bytes.
[[nodiscard]] base::Bytes encode_ids(std::span<const std::uint32_t> ids, unsigned id_bytes);
/// The ids of such a list, which anybody may have written; nothing if it ends within one, or has more than kMostIds.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> decode_ids(base::ByteView bytes, unsigned id_bytes);

/// The bytes of spec/answer.md section 2: the session that the proof's transcript starts with
/// (verifier::Setting::start). Requires ids that fit, one threshold below 2^16 for each output, and lists within
/// kMostIds and kMostStopIds; check() makes sure of all of it.
[[nodiscard]] base::Bytes encode(const Delivery& delivery, unsigned id_bytes);

/// The delivery that has exactly these bytes; untrusted bytes. It is well-formed and no more: check() comes after it.
/// Memory is a small multiple of the bytes.
[[nodiscard]] base::Result<Delivery, Rejection> parse(base::ByteView bytes, unsigned id_bytes);

/// Those of the checks below that are about what is asked alone: whether the model can answer it.
[[nodiscard]] std::optional<Rejection> check(const Request& request, const compile::Plan& plan);

/// The plain checks of spec/answer.md section 4: everything but the model id that needs no proof. Any delivery, of any
/// size; the plan passes check_plan.
[[nodiscard]] std::optional<Rejection> check(const Delivery& delivery, const compile::Plan& plan);

/// The lengths of the instance. Requires what check() makes sure of.
[[nodiscard]] compile::Lengths lengths_of(const Delivery& delivery);
/// What is proven of the delivery: spec/answer.md section 5. Requires what check() makes sure of, so that it has at
/// most 9 kMostPlaces values and 3 for each request.
[[nodiscard]] statement::Instance instance_of(const Delivery& delivery, const compile::Plan& plan);

}  // namespace avow::answer
