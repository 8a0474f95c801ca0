#pragma once

#include "../math.hpp"
#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = z s with s = 1 / (1 + e^-z), g' = s (1 + z (1 - s)) (Elfwing et al. 2018).
template <class T>
struct Silu {
  static constexpr const char* name = "silu";
  static constexpr bool derivative_from_output = false;

  static Activated<T> apply(Vec<T> z, T slope) {
    static_cast<void>(slope);
    const Vec<T> s = logistic_function<T>(z);
    return {z * s, s * (T(1) + z * (T(1) - s))};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
