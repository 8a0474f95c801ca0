#pragma once

#include "../network.hpp"
#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Gradient descent: w -= alpha g.
template <class T>
struct Sgd {
  static constexpr const char* name = "sgd";
  static constexpr int slots = 0;

  T rate;
  explicit Sgd(const StepNumbers<T>& numbers) : rate(numbers.learning_rate) {}

  Vec<T> change(Vec<T> g, Vec<T>*) const { return -rate * g; }
};

}  // namespace deepwell::DEEPWELL_LEVEL
