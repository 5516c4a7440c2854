#pragma once

#include "lathe/model/site.h"
#include "lathe/model/walk.h"

namespace lathe {

/// What an adapter has at one site. All of its numbers are float32, whatever the model is.
///
/// What it computes is a function of its numbers, the input and the layer, so that the rows of a
/// batch may each have numbers of their own: these then have a first dimension for the rows.
class SiteModule : public SiteAdapter {
 public:
  /// For a site whose layer lives as long as this.
  explicit SiteModule(Site site, double dropout = 0) : site_(std::move(site)), dropout_(dropout) {}

  Tensor operator()(const Tensor& x, const Base& base) const final {
    return compute(numbers(), x, base);
  }
  /// What it computes with, scale and strength included: matrices (out, in) and vectors; undefined
  /// where it has none.
  virtual std::vector<Tensor> numbers() const = 0;
  /// The value of numbers()[i] in rows for which nothing is to be done; nothing where any will do.
  virtual std::optional<double> idle(size_t i) const = 0;
  /// x (B, T, in) -> (B, T, out), with the numbers of one module, or those of each row: (B, out,
  /// in) and (B, 1, n).
  virtual Tensor compute(std::span<const Tensor> numbers, const Tensor& x,
                         const Base& base) const = 0;
  /// Modules at one site whose `compute` is the same function have the same kind and dropout.
  virtual std::string kind() const = 0;
  /// The share of what it reads that is dropped in training.
  double dropout() const { return dropout_; }

  /// What is trained, under the ends of its names in files: ".lora_A.weight".
  virtual std::vector<NamedTensor> tensors() = 0;
  /// Fills them so that the model stays what it is. What is drawn comes from the stream (seed, name
  /// of the site).
  virtual void begin(uint64_t seed) = 0;
  /// Called when they were read from a file.
  virtual void loaded() {}
  /// Throws Error where `merge` cannot be.
  virtual void require_mergeable() const {}
  /// Makes what it does part of the layer's weights, which are added to in float32.
  virtual void merge() const = 0;
  /// What is kept in files, under the same names.
  virtual std::vector<std::pair<std::string, Tensor>> saved();

  /// What it adds to or changes at the site, in a few words: "LoRA, r 8".
  virtual std::string describe() const = 0;
  /// How it is connected.
  enum class Position { beside, behind, behind_addition, factor_of_input, factor_of_output };
  virtual Position position() const = 0;
  const Site& site() const { return site_; }
  /// Whether its tensors are trained.
  bool learns() { return tensors().front().tensor->requires_grad(); }
  /// How much of what it does is done: 1 as it was trained, 0 nothing.
  double strength = 1;

 protected:
  /// x, of which a share is zeros and the rest larger by as much, where the forward pass says so
  /// (Srivastava et al. 2014).
  Tensor dropped(const Tensor& x) const;
  /// A float32 tensor without values.
  static Tensor empty(at::IntArrayRef shape) { return at::empty(shape, at::kFloat); }
  /// Adds to the layer's weight, (out, in), and to its bias (out), if defined.
  void add_to_layer(const Tensor& weight, const Tensor& bias) const;

  Site site_;

 private:
  double dropout_;
};

/// x W^T + b, as ops::linear, or with a matrix (B, out, in) and a bias (B, 1, out) for each row of
/// x.
Tensor project(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// Values in (-limit, limit), float32 on the CPU, of the stream (seed, name).
Tensor uniform(at::IntArrayRef shape, double limit, uint64_t seed, const std::string& name);

/// Normal values with a mean of 0, likewise.
Tensor normal(at::IntArrayRef shape, double deviation, uint64_t seed, const std::string& name);

}  // namespace lathe
