#pragma once

#include "../network.hpp"
#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// v = beta v + (1 - beta) g; w -= alpha v, no bias correction (Polyak 1964, averaged form).
template <class T>
struct Momentum {
  static constexpr const char* name = "momentum";
  static constexpr int slots = 1;

  T rate, beta, rest;
  explicit Momentum(const StepNumbers<T>& numbers)
      : rate(numbers.learning_rate), beta(numbers.momentum), rest(T(1) - beta) {}

  Vec<T> change(Vec<T> g, Vec<T>* slot) const {
    slot[0] = beta * slot[0] + rest * g;
    return -rate * slot[0];
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
