"""A year of daily temperatures, made by a rule: seasons, spells of weather, days."""

from __future__ import annotations

import numpy as np


def temperatures() -> np.ndarray:
    """Return 365 temperatures in °C: a wave over the year, weather that lasts, daily noise."""
    random = np.random.default_rng(7)
    season = 18.0 - 9.0 * np.cos(2 * np.pi * (np.arange(365) - 20) / 365)
    spell = 0.0
    days = np.empty(365)
    for day in range(365):
        spell = 0.85 * spell + random.normal(0, 1.2)
        days[day] = season[day] + spell + random.normal(0, 1.5)
    return days
