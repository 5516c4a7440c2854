// The program as a user runs it: from text files to a model that writes, and everything in between
// that can go wrong.
#include "tests/e2e/binary.h"

#include "lathe/io/safetensors.h"

namespace lathe {
namespace {

TEST_F(Binary, says_what_to_do_with_settings_of_other_programs) {
  const Output fp16 = lathe("train recipe.yaml --fp16 true");
  EXPECT_EQ(fp16.code, 2);
  EXPECT_NE(fp16.err.find("use bf16"), std::string::npos) << fp16.err;
  write("moved.yaml", "deepspeed: ds.json\n" + read_file(folder_ / "recipe.yaml"));
  const Output moved = lathe("train moved.yaml");
  EXPECT_NE(moved.code, 0);
  EXPECT_NE(moved.err.find("a run is one process"), std::string::npos) << moved.err;
}

TEST_F(Binary, tells_what_a_model_is_and_what_is_wrong_with_it) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 1").code, 0);
  const Output sound = lathe("info run/model");
  EXPECT_EQ(sound.code, 0) << sound.out;
  EXPECT_NE(sound.out.find("llama, 2 layers, width 32, 4 heads of 8"), std::string::npos);
  const Output facts = lathe("info run/model --json --max_length 128");
  EXPECT_EQ(nlohmann::json::parse(facts.out)["parts"]["MLP"], 2 * 3 * 32 * 64);
  fs::resize_file(folder_ / "run/model/model.safetensors", 1000);
  const Output damaged = lathe("info run/model");
  EXPECT_EQ(damaged.code, 1);
  EXPECT_NE(damaged.out.find("problem: "), std::string::npos) << damaged.out;
  EXPECT_EQ(lathe("info nowhere").code, 1);
}

TEST_F(Binary, adds_special_tokens_to_a_model) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 1").code, 0);
  write("more.yaml",
        "model: run/model\nadditional_special_tokens: [<|user|>, <|tool|>]\n"
        "train_data: [story.txt]\nmax_length: 32\nmax_steps: 1\nlearning_rate: 1e-5\n"
        "cache_dir: cache\noutput_dir: more\n");
  const Output trained = lathe("train more.yaml");
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto facts = nlohmann::json::parse(lathe("info more/model --json").out);
  EXPECT_EQ(facts["vocab_size"], 302);
  EXPECT_EQ(facts["tokenizer_tokens"], 302);
  const auto eval = nlohmann::json::parse(
      lathe("eval --model more/model --text 'a <|tool|> b' --tokens --json").out);
  bool found = false;
  for (const auto& position : eval["positions"])
    found |= position.dump().find("<|tool|>") != std::string::npos;
  EXPECT_TRUE(found) << eval.dump();
}

TEST_F(Binary, finds_models_by_name_in_the_cache_of_hugging_face) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 1").code, 0);
  const std::string commit(40, 'a');
  const fs::path model = folder_ / "hub/models--org--tiny";
  fs::create_directories(model / "refs");
  fs::create_directories(model / "snapshots");
  write("hub/models--org--tiny/refs/main", commit);
  fs::rename(folder_ / "run/model", model / "snapshots" / commit);
  const std::string cache = "HF_HUB_CACHE=hub";
  const Output found = lathe("eval --model org/tiny --text 'Line 3' --json", cache);
  EXPECT_EQ(found.code, 0) << found.err;
  const Output missing = lathe("eval --model org/tinny --text 'Line 3'", cache);
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.err.find("did you mean \"org/tiny\"?"), std::string::npos) << missing.err;
}

