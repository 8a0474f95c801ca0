// The Python face of the core: everything is checked here, kernels trust what they are given.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "decays.hpp"
#include "levels.hpp"
#include "metrics/registry.hpp"
#include "names.hpp"
#include "normals.hpp"
#include "permutation.hpp"
#include "session.hpp"
#include "workers.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace deepwell {
namespace {

template <class T>
using Matrix = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Order = Matrix<std::int32_t>;
template <class T>
using Told = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  std::string text;
  ((text += parts), ...);
  throw std::invalid_argument(text);
}

int index_of(std::string_view family, std::span<const std::string_view> names,
             const std::string& name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  refuse("the native core has no ", std::string(family), " of the name given: \"", name, "\"");
}

int small(std::size_t n, const char* what) {
  if (n > static_cast<std::size_t>(std::numeric_limits<int>::max()) / 2) {
    refuse(what, " must be below 2^30, got ", std::to_string(n));
  }
  return static_cast<int>(n);
}

template <class T>
Table<T> table(const Matrix<T>& x, const Column<T>& y, const Column<T>& weight, const char* part) {
  if (x.shape(0) != y.shape(0) || x.shape(0) != weight.shape(0)) {
    refuse("x, y and weight of the ", part, " rows must be equally long, got ",
           std::to_string(x.shape(0)), ", ", std::to_string(y.shape(0)), " and ",
           std::to_string(weight.shape(0)));
  }
  const bool may_come_later = std::string_view(part) == "train";  // in windows, call by call
  if ((x.shape(0) == 0 && !may_come_later) || x.shape(1) == 0) {
    refuse("the ", part, " rows must hold a row and a feature, got ", std::to_string(x.shape(0)),
           " x ", std::to_string(x.shape(1)));
  }
  return {x.data(), y.data(), weight.data(), small(x.shape(0), "rows"),
          small(x.shape(1), "features")};
}

// The arrays stay alive for as long as the data that points into them.
template <class T>
struct HeldData {
  HeldData(Matrix<T> x, Column<T> y, Column<T> w, Matrix<T> xd, Column<T> yd, Column<T> wd)
      : held{x, xd},
        columns{y, w, yd, wd},
        data(table(x, y, w, "train"), table(xd, yd, wd, "dev")) {
    if (x.shape(1) != xd.shape(1)) {
      refuse("train and dev rows must have the same features, got ", std::to_string(x.shape(1)),
             " and ", std::to_string(xd.shape(1)));
    }
  }
  std::array<Matrix<T>, 2> held;
  std::array<Column<T>, 4> columns;
  Data<T> data;
};

// Train rows of one call; the arrays stay alive for as long as the window.
template <class T>
struct HeldWindow {
  HeldWindow(Matrix<T> x, Column<T> y, Column<T> weight)
      : held(x), columns{y, weight}, rows(table(x, y, weight, "window's")) {}
  Matrix<T> held;
  std::array<Column<T>, 2> columns;
  Table<T> rows;
};

template <class T>
void bind_data(nb::module_& module, const char* name, const char* window) {
  nb::class_<HeldWindow<T>>(module, window)
      .def(nb::init<Matrix<T>, Column<T>, Column<T>>(), "x"_a.noconvert(), "y"_a.noconvert(),
           "weight"_a.noconvert());
  nb::class_<HeldData<T>>(module, name)
      .def(nb::init<Matrix<T>, Column<T>, Column<T>, Matrix<T>, Column<T>, Column<T>>(),
           "x_train"_a.noconvert(), "y_train"_a.noconvert(), "weight_train"_a.noconvert(),
           "x_dev"_a.noconvert(), "y_dev"_a.noconvert(), "weight_dev"_a.noconvert());
}

constexpr std::array<std::string_view, 3> norm_names{"none", "before", "after"};

MemberNumbers member_numbers(const nb::dict& from) {
  MemberNumbers n;
  const std::pair<const char*, double*> fields[] = {
      {"learning_rate", &n.learning_rate},
      {"decay_rate", &n.decay_rate},
      {"decay_factor", &n.decay_factor},
      {"decay_scale", &n.decay_scale},
      {"decay_every", &n.decay_every},
      {"epochs", &n.epochs},
      {"warmup_epochs", &n.warmup_epochs},
      {"momentum", &n.momentum},
      {"beta1", &n.beta1},
      {"beta2", &n.beta2},
      {"epsilon", &n.epsilon},
      {"epsilon_root", &n.epsilon_root},
      {"l2", &n.l2},
      {"l1", &n.l1},
      {"weight_decay", &n.weight_decay},
      {"max_norm", &n.max_norm},
      {"clip_value", &n.clip_value},
      {"clip_norm", &n.clip_norm},
      {"gradient_noise", &n.gradient_noise},
      {"batch_norm_momentum", &n.batch_norm_momentum},
      {"label_smoothing", &n.label_smoothing},
      {"input_noise", &n.input_noise},
  };
  for (const auto& [name, field] : fields) *field = nb::cast<double>(from[name]);
  for (const auto& drop :
       nb::cast<std::vector<std::tuple<std::uint32_t, double, double>>>(from["drops"])) {
    n.drops.push_back({std::get<0>(drop), std::get<1>(drop), std::get<2>(drop)});
  }
  n.shares = nb::cast<std::vector<double>>(from["shares"]);
  if (!n.shares.empty() && n.shares.size() != shares_count) {
    refuse("mixup needs ", std::to_string(shares_count), " shares, got ",
           std::to_string(n.shares.size()));
  }
  return n;
}

