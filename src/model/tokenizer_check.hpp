// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.hpp"
#include "model/tokenizer_data.hpp"
#include "model/tokenizer_error.hpp"
#include "model/tokenizer_index.hpp"

namespace avow::model {

/// Whether merging may yield the token: normal ones; for kSpm also user-defined and unused ones.
[[nodiscard]] bool is_mergeable(TokenizerKind kind, TokenType type) noexcept;

/// The ids of tokens that merging may yield. `types` holds one type for each token.
[[nodiscard]] std::vector<TokenId> mergeable_ids(const TokenizerData& data);

/// Everything that a vocabulary must keep to, but for its merges.
[[nodiscard]] base::Result<bool, TokenizerError> check_vocabulary(const TokenizerData& data);

/// What each merge yields; an error if one is not of two normal tokens to a normal token, or there twice. The
/// vocabulary is checked already, `index` holds mergeable_ids().
[[nodiscard]] base::Result<std::vector<TokenId>, TokenizerError> merge_results(const TokenizerData& data,
                                                                               const TokenIndex& index);

}  // namespace avow::model
