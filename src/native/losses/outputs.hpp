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
  T smoothing;  // share of a label that is spread evenly over the classes

  T* at(int output, int vector) const { return z + output * stride + vector * lanes<T>; }
};

}  // namespace deepwell::DEEPWELL_LEVEL
