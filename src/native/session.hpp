// Members in training together: they share the rows and the order of the batches, nothing else.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "data.hpp"
#include "member.hpp"
#include "network.hpp"

namespace deepwell {

using AnyMember = std::variant<Member<float>, Member<double>>;

// What the members of a session share.
struct Shared {
  const Data<float>* float32;  // null when no member is float32
  const Data<double>* float64;
  int loss;
  int metric;
  int threads;
  const Level* level;

  template <class T>
  const Data<T>& data() const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return *float32;
    } else {
      return *float64;
    }
  }
};

// The steps of one call.
struct Steps {
  std::span<const std::int32_t> order;  // (count, batch); an index of `rows` or more is no row
  int count;
  int batch;
  std::int64_t epoch;
  bool ends_epoch;
  const Table<float>* float32 = nullptr;   // a window of train rows that `order` counts in;
  const Table<double>* float64 = nullptr;  // null takes the session's own
};

class Session {
 public:
  Session(const Shared& shared, std::span<const MemberSpec> specs);

  // Moves every running member through the steps; `poll` is asked every 20 ms whether to stop.
  // A stop leaves each member after a whole number of steps, told by its counters; one that had
  // taken all steps but has no dev cost is yet to be scored, by a call of no steps.
  std::vector<Report> advance(const Steps& steps, const std::function<bool()>& poll);

  // Begins some members anew, on all threads.
  void begin(std::span<const int> indices, std::span<const Start> starts,
             const std::function<bool()>& poll);

  // Gives a member other numbers from the next call on.
  void change(int index, const MemberNumbers& numbers);

  int size() const { return static_cast<int>(members_.size()); }
  AnyMember& member(int index) { return members_[static_cast<std::size_t>(index)]; }
  Counters& counters(int index) {
    return std::visit([](auto& m) -> Counters& { return m.counters; }, member(index));
  }

 private:
  struct Worker {
    Workspace<float> float32;
    Workspace<double> float64;

    template <class T>
    Workspace<T>& work() {
      if constexpr (sizeof(T) == sizeof(float)) {
        return float32;
      } else {
        return float64;
      }
    }
  };

  // Copies the batches of some steps, on all threads where that is worth it.
  template <class T>
  void gather(Batches<T>& batches, const Table<T>* window, std::span<const std::int32_t> order,
              int steps, int batch, std::atomic<bool>& stop, const std::function<bool()>& poll);

  template <class T>
  void make_room(int batch);

  Shared shared_;
  std::vector<AnyMember> members_;
  std::vector<Worker> workers_;
  int batch_fitted_ = 0;  // rows that the workspaces have room for
  // Kept from call to call: fresh memory would have to be mapped page by page each time.
  std::optional<Batches<float>> float32_;
  std::optional<Batches<double>> float64_;
};

}  // namespace deepwell
