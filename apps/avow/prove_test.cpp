// SPDX-License-Identifier: Apache-2.0
//
// `avow prove`, `avow verify`, `avow model commit` and `avow model verify`, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <numeric>
#include <string>

#include "base/hex.hpp"
#include "base/test_stride.hpp"
#include "command_testing.hpp"
#include "hash/keccak.hpp"
#include "verifier/key.hpp"

namespace avow::app {
namespace {

using ::testing::HasSubstr;

const std::string kPayee = "00000000000000000000000000000000000000ab";

class Proofs : public TestFolder {
 protected:
  void SetUp() override {
    model = quoted(folder / "model.avow");
    const auto run =
        run_avow("model import " + quoted(kModels + "stories260K/stories260K.gguf") + " -o " + model + " --context 64");
    ASSERT_EQ(run.exit_code, 0);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return quoted(folder / name); }
  CommandRun prove(const std::string& options, Stream stream = Stream::kOut) const {
    return run_avow("prove " + model + " --level 100 --tree-only -o " + file("proof") + " " + options, stream);
  }
  CommandRun verify(const std::string& options = "", Stream stream = Stream::kOut) const {
    return run_avow("verify " + file("proof") + " " + options, stream);
  }
  std::string model;
};

TEST_F(Proofs, TellPromptAndAnswerToWhoHasNoModel) {
  const auto proven = prove("-p 'Once upon a time' -n 8 --payee 0x" + kPayee + " --chain-id 7a69 --request-id 5");
  ASSERT_EQ(proven.exit_code, 0);
  EXPECT_EQ(proven.output, ", there was a little girl\n");
  std::filesystem::remove(folder / "model.avow");
  const auto text = verify("--tokenizer " + file("model.avow.tokenizer"));
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.output, HasSubstr("prompt: Once upon a time\nanswer: , there was a little girl\n"));
  EXPECT_THAT(text.output, HasSubstr("asked:  at most 8 tokens, greedy, stop tokens: 2\n"));
  EXPECT_THAT(text.output, HasSubstr("8 tokens, ends at the length asked for"));
  const auto json = json_of("verify " + file("proof"));
  EXPECT_EQ(json.at("holds"), true);
  EXPECT_EQ(json.at("payee"), kPayee);
  EXPECT_EQ(json.at("answers").at(0).at("request_id").get<std::string>().substr(62), "05");
  EXPECT_EQ(json.at("chain_id").get<std::string>().substr(56), "00007a69");
  EXPECT_GE(json.at("security_bits"), 100);
  EXPECT_EQ(json.at("answers").at(0).at("ids").size(), 8);
  // Where it may be cut, for a chain: all of it but the header.
  const auto sections = json.at("sections").get<std::vector<std::size_t>>();
  EXPECT_EQ(std::accumulate(sections.begin(), sections.end(), std::size_t{8}), json.at("proof_bytes"));

  // Without a tokenizer there are ids; another model's does not do.
  const auto ids = verify();
  EXPECT_THAT(ids.output, HasSubstr("prompt: 1 403 407 261 378\nanswer: 432 383"));
  EXPECT_THAT(ids.output, HasSubstr("payee " + kPayee));
  put("other", std::string("nothing of the kind"));
  const auto none = verify("--tokenizer " + file("other"), Stream::kError);
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.output, HasSubstr("is no tokenizer file"));
  EXPECT_EQ(verify("--tokenizer nowhere").exit_code, 3);
  ASSERT_EQ(run_avow("model import " + quoted(kModels + "babyllama105/babyllama105-F16.gguf") + " --context 16 -o " +
                     file("other.avow"))
                .exit_code,
            0);
  const auto foreign = verify("--tokenizer " + file("other.avow.tokenizer"), Stream::kError);
  EXPECT_EQ(foreign.exit_code, 2);
  EXPECT_THAT(foreign.output, HasSubstr("tokenizer of another model"));

