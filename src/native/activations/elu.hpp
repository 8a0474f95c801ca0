#pragma once

#include "../math.hpp"
#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = z above 0 and slope (e^z - 1) elsewhere, g' = 1 or slope e^z (Clevert et al. 2016).
template <class T>
struct Elu {
  static constexpr const char* name = "elu";
  static constexpr bool derivative_from_output = false;

  static Activated<T> apply(Vec<T> z, T slope) {
    const Vec<T> below = exponential_minus_one(z > T(0) ? Vec<T>{} : z);
    return {z > T(0) ? z : slope * below, z > T(0) ? all(T(1)) : slope * (below + T(1))};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
