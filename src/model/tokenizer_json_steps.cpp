// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_json_steps.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tokenizer_bytes.hpp"

namespace avow::model {
namespace {

using base::Err;
using nlohmann::json;
using Done = base::Result<bool, TokenizerError>;

constexpr std::string_view kGpt2Regex = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Whether `key` of the object is this value; `missing` is the answer if there is no such key.
bool holds(const json& object, const char* key, const json& value, bool missing) {
  const auto at = object.find(key);
  return at == object.end() ? missing : *at == value;
}

Err<TokenizerError> unsupported(const char* field, const json& step) {
  return fail(TokenizerCause::kUnsupported, fmt::format("{} {}", field, shown(step)));
}

// The steps of a field: none, one, or a Sequence's (which holds no Sequence).
base::Result<std::vector<const json*>, TokenizerError> steps_of(const json& root, const char* field,
                                                                const char* list_key) {
  std::vector<const json*> steps;
  const auto at = root.find(field);
  if (at == root.end() || at->is_null()) return steps;
  if (!at->is_object()) return fail(TokenizerCause::kFieldType, field);
  if (!holds(*at, "type", "Sequence", false)) {
    steps.push_back(&*at);
    return steps;
  }
  const auto list = at->find(list_key);
  if (list == at->end() || !list->is_array())
    return fail(TokenizerCause::kFieldType, fmt::format("{}.{}", field, list_key));
  for (const json& step : *list) {
    if (!step.is_object()) return fail(TokenizerCause::kFieldType, fmt::format("{}.{}", field, list_key));
    steps.push_back(&step);
  }
  return steps;
}

const char* const kMark = "\xe2\x96\x81";
static_assert(kSpaceMark.size() == 3);

// NFC alone, or Prepend and Replace of spaces, each at most once, in this order.
struct Normalizer {
  bool to_nfc = false;
  bool prepends = false;
  bool replaces = false;
};
base::Result<Normalizer, TokenizerError> read_normalizer(const json& root) {
  const auto steps = steps_of(root, "normalizer", "normalizers");
  if (!steps) return Err{steps.error()};
  Normalizer out;
  if (steps.value().size() == 1 && holds(*steps.value()[0], "type", "NFC", false)) {
    out.to_nfc = true;
    return out;
  }
  for (const json* step : steps.value()) {
    const bool prepend = holds(*step, "type", "Prepend", false) && holds(*step, "prepend", kMark, false);
    const bool replace = holds(*step, "type", "Replace", false) && holds(*step, "content", kMark, false) &&
                         holds(*step, "pattern", json{{"String", " "}}, false);
    if ((!prepend && !replace) || out.replaces || (prepend && out.prepends)) return unsupported("normalizer", *step);
    (prepend ? out.prepends : out.replaces) = true;
  }
  return out;
}

Done read_byte_level(const json& step, bool after_split, TextSteps& out) {
  const auto use_regex = step.find("use_regex");
  const bool regex = use_regex == step.end() || *use_regex != false;
  const bool prefix = !holds(step, "add_prefix_space", false, false);
  // Behind another splitter the prefix would go before every word.
  if (after_split && (regex || prefix)) return unsupported("pre_tokenizer", step);
  out.kind = TokenizerKind::kByteLevelBpe;
  if (regex) out.pre_tokenizer = PreTokenizer::kGpt2;
  if (prefix) out.space_prefix = SpacePrefix::kUnlessSpace;
  return true;
}

Done read_split(const json& step, TextSteps& out) {
  if (!holds(step, "behavior", "Isolated", false) || !holds(step, "invert", false, true)) {
    return unsupported("pre_tokenizer", step);
  }
  for (const auto& [regex, kind] :
       {std::pair(kGpt2Regex, PreTokenizer::kGpt2), std::pair(kLlama3Regex, PreTokenizer::kLlama3),
        std::pair(kQwen2Regex, PreTokenizer::kQwen2)}) {
    if (holds(step, "pattern", json{{"Regex", regex}}, false)) {
      out.pre_tokenizer = kind;
      return true;
    }
  }
  return unsupported("pre_tokenizer", step);
}

Done read_metaspace(const json& step, TextSteps& out) {
  if (!holds(step, "replacement", kMark, false) || !holds(step, "split", false, false)) {
    return unsupported("pre_tokenizer", step);
  }
  if (holds(step, "prepend_scheme", "always", false)) {
    out.space_prefix = SpacePrefix::kUnlessSpace;
  } else if (holds(step, "prepend_scheme", "first", false)) {
    out.space_prefix = SpacePrefix::kFirstUnlessSpace;
  } else if (!holds(step, "prepend_scheme", "never", false)) {
    return unsupported("pre_tokenizer", step);
  }
  return true;
}

Done read_pre_tokenizer(const json& root, bool& marks_spaces, TextSteps& out) {
  const auto steps = steps_of(root, "pre_tokenizer", "pretokenizers");
  if (!steps) return Err{steps.error()};
  const auto& list = steps.value();
  if (list.empty()) return true;
  const auto is = [&](std::size_t i, const char* type) {
    return i < list.size() && holds(*list[i], "type", type, false);
  };
  if (list.size() == 1 && is(0, "Metaspace")) {
    marks_spaces = true;
    return read_metaspace(*list[0], out);
  }
  if (list.size() == 1 && is(0, "ByteLevel")) return read_byte_level(*list[0], false, out);
  if (list.size() == 2 && is(0, "Split") && is(1, "ByteLevel")) {
    if (Done done = read_split(*list[0], out); !done) return done;
    return read_byte_level(*list[1], true, out);
  }
  return unsupported("pre_tokenizer", root["pre_tokenizer"]);
}

// The id of a template's special token.
base::Result<TokenId, TokenizerError> template_id(const json& step, const json& name) {
  const auto all = step.find("special_tokens");
  if (!name.is_string() || all == step.end() || !all->is_object()) return unsupported("post_processor", step);
  const auto token = all->find(name.get_ref<const std::string&>());
  if (token == all->end() || !token->is_object()) return unsupported("post_processor", step);
  const auto ids = token->find("ids");
  if (ids == token->end() || !ids->is_array() || ids->size() != 1 || !(*ids)[0].is_number_unsigned() ||
      (*ids)[0].get<std::uint64_t>() >= tokenizer_limits::kTokens) {
    return unsupported("post_processor", step);
  }
  return (*ids)[0].get<TokenId>();
}

// `single`: at most one special token on either side of the sequence.
Done read_template(const json& step, EndSteps& out) {
  const auto single = step.find("single");
  if (single == step.end() || !single->is_array()) return unsupported("post_processor", step);
  bool behind = false;
  for (const json& part : *single) {
    if (!part.is_object() || part.size() != 1) return unsupported("post_processor", step);
    if (part.contains("Sequence") && !behind) {
      behind = true;
      continue;
    }
    const auto special = part.find("SpecialToken");
    std::optional<TokenId>& slot = behind ? out.eos : out.bos;
    if (special == part.end() || !special->is_object() || !special->contains("id") || slot) {
      return unsupported("post_processor", step);
    }
    const auto id = template_id(step, (*special)["id"]);
    if (!id) return Err{id.error()};
    slot = id.value();
  }
  return behind ? Done(true) : unsupported("post_processor", step);
}

}  // namespace

std::string shown(const json& value) {
  // Only the names that tell values apart: the rest may be megabytes.
  if (value.is_object()) {
    const auto type = value.find("type");
    if (type != value.end() && type->is_string()) return shown_bytes(type->get_ref<const std::string&>());
    return "an object";
  }
  if (value.is_string()) return shown_bytes(value.get_ref<const std::string&>());
  return value.type_name();
}

base::Result<TextSteps, TokenizerError> read_text_steps(const json& root) {
  const auto normalizer = read_normalizer(root);
  if (!normalizer) return Err{normalizer.error()};
  TextSteps out;
  bool marks_spaces = normalizer.value().replaces;
  if (Done done = read_pre_tokenizer(root, marks_spaces, out); !done) return Err{done.error()};
  const bool byte_level = out.kind == TokenizerKind::kByteLevelBpe;
  if (byte_level && (normalizer.value().prepends || normalizer.value().replaces)) {
    return fail(TokenizerCause::kUnsupported, "a normalizer with ByteLevel");
  }
  if (!byte_level && normalizer.value().to_nfc) return fail(TokenizerCause::kUnsupported, "NFC without ByteLevel");
  out.to_nfc = normalizer.value().to_nfc;
  if (!byte_level && !marks_spaces)
    return fail(TokenizerCause::kUnsupported, "no ByteLevel, and spaces left as they are");
  if (normalizer.value().prepends) {
    if (out.space_prefix != SpacePrefix::kNever) return fail(TokenizerCause::kUnsupported, "Prepend with Metaspace");
    out.space_prefix = SpacePrefix::kAlways;
  }
  return out;
}

base::Result<EndSteps, TokenizerError> read_end_steps(const json& root) {
  const auto steps = steps_of(root, "post_processor", "processors");
  if (!steps) return Err{steps.error()};
  EndSteps out;
  bool found = false;
  for (const json* step : steps.value()) {
    if (holds(*step, "type", "ByteLevel", false)) continue;  // changes offsets alone
    if (found || !holds(*step, "type", "TemplateProcessing", false)) return unsupported("post_processor", *step);
    if (Done done = read_template(*step, out); !done) return Err{done.error()};
    found = true;
  }
  return out;
}

}  // namespace avow::model
