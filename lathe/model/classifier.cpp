#include "lathe/model/classifier.h"

namespace lathe {

std::unique_ptr<Model> classifier_of(Model& model, const std::vector<std::string>& labels,
                                     const std::string& problem_type, uint64_t seed) {
  require(!labels.empty(), "a classifier needs labels, found none");
  ModelConfig config = model.config();
  config.labels = labels;
  config.problem_type = problem_type;
  std::unique_ptr<Model> classifier = empty_model(config);
  std::map<std::string, Tensor> weights;
  for (const NamedTensor& weight : model.named_tensors()) weights[weight.name] = *weight.tensor;
  weights.erase("score.weight");
  const Tensor& like = model.output_weight();
  for (const NamedTensor& weight : classifier->named_tensors()) {
    const auto found = weights.find(weight.name);
    *weight.tensor =
        found != weights.end()
            ? found->second
            : new_weight(weight, *classifier, seed).to(like.device(), like.scalar_type());
  }
  classifier->set_compute_dtype(model.compute_dtype());
  return classifier;
}

}  // namespace lathe
