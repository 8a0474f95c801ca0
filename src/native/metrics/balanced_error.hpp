#pragma once

#include "by_class.hpp"
#include "predictions.hpp"

namespace deepwell {

// 1 - mean recall of the classes that are present.
template <class T>
struct BalancedError {
  static constexpr const char* name = "balanced_error";

  static double of(const Predictions<T>& p) {
    double recall = 0;
    int present = 0;
    for (const ByClass& c : count_classes(p)) {
      if (c.truly <= 0) continue;
      recall += c.hits / c.truly;
      ++present;
    }
    return 1 - recall / present;
  }
};

}  // namespace deepwell
