// Hidden layers with options: batch normalization, maxout, skip connections.
//
//     z = W^T a, normalized      a = g(z), normalized      dropout      + a of an earlier layer
//
// The products leave their sums in memory and all else follows unit by unit, while a unit's rows
// are in the nearest cache. Layers without any option take the shorter way of `forward.hpp`.
#pragma once

#include "activations/registry.hpp"
#include "batch_norm.hpp"
#include "dropout.hpp"
#include "product.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// What the steps of one hidden layer share.
template <class T>
struct Hidden {
  const Network<T>& network;
  std::size_t index;
  std::span<const Block<T>> blocks;
  Workspace<T>& work;

  const Layer<T>& layer() const { return network.layers[index]; }
  Sheet<T> raw() const { return work.raw(index, layer().outputs); }
  Sheet<T> value() const { return work.values(index, layer().units + 1); }
  Sheet<T> derivative() const { return work.derivatives(index, layer().units); }
  Sheet<T> kept() const { return work.kept(index, layer().units); }
  T* moments(int row) const { return work.moments(index) + row * layer().stride; }
};

inline constexpr int mean_row = 0, variance_row = 1, inverse_row = 2;

// Normalizes a row of `from` into `to`, by the batch's moments in training and else by those that
// the layer remembers.
template <class T, bool trains>
void normalize(const Hidden<T>& hidden, int unit, const Sheet<T>& from, const Sheet<T>& to) {
  const Layer<T>& layer = hidden.layer();
  Moments<T> moments;
  if constexpr (trains) {
    moments = batch_moments(hidden.blocks, from, unit, hidden.work.shares());
    hidden.moments(mean_row)[unit] = moments.mean;
    hidden.moments(variance_row)[unit] = moments.variance;
  } else {
    moments = {layer.means()[unit], layer.variances()[unit]};
  }
  const T inverse = T(1) / std::sqrt(moments.variance + hidden.network.norm_epsilon);
  if constexpr (trains) hidden.moments(inverse_row)[unit] = inverse;
  over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
    store(to.row(block, unit) + at, (load(from.row(block, unit) + at) - moments.mean) * inverse);
  });
}

// Writes a tile of W^T a + b; the biases are 0 where a layer has none.
template <class T>
void store_sums(const Tile<T>& tile, const Place& at, const T* biases, T* to,
                std::ptrdiff_t stride) {
  for (int m = 0; m < at.height; ++m) {
    const T bias = biases[at.m + m];
    for (int v = 0; v < at.width; ++v) {
      store(to + (at.m + m) * stride + (at.v + v) * lanes<T>, tile.at[m * at.width + v] + bias);
    }
  }
}

// The sums of a layer's product, W^T a + b, of one block.
template <class T>
void sums_of(const Hidden<T>& hidden, const Block<T>& block, const T* inputs) {
  const Layer<T>& layer = hidden.layer();
  T* to = hidden.raw().row(block, 0);
  product(Scalars<T>{layer.parameters, 1, layer.stride}, Rows<T>{inputs, block.stride},
          layer.outputs, vectors<T>(block.rows), layer.inputs,
          [&](const Place& at, const Tile<T>& tile) {
            store_sums(tile, at, layer.biases(), to, block.stride);
          });
}

// a = g(z) of all units; where z is normalized, of gamma z_norm + beta.
template <class T, class Activation, bool trains>
void activate(const Hidden<T>& hidden) {
  const Layer<T>& layer = hidden.layer();
  const Sheet<T> raw = hidden.raw(), value = hidden.value(), derivative = hidden.derivative();
  const bool scaled = hidden.network.norm == Norm::before;
  for (int unit = 0; unit < layer.units; ++unit) {
    const T scale = scaled ? layer.scales()[unit] : T(1);
    const T shift = scaled ? layer.shifts()[unit] : T(0);
    over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
      const Vec<T> z = load(raw.row(block, unit) + at);
      const Activated<T> a =
          Activation::apply(scaled ? scale * z + shift : z, hidden.network.slope);
      store(value.row(block, unit) + at, a.value);
      if constexpr (trains) store(derivative.row(block, unit) + at, a.derivative);
    });
  }
}

