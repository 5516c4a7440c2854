#pragma once

#include "lathe/adapt/adapter.h"

namespace lathe {

/// Writes a LoRA adapter as the GGUF file that llama.cpp takes as --lora, in float32
/// (https://github.com/ggml-org/llama.cpp/blob/master/convert_lora_to_gguf.py). rsLoRA, patterns of
/// ranks and alphas, and strengths become part of the matrices. Throws Error for what llama.cpp has
/// no words for: other kinds than LoRA, DoRA, biases, modules_to_save.
void save_gguf_lora(Model& model, const Adapter& adapter, const fs::path& path);

}  // namespace lathe