TEST_F(Binary, trains_evaluates_and_generates) {
  const Output trained = lathe("train recipe.yaml");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(trained.out, "");
  EXPECT_NE(trained.err.find("step 30/30"), std::string::npos) << trained.err;
  const std::vector<nlohmann::json> lines = metrics("run");
  EXPECT_LT(lines.at(lines.size() - 2).at("loss"), lines.at(0).at("loss"));
  EXPECT_TRUE(lines.back().contains("eval_bits_per_byte")) << lines.back();
  EXPECT_TRUE(lines.back().contains("sample")) << lines.back();

  const Output evaluated =
      lathe("eval --model run/model --data story.txt --json --cache_dir cache");
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const nlohmann::json result = nlohmann::json::parse(evaluated.out);
  for (const char* key : {"loss", "perplexity", "bits_per_byte", "tokens"})
    EXPECT_TRUE(result.contains(key)) << key;

  const std::string draw = "generate --model run/model --prompt Line --max_new_tokens 20 --seed 3";
  const Output once = lathe(draw);
  ASSERT_EQ(once.code, 0) << once.err;
  EXPECT_TRUE(once.out.starts_with("Line")) << once.out;
  EXPECT_EQ(once.out, lathe(draw).out) << "the same seed draws the same text";
  const Output rows = lathe(draw + " --num_return_sequences 3 --json");
  EXPECT_EQ(nlohmann::json::parse(rows.out).at("completions").size(), 3U);
  EXPECT_EQ("Line" +
                nlohmann::json::parse(rows.out).at("completions")[0].at("text").get<std::string>() +
                "\n",
            once.out)
      << "a row does not depend on its neighbours";
  const Output table = lathe("eval --model run/model --text 'Line 3 of the' --tokens");
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("expected"), std::string::npos);
}

TEST_F(Binary, trains_a_classifier_and_labels_texts_with_it) {
  write_labelled();
  const std::string recipe =
      "train recipe.yaml --objective classify --train_data rows.jsonl --max_steps 40";
  const Output trained = lathe(recipe);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_NE(trained.err.find("accuracy"), std::string::npos) << trained.err;
  const Output eval = lathe("eval --model run/model rows.jsonl --json --cache_dir cache");
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_GE(nlohmann::json::parse(eval.out).at("accuracy").get<double>(), 0.95);
  const Output labels =
      lathe("classify --model run/model", "printf 'the cat number 3 sees\\nthe bird\\n' |");
  EXPECT_EQ(labels.out.find("beast\t"), 0U) << labels.out << labels.err;
  EXPECT_NE(labels.out.find("\nfowl\t"), std::string::npos) << labels.out;

  const Output bytes = lathe("classify --model run/model", "printf 'fine\\r\\n\\377\\n' |");
  EXPECT_NE(bytes.err.find("standard input:2: expected UTF-8, found \"\\xff\""), std::string::npos)
      << bytes.err;
  const Output blank =
      lathe("classify --model run/model", "printf 'the\\tcat\\n \\nthe bird\\n' |");
  EXPECT_NE(blank.out.find("\tthe cat\nfowl\t"), std::string::npos) << blank.out;
  EXPECT_NE(blank.err.find("1 without any text were left out, the first is standard input:2"),
            std::string::npos)
      << blank.err;
  const Output parts = lathe(
      recipe +
      " --output_dir parts --max_steps 1 --validation_split 0 --valid_data '[{path: rows.jsonl, "
      "name: a}, {path: rows.jsonl, name: b}]'");
  EXPECT_NE(parts.err.find("b_accuracy"), std::string::npos) << parts.err;
  const Output metric = lathe(recipe +
                              " --output_dir other --load_best_model_at_end true "
                              "--metric_for_best_model recall");
  EXPECT_NE(metric.err.find("expected one of loss, accuracy, macro_f1"), std::string::npos)
      << metric.err;

  write("other.jsonl", "{\"text\": \"the dog\", \"label\": \"hound\"}\n");
  const Output unknown = lathe("eval --model run/model other.jsonl --cache_dir cache");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.err.find("the label hound is not known; there are beast, fowl"),
            std::string::npos)
      << unknown.err;
}

TEST_F(Binary, learns_answers_and_leaves_the_frozen_layers_as_they_are) {
  write_answers();
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 5").code, 0);
  const Output tuned = lathe(
      "train --model run/model --train_data rows.jsonl --trainable 'last_layers(1)' "
      "--max_length 64 --max_steps 5 --output_dir tuned --cache_dir cache --sample_tokens 0");
  ASSERT_EQ(tuned.code, 0) << tuned.err;
  const SafetensorsFile before(folder_ / "run/model/model.safetensors"),
      after(folder_ / "tuned/model/model.safetensors");
  const auto changed = [&](const std::string& name) {
    return !std::ranges::equal(before.data(before.at(name)), after.data(after.at(name)));
  };
  EXPECT_FALSE(changed("model.layers.0.mlp.up_proj.weight"));
  EXPECT_FALSE(changed("model.embed_tokens.weight"));
  EXPECT_TRUE(changed("model.layers.1.mlp.up_proj.weight"));
}

