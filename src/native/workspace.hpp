// What one thread needs while it trains: activations and gradients of one block of rows.
#pragma once

#include <algorithm>
#include <vector>

#include "aligned.hpp"

namespace deepwell {

template <class T>
class Workspace {
 public:
  // Makes room for a network and blocks of `stride` columns.
  void fit(const Network<T>& network, std::ptrdiff_t stride, bool accumulates) {
    const auto hidden = network.layers.size() - 1;
    if (activations_.size() < hidden) {
      activations_.resize(hidden);
      derivatives_.resize(hidden);
    }
    int widest = 0;
    std::ptrdiff_t parameters = 0;
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      const Layer<T>& layer = network.layers[l];
      widest = std::max(widest, layer.outputs);
      parameters += layer.size();
      if (l < hidden) {
        activations_[l].grow(area(layer.outputs + 1, stride));
        derivatives_[l].grow(area(layer.outputs, stride));
      }
    }
    // Gradients are transposed in square pieces, so their rows fill whole cache lines.
    const int in_line = static_cast<int>(line_bytes / sizeof(T));
    const int rows = (widest + in_line - 1) / in_line * in_line;
    for (auto& gradient : gradients) gradient.grow(area(rows, stride));
    transposed.grow(area(static_cast<int>(stride), stride_of<T>(widest)));
    factors.grow(static_cast<std::size_t>(stride));
    losses.grow(static_cast<std::size_t>(stride));
    row_first.grow(static_cast<std::size_t>(stride));
    row_second.grow(static_cast<std::size_t>(stride));
    if (accumulates || network.updates_apart) sums.grow(static_cast<std::size_t>(parameters));
  }

  T* activation(std::size_t layer) { return activations_[layer].data(); }
  T* derivative(std::size_t layer) { return derivatives_[layer].data(); }

  Aligned<T> gradients[2];  // at z of one layer and of the layer before, (units, stride)
  Aligned<T> transposed;    // (rows, units)
  Aligned<T> factors;       // weight of each row over the batch's
  Aligned<T> losses;
  Aligned<T> sums;  // gradients, where the update comes after them
  Aligned<std::uint32_t> row_first;
  Aligned<std::uint32_t> row_second;

 private:
  static std::size_t area(int rows, std::ptrdiff_t stride) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride);
  }
  std::vector<Aligned<T>> activations_;
  std::vector<Aligned<T>> derivatives_;
};

}  // namespace deepwell
