// SPDX-License-Identifier: Apache-2.0
#include "chain/keystore.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/folder_testing.hpp"
#include "base/fsync_testing.hpp"
#include "base/test_stride.hpp"
#include "chain/chain_testing.hpp"
#include "chain/freed_testing.hpp"
#include "chain/json.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::verdict;

const ScryptCost kCheap{2, 8, 1};

// The examples of Web3 Secret Storage, version 3.
constexpr char kPbkdf2File[] = R"({"crypto": {"cipher": "aes-128-ctr",
  "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
  "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2",
  "kdfparams": {"c": 262144, "dklen": 32, "prf": "hmac-sha256",
    "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
  "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
  "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3})";
constexpr char kScryptFile[] = R"({"crypto": {"cipher": "aes-128-ctr",
  "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
  "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c", "kdf": "scrypt",
  "kdfparams": {"dklen": 32, "n": 262144, "p": 8, "r": 1,
    "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
  "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
  "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3})";

PrivateKey some_key() { return good(PrivateKey::from_bytes(base::Bytes(32, 0x46))); }

class KeyFiles : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path write(const char* file_name, const std::string& text) const {
    std::ofstream(folder_ / file_name) << text;
    return folder_ / file_name;
  }

  base::testing::ScratchFolder folder_;  // NOLINT(readability-identifier-naming): as fixtures' members are written
};

TEST(Keystore, ReadsTheExampleOfTheFormat) {
  const Secret passphrase(std::string_view("testpassword"));
  const auto key = good(decrypt_key(kPbkdf2File, passphrase));
  EXPECT_EQ(base::to_hex(key.bytes()), "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");
  // The example of scrypt has parameters that RFC 7914 forbids.
  EXPECT_EQ(verdict(decrypt_key(kScryptFile, passphrase)), "keystore.invalid");
}

TEST(Keystore, ComesBackByItsPassphraseAlone) {
  const auto key = some_key();
  const auto text = good(encrypt_key(key, Secret(std::string_view("right")), kCheap));
  EXPECT_EQ(good(decrypt_key(text, Secret(std::string_view("right")))).address(), key.address());
  EXPECT_EQ(verdict(decrypt_key(text, Secret(std::string_view("wrong")))), "key.passphrase");
  EXPECT_EQ(verdict(decrypt_key(text, Secret())), "key.passphrase");
  EXPECT_NE(good(encrypt_key(key, Secret(std::string_view("right")), kCheap)), text);
}

TEST(Keystore, LeavesNothingOfTheDerivedKeyInFreedMemory) {
  const Secret passphrase(std::string_view("right"));
  const auto text = good(encrypt_key(some_key(), passphrase, kCheap));
  const auto salt = testing::hex(good(parse_json(text, 8))["crypto"]["kdfparams"]["salt"]);
  base::Bytes derived(32);
  ASSERT_EQ(EVP_PBE_scrypt(passphrase.text().data(), passphrase.size(), salt.data(), salt.size(), kCheap.n, kCheap.r,
                           kCheap.p, 0, derived.data(), derived.size()),
            1);
  for (const std::size_t half : {0U, 16U}) {
    const testing::FreedMemory freed(base::ByteView(derived).subspan(half, 16));
    EXPECT_EQ(good(decrypt_key(text, passphrase)).address(), some_key().address());
    EXPECT_EQ(freed.found(), 0U) << half;
    EXPECT_EQ(base::Bytes(derived), derived);
    EXPECT_EQ(freed.found(), 1U) << "what this test relies on";
  }
}

TEST(Keystore, IsRefusedCutAtEveryLengthAndChanged) {
  const Secret passphrase(std::string_view("right"));
  const auto text = good(encrypt_key(some_key(), passphrase, kCheap));
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_EQ(verdict(decrypt_key(text.substr(0, length), passphrase)), "text.json") << length;
  }
  // Another key never comes out, whatever character is changed, as long as the file says whose it is.
  const auto address_at = text.find("address");
  for (std::size_t i = 0; i < text.size(); i += base::kTestStride) {
    if (i >= address_at && i < address_at + 7) continue;
    auto changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto key = decrypt_key(changed, passphrase);
    EXPECT_TRUE(!key || key.value().address() == some_key().address()) << i;
  }
}

