#include "draws.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../levels.hpp"
#include "../normals.hpp"
#include "../permutation.hpp"
#include "../session.hpp"

namespace deepwell {

using namespace nb::literals;

namespace {

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

}  // namespace

void bind_draws(nb::module_& module) {
  module.def("mask_words", &mask_words, "level"_a, "dtype"_a, "key"_a, "step"_a, "at"_a,
             "out"_a.noconvert());
  module.def("normals", &normals<float>, "seed"_a, "folds"_a, "deviation"_a, "out"_a.noconvert());
  module.def("normals", &normals<double>, "seed"_a, "folds"_a, "deviation"_a, "out"_a.noconvert());
  module.def("permutation", &permutation, "key"_a, "out"_a.noconvert());
}

}  // namespace deepwell