TEST_F(Binary, computes_what_frozen_layers_make_of_texts_once_with_the_same_losses) {
  write_answers();
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 5").code, 0);
  const std::string tune =
      "train --model run/model --train_data rows.jsonl --valid_data rows.jsonl --max_length 64 "
      "--trainable 'last_layers(1)' --bf16 false --num_train_epochs 4 --eval_steps 1 "
      "--logging_steps 1 --per_device_train_batch_size 2 --cache_dir cache --sample_tokens 0 ";
  const Output kept = lathe(tune + "--output_dir kept");
  ASSERT_EQ(kept.code, 0) << kept.err;
  EXPECT_NE(kept.err.find("the output of the lowest 1 layers, which do not change, is kept"),
            std::string::npos)
      << kept.err;
  const Output anew = lathe(tune + "--output_dir anew --frozen_cache false");
  ASSERT_EQ(anew.code, 0) << anew.err;
  EXPECT_EQ(metrics("kept"), metrics("anew"));
  EXPECT_EQ(model_bytes("kept"), model_bytes("anew"));
  const Output noisy = lathe(tune + "--output_dir noisy --neftune_noise_alpha 5");
  EXPECT_NE(noisy.err.find("computed anew"), std::string::npos) << noisy.err;
  EXPECT_NE(metrics("noisy"), metrics("anew"));

  const Output answers = lathe("eval --model kept/model --answers rows.jsonl --json");
  ASSERT_EQ(answers.code, 0) << answers.err;
  EXPECT_EQ(nlohmann::json::parse(answers.out).at("rows"), 40);
}

TEST_F(Binary, trains_an_adapter_and_merges_it) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 5").code, 0);
  const std::string base = model_bytes("run");
  const std::string train =
      "train recipe.yaml --model run/model --adapter '{peft_type: LORA, r: 4}' --output_dir ";
  const Output whole = lathe(train + "whole");
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_NE(whole.err.find("--adapter whole/adapter"), std::string::npos) << whole.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "whole/model"));
  EXPECT_EQ(model_bytes("run"), base);
  (void)lathe(train + "parts", "timeout -s TERM 0.7");
  ASSERT_EQ(lathe(train + "parts").code, 0);
  const auto adapter = [&](const std::string& run) {
    return read_file(folder_ / (run + "/adapter/adapter_model.safetensors"));
  };
  EXPECT_EQ(adapter("parts"), adapter("whole"));

  const auto loss = [&](const std::string& model) {
    const Output eval =
        lathe("eval --text 'Line 3 of the story' --json --dtype float32 --model " + model);
    EXPECT_EQ(eval.code, 0) << eval.err;
    return nlohmann::json::parse(eval.out).at("loss").get<double>();
  };
  const double with = loss("run/model --adapter whole/adapter");
  EXPECT_LT(with, loss("run/model") - 0.05);
  ASSERT_EQ(lathe("merge run/model whole/adapter merged").code, 0);
  EXPECT_NEAR(loss("merged"), with, 1e-5);
  const Output wrong =
      lathe("train recipe.yaml --model run/model --adapter '{peft_type: LORA}' --trainable head");
  EXPECT_NE(wrong.err.find("modules_to_save"), std::string::npos) << wrong.err;
  const Output kindless = lathe("train recipe.yaml --model run/model --adapter '{r: 4}'");
  EXPECT_NE(kindless.err.find("expected peft_type"), std::string::npos) << kindless.err;
  const Output lost = lathe(
      "train recipe.yaml --model run/model --adapter whole/adapter --output_dir whole --overwrite");
  EXPECT_NE(lost.err.find("would remove whole/adapter"), std::string::npos) << lost.err;
  ASSERT_EQ(lathe("merge run/model whole/adapter slashed/").code, 0);
  EXPECT_EQ(read_file(folder_ / "slashed/model.safetensors"),
            read_file(folder_ / "merged/model.safetensors"));
}

