#pragma once

#include "../network.hpp"
#include "../simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// m = beta1 m + (1 - beta1) g; s = beta2 s + (1 - beta2) g^2;
// w -= alpha / (1 - beta1^t) m / (sqrt(s + eps_root (1 - beta2^t)) / sqrt(1 - beta2^t) + eps)
// (Kingma & Ba 2015).
template <class T>
struct Adam {
  static constexpr const char* name = "adam";
  static constexpr int slots = 2;

  T beta1, rest1, beta2, rest2, rate, seen, root, inside, epsilon;
  explicit Adam(const StepNumbers<T>& numbers)
      : beta1(numbers.beta1),
        rest1(T(1) - beta1),
        beta2(numbers.beta2),
        rest2(T(1) - beta2),
        rate(numbers.learning_rate / (T(1) - std::pow(beta1, numbers.step))),
        seen(T(1) - std::pow(beta2, numbers.step)),
        root(T(1) / std::sqrt(seen)),
        inside(numbers.epsilon_root * seen),
        epsilon(numbers.epsilon) {}

  Vec<T> change(Vec<T> g, Vec<T>* slot) const {
    slot[0] = beta1 * slot[0] + rest1 * g;
    slot[1] = beta2 * slot[1] + rest2 * g * g;
    return -rate * slot[0] / (square_root(slot[1] + inside) * root + epsilon);
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
