#include "training.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "../levels.hpp"
#include "../metrics/registry.hpp"
#include "../names.hpp"
#include "../session.hpp"
#include "member_spec.hpp"
#include "rows.hpp"

namespace deepwell {

using namespace nb::literals;

namespace {

using Order = Matrix<std::int32_t>;
template <class T>
using Told = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class T>
void check_fit(const MemberSpec& spec, const HeldData<T>* held, int loss) {
  if (held == nullptr) refuse("there are no rows in the type of a member");
  const Data<T>& data = held->data;
  if (spec.widths.front() != data.train().inputs) {
    refuse("a member of ", std::to_string(spec.widths.front()), " inputs does not fit rows of ",
           std::to_string(data.train().inputs), " features");
  }
  const bool classes = loss_names()[static_cast<std::size_t>(loss)] == "softmax";
  const int outputs = spec.widths.back();
  if (!classes && outputs != 1) {
    refuse("this loss needs one output, got ", std::to_string(outputs));
  }
  if (loss_names()[static_cast<std::size_t>(loss)] == "squared") return;
  check_labels(data.train(), classes ? outputs : 2);
  check_labels(data.dev(), classes ? outputs : 2);
}

// A session that one thread uses at a time: the interpreter's lock is released while it works.
class PySession {
 public:
  PySession(nb::object float32, nb::object float64, const std::string& loss,
            const std::string& metric, const std::vector<nb::dict>& members, int threads,
            const std::string& level, bool keeps_said)
      : float32_(std::move(float32)), float64_(std::move(float64)) {
    const auto* single = float32_.is_none() ? nullptr : nb::cast<HeldData<float>*>(float32_);
    const auto* twice = float64_.is_none() ? nullptr : nb::cast<HeldData<double>*>(float64_);
    Shared shared{single == nullptr ? nullptr : &single->data,
                  twice == nullptr ? nullptr : &twice->data,
                  index_of("loss", loss_names(), loss),
                  index_of("metric", Metrics<float>::names, metric),
                  threads,
                  level_named(level)};
    if (threads < 1) refuse("threads must be at least 1, got ", std::to_string(threads));
    if (shared.level == nullptr) refuse("this machine cannot run the level \"", level, "\"");
    std::vector<MemberSpec> specs;
    int last_outputs[2] = {};  // the labels of each type need looking at once only
    for (const nb::dict& member : members) {
      specs.push_back(member_spec(member));
      const MemberSpec& spec = specs.back();
      int& seen = last_outputs[spec.single ? 0 : 1];
      const bool same =
          seen == spec.widths.back() && specs.front().widths.front() == spec.widths.front();
      if (same) continue;
      if (spec.single) {
        check_fit(spec, single, shared.loss);
      } else {
        check_fit(spec, twice, shared.loss);
      }
      seen = spec.widths.back();
    }
    shared_ = shared;
    if (!specs.empty() && loss != "squared") classes_ = std::max(2, specs.front().widths.back());
    session_ = std::make_unique<Session>(shared, specs);
    for (int i = 0; i < session_->size(); ++i) {
      std::visit([&](auto& one) { one.keeps_said = keeps_said; }, session_->member(i));
    }
  }

