#pragma once

#include "../math.hpp"
#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = z above 0 and slope z elsewhere, g' = 1 or slope.
template <class T>
struct LeakyRelu {
  static constexpr const char* name = "leaky_relu";
  static constexpr bool derivative_from_output = false;

  static Activated<T> apply(Vec<T> z, T slope) {
    return {z > T(0) ? z : slope * z, z > T(0) ? all(T(1)) : all(slope)};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
