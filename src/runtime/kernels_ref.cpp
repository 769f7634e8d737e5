// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels.hpp"

namespace avow::runtime {

void dots_ref(const Rows& a, const Rows& b, std::size_t length, std::int64_t* out, std::size_t out_stride) {
  for (std::size_t i = 0; i < a.count; ++i) {
    for (std::size_t j = 0; j < b.count; ++j) {
      std::int64_t sum = 0;
      for (std::size_t l = 0; l < length; ++l) {
        sum += std::int64_t{a.cells[i * a.stride + l]} * b.cells[j * b.stride + l];
      }
      out[j * out_stride + i] = sum;
    }
  }
}

}  // namespace avow::runtime
