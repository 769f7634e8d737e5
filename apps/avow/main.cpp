// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "base/threads.hpp"
#include "commands.hpp"

int main(int argc, char** argv) {
  CLI::App app{
      "Avow: AI answers that can be checked.\n\nExit codes: 0 good, 1 the answer is no, 2 wrong use, 3 the "
      "environment."};
  app.name("avow");
  app.set_version_flag("--version", AVOW_VERSION);
  app.require_subcommand(1);
  std::size_t threads = 0;
  app.add_option("--threads", threads, "Threads to use (default: all cores)")->check(CLI::Range(1, 4096));

  int exit_code = avow::app::kGood;
  app.parse_complete_callback([&] {
    if (threads != 0) avow::base::set_thread_count(threads);
  });
  avow::app::add_bench(app, exit_code);
  avow::app::add_pcs(app, exit_code);
  avow::app::add_model(app, exit_code);
  avow::app::add_run(app, exit_code);
  avow::app::add_prove(app, exit_code);
  avow::app::add_verify(app, exit_code);
  avow::app::add_ask(app, exit_code);
  avow::app::add_request(app, exit_code);
  avow::app::add_price(app, exit_code);
  avow::app::add_wallet(app, exit_code);
  avow::app::add_market(app, exit_code);
  avow::app::add_doctor(app, exit_code);
  avow::app::add_serve(app, exit_code);
  avow::app::add_figures(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? avow::app::kGood : avow::app::kWrongUse;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "avow: not enough memory for this size; try a smaller one\n");
    return avow::app::kEnvironment;
  } catch (const std::exception& error) {
    // Of files and streams: what can be foreseen has a sentence of its own where it happens.
    fmt::print(stderr, "avow: {}\n", error.what());
    return avow::app::kEnvironment;
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fmt::print(stderr, "avow: the output could not be written\n");
    return avow::app::kEnvironment;
  }
  return exit_code;
}
