#!/bin/sh
# Builds the preload library: tests/powercut/build.sh OUT.so
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Written beside its place and moved there, so that tests may build it at the same time.
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -o "$1.$$" "$here/powercut.c" -ldl -lpthread
mv -f "$1.$$" "$1"
