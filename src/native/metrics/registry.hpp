// All metrics: adding one is a file and a line here (and in Python's registry).
#pragma once

#include "../types.hpp"
#include "auc.hpp"
#include "balanced_error.hpp"
#include "error.hpp"
#include "f1.hpp"
#include "log_loss.hpp"
#include "mae.hpp"
#include "r2.hpp"
#include "rmse.hpp"

namespace deepwell {

template <class T>
using Metrics = Types<Error<T>,          //
                      LogLoss<T>,        //
                      BalancedError<T>,  //
                      F1<T>,             //
                      Auc<T>,            //
                      Rmse<T>,           //
                      Mae<T>,            //
                      R2<T>>;

template <class T>
using Metric = double (*)(const Predictions<T>&);

template <class T>
inline constexpr auto metrics = Metrics<T>::table([]<class M>() -> Metric<T> { return &M::of; });

}  // namespace deepwell
