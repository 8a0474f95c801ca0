#pragma once

#include "../network.hpp"
#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// v = mu v - alpha g; w += mu v - alpha g, for weights that look ahead (Nesterov 1983).
template <class T>
struct Nesterov {
  static constexpr const char* name = "nesterov";
  static constexpr int slots = 1;

  T rate, mu;
  explicit Nesterov(const StepNumbers<T>& numbers)
      : rate(numbers.learning_rate), mu(numbers.momentum) {}

  Vec<T> change(Vec<T> g, Vec<T>* slot) const {
    const Vec<T> pull = rate * g;
    slot[0] = mu * slot[0] - pull;
    return mu * slot[0] - pull;
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
