#!/bin/sh
# SPDX-License-Identifier: ISC
# distcheck.sh - the release archive builds, passes its tests, installs and uninstalls cleanly.
set -u

cd "$EMSG_WORK/gcc" || exit 1
make -j"$EMSG_JOBS" distcheck || exit 1
echo "ok make distcheck"
