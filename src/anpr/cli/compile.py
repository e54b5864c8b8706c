"""`anpr compile`: compile the kernels of matching for this machine."""

from multiprocessing import Process

import click

from anpr.matching import kernels
from anpr.matching.compiling import compile_kernels, compile_scanner


@click.command(name="compile")
def command() -> None:
    """Compile the matching code for this machine.

    Services then start without compiling. Run it after the installation, as a user who may write to the installation.
    It takes up to a minute the first time. To compile for another processor, set NUMBA_CPU_NAME and
    NUMBA_CPU_FEATURES, and set both for the services too.

    \b
    Examples:
      anpr compile
      NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES= anpr compile
    """
    scanner = Process(target=compile_scanner, daemon=True)
    if not kernels.are_compiled():
        scanner.start()  # on a second processor; where code can be kept, it is there when this process needs it
    compile_kernels()
    where = (
        f"in {kernels.FOLDER}" if kernels.are_compiled() else "for this process only: the folder cannot be written"
    )
    click.echo(f"matching is compiled, {where}", err=True)
