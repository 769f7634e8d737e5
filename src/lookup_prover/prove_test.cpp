// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/prove.hpp"

#include <gtest/gtest.h>

#include "field/random_testing.hpp"
#include "lookup_prover/instance_testing.hpp"

namespace avow::lookup {
namespace {

using field::Fp;
using field::kOne3;
using field::random_element;
using testing::Instance;
using testing::lookup_instance;
using testing::random_instance;

void expect_honest(const Instance& instance) {
  const Fraction sum = instance.sum();
  ASSERT_EQ(sum.numerator, Fp3());
  ASSERT_FALSE(sum.denominator == Fp3());
  const Proved proved = instance.prove();
  ASSERT_EQ(proved.proof.size(), proof_bytes(instance.config));
  const auto result = instance.verify(proved.proof);
  ASSERT_TRUE(result.ok()) << to_string(result.error());
  ASSERT_EQ(result.value(), proved.claims);
  for (std::size_t j = 0; j < instance.cells.size(); ++j) {
    ASSERT_EQ(result.value().columns[j], instance.evaluate(j, result.value().point)) << "column " << j;
  }
}

std::string sizes_text(std::span<const unsigned> sizes) {
  std::string text;
  for (const unsigned s : sizes) text += std::to_string(s) + " ";
  return text;
}

Instance small_lookup(std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  constexpr unsigned kSizes[] = {5, 3, 4, 0, 1};
  return lookup_instance(kSizes, 3, rng);
}

TEST(Lookup, HonestProofsOfOneColumn) {
  std::mt19937_64 rng(1);
  for (unsigned log_size = 0; log_size <= 13; ++log_size) {
    for (int round = 0; round < 4; ++round) {
      SCOPED_TRACE(log_size);
      expect_honest(random_instance(std::span(&log_size, 1), rng));
    }
  }
}

TEST(Lookup, HonestProofsOfRandomShapes) {
  std::mt19937_64 rng(2);
  for (int round = 0; round < 150; ++round) {
    std::vector<unsigned> sizes(1 + rng() % 12);
    const unsigned largest = 1 + static_cast<unsigned>(rng() % 12);
    for (auto& s : sizes) s = static_cast<unsigned>(rng() % largest);
    SCOPED_TRACE(sizes_text(sizes));
    expect_honest(random_instance(sizes, rng));
    if (HasFatalFailure()) return;
  }
}

TEST(Lookup, HonestProofsOfManySmallColumns) {
  std::mt19937_64 rng(3);
  for (const unsigned log_size : {0u, 1u, 6u, 7u, 8u}) {
    std::vector<unsigned> sizes(300, log_size);
    sizes.push_back(9);
    SCOPED_TRACE(log_size);
    expect_honest(random_instance(sizes, rng));
  }
}

TEST(Lookup, HonestProofsOfLargeColumns) {
  std::mt19937_64 rng(4);
  constexpr unsigned kSizes[] = {16, 3, 15, 12, 12, 0, 16};
  expect_honest(random_instance(kSizes, rng));
  expect_honest(lookup_instance(kSizes, 10, rng));
}

// Every extent of a column of ones around the places where its edge changes.
TEST(Lookup, HonestProofsOfEveryExtent) {
  std::mt19937_64 rng(5);
  constexpr unsigned kSizes[] = {8, 8, 2};
  for (std::size_t extent = 0; extent <= 256; extent += extent < 16 || extent > 240 ? 1 : 7) {
    Instance instance = random_instance(kSizes, rng);
    for (std::size_t j = 0; j < 2; ++j) {
      instance.cells[j] = {};
      instance.cells[j].denominators.resize(j == 0 ? extent : 256 - extent);
      for (Fp3& d : instance.cells[j].denominators) d = random_element(rng);
    }
    instance.cells[2].elements[0] -= instance.sum().numerator * instance.cells[2].denominators[0];
    SCOPED_TRACE(extent);
    expect_honest(instance);
    if (HasFatalFailure()) return;
  }
}

TEST(Lookup, ManifestsOfBothSidesAgree) {
  const Instance instance = small_lookup(6);
  transcript::Manifest prover;
  transcript::Manifest verifier;
  const Proved proved = instance.prove({}, &prover);
  ASSERT_TRUE(instance.verify(proved.proof, &verifier).ok());
  EXPECT_EQ(prover, verifier);
  // 2^7 cells: statement, top with its point, for each layer k two steps a variable and three more, columns.
  EXPECT_EQ(prover.size(), 2u + 3u + (2u * (3 + 4 + 5 + 6) + 4 * 3) + 1u);
}

TEST(Lookup, ResumesAtEveryPhase) {
  const Instance instance = small_lookup(7);
  const Proved proved = instance.prove();
  base::ByteView rest(proved.proof);
  const auto section = [&](std::size_t size) {
    const auto result = rest.first(size);
    rest = rest.subspan(size);
    return result;
  };
  const unsigned log_cells = make_layout(instance.config).log_cells;
  auto t = Instance::start();
  auto claim = verify_top(t, instance.config, section(top_bytes(log_cells)));
  ASSERT_TRUE(claim.ok());
  for (unsigned k = top_log(log_cells); k < log_cells; ++k) {
    auto resumed = transcript::Transcript::resume(t.state());
    claim = verify_layer(resumed, claim.value(), section(layer_bytes(k)));
    ASSERT_TRUE(claim.ok());
    t = std::move(resumed);  // NOLINT(performance-move-const-arg): transcripts are not copied
  }
  auto resumed = transcript::Transcript::resume(t.state());
  const auto claims = verify_columns(
      resumed, instance.config, claim.value(), section(columns_bytes(instance.config)),
      [&](std::size_t column, std::span<const Fp3> point) { return instance.evaluate(column, point).numerator; });
  ASSERT_TRUE(claims.ok());
  EXPECT_EQ(claims.value(), proved.claims);
  EXPECT_TRUE(rest.empty());
}

// --- malformed bytes -------------------------------------------------------------------------------------------------

TEST(MalformedLookup, IsRejectedAtEveryLength) {
  const Instance instance = small_lookup(8);
  auto proof = instance.prove().proof;
  for (std::size_t size = 0; size < proof.size(); ++size) {
    ASSERT_EQ(instance.outcome(base::ByteView(proof).first(size)), "lookup.truncated (layer 0)") << size;
  }
  for (int extra = 0; extra < 50; ++extra) {
    proof.push_back(0);
    ASSERT_EQ(instance.outcome(proof), "lookup.trailing_bytes (layer 0)");
  }
}

TEST(MalformedLookup, SectionsOfTheWrongLength) {
  const Instance instance = small_lookup(8);
  const base::Bytes bytes(1 << 12);
  auto t = Instance::start();
  const CubeClaim claim{std::vector<Fp3>(7), {}, {}};
  for (const std::size_t size : {std::size_t{0}, std::size_t{383}, std::size_t{385}, bytes.size()}) {
    const auto section = base::ByteView(bytes).first(size);
    const Check expected = size < 384 ? Check::kTruncated : Check::kTrailingBytes;
    EXPECT_EQ(verify_top(t, instance.config, section).error(), (Rejection{expected, 3}));
  }
  const base::ByteView view(bytes);
  EXPECT_EQ(verify_layer(t, claim, view.first(layer_bytes(7) - 1)).error(), (Rejection{Check::kTruncated, 7}));
  EXPECT_EQ(verify_layer(t, claim, view.first(layer_bytes(7) + 1)).error(), (Rejection{Check::kTrailingBytes, 7}));
  const std::size_t size = columns_bytes(instance.config);
  EXPECT_EQ(verify_columns(t, instance.config, claim, view.first(size - 1), {}).error(),
            (Rejection{Check::kTruncated, 7}));
  EXPECT_EQ(verify_columns(t, instance.config, claim, view.first(size + 1), {}).error(),
            (Rejection{Check::kTrailingBytes, 7}));
}

TEST(MalformedLookup, EveryFlippedByteIsRejected) {
  std::mt19937_64 rng(9);
  constexpr unsigned kSizes[] = {2, 1};
  for (const Instance& instance : {small_lookup(9), random_instance(kSizes, rng)}) {
    const auto proof = instance.prove().proof;
    for (std::size_t i = 0; i < proof.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        auto bad = proof;
        bad[i] ^= static_cast<std::uint8_t>(1u << bit);
        ASSERT_FALSE(instance.verify(bad).ok()) << i;
      }
    }
  }
}

TEST(MalformedLookup, EveryNonCanonicalElementIsRejected) {
  const Instance instance = small_lookup(10);
  const auto proof = instance.prove().proof;
  for (std::size_t i = 0; i + 8 <= proof.size(); i += 8) {
    for (const std::uint64_t word : {field::kP, field::kP + 1, ~std::uint64_t{0}}) {
      auto bad = proof;
      base::store_be64(&bad[i], word);
      const auto result = instance.verify(bad);
      ASSERT_TRUE(!result.ok() && result.error().check == Check::kNonCanonical) << i;
    }
  }
}

TEST(MalformedLookup, InvalidConfigurations) {
  auto t = Instance::start();
  const auto check = [&](const Config& config) {
    return verify(t, config, {}).error() == Rejection{Check::kConfig} && !is_valid(config);
  };
  EXPECT_TRUE(check({}));
  EXPECT_TRUE(check({{{31, Numerators::kSent}}}));
  EXPECT_TRUE(check({{{3, static_cast<Numerators>(2)}}}));
  EXPECT_TRUE(check({std::vector<Column>(kMaxColumns + 1)}));
  EXPECT_TRUE(check({std::vector<Column>(5, {30, Numerators::kSent})}));
  EXPECT_TRUE(is_valid({std::vector<Column>(4, {30, Numerators::kSent})}));
}

// --- cheating provers ------------------------------------------------------------------------------------------------

TEST(CheatingLookup, MultiplicityOffByOne) {
  Instance instance = small_lookup(11);
  ++instance.cells.back().ints[2];
  EXPECT_EQ(instance.outcome(instance.prove().proof), "lookup.root_numerator (layer 3)");
}

TEST(CheatingLookup, ValueOutsideOfTheTable) {
  Instance instance = small_lookup(12);
  instance.cells[0].denominators[7] += kOne3;
  EXPECT_EQ(instance.outcome(instance.prove().proof), "lookup.root_numerator (layer 3)");
}

TEST(CheatingLookup, WrongRootNumerator) {
  const Instance instance = small_lookup(13);
  Faults faults;
  faults.top = [](std::vector<Fp3>& fractions) { fractions[6] += kOne3; };
  EXPECT_EQ(instance.outcome(instance.prove(faults).proof), "lookup.root_numerator (layer 3)");
}

// Two zero denominators make the root 0/0, whatever the sum of the others is.
TEST(CheatingLookup, ZeroDenominators) {
  Instance instance = small_lookup(14);
  ++instance.cells.back().ints[2];
  Faults faults;
  faults.top = [](std::vector<Fp3>& fractions) { fractions[1] = fractions[3] = Fp3(); };
  EXPECT_EQ(instance.outcome(instance.prove(faults).proof), "lookup.root_denominator (layer 3)");
  instance.cells[0].denominators[0] = instance.cells[0].denominators[31] = Fp3();
  EXPECT_EQ(instance.outcome(instance.prove().proof), "lookup.root_denominator (layer 3)");
}

// Fractions that add up to zero but are not the layer's: false sum, repaired at the top.
TEST(CheatingLookup, TopIsNotTheLayer) {
  Instance instance = small_lookup(15);
  ++instance.cells.back().ints[2];
  Faults faults;
  faults.top = [](std::vector<Fp3>& fractions) {
    Fraction root{Fp3(), kOne3};
    for (std::size_t i = 2; i < fractions.size(); i += 2) {
      root = {root.numerator * fractions[i + 1] + fractions[i] * root.denominator, root.denominator * fractions[i + 1]};
    }
    fractions[0] = -(root.numerator * fractions[1]) * root.denominator.inverse();
  };
  EXPECT_EQ(instance.outcome(instance.prove(faults).proof), "lookup.layer (layer 3)");
}

TEST(CheatingLookup, TopIsNotTheCells) {
  std::mt19937_64 rng(16);
  constexpr unsigned kSizes[] = {2, 1};
  const Instance instance = random_instance(kSizes, rng);
  Faults faults;
  faults.top = [](std::vector<Fp3>& fractions) {  // the same fraction, scaled
    fractions[2] = fractions[2] + fractions[2];
    fractions[3] = fractions[3] + fractions[3];
  };
  const auto result = instance.verify(instance.prove(faults).proof);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error(), (Rejection{Check::kColumnNumerators, 3}));
}

