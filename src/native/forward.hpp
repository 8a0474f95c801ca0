// The forward pass: z = W^T a + b, a = g(z), dropout, one tile at a time.
#pragma once

#include "activations/registry.hpp"
#include "hash.hpp"
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

// The words at (place in the batch, unit) for a vector of rows, whose keys are given.
template <class T>
inline Words<T> words_at(const std::uint32_t* row_first, const std::uint32_t* row_second, int unit,
                         int vector) {
  Key<Words<T>> rows;
  std::memcpy(&rows.first, row_first + vector * lanes<T>, sizeof(rows.first));
  std::memcpy(&rows.second, row_second + vector * lanes<T>, sizeof(rows.second));
  return word_at(rows, static_cast<std::uint32_t>(unit) * golden);
}

// Which units of a vector of rows are kept: their words decide.
template <class T>
inline Mask<T> kept(const Finish<T>& finish, int unit, int vector) {
  const Words<T> word = words_at<T>(finish.row_first, finish.row_second, unit, vector);
  return __builtin_convertvector(word >= finish.threshold, Mask<T>);
}

template <class T, class Activation, bool drops, bool trains>
void finish_hidden(const Tile<T>& tile, const Place& at, const Finish<T>& finish) {
  for (int m = 0; m < at.height; ++m) {
    const int unit = at.m + m;
    const T bias = finish.biases[unit];
    for (int v = 0; v < at.width; ++v) {
      const auto place = unit * finish.stride + (at.v + v) * lanes<T>;
      Activated<T> a = Activation::apply(tile.at[m * at.width + v] + bias, finish.slope);
      if constexpr (drops) {
        const Mask<T> keep = kept(finish, unit, at.v + v);
        a.value = keep ? a.value * finish.scale : Vec<T>{};
        a.derivative = keep ? a.derivative * finish.scale : Vec<T>{};
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

// Folds the layer and the rows' places into the step's key: one key a row.
template <class T>
void row_keys(const Dropout<T>& dropout, std::size_t layer, std::uint32_t first, int columns,
              Workspace<T>& work) {
  const Key<std::uint32_t> of_layer =
      fold(dropout.key[0], dropout.key[1], static_cast<std::uint32_t>(layer));
  for (int v = 0; v < columns; v += lanes<T>) {
    Words<T> places;
    for (int i = 0; i < lanes<T>; ++i) places[i] = first + static_cast<std::uint32_t>(v + i);
    const Key<Words<T>> keys = fold<Words<T>>(of_layer.first, of_layer.second, places);
    std::memcpy(work.row_first.data() + v, &keys.first, sizeof(keys.first));
    std::memcpy(work.row_second.data() + v, &keys.second, sizeof(keys.second));
  }
}

// Leaves the raw outputs of a block in gradients[0], (outputs, stride), and every activation
// and derivative in the workspace when `trains`. Ends early when `stop` is set.
template <class T, bool trains>
void forward(const Network<T>& network, const Block<T>& block, const Dropout<T>& dropout,
             Workspace<T>& work, const std::atomic<bool>& stop) {
  const int wide = vectors<T>(block.rows);
  const T* a = block.x;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    if (stop.load(std::memory_order_relaxed)) return;
    const Layer<T>& layer = network.layers[l];
    const Scalars<T> weights{layer.parameters, 1, layer.stride};
    const Rows<T> inputs{a, block.stride};
    if (l + 1 == network.layers.size()) {
      T* z = work.gradients[0].data();
      product(weights, inputs, layer.outputs, wide, layer.inputs,
              [&](const Place& at, const Tile<T>& tile) {
                for (int m = 0; m < at.height; ++m) {
                  const T bias = layer.biases()[at.m + m];
                  for (int v = 0; v < at.width; ++v) {
                    store(z + (at.m + m) * block.stride + (at.v + v) * lanes<T>,
                          tile.at[m * at.width + v] + bias);
                  }
                }
              });
      return;
    }
    T* value = work.activation(l);
    const bool drops = trains && dropout.on;
    if (drops) {
      row_keys(dropout, l, static_cast<std::uint32_t>(block.first), wide * lanes<T>, work);
    }
    const Finish<T> finish{layer.biases(),        value,
                           work.derivative(l),    block.stride,
                           network.slope,         dropout.threshold,
                           dropout.scale,         work.row_first.data(),
                           work.row_second.data()};
    const auto activation = static_cast<std::size_t>(network.activation);
    const FinishHidden<T> done =
        drops ? finishers<T, true, trains>[activation] : finishers<T, false, trains>[activation];
    product(weights, inputs, layer.outputs, wide, layer.inputs,
            [&](const Place& at, const Tile<T>& tile) { done(tile, at, finish); });
    if constexpr (trains) {  // the input that is always 1, whose weights are the next biases
      T* ones = value + layer.outputs * block.stride;
      for (int v = 0; v < wide; ++v) store(ones + v * lanes<T>, all(T(1)));
    }
    a = value;
  }
}

}  // namespace deepwell::DEEPWELL_LEVEL
