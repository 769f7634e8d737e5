// SPDX-License-Identifier: Apache-2.0
//
// Proofs of answers from untrusted bytes. The first byte of an input chooses what the rest is:
//   0     a proof file, in which a key without bytes stands for the fixture's
//   1     a delivery, with ids of 2 or 3 bytes
//   2     mutations of an honest delivery, then a proof
//   3     a key's application bytes
// Nothing may crash, or be accepted; what is read has one form; and what passes the plain checks has an instance of
// bounded size, of which a verifier can be made or which it refuses.

#include <algorithm>

#include "answer/delivery.hpp"
#include "answer/model_key.hpp"
#include "answer/proof_file.hpp"
#include "base/check.hpp"
#include "input.hpp"
#include "pcs/parameters.hpp"
#include "verifier/verify.hpp"

namespace avow::answer {
namespace {

compile::Plan tiny_plan() {
  compile::Plan plan;
  plan.tied = true;
  plan.layers = plan.kv_heads = plan.group = 1;
  plan.width = plan.head_size = plan.hidden = 2;
  plan.vocabulary = 300, plan.context = 1 << 15;
  plan.stream_bits = 20, plan.mix_shift = 32, plan.product_bits = 20, plan.logit_bits = 10, plan.overflow_bits = 10;
  plan.norm_epsilon = 1;
  return plan;
}

// A key with a root that is nobody's: no proof is good.
const ModelKey& fixture() {
  static const ModelKey kFixture = [] {
    auto key = make_key({tiny_plan(), {}, {}}, *pcs::choose_parameters(18, 100, pcs::Profile::kModel)).value();
    key.model.emplace();
    auto parsed = ModelKey::parse(verifier::serialize(key));
    if (!parsed) base::check_failed(to_string(parsed.error()).c_str(), __FILE__, __LINE__);
    return std::move(parsed).value();
  }();
  return kFixture;
}

Delivery honest() {
  Answer greedy{{base::Digest{1}, {1, 2, 3}, 2, {}, {}}, {4, 5}, {{0, 9}, {0, 8}}, End::kLength};
  Answer drawn{
      {base::Digest{2}, {299}, 9, {5000, 7, 60000, base::Digest{3}}, {9, 256}}, {3, 256}, {{6, 1}, {2, 9}}, End::kStop};
  Delivery delivery;
  delivery.model_id = fixture().id();
  delivery.answers = {greedy, drawn};
  return delivery;
}

bool equal(base::ByteView a, base::ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

void check_delivery(base::ByteView bytes, unsigned width) {
  auto parsed = parse(bytes, width);
  if (!parsed) {
    AVOW_CHECK(!to_string(parsed.error()).empty());
    return;
  }
  AVOW_CHECK(equal(encode(parsed.value(), width), bytes));
  const compile::Plan& plan = fixture().info().plan;
  if (const auto rejection = check(parsed.value(), plan)) {
    AVOW_CHECK(!to_string(*rejection).empty());
    return;
  }
  auto instance = instance_of(parsed.value(), plan);
  std::size_t values = 0;
  for (const auto& list : instance.values) values += list.size();
  AVOW_CHECK(values <= 9 * kMostPlaces + 3 * compile::kMostRequests);
  const auto verifier = verifier::Verifier::make(fixture().key(), std::move(instance));
  if (verifier) AVOW_CHECK(verifier.value().verify(bytes, {}).has_value());
}

void check_file(base::ByteView bytes) {
  const auto parsed = parse_proof_file(bytes);
  if (!parsed) return;
  AVOW_CHECK(equal(encode(parsed.value()), bytes));
  const auto& [key, delivery, proof] = parsed.value();
  if (key.empty()) {
    AVOW_CHECK(fixture().verify(delivery, proof).has_value());
    return;
  }
  const auto other = ModelKey::parse(key);
  if (!other) return;
  AVOW_CHECK(equal(verifier::serialize(other.value().key()), key));
  (void)other.value().verify(delivery, proof);
}

void change_delivery(fuzz::Input& input) {
  base::Bytes bytes = encode(honest(), 2);
  for (std::size_t changes = input.byte() % 8; changes > 0; --changes) fuzz::mutate(bytes, input);
  check_delivery(bytes, 2);
  AVOW_CHECK(fixture().verify(bytes, input.rest()).has_value());
}

void run(base::ByteView bytes) {
  fuzz::Input input(bytes);
  switch (input.byte() % 4) {
    case 0:
      return check_file(input.rest());
    case 1: {
      const unsigned width = 2 + input.byte() % 2;
      return check_delivery(input.rest(), width);
    }
    case 2:
      return change_delivery(input);
    default: {
      const auto info = parse_application(input.rest());
      if (info) AVOW_CHECK(equal(application_bytes(info.value()), input.rest()));
      return;
    }
  }
}

}  // namespace
}  // namespace avow::answer

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  avow::answer::run({data, size});
  return 0;
}
