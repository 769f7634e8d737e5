// SPDX-License-Identifier: Apache-2.0
//
// `avow model import`, `avow model evaluate` and `avow run`, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/test_stride.hpp"
#include "command_testing.hpp"

namespace avow::app {
namespace {

using ::testing::HasSubstr;

const std::string kStories = kModels + "stories260K/stories260K.gguf";

class IntegerModels : public TestFolder {
 protected:
  [[nodiscard]] std::string import(const std::string& from, const std::string& options = "") const {
    std::string to = quoted(folder / "model.avow");
    const CommandRun run = run_avow("model import " + quoted(from) + " -o " + to + " " + options);
    EXPECT_EQ(run.exit_code, 0);
    return to;
  }
};

TEST_F(IntegerModels, TellTheSameStoryEverywhere) {
  const std::string model = import(kStories);
  const CommandRun run = run_avow("run " + model + " -p 'Once upon a time' -n 40");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.output,
            ", there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red "
            "ball.\n");
  const auto shown = json_of("model show " + model);
  EXPECT_EQ(shown.at("id"), "f8910dbd92dd31fa49c345866a9c21af1fa0cc5a718d8d653df13ebafbd9e3e0");
  EXPECT_EQ(shown.at("plan").at("layers"), 5);
  EXPECT_LT(shown.at("statement").at("bytes"), 8192);
  EXPECT_THAT(run_avow("model show " + model).output, HasSubstr("query_weights"));
}

TEST_F(IntegerModels, DrawTheSameTokensFromTheSameSeed) {
  const std::string run =
      "run " + import(kStories) + " -p 'Once upon a time' -n 20 --temperature 0.9 --top-k 40 --top-p 0.95 ";
  const auto first = json_of(run + "--seed 2a"), again = json_of(run + "--seed 2a"), other = json_of(run + "--seed 2b");
  EXPECT_EQ(first.at("ids"), again.at("ids"));
  EXPECT_NE(first.at("ids"), other.at("ids"));
  EXPECT_EQ(first.at("ids").size(), 20);
  EXPECT_EQ(first.at("end"), "length");
  // A seed of one's own is told, so that the run can be repeated.
  const auto random = json_of(run);
  EXPECT_EQ(json_of(run + "--seed " + random.at("seed").get<std::string>()).at("ids"), random.at("ids"));
}

TEST_F(IntegerModels, PredictAsTheirOriginalsDo) {
  const std::string text = put("text",
                               "Once upon a time, there was a little girl named Lily. She loved to play outside. "
                               "One day, she saw a big dog in the park. The dog was very happy.");
  std::vector<std::string> names = {"stories260K/stories260K.gguf", "babyllama105/babyllama105-F16.gguf", "gpt2-tiny"};
  if (base::kTestStride > 1) names.resize(1);
  for (const std::string& name : names) {
    const std::string original = quoted(kModels + name);
    std::string command = "model evaluate ";
    command.append(import(kModels + name)).append(" --original ").append(original).append(" --text ").append(text);
    const auto result = json_of(command);
    EXPECT_GT(result.at("predictions"), 30) << name;
    EXPECT_NEAR(result.at("ratio").get<double>(), 1, 0.005) << name;
    EXPECT_LT(result.at("kl").get<double>(), 1e-3) << name;
    EXPECT_GT(result.at("top1_agreement").get<double>(), 0.95) << name;
    const double ratio = result.at("perplexity_integer").get<double>() / result.at("perplexity_float").get<double>();
    EXPECT_NEAR(result.at("ratio").get<double>(), ratio, 1e-9);
  }
}

TEST_F(IntegerModels, AnswerToTheEndOfTheirContext) {
  const std::string model = import(kStories, "--context 16");
  const auto run = json_of("run " + model + " -p 'Once upon a time'");
  EXPECT_EQ(run.at("end"), "context");
  EXPECT_EQ(run.at("prompt_ids").size() + run.at("ids").size(), 17);
  const CommandRun longer = run_avow(
      "run " + model + " -p 'Once upon a time there was a girl, and a dog, and a cat, and a bird'", Stream::kError);
  EXPECT_EQ(longer.exit_code, 2);
  EXPECT_THAT(longer.output, HasSubstr("the model takes 16"));
}

TEST_F(IntegerModels, SayWhyNot) {
  const std::string model = import(kStories);
  const auto fails = [](const std::string& arguments, int code, const std::string& text) {
    const CommandRun run = run_avow(arguments, Stream::kError);
    EXPECT_EQ(run.exit_code, code) << arguments;
    EXPECT_THAT(run.output, HasSubstr(text)) << arguments;
  };
  const std::string text = put("text", "Once upon a time"), damaged = quoted(folder / "damaged.avow");
  std::filesystem::copy_file(folder / "model.avow", folder / "damaged.avow");
  std::filesystem::resize_file(folder / "damaged.avow", 100000);
  fails("run nowhere.avow -p x", 3, "cannot be opened");
  fails("run " + damaged + " -p x", 1, "the file has 100000 of");
  fails("run " + quoted(kStories) + " -p x", 1, "avow model import");
  fails("run " + model, 2, "");
  fails("run " + model + " -p x --temperature 0.1", 2, "--temperature");
  fails("run " + model + " -p x --temperature 1 --top-p 0", 2, "--top-p");
  fails("run " + model + " -p x --temperature 1 --top-k 100000", 2, "");
  fails("run " + model + " -p x --temperature 1 --seed xyz", 2, "--seed");
  fails("run " + model + " -p x --chat", 2, "");
  fails("run " + model + " --file nowhere", 3, "cannot be read");
  fails("run " + model + " --file " + quoted(folder.path()), 3, "cannot be read");
  EXPECT_EQ(run_avow("model show " + model + " >/dev/full").exit_code, 3);
  fails("model import nowhere.gguf -o " + model, 3, "cannot be opened");
  fails("model import " + quoted(kStories) + " -o nowhere/model.avow", 3, "cannot be created");
  fails("model import " + quoted(kStories) + " -o " + model + " --context 1000000", 1, "");
  fails("model evaluate " + model + " --original " + quoted(kModels + "gpt2-tiny") + " --text " + text, 2,
        "vocabulary");
  fails("model evaluate " + model + " --original " + quoted(kStories) + " --text " + put("short", ""), 2, "two tokens");
  fails("model show " + damaged, 1, "the file has 100000 of");
  // A file that could not be made leaves the old one as it was.
  EXPECT_EQ(run_avow("model show " + model).exit_code, 0);
}

}  // namespace
}  // namespace avow::app
