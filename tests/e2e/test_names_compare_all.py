#!/usr/bin/python3
"""Names of 2,000 random call sites of each of a dozen builds equal addr2line's or llvm-symbolizer's, or are
module+offset with the reason."""
# ALL
# TIMEOUT 1800
import time

from common import run_case
from names_compare import compare_all


def main():
    seed = int(time.time())
    print(f"seed {seed}")
    print("\n".join(compare_all(2000, seed)))


run_case(main)
