#pragma once

#include "outputs.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Cross-entropy log(sum_j exp z_j) - sum_j q_j z_j, shifted by the largest z; gradient yhat - q;
// q is y, or with label smoothing e (1 - e) y + e / C.
template <class T>
struct Softmax {
  static constexpr const char* name = "softmax";

  static void rows(const Outputs<T>& o, T* losses, const T* factors) {
    const bool mixes = o.other != nullptr;
    for (int v = 0; v < vectors<T>(o.columns); ++v) {
      Vec<T> top = load(o.at(0, v));
      for (int c = 1; c < o.count; ++c) {
        const Vec<T> z = load(o.at(c, v));
        top = z > top ? z : top;
      }
      const Vec<T> y = load(o.y + v * lanes<T>);
      Vec<T> sum{}, picked{}, shifts{};
      for (int c = 0; c < o.count; ++c) {
        const Vec<T> shifted = load(o.at(c, v)) - top;
        picked = mixes ? picked + o.is(c, v) * shifted : y == T(c) ? shifted : picked;
        shifts += shifted;
        const Vec<T> raised = exponential(shifted);
        sum += raised;
        if (factors != nullptr) store(o.at(c, v), raised);
      }
      if (o.smoothing != T(0)) {
        picked += o.smoothing * (shifts * (T(1) / static_cast<T>(o.count)) - picked);
      }
      store(losses + v * lanes<T>, logarithm(sum) - picked);
      if (factors == nullptr) continue;
      const Vec<T> factor = load(factors + v * lanes<T>);
      for (int c = 0; c < o.count; ++c) {
        Vec<T> one = o.is(c, v);
        if (o.smoothing != T(0)) one += o.smoothing * (T(1) / static_cast<T>(o.count) - one);
        store(o.at(c, v), (load(o.at(c, v)) / sum - one) * factor);
      }
    }
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
