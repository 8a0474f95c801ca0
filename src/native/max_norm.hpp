// The max-norm constraint (Srivastava et al. 2014): a unit's incoming weights, held to a norm.
#pragma once

#include "network.hpp"
#include "simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Scales each column of weights whose norm is above the limit down to it; biases do not count.
template <class T>
void hold_norms(const Network<T>& network, T limit) {
  for (const Layer<T>& layer : network.layers) {
    for (int v = 0; v < vectors<T>(layer.outputs); ++v) {
      T* column = layer.parameters + v * lanes<T>;
      Vec<T> squares{};
      for (int i = 0; i < layer.inputs; ++i) {
        const Vec<T> w = load(column + i * layer.stride);
        squares += w * w;
      }
      const Vec<T> norm = square_root(squares);
      const Vec<T> scale = norm > limit ? limit / norm : all(T(1));
      for (int i = 0; i < layer.inputs; ++i) {
        store(column + i * layer.stride, load(column + i * layer.stride) * scale);
      }
    }
  }
}

}  // namespace deepwell::DEEPWELL_LEVEL
