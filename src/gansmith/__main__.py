"""`python -m gansmith`: the command line."""

from gansmith.cli.main import main

if __name__ == "__main__":
    main()
