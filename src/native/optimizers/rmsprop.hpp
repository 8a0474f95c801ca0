#pragma once

#include "../network.hpp"
#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// s = beta s + (1 - beta) g^2; w -= alpha g / (sqrt(s + eps_root) + eps) (Tieleman & Hinton 2012).
// An average that starts from the first gradient's square has beta 0 in the first step.
template <class T>
struct Rmsprop {
  static constexpr const char* name = "rmsprop";
  static constexpr int slots = 1;

  T rate, beta, rest, inside, epsilon;
  explicit Rmsprop(const StepNumbers<T>& numbers)
      : rate(numbers.learning_rate),
        beta(numbers.rms_from_first && numbers.step < T(2) ? T(0) : numbers.beta2),
        rest(T(1) - beta),
        inside(numbers.epsilon_root),
        epsilon(numbers.epsilon) {}

  Vec<T> change(Vec<T> g, Vec<T>* slot) const {
    slot[0] = beta * slot[0] + rest * g * g;
    return -rate * g / (square_root(slot[0] + inside) + epsilon);
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
