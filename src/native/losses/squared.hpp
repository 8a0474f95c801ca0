#pragma once

#include "outputs.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Squared error (yhat - y)^2; gradient 2 (yhat - y).
template <class T>
struct Squared {
  static constexpr const char* name = "squared";

  static void rows(const Outputs<T>& o, T* losses, const T* factors) {
    for (int v = 0; v < vectors<T>(o.columns); ++v) {
      const Vec<T> off = load(o.at(0, v)) - o.target(v);
      store(losses + v * lanes<T>, off * off);
      if (factors == nullptr) continue;
      store(o.at(0, v), T(2) * off * load(factors + v * lanes<T>));
    }
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
