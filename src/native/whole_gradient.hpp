// What happens to the whole gradient of a step before the optimizer is told: penalties, clipping.
#pragma once

#include <limits>

#include "gradient_noise.hpp"
#include "workspace.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Applies `change(g, w, is_weight)` to the sum of every gradient, vector by vector.
template <class T, class Change>
void change_sums(const Network<T>& network, Workspace<T>& work, Change&& change) {
  for (const Layer<T>& layer : network.layers) {
    for (int i = 0; i < layer.trained_rows(); ++i) {
      if (i == layer.inputs && !layer.biased) continue;
      const auto row = i * layer.stride;
      T* sums = work.sums.data() + layer.offset + row;
      for (int v = 0; v < vectors<T>(layer.outputs); ++v) {
        const auto at = v * lanes<T>;
        store(sums + at,
              change(load(sums + at), load(layer.parameters + row + at), i < layer.inputs));
      }
    }
  }
}

// g + l2 w + l1 sgn(w), clipped by value; returns the squared norm of all of it.
template <class T>
T penalize_and_clip(const Network<T>& network, const StepNumbers<T>& numbers, Workspace<T>& work) {
  const T bound =
      numbers.clip_value > T(0) ? numbers.clip_value : std::numeric_limits<T>::infinity();
  Vec<T> squares{};
  change_sums(network, work, [&](Vec<T> g, Vec<T> w, bool is_weight) {
    if (is_weight) {
      const Vec<T> sign = w > T(0) ? all(T(1)) : w < T(0) ? all(T(-1)) : w;  // 0 and NaN stay
      g += numbers.l2 * w + numbers.l1 * sign;
    }
    g = g > bound ? all(bound) : g;
    g = g < -bound ? all(-bound) : g;
    squares += g * g;
    return g;
  });
  T sum = 0;
  for (int i = 0; i < lanes<T>; ++i) sum += squares[i];
  return sum;
}

// Leaves in the sums what the optimizer is told: penalties, clipping and noise included.
template <class T>
void complete_gradient(const Network<T>& network, const StepNumbers<T>& numbers,
                       Workspace<T>& work) {
  const T norm = std::sqrt(penalize_and_clip(network, numbers, work));
  if (numbers.clip_norm > T(0) && norm > numbers.clip_norm) {
    const T scale = numbers.clip_norm / norm;
    change_sums(network, work, [&](Vec<T> g, Vec<T>, bool) { return g * scale; });
  }
  if (numbers.noise > T(0)) add_noise(network, numbers, work);
}

}  // namespace deepwell::DEEPWELL_LEVEL
