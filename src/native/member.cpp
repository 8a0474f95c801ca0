#include "member.hpp"

#include <cmath>

#include "decays.hpp"
#include "hash.hpp"
#include "metrics/registry.hpp"
#include "names.hpp"
#include "normals.hpp"

namespace deepwell {

std::array<std::uint32_t, 2> step_key(const std::array<std::uint32_t, 2>& of_member,
                                      std::int64_t step) {
  const auto key =
      DEEPWELL_LEVEL::fold(of_member[0], of_member[1], static_cast<std::uint32_t>(step));
  return {key.first, key.second};
}

template <class T>
Drop<T> drop_of(const Drop<double>& drop) {
  return {drop.threshold, static_cast<T>(drop.train_scale), static_cast<T>(drop.predict_scale)};
}

// A layer's shape and options, without a place in memory.
template <class T>
Layer<T> layer_of(const MemberSpec& spec, int index) {
  const auto l = static_cast<std::size_t>(index);
  const bool hidden = l + 2 < spec.widths.size();
  Layer<T> layer;
  layer.inputs = spec.widths[l];
  layer.units = spec.widths[l + 1];
  layer.pieces = hidden ? spec.pieces : 1;
  layer.outputs = layer.units * layer.pieces;
  layer.stride = stride_of<T>(layer.outputs);
  if (!hidden) return layer;
  layer.biased = spec.norm != Norm::before;
  if (spec.norm != Norm::none) layer.normed = layer.biased ? layer.units : layer.outputs;
  const bool ends_skip = spec.residual > 0 && index >= spec.residual && index % spec.residual == 0;
  if (ends_skip) layer.skip = index - spec.residual;
  return layer;
}

template <class T>
Member<T>::Member(const MemberSpec& spec) : spec_(spec) {
  std::ptrdiff_t size = 0;
  for (std::size_t l = 0; l + 1 < spec.widths.size(); ++l) {
    layers_.push_back(layer_of<T>(spec, static_cast<int>(l)));
    Layer<T>& layer = layers_.back();
    layer.offset = size;
    size += layer.size();
    const auto row = [&](int index, int columns) {
      return Piece{layer.offset + index * layer.stride, 1, columns, layer.stride};
    };
    trained_.push_back({layer.offset, layer.inputs, layer.outputs, layer.stride});
    if (layer.biased) trained_.push_back(row(layer.inputs, layer.outputs));
    if (layer.normed == 0) continue;
    for (const int index : {1, 2}) trained_.push_back(row(layer.inputs + index, layer.normed));
    for (const int index : {3, 4}) all_.push_back(row(layer.inputs + index, layer.normed));
  }
  all_.insert(all_.begin(), trained_.begin(), trained_.end());
  const int slots = optimizer_slots(spec.optimizer);
  for (int i = 0; i < first_slot_set + slots; ++i) {
    arrays_.emplace_back(static_cast<std::size_t>(size));
  }
  for (Layer<T>& layer : layers_) {
    layer.parameters = arrays_[parameters_set].data() + layer.offset;
    for (int s = 0; s < slots; ++s) {
      layer.slots[s] = arrays_[static_cast<std::size_t>(first_slot_set + s)].data() + layer.offset;
    }
  }
  network_.layers = layers_;
  network_.activation = spec.activation;
  network_.slope = static_cast<T>(spec.slope);
  network_.norm = layers_.size() > 1 ? spec.norm : Norm::none;
  network_.norm_epsilon = static_cast<T>(spec.norm_epsilon);
  network_.residual = spec.residual;
  constexpr int in_line = line_bytes / sizeof(T);  // gradients are transposed in whole squares
  for (const Layer<T>& layer : layers_) {
    const int rows = (layer.outputs + in_line - 1) / in_line * in_line;
    network_.gradient_rows = std::max(network_.gradient_rows, rows);
  }
  network_.plain = spec.norm == Norm::none && spec.pieces == 1 && spec.residual == 0;
  change(spec.numbers);
}

template <class T>
void Member<T>::change(const MemberNumbers& numbers) {
  spec_.numbers = numbers;
  shares_.assign(numbers.shares.begin(), numbers.shares.end());
  network_.smoothing = static_cast<T>(numbers.label_smoothing);
  network_.norm_momentum = static_cast<T>(numbers.batch_norm_momentum);
  network_.inputs = drop_of<T>(numbers.drops.front());
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    layers_[l].drop = drop_of<T>(numbers.drops[l + 1]);
  }
  network_.updates_apart = layers_.back().offset + layers_.back().size() > most_updated_at_once ||
                           step_numbers(1, 1).needs_whole();
}

