#pragma once

#include "../math.hpp"
#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = 1 / (1 + e^-z), g' = a (1 - a).
template <class T>
struct Sigmoid {
  static constexpr const char* name = "sigmoid";
  static constexpr bool derivative_from_output = false;

  static Activated<T> apply(Vec<T> z, T slope) {
    static_cast<void>(slope);
    const Vec<T> a = logistic_function<T>(z);
    return {a, a * (T(1) - a)};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
