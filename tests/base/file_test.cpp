#include "lathe/base/file.h"

#include <gtest/gtest.h>

#include "lathe/base/error.h"
#include "lathe/base/hash.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

TEST(File, atomic_write_replaces_the_content_and_leaves_no_temporary_file) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "a.txt", "one");
  write_file_atomic(folder / "a.txt", "two");
  EXPECT_EQ(read_file(folder / "a.txt"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(File, atomic_write_into_a_missing_folder_names_the_path) {
  const TemporaryFolder folder;
  try {
    write_file_atomic(folder / "no/such/a.txt", "one");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no/such/a.txt"), std::string::npos) << error.what();
  }
}

TEST(File, writer_keeps_order_across_small_and_large_pieces) {
  const TemporaryFolder folder;
  const std::string large(size_t{3} << 20, 'x');
  FileWriter writer(folder / "a");
  writer.write("head");
  writer.write(large);
  writer.write("tail");
  writer.finish();
  EXPECT_EQ(read_file(folder / "a"), "head" + large + "tail");
}

TEST(File, devices_folders_and_files_over_the_limit_are_refused) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_file("/dev/zero"), Error);
  EXPECT_THROW(MappedFile("/dev/zero"), Error);
  EXPECT_THROW(read_file(folder.path()), Error);
  write_file_atomic(folder / "a", "12345");
  EXPECT_THROW(read_file(folder / "a", 4), Error);
}

TEST(File, an_empty_file_maps_to_nothing) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "a", "");
  EXPECT_TRUE(MappedFile(folder / "a").bytes().empty());
}

TEST(File, a_directory_is_published_once) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "tmp/sub");
  write_file_atomic(folder / "tmp/sub/a", "1");
  publish_directory(folder / "tmp", folder / "final");
  EXPECT_EQ(read_file(folder / "final/sub/a"), "1");
  fs::create_directories(folder / "tmp");
  EXPECT_THROW(publish_directory(folder / "tmp", folder / "final"), Error);
}

TEST(File, a_lock_is_exclusive_until_it_ends) {
  const TemporaryFolder folder;
  {
    const FileLock lock(folder / "lock");
    EXPECT_THROW(FileLock(folder / "lock"), Error);
  }
  EXPECT_NO_THROW(FileLock(folder / "lock"));
}

TEST(Hash, pieces_hash_like_the_whole) {
  Hasher hasher;
  hasher.add("ab").add("").add("c");
  EXPECT_EQ(hasher.hex(), content_hash("abc"));
  // xxhsum -H2 of "abc", version 0.8.1
  EXPECT_EQ(content_hash("abc"), "06b05ab6733a618578af5f94892f3950");
}

}  // namespace
}  // namespace lathe
