#include "lathe/io/hub_cache.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

const std::string commit = "0123456789abcdef0123456789abcdef01234567";

class HubCache : public testing::Test {
 protected:
  /// A model as huggingface_hub lays it out: files are links into `blobs`.
  void SetUp() override {
    const fs::path folder = cache() / "models--org--tiny-model";
    fs::create_directories(folder / "refs" / "pr");
    fs::create_directories(folder / "blobs");
    fs::create_directories(folder / "snapshots" / commit);
    write_file_atomic(folder / "refs" / "main", commit + "\n");
    write_file_atomic(folder / "refs" / "pr" / "1", commit);
    write_file_atomic(folder / "refs" / "broken", "../../elsewhere");
    write_file_atomic(folder / "refs" / "gone", std::string(40, 'f'));
    write_file_atomic(folder / "blobs" / "c0ffee", "{}");
    fs::create_symlink("../../blobs/c0ffee", snapshot() / "config.json");
  }
  fs::path cache() const { return folder_ / "hub"; }
  fs::path snapshot() const { return cache() / "models--org--tiny-model" / "snapshots" / commit; }
  std::string error(const std::string& name) const {
    return message_of([&] { locate_model(name, cache()); });
  }

  TemporaryFolder folder_;
};

TEST_F(HubCache, finds_a_model_by_name_branch_and_commit) {
  for (const std::string& name : {std::string("org/tiny-model"), std::string("org/tiny-model@main"),
                                  std::string("org/tiny-model@pr/1"), "org/tiny-model@" + commit})
    EXPECT_EQ(locate_model(name, cache()), snapshot()) << name;
}

TEST_F(HubCache, prefers_a_path_that_exists) {
  EXPECT_EQ(locate_model(snapshot().string(), cache()), snapshot());
}

TEST_F(HubCache, says_what_it_holds_and_which_name_is_near) {
  EXPECT_TRUE(says(error("org/tinymodel"), "did you mean \"org/tiny-model\"?"));
  EXPECT_TRUE(says(error("org/tiny-model@mian"), "did you mean \"main\"?"));
  EXPECT_TRUE(says(error("org/tiny-model@gone"), "does not hold the files of commit ffff"));
  EXPECT_TRUE(says(error("org/tiny-model@broken"), "expected a commit"));
  EXPECT_TRUE(says(error("no such folder"), "expected a model directory"));
  EXPECT_TRUE(says(error("tiny"), "expected a model directory"));
}

TEST_F(HubCache, never_leaves_its_folder) {
  for (const char* name :
       {"../org/tiny-model", "org/..", "org/.hidden", "org/a/b", "/etc/passwd2",
        "org/tiny-model@../../x", "org/tiny-model@a//b", "org/a--b", "", "@main"})
    EXPECT_FALSE(parse_hub_name(name).has_value()) << name;
}

TEST_F(HubCache, takes_a_snapshot_of_one_gguf_file_as_that_file) {
  fs::remove(snapshot() / "config.json");
  write_file_atomic(snapshot() / "tiny-Q4_0.gguf", "GGUF");
  EXPECT_EQ(locate_model("org/tiny-model", cache()), snapshot() / "tiny-Q4_0.gguf");
  write_file_atomic(snapshot() / "tiny-Q8_0.gguf", "GGUF");
  EXPECT_EQ(locate_model("org/tiny-model", cache()), snapshot());
}

TEST_F(HubCache, finds_the_oldest_names_without_an_organisation) {
  fs::create_directories(cache() / "models--gpt2" / "refs");
  fs::create_directories(cache() / "models--gpt2" / "snapshots" / commit);
  write_file_atomic(cache() / "models--gpt2" / "refs" / "main", commit);
  EXPECT_EQ(locate_model("gpt2", cache()), cache() / "models--gpt2" / "snapshots" / commit);
  EXPECT_EQ(list_hub_cache(cache()), (std::vector<std::string>{"gpt2", "org/tiny-model"}));
}

}  // namespace
}  // namespace lathe
