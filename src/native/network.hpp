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

// Dropout of a layer: a word below the threshold drops a unit. What is kept is scaled in training,
// or everything at prediction.
template <class T>
struct Drop {
  std::uint32_t threshold = 0;
  T train_scale = 1;
  T predict_scale = 1;

  bool on() const { return threshold != 0 || train_scale != T(1); }
  bool changes() const { return on() || predict_scale != T(1); }
};

// Where batch normalization stands in a hidden layer, by the activation.
enum class Norm { none, before, after };

template <class T>
struct Layer {
  int inputs = 0;
  int outputs = 0;  // sums of a row: units, or in a hidden layer units x pieces, side by side
  int units = 0;    // activations of a row
  int pieces = 1;   // of which a maxout unit takes the largest
  int normed = 0;   // numbers of a row that are normalized
  int skip = -1;    // the hidden layer whose activations are added, or none
  bool biased = true;
  Drop<T> drop;
  std::ptrdiff_t stride = 0;
  T* parameters = nullptr;    // (rows, stride)
  T* slots[most_slots] = {};  // what the optimizer remembers, laid out alike
  std::ptrdiff_t offset = 0;  // of this layer in a flat array of all parameters

  // The rows: one an input, the biases (0 where there are none), and with normalization gamma and
  // beta, then the mean and variance that prediction normalizes with.
  T* biases() const { return parameters + inputs * stride; }
  T* scales() const { return parameters + (inputs + 1) * stride; }
  T* shifts() const { return parameters + (inputs + 2) * stride; }
  T* means() const { return parameters + (inputs + 3) * stride; }
  T* variances() const { return parameters + (inputs + 4) * stride; }
  int trained_rows() const { return inputs + (normed > 0 ? 3 : 1); }
  int product_rows() const { return inputs + (biased ? 1 : 0); }
  std::ptrdiff_t size() const { return (inputs + (normed > 0 ? 5 : 1)) * stride; }
};

template <class T>
struct Network {
  std::span<const Layer<T>> layers;
  int activation = 0;
  T slope = 0;
  T smoothing = 0;  // of the labels
  Norm norm = Norm::none;
  T norm_epsilon = 0;
  T norm_momentum = 0;
  int residual = 0;
  Drop<T> inputs;
  int gradient_rows = 0;  // the widest layer's outputs, rounded up to whole cache lines
  bool plain = true;      // no hidden layer has an option
  // Gradients are summed first and the optimizer runs after them: where a step may take so long
  // that it must be possible to give it up on the way, and where a technique needs them whole.
  bool updates_apart = false;

  // Whether all blocks of a batch go through a layer before the next: their moments normalize.
  bool lockstep() const { return norm != Norm::none; }
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
  std::ptrdiff_t column = 0;  // strides of the batch's blocks before it
  const T* other = nullptr;   // (stride,) targets of the rows that are mixed in, null for none
  const T* share = nullptr;   // (stride,) of the row itself in its mixture
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

inline constexpr std::uint32_t input_layer = 0xFFFFFFFF;  // in the place of a hidden layer's number

template <class T>
struct Dropout {
  std::array<std::uint32_t, 2> key{};  // of this member and step
};

inline constexpr int shares_shift = 22;  // a word's highest 10 bits are a place in the table
inline constexpr std::size_t shares_count = std::size_t{1} << (32 - shares_shift);

// What is done to the rows of a step before they are trained on.
template <class T>
struct Augment {
  T noise = 0;                // standard deviation of what is added to inputs
  const T* shares = nullptr;  // (shares_count,) quantiles of a row's share; null mixes none
  std::array<std::uint32_t, 2> noise_key{};  // of this member and step
  std::array<std::uint32_t, 2> mix_key{};

  bool on() const { return noise > T(0) || shares != nullptr; }
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
  // The batch with its rows augmented, in the workspace's memory.
  Batch<T> (*augment)(const Batch<T>&, const Augment<T>&, int inputs, Workspace<T>&);
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
