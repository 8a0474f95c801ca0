#pragma once

#include "activated.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// a = the largest of a unit's pieces (Goodfellow et al. 2013). This is the unit of one piece, z
// itself; several pieces are compared where their sums lie side by side, in `hidden.hpp`.
template <class T>
struct Maxout {
  static constexpr const char* name = "maxout";
  static constexpr bool derivative_from_output = false;

  static Activated<T> apply(Vec<T> z, T slope) {
    static_cast<void>(slope);
    return {z, all(T(1))};
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
