// The Python face of the core: everything is checked in it, kernels trust what they are given.
#include <nanobind/nanobind.h>

#include <string_view>
#include <vector>

#include "decays.hpp"
#include "levels.hpp"
#include "metrics/registry.hpp"
#include "names.hpp"
#include "python/draws.hpp"
#include "python/rows.hpp"
#include "python/training.hpp"
#include "workers.hpp"

namespace deepwell {
namespace {

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
  bind_draws(module);
  bind_rows(module);
  bind_session(module);
}