template <class T>
StepNumbers<T> Member<T>::step_numbers(std::int64_t epoch, std::int64_t step) const {
  const auto as = [](auto number) { return static_cast<T>(number); };
  const MemberNumbers& n = spec_.numbers;
  const Schedule<T> when{as(n.decay_rate),  as(n.decay_factor), as(n.decay_scale),
                         as(n.decay_every), as(n.epochs),       as(n.warmup_epochs),
                         as(epoch),         as(step),           as(spec_.per_epoch)};
  StepNumbers<T> numbers;
  numbers.optimizer = spec_.optimizer;
  numbers.learning_rate =
      as(n.learning_rate) * (decays<T>[static_cast<std::size_t>(spec_.decay)](when) * warmed(when));
  numbers.momentum = as(n.momentum);
  numbers.beta1 = as(n.beta1);
  numbers.beta2 = as(n.beta2);
  numbers.epsilon = as(n.epsilon);
  numbers.epsilon_root = as(n.epsilon_root);
  numbers.rms_from_first = spec_.rms_from_first;
  numbers.l2 = as(n.l2);
  numbers.l1 = as(n.l1);
  numbers.kept = T(1) - numbers.learning_rate * as(n.weight_decay);
  numbers.max_norm = as(n.max_norm);
  numbers.clip_value = as(n.clip_value);
  numbers.clip_norm = as(n.clip_norm);
  if (n.gradient_noise > 0) {
    numbers.noise = std::sqrt(as(n.gradient_noise) / std::pow(as(step), T(0.55)));
    numbers.noise_key = step_key(spec_.noise_key, step);
  }
  numbers.step = as(step);
  return numbers;
}

template <class T>
std::span<const Piece> Member<T>::pieces(int set) const {
  return set == parameters_set || set == best_set ? all_ : trained_;
}

template <class T>
std::size_t Member<T>::packed_size(int set) const {
  std::size_t size = 0;
  for (const Piece& piece : pieces(set)) {
    size += static_cast<std::size_t>(piece.rows) * static_cast<std::size_t>(piece.columns);
  }
  return size;
}

template <class T>
void Member<T>::unpack(int set, const T* packed) {
  for (const Piece& piece : pieces(set)) {
    T* to = arrays_[static_cast<std::size_t>(set)].data() + piece.offset;
    for (int i = 0; i < piece.rows; ++i, packed += piece.columns) {
      std::copy_n(packed, piece.columns, to + i * piece.stride);
    }
  }
}

template <class T>
void Member<T>::pack(int set, T* packed) const {
  for (const Piece& piece : pieces(set)) {
    const T* from = arrays_[static_cast<std::size_t>(set)].data() + piece.offset;
    for (int i = 0; i < piece.rows; ++i, packed += piece.columns) {
      std::copy_n(from + i * piece.stride, piece.columns, packed);
    }
  }
}

template <class T>
void Member<T>::begin(const Start& start) {
  for (const Aligned<T>& array : arrays_) std::fill_n(array.data(), array.size(), T(0));
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer<T>& layer = layers_[l];
    if (layer.normed > 0) {
      std::fill_n(layer.scales(), layer.normed, T(1));
      std::fill_n(layer.variances(), layer.normed, T(1));
    }
    if (start.deviations[l] == 0) continue;  // all weights +0
    const std::array<std::uint32_t, 2> folds{start.purpose, static_cast<std::uint32_t>(l)};
    draw_normals(start.seed, folds, start.deviations[l],
                 Rectangle<T>{layer.parameters, static_cast<std::size_t>(layer.inputs),
                              static_cast<std::size_t>(layer.outputs),
                              static_cast<std::size_t>(layer.stride)});
  }
  std::copy_n(arrays_[parameters_set].data(), arrays_[parameters_set].size(),
              arrays_[best_set].data());
  counters = {};
  counters.best_score = counters.best_cost = std::numeric_limits<double>::infinity();
}