  // The model that is meant, and another.
  const std::string id = json.at("model_id");
  EXPECT_EQ(verify("--model-id " + id).exit_code, 0);
  const auto other = verify("--model-id 00" + id.substr(2));
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr("does not hold: it is of model " + id));
  EXPECT_EQ(verify("--model-id " + id.substr(2)).exit_code, 2);
  EXPECT_EQ(verify("--model-id ''").exit_code, 2);
  const auto explained = verify("--explain").output;
  for (const char* round : {"alpha ", "lookup argument, each round", "sumcheck, each round", "Shift(i=1)", "fin "}) {
    EXPECT_THAT(explained, HasSubstr(round));
  }

  // Every part of the file matters.
  std::ifstream stream(folder / "proof", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  for (const std::size_t at : {std::size_t{3}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    put("proof", changed);
    const auto run = verify();
    EXPECT_EQ(run.exit_code, 1) << at;
    EXPECT_THAT(run.output, HasSubstr("does not hold: ")) << at;
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, bytes.size() - 1}) {
    put("proof", bytes.substr(0, length));
    const auto run = verify();
    EXPECT_EQ(run.exit_code, 1) << length;
    EXPECT_THAT(run.output, HasSubstr("the file ends too soon")) << length;
  }
  put("proof", bytes + "x");
  EXPECT_EQ(verify().exit_code, 1);
  put("proof", "a letter to Lily");
  EXPECT_THAT(verify().output, HasSubstr("this is no proof file"));
  std::filesystem::remove(folder / "proof");
  EXPECT_EQ(verify().exit_code, 3);
}

TEST_F(Proofs, OfSeveralPromptsAreOne) {
  if (base::kTestStride > 1) GTEST_SKIP() << "slow";
  ASSERT_EQ(prove("-p 'One day' -p 'The cat' -n 6 --temperature 0.8 --top-k 40 --seed 2a").exit_code, 0);
  const auto json = json_of("verify " + file("proof") + " --tokenizer " + file("model.avow.tokenizer"));
  ASSERT_EQ(json.at("answers").size(), 2);
  EXPECT_EQ(json.at("answers").at(0).at("prompt"), "One day");
  EXPECT_EQ(json.at("answers").at(1).at("prompt"), "The cat");
  // What was asked for is shown: the same prompt with another seed has another answer, just as well proven.
  EXPECT_EQ(json.at("answers").at(0).at("top_k"), 40);
  EXPECT_EQ(json.at("answers").at(0).at("seed").get<std::string>().substr(60), "002a");
  EXPECT_EQ(json.at("answers").at(0).at("prompt_is_plain"), true);
  EXPECT_THAT(verify().output, HasSubstr("at most 6 tokens, temperature 0.8 (tau 5120), top-k 40, seed 00"));
  const auto run = json_of("run " + model + " -p 'The cat' -n 6 --temperature 0.8 --top-k 40 --seed 2a");
  EXPECT_EQ(json.at("answers").at(1).at("ids"), run.at("ids"));
}

TEST_F(Proofs, SayBeforeTheyAreMadeWhatCannotBe) {
  const auto reason = [&](int code, const std::string& options) {
    const auto run = prove(options, Stream::kError);
    EXPECT_EQ(run.exit_code, code) << options << run.output;
    EXPECT_FALSE(std::filesystem::exists(folder / "proof")) << options;
    return run.output;
  };
  EXPECT_THAT(reason(2, "-p 'Once upon a time' -n 64"), HasSubstr("--context"));
  EXPECT_THAT(reason(3, "-p 'Once upon a time' -n 8 --memory 0.01"), HasSubstr("fewer"));
  EXPECT_THAT(reason(2, "-p a -n 8 --seed 2a"), HasSubstr("--temperature"));
  EXPECT_THAT(reason(2, "-p a -n 8 --payee xyz"), HasSubstr("--payee"));
  EXPECT_THAT(reason(2, "-p a -n 8 --payee 0x12"), HasSubstr("40 hexadecimal digits"));
  EXPECT_THAT(reason(2, "-p a -n 8 --chain-id 0x"), HasSubstr("--chain-id"));
  EXPECT_THAT(reason(2, "-p a -p b -n 8 --request-id 1 --request-id 01"), HasSubstr("same --request-id"));
  EXPECT_THAT(reason(2, "-p a -n 8 --request-id 1 --request-id 2"), HasSubstr("--request-id"));
  EXPECT_THAT(reason(2, "-p a -n 8 --payee ''"), HasSubstr("empty"));
  EXPECT_THAT(reason(3, "--file nowhere -n 8"), HasSubstr("nowhere"));
  EXPECT_THAT(reason(2, "-p a -n 8 --cache " + model), HasSubstr("is the model"));
  EXPECT_EQ(prove("-n 8").exit_code, 2);
  const auto over = run_avow("prove " + model + " --level 100 -p a -n 2 -o " + model, Stream::kError);
  EXPECT_EQ(over.exit_code, 2);
  EXPECT_THAT(over.output, HasSubstr("is the model"));
  EXPECT_EQ(run_avow("model show " + model).exit_code, 0);
  const auto nowhere = run_avow("prove " + model + " --level 100 -p a -n 2 -o " + file("none/proof"), Stream::kError);
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.output, HasSubstr("cannot be written"));
}