MemberSpec member_spec(const nb::dict& from) {
  const auto text = [&](const char* key) { return nb::cast<std::string>(from[key]); };
  const auto number = [&](const char* key) { return nb::cast<double>(from[key]); };
  MemberSpec spec;
  const std::string dtype = text("dtype");
  if (dtype != "float32" && dtype != "float64") {
    refuse("dtype must be float32 or float64, got ", dtype);
  }
  spec.single = dtype == "float32";
  spec.widths = nb::cast<std::vector<int>>(from["widths"]);
  if (spec.widths.size() < 2) refuse("a network must have inputs and outputs");
  for (const int width : spec.widths) {
    if (width < 1 || width > (1 << 24)) {
      refuse("a layer must have 1 to 2^24 units, got ", std::to_string(width));
    }
  }
  spec.activation = index_of("activation", activation_names(), text("activation"));
  spec.optimizer = index_of("optimizer", optimizer_names(), text("optimizer"));
  spec.decay = index_of("decay", decay_names, text("decay"));
  spec.slope = number("slope");
  spec.numbers = member_numbers(from);
  const auto& drops = spec.numbers.drops;
  if (drops.size() + 1 != spec.widths.size()) {
    refuse("the inputs and each hidden layer need their dropout, got ",
           std::to_string(drops.size()), " of ", std::to_string(spec.widths.size() - 1));
  }
  spec.pieces = nb::cast<int>(from["pieces"]);
  if (spec.pieces < 1 || spec.pieces > 64) {
    refuse("a unit must have 1 to 64 pieces, got ", std::to_string(spec.pieces));
  }
  spec.norm = static_cast<Norm>(index_of("batch_norm", norm_names, text("batch_norm")));
  spec.norm_epsilon = number("norm_epsilon");
  spec.residual = nb::cast<int>(from["residual"]);
  spec.dropout_key = nb::cast<std::array<std::uint32_t, 2>>(from["dropout_key"]);
  spec.input_noise_key = nb::cast<std::array<std::uint32_t, 2>>(from["input_noise_key"]);
  spec.mix_key = nb::cast<std::array<std::uint32_t, 2>>(from["mix_key"]);
  spec.noise_key = nb::cast<std::array<std::uint32_t, 2>>(from["noise_key"]);
  spec.rms_from_first = nb::cast<bool>(from["rms_from_first"]);
  spec.per_epoch = nb::cast<std::int64_t>(from["per_epoch"]);
  if (spec.per_epoch < 1) {
    refuse("an epoch must have at least 1 step, got ", std::to_string(spec.per_epoch));
  }
  spec.patience = nb::cast<std::int64_t>(from["patience"]);
  return spec;
}

// Checks that the labels of a table can be outputs of the members.
template <class T>
void check_labels(const Table<T>& rows, int classes) {
  for (int i = 0; i < rows.rows; ++i) {
    if (!(rows.y[i] >= T(0) && rows.y[i] < static_cast<T>(classes))) {
      refuse("y must hold class numbers from 0 to ", std::to_string(classes - 1), ", got ",
             std::to_string(rows.y[i]), " in row ", std::to_string(i));
    }
  }
}

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

using WordArray = nb::ndarray<std::uint32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class T>
void fill_mask_words(const Kernels<T>& kernels, const Dropout<T>& dropout, std::size_t layer,
                     const Patch& at, std::uint32_t* words) {
  Workspace<T> work;
  const auto room = static_cast<std::size_t>(stride_of<T>(at.rows));
  work.row_first.grow(room);
  work.row_second.grow(room);
  kernels.mask_words(dropout, layer, at, work, words);
}