// a = the largest of each unit's pieces; which one it was stands in place of the derivative.
template <class T, bool trains>
void take_largest(const Hidden<T>& hidden) {
  const Layer<T>& layer = hidden.layer();
  const Sheet<T> raw = hidden.raw(), value = hidden.value(), derivative = hidden.derivative();
  const bool scaled = hidden.network.norm == Norm::before;
  for (int unit = 0; unit < layer.units; ++unit) {
    over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
      const auto piece = [&](int k) {
        const int row = unit * layer.pieces + k;
        const Vec<T> z = load(raw.row(block, row) + at);
        return scaled ? layer.scales()[row] * z + layer.shifts()[row] : z;
      };
      Vec<T> most = piece(0), which{};
      for (int k = 1; k < layer.pieces; ++k) {
        const Vec<T> z = piece(k);
        which = z > most ? all(T(k)) : which;
        most = z > most ? z : most;
      }
      store(value.row(block, unit) + at, most);
      if constexpr (trains) store(derivative.row(block, unit) + at, which);
    });
  }
}

template <class T>
using Activate = void (*)(const Hidden<T>&);

template <class T, bool trains>
inline constexpr auto activators =
    Activations<T>::table([]<class A>() -> Activate<T> { return &activate<T, A, trains>; });

// Normalizes the activations: z_norm takes the place of z, a becomes gamma z_norm + beta.
template <class T, bool trains>
void normalize_activations(const Hidden<T>& hidden) {
  const Layer<T>& layer = hidden.layer();
  const Sheet<T> raw = hidden.raw(), value = hidden.value();
  for (int unit = 0; unit < layer.units; ++unit) {
    normalize<T, trains>(hidden, unit, value, raw);
    const T scale = layer.scales()[unit], shift = layer.shifts()[unit];
    over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
      store(value.row(block, unit) + at, scale * load(raw.row(block, unit) + at) + shift);
    });
  }
}

// Drops units in training, and remembers the factor that each was multiplied by.
template <class T>
void drop_units(const Hidden<T>& hidden, const Dropout<T>& dropout) {
  const Layer<T>& layer = hidden.layer();
  const Sheet<T> value = hidden.value(), kept = hidden.kept();
  for (const Block<T>& block : hidden.blocks) {
    drop_rows(dropout, layer.drop, static_cast<std::uint32_t>(hidden.index), block, layer.units,
              hidden.work, [&](int unit, int at, Vec<T> factor) {
                T* place = value.row(block, unit) + at;
                store(place, load(place) * factor);
                store(kept.row(block, unit) + at, factor);
              });
  }
}

// Adds the activations of the layer where a skip connection begins, as far as both have units.
template <class T>
void add_skipped(const Hidden<T>& hidden) {
  const Layer<T>& layer = hidden.layer();
  const auto source = static_cast<std::size_t>(layer.skip);
  const int units = std::min(layer.units, hidden.network.layers[source].units);
  const Sheet<T> value = hidden.value();
  const Sheet<T> other = hidden.work.values(source, hidden.network.layers[source].units + 1);
  for (int unit = 0; unit < units; ++unit) {
    over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
      T* place = value.row(block, unit) + at;
      store(place, load(place) + load(other.row(block, unit) + at));
    });
  }
}

// Everything of a hidden layer that follows the sums of its product.
template <class T, bool trains>
void finish_layer(const Hidden<T>& hidden, const Dropout<T>& dropout) {
  const Layer<T>& layer = hidden.layer();
  const Norm norm = hidden.network.norm;
  if (norm == Norm::before) {
    const Sheet<T> raw = hidden.raw();
    for (int row = 0; row < layer.outputs; ++row) normalize<T, trains>(hidden, row, raw, raw);
  }
  if (layer.pieces > 1) {
    take_largest<T, trains>(hidden);
  } else {
    activators<T, trains>[static_cast<std::size_t>(hidden.network.activation)](hidden);
  }
  if (norm == Norm::after) normalize_activations<T, trains>(hidden);
  const Sheet<T> value = hidden.value();
  if (trains && layer.drop.on()) {
    drop_units(hidden, dropout);
  } else if (!trains && layer.drop.predict_scale != T(1)) {
    for (int unit = 0; unit < layer.units; ++unit) {
      over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
        T* place = value.row(block, unit) + at;
        store(place, load(place) * layer.drop.predict_scale);
      });
    }
  }
  if (layer.skip >= 0) add_skipped(hidden);
}

