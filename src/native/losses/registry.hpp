// All losses: adding one is a file and a line here (and in Python's registry).
#pragma once

#include "../types.hpp"
#include "logistic.hpp"
#include "softmax.hpp"
#include "squared.hpp"

namespace deepwell::DEEPWELL_LEVEL {

template <class T>
using Losses = Types<Softmax<T>,   //
                     Logistic<T>,  //
                     Squared<T>>;

}  // namespace deepwell::DEEPWELL_LEVEL
