#pragma once

#include "outputs.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Cross-entropy log(sum_j exp z_j) - z_y, shifted by the largest z; gradient yhat - y.
template <class T>
struct Softmax {
  static constexpr const char* name = "softmax";

  static void rows(const Outputs<T>& o, T* losses, const T* factors) {
    for (int v = 0; v < vectors<T>(o.columns); ++v) {
      Vec<T> top = load(o.at(0, v));
      for (int c = 1; c < o.count; ++c) {
        const Vec<T> z = load(o.at(c, v));
        top = z > top ? z : top;
      }
      const Vec<T> y = load(o.y + v * lanes<T>);
      Vec<T> sum{}, picked{};
      for (int c = 0; c < o.count; ++c) {
        const Vec<T> shifted = load(o.at(c, v)) - top;
        picked = y == T(c) ? shifted : picked;
        const Vec<T> raised = exponential(shifted);
        sum += raised;
        if (factors != nullptr) store(o.at(c, v), raised);
      }
      store(losses + v * lanes<T>, logarithm(sum) - picked);
      if (factors == nullptr) continue;
      const Vec<T> factor = load(factors + v * lanes<T>);
      for (int c = 0; c < o.count; ++c) {
        const Vec<T> one = y == T(c) ? all(T(1)) : Vec<T>{};
        store(o.at(c, v), (load(o.at(c, v)) / sum - one) * factor);
      }
    }
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
