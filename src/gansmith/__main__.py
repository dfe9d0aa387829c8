"""`gansmith` and `python -m gansmith`: the command line. Ctrl-C is seen to before anything else is imported."""

SPINS = 10_000  # turns that a thread waits for another before it sleeps, on a busy machine: libgomp's 300,000 are
# milliseconds in which it keeps a core from those who would work


def busy(cores: int | None, loads: str = "/proc/loadavg") -> bool:
    """Whether others want all the cores, both now and in the last minute; False where the system does not tell."""
    try:
        with open(loads) as file:  # noqa: PTH123 - pathlib is not there yet
            minute, _, _, running = file.read().split()[:4]
    except OSError:
        return False
    return min(float(minute), int(running.partition("/")[0]) - 1) >= (cores or 1)


def main() -> None:
    """The command line, with Ctrl-C seen to from the first moment."""
    import _signal as signal  # type: ignore[import-not-found]  # built in: `signal` takes 10 ms to import
    import os

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends the process without a traceback, until `hear` is there
    if "OMP_WAIT_POLICY" not in os.environ and busy(os.cpu_count()):  # libgomp reads it when torch is imported
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
    from gansmith.cli.interrupts import hear

    hear()
    from gansmith.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
