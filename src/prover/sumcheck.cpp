// SPDX-License-Identifier: Apache-2.0
#include "prover/sumcheck.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "field/factor.hpp"

namespace avow::prover {
namespace {

using field::Fp;
using field::kOne3;

constexpr std::size_t kMaxActive = 6;  // limits::kFactors, and indicators are merged into them
constexpr unsigned kLogBlock = 9;      // entries of an item of work

// Polynomials by coefficients, constant first.
using Polynomial = std::vector<Fp3>;

Fp3 evaluate(const Polynomial& p, const Fp3& x) {
  Fp3 value;
  for (std::size_t i = p.size(); i-- > 0;) value = value * x + p[i];
  return value;
}

// Values of q at 0, 1, -1, 2 (as many as its degree) and its leading coefficient.
struct Samples {
  Fp3 at0, at1, at_minus1, at2, leading;
  Samples& operator+=(const Samples& o) {
    at0 += o.at0;
    at1 += o.at1;
    at_minus1 += o.at_minus1;
    at2 += o.at2;
    leading += o.leading;
    return *this;
  }
};

const Fp kHalf = Fp(2).inverse();
const Fp kSixth = Fp(6).inverse();

// Of degree 1 to 4.
Polynomial interpolate(const Samples& s, std::size_t degree) {
  if (degree == 1) return {s.at0, s.leading};
  if (degree == 2) return {s.at0, s.at1 - s.at0 - s.leading, s.leading};
  // Even and odd part of q - leading X^degree at 1.
  const bool odd_degree = degree % 2 == 1;
  const Fp3 even = (s.at1 + s.at_minus1) * kHalf - (odd_degree ? Fp3() : s.leading) - s.at0;
  const Fp3 odd = (s.at1 - s.at_minus1) * kHalf - (odd_degree ? s.leading : Fp3());
  if (degree == 3) return {s.at0, odd, even, s.leading};
  // q(2) = c0 + 2 c1 + 4 c2 + 8 c3 + 16 c4 with c1 + c3 = odd, c2 = even.
  const Fp3 rest = s.at2 - s.at0 - even * Fp(4) - s.leading * Fp(16) - odd * Fp(2);
  const Fp3 c3 = rest * kSixth;
  return {s.at0, odd - c3, even, c3, s.leading};
}

// The bits of x that `mask` names, moved together.
std::uint64_t extract(std::uint64_t x, std::uint64_t mask) {
  std::uint64_t result = 0;
  for (std::uint64_t bit = 1; mask != 0; bit <<= 1, mask &= mask - 1) {
    if ((x & mask & (~mask + 1)) != 0) result |= bit;
  }
  return result;
}

// eq over the variables that are still free, without the current one.
void halve_by_sum(std::vector<Fp3>& table) {
  for (std::size_t i = 0; i < table.size() / 2; ++i) table[i] = table[2 * i] + table[2 * i + 1];
  table.resize(table.size() / 2);
}

void fold(std::vector<Fp3>& values, const Fp3& r) {
  std::vector<Fp3> half(values.size() / 2);
  base::parallel_for(half.size(), std::size_t{1} << 13, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) half[i] = values[2 * i] + r * (values[2 * i + 1] - values[2 * i]);
  });
  values = std::move(half);
}

}  // namespace

// A summand whose variables below the current round are bound.
class Sumcheck::Running {
 public:
  explicit Running(Summand summand) : scale_(summand.scale), tables_(std::move(summand.tables)) {
    std::set<std::uint16_t> positions;
    for (const Table& table : tables_) positions.insert(table.positions.begin(), table.positions.end());
    positions_.assign(positions.begin(), positions.end());
    std::vector<Fp3> z;
    for (const auto& [position, coordinate] : summand.eq) {
      AVOW_CHECK(positions.contains(position));
      eq_positions_.push_back(position);
      z.push_back(coordinate);
    }
    eq_point_ = std::move(z);
    eq_ = field::eq_table(eq_point_);
    prepare();
    claim_ = value();
  }

