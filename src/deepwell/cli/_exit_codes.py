"""What the exit code of a command says; scripts may rely on it."""

DONE = 0
FAILED = 1
WRONG_USAGE = 2
STOPPED = 130  # by the user, with the best kept
