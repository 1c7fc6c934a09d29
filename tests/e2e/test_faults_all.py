#!/usr/bin/python3
"""SIGKILL at 500 random moments of the program, with and without a collector, and at 200 of the collector."""
# ALL
# TIMEOUT 3600
from common import run_case
from faults import campaign

run_case(lambda: campaign(500, 200))
