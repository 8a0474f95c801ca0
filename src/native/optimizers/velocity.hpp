#pragma once

#include "../network.hpp"
#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// v = mu v - alpha g; w += v (Polyak 1964; Sutskever et al. 2013).
template <class T>
struct Velocity {
  static constexpr const char* name = "velocity";
  static constexpr int slots = 1;

  T rate, mu;
  explicit Velocity(const StepNumbers<T>& numbers)
      : rate(numbers.learning_rate), mu(numbers.momentum) {}

  Vec<T> change(Vec<T> g, Vec<T>* slot) const {
    slot[0] = mu * slot[0] - rate * g;
    return slot[0];
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
