// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace avow::prover {

/// sum over i < n of a[i] b[i] modulo 2^64, in the caller's thread, on the best instruction set of the machine.
[[nodiscard]] std::uint64_t dot(const std::int32_t* a, const std::int32_t* b, std::size_t n);
[[nodiscard]] std::uint64_t dot_ref(const std::int32_t* a, const std::int32_t* b, std::size_t n);

}  // namespace avow::prover