TEST_F(Binary, continues_each_prompt_with_the_adapter_that_it_names) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 5").code, 0);
  const std::string train =
      "train recipe.yaml --model run/model --max_steps 8 --learning_rate 0.05 ";
  ASSERT_EQ(lathe(train + "--adapter '{peft_type: LORA, lora_dropout: 0.1}' --output_dir a").code,
            0);
  const Output bottleneck = lathe(
      train + "--adapter '{peft_type: BOTTLENECK, target_modules: all-blocks}' --output_dir b");
  ASSERT_EQ(bottleneck.code, 0) << bottleneck.err;
  EXPECT_NE(bottleneck.err.find("only Lathe reads"), std::string::npos) << bottleneck.err;
  EXPECT_NE(lathe("info run/model --adapter b/adapter").out.find("the whole layer"),
            std::string::npos);
  write("prompts.jsonl",
        "{\"prompt\": \"Line 3\", \"adapter\": \"a\"}\n{\"prompt\": \"Line 3\"}\n"
        "{\"prompt\": \"Line 3\", \"adapter\": \"b\"}\n");
  const std::string common =
      " --model run/model --dtype float32 --temperature 0 --json "
      "--max_new_tokens 12 ";
  const auto texts = [&](const std::string& arguments) {
    const Output out = lathe("generate" + common + arguments);
    EXPECT_EQ(out.code, 0) << out.err;
    std::vector<std::string> list;
    const auto answer = nlohmann::json::parse(out.out);
    for (const auto& each : answer.at("completions"))
      list.push_back(each.at("text").get<std::string>());
    return list;
  };
  const std::string names =
      "--adapter '{path: a/adapter, name: a}' --adapter '{path: b/adapter, name: b}' ";
  const auto together = texts(names + "--prompts prompts.jsonl");
  ASSERT_EQ(together.size(), 3U);
  EXPECT_EQ(together[0], texts("--adapter a/adapter 'Line 3'").at(0));
  EXPECT_EQ(together[1], texts("--prompt 'Line 3'").at(0));
  EXPECT_EQ(together[2], texts("--adapter b/adapter --prompt 'Line 3'").at(0));
  EXPECT_EQ(together[2], texts(names + "--use b --prompt 'Line 3'").at(0));
  const Output unknown = lathe("generate" + common + names + "--use c --prompt x");
  EXPECT_NE(unknown.err.find("expected one of a, b"), std::string::npos) << unknown.err;
  EXPECT_EQ(texts("--adapter '{path: a/adapter, strength: 0}' --prompt 'Line 3'").at(0),
            together[1]);
}

TEST_F(Binary, trains_adapters_of_several_kinds_together) {
  write_labelled();
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 5").code, 0);
  const std::string train =
      "train recipe.yaml --model run/model --objective classify --train_data rows.jsonl "
      "--max_steps "
      "40 --adapter '{peft_type: LORA, r: 2, target_modules: q_proj}' --adapter '{peft_type: "
      "BOTTLENECK, layers_to_transform: [1]}' --output_dir ";
  const Output trained = lathe(train + "both");
  ASSERT_EQ(trained.code, 0) << trained.err;
  (void)lathe(train + "parts", "timeout -s TERM 1");
  ASSERT_EQ(lathe(train + "parts").code, 0);
  EXPECT_EQ(read_file(folder_ / "parts/adapter/2/adapter.safetensors"),
            read_file(folder_ / "both/adapter/2/adapter.safetensors"));
  const Output eval = lathe(
      "eval rows.jsonl --model run/model --adapter both/adapter/1 --adapter both/adapter/2 --json "
      "--cache_dir cache");
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_GE(nlohmann::json::parse(eval.out).at("accuracy").get<double>(), 0.95);
}

TEST_F(Binary, trains_several_adapters_at_once_each_on_its_rows) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 5").code, 0);
  std::string rows;
  for (int i = 0; i < 40; ++i)
    rows += format("{{\"text\": \"Line {}\", \"adapter\": \"{}\"}}\n", i % 2 ? "one" : "two",
                   i % 2 ? "ones" : "twos");
  write("tagged.jsonl", rows);
  const std::string train =
      "train recipe.yaml --model run/model --train_data tagged.jsonl --valid_data tagged.jsonl "
      "--validation_split 0 --max_steps 40 --eval_steps 0 ";
  const std::string adapters =
      "--adapter '{name: ones, peft_type: LORA, learning_rate: 0.02}' "
      "--adapter '{name: twos, peft_type: LORA, r: 4, learning_rate: 0.01, loss_weight: 2}' ";
  const Output trained = lathe(train + adapters + "--output_dir tagged");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_NE(trained.err.find("ones_perplexity"), std::string::npos) << trained.err;
  EXPECT_NE(read_file(folder_ / "tagged/metrics.jsonl").find("\"twos_loss\""), std::string::npos);
  const auto answer = [&](const std::string& use) {
    return lathe(
               "generate --model run/model --temperature 0 --max_new_tokens 8 --prompt Line "
               "--adapter '{path: tagged/adapter/ones, name: ones}' "
               "--adapter '{path: tagged/adapter/twos, name: twos}' --use " +
               use)
        .out;
  };
  EXPECT_NE(answer("ones").find("one"), std::string::npos) << answer("ones");
  EXPECT_NE(answer("twos").find("two"), std::string::npos) << answer("twos");
  EXPECT_NE(lathe("eval tagged.jsonl --model run/model --cache_dir cache --adapter '{path: "
                  "tagged/adapter/ones, name: ones}'")
                .err.find("nothing here chooses between adapters"),
            std::string::npos);
  const auto refused = [&](const std::string& with) { return lathe(train + with).err; };
  EXPECT_NE(refused(adapters + "--adapter '{peft_type: IA3}'").find("a name for each of them"),
            std::string::npos);
  EXPECT_NE(refused("--adapter '{peft_type: IA3, loss_weight: 2}'").find("give it a name"),
            std::string::npos);
  EXPECT_NE(refused("--adapter '{name: ../x, peft_type: IA3}'").find("found \"../x\""),
            std::string::npos);
  EXPECT_NE(refused(adapters + "--objective classify").find("one at a time"), std::string::npos);
}

