// The backward pass of some blocks, with the optimizer's update fused into the last one.
#pragma once

#include "activations/registry.hpp"
#include "dots.hpp"
#include "forward.hpp"
#include "product.hpp"
#include "transpose.hpp"
#include "update.hpp"
#include "workspace.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// dz = (W dz_next) * g'(z) for a tile: the sum is already in it.
template <class T, class Activation>
void through_activation(const Tile<T>& tile, const Place& at, const T* value, const T* derivative,
                        T scale, std::ptrdiff_t stride, T* gradient) {
  for (int m = 0; m < at.height; ++m) {
    for (int v = 0; v < at.width; ++v) {
      const auto place = (at.m + m) * stride + (at.v + v) * lanes<T>;
      const Vec<T> sum = tile.at[m * at.width + v];
      if constexpr (Activation::derivative_from_output) {
        store(gradient + place, load(value + place) > T(0) ? sum * scale : Vec<T>{});
      } else {
        store(gradient + place, sum * load(derivative + place));
      }
    }
  }
}

template <class T>
using Through = void (*)(const Tile<T>&, const Place&, const T*, const T*, T, std::ptrdiff_t, T*);

template <class T>
inline constexpr auto throughs =
    Activations<T>::table([]<class A>() -> Through<T> { return &through_activation<T, A>; });

template <class T>
void store_tile(const Tile<T>& tile, const Place& at, T* to, std::ptrdiff_t stride) {
  for (int m = 0; m < at.height; ++m) {
    for (int v = 0; v < at.width; ++v) {
      store(to + (at.m + m) * stride + (at.v + v) * lanes<T>, tile.at[m * at.width + v]);
    }
  }
}

// dW = inputs dz^T of a layer and a block, tile by tile, from rows of inputs (the last one ones)
// and of gradients, to which empty rows are added; `ahead` and `done` are those of `product`.
template <class T, class Ahead, class Epilogue>
void weight_gradients(const Layer<T>& layer, const T* inputs, T* gradient, const Block<T>& block,
                      T* transposed, Ahead&& ahead, Epilogue&& done) {
  const std::ptrdiff_t row = block.stride;
  if (layer.outputs <= few_rows<T>) {
    product_of_few(Rows<T>{inputs, row}, Rows<T>{gradient, row}, layer.product_rows(),
                   layer.outputs, block.rows, ahead, done);
    return;
  }
  const int wide = vectors<T>(block.rows);
  const int out = vectors<T>(layer.outputs);
  for (int unit = layer.outputs; unit < out * lanes<T>; ++unit) {
    for (int v = 0; v < wide; ++v) store(gradient + unit * row + v * lanes<T>, Vec<T>{});
  }
  const auto stride = stride_of<T>(layer.outputs);
  transpose(gradient, row, out, wide, transposed, stride);
  product(Scalars<T>{inputs, row, 1}, Rows<T>{transposed, stride}, layer.product_rows(), out,
          block.rows, ahead, done);
}

// Whether blocks are the first of their batch, and whether the update is fused into their
// gradients.
struct Turn {
  bool first;
  bool last;
};

// The gradient at the sums of the layer before `l`, from the one at the sums of `l` in
// gradients[here].
template <class T>
void back_through(const Network<T>& network, std::size_t l, std::span<const Block<T>> blocks,
                  int here, Workspace<T>& work) {
  const Layer<T>& layer = network.layers[l];
  const Layer<T>& before = network.layers[l - 1];
  const Sheet<T> from = work.gradients(here, network.gradient_rows);
  const Sheet<T> to = work.gradients(here ^ 1, network.gradient_rows);
  const Through<T> through = throughs<T>[static_cast<std::size_t>(network.activation)];
  const T* value = work.values(l - 1, before.units + 1).data;
  const T* derivative = work.derivatives(l - 1, before.units).data;
  for (const Block<T>& block : blocks) {
    const Scalars<T> weights{layer.parameters, layer.stride, 1};
    const Rows<T> gradient{from.row(block, 0), block.stride};
    T* slope = to.row(block, 0);
    const int wide = vectors<T>(block.rows);
    if (network.plain) {
      product(weights, gradient, layer.inputs, wide, layer.outputs,
              [&](const Place& at, const Tile<T>& tile) {
                through(tile, at, value, derivative, before.drop.train_scale, block.stride, slope);
              });
    } else {
      product(
          weights, gradient, layer.inputs, wide, layer.outputs,
          [&](const Place& at, const Tile<T>& tile) { store_tile(tile, at, slope, block.stride); });
    }
  }
  if (!network.plain) back_through_layer(Hidden<T>{network, l - 1, blocks, work}, to);
}

// Goes back through the network from the gradient at the outputs, in gradients[0]. The gradient
// of each layer's input is taken before its weights change. Ends early when `stop` is set and no
// weight has changed.
template <class T, class Optimizer>
void backward(const Network<T>& network, std::span<const Block<T>> blocks,
              const StepNumbers<T>& numbers, Turn turn, Workspace<T>& work,
              const std::atomic<bool>& stop) {
  const Optimizer rule(numbers);
  const bool alone = turn.first && turn.last && blocks.size() == 1;
  int here = 0;
  for (std::size_t l = network.layers.size(); l-- > 0; here ^= 1) {
    if (!turn.last && stop.load(std::memory_order_relaxed)) return;
    const Layer<T>& layer = network.layers[l];
    if (l > 0) back_through(network, l, blocks, here, work);
    T* transposed = work.transposed.data();
    const Landing<T> to{&layer, alone ? nullptr : work.sums.data() + layer.offset, numbers.l2,
                        numbers.kept};
    for (const Block<T>& block : blocks) {
      const T* inputs = layer_inputs(network, l, block, work);
      T* gradient = work.gradients(here, network.gradient_rows).row(block, 0);
      const bool first = turn.first && &block == &blocks.front();
      if (turn.last && &block == &blocks.back()) {
        weight_gradients(
            layer, inputs, gradient, block, transposed,
            [&](const Place& at) { fetch<T, Optimizer>(at, layer); },
            [&](const Place& at, const Tile<T>& tile) { update(tile, at, to, rule); });
      } else {
        weight_gradients(
            layer, inputs, gradient, block, transposed, [](const Place&) {},
            [&](const Place& at, const Tile<T>& tile) { accumulate(tile, at, to, first); });
      }
    }
    if (turn.last) update_norm(layer, numbers, rule, work);
  }
}

template <class T>
using Backward = void (*)(const Network<T>&, std::span<const Block<T>>, const StepNumbers<T>&, Turn,
                          Workspace<T>&, const std::atomic<bool>&);
template <class T>
inline constexpr auto backwards =
    Optimizers<T>::table([]<class O>() -> Backward<T> { return &backward<T, O>; });
}  // namespace deepwell::DEEPWELL_LEVEL
