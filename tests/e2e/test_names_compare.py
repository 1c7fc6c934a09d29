#!/usr/bin/python3
"""Names of some frames of a dozen builds equal addr2line's or llvm-symbolizer's, or are module+offset with the reason."""
# TIMEOUT 240
from common import run_case
from names_compare import compare_all

run_case(lambda: print("\n".join(compare_all(80, 1))))
