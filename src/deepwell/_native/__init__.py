"""The compiled core's Python face: whether it is here, what it can do, and its entry points.

Everything works without it; a build without a C++ compiler leaves it out.
"""

from ._core_module import available as available
from ._core_module import cores as cores
from ._core_module import simd as simd
from ._core_module import why_not as why_not
