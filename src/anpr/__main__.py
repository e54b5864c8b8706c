"""`python -m anpr`, the same as `anpr`."""

from anpr.entrypoint import main

if __name__ == "__main__":  # a process that it starts imports it again
    main()
