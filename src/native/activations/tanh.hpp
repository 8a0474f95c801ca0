#pragma once

#include "../math.hpp"
#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = (e^z - e^-z) / (e^z + e^-z), g' = 1 - a^2.
template <class T>
struct Tanh {
  static constexpr const char* name = "tanh";
  static constexpr bool derivative_from_output = false;

  static Activated<T> apply(Vec<T> z, T slope) {
    static_cast<void>(slope);
    const Vec<T> a = hyperbolic_tangent(z);
    return {a, T(1) - a * a};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
