#pragma once

#include "../math.hpp"
#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = z Phi(z), g' = Phi(z) + z phi(z), Phi the normal distribution (Hendrycks & Gimpel 2016).
template <class T>
struct Gelu {
  static constexpr const char* name = "gelu";
  static constexpr bool derivative_from_output = false;

  static Activated<T> apply(Vec<T> z, T slope) {
    static_cast<void>(slope);
    const Vec<T> below = T(0.5) * (T(1) + error_function(z * T(0.70710678118654752440)));
    const Vec<T> density = T(0.39894228040143267794) * exponential(T(-0.5) * z * z);
    return {z * below, below + z * density};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
