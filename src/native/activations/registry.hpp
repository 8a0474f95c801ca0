// All activations: adding one is a file and a line here (and in Python's registry).
#pragma once

#include "../types.hpp"
#include "elu.hpp"
#include "gelu.hpp"
#include "identity.hpp"
#include "leaky_relu.hpp"
#include "maxout.hpp"
#include "relu.hpp"
#include "sigmoid.hpp"
#include "silu.hpp"
#include "tanh.hpp"

namespace deepwell::DEEPWELL_LEVEL {

template <class T>
using Activations = Types<Sigmoid<T>,    //
                          Tanh<T>,       //
                          Relu<T>,       //
                          LeakyRelu<T>,  //
                          Elu<T>,        //
                          Gelu<T>,       //
                          Silu<T>,       //
                          Identity<T>,   //
                          Maxout<T>>;

}  // namespace deepwell::DEEPWELL_LEVEL
