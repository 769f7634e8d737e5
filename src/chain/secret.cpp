// SPDX-License-Identifier: Apache-2.0
#include "chain/secret.hpp"

#include <openssl/crypto.h>

namespace avow::chain {

void wipe(void* bytes, std::size_t size) noexcept { OPENSSL_cleanse(bytes, size); }

std::string_view Secret::text() const noexcept { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

}  // namespace avow::chain
