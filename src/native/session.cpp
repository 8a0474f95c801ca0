#include "session.hpp"

#include <algorithm>
#include <numeric>

#include "workers.hpp"

namespace deepwell {
namespace {

constexpr std::size_t worth_threads = std::size_t{1} << 17;    // elements to gather
constexpr std::size_t gathered_bytes = std::size_t{16} << 20;  // of batches held at once

template <class T>
constexpr bool has(const AnyMember& member) {
  return std::holds_alternative<Member<T>>(member);
}

// Steps whose batches are gathered together.
template <class T>
int steps_at_once(const Data<T>& data, int batch) {
  const auto each = static_cast<std::size_t>(data.train().inputs + 3) *
                    static_cast<std::size_t>(stride_of<T>(batch)) * sizeof(T);
  return static_cast<int>(std::max<std::size_t>(1, gathered_bytes / each));
}

std::ptrdiff_t cost_of(const AnyMember& member) {
  return std::visit(
      [](const auto& m) {
        std::ptrdiff_t cost = 0;
        for (const auto& layer : m.network().layers) cost += layer.size();
        return cost;
      },
      member);
}

}  // namespace

Session::Session(const Shared& shared, std::span<const MemberSpec> specs) : shared_(shared) {
  members_.reserve(specs.size());
  for (const MemberSpec& spec : specs) {
    if (spec.single) {
      members_.emplace_back(std::in_place_type<Member<float>>, spec);
    } else {
      members_.emplace_back(std::in_place_type<Member<double>>, spec);
    }
  }
  workers_.resize(
      static_cast<std::size_t>(std::max(1, std::min(shared.threads, static_cast<int>(size())))));
}

template <class T>
void Session::make_room(int batch) {
  const bool accumulates = batch > rows_of_block;
  const int blocks = (batch + rows_of_block - 1) / rows_of_block;
  const auto each = stride_of<T>((batch + blocks - 1) / blocks);
  const auto stride = std::max(each, stride_of<T>(rows_of_dev_block));
  const auto columns = each * blocks;
  for (const AnyMember& member : members_) {
    if (!has<T>(member)) continue;
    for (Worker& worker : workers_) {
      worker.work<T>().fit(std::get<Member<T>>(member).network(), stride, columns, accumulates);
    }
  }
}

void Session::begin(std::span<const int> indices, std::span<const Start> starts,
                    const std::function<bool()>& poll) {
  std::atomic<bool> stop{false};
  share_out(
      static_cast<int>(indices.size()), static_cast<int>(workers_.size()), stop,
      [&](int task, int) {
        const auto at = static_cast<std::size_t>(task);
        std::visit([&](auto& one) { one.begin(starts[at]); }, member(indices[at]));
      },
      poll);
}

template <class T>
void Session::gather(Batches<T>& batches, const Table<T>* window,
                     std::span<const std::int32_t> order, int steps, int batch,
                     std::atomic<bool>& stop, const std::function<bool()>& poll) {
  const Table<T>& rows = window ? *window : shared_.data<T>().train();
  batches.lay_out(rows, order, steps, batch);
  const auto elements = order.size() * static_cast<std::size_t>(rows.inputs);
  if (elements < worth_threads) {
    for (int step = 0; step < steps; ++step) batches.fill(rows, step);
    return;
  }
  share_out(
      steps, static_cast<int>(workers_.size()), stop,
      [&](int step, int) { batches.fill(rows, step); }, poll);
}

void Session::change(int index, const MemberNumbers& numbers) {
  std::visit([&](auto& one) { one.change(numbers); }, member(index));
  batch_fitted_ = 0;  // the member may need room for its whole gradient from now on
}

std::vector<Report> Session::advance(const Steps& steps, const std::function<bool()>& poll) {
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  std::vector<Report> reports(members_.size(), Report{nothing, nothing, nothing, false});
  std::vector<std::int64_t> goal(members_.size());
  std::vector<int> todo;
  bool single = false, twice = false;
  for (int i = 0; i < size(); ++i) {
    goal[static_cast<std::size_t>(i)] = counters(i).step + steps.count;
    if (counters(i).outcome != running) continue;
    todo.push_back(i);
    (has<float>(member(i)) ? single : twice) = true;
  }
  // The longest first, so that no thread ends late with a large one.
  std::stable_sort(todo.begin(), todo.end(),
                   [&](int a, int b) { return cost_of(member(a)) > cost_of(member(b)); });

  if (steps.batch > batch_fitted_) {
    make_room<float>(steps.batch);
    make_room<double>(steps.batch);
    batch_fitted_ = steps.batch;
  }

  int at_once = std::max(1, steps.count);
  if (single) {
    at_once = std::min(at_once, steps_at_once(*shared_.float32, steps.batch));
    if (!float32_) float32_.emplace(shared_.float32->train().inputs);
  }
  if (twice) {
    at_once = std::min(at_once, steps_at_once(*shared_.float64, steps.batch));
    if (!float64_) float64_.emplace(shared_.float64->train().inputs);
  }

  std::atomic<bool> stop{false};
  for (int first = 0; first == 0 || first < steps.count; first += at_once) {
    const int count = std::min(at_once, steps.count - first);
    const auto order = steps.order.subspan(
        static_cast<std::size_t>(first) * static_cast<std::size_t>(steps.batch),
        static_cast<std::size_t>(count) * static_cast<std::size_t>(steps.batch));
    if (single) gather(*float32_, steps.float32, order, count, steps.batch, stop, poll);
    if (twice) gather(*float64_, steps.float64, order, count, steps.batch, stop, poll);
    if (stop) break;
    const auto move = [&]<class T>(Member<T>& one, const Batches<T>& batches, std::size_t index,
                                   Worker& worker) {
      const std::int64_t before = one.counters.step;
      const Kernels<T>& kernels = shared_.level->kernels<T>();
      one.train(batches.batches(), shared_.loss, steps.epoch, kernels, worker.work<T>(), stop);
      const bool moved = reports[index].moved || one.counters.step > before;
      if (steps.ends_epoch && one.counters.outcome == running && one.counters.step == goal[index]) {
        reports[index] = one.score(shared_.data<T>(), shared_.loss, shared_.metric, steps.epoch,
                                   kernels, worker.work<T>(), stop)
                             .value_or(reports[index]);
      }
      reports[index].moved = moved;
    };
    share_out(
        static_cast<int>(todo.size()), static_cast<int>(workers_.size()), stop,
        [&](int task, int worker) {
          const auto index = static_cast<std::size_t>(todo[static_cast<std::size_t>(task)]);
          Worker& mine = workers_[static_cast<std::size_t>(worker)];
          AnyMember& any = members_[index];
          if (has<float>(any)) {
            move(std::get<Member<float>>(any), *float32_, index, mine);
          } else {
            move(std::get<Member<double>>(any), *float64_, index, mine);
          }
        },
        poll);
    if (stop) break;
  }
  return reports;
}

}  // namespace deepwell
