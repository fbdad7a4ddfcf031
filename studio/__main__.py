"""The program: ``studio``, or ``python -m studio``."""

import sys


def main() -> int:
    """Do what the command line says; the exit code."""
    try:
        # Here, as Ctrl+C may come while it is imported.
        from studio.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
