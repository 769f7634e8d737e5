// SPDX-License-Identifier: Apache-2.0
//
// What a requester and a registrar type, on a local chain. Answers are provers' matter: src/requester has their tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "chain/anvil_testing.hpp"
#include "chain/chain_testing.hpp"
#include "chain/keystore.hpp"
#include "command_testing.hpp"

namespace avow::app {
namespace {

using chain::testing::Anvil;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class OnLocalChain : public TestFolder {
 protected:
  void SetUp() override {
    if (!Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
    anvil = std::make_unique<Anvil>();
    ASSERT_TRUE(anvil->is_running());
    ::setenv("AVOW_RPC", anvil->url().c_str(), 1);
    ::setenv("AVOW_HOME", (folder / "home").c_str(), 1);
    ::setenv("AVOW_PASSPHRASE", "of a test", 1);
    keep("deployer", chain::testing::development_key(0));
    keep("me", chain::testing::good(chain::PrivateKey::generate()));
    keep("provider", chain::testing::good(chain::PrivateKey::generate()));
  }
  // A key file that is opened quickly.
  void keep(const std::string& name, const chain::PrivateKey& key) const {
    const chain::Secret passphrase(std::string_view("of a test"));
    EXPECT_TRUE(chain::write_key_file(folder / (name + ".json"), key, passphrase, {.n = 1 << 10}).ok());
  }
  void TearDown() override {
    for (const char* name : {"AVOW_RPC", "AVOW_HOME", "AVOW_PASSPHRASE"}) ::unsetenv(name);
    anvil.reset();
  }
  [[nodiscard]] std::string file(const std::string& name) const { return quoted(folder / name); }
  [[nodiscard]] std::string deployer() const { return " --key " + file("deployer.json"); }
  [[nodiscard]] std::string me() const { return " --key " + file("me.json"); }
  // Contracts, an account with money, and the bundled model under the name stories.
  void open_market() const {
    ASSERT_EQ(run_avow("market deploy" + deployer()).exit_code, 0);
    ASSERT_EQ(run_avow("wallet fund" + me()).exit_code, 0);
    ASSERT_EQ(run_avow("model import " + quoted(kModels + "stories260K/stories260K.gguf") + " --context 64 -o " +
                       file("stories.avow"))
                  .exit_code,
              0);
    const auto registered = json_of(registering());
    EXPECT_EQ(registered.at("was_registered"), false);
    EXPECT_GT(registered.at("gas"), 1'000'000);
  }
  [[nodiscard]] std::string registering() const {
    return "model register " + file("stories.avow") + " --level 100 --name stories" + deployer();
  }
  [[nodiscard]] std::string asking(const std::string& options) const {
    return "ask -m stories -p 'Once upon a time' -n 8 --max-price 2.5 " + options + me();
  }
  void mine(int blocks) const {
    for (int i = 0; i < blocks; ++i) anvil->tell("anvil_mine");
  }
  std::unique_ptr<Anvil> anvil;
};

TEST_F(OnLocalChain, AccountsAreMadeAndKept) {
  const auto made = run_avow("wallet new -o " + file("new.json"));
  EXPECT_EQ(made.exit_code, 0);
  EXPECT_EQ(run_avow("wallet address --key " + file("new.json")).output, made.output);
  EXPECT_EQ(run_avow("wallet new -o " + file("new.json")).exit_code, 3) << "a key is never replaced";
  EXPECT_EQ(run_avow("wallet address --key " + file("new.json")).output, made.output);
  EXPECT_EQ(run_avow("wallet address" + deployer()).output, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n");
  // Anvil's first well-known development key.
  put("first", std::string("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n"));
  const auto imported = run_avow("wallet import --from " + file("first") + " -o " + file("imported.json"));
  EXPECT_EQ(imported.output, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n");
  put("none", std::string("12\n"));
  EXPECT_EQ(run_avow("wallet import --from " + file("none") + " -o " + file("x.json")).exit_code, 2);
  EXPECT_EQ(run_avow("wallet import --from " + file("new.json") + " -o " + file("copy.json")).output, made.output);
  ::setenv("AVOW_PASSPHRASE", "another", 1);
  EXPECT_EQ(run_avow("wallet address --key " + file("new.json")).exit_code, 3);
  EXPECT_EQ(run_avow("wallet address").exit_code, 2) << "no key is named";
}

TEST_F(OnLocalChain, ContractsAreDeployedAndLookedAt) {
  const auto before = run_avow("market status", Stream::kError);
  EXPECT_EQ(before.exit_code, 1);
  EXPECT_THAT(before.output, HasSubstr("avow market deploy"));
  EXPECT_EQ(run_avow("doctor" + deployer()).exit_code, 1);
  const auto deployed = json_of("market deploy -o " + file("deployment.json") + deployer());
  EXPECT_EQ(deployed.at("is_known"), true) << "the first account of a fresh chain deploys where everybody looks";
  EXPECT_EQ(deployed.at("contracts").size(), 11);
  const auto status = json_of("market status");
  EXPECT_EQ(status.at("good"), true);
  EXPECT_EQ(status.at("delay_blocks"), 2);
  for (const auto& [name, contract] : status.at("contracts").items()) {
    EXPECT_EQ(contract.at("code"), "of this program") << name;
  }
  EXPECT_EQ(json_of("market status --deployment " + file("deployment.json")), status);
  EXPECT_EQ(run_avow("market status --rpc http://127.0.0.1:9").exit_code, 3);
  EXPECT_EQ(run_avow("market status --chain-id 31337").exit_code, 0);
  for (const std::string& command : {std::string("market status"), "market deploy" + deployer()}) {
    const CommandRun other = run_avow(command + " --chain-id 1", Stream::kError);
    EXPECT_EQ(other.exit_code, 3);
    EXPECT_THAT(other.output, AllOf(HasSubstr("31337"), HasSubstr("--rpc URL"), Not(HasSubstr("make devnet"))));
  }
  const auto again = json_of("market deploy -o " + file("second.json") + deployer());
  EXPECT_EQ(again.at("is_known"), false);
  EXPECT_EQ(json_of("market status --deployment " + file("second.json")).at("good"), true);
}

TEST_F(OnLocalChain, MoneyIsSentClaimedAndGivenAway) {
  open_market();
  EXPECT_EQ(json_of("wallet balance" + me()).at("tokens"), "1000");
  const std::string other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
  EXPECT_EQ(run_avow("wallet send 2.5 --to " + other + me()).exit_code, 0);
  EXPECT_EQ(json_of("wallet balance " + other).at("tokens"), "2.5");
  EXPECT_EQ(run_avow("wallet send 5000 --to " + other + me()).exit_code, 1) << "the token refuses";
  EXPECT_EQ(run_avow("wallet send x --to " + other + me()).exit_code, 2);
  EXPECT_EQ(run_avow("wallet send 1 --to 0x12" + me()).exit_code, 2);
  EXPECT_EQ(json_of("wallet claim" + deployer()).at("claimed").at(0).at("what"), "genesis");
  EXPECT_EQ(run_avow("wallet claim" + deployer()).output, "there is nothing to claim\n");
  EXPECT_EQ(run_avow("doctor" + me()).exit_code, 0);
}

TEST_F(OnLocalChain, ModelsAreRegisteredOnce) {
  open_market();
  EXPECT_EQ(json_of(registering()).at("was_registered"), true);
  const auto list = json_of("model list").at("models");
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list.at(0).at("name"), "stories");
  const auto id = list.at(0).at("model_id").get<std::string>();
  EXPECT_EQ(run_avow("model verify " + id + " " + file("stories.avow") + " --level 100").exit_code, 0);
  EXPECT_EQ(run_avow("price -m stories").exit_code, 0);
  // The name is this machine's alone.
  EXPECT_EQ(run_avow("price -m " + id).exit_code, 0);
  EXPECT_EQ(run_avow("price -m stories --models " + file("nowhere.json")).exit_code, 2);
  // A name is another model's: found before the registration is paid for.
  const auto other = "model register " + file("stories.avow") + " --level 128 --name stories" + deployer();
  EXPECT_NE(run_avow(other).exit_code, 0);
  EXPECT_EQ(json_of("model list").at("models").size(), 1);
}

TEST_F(OnLocalChain, RequestsArePostedShownAndTakenBack) {
  open_market();
  const auto posted = json_of(asking("--no-wait"));
  const auto id = posted.at("request_id").get<std::string>();
  ASSERT_EQ(id.size(), 64);
  const auto list = json_of("request list").at("requests");
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list.at(0).at("id"), id);
  EXPECT_EQ(list.at(0).at("status"), "open");
  EXPECT_EQ(list.at(0).at("refund_is_due"), false);
  const auto shown = run_avow("request show " + id.substr(0, 8));
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.output, HasSubstr("prompt     Once upon a time\n"));
  EXPECT_EQ(run_avow("request verify " + id).exit_code, 1) << "there is no answer";
  EXPECT_EQ(json_of("price -m stories").at("open").at(0).at("request_id"), id);
  EXPECT_EQ(run_avow("request refund " + id + me()).exit_code, 1) << "open";
  EXPECT_EQ(run_avow("request cancel " + id + deployer()).exit_code, 1) << "somebody else's";
  EXPECT_EQ(run_avow("request cancel " + id + me()).exit_code, 0);
  mine(1);
  EXPECT_THAT(run_avow("request list").output, HasSubstr("`avow request refund " + id.substr(0, 16)));
  // The records are lost; the chain has all that is needed.
  std::filesystem::remove_all(folder / "home" / "requests");
  EXPECT_EQ(json_of("request show " + id).at("status"), "cancelling");
  EXPECT_EQ(run_avow("request refund " + id + me()).exit_code, 0);
  EXPECT_EQ(json_of("wallet balance" + me()).at("tokens"), "1000");
  EXPECT_EQ(run_avow("request show " + std::string(64, '5')).exit_code, 1);
}

TEST_F(OnLocalChain, AsksThatNobodyAnswersEndWithTheMoney) {
  open_market();
  anvil->tell("evm_setIntervalMining", nlohmann::json::array({1}));
  const auto expired = run_avow(asking("--ramp 0 --deadline 3 --json"));
  EXPECT_EQ(expired.exit_code, 1);
  const auto json = nlohmann::json::parse(expired.output);
  EXPECT_EQ(json.at("status"), "refunded");
  EXPECT_EQ(json_of("wallet balance" + me()).at("tokens"), "1000");
  // Ctrl-C ends the waiting, and says how to go on.
  const std::string line =
      "timeout --foreground --preserve-status -s INT 6 \"" AVOW_BINARY "\" " + asking("--verify") + " 2>&1 >/dev/null";
  FILE* pipe = popen(line.c_str(), "r");  // NOLINT(cert-env33-c): constants of this file
  ASSERT_NE(pipe, nullptr);
  std::string said(1 << 16, '\0');
  said.resize(std::fread(said.data(), 1, said.size(), pipe));
  EXPECT_EQ(WEXITSTATUS(pclose(pipe)), 3);
  EXPECT_THAT(said, HasSubstr("avow request cancel"));
  EXPECT_EQ(json_of("request list").at("requests").at(0).at("status"), "open") << "it stands";
}

// A provider in the background, until the object ends.
class BackgroundProvider {
 public:
  explicit BackgroundProvider(const std::string& arguments)
      : pipe_(popen(("echo $$; exec \"" AVOW_BINARY "\" serve " + arguments + " 2>&1").c_str(), "r")) {
    if (pipe_ == nullptr || std::fgets(line_.data(), static_cast<int>(line_.size()), pipe_) == nullptr) return;
    process_ = static_cast<pid_t>(std::strtol(line_.data(), nullptr, 10));
    while (!is_ready_ && std::fgets(line_.data(), static_cast<int>(line_.size()), pipe_) != nullptr) {
      is_ready_ = std::string(line_.data()).find("service.ready") != std::string::npos;
    }
  }
  ~BackgroundProvider() {
    if (process_ > 0) ::kill(process_, SIGTERM);
    if (pipe_ == nullptr) return;
    while (std::fgets(line_.data(), static_cast<int>(line_.size()), pipe_) != nullptr) continue;
    pclose(pipe_);
  }
  BackgroundProvider(const BackgroundProvider&) = delete;
  BackgroundProvider& operator=(const BackgroundProvider&) = delete;
  [[nodiscard]] bool is_ready() const { return is_ready_; }

