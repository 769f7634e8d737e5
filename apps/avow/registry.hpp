// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace avow::app {

/// `avow model register` and `avow model list`.
void add_model_registry(CLI::App& model, int& exit_code);

}  // namespace avow::app