TEST(CheatingLookup, WrongRoundMessage) {
  const Instance instance = small_lookup(17);
  for (std::size_t layer = 3; layer < 7; ++layer) {
    for (std::size_t round = 0; round < layer; ++round) {
      for (const bool quadratic : {false, true}) {
        Faults faults;
        faults.round = [&](std::size_t k, std::size_t b, Fp3& sent_linear, Fp3& sent_quadratic) {
          if (k == layer && b == round) (quadratic ? sent_quadratic : sent_linear) += kOne3;
        };
        ASSERT_EQ(instance.outcome(instance.prove(faults).proof), "lookup.layer (layer " + std::to_string(layer) + ")");
      }
    }
  }
}

TEST(CheatingLookup, WrongLayerMessage) {
  const Instance instance = small_lookup(18);
  for (std::size_t layer = 3; layer < 7; ++layer) {
    for (std::size_t value = 0; value < 4; ++value) {
      Faults faults;
      faults.layer = [&](std::size_t k, std::array<Fp3, 4>& values) {
        if (k == layer) values[value] += kOne3;
      };
      ASSERT_EQ(instance.outcome(instance.prove(faults).proof), "lookup.layer (layer " + std::to_string(layer) + ")");
    }
  }
}

// Values that meet the layer's equation but are not the tables': the next layer's check, or the columns', catches them.
TEST(CheatingLookup, LayerMessageThatMeetsItsEquation) {
  const Instance instance = small_lookup(19);
  for (std::size_t layer = 3; layer < 7; ++layer) {
    Faults faults;
    faults.layer = [&](std::size_t k, std::array<Fp3, 4>& v) {
      if (k != layer) return;
      v[0] += v[2];
      v[1] -= v[3];
    };
    ASSERT_EQ(
        instance.outcome(instance.prove(faults).proof),
        layer < 6 ? "lookup.layer (layer " + std::to_string(layer + 1) + ")" : "lookup.column_numerators (layer 7)");
  }
}

