#include "lathe/io/model_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

const fs::path golden_shards = fs::path(LATHE_TEST_DATA) / "golden/safetensors/sharded";

std::string model_files_refusal(const fs::path& directory) {
  return message_of([&] { ModelFiles files(directory); });
}

void put(const fs::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// A directory with the golden shards and an index of its own.
void put_sharded(const fs::path& directory, const nlohmann::json& weight_map) {
  fs::copy(golden_shards, directory,
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  put(directory / "model.safetensors.index.json",
      nlohmann::json({{"metadata", {{"total_size", "nonsense"}}}, {"weight_map", weight_map}})
          .dump());
}

const std::string shard1 = "model-00001-of-00003.safetensors";
const std::string shard2 = "model-00002-of-00003.safetensors";
const std::string shard3 = "model-00003-of-00003.safetensors";

nlohmann::json golden_map() {
  return {{"a.weight", shard1}, {"b.weight", shard2}, {"c.weight", shard2}, {"d.bias", shard3}};
}

/// What make_safetensors.py puts there, by the order of names.
void check_golden(const TensorSource& source) {
  ASSERT_EQ(source.tensors().size(), 4u);
  std::vector<std::byte> scratch;
  for (size_t t = 0; t < 4; ++t) {
    const auto bytes = source.data(source.tensors()[t], scratch);
    for (size_t i = 0; i < bytes.size(); ++i)
      ASSERT_EQ(bytes[i], static_cast<std::byte>((37 * t + 11 * i) % 251)) << t << " " << i;
  }
  EXPECT_EQ(source.at("a.weight").shape, (std::vector<int64_t>{8, 8}));
  EXPECT_EQ(source.at("d.bias").dtype, DType::BF16);
  EXPECT_EQ(source.metadata().at("format"), "pt");
}

TEST(ModelFiles, reads_shards_that_huggingface_hub_wrote) {
  const ModelFiles files(golden_shards);
  check_golden(files);
  EXPECT_EQ(files.files().size(), 3u);
  check_golden(*open_weights(golden_shards));
}

TEST(ModelFiles, writes_the_shards_that_huggingface_hub_writes) {
  const ModelFiles files(golden_shards);
  std::vector<TensorView> tensors;
  for (const char* name : {"b.weight", "a.weight", "c.weight", "d.bias"}) {  // the order there
    const TensorInfo& tensor = files.at(name);
    tensors.push_back({name, tensor.dtype, tensor.shape, files.data(tensor)});
  }
  const TemporaryFolder folder;
  const auto written = write_model_files(folder / "new/model", tensors, 50);
  ASSERT_EQ(written.size(), 4u);
  for (const std::string& name : {shard1, shard2, shard3})
    EXPECT_EQ(read_file(folder / "new/model/" / name), read_file(golden_shards / name)) << name;
  const auto index = load_json(folder / "new/model/model.safetensors.index.json");
  EXPECT_EQ(index["weight_map"], golden_map());
  EXPECT_EQ(index["metadata"]["total_size"], 182);
  EXPECT_EQ(index["metadata"]["total_parameters"], 91);
  check_golden(ModelFiles(folder / "new/model"));
}

TEST(ModelFiles, one_file_when_all_fits) {
  const ModelFiles files(golden_shards);
  std::vector<TensorView> tensors;
  for (const TensorInfo& tensor : files.tensors())
    tensors.push_back({tensor.name, tensor.dtype, tensor.shape, files.data(tensor)});
  const TemporaryFolder folder;
  EXPECT_EQ(write_model_files(folder.path(), tensors),
            std::vector<fs::path>{folder / "model.safetensors"});
  check_golden(ModelFiles(folder.path()));
  check_golden(*open_weights(folder / "model.safetensors"));
  EXPECT_TRUE(says(message_of([&] { write_model_files(folder.path(), tensors); }),
                   "there are weights already (\"model.safetensors\")"));
  write_model_files(folder.path(), tensors, 50, {{"format", "pt"}}, "adapter_model");
  check_golden(ModelFiles(folder.path(), "adapter_model"));
}

TEST(ModelFiles, a_name_twice_is_refused_before_anything_is_written) {
  const TemporaryFolder folder;
  const std::vector<std::byte> bytes(4);
  const std::vector<TensorView> tensors = {{"a", DType::F32, {1}, bytes},
                                           {"a", DType::F32, {1}, bytes}};
  EXPECT_TRUE(says(message_of([&] { write_model_files(folder / "m", tensors, 4); }), "twice"));
  EXPECT_FALSE(fs::exists(folder / "m"));
}

TEST(ModelFiles, refuses_shard_names_that_are_no_plain_file_name) {
  const TemporaryFolder folder;
  fs::copy(golden_shards / shard1, folder / "outside.safetensors");
  const fs::path model = folder / "model";
  fs::create_directories(model / "sub");
  fs::copy(golden_shards / shard1, model / "sub/x.safetensors");
  for (const std::string& name :
       {std::string("../outside.safetensors"), (folder / "outside.safetensors").string(),
        std::string("sub/x.safetensors"), std::string("sub\\x.safetensors"), std::string(""),
        std::string("."), std::string(".."), std::string(".safetensors"), std::string("sub"),
        std::string("a\0.safetensors", 14), std::string("/dev/zero"), std::string("config.json")}) {
    auto map = golden_map();
    map["a.weight"] = name;
    put_sharded(model, map);
    EXPECT_TRUE(says(model_files_refusal(model), "plain name of a .safetensors file")) << name;
  }
}

TEST(ModelFiles, refuses_links_that_leave_the_directory) {
  const TemporaryFolder folder;
  const fs::path model = folder / "model";
  fs::create_directories(model);
  put_sharded(model, golden_map());
  fs::rename(model / shard1, folder / "elsewhere.safetensors");
  fs::create_symlink(folder / "elsewhere.safetensors", model / shard1);
  EXPECT_TRUE(says(model_files_refusal(model), "outside of the model's directory"));
  fs::remove(model / shard1);
  fs::rename(folder / "elsewhere.safetensors", model / "inside.safetensors");
  fs::create_symlink("inside.safetensors", model / shard1);
  check_golden(ModelFiles(model));

  const fs::path single = folder / "single";
  fs::create_directories(single);
  fs::create_symlink(model / shard1, single / "model.safetensors");
  EXPECT_TRUE(says(model_files_refusal(single), "outside of the model's directory"));
  fs::remove(single / "model.safetensors");
  fs::create_symlink("model.safetensors", single / "model.safetensors");
  EXPECT_TRUE(says(message_of([&] {
                     try {
                       ModelFiles files(single);
                     } catch (const std::exception& error) {
                       throw Error(error.what());
                     }
                   }),
                   "model.safetensors"));
}

TEST(ModelFiles, reads_the_links_of_the_hugging_face_cache) {
  const TemporaryFolder folder;
  const fs::path repository = folder / "models--a--b";
  fs::create_directories(repository / "blobs");
  fs::create_directories(repository / "snapshots/0123");
  int blob = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(golden_shards)) {
    const std::string name = format("hash{}", blob++);
    fs::copy(entry.path(), repository / "blobs" / name);
    fs::create_symlink("../../blobs/" + name,
                       repository / "snapshots/0123" / entry.path().filename());
  }
  check_golden(ModelFiles(repository / "snapshots/0123"));
}

TEST(ModelFiles, refuses_shards_that_are_no_regular_files) {
  const TemporaryFolder folder;
  put_sharded(folder.path(), golden_map());
  fs::remove(folder / shard1);
  EXPECT_TRUE(says(model_files_refusal(folder.path()), shard1));
  fs::create_directory(folder / shard1);
  EXPECT_TRUE(says(model_files_refusal(folder.path()), "regular file"));
}

TEST(ModelFiles, refuses_shards_and_index_that_do_not_belong_together) {
  const TemporaryFolder folder;
  auto map = golden_map();
  map["e.weight"] = shard2;
  put_sharded(folder.path(), map);
  EXPECT_TRUE(
      says(model_files_refusal(folder.path()), "the index says that tensor \"e.weight\" is in it"));
  map = golden_map();
  map.erase("c.weight");
  put_sharded(folder.path(), map);
  EXPECT_TRUE(says(model_files_refusal(folder.path()), "it holds tensor \"c.weight\""));
  map = golden_map();
  map["b.weight"] = shard1;
  put_sharded(folder.path(), map);
  EXPECT_TRUE(says(model_files_refusal(folder.path()), "\"b.weight\""));
}

TEST(ModelFiles, refuses_a_malformed_index) {
  const TemporaryFolder folder;
  for (const char* index : {"", "[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})",
                            R"({"weight_map":{"a":"x.safetensors","a":"y.safetensors"}})",
                            R"({"weight_map":{"a":null}})"}) {
    put(folder / "model.safetensors.index.json", index);
    EXPECT_TRUE(says(model_files_refusal(folder.path()), "model.safetensors.index.json: "))
        << index;
  }
}

TEST(ModelFiles, pickles_are_refused_with_the_way_out) {
  const TemporaryFolder folder;
  for (const char* name : {"pytorch_model.bin", "model.pt", "consolidated.00.pth", "model.ckpt"}) {
    put(folder / name, "\x80\x02");
    EXPECT_TRUE(says(model_files_refusal(folder.path()), "save_pretrained(OUT)")) << name;
    EXPECT_TRUE(says(message_of([&] { open_weights(folder / name); }), "is a pickle")) << name;
    fs::remove(folder / name);
  }
  put(folder / "model.safetensors.index.json", R"({"weight_map":{"a":"pytorch_model-1.bin"}})");
  EXPECT_TRUE(says(model_files_refusal(folder.path()), "is a pickle"));
}

TEST(ModelFiles, a_directory_without_weights_says_what_it_holds) {
  const TemporaryFolder folder;
  EXPECT_TRUE(says(model_files_refusal(folder.path()), "found an empty directory"));
  put(folder / "config.json", "{}");
  EXPECT_TRUE(says(model_files_refusal(folder.path()), "found \"config.json\""));
  EXPECT_TRUE(says(model_files_refusal(folder / "config.json"), "found a file"));
  EXPECT_TRUE(says(model_files_refusal(folder / "missing"), "found nothing"));
}

}  // namespace
}  // namespace lathe
