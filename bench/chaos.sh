#!/bin/bash
# bench/chaos.sh [--runs N] [--only CASE,...] [--mebibytes N] [--results DIR]
# Loses the fetcher of a download that clients read, again and again, and looks what they see of it; ends with 0 only when every bound holds.
# --help tells more; bench/cluster.sh what it needs. Twenty minutes.
exec "$(dirname "${BASH_SOURCE[0]}")/cluster.sh" chaos "$@"
