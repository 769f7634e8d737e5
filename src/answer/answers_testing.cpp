// SPDX-License-Identifier: Apache-2.0
#include "answer/answers_testing.hpp"

#include "base/check.hpp"
#include "compile/plans_testing.hpp"
#include "hash/keccak.hpp"
#include "pcs/parameters.hpp"

namespace avow::answer::testing {

compile::Plan small_plan() { return compile::small_plans()[0].second; }

Delivery example_delivery() {
  Delivery delivery;
  delivery.model_id.fill(0x11);
  delivery.chain_id[31] = 1;
  delivery.market.fill(0x22);
  delivery.payee.fill(0x33);
  Answer greedy;
  greedy.request.id.fill(0x44);
  greedy.request.input = {1, 2, 3};
  greedy.request.max_new_tokens = 2;
  greedy.output = {4, 5};
  greedy.shown = {{0, 4094, 4}, {0, 17, 5}};
  Answer drawn;
  drawn.request.id.fill(0x55);
  drawn.request.input = {10};
  drawn.request.max_new_tokens = 11;
  drawn.request.sampling = {5000, 7, 60000, hash::keccak256({})};
  drawn.request.stop_ids = {0, 9};
  drawn.output = {3, 3, 9};
  drawn.shown = {{6, 10, 3}, {20, 9, 0}, {4095, 0, 10}};
  drawn.end = End::kStop;
  Answer stopped;
  stopped.request.input = {7, 8};
  stopped.request.max_new_tokens = 1;
  stopped.request.stop_ids = {6};
  stopped.output = {6};
  stopped.shown = {{1, 2, 6}};
  stopped.end = End::kStop;
  delivery.answers = {greedy, drawn, stopped};
  return delivery;
}

verifier::VerifyingKey example_key(const compile::Plan& plan) {
  ModelInfo info{plan, {}, {}};
  info.tokenizer.fill(0x66);
  info.content.fill(0x77);
  const auto config = pcs::choose_parameters(12, 100, pcs::Profile::kModel);
  AVOW_CHECK(config.has_value());
  auto key = make_key(info, *config);
  AVOW_CHECK(key.ok());
  key.value().model.emplace();
  key.value().model->root.fill(0x88);
  return std::move(key).value();
}

std::string verdict(const std::optional<Rejection>& rejection) { return rejection ? name(*rejection) : "accepted"; }

}  // namespace avow::answer::testing
