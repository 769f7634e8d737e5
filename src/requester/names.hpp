// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>

#include "base/bytes.hpp"
#include "model/tokenizer.hpp"
#include "requester/error.hpp"

namespace avow::requester {

/// A model that this machine's owner has given a name.
struct NamedModel {
  base::Digest id{};
  std::filesystem::path tokenizer;  ///< its tokenizer file; empty if none is known
  std::filesystem::path file;       ///< the `.avow` file; empty if there is none here
  friend bool operator==(const NamedModel&, const NamedModel&) = default;
};

/// Names of models, from a file of this machine: {"version": 1, "models": {"stories": {"id": "..", "tokenizer": "..",
/// "file": ".."}}}. Names that a chain has are claims of whoever registered them and are never looked up.
class ModelNames {
 public:
  /// An empty list if there is no such file. kNames, kFile.
  [[nodiscard]] static Result<ModelNames> read(const std::filesystem::path& path);
  [[nodiscard]] static Result<ModelNames> parse(std::string_view text);
  [[nodiscard]] std::optional<Error> write(const std::filesystem::path& path) const;
  [[nodiscard]] std::string to_text() const;

  /// Of a name or of 64 hexadecimal digits, for which a name is looked up. kName.
  [[nodiscard]] Result<NamedModel> resolve(const std::string& name_or_id) const;
  /// The first name of an id; empty if it has none.
  [[nodiscard]] std::string name_of(const base::Digest& id) const;
  /// kName if the name is none, or another model's.
  [[nodiscard]] std::optional<Error> add(const std::string& name, const NamedModel& model);
  [[nodiscard]] const std::map<std::string, NamedModel>& models() const { return models_; }

 private:
  std::map<std::string, NamedModel> models_;
};

/// The tokenizer of a file that `avow model import` wrote, if its digest is the one that is expected. kFile,
/// kTokenizer.
[[nodiscard]] Result<model::Tokenizer> open_tokenizer(const std::filesystem::path& path,
                                                      const std::optional<base::Digest>& digest);

}  // namespace avow::requester
