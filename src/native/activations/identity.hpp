#pragma once

#include "../math.hpp"
#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = z, g' = 1.
template <class T>
struct Identity {
  static constexpr const char* name = "identity";
  static constexpr bool derivative_from_output = false;

  static Activated<T> apply(Vec<T> z, T slope) {
    static_cast<void>(slope);
    return {z, all(T(1))};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
