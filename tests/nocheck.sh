#!/bin/sh
# SPDX-License-Identifier: ISC
# nocheck.sh - stands for all unit tests where the check library is missing.
echo "skipped: unit tests, the check library is missing"
exit 77
