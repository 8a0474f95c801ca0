// Sessions for Python.
#pragma once

#include "checks.hpp"

namespace deepwell {

void bind_session(nb::module_& module);

}  // namespace deepwell