 private:
  FILE* pipe_;
  std::array<char, 4096> line_{};
  pid_t process_ = -1;
  bool is_ready_ = false;
};

TEST_F(OnLocalChain, AnswersComeWithProofsThatAreCheckedHere) {
  open_market();
  ASSERT_EQ(run_avow("wallet fund --key " + file("provider.json")).exit_code, 0);
  anvil->tell("evm_setIntervalMining", nlohmann::json::array({1}));
  const BackgroundProvider provider(file("stories.avow") + " --level 100 --listen - --poll-millis 200 --journal " +
                                    file("journal") + " --key " + file("provider.json"));
  ASSERT_TRUE(provider.is_ready());
  const auto asked = run_avow(asking("--verify"));
  EXPECT_EQ(asked.exit_code, 0);
  EXPECT_EQ(asked.output, ", there was a little girl\n") << "the answer alone is the output";
  const auto id = json_of("request list").at("requests").at(0).at("id").get<std::string>();
  const auto checked = json_of("request verify " + id);
  EXPECT_EQ(checked.at("holds"), true);
  EXPECT_GE(checked.at("security_bits"), 100);
  EXPECT_EQ(checked.at("answer").at("answer"), ", there was a little girl");
  const auto followed = run_avow("request show --follow " + id);
  EXPECT_THAT(followed.output, HasSubstr("prompt: Once upon a time\nanswer: , there was a little girl\n"));
  const auto other = json_of(asking("--temperature 0.8 --seed 2a"));
  EXPECT_EQ(other.at("status"), "fulfilled");
  EXPECT_GT(other.at("requester_gas"), 50'000);
  EXPECT_FALSE(other.contains("holds")) << "it was not checked";
  EXPECT_EQ(json_of("price -m stories -n 64").at("payments").size(), 2);
  EXPECT_EQ(run_avow("request cancel " + id + me()).exit_code, 1) << "it is paid";
}

TEST_F(OnLocalChain, AsksAreRefusedBeforeAnythingIsSent) {
  open_market();
  const auto code = [&](const std::string& options) { return run_avow("ask " + options + me()).exit_code; };
  const std::string some = "-p x -n 8 --max-price 1 ";
  EXPECT_EQ(code("-m nobody " + some), 2);
  EXPECT_EQ(code("-m " + std::string(64, 'a') + " " + some), 1) << "not registered";
  EXPECT_EQ(code("-m stories -p x -n 8 --max-price 1,5"), 2);
  EXPECT_EQ(code("-m stories -p x -n 8 --max-price 0"), 2);
  EXPECT_EQ(code("-m stories -p x -n 8 --max-price 5000"), 3) << "more than there is";
  EXPECT_EQ(code("-m stories -p x -n 80 --max-price 1"), 2) << "beyond the context";
  EXPECT_EQ(code("-m stories " + some + "--min-price 2"), 2);
  EXPECT_EQ(code("-m stories " + some + "--bump 1"), 2);
  EXPECT_EQ(code("-m stories " + some + "--lock-duration 30"), 2);
  EXPECT_EQ(code("-m stories " + some + "--tokenizer nowhere"), 3);
  EXPECT_EQ(code("-m stories " + some + "--top-k 5"), 2);
  EXPECT_EQ(code("-m stories " + some + "--verify --no-wait"), 2);
  EXPECT_EQ(code("-m stories " + some + "--bump 9 --no-wait"), 2) << "nobody would raise the price";
  EXPECT_TRUE(json_of("request list").at("requests").empty());
  EXPECT_EQ(json_of("wallet balance" + me()).at("transactions"), 0);
}

TEST(Help, TeachesEachCommandWithAnExample) {
  for (const char* command :
       {"ask", "request list", "request show", "request verify", "request cancel", "request refund", "price",
        "wallet new", "wallet import", "wallet address", "wallet balance", "wallet send", "wallet claim", "wallet fund",
        "market deploy", "market status", "model register", "model list", "doctor"}) {
    const auto help = run_avow(std::string(command) + " --help");
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_THAT(help.output, HasSubstr("Example")) << command;
    EXPECT_THAT(help.output, HasSubstr(std::string("avow ") + command)) << command;
  }
}

}  // namespace
}  // namespace avow::app