TEST_F(Binary, trains_an_adapter_beside_a_quantised_model) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 5").code, 0);
  const std::string train =
      "train recipe.yaml --adapter '{peft_type: LORA, r: 4}' --model run/model --output_dir ";
  const auto loss = [&](const std::string& model) {
    const Output eval =
        lathe("eval --text 'Line 3 of the story' --json --dtype float32 --model " + model);
    EXPECT_EQ(eval.code, 0) << eval.err;
    return nlohmann::json::parse(eval.out).at("loss").get<double>();
  };
  ASSERT_EQ(lathe(train + "four --load_in_4bit").code, 0);
  EXPECT_LT(loss("run/model --load_in_4bit --adapter four/adapter"),
            loss("run/model --load_in_4bit") - 0.05);
  EXPECT_LT(loss("run/model --adapter four/adapter"), loss("run/model") - 0.05);
  ASSERT_EQ(lathe("convert run/model x.gguf --quant Q8_0").code, 0);
  ASSERT_EQ(lathe(train + "blocks --model x.gguf --keep_quantized --tokenizer run/model").code, 0);
  EXPECT_LT(loss("x.gguf --keep_quantized --adapter blocks/adapter"), loss("x.gguf") - 0.05);
  EXPECT_NEAR(loss("x.gguf --keep_quantized"), loss("x.gguf"), 1e-4);

  const Output whole = lathe("train recipe.yaml --model run/model --load_in_4bit --output_dir all");
  EXPECT_NE(whole.err.find("give an adapter"), std::string::npos) << whole.err;
  const Output both = lathe(train + "both --load_in_4bit --keep_quantized");
  EXPECT_NE(both.err.find("expected one of the two"), std::string::npos) << both.err;
  const Output plain = lathe(train + "plain --keep_quantized");
  EXPECT_NE(plain.err.find("no matrices in quantised blocks"), std::string::npos) << plain.err;
}

TEST_F(Binary, a_classifier_may_be_an_adapter_with_its_labels) {
  write_labelled();
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 5").code, 0);
  const Output trained = lathe(
      "train recipe.yaml --model run/model --adapter '{peft_type: LORA, r: 4}' --objective "
      "classify --train_data rows.jsonl --max_steps 40 --output_dir labels");
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Output eval =
      lathe("eval --model run/model --adapter labels/adapter rows.jsonl --json --cache_dir cache");
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_GE(nlohmann::json::parse(eval.out).at("accuracy").get<double>(), 0.95);
  write("more.jsonl", "{\"text\": \"the dog\", \"label\": \"hound\"}\n");
  const Output other = lathe(
      "train recipe.yaml --model run/model --adapter labels/adapter --objective classify "
      "--train_data more.jsonl --validation_split 0 --output_dir further");
  EXPECT_NE(other.err.find("the label hound is not known"), std::string::npos) << other.err;
}

TEST_F(Binary, a_tokenizer_of_another_model_is_an_error_where_a_token_is_unknown) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 1").code, 0);
  ASSERT_EQ(lathe("tokenizer story.txt --vocab-size 330 --out larger").code, 0);
  const Output trained =
      lathe("train recipe.yaml --model run/model --tokenizer larger --output_dir large");
  EXPECT_EQ(trained.code, 1);
  EXPECT_NE(trained.err.find("the model knows those below"), std::string::npos) << trained.err;
  write("run/model/tokenizer.json", read_file(folder_ / "larger/tokenizer.json"));
  for (const char* command : {"generate --prompt", "eval --text"}) {
    const Output used = lathe(format("{} \"$(head -20 story.txt)\" --model run/model", command));
    EXPECT_EQ(used.code, 1) << command;
    EXPECT_NE(used.err.find("the model knows those below"), std::string::npos) << used.err;
  }
}

