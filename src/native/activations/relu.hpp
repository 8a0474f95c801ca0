#pragma once

#include "../math.hpp"
#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = max(z, 0), g' = 1 above 0 and 0 elsewhere.
template <class T>
struct Relu {
  static constexpr const char* name = "relu";
  static constexpr bool derivative_from_output = true;

  static Activated<T> apply(Vec<T> z, T slope) {
    static_cast<void>(slope);
    return {z > T(0) ? z : Vec<T>{}, z > T(0) ? all(T(1)) : Vec<T>{}};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
