// Every RoPE scaling against transformers: see tests/golden/rope.
#include "lathe/model/rotary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/io/safetensors.h"
#include "lathe/model/files.h"

namespace lathe {
namespace {

class RotaryGolden : public testing::TestWithParam<std::string> {};

TEST_P(RotaryGolden, angles_are_those_of_transformers) {
  const fs::path folder = fs::path(LATHE_TEST_DATA) / "golden/rope";
  const nlohmann::json golden = load_json(folder / "configs.json");
  const SafetensorsFile file(folder / "angles.safetensors");
  const ModelConfig config = read_model_config(golden.at("configs").at(GetParam()));
  for (const auto& [length, list] : golden.at("positions").items()) {
    const Tensor positions = at::tensor(list.get<std::vector<int64_t>>(), at::kLong).unsqueeze(0);
    const RopeParameters& rope = config.rope_parameters;
    const Rotary rotary(rope, config.rotated_size(rope), config.max_position_embeddings);
    const RotaryAngles angles = rotary.angles(positions, positions.amax(1, true) + 1, at::kFloat);
    for (const auto& [part, ours] : {std::pair{"cos", angles.cos}, {"sin", angles.sin}}) {
      const TensorInfo& info = file.at(GetParam() + "." + length + "." + part);
      const Tensor theirs = tensor_of(info, file.data(info));
      EXPECT_LE((ours[0] - theirs).abs().max().item<double>(), 1e-6) << length << " " << part;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Scalings, RotaryGolden,
                         testing::Values("default", "large_theta", "linear", "dynamic", "llama3",
                                         "yarn", "yarn_mscale", "longrope"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lathe
