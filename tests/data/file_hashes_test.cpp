#include "lathe/data/file_hashes.h"

#include <gtest/gtest.h>

#include "lathe/base/hash.h"
#include "tests/data/fixture.h"

namespace lathe {
namespace {

// A file that was last changed long before the test runs.
const fs::path settled = fs::path(LATHE_SOURCE_DIR) / "LICENSE";

TEST(FileHashes, unchanged_files_are_not_read_again) {
  TemporaryFolder folder;
  FileHashes first(folder / "memory.json");
  EXPECT_EQ(first(settled), content_hash(read_file(settled)));
  EXPECT_EQ(first.files_read(), 1U);
  first.save();
  FileHashes second(folder / "memory.json");
  EXPECT_EQ(second(settled), first(settled));
  EXPECT_EQ(second.files_read(), 0U);
}

TEST(FileHashes, a_file_changed_just_now_is_not_remembered) {
  TemporaryFolder folder;
  write_text(folder / "a.txt", "one");
  FileHashes hashes(folder / "memory.json");
  EXPECT_EQ(hashes(folder / "a.txt"), content_hash("one"));
  write_text(folder / "a.txt", "two");
  EXPECT_EQ(hashes(folder / "a.txt"), content_hash("two"));
  hashes.save();
  EXPECT_FALSE(fs::exists(folder / "memory.json"));
}

TEST(FileHashes, a_file_set_back_in_time_is_not_taken_for_old) {
  TemporaryFolder folder;
  write_text(folder / "a.txt", "one");
  FileHashes hashes(folder / "memory.json");
  fs::last_write_time(folder / "a.txt", fs::last_write_time(settled) - std::chrono::hours(9));
  EXPECT_EQ(hashes(folder / "a.txt"), content_hash("one"));
  write_text(folder / "a.txt", "two");
  fs::last_write_time(folder / "a.txt", fs::last_write_time(settled) - std::chrono::hours(9));
  EXPECT_EQ(hashes(folder / "a.txt"), content_hash("two"));
}

TEST(FileHashes, a_damaged_memory_is_forgotten) {
  TemporaryFolder folder;
  for (const char* content : {"", "{\"a\": 1}", "[[[", "{\"a\":{\"bytes\":-1}}"}) {
    write_text(folder / "memory.json", content);
    FileHashes hashes(folder / "memory.json");
    EXPECT_EQ(hashes(settled), content_hash(read_file(settled)));
    EXPECT_EQ(hashes.files_read(), 1U);
  }
}

TEST(FileHashes, only_regular_files_have_one) {
  TemporaryFolder folder;
  FileHashes hashes(folder / "memory.json");
  EXPECT_TRUE(says(message_of([&] { hashes(folder.path()); }), "expected a regular file"));
  EXPECT_TRUE(says(message_of([&] { hashes("/dev/zero"); }), "expected a regular file"));
  EXPECT_TRUE(says(message_of([&] { hashes(folder / "none"); }), "none"));
}

}  // namespace
}  // namespace lathe
