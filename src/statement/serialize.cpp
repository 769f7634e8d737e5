// SPDX-License-Identifier: Apache-2.0
#include "statement/serialize.hpp"

#include <fmt/format.h>

#include <type_traits>

#include "hash/keccak.hpp"
#include "statement/validate.hpp"

namespace avow::statement {
namespace {

std::uint64_t zigzag(std::int64_t v) { return (static_cast<std::uint64_t>(v) << 1) ^ (v < 0 ? ~std::uint64_t{0} : 0); }
std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>((v >> 1) ^ ((v & 1) != 0 ? ~std::uint64_t{0} : 0));
}

// Writer and Reader have the same members; Layout below walks a statement once for both, so that they cannot differ.
class Writer {
 public:
  static constexpr bool kReads = false;
  [[nodiscard]] static bool ok() { return true; }

  // Groups of seven bits, highest first, all but the last with the high bit set.
  void number(std::uint64_t v) {
    int shift = 63;
    while (shift > 0 && (v >> shift) == 0) shift -= 7;
    for (; shift > 0; shift -= 7) bytes_.push_back(static_cast<std::uint8_t>(0x80 | ((v >> shift) & 0x7f)));
    bytes_.push_back(static_cast<std::uint8_t>(v & 0x7f));
  }
  void number(const std::uint32_t& v) { number(std::uint64_t{v}); }
  void integer(std::int64_t v) { number(zigzag(v)); }
  void byte(std::uint8_t v) { bytes_.push_back(v); }
  template <typename E>
  void tag(E v, E /*last*/) {
    byte(static_cast<std::uint8_t>(v));
  }
  template <typename T>
  void count(const T& list, std::size_t /*largest*/) {
    number(std::uint64_t{list.size()});
  }
  void text(const std::string& v) {
    count(v, limits::kName);
    base::append(bytes_, {reinterpret_cast<const std::uint8_t*>(v.data()), v.size()});
  }
  base::Bytes take() { return std::move(bytes_); }

 private:
  base::Bytes bytes_;
};

class Reader {
 public:
  static constexpr bool kReads = true;
  explicit Reader(base::ByteView bytes) : rest_(bytes), size_(bytes.size()) {}
  [[nodiscard]] bool ok() const { return !error_; }

  void number(std::uint64_t& v) {
    v = 0;
    for (int i = 0;; ++i) {
      std::uint8_t b = 0;
      byte(b);
      if (!ok()) return;
      if ((i == 0 && b == 0x80) || (v >> 57) != 0) return fail(Cause::kNonCanonical, "a number");
      v = v << 7 | (b & 0x7f);
      if (b < 0x80) return;
    }
  }
  void number(std::uint32_t& v) {
    std::uint64_t wide = 0;
    number(wide);
    if (wide >= kNone) return fail(Cause::kNonCanonical, "an id above 32 bits");
    v = static_cast<std::uint32_t>(wide);
  }
  void integer(std::int64_t& v) {
    std::uint64_t code = 0;
    number(code);
    v = unzigzag(code);
  }
  void byte(std::uint8_t& v) {
    if (rest_.empty()) return fail(Cause::kTruncated, "the end");
    v = rest_[0];
    rest_ = rest_.subspan(1);
  }
  template <typename E>
  void tag(E& v, E last) {
    std::uint8_t b = 0;
    byte(b);
    if (b > static_cast<std::uint8_t>(last)) return fail(Cause::kTag, fmt::format("tag {}", b));
    v = static_cast<E>(b);
  }
  // Every element takes at least a byte, so that a count above the bytes left is a lie.
  template <typename T>
  void count(T& list, std::size_t largest) {
    std::uint64_t n = 0;
    number(n);
    if (!ok()) return;
    if (n > largest) return fail(Cause::kCount, fmt::format("a count of {}, at most {}", n, largest));
    if (n > rest_.size()) return fail(Cause::kTruncated, fmt::format("a count of {}", n));
    list.resize(n);
  }
  void text(std::string& v) {
    count(v, limits::kName);
    for (char& c : v) {
      std::uint8_t b = 0;
      byte(b);
      c = static_cast<char>(b);
    }
  }
  void fail(Cause cause, const std::string& what) {
    if (!error_) error_ = Error{cause, fmt::format("{} at byte {}", what, size_ - rest_.size())};
  }
  std::optional<Error> finish() {
    if (ok() && !rest_.empty()) fail(Cause::kTrailing, "bytes are left");
    return std::move(error_);
  }

