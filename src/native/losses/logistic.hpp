#pragma once

#include "outputs.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Binary cross-entropy max(z, 0) - z y + log(1 + e^-|z|); gradient yhat - y; with label smoothing
// e of y + e (1/2 - y).
template <class T>
struct Logistic {
  static constexpr const char* name = "logistic";

  static void rows(const Outputs<T>& o, T* losses, const T* factors) {
    for (int v = 0; v < vectors<T>(o.columns); ++v) {
      const Vec<T> z = load(o.at(0, v));
      Vec<T> y = o.target(v);
      if (o.smoothing != T(0)) y += o.smoothing * (T(0.5) - y);
      const Vec<T> raised = exponential(z > T(0) ? -z : z);  // e^-|z|
      const Vec<T> top = z > T(0) ? z : Vec<T>{};
      store(losses + v * lanes<T>, top - z * y + logarithm_of_one_plus(raised));
      if (factors == nullptr) continue;
      const Vec<T> smaller = raised / (T(1) + raised);
      const Vec<T> said = z > T(0) ? T(1) - smaller : smaller;
      store(o.at(0, v), (said - y) * load(factors + v * lanes<T>));
    }
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
