// What kernels work on: a member's network and the rows of a step, as plain pointers.
//
// Memory layout, the same at every instruction-set level: rows start on a cache line. Activations
// lie unit by unit (units, rows of the batch), so that the batch runs along the vectors and widths
// stay exact; parameters lie input by input (inputs + 1, outputs), the last row the biases, which
// is the weight of an input that is always 1.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace deepwell {

inline constexpr std::size_t line_bytes = 64;
inline constexpr int most_slots = 2;
inline constexpr std::ptrdiff_t most_updated_at_once = std::ptrdiff_t{1} << 20;  // parameters

// Elements from one row of a matrix to the next: whole cache lines, an odd number of them beyond
// four, so that the rows of a column strip do not fall on the same few sets of the cache.
template <class T>
constexpr std::ptrdiff_t stride_of(int columns) {
  constexpr std::ptrdiff_t in_line = line_bytes / sizeof(T);
  const std::ptrdiff_t lines = (columns + in_line - 1) / in_line;
  return (lines > 4 ? lines | 1 : lines) * in_line;
}

template <class T>
struct Layer {
  int inputs = 0;
  int outputs = 0;
  std::ptrdiff_t stride = 0;
  T* parameters = nullptr;    // (inputs + 1, stride)
  T* slots[most_slots] = {};  // what the optimizer remembers, laid out alike
  std::ptrdiff_t offset = 0;  // of this layer in a flat array of all parameters

  T* biases() const { return parameters + inputs * stride; }
  std::ptrdiff_t size() const { return (inputs + 1) * stride; }
};

template <class T>
struct Network {
  std::span<const Layer<T>> layers;
  int activation = 0;
  T slope = 0;
  // Gradients are summed first and the optimizer runs after them: where a step may take so long
  // that it must be possible to give it up on the way, and where a technique needs them whole.
  bool updates_apart = false;
};

// Rows of a batch that go through the network together.
template <class T>
struct Block {
  const T* x = nullptr;       // (inputs + 1, stride), the last row ones
  const T* y = nullptr;       // (stride,) class numbers or values
  const T* weight = nullptr;  // (stride,) 0 where there is no row
  int rows = 0;
  int first = 0;  // place of the first row in its batch
  std::ptrdiff_t stride = 0;
};

template <class T>
struct Batch {
  std::span<const Block<T>> blocks;
  T weight = 0;  // sum over the batch, at least the smallest normal number
};

// The hyperparameters of one step, in the member's own type; the learning rate is the step's.
template <class T>
struct StepNumbers {
  int optimizer = 0;
  T learning_rate = 0;
  T momentum = 0;
  T beta1 = 0;
  T beta2 = 0;
  T epsilon = 0;
  T epsilon_root = 0;
  bool rms_from_first = false;
  T l2 = 0;
  T l1 = 0;
  T kept = 1;        // what decoupled decay leaves of a weight, 1 - learning_rate * weight_decay
  T max_norm = 0;    // of a unit's incoming weights; here and below 0 is no limit
  T clip_value = 0;  // of an entry of the gradient
  T clip_norm = 0;   // of the whole gradient
  T noise = 0;       // standard deviation of what is added to gradients
  std::array<std::uint32_t, 2> noise_key{};  // of this member and step
  T step = 0;                                // counted from 1

  // Whether the optimizer must wait for the whole gradient.
  bool needs_whole() const { return l1 > 0 || clip_value > 0 || clip_norm > 0 || noise > 0; }
};

template <class T>
struct Dropout {
  bool on = false;
  std::uint32_t threshold = 0;         // a word below it drops the unit
  T scale = 1;                         // 1 / keep probability
  std::array<std::uint32_t, 2> key{};  // of this member and step
};

// A piece of a mask: `rows` x `units` from a place in the batch and a unit on.
struct Patch {
  std::uint32_t row, unit;
  int rows, units;
};

template <class T>
class Workspace;

// The entry points of one instruction-set level.
template <class T>
struct Kernels {
  // One update step. Returns false, with nothing changed, when `stop` was set before the first
  // parameter changed, which is asked at every layer; else `cost` is the batch's weighted mean
  // loss.
  bool (*step)(const Network<T>&, int loss, const Batch<T>&, const StepNumbers<T>&,
               const Dropout<T>&, Workspace<T>&, const std::atomic<bool>& stop, T& cost);
  // Raw outputs (outputs, stride) and losses (rows,) of one block, dropout off. What they hold is
  // void once `stop` is set, which is asked at every layer.
  const T* (*outputs)(const Network<T>&, int loss, const Block<T>&, Workspace<T>&,
                      const std::atomic<bool>& stop, T* losses);
  // The words (rows, units) that decide about a piece of a layer's mask, drawn as steps draw them.
  void (*mask_words)(const Dropout<T>&, std::size_t layer, const Patch&, Workspace<T>&,
                     std::uint32_t* words);
};

struct Level {
  std::string_view name;
  const Kernels<float>* float32;
  const Kernels<double>* float64;

  template <class T>
  const Kernels<T>& kernels() const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return *float32;
    } else {
      return *float64;
    }
  }
};

}  // namespace deepwell