  // Adds this summand's part of the round's polynomial.
  void add(std::uint16_t round, Polynomial& sum) const {
    if (!has(round)) {
      sum[0] += claim_ * kHalf;
      return;
    }
    const Polynomial part = times_eq();
    AVOW_CHECK(part.size() <= sum.size());
    for (std::size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
  }

  void bind(std::uint16_t round, const Fp3& r) {
    if (!has(round)) {
      scale_ = scale_ * kHalf;
      claim_ = claim_ * kHalf;
      return;
    }
    claim_ = evaluate(times_eq(), r);
    if (has_eq()) {
      const Fp3& z = eq_point_[next_eq_++];
      scale_ *= kOne3 - z - r + (z * r) + (z * r);
    }
    for (Table& table : tables_) {
      if (table.positions.empty() || table.positions.front() != round) continue;
      fold(table.values, r);
      table.positions.erase(table.positions.begin());
    }
    ++next_;
    prepare();
  }

  [[nodiscard]] const Fp3& final_value(std::size_t table) const {
    AVOW_CHECK(tables_[table].values.size() == 1);
    return tables_[table].values[0];
  }

 private:
  [[nodiscard]] bool has(std::uint16_t round) const { return next_ < positions_.size() && positions_[next_] == round; }
  [[nodiscard]] bool has_eq() const {
    return next_ < positions_.size() && next_eq_ < eq_positions_.size() && eq_positions_[next_eq_] == positions_[next_];
  }

  // The polynomial of the next variable, without eq of it: ready before its round, because the claim needs it.
  void prepare() {
    if (next_ == positions_.size()) return;
    if (has_eq()) halve_by_sum(eq_);
    const std::uint16_t position = positions_[next_];
    degree_ = 0;
    for (const Table& table : tables_) degree_ += is_active(table, position) ? 1u : 0u;
    AVOW_CHECK(degree_ >= 1 && degree_ <= 4);
    polynomial_ = interpolate(sample(), degree_);
  }

  [[nodiscard]] static bool is_active(const Table& table, std::uint16_t position) {
    return !table.positions.empty() && table.positions.front() == position;
  }

  // Where an entry of the joint index (the free variables above the current one) lies in a table.
  struct Reader {
    const Fp3* values;
    bool is_active;
    std::uint64_t mask;
    std::vector<std::uint32_t> low;  // for the lowest kLogBlock variables
    [[nodiscard]] std::uint64_t high(std::uint64_t x) const {
      return extract(x >> kLogBlock, mask >> kLogBlock)
             << static_cast<unsigned>(__builtin_popcountll(mask & ((1u << kLogBlock) - 1)));
    }
  };
  [[nodiscard]] Reader reader(std::span<const std::uint16_t> table_positions, const Fp3* values) const {
    const bool active = !table_positions.empty() && table_positions.front() == positions_[next_];
    Reader r{values, active, 0, {}};
    for (const std::uint16_t position : table_positions.subspan(active ? 1 : 0)) {
      const auto at =
          std::lower_bound(positions_.begin() + static_cast<std::ptrdiff_t>(next_) + 1, positions_.end(), position) -
          positions_.begin() - static_cast<std::ptrdiff_t>(next_) - 1;
      r.mask |= std::uint64_t{1} << at;
    }
    r.low.resize(std::size_t{1} << std::min<std::size_t>(kLogBlock, positions_.size() - next_ - 1));
    for (std::size_t x = 0; x < r.low.size(); ++x) r.low[x] = static_cast<std::uint32_t>(extract(x, r.mask));
    return r;
  }

  [[nodiscard]] Samples sample() const {
    std::vector<Reader> active, passive;
    for (const Table& table : tables_) {
      Reader r = reader(table.positions, table.values.data());
      (r.is_active ? active : passive).push_back(std::move(r));
    }
    // eq_ was halved already: it does not have the current variable.
    const auto eq_left = std::span(eq_positions_).subspan(next_eq_ + (has_eq() ? 1 : 0));
    if (!eq_left.empty()) passive.push_back(reader(eq_left, eq_.data()));
    const std::size_t joint = std::size_t{1} << (positions_.size() - next_ - 1);
    Samples total;
    std::mutex mutex;
    const std::size_t block = std::size_t{1} << kLogBlock;
    base::parallel_for(joint, block, [&](std::size_t begin, std::size_t end) {
      Samples part;
      switch (active.size()) {
        case 1:
          part = sample_block<1>(active, passive, begin, end);
          break;
        case 2:
          part = sample_block<2>(active, passive, begin, end);
          break;
        case 3:
          part = sample_block<3>(active, passive, begin, end);
          break;
        default:
          part = sample_block<4>(active, passive, begin, end);
      }
      const std::lock_guard lock(mutex);
      total += part;
    });
    return total;
  }

  template <std::size_t kActive>
  static Samples sample_block(const std::vector<Reader>& active, const std::vector<Reader>& passive, std::size_t begin,
                              std::size_t end) {
    std::array<std::uint64_t, kActive> high{};
    for (std::size_t f = 0; f < kActive; ++f) high[f] = active[f].high(begin);
    std::array<std::uint64_t, 2 * kMaxActive> passive_high{};
    for (std::size_t f = 0; f < passive.size(); ++f) passive_high[f] = passive[f].high(begin);
    Samples sum;
    for (std::size_t x = 0; x < end - begin; ++x) {
      Samples s;
      for (std::size_t f = 0; f < kActive; ++f) {
        const Fp3* pair = active[f].values + 2 * (high[f] + active[f].low[x]);
        const Fp3 step = pair[1] - pair[0];
        if (f == 0) {
          s = {pair[0], pair[1], pair[0] - step, pair[1] + step, step};
          continue;
        }
        s.at0 *= pair[0];
        s.at1 *= pair[1];
        s.leading *= step;
        if (kActive >= 3) s.at_minus1 *= pair[0] - step;
        if (kActive >= 4) s.at2 *= pair[1] + step;
      }
      for (std::size_t f = 0; f < passive.size(); ++f) {
        const Fp3& value = passive[f].values[passive_high[f] + passive[f].low[x]];
        s.at0 *= value;
        s.at1 *= value;
        s.leading *= value;
        if (kActive >= 3) s.at_minus1 *= value;
        if (kActive >= 4) s.at2 *= value;
      }
      sum += s;
    }
    return sum;
  }

  // scale * eq(z, X) * polynomial_.
  [[nodiscard]] Polynomial times_eq() const {
    Polynomial result = polynomial_;
    if (has_eq()) {
      // eq(z, X) = (1 - z) + (2 z - 1) X.
      const Fp3& z = eq_point_[next_eq_];
      const Fp3 constant = kOne3 - z;
      const Fp3 linear = z + z - kOne3;
      result.emplace_back();
      for (std::size_t i = result.size(); i-- > 0;) {
        result[i] = result[i] * constant + (i > 0 ? result[i - 1] * linear : Fp3());
      }
    }
    for (Fp3& c : result) c *= scale_;
    return result;
  }

  // The sum over all free variables.
  [[nodiscard]] Fp3 value() const {
    if (next_ < positions_.size()) {
      const Polynomial p = times_eq();
      return p[0] + evaluate(p, kOne3);
    }
    Fp3 product = scale_;
    for (const Table& table : tables_) product *= table.values[0];
    return product;
  }

  Fp3 scale_;
  std::vector<Table> tables_;
  std::vector<std::uint16_t> positions_;
  std::size_t next_ = 0;  // of positions_: the next variable
  std::vector<std::uint16_t> eq_positions_;
  std::vector<Fp3> eq_point_;
  std::size_t next_eq_ = 0;
  std::vector<Fp3> eq_;  // over the variables of eq above the current one
  std::size_t degree_ = 0;
  Polynomial polynomial_;
  Fp3 claim_;
};

Sumcheck::Sumcheck(std::vector<Summand> summands) {
  running_.reserve(summands.size());
  for (Summand& summand : summands) running_.emplace_back(std::move(summand));
}
Sumcheck::~Sumcheck() = default;
Sumcheck::Sumcheck(Sumcheck&&) noexcept = default;

std::vector<Fp3> Sumcheck::round(std::size_t degree) {
  Polynomial sum(degree + 1);
  for (const Running& running : running_) running.add(round_, sum);
  return sum;
}

const Fp3& Sumcheck::final_value(std::size_t summand, std::size_t table) const {
  return running_[summand].final_value(table);
}

void Sumcheck::bind(const Fp3& r) {
  for (Running& running : running_) running.bind(round_, r);
  ++round_;
}

}  // namespace avow::prover
