// SPDX-License-Identifier: Apache-2.0
#include "command_testing.hpp"

namespace avow::app {
namespace {

class Serve : public TestFolder {};

TEST_F(Serve, ShowsHowItIsStartedAndConfigured) {
  const CommandRun run = run_avow("serve --help");
  EXPECT_EQ(run.exit_code, 0);
  for (const char* text : {"avow serve stories.avow --rpc", "# provider.toml", "models = [", "--dry-run", "--listen",
                           "--max-bonds", "/healthz"}) {
    EXPECT_NE(run.output.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(run.output.find("--stop-after"), std::string::npos) << "for tests alone";
}

TEST_F(Serve, SaysWhatIsMissingOrWrong) {
  const auto expect = [&](const std::string& arguments, int code, const std::string& text) {
    const CommandRun run = run_avow("serve " + arguments, Stream::kError);
    EXPECT_EQ(run.exit_code, code) << arguments << ": " << run.output;
    EXPECT_NE(run.output.find(text), std::string::npos) << arguments << ": " << run.output;
  };
  expect("", 2, "name a model");
  expect("x.avow", 2, "--key");
  expect("x.avow --key k --max-bond 1e5", 2, "--max-bond");
  expect("x.avow --key k --coin-price 1.0000001", 2, "--coin-price");
  expect("x.avow --key k --coin-price 99999999999999999999", 2, "--coin-price");
  expect("x.avow --key k --lock perhaps", 2, "--lock");
  expect("x.avow --key k --stop-after tomorrow", 2, "--stop-after");
  expect("x.avow --key k --max-batch 65", 2, "--max-batch");
  const std::string none = quoted(folder / "none.json");
  expect("x.avow --key " + none + " --passphrase-file " + put("pass", "secret\n"), 3, "none.json");
}

TEST_F(Serve, ReadsAConfigurationFile) {
  const std::string pass = put("pass", "secret\n");
  const auto expect = [&](const std::string& config, const std::string& arguments, int code, const std::string& text) {
    const CommandRun run = run_avow("serve --config " + put("provider.toml", config) + ' ' + arguments, Stream::kError);
    EXPECT_EQ(run.exit_code, code) << config << ": " << run.output;
    EXPECT_NE(run.output.find(text), std::string::npos) << config << ": " << run.output;
  };
  const std::string good = "models = [\"a.avow\", \"b.avow\"]\nkey = \"from-file.json\"\npassphrase-file = " + pass +
                           "\nlog-json = true\nmax-batch = 4\ncompute-price = \"2.5\"\n";
  expect(good, "", 3, "from-file.json");
  expect(good, "--key from-line.json", 3, "from-line.json");
  expect(good + "max-bond = \"much\"\n", "", 2, "--max-bond much");
  expect(good + "max-bond = \"much\"\n", "--max-bond 5", 3, "from-file.json");
  expect("max-bonf = 5\n", "", 2, "'max-bonf' is no option");
  expect("[prices]\nmax-bond = 5\n", "", 2, "is no option");
  expect("max-batch = 65\n", "", 2, "--max-batch");
  expect("lock = \"perhaps\"\n", "", 2, "--lock");
  const CommandRun none = run_avow("serve --config " + quoted(folder / "none.toml"), Stream::kError);
  EXPECT_EQ(none.exit_code, 2) << none.output;
  EXPECT_NE(none.output.find("none.toml"), std::string::npos) << none.output;
}

}  // namespace
}  // namespace avow::app