 private:
  base::ByteView rest_;
  std::size_t size_;
  std::optional<Error> error_;
};

std::string default_name(char prefix, std::size_t number) { return fmt::format("{}{}", prefix, number); }

// For each name of the statement: visit(name, its default).
template <typename S, typename Visit>
void for_names(S& statement, const Visit& visit) {
  const auto all = [&](auto& list, char prefix) {
    for (std::size_t i = 0; i < list.size(); ++i) visit(list[i].name, default_name(prefix, i));
  };
  all(statement.axes, 'a');
  all(statement.values, 'v');
  for (std::size_t i = 0; i < statement.tensors.size(); ++i) {
    auto& tensor = statement.tensors[i];
    if (tensor.kind != TensorKind::kStructured) visit(tensor.name, default_name('t', i));
  }
  all(statement.tables, 'T');
  all(statement.lookups, 'l');
}

bool is_unnamed(const Statement& statement) {
  bool result = true;
  for_names(statement, [&](const std::string& name, const std::string& given) { result = result && name == given; });
  return result;
}

// The format. S is Statement for a Reader and const Statement for a Writer.
template <typename Io, typename S>
class Layout {
  template <typename T>
  using Of = std::conditional_t<Io::kReads, T, const T>;

 public:
  Layout(Io& io, S& statement, bool is_named) : io_(io), s_(statement), is_named_(is_named) {}

  void run() {
    list(s_.axes, limits::kAxes, [&](auto& axis) { this->axis(axis); });
    list(s_.values, limits::kValues, [&](auto& values) {
      name(values.name);
      ids(values.axes);
      io_.number(values.bound);
    });
    list(s_.tensors, limits::kTensors, [&](auto& tensor) {
      this->tensor(tensor);
      ++known_;
    });
    list(s_.zero_claims, limits::kTensors, [&](auto& id) { io_.number(id); });
    list(s_.tables, limits::kTables, [&](auto& table) {
      name(table.name);
      ids(table.axes);
      io_.number(table.multiplicity);
      list(table.columns, limits::kColumns, [&](auto& column) { expression(column); });
    });
    list(s_.lookups, limits::kLookups, [&](auto& lookup) { this->lookup(lookup); });
  }

 private:
  template <typename T, typename Body>
  void list(T& elements, std::size_t largest, const Body& body) {
    io_.count(elements, largest);
    for (auto& element : elements) {
      if (!io_.ok()) return;
      body(element);
    }
  }

  void name(Of<std::string>& name) {
    if (is_named_) io_.text(name);
  }

  void ids(Of<std::vector<AxisId>>& axes) {
    list(axes, limits::kRank, [&](auto& id) { io_.number(id); });
  }

  void axis(Of<Axis>& axis) {
    name(axis.name);
    io_.tag(axis.kind, AxisKind::kAlias);
    if (axis.kind == AxisKind::kAlias) {
      io_.number(axis.of);
    } else {
      io_.number(axis.length);
    }
  }

  void tensor(Of<Tensor>& tensor) {
    io_.tag(tensor.kind, TensorKind::kVirtual);
    if (tensor.kind != TensorKind::kStructured) name(tensor.name);
    ids(tensor.axes);
    switch (tensor.kind) {
      case TensorKind::kModel:
      case TensorKind::kWitness:
        range(tensor);
        break;
      case TensorKind::kStructured:
        structured(tensor.structured);
        break;
      case TensorKind::kVirtual:
        expression(tensor.definition);
        break;
    }
  }

  // The two highest bits say signed and input.
  void range(Of<Tensor>& tensor) {
    std::uint8_t b = static_cast<std::uint8_t>(tensor.range.bits | (tensor.range.is_signed ? 0x80 : 0) |
                                               (tensor.is_input ? 0x40 : 0));
    io_.byte(b);
    if constexpr (Io::kReads) {
      tensor.range = {static_cast<std::uint8_t>(b & 0x3f), (b & 0x80) != 0};
      tensor.is_input = (b & 0x40) != 0;
    }
  }

  void structured(Of<Structured>& s) {
    io_.tag(s.kind, StructuredKind::kPiecewise);
    switch (s.kind) {
      case StructuredKind::kConstant:
      case StructuredKind::kIndex:
        io_.integer(s.constant);
        break;
      case StructuredKind::kShift:
        io_.integer(s.stride);
        io_.integer(s.dilation);
        io_.integer(s.padding);
        break;
      case StructuredKind::kOneHot:
      case StructuredKind::kBelow:
      case StructuredKind::kValue:
        io_.number(s.values);
        break;
      case StructuredKind::kBetween:
        io_.number(s.lower);
        io_.number(s.values);
        break;
      case StructuredKind::kPiecewise:
        list(s.pieces, limits::kPieces, [&](auto& piece) {
          io_.number(piece.length);
          io_.integer(piece.first);
          io_.integer(piece.step);
        });
        break;
      case StructuredKind::kEqual:
      case StructuredKind::kLess:
      case StructuredKind::kLessEqual:
        break;
    }
  }

