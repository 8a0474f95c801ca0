#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "predictions.hpp"

namespace deepwell {

// 1 - area under the ROC curve; for more than two classes the mean of one against the rest, over
// the classes that some row has and some row has not.
template <class T>
struct Auc {
  static constexpr const char* name = "auc";

  static double of(const Predictions<T>& p) {
    std::vector<T> score(p.rows());
    if (p.outputs == 1) {  // logits rank as their probabilities do, without ties at 1
      for (std::size_t i = 0; i < p.rows(); ++i) score[i] = p.at(0, i);
      return 1 - area(p, score, 1);
    }
    double sum = 0;
    int defined = 0;
    for (int c = p.outputs == 2 ? 1 : 0; c < p.outputs; ++c) {
      for (std::size_t i = 0; i < p.rows(); ++i) score[i] = probability(p, c, i);
      const double one = area(p, score, c);
      if (std::isnan(one)) continue;
      sum += one;
      ++defined;
    }
    return defined ? 1 - sum / defined : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  // softmax, in the type that the network is trained in, so that ties are the same.
  static T probability(const Predictions<T>& p, int chosen, std::size_t row) {
    T top = p.at(0, row);
    for (int c = 1; c < p.outputs; ++c) top = std::max(top, p.at(c, row));
    T sum = 0;
    for (int c = 0; c < p.outputs; ++c) sum += std::exp(p.at(c, row) - top);
    return std::exp(p.at(chosen, row) - top) / sum;
  }

  // Weighted share of (positive, negative) pairs ranked rightly, ties one half; NaN where there
  // are none. Scores are finite: the caller scores no network whose cost is not.
  static double area(const Predictions<T>& p, const std::vector<T>& score, int positive) {
    std::vector<std::size_t> order(score.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return score[a] < score[b]; });
    double pairs = 0, below = 0, positives = 0;
    for (std::size_t i = 0; i < order.size();) {
      double tied_positive = 0, tied_negative = 0;
      const T value = score[order[i]];
      for (; i < order.size() && score[order[i]] == value; ++i) {
        const double weight = static_cast<double>(p.weight[order[i]]);
        (p.truth(order[i]) == positive ? tied_positive : tied_negative) += weight;
      }
      pairs += tied_positive * (below + tied_negative / 2);
      below += tied_negative;
      positives += tied_positive;
    }
    const double all = positives * below;
    return all > 0 ? pairs / all : std::numeric_limits<double>::quiet_NaN();
  }
};

}  // namespace deepwell
