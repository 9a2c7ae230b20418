# What the scripts share: where the checkout is, how progress looks, how a failure ends. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=${HEARTGUARD_STATE:-$root/.heartguard}
venv=$root/.heartguard/venv
logs=$root/.heartguard/logs

say() { printf '  %-12s %s\n' "$1" "$2"; }
fail() { printf '\nHeartGuard: %s\n' "$*" >&2; exit 1; }

# Runs a command with its output in a file; on failure shows the end of that file and stops.
# While it works, a line every ten seconds says that it does, and what it said last.
logged() { # NAME LOGFILE COMMAND...
    local name=$1 log=$2 began=$SECONDS pid status
    shift 2
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
    local shown=$SECONDS
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        if ((SECONDS - shown >= 10)); then
            shown=$SECONDS
            say "$name" "$((SECONDS - began)) s: $(tail -c 400 "$log" | tr '\r' '\n' | grep -v '^ *$' | tail -n 1 | cut -c 1-90)"
        fi
    done
    if wait "$pid"; then status=0; else status=$?; fi
    trap - INT TERM
    if ((status != 0)); then
        printf '\n' >&2
        head -n -25 "$log" | grep -E '(error|Error|ERROR|E:|fatal)' | awk '!seen[$0]++' | head -n 20 >&2 || true
        printf '\nThe end of %s:\n' "$log" >&2
        tail -n 25 "$log" >&2
        return "$status"
    fi
    elapsed=$((SECONDS - began))
}

# Free space of the checkout's disk in MiB must reach $1.
require_disk() { # MEBIBYTES PURPOSE
    local free
    free=$(df -Pm "$root" | awk 'NR == 2 { print $4 }')
    if ((free < $1)); then
        fail "the disk of $root has $free MiB left and $2 needs $1 MiB. Free some space and try again."
    fi
}
