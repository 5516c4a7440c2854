#include "lathe/base/made_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include "lathe/base/error.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

class MadeFolders : public testing::Test {
 protected:
  MadeFolders() {
    made_.parent = folder_.path();
    made_.key = "one";
    made_.open = [this] { return fs::exists(made_.path() / "content"); };
    made_.make = [this](const fs::path& work) {
      ++times_;
      write_file(work / "content", "x");
    };
  }

  TemporaryFolder folder_;
  MadeFolder made_;
  int times_ = 0;
};

TEST_F(MadeFolders, are_made_once_and_again_where_they_are_damaged) {
  open_or_make(made_);
  open_or_make(made_);
  EXPECT_EQ(times_, 1);
  fs::remove(made_.path() / "content");
  open_or_make(made_);
  EXPECT_EQ(times_, 2);
}

TEST_F(MadeFolders, removed_by_another_process_at_once_are_made_again) {
  int tries = 0;
  made_.open = [&] {
    if (++tries == 3) fs::remove_all(made_.path());  // right after it was made
    return fs::exists(made_.path());
  };
  open_or_make(made_);
  EXPECT_EQ(times_, 2);
  made_.open = [] { return false; };
  EXPECT_TRUE(says(message_of([&] { open_or_make(made_); }), "right after it was written"));
}

TEST_F(MadeFolders, leave_nothing_of_processes_that_were_killed_at_work_on_any) {
  for (const char* name : {"one.tmp-9-1", "two.tmp-9-1", "three.tmp-9-1"})
    fs::create_directories(folder_ / name);
  for (const char* name : {"two.lock", "three.lock"}) write_file(folder_ / name, "");
  const int at_work = ::open((folder_ / "three.lock").c_str(), O_RDWR);
  ASSERT_EQ(::flock(at_work, LOCK_EX), 0);
  open_or_make(made_);
  ::close(at_work);
  EXPECT_FALSE(fs::exists(folder_ / "one.tmp-9-1"));
  EXPECT_FALSE(fs::exists(folder_ / "two.tmp-9-1"));
  EXPECT_TRUE(fs::exists(folder_ / "three.tmp-9-1"));
}

}  // namespace
}  // namespace lathe
