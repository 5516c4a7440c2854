#include "lathe/model/walk.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(LayerOf, is_the_number_behind_the_list_of_layers) {
  EXPECT_EQ(layer_of("model.layers.3.mlp.up_proj.weight"), 3);
  EXPECT_EQ(layer_of("transformer.h.11.attn.c_attn.bias"), 11);
  EXPECT_EQ(layer_of("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"), 0);
  for (const char* none : {"model.norm.weight", "model.layers.x.y", "model.layers.", "h.", ""})
    EXPECT_EQ(layer_of(none), -1) << none;
}

TEST(LayerOf, does_not_stop_at_other_words_with_the_same_end) {
  EXPECT_EQ(layer_of("players.base_model.model.model.layers.2.mlp"), 2);
  EXPECT_EQ(layer_of("graph.base_model.model.transformer.h.5.mlp"), 5);
}

}  // namespace
}  // namespace lathe
