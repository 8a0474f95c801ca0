// What one thread needs while it trains: activations and gradients of the rows that go through
// the network together, which are one block, or all blocks of a batch where its moments normalize.
#pragma once

#include <algorithm>
#include <vector>

#include "aligned.hpp"

namespace deepwell {

// Rows of numbers over the columns of a batch, block after block.
template <class T>
struct Sheet {
  T* data;
  int rows;

  T* row(const Block<T>& block, int index) const {
    return data + rows * block.column + index * block.stride;
  }
};

template <class T>
class Workspace {
 public:
  // Makes room for a network and blocks of `stride` columns, `columns` in all blocks of a batch.
  void fit(const Network<T>& network, std::ptrdiff_t stride, std::ptrdiff_t columns,
           bool accumulates) {
    const auto hidden = network.layers.size() - 1;
    const std::ptrdiff_t all = network.lockstep() ? std::max(stride, columns) : stride;
    if (layers_.size() < hidden) layers_.resize(hidden);
    int widest = 0;
    std::ptrdiff_t parameters = 0;
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      const Layer<T>& layer = network.layers[l];
      widest = std::max(widest, layer.outputs);
      parameters += layer.size();
      if (l < hidden) fit_layer(layers_[l], network, layer, all);
    }
    for (auto& gradient : gradients_) gradient.grow(area(network.gradient_rows, all));
    transposed.grow(area(static_cast<int>(stride), stride_of<T>(widest)));
    if (network.inputs.changes()) inputs_.grow(area(network.layers[0].inputs + 1, all));
    factors_.grow(static_cast<std::size_t>(all));
    losses.grow(static_cast<std::size_t>(stride));
    row_first.grow(static_cast<std::size_t>(stride));
    row_second.grow(static_cast<std::size_t>(stride));
    if (accumulates || network.updates_apart || network.lockstep()) {
      sums.grow(static_cast<std::size_t>(parameters));
    }
  }

  // Of a hidden layer, with that many rows of numbers.
  Sheet<T> values(std::size_t layer, int rows) { return {layers_[layer].values.data(), rows}; }
  Sheet<T> derivatives(std::size_t layer, int rows) {
    return {layers_[layer].derivatives.data(), rows};
  }
  Sheet<T> raw(std::size_t layer, int rows) { return {layers_[layer].raw.data(), rows}; }
  Sheet<T> kept(std::size_t layer, int rows) { return {layers_[layer].kept.data(), rows}; }
  Sheet<T> arrivals(std::size_t layer, int rows) { return {layers_[layer].arrivals.data(), rows}; }
  T* moments(std::size_t layer) { return layers_[layer].moments.data(); }

  Sheet<T> gradients(int which, int rows) { return {gradients_[which].data(), rows}; }
  Sheet<T> inputs(int rows) { return {inputs_.data(), rows}; }
  Sheet<T> shares() { return {factors_.data(), 1}; }  // weight of each row over the batch's

  std::vector<Block<T>> blocks;  // of the batch at work, with their columns
  std::vector<Block<T>> augmented_blocks;
  Aligned<T> augmented;   // x, other and share of augmented blocks, one after another
  Aligned<T> transposed;  // (rows, units)
  Aligned<T> losses;
  Aligned<T> sums;  // gradients, where the update comes after them
  Aligned<std::uint32_t> row_first;
  Aligned<std::uint32_t> row_second;

 private:
  struct OfLayer {
    Aligned<T> values;       // (units + 1, columns), the last row ones
    Aligned<T> derivatives;  // (units, columns)
    Aligned<T> raw;          // (outputs, columns): z, or what normalization made of it
    Aligned<T> kept;         // (units, columns): the factors of dropout
    Aligned<T> arrivals;     // (units, columns): gradients that go back along a skip connection
    Aligned<T> moments;      // (3, stride): mean, variance, 1 / sqrt(variance + epsilon)
  };

  static void fit_layer(OfLayer& room, const Network<T>& network, const Layer<T>& layer,
                        std::ptrdiff_t columns) {
    room.values.grow(area(layer.units + 1, columns));
    room.derivatives.grow(area(layer.units, columns));
    if (network.plain) return;
    room.raw.grow(area(layer.outputs, columns));
    if (layer.drop.on()) room.kept.grow(area(layer.units, columns));
    if (layer.skip >= 0) room.arrivals.grow(area(layer.units, columns));
    if (layer.normed > 0) room.moments.grow(area(3, layer.stride));
  }

  static std::size_t area(int rows, std::ptrdiff_t stride) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride);
  }
  std::vector<OfLayer> layers_;
  Aligned<T> gradients_[2];  // at z of one layer and of the layer before, (units, columns)
  Aligned<T> inputs_;        // the rows after dropout
  Aligned<T> factors_;
};

}  // namespace deepwell
