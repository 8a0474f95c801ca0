// Gradient noise (Neelakantan et al. 2015): normal numbers at the coordinates of each weight.
#pragma once

#include "hash.hpp"
#include "math.hpp"
#include "workspace.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// A polynomial with the highest power first.
template <class T, std::size_t N>
inline Vec<T> polynomial(const T (&coefficients)[N], Vec<T> x) {
  Vec<T> total = all(coefficients[0]);
  for (std::size_t i = 1; i < N; ++i) total = total * x + coefficients[i];
  return total;
}

// A standard normal number for each word, by way of a uniform one on a grid of 2^23: the inverse
// error function of Giles 2010 (table 5), as in `optimization/_gradient_noise.py`.
template <class T>
inline Vec<T> normal_of(const Words<T>& words) {
  static constexpr T central[] = {T(2.81022636e-08),  T(3.43273939e-07), T(-3.5233877e-06),
                                  T(-4.39150654e-06), T(0.00021858087),  T(-0.00125372503),
                                  T(-0.00417768164),  T(0.246640727),    T(1.50140941)};
  static constexpr T tail[] = {T(-0.000200214257), T(0.000100950558), T(0.00134934322),
                               T(-0.00367342844),  T(0.00573950773),  T(-0.0076224613),
                               T(0.00943887047),   T(1.00167406),     T(2.83297682)};
  const auto whole = bits_as<typename Vectors<T>::WordMask>(words >> 9);  // below 2^23, so signed
  const Vec<T> x = (__builtin_convertvector(whole, Vec<T>) + T(0.5)) * T(0x1p-22) - T(1);
  const Vec<T> w = -logarithm((T(1) - x) * (T(1) + x));
  const Vec<T> near = polynomial(central, w - T(2.5));
  const Vec<T> far = polynomial(tail, square_root(w) - T(3));
  return T(1.4142135623730951) * x * (w >= T(5) ? far : near);
}

// Adds noise to the sums of all gradients. Array 2l holds the weights of layer l, 2l + 1 its
// biases, 2^16 + 2l its scales and 2^16 + 2l + 1 its shifts.
template <class T>
void add_noise(const Network<T>& network, const StepNumbers<T>& numbers, Workspace<T>& work) {
  Words<T> places;
  for (int i = 0; i < lanes<T>; ++i) places[i] = static_cast<std::uint32_t>(i);
  const auto row_noise = [&](const Layer<T>& layer, int index, int columns,
                             Key<std::uint32_t> row) {
    T* sums = work.sums.data() + layer.offset + index * layer.stride;
    for (int j = 0; j < columns; j += lanes<T>) {
      const Words<T> along = (places + static_cast<std::uint32_t>(j)) * golden;
      Vec<T> noise = numbers.noise * normal_of<T>(word_at(row, along));
      for (int k = columns - j; k < lanes<T>; ++k) noise[k] = 0;  // padding stays 0
      store(sums + j, load(sums + j) + noise);
    }
  };
  std::uint32_t array = 0;
  for (const Layer<T>& layer : network.layers) {
    const auto key_of = [&](std::uint32_t kind) {
      return fold(numbers.noise_key[0], numbers.noise_key[1], array + kind);
    };
    const auto row_of = [](const Key<std::uint32_t>& of, std::uint32_t row) {
      return fold(of.first, of.second, row);
    };
    for (int i = 0; i < layer.inputs; ++i) {
      row_noise(layer, i, layer.outputs, row_of(key_of(0), static_cast<std::uint32_t>(i)));
    }
    if (layer.biased) row_noise(layer, layer.inputs, layer.outputs, row_of(key_of(1), 0));
    constexpr std::uint32_t of_norm = 1u << 16;
    for (int k = 0; k < 2 && layer.normed > 0; ++k) {
      const auto kind = of_norm + static_cast<std::uint32_t>(k);
      row_noise(layer, layer.inputs + 1 + k, layer.normed, row_of(key_of(kind), 0));
    }
    array += 2;
  }
}

}  // namespace deepwell::DEEPWELL_LEVEL
