// SPDX-License-Identifier: Apache-2.0
#include "requester/names.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/folder_testing.hpp"
#include "base/hex.hpp"
#include "requester/files.hpp"
#include "requester/requester_testing.hpp"

namespace avow::requester {
namespace {

using base::testing::ScratchFolder;
using testing::fine;
using testing::verdict;

const std::string kSomeId(64, 'a');

TEST(ModelNames, AreOfThisMachineAlone) {
  const ScratchFolder folder;
  const auto path = folder / "models.json";
  auto names = fine(ModelNames::read(path));
  EXPECT_TRUE(names.models().empty());
  EXPECT_EQ(verdict(names.resolve("stories")), "name");
  NamedModel stories;
  stories.id.fill(0x5a);
  stories.tokenizer = "/models/stories.avow.tokenizer";
  EXPECT_FALSE(names.add("stories", stories).has_value());
  EXPECT_FALSE(names.write(path).has_value());
  names = fine(ModelNames::read(path));
  EXPECT_EQ(fine(names.resolve("stories")), stories);
  EXPECT_EQ(fine(names.resolve(base::to_hex(stories.id))), stories) << "its tokenizer is found by its id, too";
  EXPECT_EQ(names.name_of(stories.id), "stories");
  const auto other = fine(names.resolve("0x" + kSomeId));
  EXPECT_EQ(base::to_hex(other.id), kSomeId);
  EXPECT_TRUE(other.tokenizer.empty());
}

TEST(ModelNames, AreKeptInAFileOfThePresentFolder) {
  const ScratchFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  EXPECT_FALSE(ModelNames().write("models.json").has_value());
  std::filesystem::current_path(before);
  EXPECT_TRUE(fine(ModelNames::read(folder / "models.json")).models().empty());
  EXPECT_TRUE(std::filesystem::exists(folder / "models.json"));
}

TEST(ModelNames, DoNotChangeTheirMeaning) {
  ModelNames names;
  EXPECT_FALSE(names.add("a", NamedModel{base::Digest{{1}}, {}, {}}).has_value());
  EXPECT_FALSE(names.add("a", NamedModel{base::Digest{{1}}, "t", {}}).has_value());
  EXPECT_TRUE(names.add("a", NamedModel{base::Digest{{2}}, {}, {}}).has_value());
  for (const std::string& name : {std::string(), std::string("a b"), std::string("\x1b[31m"), kSomeId,
                                  std::string(65, 'x'), std::string("a/b")}) {
    EXPECT_TRUE(names.add(name, NamedModel{}).has_value()) << name;
  }
}

TEST(ModelNames, RefuseFilesThatAreNoLists) {
  for (const std::string& text :
       {std::string("[]"), std::string("{}"), std::string(R"({"version": 2, "models": {}})"),
        std::string(R"({"version": 1, "models": {}, "more": 1})"), std::string(R"({"version": 1, "models": []})"),
        std::string(R"({"version": 1, "models": {"a": {"id": "12"}}})"),
        std::string(R"({"version": 1, "models": {"a": {}}})"),
        R"({"version": 1, "models": {"a b": {"id": ")" + kSomeId + "\"}}}",
        R"({"version": 1, "models": {"a": {"id": ")" + kSomeId + "\", \"x\": 1}}}"}) {
    EXPECT_EQ(verdict(ModelNames::parse(text)), "names") << text;
  }
  EXPECT_EQ(verdict(ModelNames::parse(R"({"version": 1, "models": {"a": {"id": ")" + kSomeId + "\"}}}")), "ok");
}

TEST(Tokenizers, AreRefusedWhereTheyAreAnotherModels) {
  const ScratchFolder folder;
  EXPECT_EQ(verdict(open_tokenizer(folder / "nowhere", {})), "file");
  EXPECT_FALSE(write_own_file(folder / "none", "nothing of the kind").has_value());
  EXPECT_EQ(verdict(open_tokenizer(folder / "none", {})), "tokenizer");
  const auto bytes = model::canonical_bytes(testing::test_model().contents.tokenizer);
  EXPECT_FALSE(
      write_own_file(folder / "good", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}).has_value());
  const auto digest = model::tokenizer_digest(testing::test_model().contents.tokenizer);
  EXPECT_EQ(verdict(open_tokenizer(folder / "good", digest)), "ok");
  EXPECT_EQ(verdict(open_tokenizer(folder / "good", base::Digest{})), "tokenizer");
}

TEST(Folders, FollowTheEnvironment) {
  const auto get = [](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
  };
  const std::string home = get("HOME");
  ::setenv("AVOW_HOME", "/somewhere", 1);
  EXPECT_EQ(fine(folders()).data, "/somewhere");
  EXPECT_EQ(fine(folders()).config, "/somewhere");
  ::unsetenv("AVOW_HOME");
  ::setenv("HOME", "/people/me", 1);
  ::unsetenv("XDG_DATA_HOME");
  ::setenv("XDG_CONFIG_HOME", "relative", 1);
  EXPECT_EQ(fine(folders()).data, "/people/me/.local/share/avow");
  EXPECT_EQ(fine(folders()).config, "/people/me/.config/avow") << "a relative one does not count";
  ::setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(fine(folders()).data, "/data/avow");
  ::unsetenv("XDG_DATA_HOME");
  ::unsetenv("XDG_CONFIG_HOME");
  ::unsetenv("HOME");
  EXPECT_EQ(verdict(folders()), "file");
  ::setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace avow::requester