TEST_F(Binary, a_line_of_two_gigabytes_is_an_error_that_names_it) {
  write("rows.jsonl", "{\"text\": \"a\"}\n{\"text\": \"");
  std::filesystem::resize_file(folder_ / "rows.jsonl", uint64_t{2} << 30);  // a hole of zeros
  const Output result = lathe("train recipe.yaml --train_data rows.jsonl", "ulimit -v 8000000;");
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("rows.jsonl:2"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("bytes in a line"), std::string::npos) << result.err;
}

TEST_F(Binary, tells_what_a_model_knows_and_how_it_does_on_each_text) {
  write("other.txt", "Line 1 of the story: birds and birds.\n");
  write("questions.jsonl",
        "{\"prompt\": \"Line 5 of the \", \"choices\": [\"story\", \"zxqvk\"], \"answer\": "
        "\"story\"}\n");
  const Output trained = lathe(
      "train recipe.yaml --validation_split 0 --valid_data '[story.txt, {path: other.txt, name: "
      "new}]'");
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::string metrics = read_file(folder_ / "run/metrics.jsonl");
  EXPECT_NE(metrics.find("\"eval_new_loss\""), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("\"eval_story_perplexity\""), std::string::npos);
  const Output told = lathe(
      "train recipe.yaml --cloze_data questions.jsonl --eval_on_start --output_dir asked "
      "--load_best_model_at_end --metric_for_best_model perplexity");
  ASSERT_EQ(told.code, 0) << told.err;
  for (const char* part : {"step 0     step 30", "\n  perplexity ", "\n  cloze_accuracy "})
    EXPECT_NE(told.err.find(part), std::string::npos) << part << told.err;
  EXPECT_EQ(lathe("train recipe.yaml --cloze_data story.txt --output_dir never").code, 1);
  const Output asked = lathe("eval --model run/model --cloze questions.jsonl --json");
  ASSERT_EQ(asked.code, 0) << asked.err;
  EXPECT_EQ(nlohmann::json::parse(asked.out).at("accuracy"), 1);
  EXPECT_EQ(lathe("eval --model run/model --cloze recipe.yaml").code, 1);
}

TEST_F(Binary, follows_and_keeps_how_a_model_is_to_write) {
  ASSERT_EQ(lathe("train recipe.yaml --max_steps 1").code, 0);
  const std::string draw = " --prompt Line --max_new_tokens 12";
  const std::string likeliest = lathe("generate --model run/model --temperature 0" + draw).out;
  const std::string drawn = lathe("generate --model run/model" + draw).out;
  EXPECT_NE(drawn, likeliest);
  const std::string says = "{\"do_sample\": true, \"temperature\": 0.7, \"top_k\": 1}\n";
  write("run/model/generation_config.json", says);
  EXPECT_EQ(lathe("generate --model run/model" + draw).out, likeliest);
  EXPECT_EQ(lathe("generate --model run/model --temperature 1 --top_k 0" + draw).out, drawn);
  const auto facts = nlohmann::json::parse(lathe("info run/model --json").out);
  EXPECT_EQ(facts["sampling"], (nlohmann::json{{"temperature", 0.7}, {"top_k", 1}}));

  ASSERT_EQ(lathe("convert run/model copy --dtype bfloat16").code, 0);
  EXPECT_EQ(read_file(folder_ / "copy/generation_config.json"), says);
  write("on.yaml",
        "model: copy\ntrain_data: [story.txt]\nmax_length: 32\nmax_steps: 1\n"
        "cache_dir: cache\noutput_dir: on\n");
  const Output trained = lathe("train on.yaml");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(read_file(folder_ / "on/model/generation_config.json"), says);

  write("copy/generation_config.json", "{\"do_sample\": true, \"top_p\": 2}");
  const Output bad = lathe("generate --model copy" + draw);
  EXPECT_EQ(bad.code, 1);
  EXPECT_NE(bad.err.find("generation_config.json: \"top_p\""), std::string::npos) << bad.err;
}

}  // namespace
}  // namespace lathe
