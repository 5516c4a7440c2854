#include "lathe/adapt/vera.h"

namespace lathe {

Vera::Vera(const Site& site, const AdapterOptions& options,
           std::shared_ptr<const VeraProjections> projections)
    : SiteModule(site, options.vera_dropout),
      projections_(std::move(projections)),
      lambda_b_(empty({site.out})),
      lambda_d_(empty({options.rank_of(site.name)})),
      d_initial_(options.d_initial) {}

Tensor Vera::compute(std::span<const Tensor> n, const Tensor& x, const Base& base) const {
  const Tensor y = base(x);
  const Tensor reduced = project(dropped(x), n[0]) * n[1].to(x.scalar_type());
  return y + project(reduced, n[2]) * n[3].to(y.scalar_type());
}

void Vera::begin(uint64_t /*seed*/) {
  lambda_b_.zero_();
  lambda_d_.fill_(d_initial_);
}

void Vera::merge() const {
  const at::NoGradGuard no_grad;
  add_to_layer(strength * (lambda_b_.unsqueeze(1) * at::mm(b() * lambda_d_, a())), {});
}

VeraProjections draw_projections(const AdapterOptions& o, int64_t in, int64_t out) {
  at::Generator generator =
      at::detail::createCPUGenerator(static_cast<uint64_t>(o.projection_prng_key));
  const auto draw = [&](int64_t rows, int64_t columns) {
    const double limit =
        std::sqrt(3.0) * (std::sqrt(2.0) / std::sqrt(static_cast<double>(columns)));
    return at::empty({rows, columns}, at::kFloat).uniform_(-limit, limit, generator);
  };
  const int64_t r = o.rank_of("");
  const Tensor a = draw(r, in);
  return {a, draw(out, r)};
}

}  // namespace lathe
