#pragma once

#include "../network.hpp"
#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// s = s + g^2; w -= alpha g / (sqrt(s + eps_root) + eps) (Duchi, Hazan & Singer 2011).
template <class T>
struct Adagrad {
  static constexpr const char* name = "adagrad";
  static constexpr int slots = 1;

  T rate, inside, epsilon;
  explicit Adagrad(const StepNumbers<T>& numbers)
      : rate(numbers.learning_rate), inside(numbers.epsilon_root), epsilon(numbers.epsilon) {}

  Vec<T> change(Vec<T> g, Vec<T>* slot) const {
    slot[0] += g * g;
    return -rate * g / (square_root(slot[0] + inside) + epsilon);
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