TEST(CheatingLookup, WrongColumnValues) {
  Instance instance = small_lookup(20);
  for (Column& column : instance.config.columns) column.numerators = Numerators::kSent;
  for (std::size_t j = 0; j < instance.cells.size(); ++j) {
    Faults numerator;
    numerator.columns = [&](std::vector<ColumnClaim>& columns) { columns[j].numerator += kOne3; };
    ASSERT_EQ(instance.outcome(instance.prove(numerator).proof), "lookup.column_numerators (layer 7)");
    Faults denominator;
    denominator.columns = [&](std::vector<ColumnClaim>& columns) { columns[j].denominator += kOne3; };
    ASSERT_EQ(instance.outcome(instance.prove(denominator).proof), "lookup.column_denominators (layer 7)");
  }
}

// A prover with other numerators than the public ones.
TEST(CheatingLookup, WrongPublicNumerators) {
  const Instance honest = small_lookup(21);
  Instance cheating = honest;
  cheating.cells[0].kind = testing::Cells::Kind::kInts;
  cheating.cells[0].ints.assign(32, 1);
  cheating.cells[0].ints[3] = 0;  // a cell outside of the table, masked
  cheating.cells.back().kind = testing::Cells::Kind::kElements;
  for (const std::int32_t n : honest.cells.back().ints) {
    cheating.cells.back().elements.push_back(Fp3(Fp::from_int(n)));
  }
  cheating.cells.back().elements[0] -= cheating.sum().numerator * cheating.cells.back().denominators[0];
  const auto proof = cheating.prove().proof;
  EXPECT_EQ(cheating.outcome(proof), "accepted");
  EXPECT_EQ(honest.outcome(proof), "lookup.column_numerators (layer 7)");
}

// Sizes are absorbed: a proof for one order of the columns is none for another.
TEST(CheatingLookup, AnotherConfiguration) {
  const Instance instance = small_lookup(22);
  const auto proof = instance.prove().proof;
  Instance other = instance;
  std::swap(other.config.columns[0], other.config.columns[1]);
  std::swap(other.cells[0], other.cells[1]);
  EXPECT_EQ(other.outcome(proof), "lookup.layer (layer 3)");
}

}  // namespace
}  // namespace avow::lookup
