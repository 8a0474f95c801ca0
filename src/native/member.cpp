#include "member.hpp"

#include <cmath>

#include "decays.hpp"
#include "hash.hpp"
#include "metrics/registry.hpp"
#include "names.hpp"

namespace deepwell {

std::array<std::uint32_t, 2> step_key(const std::array<std::uint32_t, 2>& of_member,
                                      std::int64_t step) {
  const auto key =
      DEEPWELL_LEVEL::fold(of_member[0], of_member[1], static_cast<std::uint32_t>(step));
  return {key.first, key.second};
}

template <class T>
Member<T>::Member(const MemberSpec& spec) : spec_(spec) {
  std::ptrdiff_t size = 0;
  for (std::size_t l = 0; l + 1 < spec.widths.size(); ++l) {
    Layer<T> layer;
    layer.inputs = spec.widths[l];
    layer.outputs = spec.widths[l + 1];
    layer.stride = stride_of<T>(layer.outputs);
    layer.offset = size;
    size += layer.size();
    layers_.push_back(layer);
  }
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
  network_ = {layers_, spec.activation, static_cast<T>(spec.slope), size > most_updated_at_once};
}

template <class T>
void Member<T>::write(int set, int index, const T* weights, const T* biases) {
  const Layer<T>& layer = layers_[static_cast<std::size_t>(index)];
  T* to = arrays_[static_cast<std::size_t>(set)].data() + layer.offset;
  for (int i = 0; i < layer.inputs; ++i) {
    std::copy_n(weights + static_cast<std::ptrdiff_t>(i) * layer.outputs, layer.outputs,
                to + i * layer.stride);
  }
  std::copy_n(biases, layer.outputs, to + layer.inputs * layer.stride);
}

template <class T>
void Member<T>::read(int set, int index, T* weights, T* biases) const {
  const Layer<T>& layer = layers_[static_cast<std::size_t>(index)];
  const T* from = arrays_[static_cast<std::size_t>(set)].data() + layer.offset;
  for (int i = 0; i < layer.inputs; ++i) {
    std::copy_n(from + i * layer.stride, layer.outputs,
                weights + static_cast<std::ptrdiff_t>(i) * layer.outputs);
  }
  std::copy_n(from + layer.inputs * layer.stride, layer.outputs, biases);
}

template <class T>
void Member<T>::train(std::span<const Batch<T>> batches, int loss, std::int64_t epoch,
                      const Kernels<T>& kernels, Workspace<T>& work,
                      const std::atomic<bool>& stop) {
  const auto decay = decays<T>[static_cast<std::size_t>(spec_.decay)];
  const T rate = decay(static_cast<T>(spec_.learning_rate), static_cast<T>(spec_.decay_rate),
                       static_cast<T>(epoch));
  Dropout<T> dropout;
  dropout.threshold = spec_.drop_threshold;
  dropout.scale = static_cast<T>(spec_.drop_scale);
  dropout.on = dropout.threshold != 0 || dropout.scale != T(1);
  for (const Batch<T>& batch : batches) {
    if (counters.outcome != running) return;
    const std::int64_t step = counters.step + 1;
    dropout.key = step_key(spec_.dropout_key, step);
    const StepNumbers<T> numbers{
        spec_.optimizer,
        rate,
        static_cast<T>(spec_.momentum),
        static_cast<T>(spec_.beta1),
        static_cast<T>(spec_.beta2),
        static_cast<T>(spec_.epsilon),
        static_cast<T>(spec_.l2),
        static_cast<T>(step),
    };
    T cost = 0;
    if (!kernels.step(network_, loss, batch, numbers, dropout, work, stop, cost)) return;
    counters.step = step;
    counters.cost_sum += static_cast<double>(cost) * static_cast<double>(batch.weight);
    counters.weight_sum += static_cast<double>(batch.weight);
    if (!std::isfinite(cost)) counters.outcome = diverged;
  }
}

template <class T>
Report Member<T>::score(const Data<T>& data, int loss, int metric, std::int64_t epoch,
                        const Kernels<T>& kernels, Workspace<T>& work) {
  const int outputs = layers_.back().outputs;
  const auto rows = static_cast<std::size_t>(data.dev().rows);
  std::vector<T> z(static_cast<std::size_t>(outputs) * rows);
  std::vector<T> losses(rows);
  for (const Block<T>& block : data.dev_blocks()) {
    const T* raw = kernels.outputs(network_, loss, block, work, losses.data() + block.first);
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
  const double train_cost = counters.cost_sum / counters.weight_sum;
  counters.cost_sum = 0;
  counters.weight_sum = 0;
  return {train_cost, static_cast<double>(cost), static_cast<double>(got), true};
}

template class Member<float>;
template class Member<double>;

}  // namespace deepwell
