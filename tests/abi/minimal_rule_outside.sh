#!/bin/sh
# minimal_rule_outside.sh SOURCE_DIR WORK_DIR: installs the plugin API alone, and builds and tests examples/minimal-rule and job-hello against it
# as somebody without our tree would.
set -eu
source=$1
work=$2
export CMAKE_GENERATOR=Ninja  # make is not among our packages
rm -rf "$work"
mkdir -p "$work"
cmake -S "$source/plugin-api" -B "$work/api" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --install "$work/api" --prefix "$work/installed" --component plugin_api >> "$work/log"
cp -r "$source/examples/minimal-rule" "$work/minimal-rule"
cmake -S "$work/minimal-rule" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/installed" >> "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build "$work/build" >> "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
ctest --test-dir "$work/build" --output-on-failure
sh "$source/tests/abi/exports.sh" "$work/build/plugins/X-001.so"
cp -r "$source/examples/job-hello" "$work/job-hello"
cmake -S "$work/job-hello" -B "$work/job" -DCMAKE_PREFIX_PATH="$work/installed" >> "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build "$work/job" >> "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
ctest --test-dir "$work/job" --output-on-failure
sh "$source/tests/abi/exports.sh" "$work/job/plugins/J-hello.so"
