// SPDX-License-Identifier: Apache-2.0
#include "requester/book.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/folder_testing.hpp"
#include "base/hex.hpp"
#include "requester/request_json.hpp"
#include "requester/requester_testing.hpp"
#include "requester/session.hpp"

namespace avow::requester {
namespace {

using base::testing::ScratchFolder;
using testing::example_request;
using testing::fine;
using testing::verdict;

market::Deployment example_deployment() {
  market::Deployment deployment;
  deployment.chain_id = 31337;
  deployment.contracts.fill(chain::Address{{9}});
  return deployment;
}

Record example_record(std::uint64_t nonce = 7) {
  Record record;
  record.request = example_request();
  record.request.nonce = nonce;
  record.chain_id = 31337;
  record.market = chain::Address{{9}};
  record.id = market::id_of(record.request, record.chain_id, record.market);
  record.posted_at = 1'000 + nonce;
  record.from_block = 12;
  record.transactions = {{"approve", base::Digest{{1}}, {1, 2}}, {"request", base::Digest{{2}}, {}}};
  record.model = "stories";
  record.prompt = "Once \"upon\" a time\n";
  return record;
}

TEST(RequestJson, ComesBackAsItWas) {
  const market::Request request = example_request();
  EXPECT_EQ(fine(parse_request(nlohmann::json::parse(to_json(request).dump()))), request);
}

TEST(RequestJson, RefusesWhatIsMissingUnknownOrTooLarge) {
  const nlohmann::json good = nlohmann::json::parse(to_json(example_request()).dump());
  for (const auto& [key, value] : good.items()) {
    auto json = good;
    json.erase(key);
    EXPECT_EQ(verdict(parse_request(json)), "record") << key;
  }
  for (const char* part : {"offer", "sampling"}) {
    for (const auto& [key, value] : good[part].items()) {
      auto json = good;
      json[part].erase(key);
      EXPECT_EQ(verdict(parse_request(json)), "record") << key;
    }
  }
  const auto changed = [&](const char* pointer, const nlohmann::json& value) {
    auto json = good;
    json[nlohmann::json::json_pointer(pointer)] = value;
    return verdict(parse_request(json));
  };
  EXPECT_EQ(changed("/more", 1), "record");
  EXPECT_EQ(changed("/offer/more", 1), "record");
  EXPECT_EQ(changed("/maxNewTokens", std::uint64_t{1} << 32), "record");
  EXPECT_EQ(changed("/maxNewTokens", -1), "record");
  EXPECT_EQ(changed("/offer/basePermille", 65'536), "record");
  EXPECT_EQ(changed("/offer/maxPrice", 30), "record");
  EXPECT_EQ(changed("/offer/maxPrice", "-1"), "record");
  EXPECT_EQ(changed("/requester", "0x12"), "record");
  EXPECT_EQ(changed("/modelId", "1122"), "record");
  EXPECT_EQ(changed("/sampling", "x"), "record");
  EXPECT_EQ(verdict(parse_request(nlohmann::json::array())), "record");
}

TEST(Record, ComesBackAsItWas) {
  Record record = example_record();
  EXPECT_EQ(fine(parse_record(to_text(record))), record);
  record.replaced = base::Digest{{5}};
  EXPECT_EQ(fine(parse_record(to_text(record))), record);
}

TEST(Record, OfAnotherRequestThanItsIdSaysIsNone) {
  Record record = example_record();
  record.request.max_new_tokens = 6;
  EXPECT_EQ(verdict(parse_record(to_text(record))), "record");
  record = example_record();
  record.chain_id = 1;
  EXPECT_EQ(verdict(parse_record(to_text(record))), "record");
}

TEST(Record, IsRefusedCutAtEveryLength) {
  const std::string text = to_text(example_record());
  for (std::size_t length = 0; length + 2 < text.size(); length += 7) {
    EXPECT_EQ(verdict(parse_record(text.substr(0, length))), "record") << length;
  }
}

TEST(RequestBook, KeepsRecordsForTheirOwnerAlone) {
  const ScratchFolder folder;
  const RequestBook book(folder / "requests");
  EXPECT_TRUE(fine(book.all()).records.empty());
  EXPECT_EQ(verdict(book.read(example_record().id)), "unknown");
  for (const std::uint64_t nonce : {3U, 9U, 5U}) EXPECT_FALSE(book.write(example_record(nonce)).has_value());
  const auto listed = fine(book.all());
  ASSERT_EQ(listed.records.size(), 3U);
  EXPECT_EQ(listed.records[0], example_record(9)) << "newest first";
  EXPECT_EQ(listed.records[2], example_record(3));
  EXPECT_EQ(fine(book.read(example_record(5).id)), example_record(5));
  for (const auto& entry : std::filesystem::directory_iterator(book.folder())) {
    EXPECT_EQ(entry.status().permissions() & std::filesystem::perms::others_all, std::filesystem::perms::none);
    EXPECT_EQ(entry.status().permissions() & std::filesystem::perms::group_all, std::filesystem::perms::none);
  }
  const auto deployment = example_deployment();
  EXPECT_EQ(fine(book.highest_nonce(example_request().requester, deployment)), chain::U256(9));
  EXPECT_EQ(fine(book.highest_nonce(chain::Address{{8}}, deployment)), std::nullopt);
}

TEST(RequestBook, SaysWhichFilesAreNoRecords) {
  const ScratchFolder folder;
  const RequestBook book(folder / "requests");
  EXPECT_FALSE(book.write(example_record()).has_value());
  std::ofstream(book.folder() / "other.json") << "{}";
  std::ofstream(book.folder() / ".hidden.json") << "{}";
  std::ofstream(book.folder() / (base::to_hex(example_record(8).id) + ".json")) << to_text(example_record());
  const auto listed = fine(book.all());
  EXPECT_EQ(listed.records.size(), 2U);
  ASSERT_EQ(listed.problems.size(), 1U);
  EXPECT_NE(listed.problems[0].find("other.json"), std::string::npos);
  EXPECT_EQ(verdict(book.read(example_record(8).id)), "record") << "a file under another request's name";
}

TEST(RequestBook, WritesNothingThatItCouldNotRead) {
  const ScratchFolder folder;
  const RequestBook book(folder / "requests");
  Record record = example_record();
  record.prompt.assign(std::size_t{1} << 22, 'x');
  const auto error = book.write(record);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->cause, Cause::kFile);
  EXPECT_EQ(verdict(book.read(record.id)), "unknown") << "what is not written down is not sent";
  record.prompt.resize(record.prompt.size() - 8'192);
  EXPECT_FALSE(book.write(record).has_value());
  EXPECT_EQ(fine(book.read(record.id)), record);
}

TEST(RequestBook, KeepsWhatItCannotRead) {
  const ScratchFolder folder;
  const RequestBook book(folder / "requests");
  const Record record = example_record();
  EXPECT_FALSE(book.write(record).has_value());
  const std::filesystem::path path = book.folder() / (base::to_hex(record.id) + ".json");
  std::ofstream(path) << "{\"version\": 2}";
  EXPECT_FALSE(book.write(record).has_value());
  EXPECT_EQ(fine(book.read(record.id)), record);
  std::ifstream kept(path.string() + ".unreadable");
  std::string text;
  std::getline(kept, text);
  EXPECT_EQ(text, "{\"version\": 2}");
  EXPECT_TRUE(fine(book.all()).problems.empty());
}

TEST(RequestBook, FindsByTheFirstDigits) {
  const ScratchFolder folder;
  const RequestBook book(folder / "requests");
  const Record record = example_record();
  EXPECT_FALSE(book.write(record).has_value());
  const std::string digits = base::to_hex(record.id);
  EXPECT_EQ(fine(book.find(digits.substr(0, 8))), record.id);
  EXPECT_EQ(fine(book.find("0x" + digits.substr(0, 5))), record.id);
  EXPECT_EQ(verdict(book.find(digits.substr(0, 3))), "unknown");
  EXPECT_EQ(verdict(book.find("zzzzzz")), "unknown");
  const std::string unknown(64, 'a');
  EXPECT_EQ(base::to_hex(fine(book.find(unknown))), unknown) << "an id need not be known here";
  EXPECT_EQ(verdict(book.find(std::string(64, 'z'))), "unknown");
}

TEST(RequestBook, LetsOneAtATimeChooseNonces) {
  const ScratchFolder folder;
  const RequestBook book(folder / "requests");
  auto lock = fine(book.try_lock_account(1, chain::Address{{1}}));
  ASSERT_TRUE(lock);
  EXPECT_TRUE(fine(book.try_lock_account(1, chain::Address{{2}}))) << "another account";
  EXPECT_TRUE(fine(book.try_lock_account(2, chain::Address{{1}}))) << "another chain";
  EXPECT_FALSE(fine(book.try_lock_account(1, chain::Address{{1}})));
  lock.reset();
  EXPECT_TRUE(fine(book.try_lock_account(1, chain::Address{{1}})));
}

TEST(Session, SaysOnceThatItWaitsForAnAccountThatAnotherUses) {
  const ScratchFolder folder;
  const RequestBook book(folder / "requests");
  const chain::Address account{{1}};
  auto other = fine(book.try_lock_account(1, account));
  std::vector<UpdateKind> told;
  std::thread ending;
  Session session;
  session.book = &book;
  session.on_update = [&](const Update& update) {
    EXPECT_EQ(update.account, account);
    told.push_back(update.kind);
    // The other one goes on for longer than one try.
    ending = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      other.reset();
    });
  };
  EXPECT_EQ(verdict(lock_account(session, 1, account)), "ok");
  ASSERT_TRUE(ending.joinable());
  ending.join();
  EXPECT_EQ(told, std::vector{UpdateKind::kAccountBusy});
}

TEST(Session, StopsWaitingForAnAccountWhenItIsCancelled) {
  const ScratchFolder folder;
  const RequestBook book(folder / "requests");
  const auto other = fine(book.try_lock_account(1, chain::Address{{1}}));
  std::atomic<bool> cancelled = false;
  Session session;
  session.book = &book;
  session.cancelled = &cancelled;
  session.on_update = [&](const Update&) { cancelled = true; };
  EXPECT_EQ(verdict(lock_account(session, 1, chain::Address{{1}})), "cancelled");
}

}  // namespace
}  // namespace avow::requester