  // Most tensors are read along their own axes, which a reader knows: tensors come before what reads them.
  void access(Of<Access>& access) {
    bool is_own = false;
    if constexpr (!Io::kReads) is_own = reads_own_axes(access);
    std::uint64_t code = std::uint64_t{access.tensor} << 1 | (is_own ? 1 : 0);
    io_.number(code);
    if constexpr (Io::kReads) {
      if (!io_.ok()) return;
      if (code >> 1 >= s_.tensors.size()) return io_.fail(Cause::kUnknownTensor, "a tensor that does not exist");
      if (code >> 1 >= known_) return io_.fail(Cause::kCycle, "a tensor that does not come before its reader");
      is_own = (code & 1) != 0;
      access.tensor = static_cast<TensorId>(code >> 1);
      for (const AxisId axis : s_.tensors[access.tensor].axes) access.indices.push_back({Index::Kind::kAxis, axis});
    }
    if (is_own) return;
    for (auto& index : access.indices) {
      std::uint64_t place = index.value << 1 | (index.kind == Index::Kind::kFixed ? 1 : 0);
      io_.number(place);
      if constexpr (Io::kReads) index = {(place & 1) != 0 ? Index::Kind::kFixed : Index::Kind::kAxis, place >> 1};
    }
    if constexpr (Io::kReads) {
      if (io_.ok() && reads_own_axes(access)) io_.fail(Cause::kNonCanonical, "a tensor's own axes, spelled out");
    }
  }

  [[nodiscard]] bool reads_own_axes(const Access& access) const {
    const auto& axes = s_.tensors[access.tensor].axes;
    for (std::size_t i = 0; i < access.indices.size(); ++i) {
      if (access.indices[i].kind != Index::Kind::kAxis || access.indices[i].value != axes[i]) return false;
    }
    return true;
  }

  void expression(Of<Expression>& terms) {
    list(terms, limits::kTerms, [&](auto& term) {
      io_.integer(term.coefficient);
      list(term.factors, limits::kFactors, [&](auto& factor) { access(factor); });
    });
  }

  void lookup(Of<Lookup>& lookup) {
    name(lookup.name);
    ids(lookup.axes);
    io_.number(lookup.table);
    list(lookup.tuple, limits::kColumns, [&](auto& entry) { expression(entry); });
    enum class Has : std::uint8_t { kNoMask, kMask };
    Has has = lookup.mask ? Has::kMask : Has::kNoMask;
    io_.tag(has, Has::kMask);
    if (has == Has::kNoMask) return;
    if constexpr (Io::kReads) lookup.mask.emplace();
    access(*lookup.mask);
  }

  Io& io_;
  S& s_;
  bool is_named_;
  std::size_t known_ = 0;  // tensors that lie behind
};

}  // namespace

base::Bytes serialize(const Statement& statement) {
  Writer writer;
  const bool is_named = !is_unnamed(statement);
  writer.byte(is_named ? kVersion : kUnnamedVersion);
  Layout<Writer, const Statement>(writer, statement, is_named).run();
  return writer.take();
}

base::Result<Statement, Error> parse(base::ByteView bytes) {
  if (bytes.size() > limits::kBytes) return base::Err{Error{Cause::kCount, "more bytes than a statement may have"}};
  Reader reader(bytes);
  std::uint8_t version = kVersion;
  reader.byte(version);
  if (version != kVersion && version != kUnnamedVersion)
    reader.fail(Cause::kVersion, fmt::format("version {}", version));
  Statement statement;
  if (reader.ok()) Layout<Reader, Statement>(reader, statement, version == kVersion).run();
  if (auto error = reader.finish()) return base::Err{std::move(*error)};
  if (version == kUnnamedVersion) {
    statement = unnamed(std::move(statement));
  } else if (is_unnamed(statement)) {
    return base::Err{Error{Cause::kNonCanonical, "names that are numbers, spelled out"}};
  }
  if (auto error = validate(statement)) return base::Err{std::move(*error)};
  return statement;
}

Statement unnamed(Statement statement) {
  for_names(statement, [](std::string& name, const std::string& given) { name = given; });
  return statement;
}

base::Digest statement_id(const Statement& statement) { return hash::keccak256(serialize(statement)); }

}  // namespace avow::statement
