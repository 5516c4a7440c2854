#include "lathe/adapt/lora.h"

namespace lathe {
namespace {

/// x A^T; at an embedding the columns of A that the tokens x name: (B, T) -> (B, T, r).
Tensor reduced(const Tensor& x, const Tensor& a, bool embeds) {
  if (!embeds) return project(x, a);
  if (a.dim() == 2) {
    std::vector<int64_t> shape = x.sizes().vec();
    shape.push_back(a.size(0));
    return a.index_select(1, x.flatten()).t().reshape(shape);
  }
  const Tensor index = x.unsqueeze(1).expand({x.size(0), a.size(1), x.size(1)});
  return a.gather(2, index).transpose(1, 2);
}

}  // namespace

Lora::Lora(const Site& site, const AdapterOptions& o)
    : SiteModule(site, site.kind == SiteKind::embedding ? 0 : o.lora_dropout),  // as in PEFT
      principal_(o.init_lora_weights == "pissa") {
  const int64_t r = o.rank_of(site.name);
  const double alpha = o.alpha_of(site.name);
  require(r <= std::max(site.in, site.out),
          "r: {} is larger than the layer {}, which has {} inputs and {} outputs", r, site.name,
          site.in, site.out);
  const bool plain = !embeds();
  require(plain || (!o.lora_bias && !principal_),
          "{}: an embedding can have LoRA and DoRA, but no lora_bias and pissa", site.name);
  require(!principal_ || r <= std::min(site.in, site.out),
          "r: {} is larger than the layer {} has singular values, {}", r, site.name,
          std::min(site.in, site.out));
  scale_ = alpha / (o.use_rslora ? std::sqrt(static_cast<double>(r)) : static_cast<double>(r));
  a_ = empty({r, site.in});
  b_ = empty({site.out, r});
  if (o.lora_bias) bias_ = empty({site.out});
  if (o.use_dora) magnitude_ = empty({site.out});
}

std::vector<Tensor> Lora::numbers() const {
  const double by = scale_ * strength;
  std::vector<Tensor> n(6);
  n[down] = a_;
  n[up] = b_ * by;
  if (bias_.defined()) n[up_bias] = bias_ * by;
  if (magnitude_.defined()) {
    const Tensor f = row_factors();
    n[up] = f.unsqueeze(1) * n[up];
    n[factors] = 1 + strength * (f - 1);
  }
  if (!origin_a_.defined()) return n;
  // B A - B0 A0, by what is small of it: both products are as large as the weight.
  n[up] = (b_ - origin_b_) * by;
  n[down2] = a_ - origin_a_;
  n[up2] = origin_b_ * by;
  return n;
}

Tensor Lora::compute(std::span<const Tensor> n, const Tensor& x, const Base& base) const {
  const Tensor y = base(x), z = dropped(x);
  const at::ScalarType dtype = y.scalar_type();
  Tensor added = project(reduced(z, n[down], embeds()).to(dtype), n[up], n[up_bias]);
  if (n[down2].defined()) added = added + project(project(z, n[down2]), n[up2]);
  if (!n[factors].defined()) return y + added;
  const Tensor scaled = z.is_same(x) ? y : base(z);
  const Tensor without_bias = site_.has_bias() ? scaled - site_.bias->to(dtype) : scaled;
  // Factors are near 1: the difference is taken before it is rounded.
  return y + (n[factors] - 1).to(dtype) * without_bias + added;
}

Tensor Lora::product() const {
  if (!origin_a_.defined()) return scale_ * at::mm(b_, a_);
  return scale_ * (at::mm(b_ - origin_b_, a_) + at::mm(origin_b_, a_ - origin_a_));
}

Tensor Lora::row_norms() const {
  const at::NoGradGuard no_grad;
  // Kernels of optimizers write without a new version: what is learned is computed each time.
  const bool fixed = !a_.requires_grad() && !b_.requires_grad();
  std::vector<int64_t> of;
  for (const Tensor& each : {*site_.weight, a_, b_}) {
    of.push_back(reinterpret_cast<int64_t>(each.unsafeGetTensorImpl()));
    of.push_back(each._version());
  }
  if (fixed && of == norms_of_) return norms_;
  norms_ = (site_.matrix().to(at::kFloat) + product()).norm(2, 1);
  norms_of_ = fixed ? of : std::vector<int64_t>();
  return norms_;
}

std::string Lora::describe() const {
  return format("{}, r {}",
                magnitude_.defined() ? "DoRA"
                : principal_         ? "PiSSA"
                                     : "LoRA",
                a_.size(0));
}

std::vector<NamedTensor> Lora::tensors() {
  std::vector<NamedTensor> list = {{embeds() ? ".lora_embedding_A" : ".lora_A.weight", &a_},
                                   {embeds() ? ".lora_embedding_B" : ".lora_B.weight", &b_}};
  if (bias_.defined()) list.push_back({".lora_B.bias", &bias_});
  if (magnitude_.defined()) list.push_back({".lora_magnitude_vector", &magnitude_});
  return list;
}

std::vector<std::pair<std::string, Tensor>> Lora::saved() {
  std::vector<std::pair<std::string, Tensor>> list = SiteModule::saved();
  if (!origin_a_.defined()) return list;
  list[0].second = at::cat({a_.detach(), origin_a_}, 0);
  list[1].second = at::cat({b_.detach(), -origin_b_}, 1);
  return list;
}

void Lora::begin(uint64_t seed) {
  const std::string stream = "lora_A " + site_.name;
  if (principal_) {
    find_origin();
    a_.copy_(origin_a_);
    b_.copy_(origin_b_);
  } else if (embeds()) {  // as torch.nn.Embedding begins; of the two PEFT has the other at zero
    a_.zero_();
    b_.copy_(normal(b_.sizes(), 1, seed, stream));
  } else {  // torch.nn.init.kaiming_uniform_ with a = sqrt(5)
    a_.copy_(uniform(a_.sizes(), 1 / std::sqrt(static_cast<double>(site_.in)), seed, stream));
    b_.zero_();
  }
  if (bias_.defined()) bias_.zero_();
  if (magnitude_.defined()) magnitude_.copy_((site_.matrix().to(at::kFloat)).norm(2, 1));
}

void Lora::find_origin() {
  const at::NoGradGuard no_grad;
  // By the eigenvectors of the smaller Gram matrix: the largest singular values are as precise as
  // float32 is, in a fraction of the time of a decomposition of the weight.
  const int64_t r = a_.size(0), small = std::min(site_.in, site_.out);
  const Tensor weight = site_.matrix().to(at::kDouble);
  const bool wide = site_.in > site_.out;
  const Tensor side = wide ? weight.t() : weight;                           // (long, short)
  const auto [squares, vectors] = at::linalg_eigh(at::mm(side.t(), side));  // ascending
  const Tensor v = vectors.narrow(1, small - r, r).flip(1);                 // (short, r)
  const Tensor s = squares.narrow(0, small - r, r).flip(0).clamp_min(0).sqrt();
  const Tensor u = at::mm(side, v) / s.clamp_min(1e-30);  // (long, r)
  const Tensor root = (s / scale_).sqrt();
  origin_a_ = ((wide ? u : v) * root).t().to(at::kFloat).contiguous();
  origin_b_ = ((wide ? v : u) * root).to(at::kFloat).contiguous();
}

void Lora::loaded() {
  if (principal_) find_origin();
}

void Lora::require_mergeable() const {
  require(!bias_.defined() || site_.has_bias(),
          "{}: it has no bias that could take what the adapter adds: use it with --adapter",
          site_.name);
}

void Lora::merge() const {
  const at::NoGradGuard no_grad;
  Tensor change = product();
  Tensor bias = bias_.defined() ? scale_ * bias_ : Tensor();
  if (magnitude_.defined()) {
    const Tensor base = site_.matrix().to(at::kFloat);
    const Tensor factors = row_factors();
    change = factors.unsqueeze(1) * (base + change) - base;
    if (bias.defined()) bias = factors * bias;
  }
  add_to_layer(change * strength, bias.defined() ? bias * strength : bias);
}

}  // namespace lathe