// Fills `out` (rows, units) with the words of a dropout mask, drawn by what training draws with.
// `key` is the member's; `at` is the hidden layer, the place in the batch and the unit.
void mask_words(const std::string& level, const std::string& dtype,
                const std::array<std::uint32_t, 2>& key, std::int64_t step,
                const std::array<std::uint32_t, 3>& at, const WordArray& out) {
  const Level* kernels = level_named(level);
  if (kernels == nullptr) refuse("this machine cannot run the level \"", level, "\"");
  const Patch patch{at[1], at[2], small(out.shape(0), "rows"), small(out.shape(1), "units")};
  if (dtype == "float32") {
    Dropout<float> dropout;
    dropout.key = step_key(key, step);
    fill_mask_words(kernels->kernels<float>(), dropout, at[0], patch, out.data());
  } else if (dtype == "float64") {
    Dropout<double> dropout;
    dropout.key = step_key(key, step);
    fill_mask_words(kernels->kernels<double>(), dropout, at[0], patch, out.data());
  } else {
    refuse("dtype must be float32 or float64, got ", dtype);
  }
}

// A session that one thread uses at a time: the interpreter's lock is released while it works.
class PySession {
 public:
  PySession(nb::object float32, nb::object float64, const std::string& loss,
            const std::string& metric, const std::vector<nb::dict>& members, int threads,
            const std::string& level)
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

// Normal numbers at the places of `out`; the interpreter's lock is released meanwhile.
template <class T>
void normals(std::uint64_t seed, const std::vector<std::uint32_t>& folds, double deviation,
             nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu> out) {
  const nb::gil_scoped_release released;
  draw_normals(seed, std::span(folds), deviation,
               Rectangle<T>{out.data(), out.shape(0), out.shape(1), out.shape(1)});
}

// Fills `out` with its places in a random order; the interpreter's lock is released meanwhile.
void permutation(const std::array<std::uint32_t, 2>& key,
                 const nb::ndarray<std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>& out) {
  const nb::gil_scoped_release released;
  permute(key, {out.data(), out.size()});
}

template <class Names>
nb::tuple as_tuple(const Names& names) {
  nb::list list;
  for (const std::string_view name : names) list.append(nb::str(name.data(), name.size()));
  return nb::tuple(list);
}

}  // namespace
}  // namespace deepwell

NB_MODULE(_core, module) {
  using namespace deepwell;
  nb::set_leak_warnings(false);  // rows that a script still holds when it ends are no leak
  module.def("levels", [] {
    std::vector<std::string_view> names;
    for (const Level* level : runnable_levels()) names.push_back(level->name);
    return as_tuple(names);
  });
  module.def("cores", &usable_cores);
  module.def("techniques", [] {
    nb::dict families;
    families["activation"] = as_tuple(activation_names());
    families["optimizer"] = as_tuple(optimizer_names());
    families["loss"] = as_tuple(loss_names());
    families["metric"] = as_tuple(Metrics<float>::names);
    families["decay"] = as_tuple(decay_names);
    return families;
  });
  module.def("mask_words", &mask_words, "level"_a, "dtype"_a, "key"_a, "step"_a, "at"_a,
             "out"_a.noconvert());
  module.def("normals", &normals<float>, "seed"_a, "folds"_a, "deviation"_a, "out"_a.noconvert());
  module.def("normals", &normals<double>, "seed"_a, "folds"_a, "deviation"_a, "out"_a.noconvert());
  module.def("permutation", &permutation, "key"_a, "out"_a.noconvert());
  bind_data<float>(module, "Data32", "Window32");
  bind_data<double>(module, "Data64", "Window64");
  nb::class_<PySession>(module, "Session")
      .def(nb::init<nb::object, nb::object, const std::string&, const std::string&,
                    const std::vector<nb::dict>&, int, const std::string&>(),
           "float32"_a.none(), "float64"_a.none(), "loss"_a, "metric"_a, "members"_a, "threads"_a,
           "level"_a)
      .def("advance", &PySession::advance, "order"_a.noconvert(), "epoch"_a, "ends_epoch"_a,
           "should_stop"_a.none(), "windows"_a, "real"_a.noconvert(), "whole"_a.noconvert())
      .def("begin", &PySession::begin, "starts"_a, "purpose"_a)
      .def("write", &PySession::write<float>, "index"_a, "set"_a, "packed"_a.noconvert())
      .def("write", &PySession::write<double>, "index"_a, "set"_a, "packed"_a.noconvert())
      .def("read", &PySession::read<float>, "index"_a, "set"_a, "packed"_a.noconvert())
      .def("read", &PySession::read<double>, "index"_a, "set"_a, "packed"_a.noconvert())
      .def("change", &PySession::change, "index"_a, "numbers"_a)
      .def("set_counters", &PySession::set_counters, "index"_a, "whole"_a, "real"_a)
      .def("counters", &PySession::get_counters, "index"_a);
}
