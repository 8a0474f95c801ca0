// The forward pass: z = W^T a + b, a = g(z), dropout, one tile at a time.
#pragma once

#include "activations/registry.hpp"
#include "dropout.hpp"
#include "hidden.hpp"
#include "product.hpp"
#include "workspace.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// What the epilogue of a hidden layer needs besides its tile.
template <class T>
struct Finish {
  const T* biases;
  T* value;       // (units, stride) of activations
  T* derivative;  // (units, stride) of g'(z), dropout included; unused where a tells it
  std::ptrdiff_t stride;
  T slope;
  std::uint32_t threshold;
  T scale;
  const std::uint32_t* row_first;  // keys of the batch's rows
  const std::uint32_t* row_second;
};

template <class T, class Activation, bool drops, bool trains>
void finish_hidden(const Tile<T>& tile, const Place& at, const Finish<T>& finish) {
  for (int m = 0; m < at.height; ++m) {
    const int unit = at.m + m;
    const T bias = finish.biases[unit];
    for (int v = 0; v < at.width; ++v) {
      const auto place = unit * finish.stride + (at.v + v) * lanes<T>;
      Activated<T> a = Activation::apply(tile.at[m * at.width + v] + bias, finish.slope);
      if constexpr (drops) {
        const Mask<T> keep =
            kept_rows<T>(finish.row_first, finish.row_second, finish.threshold, unit, at.v + v);
        a.value = keep ? a.value * finish.scale : Vec<T>{};
        a.derivative = keep ? a.derivative * finish.scale : Vec<T>{};
      } else if constexpr (!trains) {
        a.value = a.value * finish.scale;  // 1 but in classic dropout
      }
      store(finish.value + place, a.value);
      if constexpr (trains && !Activation::derivative_from_output) {
        store(finish.derivative + place, a.derivative);
      }
    }
  }
}

template <class T>
using FinishHidden = void (*)(const Tile<T>&, const Place&, const Finish<T>&);

template <class T, bool drops, bool trains>
inline constexpr auto finishers = Activations<T>::table(
    []<class A>() -> FinishHidden<T> { return &finish_hidden<T, A, drops, trains>; });

// A hidden layer without options, in one pass over its tiles.
template <class T, bool trains>
void forward_plain(const Network<T>& network, std::size_t l, const Block<T>& block, const T* inputs,
                   const Dropout<T>& dropout, Workspace<T>& work) {
  const Layer<T>& layer = network.layers[l];
  const int wide = vectors<T>(block.rows);
  const bool drops = trains && layer.drop.on();
  if (drops) {
    row_keys(dropout, static_cast<std::uint32_t>(l), static_cast<std::uint32_t>(block.first),
             wide * lanes<T>, work);
  }
  const Finish<T> finish{layer.biases(),
                         work.values(l, layer.units + 1).data,
                         work.derivatives(l, layer.units).data,
                         block.stride,
                         network.slope,
                         layer.drop.threshold,
                         trains ? layer.drop.train_scale : layer.drop.predict_scale,
                         work.row_first.data(),
                         work.row_second.data()};
  const auto activation = static_cast<std::size_t>(network.activation);
  const FinishHidden<T> done =
      drops ? finishers<T, true, trains>[activation] : finishers<T, false, trains>[activation];
  product(Scalars<T>{layer.parameters, 1, layer.stride}, Rows<T>{inputs, block.stride},
          layer.outputs, wide, layer.inputs,
          [&](const Place& at, const Tile<T>& tile) { done(tile, at, finish); });
}

// The rows of a block as the first layer sees them: dropped in training or scaled at prediction.
template <class T, bool trains>
void change_inputs(const Network<T>& network, const Block<T>& block, const Dropout<T>& dropout,
                   Workspace<T>& work) {
  const int units = network.layers[0].inputs;
  T* to = work.inputs(units + 1).row(block, 0);
  const auto scaled = [&](int unit, int at, Vec<T> factor) {
    store(to + unit * block.stride + at, load(block.x + unit * block.stride + at) * factor);
  };
  if (trains && network.inputs.on()) {
    drop_rows(dropout, network.inputs, input_layer, block, units, work, scaled);
  } else {
    const Vec<T> factor = all(trains ? T(1) : network.inputs.predict_scale);
    for (int unit = 0; unit < units; ++unit) {
      for (int v = 0; v < vectors<T>(block.rows); ++v) scaled(unit, v * lanes<T>, factor);
    }
  }
  std::copy_n(block.x + units * block.stride, block.stride, to + units * block.stride);
}

// The inputs of a layer: (inputs + 1, stride), the last row ones.
template <class T>
const T* layer_inputs(const Network<T>& network, std::size_t l, const Block<T>& block,
                      Workspace<T>& work) {
  if (l > 0) return work.values(l - 1, network.layers[l - 1].units + 1).row(block, 0);
  return network.inputs.changes() ? work.inputs(network.layers[0].inputs + 1).row(block, 0)
                                  : block.x;
}

// Leaves the raw outputs of the blocks in gradients[0], (outputs, stride), and every activation
// and derivative in the workspace when `trains`. Ends early when `stop` is set.
template <class T, bool trains>
void forward(const Network<T>& network, std::span<const Block<T>> blocks, const Dropout<T>& dropout,
             Workspace<T>& work, const std::atomic<bool>& stop) {
  if (network.inputs.changes()) {
    for (const Block<T>& block : blocks) change_inputs<T, trains>(network, block, dropout, work);
  }
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l) {
    const Layer<T>& layer = network.layers[l];
    const Hidden<T> hidden{network, l, blocks, work};
    for (const Block<T>& block : blocks) {
      if (stop.load(std::memory_order_relaxed)) return;
      const T* inputs = layer_inputs(network, l, block, work);
      if (network.plain) {
        forward_plain<T, trains>(network, l, block, inputs, dropout, work);
      } else {
        sums_of(hidden, block, inputs);
      }
    }
    if (!network.plain) finish_layer<T, trains>(hidden, dropout);
    if constexpr (trains) {  // the input that is always 1, whose weights are the next biases
      over_rows(blocks, [&](const Block<T>& block, int at) {
        store(work.values(l, layer.units + 1).row(block, layer.units) + at, all(T(1)));
      });
    }
  }
  for (const Block<T>& block : blocks) {
    if (stop.load(std::memory_order_relaxed)) return;
    const std::size_t last = network.layers.size() - 1;
    const Layer<T>& layer = network.layers[last];
    T* z = work.gradients(0, network.gradient_rows).row(block, 0);
    const Rows<T> inputs{layer_inputs(network, last, block, work), block.stride};
    product(Scalars<T>{layer.parameters, 1, layer.stride}, inputs, layer.outputs,
            vectors<T>(block.rows), layer.inputs, [&](const Place& at, const Tile<T>& tile) {
              store_sums(tile, at, layer.biases(), z, block.stride);
            });
  }
}

}  // namespace deepwell::DEEPWELL_LEVEL
