// SPDX-License-Identifier: Apache-2.0
#include "compile/sampling.hpp"

#include "hash/keccak.hpp"

namespace avow::compile {

std::uint32_t random_number(const Sampling& sampling, std::uint32_t step) {
  if (!sampling.seed) return 0;
  base::Bytes message(sampling.seed->begin(), sampling.seed->end());
  base::append_be32(message, step);
  return base::load_be32(hash::keccak256(message).data()) >> (32 - kRandomBits);
}

}  // namespace avow::compile
