// SPDX-License-Identifier: Apache-2.0
#include "compile/plans_testing.hpp"

namespace avow::compile {

Plan plan_of_124m() {
  Plan plan;
  plan.tied = true;
  plan.layers = 12, plan.width = 768, plan.kv_heads = 12, plan.group = 1, plan.head_size = 64;
  plan.hidden = 2048, plan.vocabulary = 50257, plan.context = 1024;
  plan.stream_bits = 26, plan.stream_shift = 14;
  plan.embedding_up = 6, plan.output_up = 2, plan.down_up = 0;
  plan.norm_epsilon = 1000;
  plan.query_shift = plan.key_shift = plan.value_shift = plan.gate_shift = plan.up_shift = 18;
  plan.score_shift = 15, plan.mix_shift = 32;
  plan.product_shift = 9, plan.product_bits = 22;
  plan.logit_shift = 20, plan.logit_bits = 17, plan.overflow_bits = 20;
  return plan;
}

std::vector<std::pair<std::string, Plan>> small_plans() {
  Plan llama = plan_of_124m();
  llama.layers = 3, llama.width = 12, llama.kv_heads = 2, llama.group = 3, llama.head_size = 6;
  llama.hidden = 7, llama.vocabulary = 11, llama.context = 12;
  llama.logit_bits = 12, llama.overflow_bits = 15;
  Plan untied = llama;
  untied.tied = false;
  Plan biased = untied;
  biased.qkv_bias = biased.output_bias = true;
  biased.digit_bits = 17;
  biased.query_bias_up = 3, biased.key_bias_up = 4, biased.value_bias_up = 5, biased.output_bias_up = 6;
  Plan one = untied;
  one.layers = 1, one.kv_heads = one.group = 1;
  Plan exact = llama;
  exact.stream_shift = exact.score_shift = exact.product_shift = exact.logit_shift = exact.query_shift = 0;
  Plan gpt2 = biased;
  gpt2.architecture = Architecture::kGpt2;
  gpt2.tied = true, gpt2.group = 1;
  gpt2.up_bias_up = 2, gpt2.down_bias_up = 1;
  Plan untied_gpt2 = gpt2;
  untied_gpt2.tied = false;
  return {{"llama", llama}, {"untied", untied}, {"biased", biased},          {"one_layer", one},
          {"exact", exact}, {"gpt2", gpt2},     {"untied_gpt2", untied_gpt2}};
}

}  // namespace avow::compile
