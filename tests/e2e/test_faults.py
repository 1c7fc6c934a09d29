#!/usr/bin/python3
"""SIGKILL at 60 random moments of the program and 30 of the collector; test_faults_all.py does it 500 and 200 times."""
# TIMEOUT 300
from common import run_case
from faults import campaign

run_case(lambda: campaign(60, 30))