  // Fills `real` (3, members) and `whole` (4, members) with what the call tells of each member.
  void advance(Order order, std::int64_t epoch, bool ends_epoch, nb::object should_stop,
               std::tuple<const HeldWindow<float>*, const HeldWindow<double>*> windows,
               Told<double> real, Told<std::int64_t> whole) {
    const std::unique_lock lock = enter();
    Steps steps{{order.data(), order.size()},
                small(order.shape(0), "steps"),
                small(order.shape(1), "the batch"),
                epoch,
                ends_epoch};
    if (steps.count > 0) {
      steps.float32 = checked_window(std::get<0>(windows), shared_.float32);
      steps.float64 = checked_window(std::get<1>(windows), shared_.float64);
    }
    if (steps.batch < 1) refuse("a batch must hold at least one row, got 0");
    for (const std::int32_t row : steps.order) {
      if (row < 0) refuse("order must hold rows from 0, got ", std::to_string(row));
    }
    const auto poll = [&, signaled = answered()] {
      if (signaled()) return true;
      const nb::gil_scoped_acquire held;
      return !should_stop.is_none() && nb::cast<bool>(should_stop());
    };
    const auto size = static_cast<std::size_t>(session_->size());
    if (real.shape(0) != 3 || whole.shape(0) != 4 || real.shape(1) != size ||
        whole.shape(1) != size) {
      refuse("a call tells 3 real and 4 whole numbers of each of ", std::to_string(size),
             " members, got other shapes");
    }
    std::vector<Report> reports;
    {
      const nb::gil_scoped_release released;
      reports = session_->advance(steps, poll);
    }
    for (std::size_t i = 0; i < size; ++i) {
      const Report& r = reports[i];
      const Counters& c = session_->counters(static_cast<int>(i));
      real(0, i) = r.train_cost;
      real(1, i) = r.dev_cost;
      real(2, i) = r.dev_score;
      whole(0, i) = c.outcome;
      whole(1, i) = c.step;
      whole(2, i) = c.best_epoch;
      whole(3, i) = r.moved ? 1 : 0;
    }
  }

  // starts: index, seed and standard deviations of each layer, for members that begin anew.
  void begin(const std::vector<std::tuple<int, std::uint64_t, std::vector<double>>>& starts,
             std::uint32_t purpose) {
    const std::unique_lock lock = enter();
    std::vector<int> indices;
    std::vector<Start> drawn;
    for (const auto& [index, seed, deviations] : starts) {
      check_index(index);
      const std::size_t layers = std::visit([](const auto& m) { return m.network().layers.size(); },
                                            session_->member(index));
      if (deviations.size() != layers) {
        refuse("member ", std::to_string(index), " has ", std::to_string(layers),
               " layers, got deviations of ", std::to_string(deviations.size()));
      }
      indices.push_back(index);
      drawn.push_back({seed, purpose, deviations});
    }
    const nb::gil_scoped_release released;
    session_->begin(indices, drawn, answered());
  }

  // Copies the arrays of a set, packed without gaps in the order of the member's pieces.
  template <class T>
  void write(int index, int set, Column<T> packed) {
    const std::unique_lock lock = enter();
    of<T>(index, set, packed.size()).unpack(set, packed.data());
  }

  void change(int index, const nb::dict& numbers) {
    const std::unique_lock lock = enter();
    check_index(index);
    session_->change(index, member_numbers(numbers));
  }

  template <class T>
  void read(int index, int set, nb::ndarray<T, nb::ndim<1>, nb::c_contig> packed) {
    const std::unique_lock lock = enter();
    of<T>(index, set, packed.size()).pack(set, packed.data());
  }

  // Copies the raw outputs of the dev rows as they were scored last; tells whether there are any.
  template <class T>
  bool said(int index, nb::ndarray<T, nb::ndim<2>, nb::c_contig> out) {
    const std::unique_lock lock = enter();
    check_index(index);
    const auto* member = std::get_if<Member<T>>(&session_->member(index));
    if (member == nullptr) {
      refuse("the array has another type than member ", std::to_string(index));
    }
    const std::span<const T> held = member->said();
    if (held.empty()) return false;
    if (held.size() != out.size()) {
      refuse("member ", std::to_string(index), " said ", std::to_string(held.size()),
             " numbers, got room for ", std::to_string(out.size()));
    }
    std::copy(held.begin(), held.end(), out.data());
    return true;
  }

  void set_counters(int index, std::array<std::int64_t, 5> whole, std::array<double, 4> real) {
    const std::unique_lock lock = enter();
    check_index(index);
    session_->counters(index) = {whole[0], whole[1], whole[2], whole[3], whole[4],
                                 real[0],  real[1],  real[2],  real[3]};
  }