// Adds the gradient that a skip connection brings back from the layer where it ends, and keeps
// the sum for the layer where one that ends here begins.
template <class T>
void skipped_gradient(const Hidden<T>& hidden, const Sheet<T>& slope) {
  const Layer<T>& layer = hidden.layer();
  const auto layers = static_cast<int>(hidden.network.layers.size()) - 1;
  const auto here = static_cast<int>(hidden.index);
  for (int l = here + 1; l < layers; ++l) {
    const Layer<T>& end = hidden.network.layers[static_cast<std::size_t>(l)];
    if (end.skip != here) continue;
    const Sheet<T> other = hidden.work.arrivals(static_cast<std::size_t>(l), end.units);
    for (int unit = 0; unit < std::min(layer.units, end.units); ++unit) {
      over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
        T* place = slope.row(block, unit) + at;
        store(place, load(place) + load(other.row(block, unit) + at));
      });
    }
  }
  if (layer.skip < 0) return;
  const Sheet<T> own = hidden.work.arrivals(hidden.index, layer.units);
  for (int unit = 0; unit < layer.units; ++unit) {
    over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
      store(own.row(block, unit) + at, load(slope.row(block, unit) + at));
    });
  }
}

// Turns the gradient at a layer's activations, in the first rows of `slope`, into that at z, and
// leaves the gradients of gamma and beta in the sums.
template <class T>
void back_through_layer(const Hidden<T>& hidden, const Sheet<T>& slope) {
  const Layer<T>& layer = hidden.layer();
  const Sheet<T> raw = hidden.raw(), derivative = hidden.derivative(), kept = hidden.kept();
  const Sheet<T> shares = hidden.work.shares();
  T* sums = hidden.network.norm == Norm::none ? nullptr : hidden.work.sums.data() + layer.offset;
  const auto normed = [&](int row) {
    const T factor = layer.scales()[row] * hidden.moments(inverse_row)[row];
    const Moments<T> got = through_norm(hidden.blocks, slope, raw, row, shares, factor);
    sums[(layer.inputs + 1) * layer.stride + row] = got.variance;
    sums[(layer.inputs + 2) * layer.stride + row] = got.mean;
  };
  if (layer.normed > 0) {  // the rows of gamma and beta are updated in whole vectors
    std::fill_n(sums + (layer.inputs + 1) * layer.stride, 2 * layer.stride, T(0));
  }
  if (hidden.network.residual > 0) skipped_gradient(hidden, slope);
  for (int unit = layer.units; unit-- > 0;) {  // pieces spread over rows of units already done
    if (layer.drop.on()) {
      over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
        T* place = slope.row(block, unit) + at;
        store(place, load(place) * load(kept.row(block, unit) + at));
      });
    }
    if (hidden.network.norm == Norm::after) normed(unit);
    over_rows(hidden.blocks, [&](const Block<T>& block, int at) {
      const Vec<T> d = load(slope.row(block, unit) + at);
      const Vec<T> g = load(derivative.row(block, unit) + at);
      if (layer.pieces == 1) {
        store(slope.row(block, unit) + at, d * g);
        return;
      }
      for (int k = layer.pieces; k-- > 0;) {
        store(slope.row(block, unit * layer.pieces + k) + at, g == T(k) ? d : Vec<T>{});
      }
    });
    if (hidden.network.norm == Norm::before) {
      for (int k = 0; k < layer.pieces; ++k) normed(unit * layer.pieces + k);
    }
  }
}

// Folds the batch's moments into those that prediction normalizes with, after step t:
// v += (1 - beta) / (1 - beta^t) (theta - v), the bias-corrected average.
template <class T>
void remember_moments(const Network<T>& network, T step, Workspace<T>& work) {
  const T part = (T(1) - network.norm_momentum) / (T(1) - std::pow(network.norm_momentum, step));
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l) {
    const Layer<T>& layer = network.layers[l];
    const T* moments = work.moments(l);
    for (int unit = 0; unit < layer.normed; ++unit) {
      T& mean = layer.means()[unit];
      T& variance = layer.variances()[unit];
      mean += part * (moments[mean_row * layer.stride + unit] - mean);
      variance += part * (moments[variance_row * layer.stride + unit] - variance);
    }
  }
}

}  // namespace deepwell::DEEPWELL_LEVEL
