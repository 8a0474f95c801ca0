// The contract of an activation: `apply(z, slope)` gives a = g(z) and g'(z) for a vector.
#pragma once

#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

template <class T>
struct Activated {
  Vec<T> value;
  Vec<T> derivative;
};

}  // namespace deepwell::DEEPWELL_LEVEL
