"""`python -m modomodo` is the command line."""

from modomodo.cli.main import main

if __name__ == "__main__":
    main()
