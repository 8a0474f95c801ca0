#pragma once

#include "../network.hpp"
#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// s = beta s + (1 - beta) g^2; w -= alpha g / (sqrt(s) + eps) (Tieleman & Hinton 2012).
template <class T>
struct Rmsprop {
  static constexpr const char* name = "rmsprop";
  static constexpr int slots = 1;

  T rate, beta, rest, epsilon;
  explicit Rmsprop(const StepNumbers<T>& numbers)
      : rate(numbers.learning_rate),
        beta(numbers.beta2),
        rest(T(1) - beta),
        epsilon(numbers.epsilon) {}

  Vec<T> change(Vec<T> g, Vec<T>* slot) const {
    slot[0] = beta * slot[0] + rest * g * g;
    return -rate * g / (square_root(slot[0]) + epsilon);
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
