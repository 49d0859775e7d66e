#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes configure and Makefile.in.
set -e
cd "$(dirname "$0")"
exec autoreconf -fi