TEST_F(Proofs, OfModelsWhoseIdsFollowFromTheirFiles) {
  const auto first = json_of("model commit --level 100 " + model);
  EXPECT_EQ(json_of("model commit --level 100 " + model), first);
  const std::string id = first.at("model_id"), content = first.at("content_id");
  EXPECT_EQ(run_avow("model verify " + id + " " + model + " --level 100").exit_code, 0);
  const auto by_content = run_avow("model verify " + content + " " + model + " --level 100", Stream::kError);
  EXPECT_EQ(by_content.exit_code, 1);
  EXPECT_THAT(by_content.output, HasSubstr("content's id"));
  EXPECT_EQ(run_avow("model verify " + content + " " + model + " --level 100 --content").exit_code, 0);
  const auto other = run_avow("model verify 00" + id.substr(2) + " " + model + " --level 100", Stream::kError);
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr("is not the id of"));
  // Other proofs are expected of it: other parameters, and another id.
  const std::string usual = " --level 100 --usual-requests 16";
  const auto batches = json_of("model commit" + usual + " " + model);
  EXPECT_NE(batches.at("model_id"), id);
  EXPECT_EQ(batches.at("content_id"), content);
  EXPECT_EQ(run_avow("model verify " + batches.at("model_id").get<std::string>() + " " + model + usual).exit_code, 0);
  EXPECT_EQ(run_avow("model verify " + id + " " + model + usual).exit_code, 1);
  EXPECT_EQ(run_avow("model commit --usual-requests 65 " + model).exit_code, 2);
  EXPECT_EQ(run_avow("model verify cat " + model).exit_code, 2);
  EXPECT_EQ(run_avow("model verify " + id.substr(1) + " " + model).exit_code, 2);
  // What a chain is given of the model: the program is the one whose hash the key has.
  EXPECT_EQ(run_avow("model commit --level 100 " + model + " --key " + file("key") + " --program " + file("program"))
                .exit_code,
            0);
  const auto bytes_of = [&](const std::string& name) {
    std::ifstream stored(folder / name, std::ios::binary);
    return base::Bytes((std::istreambuf_iterator<char>(stored)), {});
  };
  const auto key = verifier::read_key(bytes_of("key"));
  ASSERT_TRUE(key) << to_string(key.error());
  EXPECT_EQ(base::to_hex(verifier::model_id(key.value())), id);
  EXPECT_EQ(hash::keccak256(bytes_of("program")), verifier::program_digest(key.value().statement));
  EXPECT_EQ(run_avow("model commit --level 100 " + model + " --program " + model, Stream::kError).exit_code, 2);
  EXPECT_EQ(
      run_avow("model commit --level 100 " + model + " --key " + file("k") + " --program " + file("k"), Stream::kError)
          .exit_code,
      2);
  // What others will read does not rest on a file that lies there.
  EXPECT_EQ(run_avow("model commit --level 100 " + model + " --key " + model, Stream::kError).exit_code, 2);
  EXPECT_EQ(run_avow("model show " + model).exit_code, 0);
  put("letter", "a letter to Lily");
  const auto letter = run_avow("model commit --level 100 " + model + " --cache " + file("letter"), Stream::kError);
  EXPECT_THAT(letter.output, HasSubstr("left alone"));
  EXPECT_EQ(std::filesystem::file_size(folder / "letter"), 16);
  // A damaged cache is told of and made anew.
  const auto cache = folder / "model.avow.100.commitment";
  ASSERT_TRUE(std::filesystem::exists(cache));
  std::filesystem::resize_file(cache, 1000);
  const auto again = run_avow("prove --level 100 -p a -n 1 -o " + file("proof") + " " + model, Stream::kError);
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.output, HasSubstr("commitment"));
  EXPECT_EQ(json_of("model commit --level 100 " + model), first);
}

}  // namespace
}  // namespace avow::app