TEST(Keystore, EveryRuleIsChecked) {
  const Secret passphrase(std::string_view("right"));
  const Json honest = good(parse_json(good(encrypt_key(some_key(), passphrase, kCheap)), 8));
  const auto with = [&](const char* pointer, Json value) {
    Json changed = honest;
    changed[Json::json_pointer(pointer)] = std::move(value);
    return verdict(decrypt_key(to_text(changed), passphrase));
  };
  EXPECT_EQ(with("/id", "other"), "ok");
  EXPECT_EQ(with("/address", std::string(40, '0')), "keystore.invalid");
  EXPECT_EQ(with("/address", "0x" + honest["address"].get<std::string>()), "ok");
  for (const Json& other :
       {Json("zz"), Json("0x"), Json(""), Json(std::string(42, '0')), Json(Json::array({1})), Json(), Json(7)}) {
    EXPECT_EQ(with("/address", other), "keystore.invalid") << other;
  }
  EXPECT_EQ(with("/crypto/cipherparams/iv", std::string(32, '0')), "keystore.invalid");
  EXPECT_EQ(with("/version", 1), "keystore.invalid");
  EXPECT_EQ(with("/version", "3"), "keystore.invalid");
  EXPECT_EQ(with("/crypto", 1), "keystore.invalid");
  EXPECT_EQ(with("/crypto/cipher", "aes-256-ctr"), "keystore.invalid");
  EXPECT_EQ(with("/crypto/cipherparams/iv", "00"), "keystore.invalid");
  EXPECT_EQ(with("/crypto/ciphertext", std::string(66, '0')), "keystore.invalid");
  EXPECT_EQ(with("/crypto/mac", "0x"), "keystore.invalid");
  EXPECT_EQ(with("/crypto/kdf", "argon2"), "keystore.invalid");
  EXPECT_EQ(with("/crypto/kdf", "pbkdf2"), "keystore.invalid");
  EXPECT_EQ(with("/crypto/kdfparams/salt", ""), "keystore.invalid");
  EXPECT_EQ(with("/crypto/kdfparams/dklen", 64), "keystore.invalid");
  EXPECT_EQ(with("/crypto/kdfparams/n", 3), "keystore.invalid");
  EXPECT_EQ(with("/crypto/kdfparams/n", -2), "keystore.invalid");
  EXPECT_EQ(with("/crypto/kdfparams/r", 0), "keystore.invalid");
  EXPECT_EQ(with("/crypto/kdfparams/p", 0), "keystore.invalid");
  // What would take gigabytes or hours.
  EXPECT_EQ(with("/crypto/kdfparams/n", std::uint64_t{1} << 63), "keystore.cost");
  EXPECT_EQ(with("/crypto/kdfparams/r", ~std::uint64_t{0}), "keystore.cost");
  EXPECT_EQ(with("/crypto/kdfparams/p", ~std::uint64_t{0}), "keystore.cost");
  // One more than each bound, and the bound: 128 r (n + p + 2), n r p and r p.
  const auto with_cost = [&](std::uint64_t n, std::uint64_t r, std::uint64_t p) {
    Json changed = honest;
    changed["crypto"]["kdfparams"].update({{"n", n}, {"r", r}, {"p", p}});
    return verdict(decrypt_key(to_text(changed), passphrase));
  };
  EXPECT_EQ(with_cost(1U << 19, 8, 1), "keystore.cost");
  EXPECT_EQ(with_cost(1U << 15, 128, 1), "keystore.cost");
  EXPECT_EQ(with_cost(1U << 15, 8, 33), "keystore.cost");
  EXPECT_EQ(with_cost(2, 1024, 1), "key.passphrase");
  EXPECT_EQ(with_cost(2, 1025, 1), "keystore.cost");
  EXPECT_EQ(with_cost(2, 1, 1024), "key.passphrase");
  EXPECT_EQ(with_cost(2, 1, 1025), "keystore.cost");
  EXPECT_EQ(with_cost(2, 33, 32), "keystore.cost");
  EXPECT_EQ(with_cost(2, std::uint64_t{1} << 63, 2), "keystore.cost");
  EXPECT_EQ(with_cost(2, 1, std::uint64_t{1} << 63), "keystore.cost");
  const Json rounds = {{"c", std::uint64_t{1} << 40}, {"dklen", 32}, {"prf", "hmac-sha256"}, {"salt", "00"}};
  Json pbkdf2_file = honest;
  pbkdf2_file["crypto"]["kdf"] = "pbkdf2";
  pbkdf2_file["crypto"]["kdfparams"] = rounds;
  EXPECT_EQ(verdict(decrypt_key(to_text(pbkdf2_file), passphrase)), "keystore.cost");
}

