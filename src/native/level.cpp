// One instruction-set level: this file is compiled once for each, with other flags.
#include "augment.hpp"
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

// Takes the blocks through the network and back; adds weight * loss of their rows to `sum`.
// Returns false when `stop` was set.
template <class T>
bool train_on(const Network<T>& network, int loss, const Batch<T>& batch,
              std::span<const Block<T>> blocks, const StepNumbers<T>& numbers,
              const Dropout<T>& dropout, Turn turn, Workspace<T>& work,
              const std::atomic<bool>& stop, T& sum) {
  for (const Block<T>& block : blocks) {
    T* share = work.shares().row(block, 0);
    const int columns = vectors<T>(block.rows) * lanes<T>;
    for (int c = 0; c < columns; ++c) share[c] = block.weight[c] / batch.weight;
  }
  forward<T, true>(network, blocks, dropout, work, stop);
  if (stop.load(std::memory_order_relaxed)) return false;
  for (const Block<T>& block : blocks) {
    T* z = work.gradients(0, network.gradient_rows).row(block, 0);
    const Outputs<T> outputs{z,
                             network.layers.back().outputs,
                             block.stride,
                             block.y,
                             block.rows,
                             network.smoothing,
                             block.other,
                             block.share};
    loss_rows<T>[static_cast<std::size_t>(loss)](outputs, work.losses.data(),
                                                 work.shares().row(block, 0));
    for (int c = 0; c < block.rows; ++c) sum += work.losses.data()[c] * block.weight[c];
  }
  backwards<T>[static_cast<std::size_t>(numbers.optimizer)](network, blocks, numbers, turn, work,
                                                            stop);
  return true;
}

// cost = sum of weight * loss / sum of weight over the batch.
template <class T>
bool step(const Network<T>& network, int loss, const Batch<T>& batch, const StepNumbers<T>& numbers,
          const Dropout<T>& dropout, Workspace<T>& work, const std::atomic<bool>& stop, T& cost) {
  T sum = 0;
  work.blocks.assign(batch.blocks.begin(), batch.blocks.end());
  const std::span<const Block<T>> blocks(work.blocks);
  const bool fused = !network.updates_apart;
  if (network.lockstep()) {
    for (std::size_t i = 1; i < work.blocks.size(); ++i) {
      work.blocks[i].column = work.blocks[i - 1].column + work.blocks[i - 1].stride;
    }
    const Turn turn{true, fused};
    if (!train_on(network, loss, batch, blocks, numbers, dropout, turn, work, stop, sum)) {
      return false;
    }
  } else {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const Turn turn{i == 0, fused && i + 1 == blocks.size()};
      if (!train_on(network, loss, batch, blocks.subspan(i, 1), numbers, dropout, turn, work, stop,
                    sum)) {
        return false;
      }
    }
  }
  if (network.updates_apart) {
    if (stop.load(std::memory_order_relaxed)) return false;
    StepNumbers<T> left = numbers;
    if (numbers.needs_whole()) {
      complete_gradient(network, numbers, work);
      left.l2 = 0;  // it is in the gradient
    }
    updates<T>[static_cast<std::size_t>(numbers.optimizer)](network, left, work);
  }
  if (numbers.max_norm > T(0)) hold_norms(network, numbers.max_norm);
  const bool empty = batch.weight <= std::numeric_limits<T>::min();
  if (network.lockstep() && !empty) remember_moments(network, numbers.step, work);
  cost = sum / batch.weight;
  return true;
}

template <class T>
const T* outputs(const Network<T>& network, int loss, const Block<T>& block, Workspace<T>& work,
                 const std::atomic<bool>& stop, T* losses) {
  forward<T, false>(network, std::span(&block, 1), Dropout<T>{}, work, stop);
  const Outputs<T> z{work.gradients(0, network.gradient_rows).data,
                     network.layers.back().outputs,
                     block.stride,
                     block.y,
                     block.rows,
                     T(0)};
  loss_rows<T>[static_cast<std::size_t>(loss)](z, work.losses.data(), nullptr);
  for (int c = 0; c < block.rows; ++c) losses[c] = work.losses.data()[c];
  return z.z;
}

template <class T>
void mask_words(const Dropout<T>& dropout, std::size_t layer, const Patch& at, Workspace<T>& work,
                std::uint32_t* words) {
  const int wide = vectors<T>(at.rows);
  row_keys(dropout, static_cast<std::uint32_t>(layer), at.row, wide * lanes<T>, work);
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

constexpr Kernels<float> float32{&step<float>, &outputs<float>, &augment<float>,
                                 &mask_words<float>};
constexpr Kernels<double> float64{&step<double>, &outputs<double>, &augment<double>,
                                  &mask_words<double>};

}  // namespace

extern const Level level;
const Level level{DEEPWELL_LEVEL_NAME, &float32, &float64};

}  // namespace deepwell::DEEPWELL_LEVEL
