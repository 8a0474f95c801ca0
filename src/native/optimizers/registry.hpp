// All optimizers: adding one is a file and a line here (and in Python's registry).
#pragma once

#include "../types.hpp"
#include "adagrad.hpp"
#include "adam.hpp"
#include "momentum.hpp"
#include "nesterov.hpp"
#include "rmsprop.hpp"
#include "sgd.hpp"
#include "velocity.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// `change(g, slot)` updates what the rule remembers and returns what is added to the parameters.
template <class T>
using Optimizers = Types<Sgd<T>,       //
                         Momentum<T>,  //
                         Velocity<T>,  //
                         Nesterov<T>,  //
                         Adagrad<T>,   //
                         Rmsprop<T>,   //
                         Adam<T>>;

}  // namespace deepwell::DEEPWELL_LEVEL
