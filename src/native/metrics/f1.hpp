#pragma once

#include "by_class.hpp"
#include "predictions.hpp"

namespace deepwell {

// 1 - F1 of class 1 for two classes with one output, else 1 - the mean over classes seen.
template <class T>
struct F1 {
  static constexpr const char* name = "f1";

  static double of(const Predictions<T>& p) {
    const auto counts = count_classes(p);
    double sum = 0;
    int seen = 0;
    for (const ByClass& c : counts) {
      if (c.truly + c.said <= 0) continue;
      sum += f1(c);
      ++seen;
    }
    return 1 - (p.outputs == 1 ? f1(counts[1]) : sum / seen);
  }

 private:
  // 2 hits / (true + said), the harmonic mean of precision and recall.
  static double f1(const ByClass& c) {
    const double total = c.truly + c.said;
    return total > 0 ? 2 * c.hits / total : 0;
  }
};

}  // namespace deepwell
