// Random draws as training makes them, for Python: masks, normal numbers, orders.
#pragma once

#include "checks.hpp"

namespace deepwell {

void bind_draws(nb::module_& module);

}  // namespace deepwell