template <class T>
void Member<T>::train(std::span<const Batch<T>> batches, int loss, std::int64_t epoch,
                      const Kernels<T>& kernels, Workspace<T>& work,
                      const std::atomic<bool>& stop) {
  Dropout<T> dropout;
  Augment<T> augment;
  augment.noise = static_cast<T>(spec_.numbers.input_noise);
  augment.shares = shares_.empty() ? nullptr : shares_.data();
  for (const Batch<T>& batch : batches) {
    if (counters.outcome != running) return;
    const std::int64_t step = counters.step + 1;
    dropout.key = step_key(spec_.dropout_key, step);
    const StepNumbers<T> numbers = step_numbers(epoch, step);
    T cost = 0;
    Batch<T> seen = batch;
    if (augment.on()) {
      augment.noise_key = step_key(spec_.input_noise_key, step);
      augment.mix_key = step_key(spec_.mix_key, step);
      seen = kernels.augment(batch, augment, layers_.front().inputs, work);
    }
    if (!kernels.step(network_, loss, seen, numbers, dropout, work, stop, cost)) return;
    counters.step = step;
    counters.cost_sum += static_cast<double>(cost) * static_cast<double>(batch.weight);
    counters.weight_sum += static_cast<double>(batch.weight);
    if (!std::isfinite(cost)) counters.outcome = diverged;
  }
}

template <class T>
std::optional<Report> Member<T>::score(const Data<T>& data, int loss, int metric,
                                       std::int64_t epoch, const Kernels<T>& kernels,
                                       Workspace<T>& work, const std::atomic<bool>& stop) {
  const int outputs = layers_.back().outputs;
  const auto rows = static_cast<std::size_t>(data.dev().rows);
  std::vector<T> z(static_cast<std::size_t>(outputs) * rows);
  std::vector<T> losses(rows);
  for (const Block<T>& block : data.dev_blocks()) {
    const T* raw = kernels.outputs(network_, loss, block, work, stop, losses.data() + block.first);
    if (stop.load(std::memory_order_relaxed)) return std::nullopt;
    for (int o = 0; o < outputs; ++o) {
      std::copy_n(raw + o * block.stride, block.rows,
                  z.data() + static_cast<std::size_t>(o) * rows + block.first);
    }
  }
  const Predictions<T> said{z.data(),
                            static_cast<std::ptrdiff_t>(rows),
                            outputs,
                            {data.dev().y, rows},
                            {data.dev().weight, rows},
                            losses};
  // Rounded to the member's type, which is what a state and a curve hold.
  const T cost = static_cast<T>(LogLoss<T>::of(said));
  // A network too far gone to have a cost has no score either; NaN is never better.
  const T got = std::isfinite(cost)
                    ? static_cast<T>(metrics<T>[static_cast<std::size_t>(metric)](said))
                    : std::numeric_limits<T>::quiet_NaN();
  const double best = static_cast<T>(counters.best_score);
  if (got < best || (got == best && std::isfinite(got) && cost < counters.best_cost)) {
    std::copy_n(arrays_[parameters_set].data(), arrays_[parameters_set].size(),
                arrays_[best_set].data());
    counters.best_score = static_cast<double>(got);
    counters.best_cost = static_cast<double>(cost);
    counters.best_epoch = epoch;
    counters.stale = 0;
  } else {
    ++counters.stale;
  }
  if (spec_.patience > 0 && counters.stale >= spec_.patience) counters.outcome = early_stopped;
  if (!std::isfinite(cost)) counters.outcome = diverged;
  counters.epoch = epoch;
  if (keeps_said) said_ = std::move(z);
  const double train_cost = counters.cost_sum / counters.weight_sum;
  counters.cost_sum = 0;
  counters.weight_sum = 0;
  return Report{train_cost, static_cast<double>(cost), static_cast<double>(got), true};
}

template class Member<float>;
template class Member<double>;

}  // namespace deepwell
