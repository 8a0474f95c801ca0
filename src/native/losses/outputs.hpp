// The contract of a loss: `rows(outputs, losses, factors)` for one block.
//
// `losses` gets one loss a row. Where `factors` is given, the outputs are replaced by the gradient
// of the mean at them: each row's gradient times its factor.
#pragma once

#include "../math.hpp"

namespace deepwell::DEEPWELL_LEVEL {

template <class T>
struct Outputs {
  T* z;  // (count, stride)
  int count;
  std::ptrdiff_t stride;
  const T* y;  // (columns,)
  int columns;
  T smoothing;               // share of a label that is spread evenly over the classes
  const T* other = nullptr;  // (columns,) targets that are mixed in, null for none
  const T* share = nullptr;  // (columns,) of y in the mixture

  T* at(int output, int vector) const { return z + output * stride + vector * lanes<T>; }

  // The target of one output: y, or its mixture.
  Vec<T> target(int vector) const {
    const Vec<T> mine = load(y + vector * lanes<T>);
    if (other == nullptr) return mine;
    const Vec<T> part = load(share + vector * lanes<T>);
    return part * mine + (T(1) - part) * load(other + vector * lanes<T>);
  }

  // Whether the label is class c: 1, 0, or its share of a mixture.
  Vec<T> is(int c, int vector) const {
    const Vec<T> mine = load(y + vector * lanes<T>) == T(c) ? all(T(1)) : Vec<T>{};
    if (other == nullptr) return mine;
    const Vec<T> part = load(share + vector * lanes<T>);
    const Vec<T> theirs = load(other + vector * lanes<T>) == T(c) ? all(T(1)) : Vec<T>{};
    return part * mine + (T(1) - part) * theirs;
  }
};

}  // namespace deepwell::DEEPWELL_LEVEL
