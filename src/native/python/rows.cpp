#include "rows.hpp"

namespace deepwell {

using namespace nb::literals;

namespace {

template <class T>
void bind_rows_of(nb::module_& module, const char* name, const char* window) {
  nb::class_<HeldWindow<T>>(module, window)
      .def(nb::init<Matrix<T>, Column<T>, Column<T>>(), "x"_a.noconvert(), "y"_a.noconvert(),
           "weight"_a.noconvert());
  nb::class_<HeldData<T>>(module, name)
      .def(nb::init<Matrix<T>, Column<T>, Column<T>, Matrix<T>, Column<T>, Column<T>>(),
           "x_train"_a.noconvert(), "y_train"_a.noconvert(), "weight_train"_a.noconvert(),
           "x_dev"_a.noconvert(), "y_dev"_a.noconvert(), "weight_dev"_a.noconvert());
}

}  // namespace

void bind_rows(nb::module_& module) {
  bind_rows_of<float>(module, "Data32", "Window32");
  bind_rows_of<double>(module, "Data64", "Window64");
}

}  // namespace deepwell