  nb::tuple get_counters(int index) {
    const std::unique_lock lock = enter();
    check_index(index);
    const Counters& c = session_->counters(index);
    return nb::make_tuple(nb::make_tuple(c.step, c.epoch, c.best_epoch, c.stale, c.outcome),
                          nb::make_tuple(c.best_score, c.best_cost, c.cost_sum, c.weight_sum));
  }

 private:
  // Lets signal handlers run, and throws what they raise; never asks to stop by itself.
  static std::function<bool()> answered() {
    return [] {
      const nb::gil_scoped_acquire held;
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      return false;
    };
  }

  std::unique_lock<std::mutex> enter() {
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) throw std::runtime_error("another thread is at work in this session; wait for it");
    return lock;
  }

  // The rows to train on in one call; null where the session's own are meant.
  template <class T>
  const Table<T>* checked_window(const HeldWindow<T>* window, const Data<T>* data) const {
    if (data == nullptr) return nullptr;  // no member has this type
    if (window == nullptr) {
      if (data->train().rows == 0) refuse("there are no train rows; give a window of them");
      return nullptr;
    }
    const Table<T>& rows = window->rows;
    if (rows.inputs != data->dev().inputs) {
      refuse("a window of ", std::to_string(rows.inputs), " features does not fit rows of ",
             std::to_string(data->dev().inputs));
    }
    if (classes_ > 0) check_labels(rows, classes_);
    return &rows;
  }

  void check_index(int index) const {
    if (index < 0 || index >= session_->size()) {
      refuse("there is no member ", std::to_string(index), " among ",
             std::to_string(session_->size()));
    }
  }

  template <class T>
  Member<T>& of(int index, int set, std::size_t packed) {
    check_index(index);
    auto* member = std::get_if<Member<T>>(&session_->member(index));
    if (member == nullptr) {
      refuse("the arrays have another type than member ", std::to_string(index));
    }
    if (set < 0 || set >= member->sets()) refuse("there is no set ", std::to_string(set));
    if (packed != member->packed_size(set)) {
      refuse("set ", std::to_string(set), " of member ", std::to_string(index), " holds ",
             std::to_string(member->packed_size(set)), " numbers, got ", std::to_string(packed));
    }
    return *member;
  }

  nb::object float32_;
  nb::object float64_;
  Shared shared_{};
  int classes_ = 0;  // that labels may name, 0 when targets are numbers
  std::unique_ptr<Session> session_;
  std::mutex mutex_;
};

}  // namespace

void bind_session(nb::module_& module) {
  nb::class_<PySession>(module, "Session")
      .def(nb::init<nb::object, nb::object, const std::string&, const std::string&,
                    const std::vector<nb::dict>&, int, const std::string&, bool>(),
           "float32"_a.none(), "float64"_a.none(), "loss"_a, "metric"_a, "members"_a, "threads"_a,
           "level"_a, "keeps_said"_a)
      .def("advance", &PySession::advance, "order"_a.noconvert(), "epoch"_a, "ends_epoch"_a,
           "should_stop"_a.none(), "windows"_a, "real"_a.noconvert(), "whole"_a.noconvert())
      .def("begin", &PySession::begin, "starts"_a, "purpose"_a)
      .def("write", &PySession::write<float>, "index"_a, "set"_a, "packed"_a.noconvert())
      .def("write", &PySession::write<double>, "index"_a, "set"_a, "packed"_a.noconvert())
      .def("read", &PySession::read<float>, "index"_a, "set"_a, "packed"_a.noconvert())
      .def("read", &PySession::read<double>, "index"_a, "set"_a, "packed"_a.noconvert())
      .def("said", &PySession::said<float>, "index"_a, "out"_a.noconvert())
      .def("said", &PySession::said<double>, "index"_a, "out"_a.noconvert())
      .def("change", &PySession::change, "index"_a, "numbers"_a)
      .def("set_counters", &PySession::set_counters, "index"_a, "whole"_a, "real"_a)
      .def("counters", &PySession::get_counters, "index"_a);
}

}  // namespace deepwell
