// One network in training: its numbers, its state, and what it does with a chunk.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data.hpp"
#include "workspace.hpp"

namespace deepwell {

// The numbers of a member that may change while it trains; the names are those of Python.
struct MemberNumbers {
  double learning_rate = 0, decay_rate = 0, decay_factor = 0, decay_scale = 0, decay_every = 1,
         epochs = 1, warmup_epochs = 0, momentum = 0, beta1 = 0, beta2 = 0, epsilon = 0,
         epsilon_root = 0, l2 = 0, l1 = 0, weight_decay = 0, max_norm = 0, clip_value = 0,
         clip_norm = 0, gradient_noise = 0, batch_norm_momentum = 0, label_smoothing = 0,
         input_noise = 0;
  std::vector<double> shares;       // quantiles of mixup's shares, empty for none
  std::vector<Drop<double>> drops;  // of the inputs, then of each hidden layer
};

// What the caller says of a member; techniques are numbers in their family's list.
struct MemberSpec {
  bool single = true;       // float32, else float64
  std::vector<int> widths;  // inputs, hidden units, outputs
  int activation = 0;
  double slope = 0;
  int optimizer = 0;
  int decay = 0;
  std::int64_t per_epoch = 1;  // steps
  bool rms_from_first = false;
  int pieces = 1;
  Norm norm = Norm::none;
  double norm_epsilon = 0;
  int residual = 0;
  std::array<std::uint32_t, 2> dropout_key{};  // of the member; the step is folded in
  std::array<std::uint32_t, 2> noise_key{};
  std::array<std::uint32_t, 2> input_noise_key{};
  std::array<std::uint32_t, 2> mix_key{};
  std::int64_t patience = 0;
  MemberNumbers numbers;
};

enum Outcome : std::int64_t { running = 0, early_stopped = 1, diverged = 2 };

// The numbers of a state; the names are those of `training/_state.py`.
struct Counters {
  std::int64_t step = 0, epoch = 0, best_epoch = 0, stale = 0, outcome = running;
  double best_score = 0, best_cost = 0, cost_sum = 0, weight_sum = 0;
};

struct Report {
  double train_cost, dev_cost, dev_score;
  bool moved;
};

// The arrays of a state.
inline constexpr int parameters_set = 0;
inline constexpr int best_set = 1;
inline constexpr int first_slot_set = 2;

// An array inside a set: rows that begin `stride` elements apart.
struct Piece {
  std::ptrdiff_t offset;
  int rows;
  int columns;
  std::ptrdiff_t stride;
};

// What the initial weights are drawn from: layer l by the member's seed, the purpose and l.
struct Start {
  std::uint64_t seed;
  std::uint32_t purpose;
  std::vector<double> deviations;  // of each layer
};

// The key of a step's draws, folded from the member's.
std::array<std::uint32_t, 2> step_key(const std::array<std::uint32_t, 2>& of_member,
                                      std::int64_t step);

template <class T>
class Member {
 public:
  explicit Member(const MemberSpec& spec);

  const MemberSpec& spec() const { return spec_; }
  const Network<T>& network() const { return network_; }
  int sets() const { return static_cast<int>(arrays_.size()); }

  // Goes on with other numbers from the next step on.
  void change(const MemberNumbers& numbers);

  // The arrays of a set, in the order in which they are packed.
  std::span<const Piece> pieces(int set) const;
  std::size_t packed_size(int set) const;

  // Copies the arrays of a set in or out, packed without gaps.
  void unpack(int set, const T* packed);
  void pack(int set, T* packed) const;

  // Becomes a member that has not trained yet.
  void begin(const Start& start);

  // Takes the steps, until they end, the member diverges, or `stop` is set.
  void train(std::span<const Batch<T>> batches, int loss, std::int64_t epoch,
             const Kernels<T>& kernels, Workspace<T>& work, const std::atomic<bool>& stop);

  // Scores the dev rows, keeps the best parameters, decides on early stopping. Returns nothing,
  // with nothing changed, when `stop` was set before all rows were through.
  std::optional<Report> score(const Data<T>& data, int loss, int metric, std::int64_t epoch,
                              const Kernels<T>& kernels, Workspace<T>& work,
                              const std::atomic<bool>& stop);

  // The raw outputs of the dev rows when they were scored last, (outputs, rows); nothing before
  // that, or where they are not kept.
  std::span<const T> said() const { return said_; }
  bool keeps_said = false;

  Counters counters;

 private:
  StepNumbers<T> step_numbers(std::int64_t epoch, std::int64_t step) const;

  MemberSpec spec_;
  std::vector<T> shares_;  // of mixup
  std::vector<T> said_;
  std::vector<Layer<T>> layers_;
  std::vector<Piece> trained_;      // of every set
  std::vector<Piece> all_;          // of the parameters and the best: the statistics as well
  std::vector<Aligned<T>> arrays_;  // parameters, best, then what the optimizer remembers
  Network<T> network_;
};

extern template class Member<float>;
extern template class Member<double>;

}  // namespace deepwell
