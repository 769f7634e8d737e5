// SPDX-License-Identifier: Apache-2.0
#include "show_paid.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "network.hpp"
#include "requester/offer.hpp"

namespace avow::app {
namespace {

std::string units_text(const chain::U256& amount) { return chain::to_units(amount, requester::kTokenDecimals); }

void add_payment(const PaidView& view, const requester::PaidAnswer& paid, nlohmann::ordered_json& json) {
  const chain::U256 back = subtract(view.request.offer.max_price, paid.payment).value_or(chain::U256());
  json["status"] = "fulfilled";
  json["payee"] = to_string(paid.payee);
  json["payment"] = units_text(paid.payment);
  json["fee"] = units_text(paid.fee);
  json["came_back"] = units_text(back);
  json["transaction"] = base::to_hex(paid.transaction);
  json["block"] = paid.block.number;
  json["provider_gas"] = paid.gas_used;
}

void print_payment(const PaidView& view, const requester::PaidAnswer& paid, std::size_t tokens) {
  const chain::U256 back = subtract(view.request.offer.max_price, paid.payment).value_or(chain::U256());
  fmt::print(stderr, "[{} tokens by {}: {} paid, of which {} were burned; {} came back; {} gas in block {}]\n", tokens,
             to_string(paid.payee), requester::to_tokens(paid.payment), units_text(paid.fee), units_text(back),
             paid.gas_used, paid.block.number);
}

void print_answer(const answer::Answer& given, const model::Tokenizer* tokenizer, Shown shown) {
  if (shown == Shown::kAll) {
    print(given, tokenizer);
  } else if (tokenizer == nullptr) {
    fmt::print("{}\n", fmt::join(given.output, " "));
  } else {
    fmt::print("{}\n", streamed(answer_text(given, *tokenizer)));
  }
  std::fflush(stdout);
}

int show_refusal(const char* command, const requester::Error& error, nlohmann::ordered_json* json) {
  if (json != nullptr) {
    (*json)["holds"] = false;
    (*json)["reason"] = error.text;
  }
  return refuse(command, error);
}

}  // namespace

int show_paid(const char* command, const PaidView& view, const requester::PaidAnswer& paid, PaidCheck check,
              nlohmann::ordered_json* json) {
  const base::Digest id = view.session.market->id_of(view.request);
  if (json != nullptr) add_payment(view, paid, *json);
  std::optional<answer::Answer> given;
  std::optional<requester::CheckedAnswer> checked;
  if (check == PaidCheck::kVerify) {
    auto result = requester::check_paid(view.session, view.model, view.request, paid);
    if (!result) return show_refusal(command, result.error(), json);
    checked = std::move(result).value();
    given = checked->answer;
  } else {
    given = requester::claimed_answer(view.request, id, paid, view.model.id_bytes);
    if (!given) return refuse(command, kNo, "what the contract paid is no answer of this model");
  }
  if (json != nullptr) {
    (*json)["answer"] = json_of(*given, view.tokenizer);
    if (checked) {
      (*json)["holds"] = true;
      (*json)["security_bits"] = checked->bits;
      (*json)["proof_bytes"] = checked->proof_bytes;
      (*json)["proof_transactions"] = checked->transactions;
    }
    return kGood;
  }
  print_answer(*given, view.tokenizer, view.shown);
  print_payment(view, paid, given->output.size());
  if (checked) {
    fmt::print(stderr, "[verified here: {} bits, a proof of {} bytes in {} transaction{}]\n", checked->bits,
               checked->proof_bytes, checked->transactions, checked->transactions == 1 ? "" : "s");
  }
  return kGood;
}

}  // namespace avow::app
