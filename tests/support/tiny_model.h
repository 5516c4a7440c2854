// Shapes of models that cost nothing.
#pragma once

#include "lathe/model/config.h"

namespace lathe {

/// One layer, two heads.
inline ModelConfig tiny_config() {
  ModelConfig c;
  c.vocab_size = 20;
  c.hidden_size = 8;
  c.intermediate_size = 12;
  c.num_hidden_layers = 1;
  c.num_attention_heads = 2;
  return c;
}

/// Two layers, four heads of which two share keys and values.
inline ModelConfig small_config() {
  ModelConfig c;
  c.vocab_size = 50;
  c.hidden_size = 16;
  c.intermediate_size = 24;
  c.num_hidden_layers = 2;
  c.num_attention_heads = 4;
  c.num_key_value_heads = 2;
  return c;
}

}  // namespace lathe
