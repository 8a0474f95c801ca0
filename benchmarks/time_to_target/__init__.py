"""B4, time to target: how long a search takes until a finished network is good enough."""