TEST_F(KeyFiles, ArePrivateAndNeverReplaced) {
  const Secret passphrase(std::string_view("right"));
  const auto path = folder_ / "key";
  EXPECT_EQ(good(write_key_file(path, some_key(), passphrase, kCheap)), path);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(good(read_key_file(path, passphrase)).address(), some_key().address());
  EXPECT_EQ(verdict(write_key_file(path, good(PrivateKey::generate()), passphrase, kCheap)), "key.file");
  EXPECT_EQ(good(read_key_file(path, passphrase)).address(), some_key().address());
  EXPECT_EQ(verdict(write_key_file(folder_ / "no" / "key", some_key(), passphrase, kCheap)), "key.file");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1)
      << "something temporary was left";
}

TEST_F(KeyFiles, AreSaidToBeThereWhereOnlyTheFolderIsNotWritten) {
  const Secret passphrase(std::string_view("right"));
  const base::testing::FailingFolders failing;
  const auto written = write_key_file(folder_ / "key", some_key(), passphrase, kCheap);
  ASSERT_EQ(verdict(written), "key.file");
  EXPECT_NE(written.error().text.find("the key file is there"), std::string::npos) << written.error().text;
  EXPECT_EQ(good(read_key_file(folder_ / "key", passphrase)).address(), some_key().address());
}

TEST_F(KeyFiles, ThatAreNoneAreRefused) {
  const Secret passphrase(std::string_view("right"));
  EXPECT_EQ(verdict(read_key_file(folder_ / "none", passphrase)), "key.file");
  EXPECT_EQ(verdict(read_key_file(folder_.path(), passphrase)), "key.file");
  EXPECT_EQ(verdict(read_key_file(write("large", std::string(100000, ' ')), passphrase)), "keystore.invalid");
  EXPECT_EQ(verdict(read_key_file(write("text", "hello"), passphrase)), "text.json");
}

TEST_F(KeyFiles, PassphrasesComeFromFilesAndTheEnvironment) {
  EXPECT_EQ(good(passphrase_from_file(write("a", "se cret\r\nmore"))).text(), "se cret");
  EXPECT_EQ(good(passphrase_from_file(write("b", "secret"))).text(), "secret");
  EXPECT_EQ(verdict(passphrase_from_file(write("c", "\n"))), "key.passphrase");
  EXPECT_EQ(verdict(passphrase_from_file(write("d", ""))), "key.passphrase");
  EXPECT_EQ(verdict(passphrase_from_file(write("e", std::string(5000, 'a')))), "key.passphrase");
  EXPECT_EQ(verdict(passphrase_from_file(folder_ / "none")), "key.file");
  ::setenv("AVOW_TEST_PASSPHRASE", "secret", 1);
  EXPECT_EQ(good(passphrase_from_environment("AVOW_TEST_PASSPHRASE")).text(), "secret");
  ::unsetenv("AVOW_TEST_PASSPHRASE");
  EXPECT_EQ(verdict(passphrase_from_environment("AVOW_TEST_PASSPHRASE")), "key.passphrase");
}

// What foundry's cast prints; empty, with a failure, if it fails.
std::string cast_output(const std::string& arguments) {
  const std::string command = fmt::format("'{}/contracts/node_modules/.bin/cast' {} 2>&1", AVOW_SOURCE_DIR, arguments);
  FILE* output = ::popen(command.c_str(), "r");  // NOLINT(cert-env33-c): a test's own command
  if (output == nullptr) return {};
  std::array<char, 4096> buffer{};
  const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), output);
  EXPECT_EQ(::pclose(output), 0) << std::string(buffer.data(), size);
  return {buffer.data(), size};
}

TEST_F(KeyFiles, AreReadByCastAndItsAreRead) {
  if (::access((std::string(AVOW_SOURCE_DIR) + "/contracts/node_modules/.bin/cast").c_str(), X_OK) != 0) {
    GTEST_SKIP() << "no cast; tools/setup.sh chain installs it";
  }
  ASSERT_TRUE(write_key_file(folder_ / "key", some_key(), Secret(std::string_view("right")), kCheap));
  const auto passphrase = write("passphrase", "right");
  EXPECT_NE(cast_output(fmt::format("wallet address --keystore '{}' --password-file '{}'", (folder_ / "key").string(),
                                    passphrase.string()))
                .find(to_string(some_key().address())),
            std::string::npos);

  (void)cast_output(fmt::format("wallet import other --keystore-dir '{}' --unsafe-password right --private-key {}",
                                folder_.path().string(), base::to_hex(some_key().bytes())));
  EXPECT_EQ(good(read_key_file(folder_ / "other", Secret(std::string_view("right")))).address(), some_key().address());
}

}  // namespace
}  // namespace avow::chain
