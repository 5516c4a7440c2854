#include "cli/quantization.h"

namespace lathe {

void QuantizationOptions::fields(Fields& f) {
  f("load_in_4bit", load_in_4bit,
    "Keep the weights of the model's layers in 4 bits, embeddings, output layer, queries, keys and "
    "values in 8: about a third of bfloat16. For a model that an adapter is trained beside "
    "(QLoRA), or that is used.");
  f("bnb_4bit_quant_type", bnb_4bit_quant_type, "The numbers that 4 bits stand for.",
    {.choices = {"nf4"}, .advanced = true});
  f("keep_quantized", keep_quantized,
    "Keep the weights of a GGUF file in the blocks that it has, instead of decoding them; "
    "likewise.");
  f.unsupported("bnb_4bit_use_double_quant", "scales are always quantised too; leave it out");
  f.unsupported("bnb_4bit_compute_dtype", "what is computed in is said by bf16 or dtype");
  f.unsupported("load_in_8bit",
                "there is load_in_4bit, or keep_quantized with a GGUF file of Q8_0");
}

WeightFormat QuantizationOptions::format() const {
  require(!load_in_4bit || !keep_quantized,
          "load_in_4bit and keep_quantized: expected one of the two, found both");
  if (load_in_4bit) return WeightFormat::nf4;
  return keep_quantized ? WeightFormat::stored : WeightFormat::plain;
}

}  // namespace lathe
