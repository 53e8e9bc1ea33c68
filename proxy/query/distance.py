"""Great-circle distances in kilometres (query-api.md, section 2.4)."""

import math

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

EARTH_KM = 6378.135
"""The radius that reproduces the service's distances."""
_KEPT_DIGITS = 9
"""Order and tests look at a distance in steps of 1e-9 km: beyond them the libraries' sines differ."""


def measure(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """The distance of two points as it is written: the operations and their order decide on its last digits."""
    from_phi, to_phi = math.radians(latitude), math.radians(to_latitude)
    half_phi = math.sin((to_phi - from_phi) / 2)
    half_lambda = math.sin((math.radians(to_longitude) - math.radians(longitude)) / 2)
    a = half_phi * half_phi + math.cos(from_phi) * math.cos(to_phi) * half_lambda * half_lambda
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, a)))


def measure_all(
    latitude: float | Numbers, longitude: float | Numbers, latitudes: Numbers, longitudes: Numbers
) -> Numbers:
    """The distances of many points from one, or of pairs, in the steps by which they order."""
    phi, phis = np.radians(latitude), np.radians(latitudes)
    a: Numbers = np.sin((phis - phi) / 2)
    a *= a
    other = np.sin((np.radians(longitudes) - np.radians(longitude)) / 2)
    other *= other
    other *= np.cos(phis)
    other *= np.cos(phi)
    a += other
    np.minimum(a, 1, out=a)
    np.sqrt(a, out=a)
    np.arcsin(a, out=a)
    a *= 2 * EARTH_KM
    return a.round(_KEPT_DIGITS)
