// From gradients to new parameters: the optimizer's rule, fused into a tile of gradients or after
// the sums of all of them.
#pragma once

#include "optimizers/registry.hpp"
#include "product.hpp"
#include "workspace.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Where a tile of dW goes: into the sums over blocks, or with them into the optimizer.
template <class T>
struct Landing {
  const Layer<T>* layer;
  T* sums;  // null when the tile holds the whole gradient
  T l2;     // here and below for weights; biases neither pay a penalty nor decay
  T kept;
};

template <class T>
void accumulate(const Tile<T>& tile, const Place& at, const Landing<T>& to, bool first) {
  for (int m = 0; m < at.height; ++m) {
    for (int v = 0; v < at.width; ++v) {
      T* place = to.sums + (at.m + m) * to.layer->stride + (at.v + v) * lanes<T>;
      const Vec<T> sum = tile.at[m * at.width + v];
      store(place, first ? sum : load(place) + sum);
    }
  }
}

// w = kept w + change(g + l2 w) for a tile of weights or biases.
template <class T, class Optimizer>
void update(const Tile<T>& tile, const Place& at, const Landing<T>& to, const Optimizer& rule) {
  const Layer<T>& layer = *to.layer;
  for (int m = 0; m < at.height; ++m) {
    const auto row = (at.m + m) * layer.stride + at.v * lanes<T>;
    const bool is_weight = at.m + m < layer.inputs;
    const T l2 = is_weight ? to.l2 : T(0), kept = is_weight ? to.kept : T(1);
    for (int v = 0; v < at.width; ++v) {
      const auto place = row + v * lanes<T>;
      const Vec<T> w = load(layer.parameters + place);
      Vec<T> g = tile.at[m * at.width + v];
      if (to.sums != nullptr) g += load(to.sums + place);
      Vec<T> slot[most_slots] = {};
      for (int s = 0; s < Optimizer::slots; ++s) slot[s] = load(layer.slots[s] + place);
      store(layer.parameters + place, kept * w + rule.change(g + l2 * w, slot));
      for (int s = 0; s < Optimizer::slots; ++s) store(layer.slots[s] + place, slot[s]);
    }
  }
}

// Asks for the memory that `update` will change, while the sums of its tile are formed.
template <class T, class Optimizer>
void fetch(const Place& at, const Layer<T>& layer) {
  for (int m = 0; m < at.height; ++m) {
    for (int v = 0; v < at.width; ++v) {
      const auto place = (at.m + m) * layer.stride + (at.v + v) * lanes<T>;
      __builtin_prefetch(layer.parameters + place, 1);
      for (int s = 0; s < Optimizer::slots; ++s) __builtin_prefetch(layer.slots[s] + place, 1);
    }
  }
}

// The update of some rows of a layer from the sums of their gradients: tiles of products of no
// depth.
template <class T, class Optimizer>
void update_rows(const Layer<T>& layer, int first, int rows, const StepNumbers<T>& numbers,
                 const Optimizer& rule, Workspace<T>& work) {
  const Landing<T> to{&layer, work.sums.data() + layer.offset, numbers.l2, numbers.kept};
  product(Scalars<T>{work.sums.data(), 0, 0}, Rows<T>{work.sums.data(), 0}, rows,
          vectors<T>(layer.outputs), 0, [&](const Place& at, const Tile<T>& tile) {
            update(tile, Place{first + at.m, at.height, at.v, at.width}, to, rule);
          });
}

// The update of a layer's gamma and beta, whose gradients lie in the sums.
template <class T, class Optimizer>
void update_norm(const Layer<T>& layer, const StepNumbers<T>& numbers, const Optimizer& rule,
                 Workspace<T>& work) {
  if (layer.normed > 0) update_rows(layer, layer.inputs + 1, 2, numbers, rule, work);
}

// The update of all layers from the sums of their gradients.
template <class T, class Optimizer>
void update_from_sums(const Network<T>& network, const StepNumbers<T>& numbers,
                      Workspace<T>& work) {
  const Optimizer rule(numbers);
  for (const Layer<T>& layer : network.layers) {
    update_rows(layer, 0, layer.product_rows(), numbers, rule, work);
    update_norm(layer, numbers, rule, work);
  }
}

template <class T>
using UpdateFromSums = void (*)(const Network<T>&, const StepNumbers<T>&, Workspace<T>&);

template <class T>
inline constexpr auto updates =
    Optimizers<T>::table([]<class O>() -> UpdateFromSums<T> { return &update_from_sums<T, O>; });

}  // namespace deepwell::DEEPWELL_LEVEL
