#include "lathe/model/classifier.h"

#include <gtest/gtest.h>

#include "tests/model/golden_family.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

class Classifiers : public testing::TestWithParam<std::string> {};

TEST_P(Classifiers, have_the_body_of_the_language_model_and_come_back_as_they_were_saved) {
  const at::NoGradGuard no_grad;
  const GoldenFamily golden(GetParam());
  const auto language = golden.load();
  const auto model =
      classifier_of(*language, {"neg", "neutral", "pos"}, "single_label_classification", 7);
  EXPECT_TRUE(model->is_classifier());
  const Tensor ids = golden["ids"];
  const Tensor hidden = language->hidden_states({ids, {}, {}});
  EXPECT_TRUE(at::equal(model->hidden_states({ids, {}, {}}), hidden));
  const Tensor logits = model->class_logits(hidden.select(1, 3));
  EXPECT_EQ(logits.sizes().vec(), std::vector<int64_t>({ids.size(0), 3}));

  const TemporaryFolder folder;
  save_model(*model, folder.path());
  const nlohmann::json config = load_json(folder / "config.json");
  const auto architecture = config.at("architectures")[0].get<std::string>();
  EXPECT_TRUE(architecture.ends_with("ForSequenceClassification")) << architecture;
  EXPECT_EQ(config.at("id2label").at("2"), "pos");
  EXPECT_EQ(config.at("label2id").at("neg"), 0);
  const auto loaded = load_model(folder.path());
  loaded->to(test_device());
  EXPECT_EQ(loaded->config(), model->config());
  EXPECT_TRUE(at::equal(loaded->class_logits(hidden.select(1, 3)), logits));
}

INSTANTIATE_TEST_SUITE_P(Golden, Classifiers, testing::ValuesIn(GoldenFamily::all()),
                         [](const auto& name) { return name.param; });

TEST(Classifier, has_no_outputs_for_tokens_and_a_language_model_none_for_labels) {
  const auto language = GoldenFamily("llama").load();
  const auto model = classifier_of(*language, {"a", "b"}, "single_label_classification", 1);
  const Tensor hidden = at::zeros({1, model->config().hidden_size}, test_device());
  EXPECT_TRUE(says(message_of([&] { model->logits(hidden); }), "classifies texts (a, b)"));
  EXPECT_TRUE(says(message_of([&] { language->class_logits(hidden); }), "is a language model"));
}

TEST(Classifier, is_drawn_from_the_seed) {
  const auto language = GoldenFamily("llama").load();
  const auto score = [&](uint64_t seed) {
    return *classifier_of(*language, {"a", "b"}, "single_label_classification", seed)
                ->named_tensors()
                .back()
                .tensor;
  };
  EXPECT_TRUE(at::equal(score(1), score(1)));
  EXPECT_FALSE(at::equal(score(1), score(2)));
}

TEST(Classifier, has_two_outputs_where_transformers_left_their_names_out) {
  nlohmann::json config = GoldenFamily("llama").config();
  config["architectures"] = {"LlamaForSequenceClassification"};
  config.erase("id2label");
  EXPECT_EQ(read_model_config(config).labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  config["id2label"] = {"a", "b"};
  EXPECT_TRUE(says(message_of([&] { read_model_config(config); }), "id2label"));
  config["id2label"] = {{"0", "a"}, {"2", "b"}};
  EXPECT_TRUE(says(message_of([&] { read_model_config(config); }), "\"1\""));
}

}  // namespace
}  // namespace lathe
