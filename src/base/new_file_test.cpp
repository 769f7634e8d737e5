// SPDX-License-Identifier: Apache-2.0
#include "base/new_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "base/fsync_testing.hpp"

namespace avow::base {
namespace {

class NewFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("avow_new_file." + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
  [[nodiscard]] static std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::filesystem::path folder;
};

const Bytes kHello = {'h', 'e', 'l', 'l', 'o'};

TEST_F(NewFileTest, HasItsNameOnceItIsWhole) {
  const auto path = folder / "a";
  {
    const NewFile file(path), other(path);  // two at once do not meet
    ASSERT_TRUE(file.is_open() && other.is_open());
    EXPECT_TRUE(file.append(kHello) && file.write_at(ByteView(kHello).first(1), 1));
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE(file.take_name());
    EXPECT_EQ(text_of(path), "hhllo");
    EXPECT_TRUE(other.append(kHello) && other.take_name());
  }
  EXPECT_EQ(text_of(path), "hello");
  EXPECT_EQ(files(), 1);
}

TEST_F(NewFileTest, TakesAFreeNameOnly) {
  const auto path = folder / "a";
  {
    const NewFile file(path, Readers::kOwner), other(path, Readers::kOwner);
    EXPECT_TRUE(file.append(kHello) && file.take_free_name());
    EXPECT_TRUE(other.append(ByteView(kHello).first(1)));
    EXPECT_FALSE(other.take_free_name());
    EXPECT_EQ(errno, EEXIST);
  }
  EXPECT_EQ(text_of(path), "hello");
  EXPECT_EQ(files(), 1);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(NewFileTest, LeavesNothingWithoutAName) {
  {
    const NewFile file(folder / "a");
    EXPECT_TRUE(file.append(kHello));
    ASSERT_EQ(files(), 1);
    const auto temporary = std::filesystem::directory_iterator(folder)->path().filename().string();
    EXPECT_TRUE(temporary.starts_with(".a.")) << temporary << " would be taken for a file if this process were killed";
  }
  EXPECT_EQ(files(), 0);
}

TEST_F(NewFileTest, KnowsThatItHasItsNameThoughTheFolderIsNotWritten) {
  const NewFile replacing(folder / "a"), first(folder / "b"), second(folder / "b");
  EXPECT_FALSE(first.has_name());
  const testing::FailingFolders failing;
  EXPECT_FALSE(replacing.take_name());
  EXPECT_EQ(errno, EIO);
  EXPECT_TRUE(replacing.has_name());
  EXPECT_FALSE(first.take_free_name());
  EXPECT_TRUE(first.has_name());
  EXPECT_FALSE(second.take_free_name());
  EXPECT_EQ(errno, EEXIST);
  EXPECT_FALSE(second.has_name());
}

// Nobody's effective rights, where a test runs with root's, which no folder refuses.
class WithoutRights {
 public:
  WithoutRights() : is_root_(::geteuid() == 0), is_ready_(!is_root_ || ::seteuid(kNobody) == 0) {}
  ~WithoutRights() {
    if (is_root_ && ::seteuid(0) != 0) ::_exit(1);
  }
  WithoutRights(const WithoutRights&) = delete;
  WithoutRights& operator=(const WithoutRights&) = delete;
  [[nodiscard]] bool is_ready() const { return is_ready_; }
  static constexpr uid_t kNobody = 65534;

 private:
  bool is_root_;
  bool is_ready_;
};

TEST_F(NewFileTest, TakesNoNameInAFolderThatCannotBeOpened) {
  ASSERT_TRUE(::geteuid() != 0 || ::chown(folder.c_str(), WithoutRights::kNobody, static_cast<gid_t>(-1)) == 0);
  ASSERT_EQ(::chmod(folder.c_str(), 0300), 0);
  {
    const WithoutRights without;
    if (!without.is_ready()) GTEST_SKIP() << "rights cannot be given up";
    const NewFile file(folder / "a"), other(folder / "a");
    ASSERT_TRUE(file.is_open() && other.is_open());
    EXPECT_FALSE(file.take_name());
    EXPECT_EQ(errno, EACCES);
    EXPECT_FALSE(other.take_free_name());
    EXPECT_EQ(errno, EACCES);
  }
  ASSERT_EQ(::chmod(folder.c_str(), 0700), 0);
  EXPECT_EQ(files(), 0);
}

TEST_F(NewFileTest, ReplacesRegularFilesAlone) {
  std::filesystem::create_directory(folder / "folder");
  EXPECT_FALSE(NewFile(folder / "folder").is_open());
  EXPECT_EQ(errno, EISDIR);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(NewFile(folder / "pipe").is_open());
  EXPECT_EQ(errno, EEXIST);
  EXPECT_FALSE(NewFile(folder / "none" / "a").is_open());
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(files(), 2);
}

}  // namespace
}  // namespace avow::base
