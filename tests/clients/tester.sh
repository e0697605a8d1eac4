#!/usr/bin/env bash
# Asks a running server whatever its own OpenAPI document allows, and what it does not, and fails on any answer that the
# document does not promise and on any 5xx:
#
#     TASKSTORE_TOKEN=… tests/clients/tester.sh [--nothing-registered] http://127.0.0.1:8080 [EXAMPLES [OPTION…]]
#
# EXAMPLES for each operation: 150 (about two minutes) if not given. The user of the token needs all rights. It dismisses,
# restores and runs what it finds. --nothing-registered is for a server without handlers for runs, such as `taskstore serve`.
# It takes `schemathesis` of requirements-tester.txt; `cargo run --example tester --features http` is a server to ask.
set -euo pipefail

settings="$(cd "$(dirname "$0")" && pwd)/tester"
runs=registered
if [[ "${1-}" == --nothing-registered ]]; then
    runs=nothing-registered
    shift
fi
url="${1?"usage: tester.sh [--nothing-registered] URL [EXAMPLES [OPTION…]]"}"
examples="${2-150}"
: "${TASKSTORE_TOKEN?"the token of a user with all rights"}"

# What the tester leaves behind goes with the directory.
directory="$(mktemp -d)"
trap 'rm -r "$directory"' EXIT
cd "$directory"
cat "$settings/schemathesis.toml" "$settings/$runs.toml" >configuration.toml
export PYTHONPATH="$settings" PYTHONDONTWRITEBYTECODE=1 SCHEMATHESIS_HOOKS=hooks
schemathesis --config-file configuration.toml run "${url%/}/openapi.json" --max-examples "$examples" "${@:3}"
