"""Imports what `anpr` commands need, for the server of `anpr_commands`. Nothing else imports this."""

import gc
from importlib import import_module
from pkgutil import walk_packages

import anpr.cli
from anpr.matching.compiling import compile_kernels

for module in walk_packages(anpr.cli.__path__, "anpr.cli."):
    import_module(module.name)
compile_kernels()
gc.freeze()  # what a process does not write to, it shares with the others
