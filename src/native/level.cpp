// One instruction-set level: this file is compiled once for each, with other flags.
#include "backward.hpp"
#include "forward.hpp"
#include "losses/registry.hpp"
#include "max_norm.hpp"
#include "network.hpp"
#include "whole_gradient.hpp"

namespace deepwell::DEEPWELL_LEVEL {
namespace {

template <class T>
using LossRows = void (*)(const Outputs<T>&, T*, const T*);

template <class T>
constexpr auto loss_rows = Losses<T>::table([]<class L>() -> LossRows<T> { return &L::rows; });

// cost = sum of weight * loss / sum of weight over the batch.
template <class T>
bool step(const Network<T>& network, int loss, const Batch<T>& batch, const StepNumbers<T>& numbers,
          const Dropout<T>& dropout, Workspace<T>& work, const std::atomic<bool>& stop, T& cost) {
  T sum = 0;
  const auto optimizer = static_cast<std::size_t>(numbers.optimizer);
  for (std::size_t i = 0; i < batch.blocks.size(); ++i) {
    const Block<T>& block = batch.blocks[i];
    const Layer<T>& last = network.layers.back();
    forward<T, true>(network, block, dropout, work, stop);
    if (stop.load(std::memory_order_relaxed)) return false;
    const int columns = vectors<T>(block.rows) * lanes<T>;
    for (int c = 0; c < columns; ++c) work.factors.data()[c] = block.weight[c] / batch.weight;
    const Outputs<T> outputs{work.gradients[0].data(), last.outputs, block.stride, block.y,
                             block.rows};
    loss_rows<T>[static_cast<std::size_t>(loss)](outputs, work.losses.data(), work.factors.data());
    for (int c = 0; c < block.rows; ++c) sum += work.losses.data()[c] * block.weight[c];
    const Turn turn{i == 0, i + 1 == batch.blocks.size() && !network.updates_apart};
    backwards<T>[optimizer](network, block, numbers, dropout, turn, work, stop);
  }
  if (network.updates_apart) {
    if (stop.load(std::memory_order_relaxed)) return false;
    StepNumbers<T> left = numbers;
    if (numbers.needs_whole()) {
      complete_gradient(network, numbers, work);
      left.l2 = 0;  // it is in the gradient
    }
    updates<T>[optimizer](network, left, work);
  }
  if (numbers.max_norm > T(0)) hold_norms(network, numbers.max_norm);
  cost = sum / batch.weight;
  return true;
}

template <class T>
const T* outputs(const Network<T>& network, int loss, const Block<T>& block, Workspace<T>& work,
                 const std::atomic<bool>& stop, T* losses) {
  forward<T, false>(network, block, Dropout<T>{}, work, stop);
  const Outputs<T> z{work.gradients[0].data(), network.layers.back().outputs, block.stride, block.y,
                     block.rows};
  loss_rows<T>[static_cast<std::size_t>(loss)](z, work.losses.data(), nullptr);
  for (int c = 0; c < block.rows; ++c) losses[c] = work.losses.data()[c];
  return z.z;
}

template <class T>
void mask_words(const Dropout<T>& dropout, std::size_t layer, const Patch& at, Workspace<T>& work,
                std::uint32_t* words) {
  const int wide = vectors<T>(at.rows);
  row_keys(dropout, layer, at.row, wide * lanes<T>, work);
  for (int u = 0; u < at.units; ++u) {
    const int unit = static_cast<int>(at.unit + static_cast<std::uint32_t>(u));
    for (int v = 0; v < wide; ++v) {
      const Words<T> drawn = words_at<T>(work.row_first.data(), work.row_second.data(), unit, v);
      for (int row = v * lanes<T>, i = 0; i < lanes<T> && row < at.rows; ++i, ++row) {
        words[static_cast<std::ptrdiff_t>(row) * at.units + u] = drawn[i];
      }
    }
  }
}

constexpr Kernels<float> float32{&step<float>, &outputs<float>, &mask_words<float>};
constexpr Kernels<double> float64{&step<double>, &outputs<double>, &mask_words<double>};

}  // namespace

extern const Level level;
const Level level{DEEPWELL_LEVEL_NAME, &float32, &float64};

}  // namespace deepwell::DEEPWELL_LEVEL
